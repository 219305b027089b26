//! Programs that end in deadlocks, of all tasks or of some, and what has to be said of them; their
//! corrected twins; and legal programs that look like deadlocks for a while.
//!
//! Places are named by marks, comments at the end of a line: `{mark}` in an expectation stands for the
//! file and the line of that mark.

use crate::Main;
use sim as tokio;
use std::{pin::pin, sync::Arc};
use tokio::{
    join, select, spawn,
    sync::{Mutex, Notify, OwnedMutexGuard, RwLock, Semaphore, mpsc},
    task::{JoinSet, yield_now},
    time::{Duration, sleep, timeout},
};

/// A program that ends in a deadlock.
pub struct Deadlock {
    /// What it does, in a word or three.
    pub name: &'static str,
    /// Starts the program.
    pub broken: fn() -> Main,
    /// The same without the mistake.
    pub corrected: fn() -> Main,
    /// What the report has to say.
    pub says: &'static [&'static str],
}

/// The place in this file of the line that ends in a mark, as reports write it.
///
/// # Panics
///
/// Panics if there is not one such line.
#[must_use]
pub fn place(mark: &str) -> String {
    let comment = format!("// {mark}");
    let lines = include_str!("oracles.rs").lines();
    let found: Vec<usize> = lines
        .enumerate()
        .filter(|line| line.1.ends_with(&comment))
        .map(|line| line.0 + 1)
        .collect();
    assert_eq!(found.len(), 1, "{mark}: {found:?}");
    format!("{}:{}", file!(), found[0])
}

/// An expectation with its marks replaced by places.
#[must_use]
pub fn with_places(expected: &str) -> String {
    let mut text = String::new();
    let mut rest = expected;
    while let Some((before, after)) = rest.split_once('{') {
        let (mark, after) = after.split_once('}').expect("a mark ends");
        text.push_str(before);
        text.push_str(&place(mark));
        rest = after;
    }
    text + rest
}

macro_rules! deadlocks {
    ($($name:ident: $says:expr;)*) => {
        /// All programs of this module that end in a deadlock.
        pub const DEADLOCKS: &[Deadlock] = &[$(Deadlock {
            name: stringify!($name),
            broken: || Box::pin($name::<false>()),
            corrected: || Box::pin($name::<true>()),
            says: &$says,
        }),*];
    };
}

macro_rules! legal {
    ($($name:ident,)*) => {
        /// Programs that wait in circles, or seem to, until something ends that.
        pub const LEGAL: &[(&str, fn() -> Main)] =
            &[$((stringify!($name), || Box::pin($name()))),*];
    };
}

macro_rules! ordered {
    ($($name:ident,)*) => {
        /// Programs whose locks cannot be waited for in a circle, whatever their order.
        pub const ORDERED: &[(&str, fn() -> Main)] =
            &[$((stringify!($name), || Box::pin($name()))),*];
    };
}

deadlocks! {
    two_orders: [
        "3 tasks can be woken by nothing but each other\n  cycle: main/1 -> main/2 -> main/1\n",
        "task main/1 (spawned at {orders one}",
        "(created at {orders b}", "which task main/2 took at {orders two holds}",
        "(created at {orders a}", "which task main/1 took at {orders one holds}",
        "waits at {orders one waits}", "waits at {orders two waits}",
        "task main waits at {orders join}", "it waits behind the cycle",
    ];
    philosophers: [
        "no task can go on", "cycle: main/0 -> main/1 -> main/2 -> main/0",
        "took at {forks first}", "waits at {forks second}", "task main waits at {forks join}",
    ];
    twice: [
        "a task can be woken by nothing but itself\n  cycle: main -> main\n",
        "waits at {twice again}", "which it itself took at {twice first}",
    ];
    writer_between_reads: [
        "2 tasks can be woken by nothing but each other\n  cycle: main -> main/1 -> main\n",
        "waits at {reads again}", "where task main/1 waits to write, since it came first, at {reads writer}",
        "which task main took for reading at {reads first}",
    ];
    upgrade: [
        "a task can be woken by nothing but itself",
        "waits at {upgrade write}", "which it itself took for reading at {upgrade read}",
    ];
    permits_one_by_one: [
        "3 tasks can be woken by nothing but each other\n  cycle: main/1 -> main/2 -> main/1\n",
        "of which task main/2 took a permit at {permits first}", "waits at {permits second}",
        "(created at {permits created}",
    ];
    lock_over_join: [
        "2 tasks can be woken by nothing but each other\n  cycle: main -> main/1 -> main\n",
        "task main waits at {over join}", "which is task main/1",
        "waits at {over wants}", "which task main took at {over holds}",
    ];
    threads: [
        "cycle: main/1 -> main/2 -> main/1", "which task main/1 took at {threads one}",
        "which task main/2 took at {threads two}", "waits at {threads one waits}",
    ];
    std_read_and_write: [
        "cycle: main/1 -> main/2 -> main/1", "took for reading at {std read}",
        "which task main/2 took at {std lock}", "waits at {std write}",
    ];
    nobody_joins: [
        "2 tasks can be woken by nothing but each other\n  cycle: main/0 -> main/1 -> main/0\n",
        "which task main/0 took at {nobody one}", "waits at {nobody two}",
    ];
    owned_guards: [
        "2 tasks can be woken by nothing but each other, when main ended",
        "which task main/0 took at {owned one}", "waits at {owned two}",
    ];
    set_of_tasks: [
        "3 tasks can be woken by nothing but each other\n  cycle: main/1 -> main/2 -> main/1\n",
        "task main waits at {set join}", "which is task main/1 and which is task main/2",
    ];
    forgotten_permit: [
        "no task can go on", "waits at {forgotten wait}", "of which nobody holds a permit",
        "a permit was taken by task main at {forgotten take}", "and forgotten",
    ];
    full_channels: [
        "cycle: main/0 -> main/1 -> main/0", "waits at {full answer}", "waits at {full request}",
        "task main/0 received last at {full served}", "task main/1 received last at {full read}",
    ];
    notified_by_nobody: [
        "no task can go on", "waits at {notified wait}", "(created at {notified created}",
        "and nobody is left who could end that",
    ];
    not_polled_any_more: [
        "no task can go on", "waits at {unpolled again}",
        "nobody holds: it was given to a future of this task that is not polled any more",
    ];
    behind: [
        "cycle: main/1 -> main/2 -> main/1", "task main/3 (spawned at {behind third}",
        "waits at {behind waits}", "which task main/1 took at {behind one}",
    ];
    branches_of_one_task: [
        "a task can be woken by nothing but itself", "waits at {branch one}", "waits at {branch two}",
        "which it itself took at {branch one holds}",
    ];
}

/// Keeps the clock going, so that a deadlock is never one of all tasks.
fn heartbeat() {
    spawn(async {
        loop {
            sleep(Duration::from_secs(7)).await;
        }
    });
}

async fn two_orders<const FIXED: bool>() {
    heartbeat();
    let a = Arc::new(Mutex::new(0)); // orders a
    let b = Arc::new(Mutex::new(0)); // orders b
    let (a2, b2) = (a.clone(), b.clone());
    let one = async move {
        let _a = a.lock().await; // orders one holds
        yield_now().await;
        let _b = b.lock().await; // orders one waits
    };
    let one = spawn(one); // orders one
    let two = spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().await; // orders two holds
        let _a = second.lock().await; // orders two waits
    });
    one.await.unwrap(); // orders join
    two.await.unwrap();
}

async fn philosophers<const FIXED: bool>() {
    let forks: Arc<Vec<Mutex<()>>> = Arc::new((0..3).map(|_| Mutex::new(())).collect());
    let mut table = JoinSet::new();
    for at in 0..3 {
        let forks = forks.clone();
        table.spawn(async move {
            let (mut left, mut right) = (at, (at + 1) % 3);
            if FIXED && left > right {
                std::mem::swap(&mut left, &mut right);
            }
            let _left = forks[left].lock().await; // forks first
            yield_now().await;
            let _right = forks[right].lock().await; // forks second
        });
    }
    table.join_all().await; // forks join
}

async fn twice<const FIXED: bool>() {
    heartbeat();
    let lock = Mutex::new(0);
    let first = lock.lock().await; // twice first
    if FIXED {
        drop(first);
        let _second = lock.lock().await;
    } else {
        let _second = lock.lock().await; // twice again
    }
}

/// As tokio#2849: the lock is fair, so that a reader waits behind a writer that waits for it.
async fn writer_between_reads<const FIXED: bool>() {
    heartbeat();
    let lock = Arc::new(RwLock::new(0));
    let reading = lock.read().await; // reads first
    let lock2 = lock.clone();
    let writer = spawn(async move {
        *lock2.write().await += 1; // reads writer
    });
    sleep(Duration::from_secs(1)).await;
    if FIXED {
        drop(reading);
    }
    let again = lock.read().await; // reads again
    drop(again);
    writer.await.unwrap();
}

async fn upgrade<const FIXED: bool>() {
    heartbeat();
    let lock = RwLock::new(0);
    let read = lock.read().await; // upgrade read
    if FIXED {
        drop(read);
        *lock.write().await += 1;
    } else {
        *lock.write().await += *read; // upgrade write
    }
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

async fn lock_over_join<const FIXED: bool>() {
    heartbeat();
    let count = Arc::new(Mutex::new(0));
    let guard = count.lock().await; // over holds
    let count2 = count.clone();
    let task = spawn(async move {
        *count2.lock().await += 1; // over wants
    });
    if FIXED {
        drop(guard);
    }
    task.await.unwrap(); // over join
}

async fn threads<const FIXED: bool>() {
    use tokio::std::{sync::Mutex, thread};
    heartbeat();
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    let one = thread::spawn(move || {
        let _a = a.lock().unwrap(); // threads one
        let _b = b.lock().unwrap(); // threads one waits
    });
    let two = thread::spawn(move || {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().unwrap(); // threads two
        let _a = second.lock().unwrap();
    });
    one.join().unwrap();
    two.join().unwrap();
}

async fn std_read_and_write<const FIXED: bool>() {
    use tokio::std::{
        sync::{Mutex, RwLock},
        thread,
    };
    heartbeat();
    let (table, log) = (Arc::new(RwLock::new(0)), Arc::new(Mutex::new(0)));
    let (table2, log2) = (table.clone(), log.clone());
    let reader = thread::spawn(move || {
        let _table = table.read().unwrap(); // std read
        let _log = log.lock().unwrap();
    });
    let writer = thread::spawn(move || {
        let log = log2.lock().unwrap(); // std lock
        if FIXED {
            drop(log);
        }
        let _table = table2.write().unwrap(); // std write
    });
    reader.join().unwrap();
    writer.join().unwrap();
}

/// Tasks that nobody waits for: the run ends, and they never do.
async fn nobody_joins<const FIXED: bool>() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    spawn(async move {
        let _a = a.lock().await; // nobody one
        yield_now().await;
        let _b = b.lock().await;
    });
    spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().await;
        let _a = second.lock().await; // nobody two
    });
    sleep(Duration::from_secs(1)).await;
}

/// Guards that could be anywhere; but when main has ended only these tasks are left.
async fn owned_guards<const FIXED: bool>() {
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    spawn(async move {
        let _a = a.lock_owned().await; // owned one
        yield_now().await;
        let _b = b.lock_owned().await;
    });
    spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock_owned().await;
        let _a = second.lock_owned().await; // owned two
    });
    sleep(Duration::from_secs(1)).await;
}

async fn set_of_tasks<const FIXED: bool>() {
    heartbeat();
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(RwLock::new(0)));
    let (a2, b2) = (a.clone(), b.clone());
    let mut set = JoinSet::new();
    set.spawn(async move {
        let _a = a.lock().await;
        yield_now().await;
        let _b = b.read().await;
    });
    set.spawn(async move {
        let b = b2.write().await;
        if FIXED {
            drop(b);
        }
        let _a = a2.lock().await;
    });
    set.join_all().await; // set join
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

/// "Futurelock" (Oxide RFD 609): the lock is given to a future that a `select!` has left.
async fn not_polled_any_more<const FIXED: bool>() {
    let lock = Arc::new(Mutex::new(0));
    let lock2 = lock.clone();
    let holder = spawn(async move {
        let _guard = lock2.lock().await;
        sleep(Duration::from_secs(5)).await;
    });
    sleep(Duration::from_secs(1)).await;
    {
        let mut first = Box::pin(lock.lock());
        select! {
            _ = &mut first => unreachable!("it is held"),
            () = sleep(Duration::from_secs(1)) => {}
        }
        if FIXED {
            drop(first);
            *lock.lock().await += 1;
        } else {
            *lock.lock().await += 1; // unpolled again
        }
    }
    holder.await.unwrap();
}

async fn behind<const FIXED: bool>() {
    heartbeat();
    let (a, b) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (a2, b2, a3) = (a.clone(), b.clone(), a.clone());
    let one = spawn(async move {
        let _a = a.lock().await; // behind one
        sleep(Duration::from_millis(2)).await;
        let _b = b.lock().await;
    });
    let two = spawn(async move {
        let (first, second) = if FIXED { (a2, b2) } else { (b2, a2) };
        let _b = first.lock().await;
        sleep(Duration::from_millis(2)).await;
        let _a = second.lock().await;
    });
    let third = async move {
        sleep(Duration::from_secs(1)).await;
        let _a = a3.lock().await; // behind waits
    };
    let third = spawn(third); // behind third
    one.await.unwrap();
    two.await.unwrap();
    third.await.unwrap();
}

async fn branches_of_one_task<const FIXED: bool>() {
    heartbeat();
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let one = async {
        let _a = a.lock().await; // branch one holds
        yield_now().await;
        let _b = b.lock().await; // branch one
    };
    let two = async {
        let b = b.lock().await;
        yield_now().await;
        if FIXED {
            drop(b);
        }
        let _a = a.lock().await; // branch two
    };
    join!(one, two);
}

legal! {
    timeout_ends_the_cycle,
    select_drops_the_waiter,
    watchdog_with_the_join_handle,
    watchdog_with_an_abort_handle,
    lock_handed_on,
    permits_handed_to_tasks,
    guard_dropped_elsewhere,
    try_lock_of_ones_own,
    permits_in_both_orders,
    semaphore_closed_by_a_supervisor,
    timer_of_another_branch,
    permits_added_later,
    main_that_aborts_its_set,
    readers_before_a_writer,
}

/// Takes two locks in both orders, in tasks that could overlap but seldom do.
pub async fn both_orders() {
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = async move {
        let _a = a.lock().await; // both one first
        let _b = b.lock().await; // both one second
        sleep(Duration::from_secs(2)).await;
    };
    let one = spawn(one); // both one
    let two = async move {
        sleep(Duration::from_secs(1)).await;
        let _b = b2.lock().await; // both two first
        let _a = a2.lock().await; // both two second
    };
    let two = spawn(two); // both two
    one.await.unwrap();
    two.await.unwrap();
}

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

ordered! {
    gate_around_both,
    read_and_read,
    one_after_the_other,
    tried_in_the_other_order,
    both_orders_in_one_task,
    before_the_spawn,
}

async fn gate_around_both() {
    let (a, b) = two_locks();
    let gate = Arc::new(Mutex::new(0));
    let work = |gate: Arc<Mutex<u32>>, first: Arc<Mutex<u32>>, second: Arc<Mutex<u32>>| async move {
        let _gate = gate.lock().await;
        let _first = first.lock().await;
        yield_now().await;
        let _second = second.lock().await;
    };
    let one = spawn(work(gate.clone(), a.clone(), b.clone()));
    let two = spawn(work(gate, b, a));
    join!(one, two).0.unwrap();
}

async fn read_and_read() {
    let (a, b) = (Arc::new(RwLock::new(0)), Arc::new(RwLock::new(0)));
    let work = |first: Arc<RwLock<u32>>, second: Arc<RwLock<u32>>| async move {
        let _first = first.read().await;
        yield_now().await;
        let _second = second.read().await;
        sleep(Duration::from_secs(1)).await;
    };
    let one = spawn(work(a.clone(), b.clone()));
    let two = spawn(work(b, a));
    one.await.unwrap();
    two.await.unwrap();
}

async fn one_after_the_other() {
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let _a = a2.lock().await;
        let _b = b2.lock().await;
    });
    one.await.unwrap();
    let _b = b.lock().await;
    let _a = a.lock().await;
}

async fn tried_in_the_other_order() {
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let _a = a.lock().await;
        let _b = b.lock().await;
        sleep(Duration::from_secs(1)).await;
    });
    let two = spawn(async move {
        let _b = b2.lock().await;
        drop(a2.try_lock());
    });
    one.await.unwrap();
    two.await.unwrap();
}

async fn both_orders_in_one_task() {
    let (a, b) = two_locks();
    {
        let _a = a.lock().await;
        let _b = b.lock().await;
    }
    let _b = b.lock().await;
    let _a = a.lock().await;
}

async fn before_the_spawn() {
    let (a, b) = two_locks();
    {
        let _a = a.lock().await;
        let _b = b.lock().await;
    }
    let later = spawn(async move {
        let _b = b.lock().await;
        let _a = a.lock().await;
    });
    later.await.unwrap();
}

/// Two tasks that lock in different orders; `second` is how each takes the second lock.
macro_rules! cross {
    ($a:expr, $b:expr, |$lock:ident| $second:expr) => {{
        let (a, b) = ($a.clone(), $b.clone());
        let work = |first: Arc<Mutex<u32>>, $lock: Arc<Mutex<u32>>| async move {
            let _first = first.lock().await;
            sleep(Duration::from_millis(1)).await;
            $second;
        };
        (spawn(work(a.clone(), b.clone())), spawn(work(b, a)))
    }};
}

fn two_locks() -> (Arc<Mutex<u32>>, Arc<Mutex<u32>>) {
    (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)))
}

async fn timeout_ends_the_cycle() {
    heartbeat();
    let (a, b) = two_locks();
    let long = Duration::from_secs(300);
    let (one, two) = cross!(a, b, |lock| drop(timeout(long, lock.lock()).await));
    one.await.unwrap();
    two.await.unwrap();
}

async fn select_drops_the_waiter() {
    heartbeat();
    let (a, b) = two_locks();
    let (stop, _) = tokio::sync::broadcast::channel::<()>(1);
    let stopping = stop.clone();
    let (one, two) = {
        let (a, b) = (a.clone(), b.clone());
        let work = move |first: Arc<Mutex<u32>>, second: Arc<Mutex<u32>>| {
            let mut stopped = stopping.subscribe();
            async move {
                let _first = first.lock().await;
                sleep(Duration::from_millis(1)).await;
                select! {
                    _ = second.lock() => {}
                    _ = stopped.recv() => {}
                }
            }
        };
        (spawn(work(a.clone(), b.clone())), spawn(work(b, a)))
    };
    sleep(Duration::from_secs(200)).await;
    let _ = stop.send(());
    one.await.unwrap();
    two.await.unwrap();
}

async fn watchdog_with_the_join_handle() {
    heartbeat();
    let (a, b) = two_locks();
    let (one, two) = cross!(a, b, |lock| drop(lock.lock().await));
    let watchdog = spawn(async move {
        sleep(Duration::from_secs(120)).await;
        two.abort();
        let _ = two.await;
    });
    one.await.unwrap();
    watchdog.await.unwrap();
}

async fn watchdog_with_an_abort_handle() {
    heartbeat();
    let (a, b) = two_locks();
    let (one, two) = cross!(a, b, |lock| drop(lock.lock().await));
    let abort = two.abort_handle();
    let watchdog = spawn(async move {
        sleep(Duration::from_secs(120)).await;
        abort.abort();
    });
    one.await.unwrap();
    let _ = two.await;
    watchdog.await.unwrap();
}

/// Who waits for `b` took `a`, but has given it to another task.
async fn lock_handed_on() {
    heartbeat();
    let (a, b) = two_locks();
    let (sender, mut inbox) = mpsc::channel::<OwnedMutexGuard<u32>>(1);
    let keeper = spawn(async move {
        let _guard = inbox.recv().await.unwrap();
        sleep(Duration::from_secs(100)).await;
    });
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let guard = a2.lock_owned().await;
        sender.send(guard).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        let _b = b2.lock().await;
    });
    let two = spawn(async move {
        let _b = b.lock().await;
        sleep(Duration::from_secs(2)).await;
        let _a = a.lock().await;
    });
    one.await.unwrap();
    two.await.unwrap();
    keeper.await.unwrap();
}

async fn permits_handed_to_tasks() {
    heartbeat();
    let slots = Arc::new(Semaphore::new(2));
    let mut tasks = JoinSet::new();
    for _ in 0..5 {
        let permit = slots.clone().acquire_owned().await.unwrap();
        tasks.spawn(async move {
            sleep(Duration::from_secs(100)).await;
            drop(permit);
        });
    }
    tasks.join_all().await;
}

async fn guard_dropped_elsewhere() {
    let lock = Arc::new(Mutex::new(0));
    let guard = lock.clone().lock_owned().await;
    spawn(async move {
        sleep(Duration::from_secs(100)).await;
        drop(guard);
    });
    *lock.lock().await += 1;
}

async fn try_lock_of_ones_own() {
    heartbeat();
    let lock = Mutex::new(0);
    let guard = lock.lock().await;
    assert!(lock.try_lock().is_err());
    sleep(Duration::from_secs(100)).await;
    assert!(lock.try_lock().is_err());
    drop(guard);
    assert!(lock.try_lock().is_ok());
}

async fn permits_in_both_orders() {
    heartbeat();
    let (a, b) = (Arc::new(Semaphore::new(2)), Arc::new(Semaphore::new(2)));
    let work = |first: Arc<Semaphore>, second: Arc<Semaphore>| async move {
        let _first = first.acquire().await.unwrap();
        sleep(Duration::from_secs(100)).await;
        let _second = second.acquire().await.unwrap();
    };
    let one = spawn(work(a.clone(), b.clone()));
    let two = spawn(work(b, a));
    one.await.unwrap();
    two.await.unwrap();
}

async fn semaphore_closed_by_a_supervisor() {
    heartbeat();
    let room = Arc::new(Semaphore::new(2));
    let work = |room: Arc<Semaphore>| async move {
        let _one = room.acquire().await;
        sleep(Duration::from_millis(1)).await;
        let _other = room.acquire().await;
    };
    let (one, two) = (spawn(work(room.clone())), spawn(work(room.clone())));
    spawn(async move {
        sleep(Duration::from_secs(30)).await;
        room.close();
    });
    one.await.unwrap();
    two.await.unwrap();
}

/// The timer was armed long before, and is polled again when it is due.
async fn timer_of_another_branch() {
    heartbeat();
    let (a, b) = two_locks();
    let (a2, b2) = (a.clone(), b.clone());
    let one = spawn(async move {
        let mut deadline = pin!(sleep(Duration::from_secs(500)));
        let work = async {
            let _a = a.lock().await;
            sleep(Duration::from_millis(1)).await;
            let _b = b.lock().await;
        };
        select! {
            () = work => {}
            () = &mut deadline => {}
        }
    });
    let two = spawn(async move {
        let _b = b2.lock().await;
        sleep(Duration::from_millis(1)).await;
        let _a = a2.lock().await;
    });
    two.await.unwrap();
    one.await.unwrap();
}

async fn permits_added_later() {
    heartbeat();
    let gate = Arc::new(Semaphore::new(0));
    gate.add_permits(1);
    let gate2 = gate.clone();
    let one = spawn(async move {
        let _one = gate2.acquire().await.unwrap();
        let _other = gate2.acquire().await.unwrap();
    });
    sleep(Duration::from_secs(200)).await;
    gate.add_permits(1);
    one.await.unwrap();
}

async fn main_that_aborts_its_set() {
    let (a, b) = two_locks();
    let mut set = JoinSet::new();
    for (first, second) in [(a.clone(), b.clone()), (b, a)] {
        set.spawn(async move {
            let _first = first.lock().await;
            sleep(Duration::from_millis(1)).await;
            let _second = second.lock().await;
        });
    }
    sleep(Duration::from_secs(100)).await;
    set.shutdown().await;
}

async fn readers_before_a_writer() {
    heartbeat();
    let lock = Arc::new(RwLock::new(0));
    let (one, other) = (lock.read().await, lock.read().await);
    let lock2 = lock.clone();
    let writer = spawn(async move { *lock2.write().await += 1 });
    sleep(Duration::from_secs(100)).await;
    drop((one, other));
    assert!(*lock.read().await <= 1);
    writer.await.unwrap();
}
