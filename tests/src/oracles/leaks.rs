//! What is kept when main has ended: locks and permits of tasks that go on waiting.

use sim as tokio;
use std::sync::Arc;
use tokio::{
    spawn,
    sync::{Mutex, Semaphore, mpsc},
    time::{Duration, sleep},
};

pub(super) const FILE: &str = file!();

/// A task that goes on waiting when main has ended, and holds a lock.
pub async fn lock_that_is_kept() {
    let lock = Arc::new(Mutex::new(0)); // kept lock
    let task = async move {
        let _guard = lock.lock().await; // kept taken
        std::future::pending::<()>().await;
    };
    spawn(task); // kept task
    sleep(Duration::from_secs(1)).await;
}

/// A task that waits for a permit that nobody has any more.
pub async fn permit_that_is_forgotten() {
    let slots = Arc::new(Semaphore::new(1)); // lost slots
    slots.acquire().await.unwrap().forget(); // lost taken
    let task = async move {
        let _permit = slots.acquire().await; // lost wait
    };
    spawn(task); // lost task
    sleep(Duration::from_secs(1)).await;
}

/// A server that outlives main, but holds nothing while it waits.
pub async fn server_without_a_lock() {
    let count = Arc::new(Mutex::new(0));
    let slots = Arc::new(Semaphore::new(2));
    let (requests, mut inbox) = mpsc::channel(1);
    spawn(async move {
        while let Some(request) = inbox.recv().await {
            let _permit = slots.acquire().await.unwrap();
            *count.lock().await += request;
        }
        std::future::pending::<()>().await;
    });
    requests.send(1).await.unwrap();
    sleep(Duration::from_secs(1)).await;
}
