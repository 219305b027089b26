//! One typical program for each kind of failure, whose reports are kept as snapshots. They stand apart, and new ones
//! at the end, so that the lines which the reports name stay what they are.

use sim as tokio;
use sim::{
    history::{
        Recorder,
        models::{Register, RegisterOp, RegisterRet},
    },
    std::{cell::Shared, thread},
};
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicI64, Ordering::SeqCst},
};
use tokio::{
    spawn,
    sync::{Mutex, RwLock, Semaphore, mpsc, oneshot},
    task::yield_now,
    time::{Duration, sleep},
};

const SECOND: Duration = Duration::from_secs(1);

/// Main panics.
pub async fn panic() {
    sleep(SECOND).await;
    let stock = Mutex::new(3);
    let left = *stock.lock().await - 3;
    assert!(left > 0, "{left} are left");
}

/// A task panics, and main unwraps what its handle gives.
pub async fn panic_of_a_task() {
    let worker = spawn(async {
        sleep(SECOND).await;
        panic!("the worker is broken");
    });
    worker.await.unwrap()
}

/// Main gives an error.
pub async fn error() -> Result<(), String> {
    sleep(SECOND).await;
    Err("no such order".into())
}

/// Two tasks take two locks in both orders.
pub async fn deadlock() {
    let (accounts, log) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (accounts2, log2) = (accounts.clone(), log.clone());
    let transfer = spawn(async move {
        let _accounts = accounts.lock().await;
        sleep(SECOND).await;
        *log.lock().await += 1;
    });
    let report = spawn(async move {
        let _log = log2.lock().await;
        sleep(SECOND).await;
        *accounts2.lock().await += 1;
    });
    transfer.await.unwrap();
    report.await.unwrap();
}

/// A reader that reads again behind a writer, while a clock ticks on.
pub async fn deadlock_of_some() {
    spawn(async {
        loop {
            sleep(7 * SECOND).await;
        }
    });
    let table = Arc::new(RwLock::new(0));
    let reading = table.read().await;
    let table2 = table.clone();
    let writer = spawn(async move { *table2.write().await += 1 });
    sleep(SECOND).await;
    let again = table.read().await;
    drop((reading, again));
    writer.await.unwrap();
}

/// Two tasks that wait by looking.
pub async fn livelock() {
    let flags = Arc::new([AtomicBool::new(false), AtomicBool::new(false)]);
    let tasks = [0, 1].map(|me| {
        let flags = flags.clone();
        spawn(async move {
            while !flags[1 - me].load(SeqCst) {
                yield_now().await;
            }
            flags[me].store(true, SeqCst);
        })
    });
    for task in tasks {
        task.await.unwrap();
    }
}

/// Nobody has the handle.
pub async fn swallowed_panic() {
    spawn(async {
        sleep(SECOND).await;
        panic!("the cache is cold");
    });
    sleep(2 * SECOND).await;
}

/// Who has the handle does not look at what it gives.
pub async fn ignored_panic() {
    let worker = spawn(async { panic!("the worker is broken") });
    let _: Result<(), _> = worker.await;
}

/// A receipt that was not written.
pub async fn swallowed_error() {
    let receipt = spawn(async { Err::<(), _>("no paper".to_string()) });
    sleep(SECOND).await;
    drop(receipt);
}

/// A lock that is kept for ever, and a permit that nobody can give back.
pub async fn leaked() {
    let table = Arc::new(Mutex::new(0));
    let slots = Arc::new(Semaphore::new(1));
    spawn(async move {
        let _table = table.lock().await;
        std::future::pending::<()>().await;
    });
    slots.acquire().await.unwrap().forget();
    spawn(async move {
        let _slot = slots.acquire().await;
    });
    sleep(SECOND).await;
}

/// Two locks in both orders, at times that do not meet.
pub async fn lock_order() {
    let (accounts, log) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let (accounts2, log2) = (accounts.clone(), log.clone());
    let transfer = spawn(async move {
        let _accounts = accounts.lock().await;
        *log.lock().await += 1;
        sleep(2 * SECOND).await;
    });
    let report = spawn(async move {
        sleep(SECOND).await;
        let _log = log2.lock().await;
        *accounts2.lock().await += 1;
    });
    transfer.await.unwrap();
    report.await.unwrap();
}

/// A loop that waits for another task and gives it no turn.
pub async fn blocked_poll() {
    let ready = Arc::new(AtomicBool::new(false));
    let set = ready.clone();
    let setter = spawn(async move {
        sleep(SECOND).await;
        set.store(true, SeqCst);
    });
    let waiter = spawn(async move {
        yield_now().await;
        while !ready.load(SeqCst) {
            std::hint::spin_loop();
        }
    });
    waiter.await.unwrap();
    setter.await.unwrap();
}

/// A lock of another library, taken twice.
pub async fn escape() {
    let lock = parking_lot::Mutex::new(0);
    let _guard = lock.lock();
    *lock.lock() += 1;
}

/// What is always to be so is not.
pub async fn property() {
    let (debit, credit) = (3, 4);
    sleep(SECOND).await;
    sim::assert_always!(debit == credit, "the books balance", "debit {debit}, credit {credit}");
}

/// What is to be so after each step is not, for a moment.
pub async fn invariant() {
    let accounts = Arc::new([AtomicI64::new(100), AtomicI64::new(0)]);
    let watched = accounts.clone();
    let _kept = sim::invariant("money is kept", move || {
        let sum: i64 = watched.iter().map(|account| account.load(SeqCst)).sum();
        if sum == 100 { Ok(()) } else { Err(format!("there are {sum}")) }
    });
    let transfer = spawn(async move {
        accounts[0].fetch_sub(10, SeqCst);
        yield_now().await;
        accounts[1].fetch_add(10, SeqCst);
    });
    transfer.await.unwrap();
}

/// An answer that does not come.
pub async fn late() {
    let (requests, mut inbox) = mpsc::channel::<oneshot::Sender<u32>>(1);
    spawn(async move {
        let mut kept = Vec::new();
        while let Some(reply) = inbox.recv().await {
            kept.push(reply);
        }
    });
    let (reply, answer) = oneshot::channel();
    requests.send(reply).await.unwrap();
    let _ = sim::within(30 * SECOND, "an answer", answer).await;
}

/// A read that does not see a write that was done.
pub async fn history() {
    let history = Recorder::new();
    let write = async { RegisterRet::Written };
    history.call("ann", RegisterOp::Write(5), write).await;
    sleep(SECOND).await;
    let read = async { RegisterRet::Value(0) };
    history.call("bob", RegisterOp::Read, read).await;
    history.check(Register::new(0));
}

/// A test that does not get to what it is for.
pub async fn unreached() {
    let attempts = 1;
    sim::assert_sometimes!(attempts > 1, "a request is tried again");
}

/// Two threads write, and nothing orders them.
pub async fn data_race() {
    let count = Arc::new(Shared::new(0));
    let threads = [(); 2].map(|()| {
        let count = count.clone();
        thread::spawn(move || count.with_mut(|count| *count += 1))
    });
    for thread in threads {
        thread.join().unwrap();
    }
}

/// Goes on for ever.
pub async fn no_end() {
    loop {
        sleep(SECOND).await;
    }
}

/// A recursion without end.
pub async fn stack_overflow() {
    #[allow(unconditional_recursion)]
    fn deeper(depth: u64) -> u64 {
        std::hint::black_box([depth; 100]);
        deeper(depth + 1) + std::hint::black_box(depth)
    }
    spawn(async { deeper(0) }).await.unwrap();
}

/// Ends the process.
pub async fn abort() {
    sleep(SECOND).await;
    std::process::abort()
}
