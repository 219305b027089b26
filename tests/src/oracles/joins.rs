//! Tasks that wait for the end of those who wait for them.

use super::{heartbeat, programs};
use sim as tokio;
use std::sync::Arc;
use tokio::{
    spawn,
    sync::{Mutex, RwLock},
    task::{JoinSet, yield_now},
};

programs! {
    lock_over_join: Deadlock [
        "2 tasks can be woken by nothing but each other\n  cycle: main -> main/1 -> main\n",
        "task main waits at {over join}", "which is task main/1",
        "waits at {over wants}", "which task main took at {over holds}",
    ];
    set_of_tasks: Deadlock [
        "3 tasks can be woken by nothing but each other\n  cycle: main/1 -> main/2 -> main/1\n",
        "task main waits at {set join}", "which is task main/1 and which is task main/2",
    ];
}

async fn lock_over_join<const FIXED: bool>() {
    heartbeat();
    let count = Arc::new(Mutex::new(0));
    let guard = count.lock().await; // over holds
    let count2 = count.clone();
    let task = spawn(async move {
        *count2.lock().await += 1; // over wants
    });
    if FIXED {
        drop(guard);
    }
    task.await.unwrap(); // over join
}

async fn set_of_tasks<const FIXED: bool>() {
    heartbeat();
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(RwLock::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    let mut set = JoinSet::new();
    set.spawn(async move {
        let _a = a.lock().await;
        yield_now().await;
        let _b = b.read().await;
    });
    set.spawn(async move {
        let b = b2.write().await;
        if FIXED {
            drop(b);
        }
        let _a = a2.lock().await;
    });
    set.join_all().await; // set join
}
