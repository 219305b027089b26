//! Tasks that others keep from running or from what they wait for; programs that let go now and then are left alone.

use sim::{
    Config, FailureKind, Level, spawn,
    sync::Semaphore,
    task::{unconstrained, yield_now},
    time::{Duration, sleep},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// Takes a permit that is always free, again and again.
async fn spin(times: u32) {
    let permits = Semaphore::new(1);
    for _ in 0..times {
        let _permit = permits.acquire().await.unwrap();
    }
}

/// Spins beside a task that is ready; with the budget that every task has, or without.
async fn beside_another(free: bool, times: u32) {
    let other = spawn(async { yield_now().await });
    match free {
        true => unconstrained(spin(times)).await,
        false => spin(times).await,
    }
    other.await.unwrap();
}

#[test]
fn a_poll_that_keeps_the_only_worker_is_told() {
    let config = Config::new().current_thread().seeds(3);
    let report = sim::check(config.clone(), || beside_another(true, 100_000));
    assert!(report.failure.is_none(), "{report}");
    let all = report.warnings.join("\n");
    let at = "main does not let go of the only worker of its runtime, last at tests/tests/waits_starved.rs:";
    assert!(all.contains(at), "{all:?}");
    let ready =
        "; a task spawned at tests/tests/waits_starved.rs:24:17 is ready meanwhile and cannot run";
    assert!(all.contains(ready), "{all:?}");
    let denied = sim::check(config.clone().lint("starved_task", Level::Deny), || {
        beside_another(true, 100_000)
    });
    assert_eq!(denied.failure.unwrap().kind, FailureKind::StarvedTask);
    // The budget makes it let go; several workers run the other.
    let report = sim::check(config.clone(), || beside_another(false, 100_000));
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
    let report = sim::check(Config::new().seeds(3), || beside_another(true, 100_000));
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
    let report = sim::check(config.seeds(2_000), || beside_another(true, 100));
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
}

/// A thread that gives a mutex back only to take it again, until another has had it.
fn hog(most: u32) {
    use sim::std::{sync::Mutex, thread};
    let lock = Arc::new(Mutex::new(0_u32));
    sim::name(&*lock, "counter");
    let had = Arc::new(AtomicBool::new(false));
    let other = thread::spawn({
        let (lock, had) = (lock.clone(), had.clone());
        move || {
            *lock.lock().unwrap() += 1;
            had.store(true, SeqCst);
        }
    });
    for _ in 0..most {
        if had.load(SeqCst) {
            break;
        }
        *lock.lock().unwrap() += 1;
    }
    other.join().unwrap();
}

#[test]
fn a_wait_that_others_overtake_is_told() {
    let config = Config::new().overtakes(8).seeds(500);
    let report = sim::check(config.clone(), || async { hog(2_000) });
    assert!(report.failure.is_none(), "{report}");
    let all = report.warnings.join("\n");
    assert!(
        all.contains("a task spawned at tests/tests/waits_starved.rs:62:17 waited at "),
        "{all:?}"
    );
    assert!(all.contains("for \"counter\" (created at "), "{all:?}");
    assert!(all.contains("while others that came later took it more than 8 times"), "{all:?}");
    // Few enough; and a fair lock, where it is first come, first served.
    let report = sim::check(config.clone().seeds(2_000), || async { hog(8) });
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
    let report = sim::check(config.seeds(2_000), || async {
        let permits = Arc::new(Semaphore::new(1));
        let tasks = [0; 24].map(|_| {
            let permits = permits.clone();
            spawn(async move {
                for _ in 0..3 {
                    let _permit = permits.acquire().await.unwrap();
                    sleep(Duration::from_millis(1)).await;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
}
