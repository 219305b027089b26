//! Small programs without a bug: what is legal, or looks odd, must pass under every schedule.
//!
//! Some are the corrected twins of the programs in [`bugs`](crate::bugs).

use crate::Main;
use sim as tokio;
use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};
use tokio::{
    runtime::Handle,
    sync::{
        Barrier, Condvar, Event, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc,
        oneshot, watch,
    },
    task::{JoinSet, LocalSet, spawn_blocking, spawn_local, yield_now},
    time::{Duration, Instant, interval, sleep, timeout},
};

/// A program without a bug.
#[derive(Clone, Copy)]
pub struct Correct {
    /// What it does, in a word or three.
    pub name: &'static str,
    /// Starts the program.
    pub main: fn() -> Main,
}

/// Lists programs by their functions.
macro_rules! correct {
    ($($name:ident,)*) => {
        /// All programs of this module.
        pub const CORRECT: &[Correct] = &[$(Correct {
            name: stringify!($name),
            main: || Box::pin($name()),
        }),*];
    };
}

correct! {
    update_under_one_lock,
    two_conditions_for_two_roles,
    initialisation_in_a_once_cell,
    permits_taken_together,
    waiting_before_looking,
    changes_marked_when_read,
    recheck_under_the_write_lock,
    shutdown_that_drains,
    lag_that_is_survived,
    timeouts_that_fire,
    server_that_outlives_main,
    abort_that_is_awaited,
    cancel_safe_select_loop,
    rc_in_a_local_set,
    blocking_send_from_a_thread,
    nested_join_sets,
    forgotten_permits,
    events_set_and_cleared,
    std_mutex_over_a_notify,
    task_local_values,
    interval_ticks,
    hash_map_iteration,
    panic_seen_through_the_handle,
    barrier_with_one_leader,
    bounded_requests_with_replies,
    dropped_reply_is_an_error,
}

/// The twin of `lost_update`.
pub async fn update_under_one_lock() {
    let balance = Arc::new(Mutex::new(0));
    let mut deposits = JoinSet::new();
    for amount in 1..=3 {
        let balance = balance.clone();
        deposits.spawn(async move {
            let mut balance = balance.lock().await;
            let seen = *balance;
            yield_now().await;
            *balance = seen + amount;
        });
    }
    deposits.join_all().await;
    assert_eq!(*balance.lock().await, 6);
}

/// The twin of `one_notify_for_two_roles`: each role has a condition of its own.
pub async fn two_conditions_for_two_roles() {
    #[derive(Default)]
    struct Slot {
        items: Mutex<VecDeque<u32>>,
        filled: Condvar,
        emptied: Condvar,
    }
    let slot = Arc::new(Slot::default());
    let mut producers = JoinSet::new();
    let mut consumers = JoinSet::new();
    for _ in 0..2 {
        let producer = slot.clone();
        producers.spawn(async move {
            for item in 1..=2 {
                let items = producer.items.lock().await;
                let mut items = producer.emptied.wait_while(items, |items| !items.is_empty()).await;
                items.push_back(item);
                producer.filled.notify_one();
            }
        });
        let consumer = slot.clone();
        consumers.spawn(async move {
            let mut sum = 0;
            for _ in 0..2 {
                let items = consumer.items.lock().await;
                let mut items = consumer.filled.wait_while(items, |items| items.is_empty()).await;
                sum += items.pop_front().unwrap();
                consumer.emptied.notify_one();
            }
            sum
        });
    }
    producers.join_all().await;
    assert_eq!(consumers.join_all().await.iter().sum::<u32>(), 6);
}

/// The twin of `double_initialisation`.
pub async fn initialisation_in_a_once_cell() {
    let cell = Arc::new(OnceCell::new());
    let initialised = Arc::new(AtomicU32::new(0));
    let mut users = JoinSet::new();
    for _ in 0..3 {
        let (cell, initialised) = (cell.clone(), initialised.clone());
        users.spawn(async move {
            *cell
                .get_or_init(|| async {
                    sleep(Duration::from_millis(1)).await;
                    initialised.fetch_add(1, SeqCst)
                })
                .await
        });
    }
    assert_eq!(users.join_all().await, [0, 0, 0]);
    assert_eq!(initialised.load(SeqCst), 1);
}

/// The twin of `permits_held_while_waiting`.
pub async fn permits_taken_together() {
    let connections = Arc::new(Semaphore::new(2));
    let mut jobs = JoinSet::new();
    for _ in 0..3 {
        let connections = connections.clone();
        jobs.spawn(async move {
            let _both = connections.acquire_many(2).await.unwrap();
            yield_now().await;
        });
    }
    jobs.join_all().await;
    assert_eq!(connections.available_permits(), 2);
}

/// The twin of `notify_before_waiting`: the future is made before the look.
pub async fn waiting_before_looking() {
    let ready = Arc::new((AtomicBool::new(false), Notify::new()));
    let waiter = tokio::spawn({
        let ready = ready.clone();
        async move {
            let notified = ready.1.notified();
            if !ready.0.load(SeqCst) {
                notified.await;
            }
            assert!(ready.0.load(SeqCst));
        }
    });
    ready.0.store(true, SeqCst);
    ready.1.notify_waiters();
    waiter.await.unwrap();
}

/// The twin of `change_marked_seen_too_late`.
pub async fn changes_marked_when_read() {
    let (settings, mut changes) = watch::channel(0);
    let follower = tokio::spawn(async move {
        let mut applied = 0;
        while changes.changed().await.is_ok() {
            let next = *changes.borrow_and_update();
            assert!(next > applied);
            applied = next;
            yield_now().await;
        }
        applied
    });
    for value in 1..=3 {
        settings.send(value).unwrap();
    }
    drop(settings);
    assert_eq!(follower.await.unwrap(), 3);
}

/// The twin of `read_then_write`.
pub async fn recheck_under_the_write_lock() {
    let stock = Arc::new(RwLock::new(1));
    let mut buyers = JoinSet::new();
    for _ in 0..2 {
        let stock = stock.clone();
        buyers.spawn(async move {
            if *stock.read().await == 0 {
                return false;
            }
            let mut stock = stock.write().await;
            let bought = *stock > 0;
            *stock -= i32::from(bought);
            bought
        });
    }
    let bought = buyers.join_all().await;
    assert_eq!(bought.iter().filter(|bought| **bought).count(), 1);
    assert_eq!(*stock.read().await, 0);
}

/// The twin of `message_lost_at_shutdown`: it closes, and then takes what is left.
pub async fn shutdown_that_drains() {
    let (sender, mut inbox) = mpsc::channel(2);
    let shutdown = Arc::new(Notify::new());
    let worker = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            let mut done = 0;
            loop {
                tokio::select! {
                    Some(()) = inbox.recv() => done += 1,
                    () = shutdown.notified() => inbox.close(),
                    else => return done,
                }
                if inbox.is_closed() && inbox.is_empty() {
                    return done;
                }
            }
        }
    });
    let mut sent = 0;
    for _ in 0..3 {
        sent += u32::from(sender.send(()).await.is_ok());
    }
    shutdown.notify_one();
    assert_eq!(worker.await.unwrap(), sent);
}

/// The twin of `broadcast_lag_ends_loop`.
pub async fn lag_that_is_survived() {
    let (sender, mut prices) = broadcast::channel(2);
    let follower = tokio::spawn(async move {
        let (mut last, mut missed) = (0, 0);
        loop {
            match prices.recv().await {
                Ok(price) => {
                    assert!(price > last);
                    last = price;
                }
                Err(broadcast::error::RecvError::Lagged(count)) => missed += count,
                Err(broadcast::error::RecvError::Closed) => return (last, missed),
            }
        }
    });
    for price in 1..=5 {
        sender.send(price).unwrap();
    }
    drop(sender);
    let (last, missed) = follower.await.unwrap();
    assert_eq!(last, 5);
    assert!(missed <= 3);
}

/// Timeouts end what takes longer, and only that.
pub async fn timeouts_that_fire() {
    let start = Instant::now();
    let slow = timeout(Duration::from_secs(1), sleep(Duration::from_secs(60))).await;
    assert!(slow.is_err());
    assert!(start.elapsed() >= Duration::from_secs(1));
    let never = timeout(Duration::from_secs(1), std::future::pending::<()>()).await;
    assert!(never.is_err());
    let lock = Arc::new(Mutex::new(()));
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let lock = lock.clone();
        tasks.spawn(async move {
            let _held = lock.lock().await;
            yield_now().await;
        });
    }
    timeout(Duration::from_secs(1), tasks.join_all()).await.expect("instant work is in time");
}

/// A task that waits for requests for ever is dropped when the test has ended.
pub async fn server_that_outlives_main() {
    let (requests, mut inbox) = mpsc::channel::<oneshot::Sender<u32>>(1);
    tokio::spawn(async move {
        let mut served = 0;
        while let Some(reply) = inbox.recv().await {
            served += 1;
            let _ = reply.send(served);
        }
    });
    tokio::spawn(async {
        loop {
            sleep(Duration::from_secs(1)).await; // a heartbeat
        }
    });
    let kept = requests.clone();
    tokio::spawn(async move {
        let _kept = kept;
        std::future::pending::<()>().await;
    });
    for expected in 1..=2 {
        let (reply, answer) = oneshot::channel();
        requests.send(reply).await.unwrap();
        assert_eq!(answer.await, Ok(expected));
    }
}

/// After the handle of an aborted task was awaited, nothing of the task is left.
pub async fn abort_that_is_awaited() {
    struct Guard(Arc<AtomicBool>);
    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let dropped = Arc::new(AtomicBool::new(false));
    let lock = Arc::new(Mutex::new(()));
    let task = tokio::spawn({
        let (guard, lock) = (Guard(dropped.clone()), lock.clone());
        async move {
            let _guard = guard;
            let _held = lock.lock().await;
            std::future::pending::<()>().await;
        }
    });
    yield_now().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(dropped.load(SeqCst));
    assert!(lock.try_lock().is_ok());
}

/// `recv` and `tick` lose nothing when `select!` drops them.
pub async fn cancel_safe_select_loop() {
    let (sender, mut inbox) = mpsc::channel(1);
    let sending = tokio::spawn(async move {
        for item in 1..=4 {
            sender.send(item).await.unwrap();
            sleep(Duration::from_millis(3)).await;
        }
    });
    let mut ticks = interval(Duration::from_millis(2));
    let (mut items, mut ticked) = (Vec::new(), 0);
    loop {
        tokio::select! {
            item = inbox.recv() => match item {
                Some(item) => items.push(item),
                None => break,
            },
            _ = ticks.tick() => ticked += 1,
        }
    }
    sending.await.unwrap();
    assert_eq!(items, [1, 2, 3, 4]);
    assert!(ticked >= 5);
}

/// Tasks of a local set never run in the middle of each other's polls, so `RefCell` is legal.
pub async fn rc_in_a_local_set() {
    let log = Rc::new(RefCell::new(Vec::new()));
    let local = LocalSet::new();
    let lock = Rc::new(Mutex::new(()));
    for number in 0..3 {
        let (log, lock) = (log.clone(), lock.clone());
        local.spawn_local(async move {
            {
                let mut entries = log.borrow_mut();
                drop(lock.try_lock()); // a scheduling point within the borrow
                entries.push(number);
            }
            yield_now().await;
            let child = spawn_local({
                let log = log.clone();
                async move { log.borrow_mut().push(number) }
            });
            child.await.unwrap();
        });
    }
    local.await;
    let mut log = log.borrow().clone();
    log.sort_unstable();
    assert_eq!(log, [0, 0, 1, 1, 2, 2]);
}

/// A closure on a thread sends with `blocking_send`, receives with `blocking_recv`, and blocks on a future.
pub async fn blocking_send_from_a_thread() {
    let (sender, mut inbox) = mpsc::channel(1);
    let (done, finished) = oneshot::channel();
    let handle = Handle::current();
    let thread = spawn_blocking(move || {
        for item in 0..3 {
            sender.blocking_send(item).unwrap();
        }
        handle.block_on(sleep(Duration::from_millis(1)));
        drop(sender);
        finished.blocking_recv().unwrap()
    });
    let mut items = Vec::new();
    while let Some(item) = inbox.recv().await {
        items.push(item);
    }
    done.send("done").unwrap();
    assert_eq!(thread.await.unwrap(), "done");
    assert_eq!(items, [0, 1, 2]);
}

/// Sets of tasks that have sets of tasks; a dropped set takes its tasks along.
pub async fn nested_join_sets() {
    let mut outer = JoinSet::new();
    for number in 0..3 {
        outer.spawn(async move {
            let mut inner = JoinSet::new();
            for digit in 0..3 {
                inner.spawn(async move {
                    yield_now().await;
                    number * 10 + digit
                });
            }
            inner.spawn(std::future::pending());
            let mut sum = 0;
            for _ in 0..3 {
                sum += inner.join_next().await.unwrap().unwrap();
            }
            sum
        });
    }
    let mut sums = Vec::new();
    while let Some(sum) = outer.join_next().await {
        sums.push(sum.unwrap());
    }
    sums.sort_unstable();
    assert_eq!(sums, [3, 33, 63]);
}

/// Permits may be forgotten by one and added by another, as a rate limiter does.
pub async fn forgotten_permits() {
    let tokens = Arc::new(Semaphore::new(1));
    tokio::spawn({
        let tokens = tokens.clone();
        async move {
            for _ in 0..3 {
                sleep(Duration::from_millis(10)).await;
                tokens.add_permits(1);
            }
        }
    });
    let start = Instant::now();
    for _ in 0..4 {
        tokens.acquire().await.unwrap().forget();
    }
    assert!(start.elapsed() >= Duration::from_millis(30));
    assert_eq!(tokens.available_permits(), 0);
}

/// Who waits for an event goes on, also if it is cleared at once; who comes later waits for the next.
pub async fn events_set_and_cleared() {
    let event = Arc::new(Event::new());
    let arrived = Arc::new(Semaphore::new(0));
    let mut waiters = JoinSet::new();
    for _ in 0..2 {
        let (event, arrived) = (event.clone(), arrived.clone());
        waiters.spawn(async move {
            let mut wait = std::pin::pin!(event.wait());
            assert!(futures_poll_once(wait.as_mut()).await.is_none());
            arrived.add_permits(1);
            wait.await;
        });
    }
    arrived.acquire_many(2).await.unwrap().forget();
    event.set();
    event.clear();
    waiters.join_all().await;
    assert!(!event.is_set());
    assert!(timeout(Duration::from_secs(1), event.wait()).await.is_err());
}

/// Polls a future once.
async fn futures_poll_once<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    std::future::poll_fn(|cx| {
        std::task::Poll::Ready(match std::pin::Pin::new(&mut future).poll(cx) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

/// A lock of std that is held over a scheduling point is contended, and nobody hangs.
pub async fn std_mutex_over_a_notify() {
    let shared = Arc::new((std::sync::Mutex::new(0), Notify::new()));
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let shared = shared.clone();
        tasks.spawn(async move {
            for _ in 0..2 {
                let mut count = shared.0.lock().unwrap();
                shared.1.notify_one();
                *count += 1;
            }
        });
    }
    tasks.join_all().await;
    assert_eq!(*shared.0.lock().unwrap(), 6);
    shared.1.notified().await;
}

tokio::task_local! {
    static REQUEST: u32;
}

/// Values of tasks stay with their tasks, whatever runs in between.
pub async fn task_local_values() {
    let mut tasks = JoinSet::new();
    let lock = Arc::new(Mutex::new(()));
    for number in 0..3 {
        let lock = lock.clone();
        tasks.spawn(REQUEST.scope(number, async move {
            for _ in 0..2 {
                assert_eq!(REQUEST.get(), number);
                drop(lock.lock().await);
                let nested = REQUEST.scope(number + 10, async {
                    yield_now().await;
                    REQUEST.get()
                });
                assert_eq!(nested.await, number + 10);
            }
        }));
    }
    tasks.join_all().await;
    assert!(REQUEST.try_with(|_| ()).is_err());
}

/// Ticks of an interval are as far apart as they should be.
pub async fn interval_ticks() {
    let period = Duration::from_millis(20);
    let start = Instant::now();
    let ticker = tokio::spawn(async move {
        let mut ticks = interval(period);
        ticks.tick().await;
        for _ in 0..4 {
            ticks.tick().await;
        }
    });
    ticker.await.unwrap();
    assert!(start.elapsed() >= period * 4);
    assert!(start.elapsed() < period * 5);
}

/// The order of a map is any, its content is not.
pub async fn hash_map_iteration() {
    let counts: HashMap<u32, u32> = (0..10).map(|key| (key, key * key)).collect();
    let mut tasks = JoinSet::new();
    for (key, square) in counts {
        tasks.spawn(async move { (key, square) });
    }
    let mut squares = tasks.join_all().await;
    squares.sort_unstable();
    assert!(squares.into_iter().eq((0..10).map(|key| (key, key * key))));
}

/// A panic that somebody looks at is no failure of the run.
pub async fn panic_seen_through_the_handle() {
    let lock = Arc::new(std::sync::Mutex::new(()));
    let task = tokio::spawn({
        let lock = lock.clone();
        async move {
            let _held = lock.lock().unwrap();
            panic!("as expected");
        }
    });
    let error = task.await.unwrap_err();
    assert!(error.is_panic());
    let payload = error.into_panic();
    assert_eq!(payload.downcast_ref(), Some(&"as expected"));
    assert!(lock.is_poisoned());
    let caught = std::panic::catch_unwind(|| panic!("caught at once"));
    assert!(caught.is_err());
}

/// A barrier lets all through together, again and again, and names one leader each time.
pub async fn barrier_with_one_leader() {
    let barrier = Arc::new(Barrier::new(3));
    let round = Arc::new(AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let (barrier, round) = (barrier.clone(), round.clone());
        tasks.spawn(async move {
            let mut led = 0;
            for number in 0..2 {
                assert_eq!(round.load(SeqCst), number);
                if barrier.wait().await.is_leader() {
                    led += 1;
                    round.fetch_add(1, SeqCst);
                }
                barrier.wait().await;
            }
            led
        });
    }
    assert_eq!(tasks.join_all().await.iter().sum::<u32>(), 2);
}

/// The twin of `full_inboxes_in_a_cycle`: a reply has a channel of its own, with a place for it.
pub async fn bounded_requests_with_replies() {
    let (requests, mut inbox) = mpsc::channel::<(u32, oneshot::Sender<u32>)>(1);
    let server = tokio::spawn(async move {
        while let Some((number, reply)) = inbox.recv().await {
            reply.send(number + 1).unwrap();
        }
    });
    let mut clients = JoinSet::new();
    for number in 0..3 {
        let requests = requests.clone();
        clients.spawn(async move {
            let (reply, answer) = oneshot::channel();
            requests.send((number, reply)).await.unwrap();
            assert_eq!(answer.await, Ok(number + 1));
        });
    }
    drop(requests);
    clients.join_all().await;
    server.await.unwrap();
}

/// The twin of `reply_to_nobody`: both sides know that the other may be gone.
pub async fn dropped_reply_is_an_error() {
    let (reply, answer) = oneshot::channel();
    let server = tokio::spawn(async move { reply.send(42) });
    let client = tokio::spawn(async move { timeout(Duration::ZERO, answer).await });
    match (server.await.unwrap(), client.await.unwrap()) {
        (Ok(()), Ok(answer)) => assert_eq!(answer, Ok(42)),
        (Ok(()), Err(_late)) => {}
        (Err(value), late) => assert!(value == 42 && late.is_err()),
    }
}
