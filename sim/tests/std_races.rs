//! Data races on shared values are reported with both places; programs that order their accesses are not.

use sim::std::{
    cell::Shared,
    sync::{
        Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock,
        atomic::{
            AtomicBool, AtomicPtr, AtomicUsize, Ordering,
            Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst},
            fence,
        },
        mpsc,
    },
    thread,
};
use sim::{Config, Failure, FailureKind};
use std::time::Duration;

/// The race that one of 200 seeds shows.
#[track_caller]
fn race(program: impl Fn() + Sync) -> Failure {
    let report = sim::check(Config::new().seeds(200), || async { program() });
    let failure = report.failure.expect("one of the seeds shows the race");
    assert_eq!(failure.kind, FailureKind::DataRace, "{failure}");
    failure
}

/// No race, and no other failure, in 2,000 runs.
#[track_caller]
fn silent(program: impl Fn() + Sync) {
    let report = sim::check(Config::new().seeds(2000), || async { program() });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn a_race_is_told_with_both_tasks_and_places() {
    let failure = race(|| {
        let value = Shared::new(1); // created
        thread::scope(|scope| {
            scope.spawn(|| value.set(2)); // writes
            scope.spawn(|| value.get()); // reads
        });
    });
    let line = line!() - 6;
    let file = file!();
    let message = &failure.message;
    for part in [
        format!("task main/0 writes it at {file}:{}:", line + 2),
        format!("task main/1 reads it at {file}:{}:", line + 3),
        format!("spawned at {file}:{}:", line + 2),
        format!("created at {file}:{line}:"),
    ] {
        assert!(message.contains(&part), "{part} in {message}");
    }
}

/// The one write takes place long before the other, but nothing says so.
#[test]
fn a_race_is_found_where_time_keeps_it_apart() {
    let report = sim::check(Config::new().seeds(1), || async {
        let value = Arc::new(Shared::new(0));
        let theirs = value.clone();
        let thread = thread::spawn(move || theirs.set(1));
        thread::sleep(Duration::from_secs(60));
        value.set(2);
        thread.join().unwrap();
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::DataRace);
}

#[test]
fn reads_do_not_race_with_reads() {
    silent(|| {
        let value = Shared::new(1);
        thread::scope(|scope| {
            scope.spawn(|| value.get());
            scope.spawn(|| value.with(|value| *value));
            assert_eq!(value.get(), 1);
        });
        value.set(2);
    });
}

#[test]
fn spawn_and_join_order() {
    silent(|| {
        let value = Arc::new(Shared::new(0));
        value.set(1);
        let theirs = value.clone();
        thread::spawn(move || theirs.update(|value| value + 1)).join().unwrap();
        value.update(|value| value + 1);
        assert_eq!(value.get(), 3);
    });
}

#[test]
fn a_detached_thread_races_with_who_spawned_it() {
    race(|| {
        let value = Arc::new(Shared::new(0));
        let theirs = value.clone();
        thread::spawn(move || theirs.set(1));
        value.set(2);
    });
}

/// `data` is published by a flag that is stored and loaded with these orders.
fn published(store: Ordering, load: Ordering) {
    let (data, ready) = (Shared::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            data.set(7);
            ready.store(true, store);
        });
        if ready.load(load) {
            assert_eq!(data.get(), 7);
        }
    });
}

#[test]
fn a_flag_orders_by_release_and_acquire_alone() {
    silent(|| published(Release, Acquire));
    silent(|| published(SeqCst, SeqCst));
    race(|| published(Relaxed, Relaxed));
    race(|| published(Release, Relaxed));
    race(|| published(Relaxed, Acquire));
}

#[test]
fn fences_order_relaxed_operations() {
    let program = |releases: bool, acquires: bool| {
        move || {
            let (data, ready) = (Shared::new(0), AtomicBool::new(false));
            thread::scope(|scope| {
                scope.spawn(|| {
                    data.set(7);
                    if releases {
                        fence(Release);
                    }
                    ready.store(true, Relaxed);
                });
                if ready.load(Relaxed) {
                    if acquires {
                        fence(Acquire);
                    }
                    assert_eq!(data.get(), 7);
                }
            });
        }
    };
    silent(program(true, true));
    race(program(false, true));
    race(program(true, false));
}

/// A relaxed addition goes on with the release sequence (C++20, [intro.races]); a relaxed store ends it.
#[test]
fn release_sequences() {
    let program = |store: bool| {
        move || {
            let (data, state) = (Shared::new(0), AtomicUsize::new(0));
            thread::scope(|scope| {
                scope.spawn(|| {
                    data.set(7);
                    state.store(1, Release);
                });
                scope.spawn(|| match store {
                    true if state.load(Relaxed) == 1 => state.store(2, Relaxed),
                    true => {}
                    false => drop(state.compare_exchange(1, 2, Relaxed, Relaxed)),
                });
                if state.load(Acquire) == 2 {
                    assert_eq!(data.get(), 7);
                }
            });
        }
    };
    silent(program(false));
    race(program(true));
}

#[test]
fn a_spin_lock_orders_only_if_it_acquires_and_releases() {
    let program = |acquire: Ordering, release: Ordering| {
        move || {
            let (locked, value) = (AtomicBool::new(false), Shared::new(0));
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        while locked.swap(true, acquire) {
                            thread::yield_now();
                        }
                        value.update(|value| value + 1);
                        locked.store(false, release);
                    });
                }
            });
            assert_eq!(value.get(), 2);
        }
    };
    silent(program(Acquire, Release));
    silent(program(AcqRel, SeqCst));
    race(program(Relaxed, Release));
    race(program(Acquire, Relaxed));
}

#[test]
fn locks_order() {
    silent(|| {
        let (mutex, lock, value, other) =
            (Mutex::new(()), RwLock::new(()), Shared::new(0), Shared::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let _guard = mutex.lock().unwrap();
                    value.update(|value| value + 1);
                });
                scope.spawn(|| {
                    drop(lock.write().map(|_| other.update(|value| value + 1)));
                    let _guard = lock.read().unwrap();
                    assert!(other.get() > 0);
                });
            }
        });
        assert_eq!((value.get(), other.get()), (2, 2));
    });
}

#[test]
fn two_locks_do_not_order() {
    race(|| {
        let (locks, value) = ([Mutex::new(()), Mutex::new(())], Shared::new(0));
        thread::scope(|scope| {
            for lock in &locks {
                let value = &value;
                scope.spawn(move || drop(lock.lock().map(|_| value.set(1))));
            }
        });
    });
}

#[test]
fn a_read_lock_does_not_order_writes() {
    race(|| {
        let (lock, value) = (RwLock::new(()), Shared::new(0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| drop(lock.read().map(|_| value.set(1))));
            }
        });
    });
}

#[test]
fn channels_order() {
    silent(|| {
        let values = Arc::new([Shared::new(0), Shared::new(0)]);
        let (sender, receiver) = mpsc::channel();
        for i in 0..2 {
            let (values, sender) = (values.clone(), sender.clone());
            thread::spawn(move || {
                values[i].set(1);
                sender.send(i).unwrap();
            });
        }
        for _ in 0..2 {
            values[receiver.recv().unwrap()].set(2);
        }
    });
}

/// A channel with room for one message as a lock: who receives gives it back.
#[test]
fn room_orders() {
    for bound in [1, 0] {
        silent(move || {
            let (sender, receiver) = mpsc::sync_channel(bound);
            let value = Shared::new(0);
            thread::scope(|scope| {
                let value = &value;
                scope.spawn(move || {
                    value.set(1);
                    for _ in 0..=bound {
                        receiver.recv().unwrap();
                    }
                });
                for _ in 0..=bound {
                    sender.send(()).unwrap();
                }
                if bound == 0 {
                    value.set(2);
                }
            });
        });
    }
}

#[test]
fn conditions_barriers_parks_and_once_order() {
    silent(|| {
        let (ready, changed, value) = (Mutex::new(false), Condvar::new(), Shared::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                value.set(1);
                *ready.lock().unwrap() = true;
                changed.notify_one();
            });
            drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready).unwrap());
            value.set(2);
        });
    });
    silent(|| {
        let (barrier, values) = (Barrier::new(3), [Shared::new(0), Shared::new(0), Shared::new(0)]);
        thread::scope(|scope| {
            for i in 0..3 {
                let (barrier, values) = (&barrier, &values);
                scope.spawn(move || {
                    values[i].set(1);
                    barrier.wait();
                    values[(i + 1) % 3].set(2);
                });
            }
        });
    });
    silent(|| {
        let value = Arc::new(Shared::new(0));
        let theirs = value.clone();
        let main = thread::current();
        thread::spawn(move || {
            theirs.set(1);
            main.unpark();
        });
        thread::park();
        value.set(2);
    });
    silent(|| {
        let (once, cell, value) = (Once::new(), OnceLock::new(), Shared::new(0));
        let lazy = LazyLock::new(|| value.set(3));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    once.call_once(|| value.set(1));
                    value.get();
                });
            }
        });
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    cell.get_or_init(|| value.set(2));
                    value.get();
                });
            }
        });
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    *lazy;
                    value.get();
                });
            }
        });
    });
}

/// Looks at a pointer without acquiring it, and locks only if there is none.
#[test]
fn a_check_outside_of_the_lock_needs_to_acquire() {
    let program = |load: Ordering| {
        move || {
            let (made, lock) = (AtomicPtr::new(std::ptr::null_mut::<u8>()), Mutex::new(()));
            let value = Shared::new(0);
            let get = || {
                if made.load(load).is_null() {
                    let _guard = lock.lock().unwrap();
                    if made.load(Relaxed).is_null() {
                        value.set(5);
                        made.store(std::ptr::without_provenance_mut(1), Release);
                    }
                }
                assert_eq!(value.get(), 5);
            };
            thread::scope(|scope| {
                scope.spawn(get);
                scope.spawn(get);
            });
        }
    };
    silent(program(Acquire));
    race(program(Relaxed));
}

#[test]
fn an_access_in_the_middle_of_another_is_a_race() {
    let failure = race(|| {
        let value = Shared::new(0);
        thread::scope(|scope| {
            scope.spawn(|| value.with_mut(|_| thread::yield_now()));
            scope.spawn(|| value.with(|_| thread::yield_now()));
        });
    });
    assert!(failure.message.contains("writes it at"), "{}", failure.message);
}

#[test]
fn get_mut_is_in_order_with_all() {
    silent(|| {
        let mut value = Shared::new(0);
        // An `Arc` that was the last one: nothing of sim saw the others go.
        value.set(1);
        *value.get_mut() = 2;
        let value = Arc::new(value);
        let theirs = value.clone();
        let thread = thread::spawn(move || theirs.set(3));
        thread.join().unwrap();
        assert_eq!(Arc::into_inner(value).unwrap().into_inner(), 3);
    });
}

#[test]
fn tasks_race_and_are_ordered_as_threads_are() {
    let program = |joins: bool, workers: usize| {
        let config = Config::new().seeds(500).workers(workers);
        sim::check(config, move || async move {
            let value = Arc::new(Shared::new(0));
            let tasks: Vec<_> = (0..2)
                .map(|_| {
                    let value = value.clone();
                    sim::spawn(async move { value.set(1) })
                })
                .collect();
            for task in tasks {
                if joins {
                    task.await.unwrap();
                }
            }
        })
    };
    assert_eq!(program(true, 4).failure.unwrap().kind, FailureKind::DataRace);
    // On one worker there is one thread.
    assert!(program(true, 1).failure.is_none());
}

/// Everything of `sim::sync` that orders tasks.
#[test]
fn locks_and_channels_of_tasks_order() {
    let report = sim::check(Config::new().seeds(2000), || async {
        let value = Arc::new(Shared::new(0));
        let mutex = Arc::new(sim::sync::Mutex::new(()));
        let lock = Arc::new(sim::sync::RwLock::new(()));
        let semaphore = Arc::new(sim::sync::Semaphore::new(1));
        let phase = Arc::new(sim::sync::Barrier::new(3));
        let mut tasks = sim::task::JoinSet::new();
        for i in 0..3 {
            let (value, mutex, lock) = (value.clone(), mutex.clone(), lock.clone());
            let (semaphore, phase) = (semaphore.clone(), phase.clone());
            tasks.spawn(async move {
                {
                    let _guard = mutex.lock().await;
                    value.update(|value| value + 1);
                }
                phase.wait().await;
                {
                    let _guard = lock.write().await;
                    value.update(|value| value + 1);
                }
                phase.wait().await;
                {
                    let _permit = semaphore.acquire().await.unwrap();
                    value.update(|value| value + 1);
                }
                if phase.wait().await.is_leader() {
                    value.update(|value| value + 1);
                }
                i
            });
        }
        while let Some(task) = tasks.join_next().await {
            task.unwrap();
        }
        assert_eq!(value.get(), 10);
    });
    assert!(report.failure.is_none(), "{report}");
    let report = sim::check(Config::new().seeds(2000), || async {
        let value = Arc::new(Shared::new(0));
        let (sender, mut receiver) = sim::sync::mpsc::channel(1);
        let (done, wait) = sim::sync::oneshot::channel();
        let (state, mut changes) = sim::sync::watch::channel(0);
        let (news, mut hear) = sim::sync::broadcast::channel(4);
        let notify = Arc::new(sim::sync::Notify::new());
        let theirs = (value.clone(), notify.clone());
        sim::spawn(async move {
            theirs.0.set(1);
            sender.send(()).await.unwrap();
            wait.await.unwrap();
            theirs.0.set(3);
            state.send(1).unwrap();
            theirs.1.notified().await;
            theirs.0.set(5);
            news.send(1).unwrap();
        });
        receiver.recv().await.unwrap();
        value.set(2);
        done.send(()).unwrap();
        changes.changed().await.unwrap();
        value.set(4);
        notify.notify_one();
        hear.recv().await.unwrap();
        value.set(6);
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn outside_of_a_simulation_accesses_lock() {
    let value = Shared::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..100).for_each(|_| value.with_mut(|value| *value += 1)));
        }
    });
    assert_eq!(value.into_inner(), 400);
}
