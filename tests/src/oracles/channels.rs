//! Messages and notices that never come, and places in channels that are never free.

use super::programs;
use sim as tokio;
use std::sync::Arc;
use tokio::{
    spawn,
    sync::{Notify, mpsc},
};

programs! {
    full_channels: Deadlock [
        "cycle: main/0 -> main/1 -> main/0", "waits at {full answer}", "waits at {full request}",
        "task main/0 received last at {full served}", "task main/1 received last at {full read}",
    ];
    notified_by_nobody: Deadlock [
        "no task can go on", "waits at {notified wait}", "(created at {notified created}",
        "and nobody is left who could end that",
    ];
}

/// Two that send to each other without receiving meanwhile, as in GoKer's lock-free cycles.
async fn full_channels<const FIXED: bool>() {
    let (requests, mut inbox) = mpsc::channel(1);
    let (answers, mut outbox) = mpsc::channel(if FIXED { 8 } else { 1 });
    let server = spawn(async move {
        loop {
            let request = inbox.recv().await; // full served
            let Some(request) = request else { return };
            answers.send(request).await.unwrap(); // full answer
        }
    });
    let client = spawn(async move {
        requests.send(0).await.unwrap();
        outbox.recv().await.unwrap(); // full read
        for request in 1..8 {
            requests.send(request).await.unwrap(); // full request
        }
        drop(requests);
        while outbox.recv().await.is_some() {}
    });
    server.await.unwrap();
    client.await.unwrap();
}

async fn notified_by_nobody<const FIXED: bool>() {
    let ready = Arc::new(Notify::new()); // notified created
    let ready2 = ready.clone();
    let waiter = spawn(async move {
        ready2.notified().await; // notified wait
    });
    if FIXED {
        ready.notify_one();
    }
    waiter.await.unwrap();
}
