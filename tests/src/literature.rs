//! The programs by which the literature measures strategies, after SCTBench (Thomson, Donaldson, Betts,
//! "Concurrency testing using schedule bounding", PPoPP 2014), written anew with threads of `sim`.
//!
//! A variable is a `watch` channel, whose every access is one scheduling point, as that of an atomic would be.

use crate::{Main, bugs::Bug};
use sim::{
    FailureKind,
    sync::{Mutex, Semaphore, watch},
    task::{JoinHandle, spawn_blocking},
};
use std::sync::Arc;

/// Lists programs as name, kind of failure, call.
macro_rules! programs {
    ($($name:literal: $kind:ident, $call:expr;)*) => {
        /// All of them.
        pub const LITERATURE: &[Bug] = &[$(Bug {
            name: $name,
            kind: FailureKind::$kind,
            main: || -> Main { Box::pin($call) },
        }),*];
    };
}

programs! {
    "reorder_10": Panic, reorder(9);
    "reorder_20": Panic, reorder(19);
    "twostage_20": Panic, twostage(19);
    "twostage_100": Panic, twostage(99);
    "philosophers_7": Deadlock, philosophers(7);
    "bluetooth": Panic, bluetooth();
    "stringbuffer": Panic, stringbuffer();
    "rare_lost_update": Panic, rare_lost_update();
    "semaphore_3x2": Deadlock, semaphore();
    "wronglock": Panic, wronglock();
    "account": Panic, account();
    "work_stealing_queue": Panic, work_stealing_queue();
    "bounded_buffer": Deadlock, crate::bugs::one_notify_for_two_roles();
    "circular_buffer": Panic, circular_buffer();
}

/// A variable that threads share.
#[derive(Clone)]
struct Variable(Arc<watch::Sender<i64>>);

impl Variable {
    #[track_caller]
    fn new(value: i64) -> Variable {
        Variable(Arc::new(watch::Sender::new(value)))
    }

    fn load(&self) -> i64 {
        *self.0.borrow()
    }

    fn store(&self, value: i64) {
        self.0.send_replace(value);
    }

    /// Adds at once; gives the sum.
    fn add(&self, amount: i64) -> i64 {
        let mut sum = 0;
        self.0.send_modify(|value| {
            *value += amount;
            sum = *value;
        });
        sum
    }
}

async fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    for thread in threads {
        thread.await.unwrap();
    }
}

/// Each sets one variable and then another; nobody must see the first alone.
async fn reorder(setters: usize) {
    let (a, b) = (Variable::new(0), Variable::new(0));
    let mut threads = Vec::new();
    for _ in 0..setters {
        let (a, b) = (a.clone(), b.clone());
        threads.push(spawn_blocking(move || {
            a.store(1);
            b.store(-1);
        }));
    }
    threads.push(spawn_blocking(move || {
        let seen = (a.load(), b.load());
        assert!(matches!(seen, (0, 0) | (1, -1)), "saw {seen:?}");
    }));
    join(threads).await;
}

/// Two stages, each under a lock of its own: between them a reader sees half of it.
async fn twostage(writers: usize) {
    let first = Arc::new(Mutex::new(0));
    let second = Arc::new(Mutex::new(0));
    let mut threads = Vec::new();
    for _ in 0..writers {
        let (first, second) = (first.clone(), second.clone());
        threads.push(spawn_blocking(move || {
            *first.blocking_lock() = 1;
            *second.blocking_lock() = 2;
        }));
    }
    threads.push(spawn_blocking(move || {
        if *first.blocking_lock() == 1 {
            assert_eq!(*second.blocking_lock(), 2, "only the first stage is done");
        }
    }));
    join(threads).await;
}

/// All take their left fork, and wait for the right one.
async fn philosophers(count: usize) {
    let forks: Vec<_> = (0..count).map(|_| Arc::new(Mutex::new(()))).collect();
    let threads: Vec<_> = (0..count)
        .map(|seat| {
            let (left, right) = (forks[seat].clone(), forks[(seat + 1) % count].clone());
            spawn_blocking(move || {
                let _left = left.blocking_lock();
                let _right = right.blocking_lock();
            })
        })
        .collect();
    join(threads).await;
}

/// A driver works after it was stopped: the look at the flag and the count are two steps.
async fn bluetooth() {
    let (stopping, pending) = (Variable::new(0), Variable::new(1));
    let (event, stopped) = (Variable::new(0), Variable::new(0));
    let release = |pending: &Variable, event: &Variable| {
        if pending.add(-1) == 0 {
            event.store(1);
        }
    };
    let worker = spawn_blocking({
        let (stopping, pending, event, stopped) =
            (stopping.clone(), pending.clone(), event.clone(), stopped.clone());
        move || {
            if stopping.load() == 0 {
                pending.add(1);
                assert_eq!(stopped.load(), 0, "worked after the stop");
                release(&pending, &event);
            }
        }
    });
    let stopper = spawn_blocking(move || {
        stopping.store(1);
        release(&pending, &event);
        if event.load() == 1 {
            stopped.store(1);
        }
    });
    join([worker, stopper]).await;
}

/// Appends another buffer: its length and its characters are two looks. Another deletes meanwhile.
async fn stringbuffer() {
    let other = Arc::new(Mutex::new(String::from("0123456789")));
    let append = spawn_blocking({
        let other = other.clone();
        move || {
            let length = other.blocking_lock().len();
            let _copied = other.blocking_lock()[..length].to_string();
        }
    });
    let delete = spawn_blocking(move || other.blocking_lock().clear());
    join([append, delete]).await;
}

/// The window stands at the end of one thread and at the beginning of the other.
async fn rare_lost_update() {
    let (count, noise) = (Variable::new(0), Variable::new(0));
    let late = spawn_blocking({
        let (count, noise) = (count.clone(), noise.clone());
        move || {
            (0..25).for_each(|_| _ = noise.add(1));
            count.store(count.load() + 1);
        }
    });
    let early = spawn_blocking({
        let count = count.clone();
        move || {
            count.store(count.load() + 1);
            (0..25).for_each(|_| _ = noise.add(1));
        }
    });
    join([late, early]).await;
    assert_eq!(count.load(), 2, "an update was lost");
}

/// Three take two of three permits each, one after the other.
async fn semaphore() {
    let permits = Arc::new(Semaphore::new(3));
    let tasks = [(); 3].map(|()| {
        let permits = permits.clone();
        sim::spawn(async move {
            let _one = permits.acquire().await.unwrap();
            let _other = permits.acquire().await.unwrap();
        })
    });
    join(tasks).await;
}

/// One guards a variable by a lock, others by another.
async fn wronglock() {
    let (right, wrong) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
    let value = Variable::new(0);
    let mut threads = vec![spawn_blocking({
        let value = value.clone();
        move || {
            let _guard = right.blocking_lock();
            let seen = value.load();
            value.store(seen + 1);
            assert_eq!(value.load(), seen + 1, "changed under the lock");
        }
    })];
    for _ in 0..3 {
        let (wrong, value) = (wrong.clone(), value.clone());
        threads.push(spawn_blocking(move || {
            let _guard = wrong.blocking_lock();
            value.store(value.load() + 1);
        }));
    }
    join(threads).await;
}

/// The withdrawal computes the new balance from one that it read before it had the lock.
async fn account() {
    let (lock, balance) = (Arc::new(Mutex::new(())), Variable::new(0));
    let done = [Variable::new(0), Variable::new(0)];
    let deposit = spawn_blocking({
        let (lock, balance, done) = (lock.clone(), balance.clone(), done[0].clone());
        move || {
            {
                let _guard = lock.blocking_lock();
                balance.store(balance.load() + 100);
            }
            done.store(1);
        }
    });
    let withdraw = spawn_blocking({
        let (lock, balance, done) = (lock.clone(), balance.clone(), done[1].clone());
        move || {
            let seen = balance.load();
            {
                let _guard = lock.blocking_lock();
                balance.store(seen - 30);
            }
            done.store(1);
        }
    });
    let check = spawn_blocking(move || {
        let _guard = lock.blocking_lock();
        if done.iter().all(|done| done.load() == 1) {
            assert_eq!(balance.load(), 70, "money is gone");
        }
    });
    join([deposit, withdraw, check]).await;
}

/// Take and steal both look at the other end before they move their own: the last item is taken twice.
async fn work_stealing_queue() {
    let (head, tail, taken) = (Variable::new(0), Variable::new(4), Variable::new(0));
    let owner = spawn_blocking({
        let (head, tail, taken) = (head.clone(), tail.clone(), taken.clone());
        move || {
            for _ in 0..4 {
                let (first, last) = (head.load(), tail.load());
                if first < last {
                    tail.store(last - 1);
                    taken.add(1);
                }
            }
        }
    });
    let thief = spawn_blocking({
        let taken = taken.clone();
        move || {
            for _ in 0..4 {
                let (first, last) = (head.load(), tail.load());
                if first < last {
                    head.store(first + 1);
                    taken.add(1);
                }
            }
        }
    });
    join([owner, thief]).await;
    assert!(taken.load() <= 4, "an item was taken twice");
}

/// The sender moves the index before it writes the item; the receiver does not take the lock.
async fn circular_buffer() {
    let lock = Arc::new(Mutex::new(()));
    let (index, item) = (Variable::new(0), Variable::new(0));
    let sender = spawn_blocking({
        let (index, item) = (index.clone(), item.clone());
        move || {
            for _ in 0..4 {
                let _guard = lock.blocking_lock();
                let sent = index.add(1);
                item.store(sent);
            }
        }
    });
    let receiver = spawn_blocking(move || {
        for _ in 0..4 {
            let sent = index.load();
            assert!(item.load() >= sent, "an item that was not written");
        }
    });
    join([sender, receiver]).await;
}
