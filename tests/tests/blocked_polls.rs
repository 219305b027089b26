//! The lint `blocked_poll`: calls that block a worker in the middle of a poll, with what is called and where; and those
//! that are legal, which nothing is said of.

#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use sim::{Config, FailureKind, Level, Report, sync::Notify, task::yield_now, time::sleep};
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Condvar, Mutex, RwLock,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

fn check(config: Config, test: impl AsyncFn() + Sync) -> Report {
    sim::check(config, || test())
}

/// The one warning of a test, which has to be told of a task at a line that has these words in this file.
fn warns(words: &[&str], line: &str, test: impl AsyncFn() + Sync) -> String {
    let report = check(Config::new(), test);
    assert!(report.failure.is_none(), "{report}");
    assert_eq!(report.warnings.len(), 1, "{report}");
    let warning = report.warnings[0].clone();
    for word in words {
        assert!(warning.contains(word), "{word:?} is not in {warning}");
    }
    let frame = warning.lines().nth(1).unwrap();
    let place = frame.strip_prefix("    at tests/tests/blocked_polls.rs:");
    let place = place.unwrap_or_else(|| panic!("no place of this file: {warning}"));
    let number: usize = place.split(':').next().unwrap().parse().unwrap();
    let source = include_str!("blocked_polls.rs").lines().nth(number - 1).unwrap();
    assert!(source.contains(line), "{source:?} is the line of {warning}");
    warning
}

/// Nothing is said of it, whatever the schedule, even where the lint would end the run.
fn silent(test: impl AsyncFn() + Sync) {
    for strategy in ["portfolio", "random"] {
        let config = Config::new().seeds(2_500).strategy(strategy);
        let report = check(config.lint("blocked_poll", Level::Deny), &test);
        assert!(report.failure.is_none(), "{report}");
        assert!(report.warnings.is_empty(), "{report}");
    }
}

/// What `futures::executor::block_on` does: it polls, and parks the thread between.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

// --- what is told

#[test]
fn a_sleep_of_std() {
    let said = warns(
        &[
            "task main/0, spawned at tests/tests/blocked_polls.rs:",
            "for 1s of virtual time",
            "by std::thread::sleep",
        ],
        "thread::sleep(SECOND)",
        async || {
            sim::spawn(async { thread::sleep(SECOND) }).await.unwrap();
        },
    );
    assert!(said.contains("instead: `sim::time::sleep(..).await`"), "{said}");
}

#[test]
fn a_sleep_in_the_test_itself() {
    warns(&["task main blocks", "for 2s"], "thread::sleep(2 * SECOND)", async || {
        yield_now().await;
        thread::sleep(2 * SECOND);
    });
}

#[test]
fn a_sleep_of_the_mirror_of_std() {
    warns(
        &["task main/0", "for 1s", "by sim::std::thread::sleep"],
        "thread::sleep(SECOND)",
        async || {
            sim::spawn(async { sim::std::thread::sleep(SECOND) }).await.unwrap();
        },
    );
}

#[test]
#[expect(clippy::await_holding_lock)]
fn a_lock_that_is_held_over_an_await() {
    warns(&["task main/0", "for 1s", "while nothing could run"], "wanted.lock()", async || {
        let lock = Arc::new(Mutex::new(()));
        let wanted = lock.clone();
        let guard = lock.lock().unwrap();
        let waiter = sim::spawn(async move { drop(wanted.lock().unwrap()) });
        sleep(SECOND).await;
        drop(guard);
        waiter.await.unwrap();
    });
}

#[test]
fn a_lock_whose_holder_sleeps() {
    let report = check(Config::new(), async || {
        let lock = Arc::new(RwLock::new(()));
        let held = lock.clone();
        let notify = Arc::new(Notify::new());
        let told = notify.clone();
        let holder = sim::task::spawn_blocking(move || {
            let _guard = held.write().unwrap();
            told.notify_one();
            thread::sleep(SECOND); // Legal: it is a thread's. The wait of the poll is not.
        });
        notify.notified().await;
        drop(lock.read().unwrap());
        holder.await.unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    assert_eq!(report.warnings.len(), 1, "{report}");
    assert!(report.warnings[0].contains("RwLock"), "{report}");
}

#[test]
fn a_blocking_receive() {
    // std's channel cannot tell the threads of a simulation apart, so that the run ends as a deadlock.
    let report = check(Config::new(), async || {
        let (sender, inbox) = mpsc::channel();
        let task = sim::spawn(async move { inbox.recv_timeout(2 * SECOND) });
        sleep(SECOND).await;
        sender.send(7).unwrap();
        assert!(task.await.unwrap().is_ok());
    });
    assert_eq!(report.warnings.len(), 1, "{report}");
    assert!(report.warnings[0].contains("Receiver::recv_timeout"), "{report}");
}

#[test]
fn a_blocking_receive_of_the_mirror_of_std() {
    warns(&["task main/0", "recv"], "inbox.recv()", async || {
        let (sender, inbox) = sim::std::sync::mpsc::channel();
        let task = sim::spawn(async move { inbox.recv().unwrap() });
        sleep(SECOND).await;
        sender.send(7).unwrap();
        assert_eq!(task.await.unwrap(), 7);
    });
}

#[test]
fn another_executors_block_on() {
    warns(&["task main/0", "park"], "thread::park()", async || {
        let notify = Arc::new(Notify::new());
        let told = notify.clone();
        let task = sim::spawn(async move { block_on(told.notified()) });
        sleep(SECOND).await;
        notify.notify_one();
        task.await.unwrap();
    });
}

#[test]
fn a_condition_variable() {
    let report = check(Config::new(), async || {
        let pair = Arc::new((Mutex::new(false), Condvar::new()));
        let waits = pair.clone();
        let task = sim::spawn(async move {
            let mut set = waits.0.lock().unwrap();
            while !*set {
                set = waits.1.wait(set).unwrap();
            }
        });
        sleep(SECOND).await;
        *pair.0.lock().unwrap() = true;
        pair.1.notify_one();
        task.await.unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    assert_eq!(report.warnings.len(), 1, "{report}");
    assert!(report.warnings[0].contains("wait"), "{report}");
}

#[test]
fn one_place_is_told_once_however_long_it_takes() {
    let report = check(Config::new(), async || {
        for ms in 1..20 {
            thread::sleep(Duration::from_millis(ms));
        }
        thread::sleep(SECOND);
    });
    assert_eq!(report.warnings.len(), 2, "{report}");
}

// --- processor time

/// Burns much more processor time than the watch needs to see it.
fn burn() {
    let now = || sim::outside(std::time::Instant::now);
    let start = now();
    while now() - start < Duration::from_millis(400) {
        std::hint::spin_loop();
    }
}

fn impatient() -> Config {
    Config::new().seeds(1).poll_warning(Duration::from_millis(1))
}

#[test]
fn a_poll_that_burns_processor_time() {
    // Never denied: it depends on the machine.
    let report = check(impatient().lint("blocked_poll", Level::Deny), async || {
        let task = sim::spawn(async {
            yield_now().await;
            Notify::new().notify_one();
            burn();
            yield_now().await;
        });
        task.await.unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    let slow =
        report.warnings.iter().find(|it| it.contains("task main/0, spawned at tests/tests/"));
    let slow = slow.unwrap_or_else(|| panic!("{report}"));
    assert!(
        slow.contains("took more than 1ms of processor time in one poll, since `notify` at"),
        "{slow}"
    );
    assert!(slow.contains("until it came\n    at tests/tests/blocked_polls.rs:"), "{slow}");
}

#[test]
fn a_poll_that_burns_to_its_end() {
    let report = check(impatient(), async || sim::spawn(async { burn() }).await.unwrap());
    let slow = report.warnings.iter().find(|it| it.contains("task main/0"));
    assert!(slow.unwrap().contains("since its poll began, until it ended"), "{report}");
}

#[test]
fn a_thread_may_burn() {
    let report = check(impatient(), async || sim::task::spawn_blocking(burn).await.unwrap());
    let told = report.warnings.iter().find(|it| it.contains("task main/0"));
    assert!(told.is_none(), "{report}");
}

#[test]
fn it_makes_no_difference_to_the_run() {
    // A run that is told of and one that is not: the recheck compares their hashes.
    let report = check(impatient().seeds(2).recheck_every(1), async || {
        static BURNT: AtomicBool = AtomicBool::new(false);
        for _ in 0..3 {
            sim::spawn(yield_now()).await.unwrap();
            if !BURNT.swap(true, Relaxed) {
                burn();
            }
        }
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(!report.warnings.is_empty(), "{report}");
}

// --- levels

#[test]
fn deny_ends_the_run() {
    let config = || Config::new().lint("blocked_poll", Level::Deny);
    let report = check(config(), async || {
        sim::spawn(async { thread::sleep(SECOND) }).await.unwrap();
    });
    let failure = report.failure.expect("it is denied");
    assert_eq!(failure.kind, FailureKind::BlockedPoll);
    assert_eq!((failure.at, failure.task.as_deref()), (Duration::ZERO, Some("main/0")));
    assert!(failure.message.contains("for 1s of virtual time"), "{failure}");
    let report = check(config(), async || {
        let (sender, inbox) = mpsc::channel::<()>();
        let task = sim::spawn(async move { inbox.recv() });
        sleep(SECOND).await;
        drop(sender);
        assert!(task.await.unwrap().is_err());
    });
    assert_eq!(report.failure.expect("it is denied").kind, FailureKind::BlockedPoll);
}

#[test]
fn allow_is_silent() {
    let config = Config::new().lint("blocked_poll", Level::Allow);
    let report = check(config, async || thread::sleep(SECOND));
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
}

// --- what is legal

#[test]
fn threads_may_block() {
    silent(async || {
        let (sender, inbox) = sim::std::sync::mpsc::channel();
        let receiver = sim::task::spawn_blocking(move || inbox.recv().unwrap());
        let sleeper = sim::std::thread::spawn(|| thread::sleep(SECOND));
        sleep(SECOND).await;
        sender.send(7).unwrap();
        assert_eq!(receiver.await.unwrap(), 7);
        let joiner = sim::task::spawn_blocking(|| sleeper.join().unwrap());
        joiner.await.unwrap();
    });
}

#[test]
fn a_thread_may_block_in_a_block_on_of_its_own() {
    silent(async || {
        let handle = sim::runtime::Handle::current();
        let thread = sim::task::spawn_blocking(move || {
            handle.block_on(async {
                sleep(SECOND).await;
                thread::sleep(SECOND);
            });
        });
        thread.await.unwrap();
    });
}

#[test]
fn a_program_of_threads() {
    silent(async || {
        let (sender, inbox) = sim::std::sync::mpsc::channel();
        let lock = sim::std::sync::Mutex::new(0);
        sim::std::thread::scope(|scope| {
            let threads = [(); 2].map(|()| {
                let (sender, lock) = (sender.clone(), &lock);
                scope.spawn(move || {
                    let mut count = lock.lock().unwrap();
                    sim::std::thread::sleep(SECOND);
                    *count += 1;
                    sender.send(*count).unwrap();
                })
            });
            assert_eq!((inbox.recv(), inbox.recv()), (Ok(1), Ok(2)));
            for thread in threads {
                thread.join().unwrap();
            }
        });
        sim::std::thread::sleep(SECOND);
    });
}

#[test]
fn short_sections_of_stds_mutex() {
    silent(async || {
        let count = Arc::new(Mutex::new(0));
        let notify = Arc::new(Notify::new());
        let tasks: Vec<_> = (0..6)
            .map(|i| {
                let (count, notify) = (count.clone(), notify.clone());
                sim::spawn(async move {
                    for _ in 0..3 {
                        {
                            let mut count = count.lock().unwrap();
                            // A scheduling point, so that others come by while it is held.
                            notify.notify_one();
                            *count += 1;
                            notify.notify_waiters();
                        }
                        sleep(Duration::from_micros(i)).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*count.lock().unwrap(), 18);
    });
}

#[test]
fn short_sections_of_the_mirrors_mutex() {
    silent(async || {
        let count = Arc::new(sim::std::sync::Mutex::new(0));
        let tasks: Vec<_> = (0..6)
            .map(|i| {
                let count = count.clone();
                sim::spawn(async move {
                    for _ in 0..3 {
                        *count.lock().unwrap() += 1;
                        sleep(Duration::from_micros(i)).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*count.lock().unwrap(), 18);
    });
}

#[test]
fn what_does_not_wait_blocks_nothing() {
    silent(async || {
        let (sender, inbox) = mpsc::channel();
        sender.send(7).unwrap();
        assert_eq!(inbox.recv(), Ok(7));
        thread::sleep(Duration::ZERO);
        thread::yield_now();
        thread::current().unpark();
        thread::park();
    });
}
