//! tokio's tracker and documentation: locks, channels and cancellation as users get them wrong.

use super::{family, join_all};
use sim as tokio;
use std::{
    pin::pin,
    sync::{
        Arc, Mutex as StdMutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Barrier, Mutex, Notify, RwLock, Semaphore, broadcast, mpsc, watch},
    task::{JoinSet, spawn_blocking, yield_now},
    time::{Duration, sleep},
};

family! {
    "tokio";
    recursive_read: tasks(recursive_read::<false>) fixed(recursive_read::<true>),
        Deadlock, preemptions 1,
        Deadlock "acquire", "tokio #2849";
    futurelock: tasks(futurelock::<false>) fixed(futurelock::<true>),
        Deadlock, preemptions 0,
        Deadlock "acquire", "Oxide RFD 609; futures-locks #3";
    shutdown_notice_missed: tasks(shutdown_notice::<false>) fixed(shutdown_notice::<true>),
        LostWakeup, preemptions 0,
        Deadlock "main", "tokio #3825, #5896";
    two_notices_are_one: tasks(two_notices::<false>) fixed(two_notices::<true>),
        LostWakeup, preemptions 0,
        Deadlock "wait object", "tokio docs, Notify.notify_one";
    subscribed_after_the_send: tasks(late_subscriber::<false>) fixed(late_subscriber::<true>),
        LostWakeup, preemptions 0,
        Deadlock "receive object", "tokio docs, watch::Sender::subscribe";
    setting_sent_to_nobody: tasks(setting_to_nobody::<false>) fixed(setting_to_nobody::<true>),
        Swallowed, preemptions 0,
        Panic "the setting is lost", "tokio docs, watch::Sender::send and send_replace";
    forgotten_permit: tasks(forgotten_permit::<false>) fixed(forgotten_permit::<true>),
        Cancellation, preemptions 0 and cancellation,
        Deadlock "acquire", "tokio docs, SemaphorePermit::forget; #4618";
    reserved_while_waiting: tasks(reserved::<false>) fixed(reserved::<true>),
        Deadlock, preemptions 0,
        Deadlock "receive object", "tokio docs, mpsc::Sender::reserve";
    accepted_and_dropped: tasks(accepted_and_dropped::<false>) fixed(accepted_and_dropped::<true>),
        Order, preemptions 0,
        Panic "accepted and never seen", "tokio docs, mpsc::Receiver::close";
    half_read_message: tasks(half_read::<false>) fixed(half_read::<true>),
        Cancellation, preemptions 0 and cancellation,
        Panic "torn message", "tokio docs, select! and read_exact";
    aborted_between_writes: tasks(aborted_between::<false>) fixed(aborted_between::<true>),
        Cancellation, preemptions 0 and cancellation,
        Panic "half of a transfer", "tokio docs, JoinSet::abort_all";
    dropped_set_stops_the_work: tasks(dropped_set::<false>) fixed(dropped_set::<true>),
        Cancellation, preemptions 0 and cancellation,
        Panic "the log is not written", "tokio docs, JoinSet";
    dropped_handle_works_on: tasks(dropped_handle::<false>) fixed(dropped_handle::<true>),
        Cancellation, preemptions 0 and cancellation,
        Panic "charged twice", "tokio docs, JoinHandle";
    blocking_not_aborted: tasks(blocking_not_aborted::<false>) fixed(blocking_not_aborted::<true>),
        Cancellation, preemptions 0 and cancellation,
        SwallowedPanic "written after its end", "tokio docs, spawn_blocking";
    barrier_counts_the_cancelled: tasks(barrier_cancelled),
        Cancellation, preemptions 0 and cancellation,
        Panic "passed without the other", "tokio docs, Barrier::wait";
    lagged_receiver: tasks(lagged::<false>) fixed(lagged::<true>),
        Swallowed, preemptions 0,
        Panic "the sum is wrong", "tokio docs, broadcast, lagging";
    lock_held_over_send: tasks(lock_over_send::<false>) fixed(lock_over_send::<true>),
        Deadlock, preemptions 1,
        Deadlock "acquire", "tokio tutorial, shared state";
    mutex_and_rwlock_crossed: tasks(mutex_and_rwlock),
        Deadlock, preemptions 1,
        Deadlock "acquire", "tokio docs, RwLock::read";
}

/// A second read waits behind a writer that waits for the first.
async fn recursive_read<const ONCE: bool>() {
    let stock = Arc::new(RwLock::new(3));
    let writer = tokio::spawn({
        let stock = stock.clone();
        async move { *stock.write().await -= 1 }
    });
    let first = stock.read().await;
    if ONCE {
        let _ = *first + *first;
    } else {
        let second = stock.read().await;
        let _ = *first + *second;
    }
    drop(first);
    writer.await.unwrap();
}

/// A future that waits for the lock is kept, and not polled, while its task waits for the same lock.
async fn futurelock<const DROPPED: bool>() {
    let lock = Arc::new(Mutex::new(0));
    let holder = tokio::spawn({
        let lock = lock.clone();
        async move {
            let _held = lock.lock().await;
            sleep(Duration::from_millis(3)).await;
        }
    });
    sleep(Duration::from_millis(1)).await; // it holds the lock
    let add = async |amount: u32| *lock.lock().await += amount;
    {
        let mut first = pin!(add(1));
        let finished = tokio::select! {
            () = &mut first => true,
            () = sleep(Duration::from_millis(1)) => false,
        };
        if !finished && !DROPPED {
            add(2).await;
        }
    }
    if DROPPED {
        add(2).await;
    }
    holder.await.unwrap();
}

/// The notice comes while the loop is busy in its other branch, and is not kept.
async fn shutdown_notice<const KEPT: bool>() {
    let shutdown = Arc::new(Notify::new());
    let (ticks, mut ticking) = mpsc::channel(1);
    let worker = tokio::spawn({
        let shutdown = shutdown.clone();
        async move {
            let mut told = pin!(shutdown.notified());
            told.as_mut().enable();
            loop {
                if !KEPT {
                    told.set(shutdown.notified());
                }
                tokio::select! {
                    () = &mut told => return,
                    Some(()) = ticking.recv() => yield_now().await, // works
                }
            }
        }
    });
    ticks.send(()).await.unwrap();
    yield_now().await;
    if KEPT {
        shutdown.notify_one();
    } else {
        shutdown.notify_waiters();
    }
    worker.await.unwrap();
}

/// A second notification before the first was taken is the same one.
async fn two_notices<const DRAINS: bool>() {
    let arrived = Arc::new(Notify::new());
    let queue = Arc::new(StdMutex::new(Vec::new()));
    let consumer = tokio::spawn({
        let (arrived, queue) = (arrived.clone(), queue.clone());
        async move {
            let mut done = 0;
            while done < 2 {
                arrived.notified().await;
                if DRAINS {
                    done += queue.lock().unwrap().drain(..).count();
                } else {
                    done += usize::from(queue.lock().unwrap().pop().is_some());
                }
            }
        }
    });
    for item in 0..2 {
        queue.lock().unwrap().push(item);
        arrived.notify_one();
    }
    consumer.await.unwrap();
}

/// What was sent before it subscribed is no change to a receiver.
async fn late_subscriber<const LOOKS: bool>() {
    let state = Arc::new(watch::Sender::new("starting"));
    let waiter = tokio::spawn({
        let state = state.clone();
        async move {
            let mut changes = state.subscribe();
            if LOOKS {
                changes.wait_for(|state| *state == "ready").await.unwrap();
            } else {
                changes.changed().await.unwrap();
            }
        }
    });
    state.send_replace("ready");
    waiter.await.unwrap();
}

/// A `send` without receivers keeps nothing, and its error is ignored.
async fn setting_to_nobody<const REPLACES: bool>() {
    let level = Arc::new(watch::Sender::new(1));
    let setter = tokio::spawn({
        let level = level.clone();
        async move {
            if REPLACES {
                level.send_replace(2);
            } else {
                let _ = level.send(2);
            }
        }
    });
    let follower = tokio::spawn({
        let level = level.clone();
        async move { level.subscribe() }
    });
    let follower = follower.await.unwrap();
    setter.await.unwrap();
    assert_eq!(*follower.borrow(), 2, "the setting is lost");
}

/// The permit is forgotten now and given back later, if there is a later.
async fn forgotten_permit<const KEPT: bool>() {
    let slots = Arc::new(Semaphore::new(1));
    let job = tokio::spawn({
        let slots = slots.clone();
        async move {
            let permit = slots.acquire().await.unwrap();
            if KEPT {
                yield_now().await;
                drop(permit);
            } else {
                permit.forget();
                yield_now().await;
                slots.add_permits(1);
            }
        }
    });
    let handle = job.abort_handle();
    let canceller = tokio::spawn(async move { handle.abort() });
    let _ = job.await;
    canceller.await.unwrap();
    let _next = slots.acquire().await.unwrap();
}

/// A place in the output is held while the input is awaited, which has to pass the same channel first.
async fn reserved<const LATE: bool>() {
    let (output, mut results) = mpsc::channel(1);
    let (input, mut inputs) = mpsc::channel(1);
    let stage = tokio::spawn({
        let output = output.clone();
        async move {
            if LATE {
                let item: u32 = inputs.recv().await.unwrap();
                output.send(item).await.unwrap();
            } else {
                let place = output.reserve().await.unwrap();
                place.send(inputs.recv().await.unwrap());
            }
        }
    });
    let source = tokio::spawn(async move {
        output.send(0).await.unwrap(); // a header
        input.send(1).await.unwrap();
    });
    assert_eq!(results.recv().await.unwrap() + results.recv().await.unwrap(), 1);
    join_all([stage, source]).await;
}

/// The receiver goes away while messages are in the channel, whose senders were told that all is well.
async fn accepted_and_dropped<const DRAINS: bool>() {
    let (sender, mut inbox) = mpsc::channel(4);
    let stop = Arc::new(Notify::new());
    let worker = tokio::spawn({
        let stop = stop.clone();
        async move {
            let mut seen = 0;
            loop {
                tokio::select! {
                    Some(()) = inbox.recv() => seen += 1,
                    () = stop.notified() => break,
                }
            }
            inbox.close();
            while DRAINS && inbox.recv().await.is_some() {
                seen += 1;
            }
            seen
        }
    });
    let client = tokio::spawn(async move {
        let mut accepted = 0;
        for _ in 0..3 {
            accepted += u32::from(sender.send(()).await.is_ok());
        }
        accepted
    });
    stop.notify_one();
    let accepted = client.await.unwrap();
    assert_eq!(worker.await.unwrap(), accepted, "accepted and never seen");
}

/// `select!` drops `read_exact` after it has taken the first half from the pipe.
async fn half_read<const KEPT: bool>() {
    let (mut here, mut there) = tokio::io::duplex(2);
    let (beats, mut beating) = mpsc::channel(1);
    let writer = tokio::spawn(async move {
        for half in [b"ab", b"cd", b"ef", b"gh"] {
            there.write_all(half).await.unwrap();
        }
    });
    let heart = tokio::spawn(async move {
        let _ = beats.send(()).await;
    });
    let mut messages = Vec::new();
    'messages: loop {
        let mut message = [0; 4];
        let mut read = pin!(here.read_exact(&mut message));
        loop {
            tokio::select! {
                done = &mut read => match done {
                    Ok(_) => break,
                    Err(_) => break 'messages,
                },
                Some(()) = beating.recv() => if !KEPT {
                    continue 'messages;
                },
            }
        }
        messages.push(message);
    }
    join_all([writer, heart]).await;
    assert_eq!(messages, [*b"abcd", *b"efgh"], "torn message");
}

/// The set is aborted at its deadline, and with it the second half of a transfer.
async fn aborted_between<const ONE_STEP: bool>() {
    let accounts = Arc::new(StdMutex::new([10, 0]));
    let mut transfers = JoinSet::new();
    transfers.spawn({
        let accounts = accounts.clone();
        async move {
            if ONE_STEP {
                yield_now().await;
                let mut accounts = accounts.lock().unwrap();
                accounts[0] -= 1;
                accounts[1] += 1;
            } else {
                accounts.lock().unwrap()[0] -= 1;
                yield_now().await;
                accounts.lock().unwrap()[1] += 1;
            }
        }
    });
    let deadline = tokio::spawn(yield_now());
    tokio::select! {
        _ = transfers.join_next() => {}
        _ = deadline => transfers.abort_all(),
    }
    while transfers.join_next().await.is_some() {}
    assert_eq!(accounts.lock().unwrap().iter().sum::<i32>(), 10, "half of a transfer");
}

/// A set that goes out of scope aborts its tasks, also those that were meant to go on.
async fn dropped_set<const WAITS: bool>() {
    let written = Arc::new(AtomicBool::new(false));
    {
        let mut background = JoinSet::new();
        let written = written.clone();
        background.spawn(async move { written.store(true, SeqCst) });
        yield_now().await;
        if WAITS {
            background.join_next().await;
        }
    }
    sleep(Duration::from_millis(1)).await;
    assert!(written.load(SeqCst), "the log is not written");
}

/// The first attempt was given up, but its task goes on, beside the second.
async fn dropped_handle<const ABORTS: bool>() {
    let charged = Arc::new(AtomicU32::new(0));
    let attempt = || {
        let charged = charged.clone();
        tokio::spawn(async move {
            yield_now().await; // the network
            charged.fetch_add(1, SeqCst)
        })
    };
    let mut first = attempt();
    let gave_up = tokio::spawn(yield_now());
    let done = tokio::select! {
        _ = &mut first => true,
        _ = gave_up => false,
    };
    if !done {
        let cancelled = if ABORTS {
            first.abort();
            first.await.is_err()
        } else {
            true
        };
        if cancelled {
            attempt().await.unwrap();
        }
    }
    sleep(Duration::from_millis(1)).await;
    assert_eq!(charged.load(SeqCst), 1, "charged twice");
}

/// A blocking closure that has begun is not stopped by an abort.
async fn blocking_not_aborted<const WAITS: bool>() {
    let closed = Arc::new(AtomicBool::new(false));
    let turn = Arc::new(Notify::new());
    let write = spawn_blocking({
        let (closed, turn) = (closed.clone(), turn.clone());
        move || {
            turn.notify_one(); // the disk is slow
            assert!(!closed.load(SeqCst), "written after its end");
        }
    });
    if WAITS {
        write.await.unwrap();
    } else {
        write.abort();
    }
    closed.store(true, SeqCst);
    sleep(Duration::from_millis(1)).await;
}

/// One that is cancelled at the barrier stays counted.
async fn barrier_cancelled() {
    let barrier = Arc::new(Barrier::new(2));
    let prepared = Arc::new(AtomicU32::new(0));
    let worker = |prepares| {
        let (barrier, prepared) = (barrier.clone(), prepared.clone());
        async move {
            prepared.fetch_add(prepares, SeqCst);
            barrier.wait().await;
            assert_eq!(prepared.load(SeqCst), 2, "passed without the other");
        }
    };
    let impatient = tokio::spawn(worker(0));
    yield_now().await;
    impatient.abort();
    let _ = impatient.await;
    let mut workers = JoinSet::new();
    workers.spawn(worker(1));
    workers.spawn(worker(1));
    workers.join_next().await.unwrap().unwrap();
    workers.abort_all();
}

/// A receiver that is behind skips messages, and says so once.
async fn lagged<const SLOW: bool>() {
    let (sender, mut amounts) = broadcast::channel(2);
    let adder = tokio::spawn(async move {
        let mut sum = 0;
        loop {
            match amounts.recv().await {
                Ok(amount) => sum += amount,
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return sum,
            }
        }
    });
    for amount in 1..=3 {
        sender.send(amount).unwrap();
        if SLOW {
            sleep(Duration::from_millis(1)).await;
        }
    }
    drop(sender);
    assert_eq!(adder.await.unwrap(), 6, "the sum is wrong");
}

/// The channel is full, and its reader needs the lock that the sender holds.
async fn lock_over_send<const RELEASED: bool>() {
    let sent = Arc::new(Mutex::new(0));
    let (sender, mut inbox) = mpsc::channel(1);
    let reader = tokio::spawn({
        let sent = sent.clone();
        async move {
            let mut waiting = 0;
            while let Some(()) = inbox.recv().await {
                waiting = waiting.max(*sent.lock().await);
            }
        }
    });
    for _ in 0..3 {
        let mut sent = sent.lock().await;
        *sent += 1;
        if RELEASED {
            drop(sent);
            sender.send(()).await.unwrap();
        } else {
            sender.send(()).await.unwrap();
        }
    }
    drop(sender);
    reader.await.unwrap();
}

/// One locks and then writes, the other reads and then locks.
async fn mutex_and_rwlock() {
    let stock = Arc::new(RwLock::new(2));
    let till = Arc::new(Mutex::new(0));
    let sale = {
        let (stock, till) = (stock.clone(), till.clone());
        async move {
            let mut till = till.lock().await;
            *stock.write().await -= 1;
            *till += 1;
        }
    };
    let audit = async move {
        let stock = stock.read().await;
        assert_eq!(*stock + *till.lock().await, 2);
    };
    join_all([tokio::spawn(sale), tokio::spawn(audit)]).await;
}
