//! The locks of `sim::std::sync` beside its mutex behave as std's.

use sim::std::{
    sync::{
        Arc, Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, RwLockWriteGuard,
        TryLockError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};
use sim::{Config, FailureKind};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

fn passes(program: fn()) {
    let report = sim::check(Config::new().seeds(300), || async { program() });
    assert!(report.failure.is_none(), "{report}");
    let report = sim::check(Config::new().seeds(100), || async {
        thread::spawn(program).join().unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    program();
}

fn fails(program: fn()) -> FailureKind {
    let report = sim::check(Config::new().seeds(1000), || async { program() });
    report.failure.expect("one of the seeds fails").kind
}

fn panic_of(f: impl FnOnce()) -> &'static str {
    *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<&str>().unwrap()
}

#[test]
fn writers_are_alone_and_readers_are_not() {
    passes(|| {
        let lock = RwLock::new((0, 0));
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut pair = lock.write().unwrap();
                    pair.0 += 1;
                    thread::yield_now();
                    pair.1 += 1;
                });
                scope.spawn(|| {
                    let pair = lock.read().unwrap();
                    thread::yield_now();
                    assert_eq!(pair.0, pair.1);
                });
            }
        });
        let (one, other) = (lock.read().unwrap(), lock.try_read().unwrap());
        assert_eq!((*one, *other), ((2, 2), (2, 2)));
        assert!(matches!(lock.try_write(), Err(TryLockError::WouldBlock)));
    });
}

#[test]
fn a_writer_that_panics_poisons_the_lock_and_a_reader_does_not() {
    passes(|| {
        let lock = RwLock::new(1);
        thread::scope(|scope| {
            let reader = scope.spawn(|| {
                let _guard = lock.read().unwrap();
                panic!("reading")
            });
            assert!(reader.join().is_err());
            assert!(!lock.is_poisoned());
            let writer = scope.spawn(|| {
                let _guard = lock.write().unwrap();
                panic!("writing")
            });
            assert!(writer.join().is_err());
        });
        assert_eq!(**lock.read().unwrap_err().get_ref(), 1);
        assert!(matches!(lock.try_write(), Err(TryLockError::Poisoned(_))));
        lock.clear_poison();
        *lock.write().unwrap() = 2;
        assert_eq!(lock.into_inner().unwrap(), 2);
    });
}

#[test]
fn no_writer_comes_before_one_who_goes_on_reading() {
    passes(|| {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            let mut guard = lock.write().unwrap();
            scope.spawn(|| *lock.write().unwrap() = 2);
            *guard = 1;
            let guard = RwLockWriteGuard::downgrade(guard);
            thread::yield_now();
            assert_eq!(*guard, 1);
        });
        assert_eq!(*lock.read().unwrap(), 2);
    });
}

#[test]
fn reading_twice_beside_a_writer_deadlocks() {
    let kind = fails(|| {
        let lock = RwLock::new(0);
        thread::scope(|scope| {
            scope.spawn(|| *lock.write().unwrap() = 1);
            let one = lock.read().unwrap();
            let other = lock.read().unwrap();
            assert_eq!(*one, *other);
        });
    });
    assert_eq!(kind, FailureKind::Deadlock);
}

#[test]
fn a_condition_is_waited_for() {
    passes(|| {
        let (queue, changed) = (Mutex::new(Vec::new()), Condvar::new());
        let sum = thread::scope(|scope| {
            let takers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        let guard = queue.lock().unwrap();
                        changed.wait_while(guard, |queue| queue.is_empty()).unwrap().pop().unwrap()
                    })
                })
                .collect();
            for i in [5, 7] {
                queue.lock().unwrap().push(i);
                changed.notify_one();
            }
            takers.into_iter().map(|taker| taker.join().unwrap()).sum::<i32>()
        });
        assert_eq!(sum, 12);
    });
}

#[test]
fn a_wait_may_end_for_nothing() {
    let kind = fails(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut guard = ready.lock().unwrap();
                if !*guard {
                    guard = changed.wait(guard).unwrap(); // no loop
                }
                assert!(*guard);
            });
            *ready.lock().unwrap() = true;
            changed.notify_one();
        });
    });
    assert_eq!(kind, FailureKind::Panic);
}

#[test]
fn a_notification_for_nobody_is_lost() {
    let kind = fails(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                if !*ready.lock().unwrap() {
                    drop(changed.wait(ready.lock().unwrap())); // looked before it locked
                }
            });
            *ready.lock().unwrap() = true;
            changed.notify_one();
        });
    });
    assert_eq!(kind, FailureKind::Deadlock);
}

#[test]
fn waits_end_when_their_time_is_over() {
    let program = |time: Duration| {
        let (lock, never) = (Mutex::new(3), Condvar::new());
        let start = Instant::now();
        let (guard, result) =
            never.wait_timeout_while(lock.lock().unwrap(), time, |value| *value == 3).unwrap();
        assert!(result.timed_out());
        drop(guard);
        assert!(start.elapsed() >= time);
        let (_, result) =
            never.wait_timeout_while(lock.lock().unwrap(), time, |value| *value == 4).unwrap();
        assert!(!result.timed_out());
        start.elapsed()
    };
    let report = sim::check(Config::new().seeds(100), || async move {
        let hour = Duration::from_secs(3600);
        assert!(program(hour) < hour + Duration::from_secs(1));
        let (lock, never) = (Mutex::new(()), Condvar::new());
        let start = Instant::now();
        let (_, result) = never.wait_timeout(lock.lock().unwrap(), hour).unwrap();
        assert_eq!(result.timed_out(), start.elapsed() >= hour);
    });
    assert!(report.failure.is_none(), "{report}");
    program(Duration::from_millis(1));
}

#[test]
fn a_notified_wait_has_not_timed_out() {
    passes(|| {
        let (ready, changed) = (Mutex::new(false), Condvar::new());
        thread::scope(|scope| {
            scope.spawn(|| {
                let day = Duration::from_secs(86_400);
                let guard = ready.lock().unwrap();
                let (guard, result) =
                    changed.wait_timeout_while(guard, day, |ready| !*ready).unwrap();
                assert!(*guard && !result.timed_out());
            });
            *ready.lock().unwrap() = true;
            changed.notify_all();
        });
    });
}

#[test]
fn a_barrier_has_one_leader_each_time() {
    passes(|| {
        let (barrier, leaders) = (Barrier::new(3), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for round in 1..=2 {
                        if barrier.wait().is_leader() {
                            leaders.fetch_add(1, SeqCst);
                        }
                        barrier.wait();
                        assert_eq!(leaders.load(SeqCst), round);
                        barrier.wait();
                    }
                });
            }
        });
    });
}

#[test]
fn once_runs_one_closure_and_the_others_wait_for_it() {
    passes(|| {
        let (once, runs) = (Once::new(), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    once.call_once(|| {
                        thread::yield_now();
                        runs.fetch_add(1, SeqCst);
                    });
                    assert!(once.is_completed());
                    assert_eq!(runs.load(SeqCst), 1);
                });
            }
            once.wait();
            assert_eq!(runs.load(SeqCst), 1);
        });
    });
}

#[test]
fn a_panic_poisons_once_but_not_a_once_lock() {
    passes(|| {
        let once = Once::new();
        assert_eq!(panic_of(|| once.call_once(|| panic!("in once"))), "in once");
        let poisoned = "Once instance has previously been poisoned";
        assert_eq!(panic_of(|| once.call_once(|| {})), poisoned);
        assert!(!once.is_completed());
        once.call_once_force(|state| assert!(state.is_poisoned()));
        once.call_once(|| unreachable!());

        let cell = OnceLock::new();
        assert_eq!(panic_of(|| assert_eq!(cell.get_or_init(|| panic!("in cell")), &4)), "in cell");
        assert_eq!(cell.get(), None);
        assert_eq!(cell.set(4), Ok(()));
        assert_eq!(cell.set(5), Err(5));
        assert_eq!((cell.get(), cell.wait()), (Some(&4), &4));

        let lazy: LazyLock<u8> = LazyLock::new(|| panic!("in lazy"));
        assert_eq!(panic_of(|| assert_eq!(*lazy, 0)), "in lazy");
        assert_eq!(
            panic_of(|| assert_eq!(*lazy, 0)),
            "LazyLock instance has previously been poisoned"
        );
    });
}

#[test]
fn lazy_values_are_made_once() {
    passes(|| {
        let made = Arc::new(AtomicUsize::new(0));
        let lazy = LazyLock::new({
            let made = made.clone();
            move || {
                thread::yield_now();
                made.fetch_add(1, SeqCst) + 7
            }
        });
        thread::scope(|scope| {
            (0..3).for_each(|_| drop(scope.spawn(|| assert_eq!(*lazy, 7))));
        });
        assert_eq!(made.load(SeqCst), 1);
    });
}

#[test]
fn what_looks_before_it_sets_makes_a_value_twice() {
    let kind = fails(|| {
        let (made, cell) = (AtomicUsize::new(0), OnceLock::new());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    if cell.get().is_none() {
                        let _ = cell.set(made.fetch_add(1, SeqCst));
                    }
                });
            }
        });
        assert_eq!(made.load(SeqCst), 1);
    });
    assert_eq!(kind, FailureKind::Panic);
}

/// Locks in statics are good again in the next run, whatever held them when the last one ended.
#[test]
fn a_run_that_ends_poisons_no_static() {
    static LOCK: Mutex<u32> = Mutex::new(0);
    static ONCE: Once = Once::new();
    let report = sim::check(Config::new().seeds(20), || async {
        let (held, waits) = sim::std::sync::mpsc::channel();
        thread::spawn(move || {
            let _guard = LOCK.lock().unwrap();
            ONCE.call_once(|| {
                held.send(()).unwrap();
                thread::park();
            });
        });
        waits.recv().unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(LOCK.try_lock().is_ok());
}
