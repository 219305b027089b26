//! What is kept when main has ended: locks and permits of tasks that go on waiting. A server that keeps nothing is no
//! leak.

use super::{legal_programs, programs};
use sim as tokio;
use std::{future::pending, sync::Arc};
use tokio::{
    spawn,
    sync::{Mutex, RwLock, Semaphore, mpsc},
    time::{Duration, sleep},
};

programs! {
    lock_that_is_kept: LeakedTask [
        "a task spawned at {kept task} still waits when main has ended", "the lock created at {kept lock}",
        "taken at {kept taken}",
    ];
    reader_that_stays: LeakedTask [
        "a task spawned at {stays task} still waits when main has ended", "the lock created at {stays lock}",
        "taken at {stays taken}",
    ];
    permits_that_are_kept: LeakedTask [
        "a task spawned at {permits task} still waits when main has ended",
        "permits of the semaphore created at {permits slots}", "taken at {permits taken}",
    ];
    lock_kept_for_a_message: LeakedTask [
        "a task spawned at {message task} still waits when main has ended", "the lock created at {message lock}",
        "taken at {message taken}",
    ];
    permit_that_is_forgotten: LeakedPermit [
        "a task spawned at {lost task} waits at {lost wait}", "permits of the semaphore created at {lost slots}",
        "taken at {lost taken} were forgotten",
    ];
}

/// A task that goes on waiting when main has ended, and holds a lock.
async fn lock_that_is_kept<const FIXED: bool>() {
    let lock = Arc::new(Mutex::new(0)); // kept lock
    let task = async move {
        let guard = lock.lock().await; // kept taken
        if FIXED {
            drop(guard);
        }
        pending::<()>().await;
    };
    spawn(task); // kept task
    sleep(Duration::from_secs(1)).await;
}

async fn reader_that_stays<const FIXED: bool>() {
    let table = Arc::new(RwLock::new(0)); // stays lock
    let task = async move {
        let reading = table.read().await; // stays taken
        let seen = *reading;
        if FIXED {
            drop(reading);
        }
        sleep(Duration::from_secs(3600)).await;
        assert_eq!(seen, 0);
    };
    spawn(task); // stays task
    sleep(Duration::from_secs(1)).await;
}

async fn permits_that_are_kept<const FIXED: bool>() {
    let slots = Arc::new(Semaphore::new(3)); // permits slots
    let task = async move {
        let two = slots.acquire_many(2).await.unwrap(); // permits taken
        if FIXED {
            drop(two);
        }
        pending::<()>().await;
    };
    spawn(task); // permits task
    sleep(Duration::from_secs(1)).await;
}

/// Waits for the next message with the lock of the last in hand.
async fn lock_kept_for_a_message<const FIXED: bool>() {
    let total = Arc::new(Mutex::new(0)); // message lock
    let (messages, mut inbox) = mpsc::channel(4);
    let task = async move {
        if FIXED {
            while let Some(message) = inbox.recv().await {
                *total.lock().await += message;
            }
        } else {
            let mut total = total.lock().await; // message taken
            while let Some(message) = inbox.recv().await {
                *total += message;
            }
        }
    };
    spawn(task); // message task
    spawn(async move {
        loop {
            messages.send(1).await.unwrap();
            sleep(Duration::from_secs(60)).await;
        }
    });
    sleep(Duration::from_secs(1)).await;
}

/// A task that waits for a permit that nobody has any more.
async fn permit_that_is_forgotten<const FIXED: bool>() {
    let slots = Arc::new(Semaphore::new(1)); // lost slots
    let permit = slots.acquire().await.unwrap(); // lost taken
    if FIXED {
        drop(permit);
    } else {
        permit.forget();
    }
    let task = async move {
        let _permit = slots.acquire().await; // lost wait
    };
    spawn(task); // lost task
    sleep(Duration::from_secs(1)).await;
}

legal_programs! {
    server_without_a_lock,
    sleeper_without_a_lock,
}

/// A server that outlives main, but holds nothing while it waits.
async fn server_without_a_lock() {
    let count = Arc::new(Mutex::new(0));
    let slots = Arc::new(Semaphore::new(2));
    let (requests, mut inbox) = mpsc::channel(1);
    spawn(async move {
        while let Some(request) = inbox.recv().await {
            let _permit = slots.acquire().await.unwrap();
            *count.lock().await += request;
        }
        pending::<()>().await;
    });
    requests.send(1).await.unwrap();
    sleep(Duration::from_secs(1)).await;
}

/// Looks from time to time, for ever.
async fn sleeper_without_a_lock() {
    let count = Arc::new(RwLock::new(0));
    let watched = count.clone();
    spawn(async move {
        loop {
            sleep(Duration::from_millis(100)).await;
            let _seen = *watched.read().await;
        }
    });
    for _ in 0..3 {
        *count.write().await += 1;
        sleep(Duration::from_millis(50)).await;
    }
}
