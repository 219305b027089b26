//! Invariants are looked at after each step, and what has to come about in time is told if it does not.

use sim::{
    Config, Failure, FailureKind, Outcome, Report,
    sync::{Mutex, Notify, mpsc},
    task::yield_now,
    time::{Duration, Instant, sleep},
};
use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

fn passes<F, Fut>(test: F) -> Report
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = sim::check(Config::new(), test);
    assert!(report.failure.is_none(), "{report}");
    report
}

/// Fails with an assertion of that message, and leaves a thread that can run the next check.
fn fails<F, Fut>(message: &str, test: F) -> Failure
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = sim::check(Config::new(), test);
    let text = report.to_string();
    let failure = report.failure.expect(&text);
    assert_eq!(failure.kind, FailureKind::Assertion, "{text}");
    assert!(failure.message.contains(message), "{text}");
    passes(|| async { sleep(Duration::from_secs(1)).await });
    failure
}

#[test]
fn who_breaks_it_is_named_with_the_time() {
    let failure = fails("the invariant \"no more than two\" does not hold: 3 of 2", || async {
        let count = Arc::new(AtomicU32::new(0));
        let seen = count.clone();
        let _guard = sim::invariant("no more than two", move || match seen.load(SeqCst) {
            0..=2 => Ok(()),
            many => Err(format!("{many} of 2")),
        });
        let tasks = [1, 2, 3].map(|second| {
            let count = count.clone();
            sim::spawn(async move {
                sleep(Duration::from_secs(second)).await;
                count.fetch_add(1, SeqCst);
                // It is well again before the task ends.
                yield_now().await;
                if second == 3 {
                    count.store(0, SeqCst);
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(failure.task.as_deref(), Some("main/2"));
    assert_eq!(failure.at.as_secs(), 3);
}

#[test]
fn it_is_looked_at_where_a_task_is_preempted_polls_end_and_threads_wait() {
    // What is seen in between, in order: each is there at the end of one step only.
    passes(|| async {
        let state = Rc::new(Cell::new(0));
        let seen = Rc::new(RefCell::new(Vec::new()));
        let (looked, kept) = (state.clone(), seen.clone());
        let guard = sim::invariant("seen", move || {
            if kept.borrow().last() != Some(&looked.get()) {
                kept.borrow_mut().push(looked.get());
            }
            true
        });
        let notify = Notify::new();
        state.set(1);
        notify.notify_one(); // A point in the middle of a poll.
        state.set(2);
        let local = sim::task::LocalSet::new();
        let inner = state.clone();
        local.spawn_local(async move { inner.set(3) }); // The end of a poll.
        local.await;
        state.set(4);
        yield_now().await; // The main thread parks.
        state.set(5);
        drop(guard); // Once more.
        state.set(6);
        yield_now().await;
        assert_eq!(*seen.borrow(), [1, 2, 3, 4, 5]);
    });
}

#[test]
fn it_is_not_looked_at_once_it_is_dropped() {
    passes(|| async {
        let level = Rc::new(Cell::new(0));
        let watched = level.clone();
        let guard = sim::invariant("low", move || watched.get() < 10);
        yield_now().await;
        drop(guard);
        level.set(10);
        yield_now().await;
        assert_eq!(Rc::strong_count(&level), 1, "the condition was dropped");
    });
}

#[test]
fn what_breaks_last_is_seen_when_the_guard_is_dropped() {
    let failure = fails("\"low\" does not hold", || async {
        let level = Rc::new(Cell::new(0));
        let watched = level.clone();
        let _guard = sim::invariant("low", move || watched.get() < 10);
        yield_now().await;
        level.set(10);
    });
    assert_eq!(failure.task.as_deref(), Some("main"));
}

#[test]
fn it_may_take_locks_that_are_free() {
    let failure = fails("\"the books balance\" does not hold", || async {
        let accounts = Arc::new(Mutex::new((10, 0)));
        let watched = accounts.clone();
        let _guard = sim::invariant("the books balance", move || match watched.try_lock() {
            Ok(accounts) => accounts.0 + accounts.1 == 10,
            Err(_) => true,
        });
        let tasks = [1, 2].map(|_| {
            let accounts = accounts.clone();
            sim::spawn(async move {
                let mut both = accounts.lock().await;
                both.0 -= 1;
                yield_now().await; // Under the lock it may be out of balance.
                both.1 += 1;
                drop(both);
                accounts.lock().await.0 -= 1;
                yield_now().await;
                accounts.lock().await.1 += 1;
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(failure.task.unwrap().starts_with("main/"));
}

#[test]
fn waiting_for_a_lock_is_a_mistake_that_is_told() {
    let message = "\"impatient\" waits for a lock that a task holds: it is to use `try_lock`";
    fails(message, || async {
        let lock = Arc::new(std::sync::Mutex::new(()));
        let watched = lock.clone();
        let _guard = sim::invariant("impatient", move || {
            drop(watched.lock());
            true
        });
        let _held = lock.lock();
        Notify::new().notify_one();
    });
}

#[test]
fn a_panic_of_it_is_told() {
    fails("the invariant \"wrong\" panicked: index 3, at ", || async {
        let _guard = sim::invariant("wrong", || -> bool { panic!("index {}", 3) });
        sim::spawn(yield_now()).await.unwrap();
    });
}

#[test]
fn runs_are_the_same_with_it_and_without() {
    let orders = |watched: bool| {
        let orders = std::sync::Mutex::new(Vec::new());
        let report = sim::check(Config::new().seeds(50), || async {
            let _guard = watched.then(|| sim::invariant("true", || true));
            let (sender, mut inbox) = mpsc::channel(2);
            for task in 0..4 {
                let sender = sender.clone();
                sim::spawn(async move {
                    for _ in 0..3 {
                        sender.send(task).await.unwrap();
                    }
                });
            }
            drop(sender);
            let mut order = Vec::new();
            while let Some(task) = inbox.recv().await {
                order.push(task);
            }
            orders.lock().unwrap().push(order);
        });
        assert!(report.failure.is_none(), "{report}");
        orders.into_inner().unwrap()
    };
    assert_eq!(orders(true), orders(false));
}

#[test]
fn what_comes_about_in_time_is_fine() {
    passes(|| async {
        let started = Instant::now();
        let answer = sim::within(Duration::from_secs(30), "an answer", async {
            sleep(Duration::from_secs(29)).await;
            42
        });
        assert_eq!(answer.await, 42);
        let done = Arc::new(AtomicU32::new(0));
        let set = done.clone();
        let task = sim::spawn(async move {
            sleep(Duration::from_secs(1)).await;
            set.store(1, SeqCst);
            yield_now().await; // True for a moment only.
            set.store(0, SeqCst);
        });
        sim::eventually(Duration::from_secs(2), "done", move || done.load(SeqCst) == 1).await;
        task.await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 30);
        let at_once = sim::eventually(Duration::ZERO, "at once", || true);
        at_once.await;
    });
}

#[test]
fn what_comes_too_late_is_told_with_who_waits_where() {
    let failure = fails("\"progress\" has not come about within 30s\n  task main ", || async {
        let (sender, mut inbox) = mpsc::channel::<()>(1);
        let server = sim::spawn(async move { inbox.recv().await });
        let heartbeat = sim::spawn(async {
            loop {
                sleep(Duration::from_secs(1)).await;
            }
        });
        sleep(Duration::from_secs(5)).await;
        let done = server.is_finished();
        sim::eventually(Duration::from_secs(30), "progress", move || done).await;
        drop((sender, heartbeat));
    });
    assert_eq!(failure.at.as_secs(), 35);
    assert_eq!(failure.task.as_deref(), Some("main"));
    let waits = format!("waits at {}:", file!());
    let server = failure.message.lines().find(|line| line.contains("task main/0 "));
    assert!(
        server.is_some_and(|line| line.contains(&waits) && line.contains("receive")),
        "{failure}"
    );
}

#[test]
fn stalls_do_not_strike_what_has_to_come_about() {
    let report = sim::check(Config::new().stalls(true), || async {
        sim::within(Duration::from_secs(1), "instant work", async {
            for _ in 0..10 {
                yield_now().await;
            }
        })
        .await;
    });
    assert!(report.failure.is_none(), "{report}");
}
