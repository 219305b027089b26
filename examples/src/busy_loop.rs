//! "Do not block the loop": a task that waits by looking, again and again, keeps its worker, and on one thread nobody
//! else ever runs. asyncio would hang without a word; the report names the task and where it was last seen.

use sim as tokio;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use tokio::{
    sync::Notify,
    time::{Duration, sleep},
};

/// Spins until the file is there: each turn of the loop is a turn that the download does not get.
pub async fn broken() {
    let here = Arc::new(AtomicBool::new(false));
    let done = here.clone();
    let download = tokio::spawn(async move {
        sleep(Duration::from_millis(20)).await;
        done.store(true, SeqCst);
    });
    let reader = tokio::spawn(async move {
        while !here.load(SeqCst) {
            std::hint::spin_loop();
        }
    });
    reader.await.expect("reading does not panic");
    download.await.expect("downloading does not panic");
}

/// Waits to be told.
pub async fn corrected() {
    let here = Arc::new(Notify::new());
    let done = here.clone();
    let download = tokio::spawn(async move {
        sleep(Duration::from_millis(20)).await;
        done.notify_one();
    });
    let reader = tokio::spawn(async move { here.notified().await });
    reader.await.expect("reading does not panic");
    download.await.expect("downloading does not panic");
}
