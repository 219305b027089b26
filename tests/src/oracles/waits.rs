//! Legal programs that wait in circles, or seem to, until something ends that.

use super::{heartbeat, legal_programs, two_locks};
use sim as tokio;
use std::{pin::pin, sync::Arc};
use tokio::{
    select, spawn,
    sync::{Mutex, OwnedMutexGuard, RwLock, Semaphore, mpsc},
    task::JoinSet,
    time::{Duration, sleep, timeout},
};

legal_programs! {
    timeout_ends_the_cycle,
    select_drops_the_waiter,
    watchdog_with_the_join_handle,
    watchdog_with_an_abort_handle,
    lock_handed_on,
    permits_handed_to_tasks,
    guard_dropped_elsewhere,
    try_lock_of_ones_own,
    permits_in_both_orders,
    semaphore_closed_by_a_supervisor,
    timer_of_another_branch,
    permits_added_later,
    main_that_aborts_its_set,
    readers_before_a_writer,
}

/// Two tasks that lock in different orders; `second` is how each takes the second lock.
macro_rules! cross {
    ($a:expr, $b:expr, |$lock:ident| $second:expr) => {{
        let (a, b) = ($a.clone(), $b.clone());
        let work = |first: Arc<Mutex<u32>>, $lock: Arc<Mutex<u32>>| async move {
            let _first = first.lock().await;
            sleep(Duration::from_millis(1)).await;
            $second;
        };
        (spawn(work(a.clone(), b.clone())), spawn(work(b, a)))
    }};
}

async fn timeout_ends_the_cycle() {
    heartbeat();
    let (a, b) = two_locks();
    let long = Duration::from_secs(300);
    let (one, two) = cross!(a, b, |lock| drop(timeout(long, lock.lock()).await));
    one.await.unwrap();
    two.await.unwrap();
}

async fn select_drops_the_waiter() {
    heartbeat();
    let (a, b) = two_locks();
    let (stop, _) = tokio::sync::broadcast::channel::<()>(1);
    let stopping = stop.clone();
    let (one, two) = {
        let (a, b) = (a.clone(), b.clone());
        let work = move |first: Arc<Mutex<u32>>, second: Arc<Mutex<u32>>| {
            let mut stopped = stopping.subscribe();
            async move {
                let _first = first.lock().await;
                sleep(Duration::from_millis(1)).await;
                select! {
                    _ = second.lock() => {}
                    _ = stopped.recv() => {}
                }
            }
        };
        (spawn(work(a.clone(), b.clone())), spawn(work(b, a)))
    };
    sleep(Duration::from_secs(200)).await;
    let _ = stop.send(());
    one.await.unwrap();
    two.await.unwrap();
}

async fn watchdog_with_the_join_handle() {
    heartbeat();
    let (a, b) = two_locks();
    let (one, two) = cross!(a, b, |lock| drop(lock.lock().await));
    let watchdog = spawn(async move {
        sleep(Duration::from_secs(120)).await;
        two.abort();
        let _ = two.await;
    });
    one.await.unwrap();
    watchdog.await.unwrap();
}

async fn watchdog_with_an_abort_handle() {
    heartbeat();
    let (a, b) = two_locks();
    let (one, two) = cross!(a, b, |lock| drop(lock.lock().await));
    let abort = two.abort_handle();
    let watchdog = spawn(async move {
        sleep(Duration::from_secs(120)).await;
        abort.abort();
    });
    one.await.unwrap();
    let _ = two.await;
    watchdog.await.unwrap();
}

/// Who waits for `b` took `a`, but has given it to another task.
async fn lock_handed_on() {
    heartbeat();
    let (a, b) = two_locks();
    let (sender, mut inbox) = mpsc::channel::<OwnedMutexGuard<u32>>(1);
    let keeper = spawn(async move {
        let _guard = inbox.recv().await.unwrap();
        sleep(Duration::from_secs(100)).await;
    });
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let guard = a2.lock_owned().await;
        sender.send(guard).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let _b = b2.lock().await;
    });
    let two = spawn(async move {
        let _b = b.lock().await;
        sleep(Duration::from_secs(2)).await;
        let _a = a.lock().await;
    });
    one.await.unwrap();
    two.await.unwrap();
    keeper.await.unwrap();
}

async fn permits_handed_to_tasks() {
    heartbeat();
    let slots = Arc::new(Semaphore::new(2));
    let mut tasks = JoinSet::new();
    for _ in 0..5 {
        let permit = slots.clone().acquire_owned().await.unwrap();
        tasks.spawn(async move {
            sleep(Duration::from_secs(100)).await;
            drop(permit);
        });
    }
    tasks.join_all().await;
}

async fn guard_dropped_elsewhere() {
    let lock = Arc::new(Mutex::new(0));
    let guard = lock.clone().lock_owned().await;
    spawn(async move {
        sleep(Duration::from_secs(100)).await;
        drop(guard);
    });
    *lock.lock().await += 1;
}

async fn try_lock_of_ones_own() {
    heartbeat();
    let lock = Mutex::new(0);
    let guard = lock.lock().await;
    assert!(lock.try_lock().is_err());
    sleep(Duration::from_secs(100)).await;
    assert!(lock.try_lock().is_err());
    drop(guard);
    assert!(lock.try_lock().is_ok());
}

async fn permits_in_both_orders() {
    heartbeat();
    let (a, b) = (Arc::new(Semaphore::new(2)), Arc::new(Semaphore::new(2)));
    let work = |first: Arc<Semaphore>, second: Arc<Semaphore>| async move {
        let _first = first.acquire().await.unwrap();
        sleep(Duration::from_secs(100)).await;
        let _second = second.acquire().await.unwrap();
    };
    let one = spawn(work(a.clone(), b.clone()));
    let two = spawn(work(b, a));
    one.await.unwrap();
    two.await.unwrap();
}

async fn semaphore_closed_by_a_supervisor() {
    heartbeat();
    let room = Arc::new(Semaphore::new(2));
    let work = |room: Arc<Semaphore>| async move {
        let _one = room.acquire().await;
        sleep(Duration::from_millis(1)).await;
        let _other = room.acquire().await;
    };
    let (one, two) = (spawn(work(room.clone())), spawn(work(room.clone())));
    spawn(async move {
        sleep(Duration::from_secs(30)).await;
        room.close();
    });
    one.await.unwrap();
    two.await.unwrap();
}

/// The timer was armed long before, and is polled again when it is due.
async fn timer_of_another_branch() {
    heartbeat();
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let mut deadline = pin!(sleep(Duration::from_secs(500)));
        let work = async {
            let _a = a.lock().await;
            sleep(Duration::from_millis(1)).await;
            let _b = b.lock().await;
        };
        select! {
            () = work => {}
            () = &mut deadline => {}
        }
    });
    let two = spawn(async move {
        let _b = b2.lock().await;
        sleep(Duration::from_millis(1)).await;
        let _a = a2.lock().await;
    });
    two.await.unwrap();
    one.await.unwrap();
}

async fn permits_added_later() {
    heartbeat();
    let gate = Arc::new(Semaphore::new(0));
    gate.add_permits(1);
    let gate2 = gate.clone();
    let one = spawn(async move {
        let _one = gate2.acquire().await.unwrap();
        let _other = gate2.acquire().await.unwrap();
    });
    sleep(Duration::from_secs(200)).await;
    gate.add_permits(1);
    one.await.unwrap();
}

async fn main_that_aborts_its_set() {
    let (a, b) = two_locks();
    let mut set = JoinSet::new();
    for (first, second) in [(a.clone(), b.clone()), (b, a)] {
        set.spawn(async move {
            let _first = first.lock().await;
            sleep(Duration::from_millis(1)).await;
            let _second = second.lock().await;
        });
    }
    sleep(Duration::from_secs(100)).await;
    set.shutdown().await;
}

async fn readers_before_a_writer() {
    heartbeat();
    let lock = Arc::new(RwLock::new(0));
    let (one, other) = (lock.read().await, lock.read().await);
    let lock2 = lock.clone();
    let writer = spawn(async move { *lock2.write().await += 1 });
    sleep(Duration::from_secs(100)).await;
    drop((one, other));
    assert!(*lock.read().await <= 1);
    writer.await.unwrap();
}
