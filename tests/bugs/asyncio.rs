//! asyncio's tracker and guides: what its locks got wrong about cancellation, and what its users do.
//!
//! The library's own mistakes are in small locks, written here as asyncio's are: a queue of futures, one
//! for each that waits. Plain state between two awaits is safe in asyncio, and no scheduling point here.

use super::{family, join_all};
use sim as tokio;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex as StdMutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};
use tokio::{
    sync::{Condvar, Event, Mutex, Notify, Semaphore, mpsc, oneshot},
    task::{JoinHandle, yield_now},
    time::{Duration, sleep},
};

family! {
    "asyncio";
    semaphore_wakeup_lost: tasks(semaphore_wakeup::<false>) fixed(semaphore_wakeup::<true>),
        LostWakeup, preemptions 0 and cancellation,
        Deadlock "receive object", "asyncio #270, cpython #90155";
    semaphore_overtaken: tasks(semaphore_overtaken),
        Order, preemptions 0,
        Panic "served out of turn", "cpython #90155 (bpo-45997)";
    condition_notify_lost: tasks(condition_notify::<false>) fixed(condition_notify::<true>),
        LostWakeup, preemptions 0 and cancellation,
        Deadlock "receive object", "cpython #112202";
    lock_given_to_the_cancelled: tasks(lock_hand_over::<false>) fixed(lock_hand_over::<true>),
        Cancellation, preemptions 0 and cancellation,
        Deadlock "receive object", "cpython bpo-27585, #1031";
    wait_for_hides_cancellation: tasks(wait_for_hides::<false>) fixed(wait_for_hides::<true>),
        Cancellation, preemptions 0 and cancellation,
        Deadlock "receive object", "cpython #86296 (bpo-42130)";
    wait_for_loses_result: tasks(wait_for_loses::<false>) fixed(wait_for_loses::<true>),
        Cancellation, preemptions 0 and cancellation,
        Panic "a connection is lost", "cpython bpo-37658";
    condition_without_recheck: tasks(condition_without_recheck) fixed(condition_with_recheck),
        Order, preemptions 0,
        Panic "woken for an item that is gone", "asyncio docs, Condition.wait";
    event_set_and_cleared: tasks(event_pulse),
        LostWakeup, preemptions 0,
        Deadlock "wait object", "asyncio docs, Event.clear";
    task_done_before_the_work: tasks(task_done::<false>) fixed(task_done::<true>),
        Order, preemptions 0,
        Panic "joined before all was done", "asyncio docs, Queue.task_done";
    task_done_skipped: tasks(task_done_skipped),
        Cancellation, preemptions 0 and cancellation,
        Deadlock "wait object", "asyncio docs, Queue.join";
    gather_leaves_siblings: tasks(gather_leaves::<false>) fixed(gather_leaves::<true>),
        Order, preemptions 0,
        SwallowedPanic "used after it was closed", "asyncio docs, gather; cpython #90908 (TaskGroup)";
    client_closed_in_use: tasks(client_closed::<false>) fixed(client_closed::<true>),
        Order, preemptions 0,
        Panic "the session is closed", "aiohttp docs, client session";
    throttle_exceeds_limit: tasks(throttle::<false>) fixed(throttle::<true>),
        Atomicity, preemptions 0,
        Panic "more calls than allowed", "asyncio guides, rate limiters";
    fetched_twice: tasks(fetched_twice),
        Atomicity, preemptions 0,
        Panic "fetched twice", "asyncio guides, cache stampede";
    first_error_hides_second: tasks(first_error),
        Swallowed, preemptions 0,
        SwallowedPanic "second", "asyncio docs, exceptions never retrieved; gather";
    error_never_retrieved: tasks(error_never_retrieved),
        Swallowed, preemptions 0,
        SwallowedError "disk full", "asyncio docs, exceptions never retrieved";
}

/// Those who wait, first come first served, as asyncio keeps them: one future each.
#[derive(Default)]
struct Waiters(StdMutex<VecDeque<oneshot::Sender<()>>>);

impl Waiters {
    fn add(&self) -> oneshot::Receiver<()> {
        let (waker, woken) = oneshot::channel();
        self.0.lock().unwrap().push_back(waker);
        woken
    }

    /// Wakes the first that has not gone away.
    fn wake_one(&self) -> bool {
        while let Some(waker) = self.pop() {
            if waker.send(()).is_ok() {
                return true;
            }
        }
        false
    }

    fn pop(&self) -> Option<oneshot::Sender<()>> {
        self.0.lock().unwrap().pop_front()
    }
}

/// Waits to be woken. A caller that is cancelled after it was woken does `pass_on`, if it is corrected.
async fn wait(woken: oneshot::Receiver<()>, pass_on: Option<impl FnOnce()>) {
    struct Turn<F: FnOnce()> {
        woken: oneshot::Receiver<()>,
        pass_on: Option<F>,
    }
    impl<F: FnOnce()> Drop for Turn<F> {
        fn drop(&mut self) {
            let Some(pass_on) = self.pass_on.take() else { return };
            self.woken.close();
            if self.woken.try_recv().is_ok() {
                pass_on();
            }
        }
    }
    let mut turn = Turn { woken, pass_on };
    (&mut turn.woken).await.unwrap();
    turn.pass_on = None;
}

/// Cancels `task` at some time.
fn cancel_sometime<T>(task: &JoinHandle<T>) -> JoinHandle<()> {
    let task = task.abort_handle();
    tokio::spawn(async move { task.abort() })
}

/// A woken waiter counts for nothing until it runs; if it is cancelled before, nobody is woken instead.
async fn semaphore_wakeup<const PASSES_ON: bool>() {
    #[derive(Default)]
    struct Slots {
        free: AtomicU32,
        waiters: Waiters,
    }
    let slots = Arc::new(Slots::default());
    let clients = [(); 2].map(|()| {
        let slots = slots.clone();
        tokio::spawn(async move {
            while slots.free.load(SeqCst) == 0 {
                let pass_on = PASSES_ON.then_some(|| {
                    slots.waiters.wake_one();
                });
                wait(slots.waiters.add(), pass_on).await;
            }
            slots.waiters.wake_one();
        })
    });
    sleep(Duration::from_millis(1)).await; // both wait
    let canceller = cancel_sometime(&clients[0]);
    slots.free.store(2, SeqCst);
    slots.waiters.wake_one();
    canceller.await.unwrap();
    let [first, second] = clients;
    let _ = first.await;
    second.await.unwrap();
}

/// A newcomer sees a free slot that was meant for one that has been woken and has not run yet.
async fn semaphore_overtaken() {
    #[derive(Default)]
    struct Slots {
        free: AtomicBool,
        waiters: Waiters,
        served: StdMutex<Vec<&'static str>>,
    }
    impl Slots {
        async fn serve(&self, client: &'static str) {
            while !self.free.swap(false, SeqCst) {
                self.waiters.add().await.unwrap();
            }
            self.served.lock().unwrap().push(client);
            self.free.store(true, SeqCst);
            self.waiters.wake_one();
        }
    }
    let slots = Arc::new(Slots::default());
    let client = |name| {
        let slots = slots.clone();
        tokio::spawn(async move { slots.serve(name).await })
    };
    let patient = client("patient");
    sleep(Duration::from_millis(1)).await; // it waits
    slots.free.store(true, SeqCst);
    slots.waiters.wake_one();
    let newcomer = client("newcomer");
    join_all([patient, newcomer]).await;
    assert_eq!(*slots.served.lock().unwrap(), ["patient", "newcomer"], "served out of turn");
}

/// The one that was notified is cancelled; the other waits for ever beside the item.
async fn condition_notify<const PASSES_ON: bool>() {
    #[derive(Default)]
    struct Shelf {
        items: Mutex<u32>,
        changed: Waiters,
    }
    impl Shelf {
        async fn put(&self) {
            *self.items.lock().await += 1;
            self.changed.wake_one();
        }

        async fn take<const PASSES_ON: bool>(&self) {
            loop {
                let woken = {
                    let mut items = self.items.lock().await;
                    if *items > 0 {
                        *items -= 1;
                        return;
                    }
                    self.changed.add()
                };
                wait(
                    woken,
                    PASSES_ON.then_some(|| {
                        self.changed.wake_one();
                    }),
                )
                .await;
            }
        }
    }
    let shelf = Arc::new(Shelf::default());
    let takers = [(); 2].map(|()| {
        let shelf = shelf.clone();
        tokio::spawn(async move { shelf.take::<PASSES_ON>().await })
    });
    sleep(Duration::from_millis(1)).await; // both wait
    let canceller = cancel_sometime(&takers[0]);
    shelf.put().await;
    canceller.await.unwrap();
    let [first, second] = takers;
    if first.await.is_ok() {
        shelf.put().await;
    }
    second.await.unwrap();
}

/// The lock goes from hand to hand; a task that is cancelled before it runs never gives it on.
async fn lock_hand_over<const PASSES_ON: bool>() {
    #[derive(Default)]
    struct Lock {
        taken: AtomicBool,
        waiters: Waiters,
    }
    impl Lock {
        async fn acquire<const PASSES_ON: bool>(&self) {
            if self.taken.swap(true, SeqCst) {
                wait(self.waiters.add(), PASSES_ON.then_some(|| self.release())).await;
            }
        }

        fn release(&self) {
            if !self.waiters.wake_one() {
                self.taken.store(false, SeqCst);
            }
        }
    }
    let lock = Arc::new(Lock::default());
    lock.acquire::<PASSES_ON>().await;
    let users = [(); 3].map(|()| {
        let lock = lock.clone();
        tokio::spawn(async move {
            lock.acquire::<PASSES_ON>().await;
            lock.release();
        })
    });
    sleep(Duration::from_millis(1)).await; // all wait
    let canceller = cancel_sometime(&users[1]);
    lock.release();
    canceller.await.unwrap();
    for user in users {
        let _ = user.await;
    }
}

/// A cancellation that comes together with the result is forgotten: the loop goes on, and waits.
async fn wait_for_hides<const TELLS: bool>() {
    struct Cancelled;
    async fn wait_for<const TELLS: bool>(
        inbox: &mut mpsc::Receiver<u32>,
        cancel: &Notify,
    ) -> Result<Option<u32>, Cancelled> {
        tokio::select! {
            biased;
            () = cancel.notified() => match inbox.try_recv() {
                Ok(item) if !TELLS => Ok(Some(item)),
                _ => Err(Cancelled),
            },
            item = inbox.recv() => Ok(item),
        }
    }
    let (sender, mut inbox) = mpsc::channel(1);
    let cancel = Arc::new(Notify::new());
    let worker = tokio::spawn({
        let cancel = cancel.clone();
        async move { while let Ok(Some(_item)) = wait_for::<TELLS>(&mut inbox, &cancel).await {} }
    });
    sender.send(1).await.unwrap();
    cancel.notify_one();
    worker.await.unwrap();
    drop(sender);
}

/// What the future had got already goes with it.
async fn wait_for_loses<const GIVES_BACK: bool>() {
    struct Connection<'a> {
        id: u32,
        idle: Option<&'a StdMutex<Vec<u32>>>,
    }
    impl Drop for Connection<'_> {
        fn drop(&mut self) {
            if let Some(idle) = self.idle {
                idle.lock().unwrap().push(self.id);
            }
        }
    }
    let idle = Arc::new(StdMutex::new(vec![1]));
    let client = tokio::spawn({
        let idle = idle.clone();
        async move {
            let Some(id) = idle.lock().unwrap().pop() else { return };
            let mut connection = Connection { id, idle: GIVES_BACK.then_some(&*idle) };
            yield_now().await; // asks whether it is still alive
            connection.idle = Some(&*idle);
        }
    });
    let canceller = cancel_sometime(&client);
    let _ = client.await;
    canceller.await.unwrap();
    assert_eq!(idle.lock().unwrap().len(), 1, "a connection is lost");
}

/// All are woken, and the second finds nothing, but does not look.
async fn condition_without_recheck() {
    let shelf = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let takers = [(); 2].map(|()| {
        let shelf = shelf.clone();
        tokio::spawn(async move {
            let mut items = shelf.0.lock().await;
            if items.is_empty() {
                items = shelf.1.wait(items).await;
            }
            items.pop().expect("woken for an item that is gone")
        })
    });
    sleep(Duration::from_millis(1)).await; // both wait
    for item in 1..=2 {
        shelf.0.lock().await.push(item);
        shelf.1.notify_all();
        yield_now().await; // makes the next one
    }
    join_all(takers).await;
}

/// The twin of [`condition_without_recheck`].
async fn condition_with_recheck() {
    let shelf = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
    let takers = [(); 2].map(|()| {
        let shelf = shelf.clone();
        tokio::spawn(async move {
            let items = shelf.0.lock().await;
            let mut items = shelf.1.wait_while(items, |items| items.is_empty()).await;
            items.pop().unwrap()
        })
    });
    sleep(Duration::from_millis(1)).await; // both wait
    for item in 1..=2 {
        shelf.0.lock().await.push(item);
        shelf.1.notify_all();
        yield_now().await; // makes the next one
    }
    join_all(takers).await;
}

/// A pulse is felt only by those who wait already.
async fn event_pulse() {
    let started = Arc::new(Event::new());
    let waiter = tokio::spawn({
        let started = started.clone();
        async move { started.wait().await }
    });
    started.set();
    started.clear();
    waiter.await.unwrap();
}

/// A queue that knows how many of its jobs are not done yet.
#[derive(Default)]
struct Jobs {
    unfinished: AtomicU32,
    all_done: Notify,
}

impl Jobs {
    fn task_done(&self) {
        if self.unfinished.fetch_sub(1, SeqCst) == 1 {
            self.all_done.notify_one();
        }
    }

    async fn join(&self) {
        while self.unfinished.load(SeqCst) > 0 {
            self.all_done.notified().await;
        }
    }
}

/// The worker says that a job is done when it has taken it.
async fn task_done<const AFTERWARDS: bool>() {
    let jobs = Arc::new(Jobs { unfinished: AtomicU32::new(2), ..Jobs::default() });
    let done = Arc::new(AtomicU32::new(0));
    let worker = tokio::spawn({
        let (jobs, done) = (jobs.clone(), done.clone());
        async move {
            for _job in 0..2 {
                if !AFTERWARDS {
                    jobs.task_done();
                }
                yield_now().await; // works on it
                done.fetch_add(1, SeqCst);
                if AFTERWARDS {
                    jobs.task_done();
                }
            }
        }
    });
    jobs.join().await;
    assert_eq!(done.load(SeqCst), 2, "joined before all was done");
    worker.await.unwrap();
}

/// A worker that is cancelled within a job does not say that it is done, and nobody else will.
async fn task_done_skipped() {
    let jobs = Arc::new(Jobs { unfinished: AtomicU32::new(2), ..Jobs::default() });
    let (sender, inbox) = mpsc::channel(2);
    sender.send(1).await.unwrap();
    sender.send(2).await.unwrap();
    let inbox = Arc::new(Mutex::new(inbox));
    let worker = || {
        let (jobs, inbox) = (jobs.clone(), inbox.clone());
        tokio::spawn(async move {
            loop {
                let _job = inbox.lock().await.recv().await;
                yield_now().await; // works on it
                jobs.task_done();
            }
        })
    };
    let workers = [worker(), worker()];
    let canceller = cancel_sometime(&workers[0]);
    jobs.join().await;
    canceller.await.unwrap();
    workers[1].abort();
}

/// The first error ends the wait, not the other task.
async fn gather_leaves<const CANCELS: bool>() {
    let open = Arc::new(AtomicBool::new(true));
    let fails = tokio::spawn(async { Err::<(), _>("no route") });
    let works = tokio::spawn({
        let open = open.clone();
        async move {
            yield_now().await;
            assert!(open.load(SeqCst), "used after it was closed");
            Ok(())
        }
    });
    let sibling = works.abort_handle();
    let both = async {
        tokio::try_join!(async { fails.await.unwrap() }, async { works.await.unwrap_or(Ok(())) })
    };
    if both.await.is_err() && CANCELS {
        sibling.abort();
    }
    open.store(false, SeqCst);
    sleep(Duration::from_millis(1)).await;
}

/// Who leaves first closes what the other still uses.
async fn client_closed<const COUNTS: bool>() {
    let users = Arc::new(AtomicU32::new(0));
    let requests = [(); 2].map(|()| {
        let users = users.clone();
        tokio::spawn(async move {
            users.fetch_add(1, SeqCst);
            yield_now().await; // the request
            assert!(users.load(SeqCst) > 0, "the session is closed");
            if COUNTS {
                users.fetch_sub(1, SeqCst);
            } else {
                users.store(0, SeqCst);
            }
        })
    });
    join_all(requests).await;
}

/// A call is counted only after it has waited for its connection.
async fn throttle<const PERMITS: bool>() {
    let running = Arc::new(AtomicU32::new(0));
    let permits = Arc::new(Semaphore::new(if PERMITS { 2 } else { 3 }));
    let calls = [(); 3].map(|()| {
        let (running, permits) = (running.clone(), permits.clone());
        tokio::spawn(async move {
            let _permit = permits.acquire().await.unwrap();
            while running.load(SeqCst) >= 2 {
                yield_now().await;
            }
            yield_now().await; // connects
            let now = running.fetch_add(1, SeqCst) + 1;
            assert!(now <= 2, "more calls than allowed");
            yield_now().await; // calls
            running.fetch_sub(1, SeqCst);
        })
    });
    join_all(calls).await;
}

/// All that miss the cache at once go and fetch.
async fn fetched_twice() {
    let cached = Arc::new(StdMutex::new(None));
    let fetches = Arc::new(AtomicU32::new(0));
    let readers = [(); 2].map(|()| {
        let (cached, fetches) = (cached.clone(), fetches.clone());
        tokio::spawn(async move {
            if cached.lock().unwrap().is_none() {
                let page = fetches.fetch_add(1, SeqCst);
                yield_now().await; // the network
                *cached.lock().unwrap() = Some(page);
            }
        })
    });
    join_all(readers).await;
    assert_eq!(fetches.load(SeqCst), 1, "fetched twice");
}

/// The first failure is returned, and the handle that would have told of the second is dropped.
async fn first_error() {
    let broken = Arc::new(AtomicBool::new(false));
    let [first, second] = ["first", "second"].map(|name| {
        let broken = broken.clone();
        tokio::spawn(async move {
            if name == "first" {
                broken.store(true, SeqCst);
                return Err("first");
            }
            yield_now().await;
            assert!(!broken.load(SeqCst), "{name}");
            Ok(())
        })
    });
    if first.await.unwrap().is_ok() {
        second.await.unwrap().unwrap();
    }
    sleep(Duration::from_millis(1)).await;
}

/// The task's error goes with its handle.
async fn error_never_retrieved() {
    let full = Arc::new(AtomicBool::new(false));
    drop(tokio::spawn({
        let full = full.clone();
        async move { if full.load(SeqCst) { Err("disk full") } else { Ok(()) } }
    }));
    full.store(true, SeqCst);
    sleep(Duration::from_millis(1)).await;
}
