//! Bad input and bad programs: each ends in a report of the expected kind, and the thread that ran
//! the check can run the next one.

use sim::{
    Config, Failure, FailureKind, Level, Outcome, Report,
    sync::{Mutex, Notify, mpsc},
    task::yield_now,
    time::{Duration, sleep},
};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

/// Runs a check, and then another that has to work; gives the report of the first.
fn report<F, Fut>(config: Config, test: F) -> Report
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = sim::check(config, test);
    let after = sim::check(Config::new().seeds(20), || async {
        let (sender, mut inbox) = mpsc::channel(1);
        let sending = sim::spawn(async move {
            sleep(Duration::from_secs(1)).await;
            sender.send(std::collections::HashMap::from([(1, 2)])).await.unwrap();
        });
        assert_eq!(inbox.recv().await.unwrap()[&1], 2);
        sending.await.unwrap();
    });
    assert!(after.failure.is_none(), "the check after {report}: {after}");
    assert_eq!(after.runs, 20);
    report
}

/// The failure of a check, whose kind and message have to be as expected.
fn fails<F, Fut>(config: Config, kind: FailureKind, message: &str, test: F) -> Failure
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = report(config, test);
    let text = report.to_string();
    let failure = report.failure.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(message), "{failure}");
    assert!(text.lines().last().unwrap().starts_with("run it again: "), "{text}");
    failure
}

fn passes<F, Fut>(config: Config, test: F)
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = report(config, test);
    assert!(report.failure.is_none(), "{report}");
}

async fn nothing() {}

// --- settings

#[test]
fn settings_out_of_range() {
    let cases = [
        (Config::new().seeds(0), "seeds: 0"),
        (Config::new().jobs(0), "jobs: 0"),
        (Config::new().workers(0), "workers: 0"),
        (Config::new().strategy("lucky"), "lucky"),
        (Config::new().strategy(""), "portfolio"),
        (Config::new().lint("spelling", Level::Deny), "\"spelling\""),
        (Config::new().lint("spelling", Level::Deny), "leaked_task"),
        // The first mistake is the one that is told.
        (Config::new().seeds(0).jobs(0).seeds(1), "seeds: 0"),
    ];
    for (config, message) in cases {
        let failure = fails(config, FailureKind::Setup, message, nothing);
        assert_eq!(failure.tape.choices(), 0);
    }
}

#[test]
fn extreme_settings() {
    passes(Config::new().seed(u64::MAX).seeds(3), nothing);
    passes(Config::new().only_seed(u64::MAX), nothing);
    passes(Config::new().seeds(3).workers(1_000).jobs(8), nothing);
    passes(Config::new().seeds(3).time_limit(Duration::MAX), nothing);
    passes(Config::new().seeds(3).max_steps(u64::MAX), nothing);
    fails(Config::new().max_steps(0), FailureKind::StepLimit, "0 steps", yield_now);
    fails(Config::new().time_limit(Duration::ZERO), FailureKind::TimeLimit, "0ns", || {
        sleep(Duration::from_secs(1))
    });
    for bytes in [0, 1] {
        let small = report(Config::new().seeds(1).stack_size(bytes), nothing);
        assert_eq!(small.runs, 1);
    }
}

#[test]
fn lints_that_allow() {
    let swallow = || async {
        sim::spawn(async { panic!("unseen") });
        sleep(Duration::from_secs(1)).await;
    };
    fails(Config::new(), FailureKind::SwallowedPanic, "unseen", swallow);
    passes(Config::new().lint("swallowed_panic", Level::Allow), swallow);
    let warned = report(Config::new().lint("all", Level::Warn), swallow);
    assert!(warned.failure.is_none(), "{warned}");
    assert_eq!(warned.warnings.len(), 1, "{warned}");
    assert!(warned.warnings[0].contains("unseen"), "{warned}");
}

// --- places

#[test]
fn simulation_within_a_simulation() {
    let nested = || async {
        let inner = sim::check(Config::new(), nothing);
        inner.failure.map(|failure| (failure.kind, failure.message))
    };
    passes(Config::new().seeds(3), || async {
        let (kind, message) = nested().await.expect("the inner one fails");
        assert_eq!(kind, FailureKind::Setup);
        assert!(message.contains("within another"), "{message}");
    });
    passes(Config::new().seeds(3), || async {
        let task = sim::spawn(async {
            let tape = "sim tape 1\nseed 0x2a\nstrategy random\n".parse().unwrap();
            sim::replay(&tape, nothing).failure.map(|failure| failure.kind)
        });
        assert_eq!(task.await.unwrap(), Some(FailureKind::Setup));
    });
}

#[test]
fn simulation_within_a_real_runtime() {
    let program = || async {
        let task = sim::spawn(async {
            sleep(Duration::from_secs(3600)).await;
            sim::task::id()
        });
        task.await.unwrap();
    };
    let one = real_tokio::runtime::Builder::new_current_thread().build().unwrap();
    one.block_on(async { passes(Config::new(), program) });
    let many = real_tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let tasks = [(); 3].map(|()| many.spawn(async move { passes(Config::new().jobs(2), program) }));
    for task in tasks {
        many.block_on(task).unwrap();
    }
    one.block_on(async {
        fails(Config::new(), FailureKind::Panic, "as expected", || async { panic!("as expected") });
    });
}

#[test]
fn real_runtime_within_a_simulation() {
    // A task of the real runtime has no place to run.
    fails(Config::new(), FailureKind::Panic, "reactor", || async {
        real_tokio::spawn(nothing()).await.unwrap();
    });
}

// --- panics and errors

#[test]
fn panic_in_main() {
    let failure = fails(Config::new(), FailureKind::Panic, "in main", || async {
        sleep(Duration::from_secs(5)).await;
        panic!("in main");
    });
    assert_eq!(failure.task.as_deref(), Some("main"));
    assert!(failure.at >= Duration::from_secs(5));
    assert!(failure.message.contains("failures.rs:"), "{failure}");
}

#[test]
fn panic_before_the_future_is_made() {
    fn makes_nothing() -> std::future::Ready<()> {
        panic!("before the future")
    }
    fails(Config::new(), FailureKind::Panic, "before the future", makes_nothing);
}

#[test]
fn panic_with_a_payload_that_is_no_text() {
    fails(Config::new(), FailureKind::Panic, "panic", || async {
        std::panic::panic_any(42);
    });
}

#[test]
fn error_of_main() {
    let failure = fails(Config::new(), FailureKind::Error, "no number", || async {
        sleep(Duration::from_secs(1)).await;
        Err::<(), _>("no number")
    });
    assert_eq!(failure.message, "\"no number\"");
}

#[test]
fn panic_in_a_task_that_is_awaited() {
    fails(Config::new(), FailureKind::Panic, "in a task", || async {
        sim::spawn(async { panic!("in a task") }).await.unwrap();
    });
}

#[test]
fn panic_in_a_task_that_nobody_awaits() {
    let failure = fails(Config::new(), FailureKind::SwallowedPanic, "in a task", || async {
        let parent = sim::spawn(async {
            sim::spawn(async { panic!("in a task") });
        });
        parent.await.unwrap();
        sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(failure.task.as_deref(), Some("main/0/0"));
    assert!(failure.spawned_at.unwrap().contains("failures.rs:"));
}

#[test]
fn panic_in_a_destructor() {
    fails(Config::new(), FailureKind::Panic, "in a destructor", || async {
        let _bomb = Bomb;
        yield_now().await;
    });
    fails(Config::new(), FailureKind::Panic, "in a destructor", || async {
        let task = sim::spawn(async {
            let _bomb = Bomb;
            yield_now().await;
        });
        task.await.unwrap();
    });
    fails(Config::new(), FailureKind::SwallowedPanic, "in a destructor", || async {
        sim::spawn(async {
            let _bomb = Bomb;
            yield_now().await;
        });
        sleep(Duration::from_secs(1)).await;
    });
}

#[test]
fn panic_in_a_destructor_of_an_aborted_task() {
    passes(Config::new(), || async {
        let task = sim::spawn(async {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        });
        sleep(Duration::from_secs(1)).await;
        task.abort();
        assert!(task.await.unwrap_err().is_panic());
    });
}

#[test]
fn panic_in_a_destructor_while_another_unwinds() {
    let twice = || async {
        let _bomb = Bomb;
        panic!("the first");
    };
    fails(Config::new(), FailureKind::Abort, "panic in a destructor during cleanup", twice);
    fails(
        Config::new(),
        FailureKind::Abort,
        "panic in a destructor during cleanup",
        || async move {
            let _ = sim::spawn(twice()).await;
        },
    );
}

#[test]
fn panic_in_a_task_that_is_dropped_at_the_end() {
    let bomb = || async {
        sim::spawn(async {
            let _bomb = Bomb;
            std::future::pending::<()>().await;
        });
        sleep(Duration::from_secs(1)).await;
    };
    fails(Config::new(), FailureKind::SwallowedPanic, "in a destructor", bomb);
    // The first failure is the one that is told.
    fails(Config::new(), FailureKind::Panic, "the first", || async move {
        bomb().await;
        panic!("the first");
    });
    fails(Config::new(), FailureKind::Error, "the first", || async move {
        bomb().await;
        Err::<(), _>("the first")
    });
}

#[test]
fn panic_while_a_task_is_in_the_middle_of_a_poll() {
    fails(Config::new(), FailureKind::Panic, "in main", || async {
        let lock = Arc::new(Mutex::new(0));
        for _ in 0..5 {
            let lock = lock.clone();
            sim::spawn(async move {
                for _ in 0..5 {
                    *lock.lock().await += 1;
                }
            });
        }
        let _held = lock.lock().await;
        panic!("in main");
    });
}

#[test]
fn abort_of_the_program() {
    fails(Config::new(), FailureKind::Abort, "called abort", || async { std::process::abort() });
    fails(Config::new(), FailureKind::Abort, "called abort", || async {
        sim::spawn(async { std::process::abort() }).await.unwrap()
    });
}

// --- programs without an end

#[test]
fn future_that_spins() {
    fails(Config::new().max_steps(10_000), FailureKind::StepLimit, "10000 steps", || async {
        loop {
            yield_now().await;
        }
        #[allow(unreachable_code)]
        ()
    });
}

#[test]
fn future_that_wakes_itself() {
    fails(Config::new().max_steps(10_000), FailureKind::StepLimit, "10000 steps", || {
        std::future::poll_fn(|cx| -> std::task::Poll<()> {
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        })
    });
}

#[test]
fn future_that_sleeps_for_ever() {
    let limit = Config::new().time_limit(Duration::from_secs(60));
    let failure = fails(limit, FailureKind::TimeLimit, "60s", || async {
        loop {
            sleep(Duration::from_secs(1)).await;
        }
        #[allow(unreachable_code)]
        ()
    });
    assert!(failure.at <= Duration::from_secs(60));
}

#[test]
fn task_that_spawns_for_ever() {
    fn spawns() -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async {
            sim::spawn(spawns());
            sim::spawn(spawns());
        })
    }
    fails(Config::new().max_steps(20_000), FailureKind::StepLimit, "20000 steps", || async {
        sim::spawn(spawns());
        std::future::pending::<()>().await;
    });
}

#[test]
fn many_tasks() {
    passes(Config::new().seeds(1), || async {
        let mut tasks = Vec::new();
        for number in 0..100_000_u64 {
            tasks.push(sim::spawn(async move {
                yield_now().await;
                number
            }));
        }
        let mut sum = 0;
        for task in tasks {
            sum += task.await.unwrap();
        }
        assert_eq!(sum, 99_999 * 100_000 / 2);
    });
}

#[test]
fn many_tasks_that_are_left() {
    passes(Config::new().seeds(1), || async {
        for _ in 0..100_000 {
            sim::spawn(std::future::pending::<()>());
        }
        sleep(Duration::from_secs(1)).await;
    });
}

#[test]
fn stack_overflow() {
    #[allow(unconditional_recursion)]
    fn deeper(depth: u64) -> u64 {
        std::hint::black_box([depth; 100]);
        deeper(depth + 1) + std::hint::black_box(depth)
    }
    let small = Config::new().stack_size(100_000);
    fails(small.clone(), FailureKind::StackOverflow, "100000 bytes", || async {
        sim::spawn(async { deeper(0) }).await.unwrap();
    });
    fails(small, FailureKind::StackOverflow, "100000 bytes", || async {
        sim::task::spawn_blocking(|| deeper(0)).await.unwrap();
    });
    fails(Config::new(), FailureKind::StackOverflow, "Config::stack_size", || async {
        deeper(0);
    });
}

// --- locks

#[test]
fn deadlock_names_tasks_and_sites() {
    let created = line!() + 2;
    let failure = fails(Config::new(), FailureKind::Deadlock, "no task can go on", || async {
        let locks = [Mutex::new(0), Mutex::new(1)];
        let locks = Arc::new(locks);
        let tasks = [0, 1].map(|first| {
            let locks = locks.clone();
            sim::spawn(async move {
                let _first = locks[first].lock().await;
                let _second = locks[1 - first].lock().await;
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    let [spawned, waits, joined] = [created + 4, created + 6, created + 10];
    let (file, message) = (file!(), &failure.message);
    let has = |text: String| assert!(message.contains(&text), "{text:?} is not in {failure}");
    has(format!("task main waits at {file}:{joined}:"));
    for task in ["main/0", "main/1"] {
        has(format!("task {task} (spawned at {file}:{spawned}:"));
    }
    assert_eq!(message.matches(&format!("waits at {file}:{waits}:")).count(), 2, "{failure}");
    assert_eq!(message.matches(&format!("(created at {file}:{created}:")).count(), 2, "{failure}");
    assert_eq!(message.matches("acquire").count(), 2, "{failure}");
    assert!(failure.tape.context_switches() > 0);
}

#[test]
fn deadlock_without_a_lock() {
    fails(Config::new(), FailureKind::Deadlock, "task main", std::future::pending::<()>);
    fails(Config::new(), FailureKind::Deadlock, "task main/0 (spawned at", || async {
        sim::spawn(std::future::pending::<()>()).await.unwrap();
    });
    fails(Config::new(), FailureKind::Deadlock, "receive", || async {
        let (sender, mut inbox) = mpsc::channel::<()>(1);
        inbox.recv().await;
        drop(sender);
    });
}

#[test]
fn std_locks_that_are_contended() {
    passes(Config::new(), || async {
        let shared = Arc::new((std::sync::Mutex::new(0), std::sync::RwLock::new(0), Notify::new()));
        let tasks = [(); 5].map(|()| {
            let shared = shared.clone();
            sim::spawn(async move {
                for _ in 0..5 {
                    let mut count = shared.0.lock().unwrap();
                    shared.2.notify_one();
                    *count += 1;
                    drop(count);
                    let mut count = shared.1.write().unwrap();
                    shared.2.notify_one();
                    *count += 1;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*shared.0.lock().unwrap(), 25);
        assert_eq!(*shared.1.read().unwrap(), 25);
    });
}

fn lock_twice() {
    let lock = std::sync::Mutex::new(0);
    let _first = lock.lock().unwrap();
    let _second = lock.lock().unwrap();
}

#[test]
fn std_lock_taken_twice() {
    fails(Config::new(), FailureKind::Deadlock, "task main/0", || async {
        sim::spawn(async { lock_twice() }).await.unwrap();
    });
    fails(Config::new(), FailureKind::Deadlock, "task main/0", || async {
        sim::task::spawn_blocking(lock_twice).await.unwrap();
    });
}

#[test]
fn thread_that_parks_for_ever() {
    fails(Config::new(), FailureKind::Deadlock, "task main/0", || async {
        sim::task::spawn_blocking(std::thread::park).await.unwrap();
    });
}

/// A fiber that waits within libc cannot be unwound through libc's frames: it is left as it is.
#[cfg(target_os = "linux")]
#[test]
fn main_that_waits_in_libc_at_the_end() {
    fails(Config::new(), FailureKind::Deadlock, "within libc", || async { lock_twice() });
    fails(Config::new(), FailureKind::Deadlock, "within libc", || async { std::thread::park() });
}

/// All threads of a run are one thread to std, whose parker can be used by each of them nevertheless.
#[test]
fn threads_that_park_at_once() {
    passes(Config::new(), || async {
        let stop = Arc::new(AtomicU32::new(0));
        let thread = std::thread::current();
        let parked: Vec<_> = (1..=3)
            .map(|turn| {
                let stop = stop.clone();
                sim::task::spawn_blocking(move || {
                    while stop.load(SeqCst) < turn {
                        std::thread::park();
                    }
                })
            })
            .collect();
        for handle in parked {
            sleep(Duration::from_millis(1)).await;
            stop.fetch_add(1, SeqCst);
            thread.unpark();
            handle.await.unwrap();
        }
    });
}

#[test]
fn threads_that_park_for_a_time() {
    passes(Config::new(), || async {
        let naps = [10, 20, 30].map(|ms| {
            sim::task::spawn_blocking(move || {
                let before = std::time::Instant::now();
                std::thread::park_timeout(Duration::from_millis(ms));
                before.elapsed()
            })
        });
        for (nap, ms) in naps.into_iter().zip([10, 20, 30]) {
            assert!(nap.await.unwrap() >= Duration::from_millis(ms));
        }
    });
}

/// Waits for another task without letting it run: on one thread it would wait for ever.
#[test]
fn loop_that_comes_to_no_point() {
    let config = Config::new().poll_limit(Duration::from_millis(200));
    let failure = fails(config, FailureKind::BlockedPoll, "without a scheduling point", || async {
        let stop = Arc::new(AtomicU32::new(0));
        let stopping = sim::spawn({
            let stop = stop.clone();
            async move {
                sleep(Duration::from_secs(1)).await;
                stop.store(1, SeqCst);
            }
        });
        let spinning = sim::spawn(async move {
            let mut list = Vec::new();
            while stop.load(SeqCst) == 0 {
                list = vec![list.len(); 100]; // within malloc more often than not
                std::hint::spin_loop();
            }
        });
        spinning.await.unwrap();
        stopping.await.unwrap();
    });
    assert_eq!(failure.task.as_deref(), Some("main/1"), "{failure}");
}

#[test]
fn main_that_comes_to_no_point() {
    let config = Config::new().poll_limit(Duration::from_millis(200));
    fails(config, FailureKind::BlockedPoll, "since `yield` at", || async {
        yield_now().await;
        loop {
            std::hint::spin_loop();
        }
    });
}

/// Nothing is measured in real time where there are points: they are signs of life.
#[test]
fn long_runs_are_no_hang() {
    passes(Config::new().seeds(1).poll_limit(Duration::from_millis(20)), || async {
        for _ in 0..300_000 {
            yield_now().await;
        }
    });
}

#[test]
fn loops_that_wait_for_a_time() {
    passes(Config::new().seeds(20), || async {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(500) {}
        let start = sim::time::Instant::now();
        while start.elapsed() < Duration::from_millis(500) {}
    });
}

#[test]
fn parking_lot_that_is_contended() {
    let contended = || async {
        let shared = Arc::new((parking_lot::Mutex::new(0), Notify::new()));
        let tasks = [(); 5].map(|()| {
            let shared = shared.clone();
            sim::spawn(async move {
                for _ in 0..5 {
                    let mut count = shared.0.lock();
                    shared.1.notify_one();
                    *count += 1;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
    };
    passes(Config::new(), contended);
    passes(Config::new().current_thread(), contended);
}

/// Where nobody comes to give the lock back it waits, in a way that cannot tell fibers apart.
#[test]
fn parking_lot_in_a_deadlock() {
    for _ in 0..10 {
        fails(Config::new(), FailureKind::Escape, "parking_lot", || async {
            let locks = Arc::new((parking_lot::Mutex::new(0), parking_lot::Mutex::new(0)));
            let there = sim::task::spawn_blocking({
                let locks = locks.clone();
                move || {
                    let mut first = locks.0.lock();
                    std::thread::sleep(Duration::from_millis(1));
                    *first += *locks.1.lock();
                }
            });
            {
                let mut second = locks.1.lock();
                std::thread::sleep(Duration::from_millis(1));
                *second += *locks.0.lock();
            }
            there.await.unwrap();
        });
    }
}

#[test]
fn block_on_of_another_executor_within_a_task() {
    passes(Config::new(), || async {
        let (sender, mut inbox) = mpsc::channel(1);
        let task = sim::spawn(async move { futures::executor::block_on(inbox.recv()) });
        sender.send(1).await.unwrap();
        assert_eq!(task.await.unwrap(), Some(1));
    });
    // It would hold the only worker for ever; so it would in tokio.
    fails(Config::new().current_thread(), FailureKind::Deadlock, "task main/0", || async {
        let (sender, mut inbox) = mpsc::channel::<u32>(1);
        let task = sim::spawn(async move { futures::executor::block_on(inbox.recv()) });
        task.await.unwrap();
        drop(sender);
    });
}

/// That executor knows by a thread-local that it runs; two tasks on two workers share it here.
#[test]
fn block_on_of_another_executor_within_two_tasks() {
    fails(Config::new(), FailureKind::Panic, "LocalPool", || async {
        let done = Arc::new(real_tokio::sync::Notify::new());
        let tasks = [(); 2].map(|()| {
            let done = done.clone();
            sim::spawn(async move { futures::executor::block_on(done.notified()) })
        });
        sleep(Duration::from_secs(1)).await;
        done.notify_waiters();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

#[test]
fn block_on_of_sim_within_a_task() {
    fails(Config::new(), FailureKind::Panic, "within a runtime", || async {
        let handle = sim::runtime::Handle::current();
        sim::spawn(async move { handle.block_on(nothing()) }).await.unwrap();
    });
}

/// The asyncio rule: a task's exception that is never retrieved is an error of the program.
#[test]
fn error_of_a_task_that_nobody_awaits() {
    let failure = fails(Config::new(), FailureKind::SwallowedError, "\"disk full\"", || async {
        drop(sim::spawn(async { Err::<(), _>("disk full".to_string()) }));
        yield_now().await;
    });
    assert!(
        failure.message.contains("task main/0, spawned at tests/tests/failures.rs:"),
        "{failure}"
    );
    assert_eq!(failure.task.as_deref(), Some("main/0"));
}

/// The wait is for the condition variable, not for the mutex that was given back.
#[test]
fn deadlock_at_condition_variables() {
    let message = "wait object 2 (created at tests/tests/failures.rs:";
    let failure = fails(Config::new(), FailureKind::Deadlock, message, || async {
        let (mutex, changed) = (Mutex::new(()), sim::sync::Condvar::new());
        let guard = mutex.lock().await;
        drop(changed.wait(guard).await);
    });
    assert!(!failure.message.contains("release"), "{failure}");
    fails(Config::new(), FailureKind::Deadlock, message, || async {
        let (mutex, changed) = (sim::std::sync::Mutex::new(()), sim::std::sync::Condvar::new());
        // For nothing now and then, as std's may.
        loop {
            drop(changed.wait(mutex.lock().unwrap()).unwrap());
        }
    });
}

/// Workers are a setting, and not on the tape.
#[test]
fn tapes_of_other_settings() {
    let config = Config::new().current_thread();
    let race = || async {
        let seen = Arc::new(AtomicU32::new(0));
        let tasks = [seen.clone(), seen.clone()].map(|seen| {
            sim::spawn(async move {
                let before = seen.load(SeqCst);
                yield_now().await;
                seen.store(before + 1, SeqCst);
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(seen.load(SeqCst), 2, "lost");
    };
    let failure = fails(config.clone(), FailureKind::Panic, "lost", race);
    let again = sim::replay_with(config, &failure.tape, race);
    assert_eq!(again.warnings, [""; 0]);
    assert_eq!(again.failure.unwrap().tape, failure.tape);
}

#[test]
fn error_of_any_type_that_nobody_looks_at() {
    struct Quiet;
    fails(
        Config::new(),
        FailureKind::SwallowedError,
        "Result<u8, failures::error_of_any",
        || async {
            let handle = sim::spawn(async { Err::<u8, _>(Quiet) });
            yield_now().await;
            drop(handle);
        },
    );
}

#[test]
fn error_that_is_left_in_a_join_set() {
    fails(Config::new(), FailureKind::SwallowedError, "OutOfMemory", || async {
        let mut set = sim::task::JoinSet::new();
        set.spawn(async { Err::<(), _>(std::io::Error::from(std::io::ErrorKind::OutOfMemory)) });
        set.spawn(async {
            sleep(Duration::from_secs(1)).await;
            Ok(())
        });
        sleep(Duration::from_secs(2)).await;
    });
}

#[test]
fn error_at_the_end_of_the_run() {
    fails(Config::new(), FailureKind::SwallowedError, "late", || async {
        std::mem::forget(sim::task::spawn_blocking(|| Err::<(), _>("late")));
        yield_now().await;
    });
}

#[test]
fn errors_that_somebody_looks_at() {
    passes(Config::new(), || async {
        let error = sim::spawn(async { Err::<(), _>("expected") }).await.unwrap();
        assert_eq!(error, Err("expected"));
        drop(sim::spawn(async { Ok::<(), String>(()) }));
        drop(sim::spawn(async { None::<()> }));
        let aborted = sim::spawn(async {
            sleep(Duration::from_secs(1)).await;
            Err::<(), _>("not reached")
        });
        aborted.abort();
        yield_now().await;
    });
    let config = Config::new().lint("swallowed_error", Level::Allow);
    passes(config, || async { drop(sim::spawn(async { Err::<(), _>("allowed") })) });
}
