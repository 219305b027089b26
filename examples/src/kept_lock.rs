//! A task that outlives the program and keeps a lock. Nobody misses it as long as nobody needs the lock; the lint
//! `leaked_task`, which warns by default and fails here, names the task, the lock, and where it was taken.

use sim as tokio;
use std::sync::Arc;
use tokio::{
    sync::{Mutex, mpsc},
    time::{Duration, sleep},
};

/// Adds up what comes, until nothing comes any more. Here something always may.
async fn serve(keep: bool) {
    let total = Arc::new(Mutex::new(0));
    let (sales, mut inbox) = mpsc::channel(4);
    let sums = total.clone();
    tokio::spawn(async move {
        if keep {
            let mut total = sums.lock().await; // held from the first sale to the last
            while let Some(sale) = inbox.recv().await {
                *total += sale;
            }
        } else {
            while let Some(sale) = inbox.recv().await {
                *sums.lock().await += sale; // held while it adds
            }
        }
    });
    tokio::spawn(async move {
        for sale in 1.. {
            sales.send(sale).await.expect("the till is open");
            sleep(Duration::from_secs(60)).await;
        }
    });
    sleep(Duration::from_secs(150)).await;
    if let Ok(total) = total.try_lock() {
        assert_eq!(*total, 1 + 2 + 3);
    }
}

/// Waits for the next sale with the lock in hand.
pub async fn broken() {
    serve(true).await;
}

/// Takes the lock for as long as it adds. That it still waits for sales in the end is no leak.
pub async fn corrected() {
    serve(false).await;
}
