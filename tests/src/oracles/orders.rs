//! Locks that are taken in both orders, by tasks that may overlap and by such as cannot wait for each other.

use super::{legal_programs, programs, two_locks};
use sim as tokio;
use std::sync::Arc;
use tokio::{
    join, spawn,
    sync::{Mutex, RwLock},
    task::yield_now,
    time::{Duration, sleep},
};

programs! {
    both_orders: LockOrder [
        "two locks are taken in both orders", "a task spawned at {both one}", "at {both one first}",
        "at {both one second}", "a task spawned at {both two}", "at {both two first}", "at {both two second}",
    ] with |config| config.strategy("calm");
    table_and_row: LockOrder [
        "two locks are taken in both orders", "a task spawned at {scan task}", "at {scan first}", "at {scan second}",
        "a task spawned at {update task}", "at {update first}", "at {update second}",
    ] with |config| config.strategy("calm");
}

legal_programs! {
    gate_around_both,
    read_and_read,
    one_after_the_other,
    tried_in_the_other_order,
    both_orders_in_one_task,
    before_the_spawn,
}

/// Takes two locks in both orders, in tasks that could overlap but seldom do.
async fn both_orders<const FIXED: bool>() {
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = async move {
        let _a = a.lock().await; // both one first
        let _b = b.lock().await; // both one second
        sleep(Duration::from_secs(2)).await;
    };
    let one = spawn(one); // both one
    let two = async move {
        sleep(Duration::from_secs(1)).await;
        if FIXED {
            drop(a2.lock().await);
        }
        let b = b2.lock().await; // both two first
        if FIXED {
            drop(b);
        }
        let _a = a2.lock().await; // both two second
    };
    let two = spawn(two); // both two
    one.await.unwrap();
    two.await.unwrap();
}

/// A mutex under a table's lock, and the table's lock under the mutex.
async fn table_and_row<const FIXED: bool>() {
    let (table, row) = (Arc::new(RwLock::new(0)), Arc::new(Mutex::new(0)));
    let (table2, row2) = (table.clone(), row.clone());
    let scan = async move {
        let seen = table.read().await; // scan first
        *row.lock().await += *seen; // scan second
        sleep(Duration::from_secs(2)).await;
    };
    let scan = spawn(scan); // scan task
    let update = async move {
        sleep(Duration::from_secs(1)).await;
        let row = row2.lock().await; // update first
        if FIXED {
            drop(row);
        }
        *table2.write().await += 1; // update second
    };
    let update = spawn(update); // update task
    scan.await.unwrap();
    update.await.unwrap();
}

async fn gate_around_both() {
    let (a, b) = two_locks();
    let gate = Arc::new(Mutex::new(0));
    let work = |gate: Arc<Mutex<u32>>, first: Arc<Mutex<u32>>, second: Arc<Mutex<u32>>| async move {
        let _gate = gate.lock().await;
        let _first = first.lock().await;
        yield_now().await;
        let _second = second.lock().await;
    };
    let one = spawn(work(gate.clone(), a.clone(), b.clone()));
    let two = spawn(work(gate, b, a));
    join!(one, two).0.unwrap();
}

async fn read_and_read() {
    let (a, b) = (Arc::new(RwLock::new(0)), Arc::new(RwLock::new(0)));
    let work = |first: Arc<RwLock<u32>>, second: Arc<RwLock<u32>>| async move {
        let _first = first.read().await;
        yield_now().await;
        let _second = second.read().await;
        sleep(Duration::from_secs(1)).await;
    };
    let one = spawn(work(a.clone(), b.clone()));
    let two = spawn(work(b, a));
    one.await.unwrap();
    two.await.unwrap();
}

async fn one_after_the_other() {
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let _a = a2.lock().await;
        let _b = b2.lock().await;
    });
    one.await.unwrap();
    let _b = b.lock().await;
    let _a = a.lock().await;
}

async fn tried_in_the_other_order() {
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let _a = a.lock().await;
        let _b = b.lock().await;
        sleep(Duration::from_secs(1)).await;
    });
    let two = spawn(async move {
        let _b = b2.lock().await;
        drop(a2.try_lock());
    });
    one.await.unwrap();
    two.await.unwrap();
}

async fn both_orders_in_one_task() {
    let (a, b) = two_locks();
    {
        let _a = a.lock().await;
        let _b = b.lock().await;
    }
    let _b = b.lock().await;
    let _a = a.lock().await;
}

async fn before_the_spawn() {
    let (a, b) = two_locks();
    {
        let _a = a.lock().await;
        let _b = b.lock().await;
    }
    let later = spawn(async move {
        let _b = b.lock().await;
        let _a = a.lock().await;
    });
    later.await.unwrap();
}
