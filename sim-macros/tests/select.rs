//! `select!` as its users meet it: tokio's grammar and semantics, with the seed's choices.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    future::{pending, poll_fn, ready},
    sync::Mutex,
    task::Poll,
};

/// Tells when it is dropped.
struct Tell<'a>(&'a str, &'a RefCell<Vec<String>>);

impl Drop for Tell<'_> {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0.to_string());
    }
}

#[sim::test(seeds = 20)]
async fn futures_are_dropped_in_order_before_the_handler_runs() {
    let told = RefCell::new(Vec::new());
    let waits = |name| {
        let tell = Tell(name, &told);
        async move {
            let _tell = tell;
            pending::<()>().await;
        }
    };
    sim::select! {
        _ = waits("a") => unreachable!(),
        _ = ready(()) => told.borrow_mut().push("handler".into()),
        _ = waits("b") => unreachable!(),
        _ = waits("c") => unreachable!(),
    }
    assert_eq!(*told.borrow(), ["a", "b", "c", "handler"]);
}

#[sim::test(seeds = 1)]
async fn conditions_come_first_and_every_future_is_evaluated() {
    let told = RefCell::new(Vec::new());
    let tell = |name: &str| told.borrow_mut().push(name.to_string());
    let won = sim::select! {
        _ = { tell("future a"); ready(1) }, if { tell("if a"); false } => "a",
        _ = { tell("future b"); ready(2) }, if { tell("if b"); true } => "b",
    };
    assert_eq!(won, "b");
    assert_eq!(*told.borrow(), ["if a", "if b", "future a", "future b"]);
}

#[sim::test(seeds = 20)]
async fn an_output_that_does_not_match_disables_its_branch() {
    let got = sim::select! {
        Some(n) = ready(None::<u32>) => n,
        Ok(n) | Err(n) = async { sim::task::yield_now().await; Err::<u32, u32>(7) } => n,
    };
    assert_eq!(got, 7);
    let got = sim::select! {
        Some(n) = ready(None::<u32>) => n,
        3 = ready(4) => 3,
        else => 0,
    };
    assert_eq!(got, 0);
}

#[sim::test(seeds = 5)]
#[should_panic(expected = "all branches are disabled and there is no else branch")]
async fn without_else_all_disabled_is_a_panic() {
    sim::select! {
        _ = ready(()), if false => {}
        Some(()) = ready(None) => {}
    }
}

#[sim::test(seeds = 1)]
async fn handlers_take_commas_as_in_tokio() {
    let flag = true;
    // A block ends the branch; other expressions go on to their comma.
    let n = sim::select! {
        _ = ready(()) => match flag { true => 1, false => 2 } + 10,
    };
    assert_eq!(n, 11);
    let n = sim::select! {
        _ = pending::<()>() => { 1 }
        _ = pending::<()>() => { 2 },
        n = ready(3) => if flag { n } else { 0 },
    };
    assert_eq!(n, 3);
}

#[sim::test(seeds = 1)]
async fn handlers_leave_loops_and_functions() {
    async fn inner() -> Result<u32, String> {
        'outer: loop {
            for round in 0.. {
                sim::select! {
                    biased;
                    n = ready(round), if n_is_small(round) => {
                        let _: u32 = n;
                        continue;
                    }
                    n = ready(round), if round == 3 => break 'outer Ok(n),
                    failed = ready(Err::<u32, &str>("no")) => {
                        failed?;
                        return Ok(0);
                    }
                }
            }
        }
    }
    fn n_is_small(n: u32) -> bool {
        n < 3
    }
    assert_eq!(inner().await, Ok(3));
}

#[sim::test(seeds = 1)]
async fn patterns_bind_by_value_by_reference_and_mutably() {
    let text = || ready(Some("a".to_string()));
    sim::select! {
        Some(mut s) = text() => { s.push('b'); assert_eq!(s, "ab"); }
    }
    sim::select! {
        Some(ref mut s) = text() => { s.push('b'); assert_eq!(s, "ab"); }
    }
    sim::select! {
        whole @ Some(_) = text() => assert_eq!(whole.as_deref(), Some("a")),
    }
    let mut n = 1;
    sim::select! {
        &mut _ = ready(&mut n) => {}
    }
    sim::select! {
        &(a, b) = ready(&(1, 2)) => assert_eq!(a + b, 3),
    }
}

#[sim::test(seeds = 1)]
async fn names_of_the_user_are_not_those_of_the_expansion() {
    #[derive(Debug, PartialEq)]
    struct Out(u32);
    #[derive(Debug, PartialEq)]
    struct T0;
    let (output, disabled, futures, start, value0) = (1, 2, 3, 4, 5);
    let got = sim::select! {
        T0 = ready(T0) => Out(output + disabled + futures + start + value0),
        Out(0) = ready(Out(1)) => Out(0),
    };
    assert_eq!(got, Out(15));
}

#[sim::test(seeds = 1)]
async fn what_a_macro_of_the_users_passes_on_is_taken() {
    macro_rules! first {
        ($pattern:pat, $future:expr, $condition:expr, $block:block, $handler:expr) => {
            sim::select! {
                $pattern = $future, if $condition => $block
                _ = pending::<()>() => $handler,
            }
        };
    }
    let seen;
    first!(n, ready(2), true, { seen = n }, unreachable!());
    assert_eq!(seen, 2);
}

#[sim::test(seeds = 1)]
async fn borrows_end_with_the_futures() {
    let mut words = vec![1];
    async fn push(words: &mut Vec<u32>) {
        words.push(2);
        pending().await
    }
    sim::select! {
        biased;
        () = push(&mut words) => {}
        () = &mut ready(()) => words.push(3),
    }
    assert_eq!(words, [1, 2, 3]);
}

#[sim::test(seeds = 1)]
async fn biased_polls_in_the_order_of_the_source() {
    let order = RefCell::new(Vec::new());
    let told = |n: u32| {
        let order = &order;
        poll_fn(move |_| -> Poll<()> {
            order.borrow_mut().push(n);
            Poll::Pending
        })
    };
    sim::select! {
        biased;
        _ = told(0) => {}
        _ = told(1) => {}
        _ = told(2) => {}
        _ = ready(()) => {}
    }
    assert_eq!(*order.borrow(), [0, 1, 2]);
}

#[test]
fn seeds_choose_the_branch_and_choose_it_again() {
    let winners = |seeds| {
        let winners = Mutex::new(Vec::new());
        let config = sim::Config::new().seed(7).seeds(seeds).recheck_every(0);
        let report = sim::check(config, || async {
            let winner = sim::select! {
                n = ready(0) => n,
                n = ready(1) => n,
                n = ready(2) => n,
            };
            winners.lock().unwrap().push(winner);
        });
        assert!(report.failure.is_none(), "{report}");
        winners.into_inner().unwrap()
    };
    let first = winners(60);
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), 3, "{first:?}");
    assert_eq!(first, winners(60));
}

#[sim::test(seeds = 10)]
async fn a_task_without_budget_polls_no_branch() {
    let polls = Cell::new(0);
    let mut select = std::pin::pin!(async {
        loop {
            sim::select! {
                () = sim::task::coop::consume_budget() => polls.set(polls.get() + 1),
            }
        }
    });
    poll_fn(|cx| {
        assert!(select.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    assert_eq!(polls.get(), 128);
}

#[sim::test(seeds = 10)]
async fn sixty_four_branches_in_a_task() {
    macro_rules! select_of {
        ($($n:literal)*) => {
            sim::select! { $(n = ready($n) => n,)* }
        };
    }
    let task = sim::spawn(async {
        select_of!(
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60
            61 62 63
        )
    });
    assert!(task.await.unwrap() < 64);
}
