//! Tasks that are busy for ever and come to nothing.

use super::programs;
use sim as tokio;
use sim::std::{sync::atomic as std_atomic, thread};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use tokio::{
    sync::{Mutex, Notify},
    task::{JoinSet, yield_now},
};

programs! {
    both_look_first: Livelock [
        "tasks spin", "task main/0 (spawned at {look task})", "task main/1 (spawned at {look task})",
        "last at {look yield}: yield",
    ] with |config| config.spin_limit(100_000).max_steps(400_000);
    spinning_threads: Livelock [
        "tasks spin", "task main/0 (spawned at {spinning thread})", "last at {spinning yield}",
    ] with |config| config.spin_limit(100_000).max_steps(400_000);
    retry_without_a_pause: Livelock [
        "tasks spin", "task main took", "last at {retry yield}: yield",
    ] with |config| config.spin_limit(100_000).max_steps(400_000);
    too_polite: Livelock [
        "the run has not ended within 400000 steps", "task main/0 (spawned at {polite task})",
        "task main/1 (spawned at {polite task})", "last at {polite yield}: yield",
    ] with |config| config.spin_limit(100_000).max_steps(400_000);
}

/// Each waits by looking whether the other has begun.
async fn both_look_first<const FIXED: bool>() {
    let begun = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
    let mut set = JoinSet::new();
    for me in 0..2 {
        let begun = begun.clone();
        let task = async move {
            if FIXED {
                begun[me].store(true, SeqCst);
            }
            while !begun[1 - me].load(SeqCst) {
                yield_now().await; // look yield
            }
            begun[me].store(true, SeqCst);
        };
        set.spawn(task); // look task
    }
    set.join_all().await;
}

async fn spinning_threads<const FIXED: bool>() {
    let ready = Arc::new(std_atomic::AtomicBool::new(FIXED));
    let spin = move || {
        while !ready.load(SeqCst) {
            thread::yield_now(); // spinning yield
        }
    };
    let spinning = thread::spawn(spin); // spinning thread
    spinning.join().unwrap();
}

/// Tries again what fails each time, and waits for nothing.
async fn retry_without_a_pause<const FIXED: bool>() {
    let closed = AtomicBool::new(true);
    let opened = Notify::new();
    if FIXED {
        closed.store(false, SeqCst);
        opened.notify_one();
        opened.notified().await;
    }
    while closed.load(SeqCst) {
        yield_now().await; // retry yield
    }
}

/// Each gives its lock back if it does not get the other's; at the same time, for ever, if the schedule is even. That it
/// never comes to an end is made sure by a goal that nobody can reach.
async fn too_polite<const FIXED: bool>() {
    let forks = Arc::new([Mutex::new(0), Mutex::new(0)]);
    let mut table = JoinSet::new();
    for me in 0..2 {
        let forks = forks.clone();
        let dine = async move {
            let wants = if FIXED { 1 } else { u32::MAX };
            let mut eaten = 0;
            while eaten < wants {
                let _own = forks[me].lock().await; // polite own
                if forks[1 - me].try_lock().is_ok() {
                    eaten += 1;
                }
                drop(_own);
                yield_now().await; // polite yield
            }
        };
        table.spawn(dine); // polite task
    }
    table.join_all().await;
}
