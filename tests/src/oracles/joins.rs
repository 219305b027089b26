//! Tasks that wait for the end of those who wait for them.

use super::{heartbeat, programs};
use sim as tokio;
use sim::std::{sync as std_sync, thread};
use std::sync::Arc;
use tokio::{
    spawn,
    sync::{Mutex, RwLock, oneshot},
    task::{JoinHandle, JoinSet, spawn_blocking, yield_now},
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

    each_joins_the_other: Deadlock [
        "cycle: main/0 -> main/1 -> main/0", "which is task main/1", "which is task main/0",
        "waits at {each one}", "waits at {each two}", "task main/0 (spawned at {each first}",
    ];
    joins_itself: Deadlock [
        "cycle: main/0 -> main/0", "waits at {itself join}", "task main/0 (spawned at {itself spawned}",
    ];
    lock_over_a_blocking_task: Deadlock [
        "cycle: main -> main/1 -> main", "task main waits at {blocking join}", "which is task main/1",
        "waits at {blocking wants}", "which task main took at {blocking holds}",
    ];
    lock_over_a_thread: Deadlock [
        "cycle: main -> main/0 -> main", "task main waits at {thread join}", "which is task main/0",
        "waits at {thread wants}", "which task main took at {thread holds}", "(created at {thread created}",
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

/// Each has been given the other's handle.
async fn each_joins_the_other<const FIXED: bool>() {
    let (give_one, take_one) = oneshot::channel::<JoinHandle<()>>();
    let (give_two, take_two) = oneshot::channel::<JoinHandle<()>>();
    let one = async move {
        let two = take_two.await.unwrap();
        two.await.unwrap(); // each one
    };
    let one = spawn(one); // each first
    let two = spawn(async move {
        if let Ok(one) = take_one.await {
            one.await.unwrap(); // each two
        }
    });
    give_two.send(two).unwrap();
    if FIXED {
        drop(give_one);
        one.await.unwrap();
    } else {
        give_one.send(one).unwrap();
        std::future::pending::<()>().await;
    }
}

async fn joins_itself<const FIXED: bool>() {
    let (give, take) = oneshot::channel::<JoinHandle<()>>();
    let (done, ends) = oneshot::channel::<()>();
    let task = async move {
        let own = take.await.unwrap();
        if FIXED {
            done.send(()).unwrap();
        } else {
            own.await.unwrap(); // itself join
        }
    };
    let task = spawn(task); // itself spawned
    give.send(task).unwrap();
    ends.await.unwrap();
}

async fn lock_over_a_blocking_task<const FIXED: bool>() {
    heartbeat();
    let table = Arc::new(Mutex::new(0));
    let guard = table.lock().await; // blocking holds
    let table2 = table.clone();
    let work = spawn_blocking(move || {
        *table2.blocking_lock() += 1; // blocking wants
    });
    if FIXED {
        drop(guard);
    }
    work.await.unwrap(); // blocking join
}

async fn lock_over_a_thread<const FIXED: bool>() {
    let table = Arc::new(std_sync::Mutex::new(0)); // thread created
    let guard = table.lock().unwrap(); // thread holds
    let table2 = table.clone();
    let work = thread::spawn(move || {
        *table2.lock().unwrap() += 1; // thread wants
    });
    if FIXED {
        drop(guard);
    }
    work.join().unwrap(); // thread join
}
