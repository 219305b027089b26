//! Permits that are waited for in circles, or that nobody has any more.

use super::{heartbeat, programs};
use sim as tokio;
use std::sync::Arc;
use tokio::{
    spawn,
    sync::{Mutex, Semaphore},
    task::yield_now,
    time::{Duration, sleep, timeout},
};

programs! {
    permits_one_by_one: Deadlock [
        "3 tasks can be woken by nothing but each other\n  cycle: main/1 -> main/2 -> main/1\n",
        "of which task main/2 took a permit at {permits first}", "waits at {permits second}",
        "(created at {permits created}",
    ];
    forgotten_permit: Deadlock [
        "no task can go on", "waits at {forgotten wait}", "of which nobody holds a permit",
        "a permit was taken by task main at {forgotten take}", "and forgotten",
    ];

    permit_lost_on_cancellation: Deadlock [
        "no task can go on", "waits at {cancelled wait}", "(created at {cancelled slots}",
        "of which nobody holds a permit", "a permit was taken by task main at {cancelled take}", "and forgotten",
    ];
    permit_over_a_child: Deadlock [
        "cycle: main/1 -> main/1/0 -> main/1", "which is task main/1/0", "waits at {child join}",
        "of which task main/1 took a permit at {child permit}", "waits at {child permit}",
        "(created at {child slots}", "it waits behind the cycle",
    ];
    permit_and_lock: Deadlock [
        "cycle: main/1 -> main/2 -> main/1", "of which task main/1 took a permit at {both permit}",
        "waits at {both wants permit}", "which task main/2 took at {both lock}", "waits at {both wants lock}",
    ];
    more_than_there_are: Deadlock [
        "no task can go on", "task main waits at {more wait}", "(created at {more slots}",
    ];
}

async fn permits_one_by_one<const FIXED: bool>() {
    heartbeat();
    let room = Arc::new(Semaphore::new(2)); // permits created
    let work = |room: Arc<Semaphore>| async move {
        if FIXED {
            let _both = room.acquire_many(2).await.unwrap();
        } else {
            let _one = room.acquire().await.unwrap(); // permits first
            yield_now().await;
            let _other = room.acquire().await.unwrap(); // permits second
        }
    };
    let one = spawn(work(room.clone()));
    let two = spawn(work(room));
    one.await.unwrap();
    two.await.unwrap();
}

async fn forgotten_permit<const FIXED: bool>() {
    let slots = Arc::new(Semaphore::new(1));
    let permit = slots.acquire().await.unwrap(); // forgotten take
    if FIXED {
        drop(permit);
    } else {
        permit.forget();
    }
    let slots2 = slots.clone();
    let next = spawn(async move {
        let _permit = slots2.acquire().await.unwrap(); // forgotten wait
    });
    next.await.unwrap();
}

/// The permit is forgotten, to be given back by hand; the deadline comes in between.
async fn permit_lost_on_cancellation<const FIXED: bool>() {
    let slots = Arc::new(Semaphore::new(1)); // cancelled slots
    let request = async {
        let permit = slots.acquire().await.unwrap(); // cancelled take
        if FIXED {
            sleep(Duration::from_secs(5)).await;
            drop(permit);
        } else {
            permit.forget();
            sleep(Duration::from_secs(5)).await;
            slots.add_permits(1);
        }
    };
    assert!(timeout(Duration::from_secs(1), request).await.is_err());
    let slots2 = slots.clone();
    let next = spawn(async move {
        let _permit = slots2.acquire().await.unwrap(); // cancelled wait
    });
    next.await.unwrap();
}

/// A crawler that keeps its permit while it waits for those it started.
async fn permit_over_a_child<const FIXED: bool>() {
    heartbeat();
    let slots = Arc::new(Semaphore::new(1)); // child slots
    spawn(crawl::<FIXED>(slots, 2)).await.unwrap();
}

fn crawl<const FIXED: bool>(
    slots: Arc<Semaphore>,
    depth: u32,
) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let permit = slots.acquire().await.unwrap(); // child permit
        if FIXED {
            drop(permit);
        }
        if depth > 0 {
            let deeper = spawn(crawl::<FIXED>(slots.clone(), depth - 1));
            deeper.await.unwrap(); // child join
        }
    })
}

async fn permit_and_lock<const FIXED: bool>() {
    heartbeat();
    let (slots, log) = (Arc::new(Semaphore::new(1)), Arc::new(Mutex::new(0)));
    let (slots2, log2) = (slots.clone(), log.clone());
    let one = spawn(async move {
        let _permit = slots.acquire().await.unwrap(); // both permit
        yield_now().await;
        *log.lock().await += 1; // both wants lock
    });
    let two = spawn(async move {
        let log = log2.lock().await; // both lock
        if FIXED {
            drop(log);
        }
        let _permit = slots2.acquire().await.unwrap(); // both wants permit
    });
    one.await.unwrap();
    two.await.unwrap();
}

/// Waits for more permits than there ever were.
async fn more_than_there_are<const FIXED: bool>() {
    let slots = Semaphore::new(2); // more slots
    let wanted = if FIXED { 2 } else { 3 };
    let _all = slots.acquire_many(wanted).await.unwrap(); // more wait
}
