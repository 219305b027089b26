//! Polls that keep their worker: the rule "do not block the loop", and locks that a simulation cannot see through.

use super::programs;
use sim as tokio;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use tokio::{
    spawn,
    task::yield_now,
    time::{Duration, sleep},
};

/// Short, so that a blocked poll is found soon; a corrected poll takes far less.
const LIMIT: Duration = Duration::from_millis(100);

programs! {
    flag_that_is_polled: BlockedPoll [
        "a task ran on for 100ms of processor time without a scheduling point", "since `yield` at {flag before}",
    ] with |config| config.poll_limit(LIMIT);
    sum_that_has_no_end: BlockedPoll [
        "a task ran on for 100ms of processor time without a scheduling point",
        "in task main/0, spawned at {sum task}",
    ] with |config| config.poll_limit(LIMIT);
    foreign_lock_twice: Escape [
        "a lock that keeps its parker in a thread-local", "in task main/0, spawned at {foreign task}",
    ];
}

/// Waits for another task without giving it a turn.
async fn flag_that_is_polled<const FIXED: bool>() {
    let ready = Arc::new(AtomicBool::new(false));
    let set = ready.clone();
    let setter = spawn(async move {
        sleep(Duration::from_millis(1)).await;
        set.store(true, SeqCst);
    });
    yield_now().await; // flag before
    while !ready.load(SeqCst) {
        if FIXED {
            sleep(Duration::from_millis(1)).await;
        }
        std::hint::spin_loop();
    }
    setter.await.unwrap();
}

/// A calculation that does not end, in a task.
async fn sum_that_has_no_end<const FIXED: bool>() {
    let sum = async {
        yield_now().await;
        let mut sum = 0_u64;
        for n in 0.. {
            sum = std::hint::black_box(sum.wrapping_add(n));
            if FIXED && n == 1_000 {
                break;
            }
        }
        sum
    };
    let task = spawn(sum); // sum task
    assert_eq!(task.await.unwrap(), 500_500);
}

/// A lock that parks real threads, taken twice.
async fn foreign_lock_twice<const FIXED: bool>() {
    let count = Arc::new(parking_lot::Mutex::new(0));
    let task = async move {
        let guard = count.lock();
        if FIXED {
            drop(guard);
        }
        *count.lock() += 1;
    };
    let task = spawn(task); // foreign task
    task.await.unwrap();
}
