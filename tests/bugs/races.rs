//! Data races: plain memory that nothing orders. One run in which both accesses take place is enough.
//!
//! Each is told by [`Shared`] from what happens before what, also if the schedule kept the accesses apart, so
//! that the least number of preemptions is that of a run in which both take place.

use super::{family, in_threads, lock};
use sim::std::{
    cell::Shared,
    sync::{
        Condvar, Mutex, PoisonError, RwLock,
        atomic::{
            AtomicBool, AtomicU32,
            Ordering::{Acquire, Relaxed, Release, SeqCst},
        },
        mpsc,
    },
    thread,
};
use std::sync::Arc;

family! {
    "races";
    count_without_lock: threads(count::<false>) fixed(count::<true>),
        DataRace, preemptions 0,
        DataRace "nothing says which of them comes first", "Eraser, Savage et al. (TOCS 1997)";
    flag_without_order: threads(flag::<false>) fixed(flag::<true>),
        DataRace, preemptions 0,
        DataRace "nothing says which of them comes first", "loom docs, Relaxed; Boehm and Adve (PLDI 2008)";
    checked_twice: threads(checked_twice::<false>) fixed(checked_twice::<true>),
        DataRace, preemptions 0,
        DataRace "nothing says which of them comes first", "double-checked locking, Bacon et al. (2000); chess.lazyinit";
    written_after_spawn: threads(written_after_spawn::<false>) fixed(written_after_spawn::<true>),
        DataRace, preemptions 0,
        DataRace "nothing says which of them comes first", "Mozilla nsThread; Lu et al. (ASPLOS 2008)";
    two_locks_for_one: threads(two_locks::<false>) fixed(two_locks::<true>),
        DataRace, preemptions 0,
        DataRace "nothing says which of them comes first", "SCTBench, CS.wronglock_bad, as a data race";
    written_under_a_read_lock: threads(read_lock::<false>) fixed(read_lock::<true>),
        DataRace, preemptions 1,
        DataRace "nothing says which of them comes first", "Tu et al. (ASPLOS 2019), protection that fails";
    read_after_the_wait: threads(after_the_wait::<false>) fixed(after_the_wait::<true>),
        DataRace, preemptions 1,
        DataRace "nothing says which of them comes first", "Lampson and Redell, Mesa (1980)";
    sent_and_written: threads(sent_and_written::<false>) fixed(sent_and_written::<true>),
        DataRace, preemptions 0,
        DataRace "nothing says which of them comes first", "Tu et al. (ASPLOS 2019), message passing";
    last_one_out: threads(last_one_out::<false>) fixed(last_one_out::<true>),
        DataRace, preemptions 0,
        DataRace "nothing says which of them comes first", "loom's tests of Arc";
}

/// Two count, one of them without the lock.
fn count<const BOTH_LOCK: bool>() {
    let count = Shared::new(0);
    let guard = Mutex::new(());
    let add = |locks: bool| {
        let _guard = locks.then(|| lock(&guard));
        count.set(count.get() + 1);
    };
    in_threads(&[&|| add(true), &|| add(BOTH_LOCK)]);
}

/// A flag without an order does not publish what was written before it.
fn flag<const ORDERED: bool>() {
    let message = Shared::new(0);
    let sent = AtomicBool::new(false);
    let (write, read) = if ORDERED { (Release, Acquire) } else { (Relaxed, Relaxed) };
    let send = || {
        message.set(42);
        sent.store(true, write);
    };
    let receive = || {
        if sent.load(read) {
            assert_eq!(message.get(), 42);
        }
    };
    in_threads(&[&send, &receive]);
}

/// The first look is without the lock.
fn checked_twice<const UNDER_LOCK: bool>() {
    let value = Shared::new(None);
    let guard = Mutex::new(());
    let get = || {
        if UNDER_LOCK || value.get().is_none() {
            let _guard = lock(&guard);
            if value.get().is_none() {
                value.set(Some(42));
            }
        }
    };
    in_threads(&[&get, &get]);
}

/// What the new thread reads is written when it may run already.
fn written_after_spawn<const BEFORE: bool>() {
    let name = Arc::new(Shared::new("none"));
    if BEFORE {
        name.set("worker");
    }
    let reader = thread::spawn({
        let name = name.clone();
        move || name.get().len()
    });
    if !BEFORE {
        name.set("worker");
    }
    reader.join().unwrap();
}

/// Each takes a lock, and not the same one.
fn two_locks<const SAME: bool>() {
    let value = Shared::new(0);
    let (one, other) = (Mutex::new(()), Mutex::new(()));
    let add = |guard: &Mutex<()>| {
        let _guard = lock(guard);
        value.set(value.get() + 1);
    };
    in_threads(&[&|| add(&one), &|| add(if SAME { &one } else { &other })]);
}

/// Readers do not keep each other out, and one of them writes what it has found.
fn read_lock<const WRITES: bool>() {
    let found = Shared::new(0);
    let guard = RwLock::new(());
    let find = || {
        if WRITES {
            let _guard = guard.write().unwrap_or_else(PoisonError::into_inner);
            found.set(found.get() + 1);
        } else {
            let _guard = guard.read().unwrap_or_else(PoisonError::into_inner);
            found.set(found.get() + 1);
        }
    };
    in_threads(&[&find, &find]);
}

/// The lock is given back before what was waited for is read.
fn after_the_wait<const UNDER_LOCK: bool>() {
    let state = Shared::new(0);
    let (ready, changed) = (Mutex::new(false), Condvar::new());
    let work = || {
        for step in 1..=2 {
            let mut ready = lock(&ready);
            state.set(step);
            *ready = true;
            changed.notify_all();
        }
    };
    let look = || {
        let ready = changed.wait_while(lock(&ready), |ready| !*ready);
        if UNDER_LOCK {
            let _seen = state.get();
            drop(ready);
        } else {
            drop(ready);
            let _seen = state.get();
        }
    };
    in_threads(&[&work, &look]);
}

/// What was sent by reference is written again by its sender.
fn sent_and_written<const BEFORE: bool>() {
    let row = Arc::new(Shared::new(1));
    let (sender, receiver) = mpsc::channel::<Arc<Shared<i32>>>();
    let reader = thread::spawn(move || receiver.recv().unwrap().get());
    if BEFORE {
        row.set(2);
    }
    sender.send(row.clone()).unwrap();
    if !BEFORE {
        row.set(2);
    }
    reader.join().unwrap();
}

/// The last to let go frees what the others have written, and does not wait for their writes.
fn last_one_out<const ORDERED: bool>() {
    let value = Shared::new(1);
    let owners = AtomicU32::new(2);
    let order = if ORDERED { SeqCst } else { Relaxed };
    let release = || {
        let _last_use = value.get();
        if owners.fetch_sub(1, order) == 1 {
            value.set(0); // frees it
        }
    };
    in_threads(&[&release, &release]);
}
