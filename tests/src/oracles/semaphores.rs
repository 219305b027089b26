//! Permits that are waited for in circles, or that nobody has any more.

use super::{heartbeat, programs};
use sim as tokio;
use std::sync::Arc;
use tokio::{spawn, sync::Semaphore, task::yield_now};

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
