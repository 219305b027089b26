//! Programs of papers and guides, and of real servers as papers tell them; shuttle's demonstrations.

use super::{family, in_threads, join_all, lock};
use sim as tokio;
use sim::std::{
    sync::{
        Barrier, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};
use std::sync::Arc;
use tokio::sync::{RwLock, Semaphore};

family! {
    "papers";
    used_before_made: threads(used_before_made),
        Order, preemptions 0,
        Panic "not made yet", "Burckhardt et al., PCT (ASPLOS 2010), figure 1a";
    checked_and_gone: threads(checked_and_gone),
        Atomicity, preemptions 1,
        Panic "gone after the check", "Burckhardt et al., PCT (ASPLOS 2010), figure 1b";
    locks_crossed_late: threads(locks_crossed_late),
        Deadlock, preemptions 1,
        Deadlock "acquire", "Burckhardt et al., PCT (ASPLOS 2010), figure 1c";
    short_thread_last: threads(short_thread_last),
        Order, preemptions 0,
        Panic "the short one is the last", "PCT, figure 5; Zhao et al., SURW (ASPLOS 2025)";
    first_spawned_last: threads(first_spawned_last),
        Order, preemptions 0,
        Panic "the first is the last", "Zhao et al., SURW (ASPLOS 2025); shuttle's demo surw";
    semaphore_3x2: tasks(semaphore::<3, 2, false>) fixed(semaphore::<3, 2, true>),
        Deadlock, preemptions 2,
        Deadlock "acquire", "shuttle's and SURW's measurements; Dijkstra (1965)";
    bounded_buffer: threads(bounded_buffer::<false>) fixed(bounded_buffer::<true>),
        LostWakeup, preemptions 0,
        Deadlock "papers.rs", "SCTBench, inspect.boundedBuffer; Cargill's challenge; shuttle's demo";
    guard_of_a_match: tasks(guard_of_a_match::<false>) fixed(guard_of_a_match::<true>),
        Deadlock, preemptions 1,
        Deadlock "acquire", "shuttle's demo async_match_deadlock";
    park_token_taken: threads(park_token_taken::<false>) fixed(park_token_taken::<true>),
        LostWakeup, preemptions 1,
        Deadlock "wait object", "std docs, thread::park; loom's tests of park";
    barrier_reused: threads(barrier_reused),
        Atomicity, preemptions 0,
        Deadlock "papers.rs", "Downey, The Little Book of Semaphores, barrier non-solution";
    wait_without_predicate: threads(wait_without_predicate),
        LostWakeup, preemptions 0,
        Deadlock "papers.rs", "Lampson and Redell, Mesa (1980); loom's condvar tests";
    stringbuffer: threads(stringbuffer::<false>) fixed(stringbuffer::<true>),
        Atomicity, preemptions 2,
        Panic "out of range", "JDK 1.4 StringBuffer.append; Flanagan and Qadeer (PLDI 2003)";
    log_rotated_away: threads(log_rotated::<false>) fixed(log_rotated::<true>),
        Atomicity, preemptions 1,
        Panic "a record is lost", "MySQL#791; Lu et al. (ASPLOS 2008)";
    thread_before_its_handle: threads(thread_before_its_handle),
        Order, preemptions 1,
        Panic "no handle yet", "Mozilla nsThread; Lu et al. (ASPLOS 2008)";
    queue_freed_in_use: threads(queue_freed),
        Order, preemptions 0,
        Panic "the queue is gone", "pbzip2; SCTBench, conc-bugs; Yu and Narayanasamy (ISCA 2009)";
    end_not_awaited: threads(end_not_awaited::<false>) fixed(end_not_awaited::<true>),
        Order, preemptions 0,
        Panic "read before the end", "SCTBench, splash2.fft, lu and barnes";
    saved_before_written: threads(saved_before_written),
        Order, preemptions 1,
        Panic "the log is ahead", "aget; SCTBench, conc-bugs.aget-bug2";
}

/// One makes it, the other uses it.
fn used_before_made() {
    let cell = Mutex::new(None);
    let make = || *lock(&cell) = Some(1);
    let user = || {
        let _used: i32 = lock(&cell).expect("not made yet");
    };
    in_threads(&[&make, &user]);
}

/// A check and a use in the middle of many steps, against one step of the other.
fn checked_and_gone() {
    let there = AtomicBool::new(true);
    let user = || {
        for _step in 0..8 {
            there.load(SeqCst);
        }
        if there.load(SeqCst) {
            assert!(there.load(SeqCst), "gone after the check");
        }
    };
    let taker = || {
        let own = AtomicU32::new(0);
        (0..8).for_each(|step| own.store(step, SeqCst));
        there.store(false, SeqCst);
    };
    in_threads(&[&user, &taker]);
}

/// Two locks in opposite order, after some steps.
fn locks_crossed_late() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let both = |first: &Mutex<u32>, second: &Mutex<u32>| {
        let own = AtomicU32::new(0);
        (0..6).for_each(|step| own.store(step, SeqCst));
        let _first = lock(first);
        *lock(second) += 1;
    };
    in_threads(&[&|| both(&a, &b), &|| both(&b, &a)]);
}

/// One step of one against twenty-five of the other.
fn short_thread_last() {
    let steps = AtomicU32::new(0);
    let short = || assert!(steps.load(SeqCst) < 25, "the short one is the last");
    let long = || {
        for _ in 0..25 {
            steps.fetch_add(1, SeqCst);
        }
    };
    in_threads(&[&short, &long]);
}

/// The first of many threads has to come after all that were made after it.
fn first_spawned_last() {
    let done = AtomicU32::new(0);
    let first = || assert!(done.load(SeqCst) < 10, "the first is the last");
    let other = || {
        done.fetch_add(1, SeqCst);
    };
    let mut bodies: Vec<&(dyn Fn() + Sync)> = vec![&first];
    bodies.extend([&other as &(dyn Fn() + Sync); 10]);
    in_threads(&bodies);
}

/// As many permits as users, of which each needs several and takes one by one.
async fn semaphore<const USERS: usize, const NEEDED: u32, const TOGETHER: bool>() {
    let permits = Arc::new(Semaphore::new(USERS));
    let users = [(); USERS].map(|()| {
        let permits = permits.clone();
        tokio::spawn(async move {
            if TOGETHER {
                drop(permits.acquire_many(NEEDED).await.unwrap());
                return;
            }
            let mut held = Vec::new();
            for _ in 0..NEEDED {
                held.push(permits.acquire().await.unwrap());
            }
        })
    });
    join_all(users).await;
}

/// Those who put and those who take wait for one condition, and one of them is woken.
fn bounded_buffer<const ALL: bool>() {
    let items = Mutex::new(0);
    let changed = Condvar::new();
    let wake = || if ALL { changed.notify_all() } else { changed.notify_one() };
    let wait = |items| changed.wait(items).unwrap_or_else(PoisonError::into_inner);
    let put = || {
        for _ in 0..2 {
            let mut items: MutexGuard<'_, u32> = lock(&items);
            while *items == 1 {
                items = wait(items);
            }
            *items += 1;
            wake();
        }
    };
    let take = || {
        for _ in 0..2 {
            let mut items: MutexGuard<'_, u32> = lock(&items);
            while *items == 0 {
                items = wait(items);
            }
            *items -= 1;
            wake();
        }
    };
    in_threads(&[&put, &put, &take, &take]);
}

/// What is matched on keeps its guard to the end of the match.
async fn guard_of_a_match<const BOUND: bool>() {
    let state = Arc::new(RwLock::new(1));
    let updater = tokio::spawn({
        let state = state.clone();
        async move { *state.write().await += 1 }
    });
    let reader = tokio::spawn(async move {
        if BOUND {
            let seen = *state.read().await;
            if seen > 0 {
                let _again = *state.read().await;
            }
        } else {
            match *state.read().await {
                0 => {}
                _ => drop(state.read().await),
            }
        }
    });
    join_all([updater, reader]).await;
}

/// Two tokens of `unpark` are one; the wait for the lock takes it, and the wait for the signal has none.
fn park_token_taken<const LOOKS: bool>() {
    let (locked, signalled) = (AtomicBool::new(true), AtomicBool::new(false));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            while locked.load(SeqCst) {
                thread::park();
            }
            if LOOKS {
                while !signalled.load(SeqCst) {
                    thread::park();
                }
            } else {
                thread::park();
            }
        });
        locked.store(false, SeqCst);
        waiter.thread().unpark();
        signalled.store(true, SeqCst);
        waiter.thread().unpark();
    });
}

/// A barrier that counts to its end and starts again, while the slow are still on their way out.
fn barrier_reused() {
    let arrived = Mutex::new(0);
    let all_are_here = Condvar::new();
    let wait = || {
        let mut count = lock(&arrived);
        *count += 1;
        if *count == 2 {
            all_are_here.notify_all();
            return;
        }
        while *count < 2 {
            count = all_are_here.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
        *count = 0; // for the next round
    };
    let work = || (0..2).for_each(|_round| wait());
    in_threads(&[&work, &work]);
}

/// A notification that comes before the wait is lost, and nothing else says that it came.
fn wait_without_predicate() {
    let (state, changed) = (Mutex::new(()), Condvar::new());
    let wait = || drop(changed.wait(lock(&state)));
    let notify = || {
        let _state = lock(&state);
        changed.notify_one();
    };
    in_threads(&[&wait, &notify]);
}

/// The length is asked for and the characters are copied, each under the lock, and not both.
fn stringbuffer<const ONE_STEP: bool>() {
    let buffer = Mutex::new(String::from("abc"));
    let append = || {
        if ONE_STEP {
            let _copy = lock(&buffer).clone();
            return;
        }
        let length = lock(&buffer).len();
        let buffer = lock(&buffer);
        let _copy = buffer.get(..length).expect("out of range");
    };
    let rewrite = || {
        lock(&buffer).clear();
        lock(&buffer).push_str("abc");
    };
    in_threads(&[&append, &rewrite]);
}

/// The log is closed and opened again; who writes in between finds no log, and writes nothing.
fn log_rotated<const ONE_STEP: bool>() {
    let log = Mutex::new(Some(0));
    let rotate = || {
        if ONE_STEP {
            *lock(&log) = Some(0);
        } else {
            lock(&log).take();
            *lock(&log) = Some(0);
        }
    };
    let write = || {
        let mut log = lock(&log);
        let records = log.as_mut().expect("a record is lost");
        *records += 1;
    };
    in_threads(&[&rotate, &write]);
}

/// The thread runs before the one that made it has stored its handle.
fn thread_before_its_handle() {
    let handle = Arc::new(Mutex::new(None));
    let made = thread::spawn({
        let handle = handle.clone();
        move || lock(&handle).expect("no handle yet")
    });
    *lock(&handle) = Some(made.thread().id());
    if let Err(panic) = made.join() {
        std::panic::resume_unwind(panic);
    }
}

/// The queue is taken away when all has been put into it, not when all has been taken.
fn queue_freed() {
    let queue = Mutex::new(Some(Vec::new()));
    let produce = || {
        for block in 0..2 {
            lock(&queue).as_mut().unwrap().push(block);
        }
        *lock(&queue) = None;
    };
    let consume = || {
        for _ in 0..2 {
            lock(&queue).as_mut().expect("the queue is gone").pop();
        }
    };
    in_threads(&[&produce, &consume]);
}

/// The macro that waits for the workers' end is missing.
fn end_not_awaited<const WAITS: bool>() {
    let sum = AtomicUsize::new(0);
    let end = Barrier::new(3);
    let work = || {
        sum.fetch_add(21, SeqCst);
        if WAITS {
            end.wait();
        }
    };
    let main = || {
        if WAITS {
            end.wait();
        }
        assert_eq!(sum.load(SeqCst), 42, "read before the end");
    };
    in_threads(&[&work, &work, &main]);
}

/// What is saved at an interrupt says more than was written: the count moves first.
fn saved_before_written() {
    let (counted, written) = (AtomicU32::new(0), AtomicU32::new(0));
    let download = || {
        for block in 1..=2 {
            counted.store(block, SeqCst);
            written.store(block, SeqCst);
        }
    };
    let interrupt = || {
        let saved = counted.load(SeqCst);
        assert!(written.load(SeqCst) >= saved, "the log is ahead");
    };
    in_threads(&[&download, &interrupt]);
}
