//! Small programs, each with one bug that shows only under some schedules.
//!
//! Each is a mistake that is made in real async code, cut down to what is needed for it. The
//! assertion at its end, or the wait that never ends, is the bug's symptom.

use crate::Main;
use sim as tokio;
use sim::FailureKind;
use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};
use tokio::{
    sync::{Barrier, Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, oneshot, watch},
    task::{JoinHandle, JoinSet, yield_now},
    time::{Duration, sleep, timeout},
};

/// A program with a bug.
#[derive(Clone, Copy)]
pub struct Bug {
    /// What went wrong in it, in a word or three.
    pub name: &'static str,
    /// How a run fails that shows the bug.
    pub kind: FailureKind,
    /// Starts the program.
    pub main: fn() -> Main,
}

/// Lists programs as name, kind of failure, function.
macro_rules! bugs {
    ($($name:ident: $kind:ident,)*) => {
        /// The programs whose bug is found.
        pub const BUGS: &[Bug] = &[$(Bug {
            name: stringify!($name),
            kind: FailureKind::$kind,
            main: || Box::pin($name()),
        }),*];
    };
}

bugs! {
    lost_update: Panic,
    opposite_lock_order: Deadlock,
    one_notify_for_two_roles: Deadlock,
    check_then_insert: Panic,
    double_initialisation: Panic,
    permits_held_while_waiting: Deadlock,
    notify_before_waiting: Deadlock,
    change_marked_seen_too_late: Panic,
    reply_to_nobody: Panic,
    read_then_write: Panic,
    abort_between_two_steps: Panic,
    panic_of_detached_worker: SwallowedPanic,
    full_inboxes_in_a_cycle: Deadlock,
    message_lost_at_shutdown: Panic,
    std_mutex_across_yield: Panic,
    duplicate_id: Panic,
    barrier_for_absent_worker: Deadlock,
    broadcast_lag_ends_loop: Panic,
    cancelled_between_two_receives: Panic,
    timeout_drops_received_item: Panic,
    notify_between_load_and_wait: Deadlock,
    message_before_count: Panic,
    notify_before_flag: Panic,
}

/// Waits for tasks, and passes their panics on.
async fn join_all<T: 'static>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}

/// The lock is given back between the read and the write.
pub async fn lost_update() {
    let balance = Arc::new(Mutex::new(0));
    let deposits = [1, 1].map(|amount| {
        let balance = balance.clone();
        tokio::spawn(async move {
            let seen = *balance.lock().await;
            *balance.lock().await = seen + amount;
        })
    });
    join_all(deposits).await;
    assert_eq!(*balance.lock().await, 2, "an update was lost");
}

/// Two tasks take two locks, each the other's first one last.
pub async fn opposite_lock_order() {
    let here = Arc::new(Mutex::new(10));
    let there = Arc::new(Mutex::new(10));
    let transfers = [(&here, &there), (&there, &here)].map(|(from, to)| {
        let (from, to) = (from.clone(), to.clone());
        tokio::spawn(async move {
            let mut from = from.lock().await;
            let mut to = to.lock().await;
            *from -= 1;
            *to += 1;
        })
    });
    join_all(transfers).await;
}

/// A buffer for one item, whose producers and consumers wait for the same notification.
struct Slot {
    items: Mutex<VecDeque<u32>>,
    changed: Notify,
}

impl Slot {
    async fn put(&self, item: u32) {
        loop {
            {
                let mut items = self.items.lock().await;
                if items.is_empty() {
                    items.push_back(item);
                    self.changed.notify_one();
                    return;
                }
            }
            self.changed.notified().await;
        }
    }

    async fn take(&self) -> u32 {
        loop {
            {
                let mut items = self.items.lock().await;
                if let Some(item) = items.pop_front() {
                    self.changed.notify_one();
                    return item;
                }
            }
            self.changed.notified().await;
        }
    }
}

/// The one that is woken may be of the wrong role: it waits again, and the wake-up is lost.
pub async fn one_notify_for_two_roles() {
    let slot = Arc::new(Slot { items: Mutex::default(), changed: Notify::new() });
    let mut tasks = Vec::new();
    for _ in 0..2 {
        let producer = slot.clone();
        tasks.push(tokio::spawn(async move {
            producer.put(1).await;
            producer.put(2).await;
        }));
        let consumer = slot.clone();
        tasks.push(tokio::spawn(async move {
            consumer.take().await;
            consumer.take().await;
        }));
    }
    join_all(tasks).await;
}

/// Another task may insert between the look and the insertion.
pub async fn check_then_insert() {
    let sessions: Arc<Mutex<HashMap<&str, u32>>> = Arc::default();
    let opened = Arc::new(AtomicU32::new(0));
    let clients = [(); 2].map(|()| {
        let (sessions, opened) = (sessions.clone(), opened.clone());
        tokio::spawn(async move {
            if !sessions.lock().await.contains_key("user") {
                let id = opened.fetch_add(1, SeqCst);
                sessions.lock().await.insert("user", id);
            }
        })
    });
    join_all(clients).await;
    assert_eq!(opened.load(SeqCst), 1, "one user has two sessions");
}

/// The flag is set only after the initialisation, which waits.
pub async fn double_initialisation() {
    let ready = Arc::new(AtomicBool::new(false));
    let initialised = Arc::new(AtomicU32::new(0));
    let users = [(); 2].map(|()| {
        let (ready, initialised) = (ready.clone(), initialised.clone());
        tokio::spawn(async move {
            if !ready.load(SeqCst) {
                yield_now().await; // connects
                initialised.fetch_add(1, SeqCst);
                ready.store(true, SeqCst);
            }
        })
    });
    join_all(users).await;
    assert_eq!(initialised.load(SeqCst), 1, "initialised twice");
}

/// Each task holds a permit while it waits for its second one.
pub async fn permits_held_while_waiting() {
    let connections = Arc::new(Semaphore::new(2));
    let jobs = [(); 2].map(|()| {
        let connections = connections.clone();
        tokio::spawn(async move {
            let _read = connections.acquire().await.unwrap();
            let _write = connections.acquire().await.unwrap();
        })
    });
    join_all(jobs).await;
}

/// `notify_waiters` keeps nothing for one that waits a moment later.
pub async fn notify_before_waiting() {
    let ready = Arc::new((Mutex::new(false), Notify::new()));
    let waiter = tokio::spawn({
        let ready = ready.clone();
        async move {
            let is_ready = *ready.0.lock().await;
            if !is_ready {
                yield_now().await; // writes a log
                ready.1.notified().await;
            }
        }
    });
    *ready.0.lock().await = true;
    ready.1.notify_waiters();
    waiter.await.unwrap();
}

/// As [`notify_before_waiting`], with an atomic flag and nothing in between: that another core comes
/// between the load and the making of the future is not tried, for neither is a scheduling point.
pub async fn notify_between_load_and_wait() {
    let ready = Arc::new((AtomicBool::new(false), Notify::new()));
    let waiter = tokio::spawn({
        let ready = ready.clone();
        async move {
            if !ready.0.load(SeqCst) {
                ready.1.notified().await;
            }
        }
    });
    ready.0.store(true, SeqCst);
    ready.1.notify_waiters();
    waiter.await.unwrap();
}

/// What the receiver relies on is done only after the message was sent.
pub async fn message_before_count() {
    let (sender, mut inbox) = mpsc::channel(1);
    let sent = Arc::new(AtomicU32::new(0));
    let task = tokio::spawn({
        let sent = sent.clone();
        async move {
            sender.send(()).await.unwrap();
            sent.fetch_add(1, SeqCst);
        }
    });
    inbox.recv().await.unwrap();
    assert_eq!(sent.load(SeqCst), 1, "the message came before it was counted");
    task.await.unwrap();
}

/// The one that is woken finds the flag as it was.
pub async fn notify_before_flag() {
    let ready = Arc::new((AtomicBool::new(false), Notify::new()));
    let task = tokio::spawn({
        let ready = ready.clone();
        async move {
            ready.1.notify_one();
            ready.0.store(true, SeqCst);
        }
    });
    ready.1.notified().await;
    assert!(ready.0.load(SeqCst), "woken before it is ready");
    task.await.unwrap();
}

/// The value that was worked on is marked as seen after the work; by then it may be another.
pub async fn change_marked_seen_too_late() {
    let (settings, mut changes) = watch::channel(0);
    let follower = tokio::spawn(async move {
        let mut applied = 0;
        while changes.changed().await.is_ok() {
            applied = *changes.borrow();
            yield_now().await; // applies it
            changes.borrow_and_update();
        }
        applied
    });
    settings.send(1).unwrap();
    yield_now().await;
    settings.send(2).unwrap();
    drop(settings);
    assert_eq!(follower.await.unwrap(), 2, "the last change was missed");
}

/// The client goes away between the request and the reply.
pub async fn reply_to_nobody() {
    let (reply, answer) = oneshot::channel();
    let cancel = Arc::new(Notify::new());
    let server = tokio::spawn(async move { reply.send(42).expect("the client waits") });
    let client = tokio::spawn({
        let cancel = cancel.clone();
        async move {
            tokio::select! {
                answer = answer => answer.ok(),
                () = cancel.notified() => None,
            }
        }
    });
    cancel.notify_one();
    client.await.unwrap();
    server.await.unwrap();
}

/// What was read need not hold any more when the write lock has come.
pub async fn read_then_write() {
    let stock = Arc::new(RwLock::new(1));
    let buyers = [(); 2].map(|()| {
        let stock = stock.clone();
        tokio::spawn(async move {
            if *stock.read().await > 0 {
                *stock.write().await -= 1;
            }
        })
    });
    join_all(buyers).await;
    assert_eq!(*stock.read().await, 0, "sold what was not there");
}

/// An abort leaves what was taken from one and not yet given to the other.
pub async fn abort_between_two_steps() {
    let accounts = Arc::new([Mutex::new(50), Mutex::new(50)]);
    let transfer = tokio::spawn({
        let accounts = accounts.clone();
        async move {
            *accounts[0].lock().await -= 10;
            yield_now().await; // writes a log
            *accounts[1].lock().await += 10;
        }
    });
    yield_now().await;
    transfer.abort();
    let _ = transfer.await;
    let sum = *accounts[0].lock().await + *accounts[1].lock().await;
    assert_eq!(sum, 100, "money is gone");
}

/// A worker panics if it is late; nobody is left who would be told.
pub async fn panic_of_detached_worker() {
    let closed = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for _ in 0..2 {
        let closed = closed.clone();
        workers.spawn(async move {
            yield_now().await;
            assert!(!closed.load(SeqCst), "worked on what is closed");
        });
    }
    let _ = workers.join_next().await;
    closed.store(true, SeqCst);
    workers.detach_all();
    sleep(Duration::from_secs(1)).await;
}

/// What goes through the inboxes of [`full_inboxes_in_a_cycle`].
enum Mail {
    Request,
    Forwarded,
}

/// Two nodes forward to each other; both wait with a full inbox that they do not read meanwhile.
pub async fn full_inboxes_in_a_cycle() {
    let (to_left, left) = mpsc::channel(1);
    let (to_right, right) = mpsc::channel(1);
    let node = |mut inbox: mpsc::Receiver<Mail>, peer: mpsc::Sender<Mail>| async move {
        for _ in 0..4 {
            if let Mail::Request = inbox.recv().await.unwrap() {
                peer.send(Mail::Forwarded).await.unwrap();
            }
        }
        inbox
    };
    let nodes =
        [tokio::spawn(node(left, to_right.clone())), tokio::spawn(node(right, to_left.clone()))];
    let clients = [to_left, to_right].map(|node| {
        tokio::spawn(async move {
            for _ in 0..2 {
                node.send(Mail::Request).await.ok().unwrap();
            }
        })
    });
    join_all(clients).await;
    join_all(nodes).await;
}

/// The worker may see the shutdown before what was sent before it.
pub async fn message_lost_at_shutdown() {
    let (sender, mut inbox) = mpsc::unbounded_channel();
    let shutdown = Arc::new(Notify::new());
    let worker = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            let mut done = 0;
            loop {
                tokio::select! {
                    Some(()) = inbox.recv() => done += 1,
                    () = shutdown.notified() => return done,
                }
            }
        }
    });
    for _ in 0..3 {
        sender.send(()).unwrap();
    }
    shutdown.notify_one();
    assert_eq!(worker.await.unwrap(), 3, "messages were lost at shutdown");
}

/// A lock that is given back before an await protects nothing after it.
pub async fn std_mutex_across_yield() {
    let count = Arc::new(std::sync::Mutex::new(0));
    let tasks = [(); 2].map(|()| {
        let count = count.clone();
        tokio::spawn(async move {
            let seen = *count.lock().unwrap();
            yield_now().await;
            *count.lock().unwrap() = seen + 1;
        })
    });
    join_all(tasks).await;
    assert_eq!(*count.lock().unwrap(), 2, "an update was lost");
}

/// The counter is moved on only after the number was used.
pub async fn duplicate_id() {
    let next = Arc::new(AtomicU32::new(0));
    let (sender, mut ids) = mpsc::channel(4);
    for _ in 0..2 {
        let (next, sender) = (next.clone(), sender.clone());
        tokio::spawn(async move {
            let id = next.load(SeqCst);
            sender.send(id).await.unwrap();
            next.store(id + 1, SeqCst);
        });
    }
    let first = ids.recv().await.unwrap();
    let second = ids.recv().await.unwrap();
    assert_ne!(first, second, "an id was given twice");
}

/// The barrier counts two workers, but one may do the work of both.
pub async fn barrier_for_absent_worker() {
    let jobs = Arc::new(Mutex::new(VecDeque::from([1, 2])));
    let barrier = Arc::new(Barrier::new(2));
    let workers = [(); 2].map(|()| {
        let (jobs, barrier) = (jobs.clone(), barrier.clone());
        tokio::spawn(async move {
            let mut worked = false;
            while let Some(_job) = jobs.lock().await.pop_front() {
                worked = true;
                yield_now().await;
            }
            if worked {
                barrier.wait().await;
            }
        })
    });
    join_all(workers).await;
}

/// A receiver that lags behind gets an error once, and here takes it for the end.
pub async fn broadcast_lag_ends_loop() {
    let (sender, mut prices) = broadcast::channel(2);
    let follower = tokio::spawn(async move {
        let mut last = 0;
        while let Ok(price) = prices.recv().await {
            last = price;
        }
        last
    });
    for price in 1..=4 {
        sender.send(price).unwrap();
        yield_now().await;
    }
    drop(sender);
    assert_eq!(follower.await.unwrap(), 4, "the last price was not seen");
}

/// `select!` drops the future that has one half of a pair and waits for the other.
pub async fn cancelled_between_two_receives() {
    async fn pair(inbox: &mut mpsc::Receiver<u32>) -> Option<(u32, u32)> {
        Some((inbox.recv().await?, inbox.recv().await?))
    }
    let (sender, mut inbox) = mpsc::channel(1);
    let flush = Arc::new(Notify::new());
    let reader = tokio::spawn({
        let flush = flush.clone();
        async move {
            let mut pairs = Vec::new();
            loop {
                tokio::select! {
                    pair = pair(&mut inbox) => match pair {
                        Some(pair) => pairs.push(pair),
                        None => return pairs,
                    },
                    () = flush.notified() => {}
                }
            }
        }
    });
    let flusher = tokio::spawn(async move { flush.notify_one() });
    for half in 1..=4 {
        sender.send(half).await.unwrap();
    }
    drop(sender);
    flusher.await.unwrap();
    assert_eq!(reader.await.unwrap(), [(1, 2), (3, 4)], "halves of pairs were lost");
}

/// The item has left the queue when the time is over, and is dropped with the future.
pub async fn timeout_drops_received_item() {
    let (sender, mut inbox) = mpsc::channel(1);
    let worker = tokio::spawn(async move {
        let mut done = Vec::new();
        loop {
            let job = async {
                let item = inbox.recv().await?;
                sleep(Duration::from_micros(600)).await; // works on it
                Some(item)
            };
            match timeout(Duration::from_millis(1), job).await {
                Ok(Some(item)) => done.push(item),
                Ok(None) => return done,
                Err(_late) => {}
            }
        }
    });
    for item in 1..=3 {
        sender.send(item).await.unwrap();
        // The network takes its time, more or less of it.
        sleep(Duration::from_micros(rand_below(2_000))).await;
    }
    drop(sender);
    assert_eq!(worker.await.unwrap(), [1, 2, 3], "an item was lost");
}

/// A number below `bound`, from the run's seed.
fn rand_below(bound: u64) -> u64 {
    use rand::RngExt;
    sim::rand::rng().random_range(0..bound)
}
