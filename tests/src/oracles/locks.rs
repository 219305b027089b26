//! Locks that are waited for in circles: mutexes and read-write locks, of tasks and of threads.

use super::{heartbeat, programs};
use sim as tokio;
use std::{collections::BTreeMap, sync::Arc};
use tokio::{
    join, select, spawn,
    sync::{Mutex, OnceCell, RwLock},
    task::{JoinSet, yield_now},
    time::{Duration, sleep},
};

programs! {
    two_orders: Deadlock [
        "3 tasks can be woken by nothing but each other\n  cycle: main/1 -> main/2 -> main/1\n",
        "task main/1 (spawned at {orders one}",
        "(created at {orders b}", "which task main/2 took at {orders two holds}",
        "(created at {orders a}", "which task main/1 took at {orders one holds}",
        "waits at {orders one waits}", "waits at {orders two waits}",
        "task main waits at {orders join}", "it waits behind the cycle",
    ];
    philosophers: Deadlock [
        "no task can go on", "cycle: main/0 -> main/1 -> main/2 -> main/0",
        "took at {forks first}", "waits at {forks second}", "task main waits at {forks join}",
    ];
    twice: Deadlock [
        "a task can be woken by nothing but itself\n  cycle: main -> main\n",
        "waits at {twice again}", "which it itself took at {twice first}",
    ];
    writer_between_reads: Deadlock [
        "2 tasks can be woken by nothing but each other\n  cycle: main -> main/1 -> main\n",
        "waits at {reads again}", "where task main/1 waits to write, since it came first, at {reads writer}",
        "which task main took for reading at {reads first}",
    ];
    upgrade: Deadlock [
        "a task can be woken by nothing but itself",
        "waits at {upgrade write}", "which it itself took for reading at {upgrade read}",
    ];
    threads: Deadlock [
        "cycle: main/1 -> main/2 -> main/1", "which task main/1 took at {threads one}",
        "which task main/2 took at {threads two}", "waits at {threads one waits}",
    ];
    std_read_and_write: Deadlock [
        "cycle: main/1 -> main/2 -> main/1", "took for reading at {std read}",
        "which task main/2 took at {std lock}", "waits at {std write}",
    ];
    nobody_joins: Deadlock [
        "2 tasks can be woken by nothing but each other\n  cycle: main/0 -> main/1 -> main/0\n",
        "which task main/0 took at {nobody one}", "waits at {nobody two}",
    ];
    owned_guards: Deadlock [
        "2 tasks can be woken by nothing but each other, when main ended",
        "which task main/0 took at {owned one}", "waits at {owned two}",
    ];
    behind: Deadlock [
        "cycle: main/1 -> main/2 -> main/1", "task main/3 (spawned at {behind third}",
        "waits at {behind waits}", "which task main/1 took at {behind one}",
    ];
    branches_of_one_task: Deadlock [
        "a task can be woken by nothing but itself", "waits at {branch one}", "waits at {branch two}",
        "which it itself took at {branch one holds}",
    ];
    not_polled_any_more: Deadlock [
        "no task can go on", "waits at {unpolled again}",
        "nobody holds: it was given to a future of this task that is not polled any more",
    ];

    guard_of_a_match: Deadlock [
        "a task can be woken by nothing but itself", "waits at {match again}", "(created at {match cache}",
        "which it itself took at {match first}",
    ];
    three_kinds: Deadlock [
        "cycle: main/0 -> main/1 -> main/2 -> main/0", "which task main/0 took at {kinds mutex}",
        "which task main/1 took at {kinds write}", "which task main/2 took for reading at {kinds read}",
        "waits at {kinds wants write}", "waits at {kinds wants read}", "waits at {kinds wants mutex}",
        "task main waits at {kinds join}",
    ];
    cell_within_itself: Deadlock [
        "no task can go on", "task main waits at {cell again}", "(created at {cell created}",
    ];
}

async fn two_orders<const FIXED: bool>() {
    heartbeat();
    let a = Arc::new(Mutex::new(0)); // orders a
    let b = Arc::new(Mutex::new(0)); // orders b
    let (a2, b2) = (a.clone(), b.clone());
    let one = async move {
        let _a = a.lock().await; // orders one holds
        yield_now().await;
        let _b = b.lock().await; // orders one waits
    };
    let one = spawn(one); // orders one
    let two = spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().await; // orders two holds
        let _a = second.lock().await; // orders two waits
    });
    one.await.unwrap(); // orders join
    two.await.unwrap();
}

async fn philosophers<const FIXED: bool>() {
    let forks: Arc<Vec<Mutex<()>>> = Arc::new((0..3).map(|_| Mutex::new(())).collect());
    let mut table = JoinSet::new();
    for at in 0..3 {
        let forks = forks.clone();
        table.spawn(async move {
            let (mut left, mut right) = (at, (at + 1) % 3);
            if FIXED && left > right {
                std::mem::swap(&mut left, &mut right);
            }
            let _left = forks[left].lock().await; // forks first
            yield_now().await;
            let _right = forks[right].lock().await; // forks second
        });
    }
    table.join_all().await; // forks join
}

async fn twice<const FIXED: bool>() {
    heartbeat();
    let lock = Mutex::new(0);
    let first = lock.lock().await; // twice first
    if FIXED {
        drop(first);
        let _second = lock.lock().await;
    } else {
        let _second = lock.lock().await; // twice again
    }
}

/// As tokio#2849: the lock is fair, so that a reader waits behind a writer that waits for it.
async fn writer_between_reads<const FIXED: bool>() {
    heartbeat();
    let lock = Arc::new(RwLock::new(0));
    let reading = lock.read().await; // reads first
    let lock2 = lock.clone();
    let writer = spawn(async move {
        *lock2.write().await += 1; // reads writer
    });
    sleep(Duration::from_secs(1)).await;
    if FIXED {
        drop(reading);
    }
    let again = lock.read().await; // reads again
    drop(again);
    writer.await.unwrap();
}

async fn upgrade<const FIXED: bool>() {
    heartbeat();
    let lock = RwLock::new(0);
    let read = lock.read().await; // upgrade read
    if FIXED {
        drop(read);
        *lock.write().await += 1;
    } else {
        *lock.write().await += *read; // upgrade write
    }
}

async fn threads<const FIXED: bool>() {
    use tokio::std::{sync::Mutex, thread};
    heartbeat();
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    let one = thread::spawn(move || {
        let _a = a.lock().unwrap(); // threads one
        let _b = b.lock().unwrap(); // threads one waits
    });
    let two = thread::spawn(move || {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().unwrap(); // threads two
        let _a = second.lock().unwrap();
    });
    one.join().unwrap();
    two.join().unwrap();
}

async fn std_read_and_write<const FIXED: bool>() {
    use tokio::std::{
        sync::{Mutex, RwLock},
        thread,
    };
    heartbeat();
    let (table, log) = (Arc::new(RwLock::new(0)), Arc::new(Mutex::new(0)));
    let (table2, log2) = (table.clone(), log.clone());
    let reader = thread::spawn(move || {
        let _table = table.read().unwrap(); // std read
        let _log = log.lock().unwrap();
    });
    let writer = thread::spawn(move || {
        let log = log2.lock().unwrap(); // std lock
        if FIXED {
            drop(log);
        }
        let _table = table2.write().unwrap(); // std write
    });
    reader.join().unwrap();
    writer.join().unwrap();
}

/// Tasks that nobody waits for: the run ends, and they never do.
async fn nobody_joins<const FIXED: bool>() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    spawn(async move {
        let _a = a.lock().await; // nobody one
        yield_now().await;
        let _b = b.lock().await;
    });
    spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().await;
        let _a = second.lock().await; // nobody two
    });
    sleep(Duration::from_secs(1)).await;
}

/// Guards that could be anywhere; but when main has ended only these tasks are left.
async fn owned_guards<const FIXED: bool>() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    spawn(async move {
        let _a = a.lock_owned().await; // owned one
        yield_now().await;
        let _b = b.lock_owned().await;
    });
    spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock_owned().await;
        let _a = second.lock_owned().await; // owned two
    });
    sleep(Duration::from_secs(1)).await;
}

async fn behind<const FIXED: bool>() {
    heartbeat();
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2, a3) = (a.clone(), b.clone(), a.clone());
    let one = spawn(async move {
        let _a = a.lock().await; // behind one
        sleep(Duration::from_millis(2)).await;
        let _b = b.lock().await;
    });
    let two = spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().await;
        sleep(Duration::from_millis(2)).await;
        let _a = second.lock().await;
    });
    let third = async move {
        sleep(Duration::from_secs(1)).await;
        let _a = a3.lock().await; // behind waits
    };
    let third = spawn(third); // behind third
    one.await.unwrap();
    two.await.unwrap();
    third.await.unwrap();
}

async fn branches_of_one_task<const FIXED: bool>() {
    heartbeat();
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let one = async {
        let _a = a.lock().await; // branch one holds
        yield_now().await;
        let _b = b.lock().await; // branch one
    };
    let two = async {
        let b = b.lock().await;
        yield_now().await;
        if FIXED {
            drop(b);
        }
        let _a = a.lock().await; // branch two
    };
    join!(one, two);
}

/// "Futurelock" (Oxide RFD 609): the lock is given to a future that a `select!` has left.
async fn not_polled_any_more<const FIXED: bool>() {
    let lock = Arc::new(Mutex::new(0));
    let lock2 = lock.clone();
    let holder = spawn(async move {
        let _guard = lock2.lock().await;
        sleep(Duration::from_secs(5)).await;
    });
    sleep(Duration::from_secs(1)).await;
    {
        let mut first = Box::pin(lock.lock());
        select! {
            _ = &mut first => unreachable!("it is held"),
            () = sleep(Duration::from_secs(1)) => {}
        }
        if FIXED {
            drop(first);
            *lock.lock().await += 1;
        } else {
            *lock.lock().await += 1; // unpolled again
        }
    }
    holder.await.unwrap();
}

/// The guard of a `match`'s value lives as long as its arms.
async fn guard_of_a_match<const FIXED: bool>() {
    heartbeat();
    let cache = Mutex::new(BTreeMap::<&str, u32>::new()); // match cache
    if FIXED {
        let found = cache.lock().await.get("key").copied();
        if found.is_none() {
            cache.lock().await.insert("key", 1);
        }
        return;
    }
    match cache
        .lock() // match first
        .await
        .get("key")
    {
        Some(value) => assert_eq!(*value, 1),
        None => drop(cache.lock().await.insert("key", 1)), // match again
    }
}

async fn three_kinds<const FIXED: bool>() {
    let (a, b, c) = (Arc::new(Mutex::new(0)), Arc::new(RwLock::new(0)), Arc::new(RwLock::new(0)));
    let (a2, b2, c2) = (a.clone(), b.clone(), c.clone());
    let mut set = JoinSet::new();
    set.spawn(async move {
        let _a = a.lock().await; // kinds mutex
        yield_now().await;
        let _b = b.write().await; // kinds wants write
    });
    set.spawn(async move {
        let _b = b2.write().await; // kinds write
        yield_now().await;
        let _c = c.write().await; // kinds wants read
    });
    set.spawn(async move {
        let reading = c2.read().await; // kinds read
        yield_now().await;
        if FIXED {
            drop(reading);
        }
        let _a = a2.lock().await; // kinds wants mutex
    });
    set.join_all().await; // kinds join
}

/// What makes the value asks for it.
async fn cell_within_itself<const FIXED: bool>() {
    let cell = OnceCell::new(); // cell created
    let make = async || {
        if FIXED {
            return 1;
        }
        *cell.get_or_init(async || 1).await // cell again
    };
    assert_eq!(*cell.get_or_init(make).await, 1);
}
