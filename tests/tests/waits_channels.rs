//! Cycles through channels are reported while a heartbeat goes on; programs that only look like it are left alone.

use sim::{
    Config, FailureKind, select, spawn,
    sync::{Mutex, mpsc, oneshot},
    time::{Duration, sleep, timeout},
};
use sim_tests::Main;
use std::sync::Arc;

/// Runs in which nothing must be said of legal programs.
const RUNS: u64 = 2_000;

/// A task that always has something to do, for as long as the rest may take.
fn heartbeat() {
    drop(spawn(async {
        for _ in 0..1_200 {
            sleep(Duration::from_secs(1)).await;
        }
    }));
}

#[track_caller]
fn fails(main: fn() -> Main, expected: &[&str]) {
    let report = sim::check(Config::new().seeds(200), main);
    let failure = report.failure.expect("the cycle is found");
    assert_eq!(failure.kind, FailureKind::Deadlock, "{failure}");
    // The heartbeat still ticks.
    assert!(failure.message.contains("can be woken by nothing but"), "{failure}");
    for part in expected {
        assert!(failure.message.contains(part), "{part:?} is not in {failure}");
    }
}

#[track_caller]
fn passes(main: fn() -> Main) {
    let report = sim::check(Config::new().seeds(RUNS), main);
    assert!(report.failure.is_none(), "{report}");
    assert_eq!(report.runs, RUNS);
}

/// Two actors that each fill the other's inbox before they look at their own.
async fn full_inboxes(room: usize) {
    heartbeat();
    let (to_one, mut at_one) = mpsc::channel(room);
    let (to_other, mut at_other) = mpsc::channel(room);
    sim::name(&to_one, "inbox of one");
    sim::name(&to_other, "inbox of other");
    let one = spawn(async move {
        for i in 0..3 {
            to_other.send(i).await.unwrap();
        }
        drop(to_other);
        while at_one.recv().await.is_some() {}
    });
    let other = spawn(async move {
        for i in 0..3 {
            to_one.send(i).await.unwrap();
        }
        drop(to_one);
        while at_other.recv().await.is_some() {}
    });
    drop(one.await);
    drop(other.await);
}

/// The same after both have worked for a while.
async fn full_inboxes_later(room: usize) {
    let (to_one, mut at_one) = mpsc::channel(room);
    let (to_other, mut at_other) = mpsc::channel(room);
    heartbeat();
    let one = spawn(async move {
        to_other.send(0).await.unwrap();
        for i in 1..4 {
            let _ = at_one.recv().await;
            to_other.send(i).await.unwrap();
            to_other.send(i).await.unwrap();
        }
        drop(to_other);
        while at_one.recv().await.is_some() {}
    });
    let other = spawn(async move {
        to_one.send(0).await.unwrap();
        for i in 1..4 {
            let _ = at_other.recv().await;
            to_one.send(i).await.unwrap();
            to_one.send(i).await.unwrap();
        }
        drop(to_one);
        while at_other.recv().await.is_some() {}
    });
    drop(one.await);
    drop(other.await);
}

#[test]
fn full_inboxes_of_each_other_are_a_deadlock() {
    fails(
        || Box::pin(full_inboxes(1)),
        &[
            "cycle: main/1 -> main/2 -> main/1",
            r#"send "inbox of one" (created at "#,
            r#"send "inbox of other" (created at "#,
            "whose other end task main/1 may have been given, made at ",
        ],
    );
    passes(|| Box::pin(full_inboxes(4)));
}

#[test]
fn inboxes_that_fill_up_later_are_a_deadlock() {
    fails(
        || Box::pin(full_inboxes_later(1)),
        &["cycle: main/1 -> main/2 -> main/1", "from which task main/1 received last at "],
    );
    passes(|| Box::pin(full_inboxes_later(8)));
}

/// Who waits for a task to end keeps a sender of the channel that the task reads until it is closed.
async fn kept_sender(drops: bool) {
    let (sender, mut receiver) = mpsc::channel(4);
    heartbeat();
    let reader = spawn(async move { while receiver.recv().await.is_some() {} });
    sender.send(1).await.unwrap();
    if drops {
        drop(sender);
        reader.await.unwrap();
    } else {
        reader.await.unwrap();
        drop(sender);
    }
}

#[test]
fn a_sender_that_is_kept_over_a_join_is_a_deadlock() {
    fails(
        || Box::pin(kept_sender(false)),
        &["cycle: main -> main/1 -> main", "receive object", "to which task main sent last at "],
    );
    passes(|| Box::pin(kept_sender(true)));
}

/// The reply comes from a task that wants the lock which who waits for the reply holds.
async fn lock_over_reply(late: bool) {
    let lock = Arc::new(Mutex::new(0));
    heartbeat();
    let (reply, answer) = oneshot::channel();
    let wanted = lock.clone();
    let guard = lock.lock().await;
    drop(spawn(async move {
        let value = *wanted.lock().await;
        let _ = reply.send(value);
    }));
    if late {
        drop(guard);
        answer.await.unwrap();
    } else {
        answer.await.unwrap();
        drop(guard);
    }
}

#[test]
fn a_lock_over_the_wait_for_a_reply_is_a_deadlock() {
    fails(
        || Box::pin(lock_over_reply(false)),
        &[
            "cycle: main -> main/1 -> main",
            "whose other end task main/1 may have been given, made at ",
            "which task main took at ",
        ],
    );
    passes(|| Box::pin(lock_over_reply(true)));
}

/// Both actors wait for messages, each with a sender of the other: that is idle, not stuck.
#[test]
fn idle_actors_are_no_deadlock() {
    passes(|| {
        Box::pin(async {
            let (to_one, mut at_one) = mpsc::channel(1);
            let (to_other, mut at_other) = mpsc::channel::<()>(1);
            drop(spawn(async move {
                to_other.send(()).await.unwrap();
                while at_one.recv().await.is_some() {}
            }));
            let other = spawn(async move {
                to_one.send(()).await.unwrap();
                while at_other.recv().await.is_some() {}
            });
            // Watches the other, for ever.
            drop(spawn(async move { drop(other.await) }));
            sleep(Duration::from_secs(600)).await;
        })
    });
}

/// Cycles that a timeout, a branch or somebody who has the end after all ends, each after some minutes.
#[test]
fn cycles_that_end_are_left_alone() {
    const LONG: Duration = Duration::from_secs(300);
    passes(|| {
        Box::pin(async {
            let (to_one, mut at_one) = mpsc::channel(1);
            let (to_other, mut at_other) = mpsc::channel(1);
            heartbeat();
            let one = spawn(async move {
                to_other.send(1).await.unwrap();
                let _ = timeout(LONG, to_other.send(2)).await;
                drop(to_other);
                while at_one.recv().await.is_some() {}
            });
            let other = spawn(async move {
                to_one.send(1).await.unwrap();
                to_one.send(2).await.unwrap();
                drop(to_one);
                while at_other.recv().await.is_some() {}
            });
            one.await.unwrap();
            other.await.unwrap();
        })
    });
}

/// A receiver that two tasks share behind a lock is with neither of them.
#[test]
fn a_shared_receiver_is_left_alone() {
    passes(|| {
        Box::pin(async {
            let (jobs, at_workers) = mpsc::channel(1);
            let (results, mut at_main) = mpsc::channel(1);
            let at_workers = Arc::new(Mutex::new(at_workers));
            heartbeat();
            let worker = |pause| {
                let (at_workers, results) = (at_workers.clone(), results.clone());
                spawn(async move {
                    loop {
                        sleep(pause).await;
                        let Some(job) = at_workers.lock().await.recv().await else { return };
                        results.send(job).await.unwrap();
                    }
                })
            };
            let workers = [worker(Duration::ZERO), worker(Duration::from_secs(200))];
            drop(results);
            for job in 0..4 {
                jobs.send(job).await.unwrap();
            }
            drop(jobs);
            while at_main.recv().await.is_some() {}
            for worker in workers {
                worker.await.unwrap();
            }
        })
    });
}

/// A task that was given the receiver in the meantime takes what the others wait with.
#[test]
fn a_receiver_that_was_given_away_is_left_alone() {
    passes(|| {
        Box::pin(async {
            let (to_one, mut at_one) = mpsc::channel(1);
            let (to_other, mut at_other) = mpsc::channel(1);
            heartbeat();
            let one = spawn(async move {
                let _ = at_one.recv().await;
                drop(spawn(async move {
                    sleep(Duration::from_secs(300)).await;
                    while at_one.recv().await.is_some() {}
                }));
                for i in 0..3 {
                    to_other.send(i).await.unwrap();
                }
            });
            let other = spawn(async move {
                for i in 0..4 {
                    to_one.send(i).await.unwrap();
                }
                drop(to_one);
                while at_other.recv().await.is_some() {}
            });
            one.await.unwrap();
            other.await.unwrap();
        })
    });
}

/// A reply that is kept where a task that sleeps long finds it.
#[test]
fn a_late_reply_is_left_alone() {
    passes(|| {
        Box::pin(async {
            let pending = Arc::new(std::sync::Mutex::new(Vec::new()));
            let (requests, mut at_server) = mpsc::channel::<u8>(1);
            let lock = Arc::new(Mutex::new(()));
            let sweeper = pending.clone();
            drop(spawn(async move {
                loop {
                    sleep(Duration::from_secs(300)).await;
                    sweeper.lock().unwrap().clear();
                }
            }));
            let wanted = lock.clone();
            drop(spawn(async move {
                while at_server.recv().await.is_some() {
                    drop(wanted.lock().await);
                }
            }));
            let _held = lock.lock().await;
            let (reply, answer) = oneshot::channel::<u8>();
            pending.lock().unwrap().push(reply);
            requests.send(1).await.unwrap();
            answer.await.unwrap_err();
        })
    });
}

/// One of two branches waits in a cycle, the other for a stop.
#[test]
fn a_branch_that_ends_a_cycle_is_left_alone() {
    passes(|| {
        Box::pin(async {
            let (to_one, mut at_one) = mpsc::channel(1);
            let (to_other, mut at_other) = mpsc::channel(1);
            let (stop, mut stopped) = mpsc::channel::<()>(1);
            heartbeat();
            let one = spawn(async move {
                for i in 0..3 {
                    select! {
                        sent = to_other.send(i) => sent.unwrap(),
                        _ = stopped.recv() => break,
                    }
                }
                drop(to_other);
                while at_one.recv().await.is_some() {}
            });
            let other = spawn(async move {
                for i in 0..3 {
                    to_one.send(i).await.unwrap();
                }
                drop(to_one);
                while at_other.recv().await.is_some() {}
            });
            sleep(Duration::from_secs(300)).await;
            let _ = stop.send(()).await;
            one.await.unwrap();
            other.await.unwrap();
        })
    });
}
