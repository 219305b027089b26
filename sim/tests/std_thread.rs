//! Threads of `sim::std` behave as std's, within a simulation and outside of one.

use sim::std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc,
    },
    thread,
};
use sim::{Config, FailureKind};
use std::{cell::Cell, cell::RefCell, time::Duration};

/// The program under 300 seeds, and once on real threads.
fn passes(program: fn()) {
    let report = sim::check(Config::new().seeds(300), || async { program() });
    assert!(report.failure.is_none(), "{report}");
    let report = sim::check(Config::new().seeds(100), || async {
        thread::spawn(program).join().unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    program();
}

/// The kind and message of the failure that one of 500 seeds has.
fn fails(program: fn()) -> (FailureKind, String) {
    let report = sim::check(Config::new().seeds(500), || async { program() });
    let failure = report.failure.expect("one of the seeds fails");
    (failure.kind, failure.message)
}

#[test]
fn join_gives_what_the_thread_returned() {
    passes(|| {
        let threads: Vec<_> = (0..4).map(|i| thread::spawn(move || i * 2)).collect();
        let sum: i32 = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(sum, 12);
    });
}

#[test]
fn join_gives_the_payload_of_a_panic() {
    passes(|| {
        let error = thread::spawn(|| std::panic::panic_any(7_u8)).join().unwrap_err();
        assert_eq!(*error.downcast::<u8>().unwrap(), 7);
    });
}

#[test]
fn a_scope_waits_for_threads_that_borrow() {
    passes(|| {
        let mut numbers = vec![1, 2, 3];
        let mut sum = 0;
        let count = thread::scope(|scope| {
            let count = scope.spawn(|| numbers.len());
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(1));
                sum += 5;
                scope.spawn(|| assert_eq!(numbers.iter().max(), Some(&3)));
            });
            count.join().unwrap()
        });
        numbers.push(sum);
        assert_eq!((count, numbers), (3, vec![1, 2, 3, 5]));
    });
}

#[test]
fn a_panic_in_a_scope_goes_on_after_its_threads() {
    passes(|| {
        let ended = AtomicBool::new(false);
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            thread::scope(|scope| {
                scope.spawn(|| {
                    thread::yield_now();
                    ended.store(true, SeqCst);
                });
                panic!("first");
            })
        }));
        assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "first");
        assert!(ended.load(SeqCst));
    });
}

#[test]
fn a_scope_panics_if_a_thread_did_and_was_not_joined() {
    passes(|| {
        let result = std::panic::catch_unwind(|| {
            thread::scope(|scope| drop(scope.spawn(|| panic!("unseen"))));
        });
        assert_eq!(*result.unwrap_err().downcast::<&str>().unwrap(), "a scoped thread panicked");
        thread::scope(|scope| {
            assert!(scope.spawn(|| panic!("seen")).join().is_err());
        });
    });
}

#[test]
fn a_run_that_fails_within_a_scope_ends() {
    let (kind, message) = fails(|| {
        let lock = Mutex::new(1);
        let values = vec![1; 100];
        let held = lock.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| *lock.lock().unwrap() + values[0]);
            scope.spawn(|| thread::scope(|scope| drop(scope.spawn(|| thread::park()))));
        });
        drop(held);
    });
    assert_eq!(kind, FailureKind::Deadlock, "{message}");
}

#[test]
fn threads_have_names_and_ids_that_count() {
    let program = || {
        let main = thread::current();
        let thread = thread::Builder::new().name("writer".into()).stack_size(1 << 16);
        let thread = thread.spawn(|| (thread::current().id(), format!("{:?}", thread::current())));
        let thread = thread.unwrap();
        let (id, name) = (thread.thread().id(), thread.thread().name().map(str::to_string));
        let (inner, debug) = thread.join().unwrap();
        assert_eq!((id, name.as_deref()), (inner, Some("writer")));
        assert_ne!(id, main.id());
        assert_eq!(thread::current().id(), main.id());
        (format!("{:?}", main.id()), debug, format!("{id:?}"))
    };
    program();
    let report = sim::check(Config::new().seeds(100), || async {
        let (main, debug, id) = thread::spawn(program).join().unwrap();
        assert_eq!(main, "ThreadId(2)");
        assert_eq!(
            (id, debug),
            ("ThreadId(3)".into(), "Thread { id: ThreadId(3), name: Some(\"writer\"), .. }".into())
        );
        let main = sim::task::block_in_place(thread::current);
        assert_eq!((format!("{:?}", main.id()), main.name()), ("ThreadId(1)".into(), Some("main")));
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn park_takes_the_token_once() {
    passes(|| {
        thread::current().unpark();
        thread::current().unpark();
        thread::park();
        thread::park_timeout(Duration::from_millis(1));
        let waiting = thread::spawn(thread::park);
        waiting.thread().unpark();
        waiting.join().unwrap();
    });
}

#[test]
fn sleeping_takes_virtual_time() {
    let report = sim::check(Config::new().seeds(20), || async {
        let start = sim::time::Instant::now();
        let thread = thread::spawn(|| thread::sleep(Duration::from_secs(3600)));
        thread::sleep(Duration::from_secs(60));
        assert!(start.elapsed() < Duration::from_secs(61));
        thread.join().unwrap();
        assert!(start.elapsed() >= Duration::from_secs(3600));
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn a_load_and_a_store_lose_an_update() {
    let (kind, _) = fails(|| {
        let count = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| count.store(count.load(SeqCst) + 1, SeqCst));
            }
        });
        assert_eq!(count.load(SeqCst), 2);
    });
    assert_eq!(kind, FailureKind::Panic);
}

#[test]
fn fetch_add_loses_nothing() {
    passes(|| {
        let count = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| count.fetch_add(1, SeqCst));
            }
        });
        assert_eq!(count.load(SeqCst), 3);
    });
}

#[test]
fn stores_are_seen_in_one_order() {
    passes(|| {
        let (x, y) = (AtomicBool::new(false), AtomicBool::new(false));
        let seen = thread::scope(|scope| {
            let first = scope.spawn(|| {
                x.store(true, SeqCst);
                y.load(SeqCst)
            });
            let second = scope.spawn(|| {
                y.store(true, SeqCst);
                x.load(SeqCst)
            });
            (first.join().unwrap(), second.join().unwrap())
        });
        assert_ne!(seen, (false, false));
    });
}

#[test]
fn threads_have_their_own_locals_and_drop_them_last_first() {
    struct Noisy(&'static str, Arc<Mutex<Vec<&'static str>>>);
    impl Drop for Noisy {
        fn drop(&mut self) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    sim::std::thread_local! {
        static CALLS: Cell<u32> = const { Cell::new(0) };
        static FIRST: RefCell<Option<Noisy>> = RefCell::new(None);
        static SECOND: RefCell<Option<Noisy>> = const { RefCell::new(None) };
    }
    passes(|| {
        let dropped = Arc::new(Mutex::new(Vec::new()));
        CALLS.set(1);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let dropped = dropped.clone();
                thread::spawn(move || {
                    assert_eq!(CALLS.replace(5), 0);
                    FIRST.set(Some(Noisy("first", dropped.clone())));
                    thread::yield_now();
                    SECOND.with_borrow_mut(|value| *value = Some(Noisy("second", dropped)));
                    assert_eq!(CALLS.take(), 5);
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(CALLS.get(), 1);
        let mut dropped = dropped.lock().unwrap().clone();
        assert!(dropped.first() == Some(&"second") && dropped.last() == Some(&"first"));
        dropped.sort();
        assert_eq!(dropped, ["first", "first", "second", "second"]);
    });
}

#[test]
fn a_thread_that_is_parked_when_the_run_ends_is_no_failure() {
    let report = sim::check(Config::new().seeds(30), || async {
        thread::spawn(thread::park);
        thread::spawn(|| {
            loop {
                thread::yield_now();
            }
        });
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn a_loop_that_yields_lets_others_run() {
    let program = || {
        let flag = Arc::new(AtomicBool::new(false));
        let theirs = flag.clone();
        let thread = thread::spawn(move || theirs.store(true, SeqCst));
        while !flag.load(SeqCst) {
            thread::yield_now();
        }
        let theirs = flag.clone();
        let other = thread::spawn(move || {
            while theirs.load(SeqCst) {
                sim::std::hint::spin_loop();
            }
        });
        flag.store(false, SeqCst);
        thread.join().unwrap();
        other.join().unwrap();
    };
    passes(program);
    let config = || Config::new().seeds(1).strategy("calm").max_steps(1_000);
    let report = sim::check(config(), || async { program() });
    assert!(report.failure.is_none(), "{report}");
    let report = sim::check(config(), || async { thread::spawn(program).join().unwrap() });
    assert!(report.failure.is_none(), "{report}");
}

/// The same run gives the same ids, names and order.
#[test]
fn ids_and_names_are_those_of_the_run() {
    let program = |seed| {
        let seen = std::sync::Mutex::new(Vec::new());
        let report = sim::check(Config::new().only_seed(seed), || async {
            thread::scope(|scope| {
                for name in ["a", "b", "c"] {
                    let builder = thread::Builder::new().name(name.into());
                    let body = || {
                        thread::yield_now();
                        seen.lock().unwrap().push(format!("{:?}", thread::current()));
                    };
                    builder.spawn_scoped(scope, body).unwrap();
                }
            });
        });
        assert!(report.failure.is_none(), "{report}");
        seen.into_inner().unwrap()
    };
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let seen = program(seed);
        assert_eq!(seen, program(seed));
        orders.insert(seen.clone());
        let mut sorted = seen;
        sorted.sort();
        let of = |id, name| format!("Thread {{ id: ThreadId({id}), name: Some({name:?}), .. }}");
        sorted.dedup();
        assert_eq!(sorted, [of(2, "a"), of(3, "b"), of(4, "c")]);
    }
    assert!(orders.len() > 1);
}

/// Locks a mutex as it is dropped.
struct Locks(Arc<Mutex<()>>);

impl Drop for Locks {
    fn drop(&mut self) {
        drop(self.0.lock());
    }
}

#[test]
fn a_destructor_that_waits_at_the_end_of_the_run_does_not_end_the_process() {
    let report = sim::check(Config::new().seeds(3), || async {
        let lock = Arc::new(Mutex::new(()));
        std::mem::forget(lock.lock());
        let (in_thread, in_task) = (Locks(lock.clone()), Locks(lock));
        thread::spawn(move || {
            let _locks = in_thread;
            thread::park();
        });
        sim::spawn(async move {
            let _locks = in_task;
            std::future::pending::<()>().await;
        });
        sim::time::sleep(Duration::from_millis(1)).await;
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn a_destructor_may_start_threads() {
    struct Scopes;
    impl Drop for Scopes {
        fn drop(&mut self) {
            thread::scope(|scope| drop(scope.spawn(thread::yield_now)));
        }
    }
    let report = sim::check(Config::new().seeds(20), || async {
        let _here = Scopes;
        thread::spawn(|| {
            let _there = Scopes;
            thread::park();
        });
        thread::yield_now();
    });
    assert!(report.failure.is_none(), "{report}");
}

/// Main panics, and its pool waits for a thread that takes a lock meanwhile.
#[test]
fn who_does_not_panic_poisons_nothing() {
    struct Pool(Option<(mpsc::Sender<u8>, thread::JoinHandle<()>)>);
    impl Drop for Pool {
        fn drop(&mut self) {
            assert!(thread::panicking());
            let (sender, thread) = self.0.take().unwrap();
            drop(sender);
            thread.join().unwrap();
        }
    }
    let (kind, message) = fails(|| {
        let count = Arc::new(Mutex::new(0));
        let (sender, receiver) = mpsc::channel();
        let thread = thread::spawn(move || {
            for _ in receiver {
                *count.lock().unwrap() += 1;
                assert!(!thread::panicking());
            }
        });
        (0..3).for_each(|i| sender.send(i).unwrap());
        let _pool = Pool(Some((sender, thread)));
        panic!("main's own");
    });
    assert_eq!(kind, FailureKind::Panic, "{message}");
    assert!(message.starts_with("main's own"), "{message}");
}
