//! Tasks that spin are named; those that only take long are left alone.

use sim::{
    Config, Failure, FailureKind, Outcome,
    sync::{Mutex, mpsc},
    task::yield_now,
    time::{Duration, Instant, sleep},
};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};

/// One run, whose tasks are found to spin after 200,000 steps.
fn config() -> Config {
    Config::new().seeds(1).spin_limit(200_000).max_steps(600_000)
}

fn fails<F, Fut>(config: Config, kind: FailureKind, test: F) -> Failure
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = sim::check(config, test);
    let text = report.to_string();
    let failure = report.failure.expect(&text);
    assert_eq!(failure.kind, kind, "{text}");
    failure
}

fn passes<F, Fut>(test: F)
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = sim::check(config().max_steps(10_000_000), test);
    assert!(report.failure.is_none(), "{report}");
}

/// The share of each task in the last steps, in percent, by its name.
fn share(failure: &Failure, task: &str) -> u32 {
    let line = failure.message.lines().find(|line| line.trim_start().starts_with(task));
    let line = line.unwrap_or_else(|| panic!("{task} is not named: {failure}"));
    let before = line.split(" % of the last").next().unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn two_tasks_that_wait_for_each_other_by_looking() {
    let line = line!() + 5;
    let failure = fails(config(), FailureKind::Livelock, || async {
        let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
        let tasks = [0, 1].map(|me| {
            let flags = flags.clone();
            sim::spawn(async move {
                while !flags[1 - me].load(SeqCst) {
                    yield_now().await;
                }
                flags[me].store(true, SeqCst);
            })
        });
        let idle = sim::spawn(std::future::pending::<()>());
        for task in tasks {
            task.await.unwrap();
        }
        idle.abort();
    });
    for task in [0, 1] {
        let spawned = format!("task main/{task} (spawned at {}:{line}:", file!());
        assert!(failure.message.contains(&spawned), "{failure}");
        assert!((40..=60).contains(&share(&failure, &format!("task main/{task} "))), "{failure}");
    }
    let spins = format!(", last at {}:{}:", file!(), line + 2);
    assert_eq!(failure.message.matches(&spins).count(), 2, "{failure}");
    assert!(failure.message.contains(": yield"), "{failure}");
    assert!(!failure.message.contains("main/2"), "{failure}");
}

#[test]
fn a_future_that_wakes_itself() {
    let failure = fails(config(), FailureKind::Livelock, || {
        std::future::poll_fn(|cx| -> std::task::Poll<()> {
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
    });
    assert!(failure.message.ends_with("all of them polls that announced nothing"), "{failure}");
    assert_eq!(share(&failure, "task main "), 100);
}

#[test]
fn threads_that_spin_on_an_atomic() {
    use sim::std::{sync::atomic::AtomicBool, thread};
    let failure = fails(config(), FailureKind::Livelock, || async {
        let never = Arc::new(AtomicBool::new(false));
        let spinning = thread::spawn(move || {
            while !never.load(SeqCst) {
                thread::yield_now();
            }
        });
        spinning.join().unwrap();
    });
    assert!(share(&failure, "task main/0 ") == 100, "{failure}");
}

#[test]
fn polite_tasks_that_never_agree_are_named_at_the_limit() {
    // They take locks, so that only the limit of steps can tell that it leads to nothing.
    let failure = fails(config(), FailureKind::Livelock, || async {
        let forks = Arc::new([Mutex::new(()), Mutex::new(())]);
        let eaten = Arc::new(AtomicU32::new(0));
        let tasks = [0, 1].map(|me| {
            let (forks, eaten) = (forks.clone(), eaten.clone());
            sim::spawn(async move {
                while eaten.load(SeqCst) < 3 {
                    let first = forks[me].try_lock();
                    yield_now().await;
                    drop(first);
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(
        failure.message.starts_with("the run has not ended within 600000 steps, and for the last")
    );
    assert!(share(&failure, "task main/0 ") + share(&failure, "task main/1 ") >= 98, "{failure}");
}

#[test]
fn a_run_that_is_idle_at_times_passes_the_limit_of_steps() {
    let config = config().max_steps(50_000);
    let failure = fails(config, FailureKind::StepLimit, || async {
        loop {
            sleep(Duration::from_secs(1)).await;
            for _ in 0..100 {
                yield_now().await;
            }
        }
        #[allow(unreachable_code)]
        ()
    });
    assert!(
        failure
            .message
            .starts_with("the run has not ended within 50000 steps\n  task main took 100 %")
    );
}

#[test]
fn a_long_calculation_is_none() {
    passes(|| async {
        let sum = Arc::new(Mutex::new(0));
        for _ in 0..300_000 {
            *sum.lock().await += 1;
        }
        assert_eq!(*sum.lock().await, 300_000);
    });
}

#[test]
fn messages_that_come_to_an_end_are_none() {
    passes(|| async {
        let (sender, mut inbox) = mpsc::channel(8);
        sim::spawn(async move {
            for number in 0..200_000 {
                sender.send(number).await.unwrap();
            }
        });
        while inbox.recv().await.is_some() {}
    });
}

#[test]
fn many_tasks_that_each_yield_for_a_while_are_none() {
    // Under this strategy all of them have their turns in any window.
    let config = config().strategy("random").max_steps(10_000_000);
    let report = sim::check(config, || async {
        let tasks = (0..100).map(|_| {
            sim::spawn(async {
                for _ in 0..5_000 {
                    yield_now().await;
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(report.steps > 400_000, "{report}");
}

#[test]
fn looking_at_the_clock_until_a_deadline_is_none() {
    passes(|| async {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(20) {
            yield_now().await;
        }
    });
}

#[test]
fn what_a_timer_will_end_is_none() {
    passes(|| async {
        let done = Arc::new(AtomicBool::new(false));
        let set = done.clone();
        sim::spawn(async move {
            sleep(Duration::from_secs(20)).await;
            set.store(true, SeqCst);
        });
        while !done.load(SeqCst) {
            yield_now().await;
        }
    });
}

#[test]
fn spinning_between_pauses_is_none() {
    passes(|| async {
        for _ in 0..5 {
            for _ in 0..90_000 {
                yield_now().await;
            }
            sleep(Duration::from_secs(1)).await;
        }
    });
}

#[test]
fn it_is_the_same_when_it_is_run_again() {
    let test = || async {
        let never = AtomicBool::new(false);
        while !never.load(SeqCst) {
            yield_now().await;
        }
    };
    let once = fails(config(), FailureKind::Livelock, test);
    let again = sim::replay(&once.tape, test);
    // The defaults of a replay have a higher limit; the run is the same up to the first.
    assert_eq!(again.failure.unwrap().kind, FailureKind::Livelock);
    assert_eq!(fails(config(), FailureKind::Livelock, test).message, once.message);
}
