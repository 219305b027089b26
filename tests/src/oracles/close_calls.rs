//! Legal programs that come close to a mistake: nothing of what they do may be told.

use super::{heartbeat, legal_programs, two_locks};
use futures::FutureExt;
use sim as tokio;
use sim::std::{sync as std_sync, thread};
use std::{
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};
use tokio::{
    select, spawn,
    sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot, watch},
    task::{JoinSet, spawn_blocking, yield_now},
    time::{Duration, interval, sleep, timeout},
};

legal_programs! {
    fallback_of_try_lock,
    hand_over_hand,
    nested_reads_without_a_writer,
    std_mutex_over_a_send_with_room,
    lock_over_a_send_with_room,
    notice_that_is_kept,
    watch_that_has_changed_before,
    permits_forgotten_and_added,
    panic_that_is_joined,
    panic_that_is_printed,
    panic_that_is_caught,
    panic_that_is_passed_on,
    error_that_is_looked_at_late,
    error_whose_handle_went_elsewhere,
    results_that_are_detached,
    set_that_is_aborted,
    abort_of_one_that_failed_first,
    receiver_that_goes_first,
    sender_kept_by_a_sleeper,
    cell_that_all_ask_for,
    barrier_in_rounds,
    scope_with_a_lock,
    condvar_with_a_timeout,
    select_with_a_lock_in_a_branch,
    busy_until_a_timer,
    long_queue_for_one_lock,
    downgraded_writer,
    cancelled_and_repaired,
}

/// Takes the locks in both orders, but never waits for the second.
async fn fallback_of_try_lock() {
    heartbeat();
    let (a, b) = two_locks();
    let work = |first: Arc<Mutex<u32>>, second: Arc<Mutex<u32>>| async move {
        loop {
            let mut one = first.lock().await;
            if let Ok(mut other) = second.try_lock() {
                *one += 1;
                *other += 1;
                return;
            }
            drop(one);
            sleep(Duration::from_millis(1)).await;
        }
    };
    let one = spawn(work(a.clone(), b.clone()));
    let two = spawn(work(b, a));
    one.await.unwrap();
    two.await.unwrap();
}

/// Goes along a list with two locks at a time, always forwards.
async fn hand_over_hand() {
    heartbeat();
    let list: Arc<Vec<Mutex<u32>>> = Arc::new((0..5).map(|_| Mutex::new(0)).collect());
    let mut walkers = JoinSet::new();
    for _ in 0..3 {
        let list = list.clone();
        walkers.spawn(async move {
            let mut at = list[0].lock().await;
            for next in &list[1..] {
                *at += 1;
                let next = next.lock().await;
                at = next;
                yield_now().await;
            }
        });
    }
    walkers.join_all().await;
}

async fn nested_reads_without_a_writer() {
    heartbeat();
    let table = Arc::new(RwLock::new(1));
    let mut readers = JoinSet::new();
    for _ in 0..3 {
        let table = table.clone();
        readers.spawn(async move {
            let outer = table.read().await;
            yield_now().await;
            let inner = table.read().await;
            assert_eq!(*outer + *inner, 2);
        });
    }
    readers.join_all().await;
    *table.write().await += 1;
}

async fn std_mutex_over_a_send_with_room() {
    let count = Arc::new(std::sync::Mutex::new(0));
    let (numbers, mut inbox) = mpsc::channel(8);
    let mut senders = JoinSet::new();
    for _ in 0..4 {
        let (count, numbers) = (count.clone(), numbers.clone());
        senders.spawn(async move {
            let mut count = count.lock().unwrap();
            *count += 1;
            numbers.try_send(*count).unwrap();
        });
    }
    drop(numbers);
    senders.join_all().await;
    let mut seen = Vec::new();
    while let Some(number) = inbox.recv().await {
        seen.push(number);
    }
    assert_eq!(seen, [1, 2, 3, 4]);
}

/// As the deadlock of a lock over a send; but the channel has room for all.
async fn lock_over_a_send_with_room() {
    let state = Arc::new(Mutex::new(0));
    let (updates, mut inbox) = mpsc::channel(4);
    let state2 = state.clone();
    let reader = spawn(async move {
        while let Some(update) = inbox.recv().await {
            *state2.lock().await += update;
        }
    });
    for update in 0..4 {
        let _guard = state.lock().await;
        updates.send(update).await.unwrap();
    }
    drop(updates);
    reader.await.unwrap();
    assert_eq!(*state.lock().await, 6);
}

async fn notice_that_is_kept() {
    let ready = Arc::new(Notify::new());
    ready.notify_one();
    let ready2 = ready.clone();
    let waiter = spawn(async move {
        sleep(Duration::from_secs(1)).await;
        ready2.notified().await;
    });
    waiter.await.unwrap();
}

async fn watch_that_has_changed_before() {
    let (state, mut seen) = watch::channel(0);
    state.send(1).unwrap();
    let waiter = spawn(async move {
        seen.changed().await.unwrap();
        assert_eq!(*seen.borrow_and_update(), 1);
        // The sender goes away meanwhile or later: no change, but an end.
        assert!(seen.changed().await.is_err());
    });
    drop(state);
    waiter.await.unwrap();
}

/// Permits as tokens that are used up, and made anew by a clock.
async fn permits_forgotten_and_added() {
    let tokens = Arc::new(Semaphore::new(2));
    let refill = tokens.clone();
    spawn(async move {
        let mut clock = interval(Duration::from_secs(1));
        loop {
            clock.tick().await;
            if refill.available_permits() < 2 {
                refill.add_permits(1);
            }
        }
    });
    let mut callers = JoinSet::new();
    for _ in 0..6 {
        let tokens = tokens.clone();
        callers.spawn(async move { tokens.acquire().await.unwrap().forget() });
    }
    callers.join_all().await;
}

async fn panic_that_is_joined() {
    let error = spawn(async { panic!("as expected") }).await.unwrap_err();
    assert!(error.is_panic());
    let payload = spawn(async { panic!("as expected") }).await.unwrap_err().into_panic();
    assert_eq!(payload.downcast_ref(), Some(&"as expected"));
    let thread = thread::spawn(|| panic!("as expected"));
    assert!(thread.join().is_err());
}

async fn panic_that_is_printed() {
    let mut workers = JoinSet::new();
    for worker in 0..3 {
        workers.spawn(async move { assert!(worker != 1, "worker {worker} is broken") });
    }
    let mut log = Vec::new();
    while let Some(ended) = workers.join_next().await {
        log.extend(ended.err().map(|error| error.to_string()));
    }
    assert!(log.len() == 1 && log[0].contains("worker 1 is broken"), "{log:?}");
}

async fn panic_that_is_caught() {
    let task = spawn(async {
        let caught = AssertUnwindSafe(async {
            yield_now().await;
            panic!("as expected")
        });
        caught.catch_unwind().await.is_err()
    });
    assert!(task.await.unwrap());
    assert!(std::panic::catch_unwind(|| panic!("as expected")).is_err());
}

/// A middle task hands the error on without a look, and the last one looks.
async fn panic_that_is_passed_on() {
    let middle = spawn(async { spawn(async { panic!("as expected") }).await });
    let inner: Result<(), _> = middle.await.unwrap();
    yield_now().await;
    assert!(inner.unwrap_err().is_panic());
}

async fn error_that_is_looked_at_late() {
    let task = spawn(async { Err::<(), _>("busy") });
    sleep(Duration::from_secs(60)).await;
    assert_eq!(task.await.unwrap(), Err("busy"));
}

async fn error_whose_handle_went_elsewhere() {
    let (handles, mut inbox) = mpsc::channel::<tokio::task::JoinHandle<Result<u32, String>>>(4);
    let reaper = spawn(async move {
        let mut failed = 0;
        while let Some(handle) = inbox.recv().await {
            failed += u32::from(handle.await.unwrap().is_err());
        }
        failed
    });
    for task in 0..4 {
        let work = async move { if task % 2 == 0 { Ok(task) } else { Err("odd".to_string()) } };
        handles.send(spawn(work)).await.unwrap();
    }
    drop(handles);
    assert_eq!(reaper.await.unwrap(), 2);
}

async fn results_that_are_detached() {
    for task in 0..3 {
        spawn(async move {
            sleep(Duration::from_millis(task)).await;
            Ok::<_, String>(task)
        });
        spawn(async move { Some(task) });
        spawn_blocking(move || Ok::<_, std::io::Error>(task));
    }
    thread::spawn(|| Ok::<_, String>(1));
    let mut set = JoinSet::new();
    set.spawn(async { Ok::<_, String>(()) });
    set.detach_all();
    sleep(Duration::from_secs(1)).await;
}

async fn set_that_is_aborted() {
    let mut set = JoinSet::new();
    let lock = Arc::new(Mutex::new(0));
    for _ in 0..4 {
        let lock = lock.clone();
        set.spawn(async move {
            let _guard = lock.lock().await;
            sleep(Duration::from_secs(10)).await;
            Err::<(), _>("too late to be of interest")
        });
    }
    sleep(Duration::from_secs(1)).await;
    set.abort_all();
    while let Some(ended) = set.join_next().await {
        assert!(ended.unwrap_err().is_cancelled());
    }
    drop(lock.lock().await);
}

/// Whoever aborts it looks at what it was.
async fn abort_of_one_that_failed_first() {
    let task = spawn(async {
        sleep(Duration::from_millis(1)).await;
        panic!("as expected")
    });
    sleep(Duration::from_millis(1)).await;
    task.abort();
    let error: tokio::task::JoinError = task.await.unwrap_err();
    assert!(error.is_cancelled() || error.is_panic());
}

async fn receiver_that_goes_first() {
    let (beats, inbox) = broadcast::channel::<u32>(2);
    drop(inbox);
    let heart = spawn(async move { (0..5).filter(|beat| beats.send(*beat).is_ok()).count() });
    assert_eq!(heart.await.unwrap(), 0);
    let (reply, answer) = oneshot::channel::<u32>();
    drop(answer);
    assert!(reply.send(1).is_err());
}

/// The receiver waits long, but there is one who will send.
async fn sender_kept_by_a_sleeper() {
    let (alarm, mut bell) = mpsc::channel(1);
    spawn(async move {
        sleep(Duration::from_secs(3600)).await;
        alarm.send("wake up").await.unwrap();
    });
    assert_eq!(bell.recv().await, Some("wake up"));
    assert_eq!(bell.recv().await, None);
}

async fn cell_that_all_ask_for() {
    let cell = Arc::new(OnceCell::new());
    let made = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for task in 0..4 {
        let (cell, made) = (cell.clone(), made.clone());
        tasks.spawn(async move {
            let make = async || {
                sleep(Duration::from_secs(1)).await;
                made.fetch_add(1, SeqCst)
            };
            // The first may be cancelled; the next makes it.
            let limit = Duration::from_millis(if task == 0 { 500 } else { 5_000 });
            timeout(limit, cell.get_or_init(make)).await.is_ok()
        });
    }
    tasks.join_all().await;
    assert_eq!(made.load(SeqCst), 1);
}

async fn barrier_in_rounds() {
    let barrier = Arc::new(Barrier::new(3));
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let barrier = barrier.clone();
        tasks.spawn(async move {
            let mut led = 0;
            for _ in 0..3 {
                led += u32::from(barrier.wait().await.is_leader());
            }
            led
        });
    }
    assert_eq!(tasks.join_all().await.iter().sum::<u32>(), 3);
}

async fn scope_with_a_lock() {
    let count = std_sync::Mutex::new(0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| *count.lock().unwrap() += 1);
        }
        // Not held while the scope ends.
        *count.lock().unwrap() += 1;
    });
    assert_eq!(*count.lock().unwrap(), 4);
}

async fn condvar_with_a_timeout() {
    let door = Arc::new((std_sync::Mutex::new(false), std_sync::Condvar::new()));
    let door2 = door.clone();
    let waiter = thread::spawn(move || {
        let open = door2.0.lock().unwrap();
        let limit = Duration::from_secs(5);
        let (open, late) = door2.1.wait_timeout_while(open, limit, |open| !*open).unwrap();
        assert!(!*open && late.timed_out());
    });
    waiter.join().unwrap();
    drop(door);
}

/// The branch that waits for the lock is dropped when the other is ready, and its place in the queue with it.
async fn select_with_a_lock_in_a_branch() {
    let lock = Arc::new(Mutex::new(0));
    let held = lock.clone().lock_owned().await;
    select! {
        _ = lock.lock() => unreachable!("it is held"),
        () = sleep(Duration::from_secs(1)) => {}
    }
    drop(held);
    *lock.lock().await += 1;
}

/// Looks again and again, until it is time.
async fn busy_until_a_timer() {
    let rung = Arc::new(AtomicU32::new(0));
    let ring = rung.clone();
    spawn(async move {
        sleep(Duration::from_micros(50)).await;
        ring.store(1, SeqCst);
    });
    while rung.load(SeqCst) == 0 {
        sleep(Duration::from_micros(1)).await;
    }
}

async fn long_queue_for_one_lock() {
    let lock = Arc::new(Mutex::new(0));
    let mut queue = JoinSet::new();
    for _ in 0..20 {
        let lock = lock.clone();
        queue.spawn(async move {
            let mut turn = lock.lock().await;
            sleep(Duration::from_secs(60)).await;
            *turn += 1;
        });
    }
    queue.join_all().await;
    assert_eq!(*lock.lock().await, 20);
}

/// What was taken to write is read on, and read by others.
async fn downgraded_writer() {
    let table = Arc::new(RwLock::new(0));
    let mut writing = table.write().await;
    *writing = 1;
    let reading = writing.downgrade();
    let table2 = table.clone();
    let other = spawn(async move { *table2.read().await });
    assert_eq!(other.await.unwrap(), *reading);
}

/// A guard puts right what the cancelled one left.
async fn cancelled_and_repaired() {
    struct Undo<'a>(&'a mut (u32, u32), bool);
    impl Drop for Undo<'_> {
        fn drop(&mut self) {
            if !self.1 {
                self.0.0 -= 1;
            }
        }
    }
    let order = Arc::new(Mutex::new((0, 0)));
    let place = async {
        let mut order = order.lock().await;
        order.0 += 1;
        let mut undo = Undo(&mut order, false);
        sleep(Duration::from_secs(5)).await;
        undo.0.1 += 1;
        undo.1 = true;
    };
    assert!(timeout(Duration::from_secs(1), place).await.is_err());
    let order = order.lock().await;
    assert_eq!(order.0, order.1);
}
