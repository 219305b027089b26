//! `sim::std::sync::Mutex` behaves as std's.

use sim::std::{
    sync::{Arc, Mutex, TryLockError},
    thread,
};
use sim::{Config, FailureKind};

fn passes(program: fn()) {
    let report = sim::check(Config::new().seeds(300), || async { program() });
    assert!(report.failure.is_none(), "{report}");
    program();
}

#[test]
fn one_thread_holds_it_at_a_time() {
    passes(|| {
        let count = Arc::new(Mutex::new(0));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let count = count.clone();
                thread::spawn(move || {
                    let mut count = count.lock().unwrap();
                    let seen = *count;
                    thread::yield_now();
                    *count = seen + 1;
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*count.lock().unwrap(), 4);
    });
}

#[test]
fn a_panic_poisons_it() {
    passes(|| {
        let lock = Arc::new(Mutex::new(1));
        let theirs = lock.clone();
        let panicked = thread::spawn(move || {
            let _guard = theirs.lock().unwrap();
            panic!("while it is held");
        });
        assert!(panicked.join().is_err());
        assert!(lock.is_poisoned());
        assert_eq!(**lock.lock().unwrap_err().get_ref(), 1);
        assert!(matches!(lock.try_lock(), Err(TryLockError::Poisoned(_))));
        lock.clear_poison();
        assert_eq!(*lock.lock().unwrap(), 1);
        assert_eq!(Arc::into_inner(lock).unwrap().into_inner().unwrap(), 1);
    });
}

#[test]
fn try_lock_does_not_wait() {
    passes(|| {
        let lock = Mutex::new(());
        let guard = lock.lock().unwrap();
        thread::scope(|scope| {
            let other = scope.spawn(|| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)));
            assert!(other.join().unwrap());
        });
        drop(guard);
        assert!(lock.try_lock().is_ok());
    });
}

#[test]
fn locking_it_twice_is_a_deadlock_with_its_place() {
    let program = || {
        let lock = Mutex::new(());
        let _first = lock.lock().unwrap();
        let _second = lock.lock(); // here
    };
    let line = line!() - 2;
    for in_thread in [false, true] {
        let report = sim::check(Config::new().seeds(5), || async move {
            match in_thread {
                true => thread::spawn(program).join().unwrap(),
                false => program(),
            }
        });
        let failure = report.failure.unwrap();
        assert_eq!(failure.kind, FailureKind::Deadlock);
        let place = format!("waits at sim/tests/std_mutex.rs:{line}:");
        assert!(failure.message.contains(&place), "{}", failure.message);
    }
}

#[test]
fn two_orders_deadlock() {
    let report = sim::check(Config::new().seeds(200), || async {
        let locks = Arc::new((Mutex::new(()), Mutex::new(())));
        let theirs = locks.clone();
        let other = thread::spawn(move || {
            let _b = theirs.1.lock().unwrap();
            let _a = theirs.0.lock().unwrap();
        });
        {
            let _a = locks.0.lock().unwrap();
            let _b = locks.1.lock().unwrap();
        }
        other.join().unwrap();
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Deadlock);
}

#[test]
fn a_newcomer_may_come_before_one_who_waits() {
    let overtaken = std::sync::atomic::AtomicBool::new(false);
    let waited = std::sync::atomic::AtomicBool::new(false);
    let report = sim::check(Config::new().seeds(300), || async {
        let order = Mutex::new(Vec::new());
        let held = order.lock().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| order.lock().unwrap().push(1));
            thread::sleep(std::time::Duration::from_millis(1)); // it waits by now
            scope.spawn(|| order.lock().unwrap().push(2));
            drop(held);
        });
        let flag = if order.into_inner().unwrap() == [2, 1] { &overtaken } else { &waited };
        flag.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(overtaken.into_inner() && waited.into_inner());
}

#[test]
fn tasks_that_hold_it_block_the_workers_of_others() {
    let report = sim::check(Config::new().seeds(300).workers(2), || async {
        let lock = Arc::new(Mutex::new(0));
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let lock = lock.clone();
                sim::spawn(async move {
                    let mut value = lock.lock().unwrap();
                    thread::yield_now();
                    *value += 1;
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*lock.lock().unwrap(), 5);
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn who_waits_does_not_run_in_vain() {
    let steps = |threads: u64| {
        let report = sim::check(Config::new().seeds(20), || async move {
            let lock = Mutex::new(());
            let held = lock.lock().unwrap();
            thread::scope(|scope| {
                (0..threads).for_each(|_| drop(scope.spawn(|| drop(lock.lock().unwrap()))));
                thread::sleep(std::time::Duration::from_millis(1)); // all wait by now
                drop(held);
            });
        });
        assert!(report.failure.is_none(), "{report}");
        report.steps / report.runs
    };
    let (few, many) = (steps(10), steps(50));
    assert!(many < 6 * few, "{few} steps for 10 threads, {many} for 50");
}
