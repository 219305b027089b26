//! GoKer: kernels of bugs in Go's large projects, as tasks and channels.
//!
//! Yuan et al., *GoBench: A Benchmark Suite of Real-World Go Concurrency Bugs* (CGO 2021). The number is the
//! issue's or pull request's in its project. A goroutine that leaks there is one that is waited for here.
//! A channel without a buffer is one of a single place that is taken, or std's where threads serve.

use super::{family, in_threads, join_all, lock};
use sim as tokio;
use sim::std::sync as std_sync;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};
use tokio::{
    sync::{Condvar, Mutex, Notify, RwLock, Semaphore, mpsc},
    task::yield_now,
};

family! {
    "goker";
    cockroach_584: threads(cockroach_584),
        Deadlock, preemptions 0,
        Deadlock "acquire", "GoKer, cockroach#584";
    cockroach_1055: tasks(cockroach_1055::<false>) fixed(cockroach_1055::<true>),
        Deadlock, preemptions 0,
        Deadlock "acquire", "GoKer, cockroach#1055";
    cockroach_1462: tasks(cockroach_1462),
        Deadlock, preemptions 0,
        Deadlock "send object", "GoKer, cockroach#1462";
    cockroach_2448: tasks(cockroach_2448),
        Deadlock, preemptions 0,
        Deadlock "send object", "GoKer, cockroach#2448";
    cockroach_10214: threads(cockroach_10214),
        Deadlock, preemptions 1,
        Deadlock "acquire", "GoKer, cockroach#10214";
    cockroach_24808: tasks(cockroach_24808),
        Order, preemptions 0,
        Deadlock "send object", "GoKer, cockroach#24808";
    cockroach_35931: tasks(cockroach_35931),
        Deadlock, preemptions 0,
        Deadlock "send object", "GoKer, cockroach#35931";
    etcd_6873: tasks(etcd_6873::<false>) fixed(etcd_6873::<true>),
        Deadlock, preemptions 0,
        Deadlock "acquire", "GoKer, etcd#6873";
    etcd_7492: tasks(etcd_7492::<false>) fixed(etcd_7492::<true>),
        Deadlock, preemptions 0,
        Deadlock "send object", "GoKer, etcd#7492";
    grpc_1460: tasks(grpc_1460::<false>) fixed(grpc_1460::<true>),
        Deadlock, preemptions 0,
        Deadlock "acquire", "GoKer, grpc#1460";
    hugo_3251: threads(hugo_3251::<false>) fixed(hugo_3251::<true>),
        Deadlock, preemptions 1,
        Deadlock "acquire", "GoKer, hugo#3251";
    kubernetes_1321: tasks(kubernetes_1321),
        Deadlock, preemptions 0,
        Deadlock "send object", "GoKer, kubernetes#1321";
    kubernetes_5316: tasks(kubernetes_5316::<false>) fixed(kubernetes_5316::<true>),
        Deadlock, preemptions 0,
        Deadlock "send object", "GoKer, kubernetes#5316";
    kubernetes_6632: threads(kubernetes_6632),
        Deadlock, preemptions 0,
        Deadlock "send", "GoKer, kubernetes#6632";
    kubernetes_10182: threads(kubernetes_10182::<false>) fixed(kubernetes_10182::<true>),
        Deadlock, preemptions 0,
        Deadlock "send", "GoKer, kubernetes#10182";
    kubernetes_11298: tasks(kubernetes_11298::<false>) fixed(kubernetes_11298::<true>),
        LostWakeup, preemptions 0,
        Deadlock "task main/0", "GoKer, kubernetes#11298";
    kubernetes_58107: tasks(kubernetes_58107::<false>) fixed(kubernetes_58107::<true>),
        Deadlock, preemptions 0,
        Deadlock "acquire", "GoKer, kubernetes#58107";
    moby_28462: threads(moby_28462),
        Deadlock, preemptions 1,
        Deadlock "send", "GoKer, moby#28462";
    moby_30408: tasks(moby_30408::<false>) fixed(moby_30408::<true>),
        LostWakeup, preemptions 0,
        Deadlock "task main/0", "GoKer, moby#30408";
    syncthing_5795: tasks(syncthing_5795),
        Deadlock, preemptions 0,
        Deadlock "wait object", "GoKer, syncthing#5795";
}

/// The way out of the loop forgets the lock.
fn cockroach_584() {
    let closed = std_sync::Mutex::new(false);
    let bootstrap = || {
        let guard = lock(&closed);
        if *guard {
            std::mem::forget(guard);
        }
    };
    let manage = || {
        bootstrap();
        drop(lock(&closed));
    };
    in_threads(&[&manage, &|| *lock(&closed) = true]);
}

/// The stopper waits for its tasks with the lock in hand that they need to start.
async fn cockroach_1055<const RELEASED: bool>() {
    let draining = Arc::new(Mutex::new(false));
    let ended = Arc::new(Notify::new());
    let task = tokio::spawn({
        let (draining, ended) = (draining.clone(), ended.clone());
        async move {
            let _refused = *draining.lock().await;
            ended.notify_one();
        }
    });
    let mut stopping = draining.lock().await;
    *stopping = true;
    if RELEASED {
        drop(stopping);
        ended.notified().await;
    } else {
        ended.notified().await;
    }
    task.await.unwrap();
}

/// The one that reads leaves at the stop; the one that sends is waited for, and waits for room.
async fn cockroach_1462() {
    let (events, inbox) = mpsc::channel(1);
    let inbox = Arc::new(Mutex::new(inbox)); // lives as long as the transport
    let stop = Arc::new(Notify::new());
    let reader = tokio::spawn({
        let (inbox, stop) = (inbox.clone(), stop.clone());
        async move {
            let mut inbox = inbox.lock().await;
            loop {
                tokio::select! {
                    _ = inbox.recv() => {}
                    () = stop.notified() => return,
                }
            }
        }
    });
    let sender = tokio::spawn(async move {
        for event in 0..2 {
            events.send(event).await.unwrap();
        }
    });
    stop.notify_one();
    join_all([sender, reader]).await;
}

/// The raft loop sends an event while the store, which would take it, calls back into the raft loop.
async fn cockroach_2448() {
    let (events, mut event) = mpsc::channel(1);
    let (callbacks, mut callback) = mpsc::channel(1);
    let raft = tokio::spawn(async move {
        let mut answered = 0;
        for number in 0..4 {
            events.send(number).await.unwrap();
            answered += u32::from(callback.try_recv().is_ok());
        }
        drop(events);
        while callback.recv().await.is_some() {
            answered += 1;
        }
        assert_eq!(answered, 8);
    });
    let store = tokio::spawn(async move {
        while event.recv().await.is_some() {
            for _hook in 0..2 {
                callbacks.send(()).await.unwrap();
            }
        }
    });
    join_all([raft, store]).await;
}

/// Heartbeats are queued under the lock that is held while a replica is locked, and the other way round.
fn cockroach_10214() {
    let (coalesced, replica) = (std_sync::Mutex::new(vec![1]), std_sync::Mutex::new(0));
    let send_queued = || {
        for beat in lock(&coalesced).drain(..) {
            *lock(&replica) += beat;
        }
    };
    let tick = || {
        let mut replica = lock(&replica);
        *replica += 1;
        lock(&coalesced).push(*replica);
    };
    in_threads(&[&send_queued, &tick]);
}

/// What starts the loop first sends to it; the place may be taken by then.
async fn cockroach_24808() {
    let (suggestions, mut suggested) = mpsc::channel(1);
    let store = tokio::spawn({
        let suggestions = suggestions.clone();
        async move { suggestions.send("from the store").await.unwrap() }
    });
    let start = tokio::spawn(async move {
        suggestions.send("at the start").await.unwrap();
        tokio::spawn(async move { while suggested.recv().await.is_some() {} });
    });
    join_all([start, store]).await;
}

/// The end is told to one stream after the other; the first is full, and nobody reads it before the second.
async fn cockroach_35931() {
    let (left, mut from_left) = mpsc::channel(1);
    let (right, mut from_right) = mpsc::channel(1);
    let producer = tokio::spawn({
        let left = left.clone();
        async move {
            let _ = left.send("row").await;
        }
    });
    let canceller = tokio::spawn(async move {
        for stream in [left, right] {
            stream.send("end").await.unwrap();
        }
    });
    let processor = tokio::spawn(async move {
        while from_right.recv().await != Some("end") {}
        while from_left.recv().await != Some("end") {}
    });
    join_all([producer, canceller, processor]).await;
}

/// `stop` waits for the loop with the lock in hand that the loop needs once more.
async fn etcd_6873<const RELEASED: bool>() {
    let watchers = Arc::new(Mutex::new(Vec::new()));
    let (updates, mut update) = mpsc::channel(1);
    let coalescer = tokio::spawn({
        let watchers = watchers.clone();
        async move {
            while let Some(watcher) = update.recv().await {
                watchers.lock().await.push(watcher);
            }
        }
    });
    updates.send(1).await.unwrap();
    let held = watchers.lock().await;
    drop(updates);
    if RELEASED {
        drop(held);
        coalescer.await.unwrap();
    } else {
        coalescer.await.unwrap();
    }
}

/// Tokens are announced under their lock, to a keeper that takes the lock to delete one.
async fn etcd_7492<const RELEASED: bool>() {
    let tokens = Arc::new(Mutex::new(0));
    let (announce, mut added) = mpsc::channel(1);
    let keeper = tokio::spawn({
        let tokens = tokens.clone();
        async move {
            while added.recv().await.is_some() {
                *tokens.lock().await -= 1; // it has expired
            }
        }
    });
    let users = [(); 3].map(|()| {
        let (tokens, announce) = (tokens.clone(), announce.clone());
        tokio::spawn(async move {
            let mut tokens = tokens.lock().await;
            *tokens += 1;
            if RELEASED {
                drop(tokens);
                announce.send(()).await.unwrap();
            } else {
                announce.send(()).await.unwrap();
            }
        })
    });
    drop(announce);
    join_all(users).await;
    keeper.await.unwrap();
}

/// The keepalive loop sleeps with the lock in hand that is needed to wake it.
async fn grpc_1460<const RELEASED: bool>() {
    let streams = Arc::new(Mutex::new(0));
    let awaken = Arc::new(Notify::new());
    let keepalive = tokio::spawn({
        let (streams, awaken) = (streams.clone(), awaken.clone());
        async move {
            let active = streams.lock().await;
            if *active == 0 {
                if RELEASED {
                    drop(active);
                    awaken.notified().await;
                } else {
                    awaken.notified().await;
                }
            }
        }
    });
    yield_now().await;
    *streams.lock().await += 1;
    awaken.notify_one();
    keepalive.await.unwrap();
}

/// A lock for each address, found under a lock that is held until the address is free.
fn hugo_3251<const RELEASED: bool>() {
    let addresses = std_sync::Mutex::new(());
    let address = std_sync::Mutex::new(());
    let fetch = || {
        let found = lock(&addresses);
        let held = if RELEASED {
            drop(found);
            lock(&address)
        } else {
            let held = lock(&address);
            drop(found);
            held
        };
        drop(lock(&addresses)); // finds it again, to give it back
        drop(held);
    };
    in_threads(&[&fetch, &fetch]);
}

/// Events are handed out under the lock; a watcher that wants to leave does not read any more.
async fn kubernetes_1321() {
    let watchers = Arc::new(Mutex::new(Vec::new()));
    let (result, mut events) = mpsc::channel(1);
    watchers.lock().await.push(result);
    let distributor = tokio::spawn({
        let watchers = watchers.clone();
        async move {
            for event in 0..2 {
                for watcher in watchers.lock().await.iter() {
                    watcher.send(event).await.unwrap();
                }
                yield_now().await;
            }
        }
    });
    let watcher = tokio::spawn(async move {
        yield_now().await;
        watchers.lock().await.clear();
        while events.recv().await.is_some() {}
    });
    join_all([distributor, watcher]).await;
}

/// Who asked has gone away, and the worker stays with its answer, and with its permit.
async fn kubernetes_5316<const ROOM: bool>() {
    let workers = Arc::new(Semaphore::new(1));
    let (answer, answered) = std_sync::mpsc::sync_channel(usize::from(ROOM));
    let worker = tokio::task::spawn_blocking({
        let workers = workers.clone();
        move || {
            let permit = tokio::runtime::Handle::current().block_on(workers.acquire()).unwrap();
            answer.send(42).unwrap();
            drop(permit);
        }
    });
    let asked = tokio::task::spawn_blocking(move || {
        // In time or not, the channel is kept for the next request.
        let _in_time = answered.try_recv();
        answered
    });
    let _channel = asked.await.unwrap();
    drop(workers.acquire().await.unwrap());
    worker.await.unwrap();
}

/// A frame is written under the lock into a channel that only the one who waits for the lock would close.
fn kubernetes_6632() {
    let (resets, reset) = std_sync::mpsc::sync_channel(0);
    let writing = std_sync::Mutex::new(Some(resets));
    let reset = std_sync::Mutex::new(reset);
    let write_frame = || {
        if let Some(resets) = &*lock(&writing) {
            let _ = resets.send(());
        }
    };
    let monitor = || {
        let reset = lock(&reset);
        *lock(&writing) = None; // it is told to close
        while reset.recv().is_ok() {}
    };
    in_threads(&[&write_frame, &monitor]);
}

/// A status is sent under the lock that the one who takes it needs before it takes the next.
fn kubernetes_10182<const RELEASED: bool>() {
    let (statuses, status) = std_sync::mpsc::sync_channel(0);
    let pods = std_sync::Mutex::new(());
    let status = std_sync::Mutex::new(status);
    let sync = || {
        let status = lock(&status);
        for _ in 0..2 {
            status.recv().unwrap();
            drop(lock(&pods));
        }
    };
    let set_status = || {
        let held = lock(&pods);
        if RELEASED {
            drop(held);
        }
        statuses.send(()).unwrap();
    };
    in_threads(&[&sync, &set_status, &set_status]);
}

/// The condition is signalled once, by a caller that does not know whether anybody waits yet.
async fn kubernetes_11298<const LOOKS: bool>() {
    let aborted = Arc::new((Mutex::new(false), Condvar::new()));
    let service = tokio::spawn({
        let aborted = aborted.clone();
        async move {
            let mut guard = aborted.0.lock().await;
            if !(LOOKS && *guard) {
                guard = aborted.1.wait(guard).await;
            }
            drop(guard);
        }
    });
    *aborted.0.lock().await = true;
    aborted.1.notify_one();
    service.await.unwrap();
}

/// A worker waits for work with the pause lock in hand, behind it the pauser, behind that the other worker.
async fn kubernetes_58107<const LOCKS_LATE: bool>() {
    let pause = Arc::new(RwLock::new(()));
    let (work, mut queue) = mpsc::channel(1);
    let idle = tokio::spawn({
        let pause = pause.clone();
        async move {
            if LOCKS_LATE {
                queue.recv().await.unwrap();
                let _running = pause.read().await;
            } else {
                let _running = pause.read().await;
                queue.recv().await.unwrap();
            }
        }
    });
    let pauser = tokio::spawn({
        let pause = pause.clone();
        async move { drop(pause.write().await) }
    });
    let busy = tokio::spawn(async move {
        let _running = pause.read().await;
        work.send(()).await.unwrap();
    });
    join_all([idle, pauser, busy]).await;
}

/// The stop is handed over under the lock, to a monitor that is on its way to the lock.
fn moby_28462() {
    let (stop, stopped) = std_sync::mpsc::sync_channel(0);
    let container = std_sync::Mutex::new(0);
    let stopped = std_sync::Mutex::new(stopped);
    let monitor = || {
        let stopped = lock(&stopped);
        for _probe in 0..2 {
            if stopped.try_recv().is_ok() {
                return;
            }
            *lock(&container) += 1;
        }
        stopped.recv().unwrap();
    };
    let state_changed = || {
        let _container = lock(&container);
        stop.send(()).unwrap();
    };
    in_threads(&[&monitor, &state_changed]);
}

/// An activation that fails tells nobody.
async fn moby_30408<const ALWAYS_TELLS: bool>() {
    let plugin = Arc::new((Mutex::new(None), Condvar::new()));
    let broken = Arc::new(AtomicBool::new(false));
    let waiter = tokio::spawn({
        let plugin = plugin.clone();
        async move {
            let state = plugin.0.lock().await;
            drop(plugin.1.wait_while(state, |state| state.is_none()).await);
        }
    });
    let breaker = tokio::spawn({
        let broken = broken.clone();
        async move { broken.store(true, SeqCst) }
    });
    let activation = tokio::spawn(async move {
        let activated = !broken.load(SeqCst);
        if activated || ALWAYS_TELLS {
            *plugin.0.lock().await = Some(activated);
            plugin.1.notify_all();
        }
    });
    join_all([activation, breaker, waiter]).await;
}

/// The dispatcher closes the connection, and to close it waits for the dispatcher.
async fn syncthing_5795() {
    let (inbox, mut messages) = mpsc::channel(1);
    let stopped = Arc::new(Notify::new());
    let dispatcher = tokio::spawn({
        let stopped = stopped.clone();
        async move {
            if messages.recv().await == Some("close") {
                stopped.notified().await; // closes
            }
            stopped.notify_one();
        }
    });
    let peers = ["close", "ping"].map(|message| {
        let inbox = inbox.clone();
        tokio::spawn(async move {
            let _ = inbox.send(message).await;
        })
    });
    join_all(peers).await;
    stopped.notified().await;
    dispatcher.await.unwrap();
}
