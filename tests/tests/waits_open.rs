//! Cycles that something could still have ended are no failure by themselves; when the run comes to a limit, they are told
//! with all that could have ended them.

use sim::{
    Config, FailureKind, select, spawn,
    sync::{Mutex, Notify, Semaphore},
    time::{Duration, sleep, timeout},
};
use sim_tests::marks::with_places;
use std::sync::Arc;

#[track_caller]
fn times_out<Fut: Future<Output = ()>>(main: fn() -> Fut, expected: &[&str]) {
    let config = Config::new().time_limit(Duration::from_secs(1_000)).seeds(200);
    let failure = sim::check(config, main).failure.expect("the run does not end");
    assert_eq!(failure.kind, FailureKind::TimeLimit, "{failure}");
    let limit =
        "the run has not ended within 1000s of virtual time\n  cycle: main/1 -> main/2 -> main/1\n";
    assert!(failure.message.contains(limit), "{failure}");
    for part in expected {
        let part = with_places(file!(), include_str!("waits_open.rs"), part);
        assert!(failure.message.contains(&part), "{part:?} is not in {failure}");
    }
}

type Locks = Arc<[Mutex<()>; 2]>;

/// A heartbeat, and two locks.
fn start() -> Locks {
    drop(spawn(async {
        loop {
            sleep(Duration::from_secs(1)).await;
        }
    }));
    Arc::new([0, 1].map(|_| Mutex::new(())))
}

/// Takes two locks, in one of the two orders.
async fn take_both(locks: Locks, first: usize) {
    let _first = locks[first].lock().await;
    sleep(Duration::from_millis(1)).await;
    let _second = locks[1 - first].lock().await;
}

const FAR: Duration = Duration::from_secs(100_000);

#[test]
fn a_timeout_is_told() {
    times_out(
        || async {
            let locks = start();
            let one = spawn(timeout(FAR, take_both(locks.clone(), 0))); // far
            let other = spawn(take_both(locks, 1));
            let _ = one.await.unwrap();
            other.await.unwrap();
        },
        &["  the cycle might still be ended by a timer of task main/1, set at {far}:"],
    );
}

#[test]
fn a_handle_that_can_abort_is_told() {
    times_out(
        || async {
            let locks = start();
            let one = spawn(take_both(locks.clone(), 0));
            let other = spawn(take_both(locks, 1));
            let stop = other.abort_handle(); // stop
            one.await.unwrap();
            other.await.unwrap();
            stop.abort();
        },
        &[
            "  the cycle might still be ended by a handle that can abort task main/2, made by task main at {stop}:",
        ],
    );
}

#[test]
fn another_branch_is_told() {
    times_out(
        || async {
            let locks = start();
            let more = Arc::new(Semaphore::new(0));
            sim::name(&more, "enough");
            let one = spawn({
                let (locks, more) = (locks.clone(), more.clone());
                async move {
                    select! {
                        () = take_both(locks, 0) => {}
                        enough = more.acquire() => drop(enough.unwrap()), // enough
                    }
                }
            });
            let other = spawn(take_both(locks, 1));
            one.await.unwrap();
            other.await.unwrap();
            more.add_permits(1);
        },
        &[
            "the cycle might still be ended by what else task main/1 waits for, at {enough}:39: acquire \"enough\" (",
        ],
    );
}

/// A waker that nothing of ours accounts for.
#[test]
fn an_unknown_waker_is_told() {
    times_out(
        || async {
            let locks = start();
            let stop = Arc::new(Notify::new());
            let one = spawn({
                let (locks, stop) = (locks.clone(), stop.clone());
                async move {
                    select! {
                        () = take_both(locks, 0) => {}
                        () = stop.notified() => {}
                    }
                }
            });
            let other = spawn(take_both(locks, 1));
            one.await.unwrap();
            other.await.unwrap();
            stop.notify_one();
        },
        &["the cycle might still be ended by", "somebody else who can wake task main/1"],
    );
}

/// The same programs end if the way out is taken.
#[test]
fn cycles_that_are_ended_pass() {
    let report = sim::check(Config::new().seeds(2_000), || async {
        let locks = Arc::new([0, 1].map(|_| Mutex::new(())));
        let one = spawn(timeout(Duration::from_secs(300), take_both(locks.clone(), 0)));
        let other = spawn(take_both(locks, 1));
        let _ = one.await.unwrap();
        other.await.unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
}
