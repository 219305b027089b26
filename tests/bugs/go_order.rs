//! Go's bugs that do not block: what comes too early, too late, or twice.
//!
//! From GoKer (see [`goker`](super::goker)), and from Tu, Liu, Song, Zhang, *Understanding Real-World Concurrency
//! Bugs in Go* (ASPLOS 2019).

use super::{family, in_threads, join_all, lock};
use sim as tokio;
use sim::std::sync as std_sync;
use std::sync::{
    Arc, Mutex as StdMutex,
    atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst},
};
use tokio::{
    sync::mpsc,
    task::yield_now,
    time::{Duration, sleep},
};

family! {
    "go_order";
    grpc_1687: tasks(grpc_1687),
        Order, preemptions 0,
        Panic "sent on a closed channel", "GoKer, grpc#1687";
    taken_after_the_check: threads(checked::<false>) fixed(checked::<true>),
        Atomicity, preemptions 1,
        Panic "the connection is gone", "Tu et al. (ASPLOS 2019), atomicity";
    kubernetes_70892: tasks(kubernetes_70892::<false>) fixed(kubernetes_70892::<true>),
        Order, preemptions 0,
        Panic "not one of each", "GoKer, kubernetes#70892; Go before 1.22";
    moby_24007: threads(moby_24007::<false>) fixed(moby_24007::<true>),
        Atomicity, preemptions 1,
        Panic "closed twice", "moby#24007; Tu et al. (ASPLOS 2019)";
    waited_before_added: tasks(waited_before_added::<false>) fixed(waited_before_added::<true>),
        Order, preemptions 0,
        Panic "not all had begun", "etcd; Tu et al. (ASPLOS 2019), figure 9";
    tick_after_stop: tasks(tick_after_stop::<false>) fixed(tick_after_stop::<true>),
        Order, preemptions 0,
        Panic "worked after the stop", "Tu et al. (ASPLOS 2019), figure 11";
}

/// The handler still writes when the stream has been finished.
async fn grpc_1687() {
    let (writes, mut written) = mpsc::channel(2);
    let handler = tokio::spawn(async move {
        for write in 0..2 {
            writes.send(write).await.expect("sent on a closed channel");
            yield_now().await;
        }
    });
    let transport = tokio::spawn(async move {
        written.recv().await;
        written.close();
    });
    join_all([handler, transport]).await;
}

/// It is looked at whether there is a connection, and then taken, in two steps.
fn checked<const ONE_STEP: bool>() {
    let connection = std_sync::Mutex::new(Some(7));
    let send = || {
        if ONE_STEP {
            let _sent_to = *lock(&connection);
        } else if lock(&connection).is_some() {
            let _sent_to = lock(&connection).expect("the connection is gone");
        }
    };
    let close = || *lock(&connection) = None;
    in_threads(&[&send, &close]);
}

/// All tasks look at the loop's variable, at a time of their own.
async fn kubernetes_70892<const COPIED: bool>() {
    let variable = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(StdMutex::new(Vec::new()));
    let mut tasks = Vec::new();
    for number in 0..3 {
        variable.store(number, SeqCst);
        let (variable, seen) = (variable.clone(), seen.clone());
        tasks.push(tokio::spawn(async move {
            let mine = if COPIED { number } else { variable.load(SeqCst) };
            seen.lock().unwrap().push(mine);
        }));
    }
    join_all(tasks).await;
    let mut seen = seen.lock().unwrap().clone();
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2], "not one of each");
}

/// Two find the channel open, and both close it.
fn moby_24007<const ONE_STEP: bool>() {
    let open = std_sync::atomic::AtomicBool::new(true);
    let closed = std_sync::atomic::AtomicU32::new(0);
    let close = || {
        let is_mine = if ONE_STEP {
            open.swap(false, SeqCst)
        } else {
            let was_open = open.load(SeqCst);
            if was_open {
                open.store(false, SeqCst);
            }
            was_open
        };
        if is_mine {
            assert_eq!(closed.fetch_add(1, SeqCst), 0, "closed twice");
        }
    };
    in_threads(&[&close, &close]);
}

/// Each task counts itself in, when it has begun.
async fn waited_before_added<const AT_SPAWN: bool>() {
    let running = Arc::new(AtomicU32::new(0));
    let done = Arc::new(AtomicU32::new(0));
    for _ in 0..2 {
        let (running, done) = (running.clone(), done.clone());
        if AT_SPAWN {
            running.fetch_add(1, SeqCst);
        }
        tokio::spawn(async move {
            if !AT_SPAWN {
                running.fetch_add(1, SeqCst);
            }
            yield_now().await; // works
            done.fetch_add(1, SeqCst);
            running.fetch_sub(1, SeqCst);
        });
    }
    while running.load(SeqCst) > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(done.load(SeqCst), 2, "not all had begun");
}

/// Both are ready, and `select!` may take the tick.
async fn tick_after_stop<const LOOKS_FIRST: bool>() {
    let (stop, mut stopped) = mpsc::channel(1);
    let (ticks, mut tick) = mpsc::channel(2);
    let is_stopped = Arc::new(AtomicBool::new(false));
    let worker = tokio::spawn({
        let is_stopped = is_stopped.clone();
        async move {
            loop {
                tokio::select! {
                    _ = stopped.recv() => return,
                    _ = tick.recv() => {}
                }
                if LOOKS_FIRST && is_stopped.load(SeqCst) {
                    return;
                }
                assert!(!is_stopped.load(SeqCst), "worked after the stop");
            }
        }
    });
    ticks.send(()).await.unwrap();
    is_stopped.store(true, SeqCst);
    let _ = stop.send(()).await;
    worker.await.unwrap();
}
