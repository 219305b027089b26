//! Nodes: what a crash, a restart, a pause, a signal and a wrong clock mean, under every strategy's seeds.

use rand::{Rng, RngExt};
use sim::{
    Config, FailureKind, Report,
    node::{NodeError, Shift},
    signal::unix::{SignalKind, signal},
    sync::{Mutex, Notify, oneshot},
    task::{JoinHandle, yield_now},
    time::{Instant, sleep, timeout},
};
use std::{
    future::Future,
    sync::{
        Arc, Mutex as StdMutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

const SECOND: Duration = Duration::from_secs(1);
const SEEDS: u64 = 100;

/// Runs `main` under many seeds, which all have to pass.
#[track_caller]
fn passes<Fut: Future<Output = ()>>(main: impl Fn() -> Fut + Sync) -> Report {
    let report = sim::check(Config::new().seeds(SEEDS), main);
    assert!(report.failure.is_none(), "{report}");
    assert!(report.warnings.is_empty(), "{report}");
    report
}

/// Runs it until it fails, as `kind`; gives the message.
#[track_caller]
fn fails<Fut: Future<Output = ()>>(main: impl Fn() -> Fut + Sync, kind: FailureKind) -> String {
    let report = sim::check(Config::new().seeds(SEEDS), main);
    let failure = report.failure.expect("a seed fails");
    assert_eq!(failure.kind, kind, "{failure}");
    failure.message
}

/// Counts, from wherever.
#[derive(Clone, Default)]
struct Counter(Arc<AtomicU32>);

impl Counter {
    fn add(&self) -> u32 {
        self.0.fetch_add(1, SeqCst) + 1
    }

    fn tick(&self) {
        self.add();
    }

    fn get(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

/// Calls `f` when it is dropped.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

async fn for_ever() {
    std::future::pending::<()>().await;
}

#[test]
fn crash_drops_tasks_at_a_point() {
    passes(|| async {
        let (steps, dropped) = (Counter::default(), Counter::default());
        let server = sim::node("server").start({
            let (steps, dropped) = (steps.clone(), dropped.clone());
            move || {
                let (steps, dropped) = (steps.clone(), dropped.clone());
                async move {
                    for _ in 0..3 {
                        let (steps, dropped) = (steps.clone(), dropped.clone());
                        sim::spawn(async move {
                            let _dropped = OnDrop(|| dropped.tick());
                            loop {
                                steps.add();
                                sleep(Duration::from_millis(1)).await;
                            }
                        });
                    }
                    for_ever().await;
                }
            }
        });
        sleep(SECOND).await;
        server.crash();
        let (ran, gone) = (steps.get(), dropped.get());
        assert!(ran > 100, "{ran}");
        assert_eq!(gone, 3, "what a task owns is dropped");
        sleep(SECOND).await;
        assert_eq!(steps.get(), ran, "a task ran after the crash");
        assert!(!server.is_running());
        assert_eq!(server.join().await, Err(NodeError::Crashed));
    });
}

/// A task of the node is in the middle of a poll when it crashes: it goes on nowhere.
#[test]
fn crash_in_the_middle_of_a_poll() {
    let cut = AtomicU32::new(0);
    passes(|| async {
        let (begun, ended, dropped) = (Counter::default(), Counter::default(), Counter::default());
        let server = sim::node("server").start({
            let (begun, ended, dropped) = (begun.clone(), ended.clone(), dropped.clone());
            move || {
                let (begun, ended, dropped) = (begun.clone(), ended.clone(), dropped.clone());
                let notify = Notify::new();
                async move {
                    loop {
                        begun.add();
                        let _dropped = OnDrop(|| dropped.tick());
                        for _ in 0..5 {
                            notify.notify_one(); // A scheduling point, without an await.
                        }
                        ended.add();
                        drop(_dropped);
                        yield_now().await;
                    }
                }
            }
        });
        for _ in 0..20 {
            yield_now().await;
        }
        server.crash();
        let (begun_then, ended_then) = (begun.get(), ended.get());
        assert_eq!(begun_then, dropped.get(), "what was on the stack was not dropped");
        cut.fetch_add(begun_then - ended_then, SeqCst);
        sleep(SECOND).await;
        assert_eq!((begun.get(), ended.get()), (begun_then, ended_then));
    });
    assert!(cut.load(SeqCst) > 10, "no poll was in flight in any run");
}

#[test]
fn restart_runs_the_factory_again() {
    passes(|| async {
        let starts = Counter::default();
        let server = sim::node("server").start({
            let starts = starts.clone();
            move || {
                let starts = starts.clone();
                async move {
                    starts.add();
                    for_ever().await;
                }
            }
        });
        sleep(SECOND).await;
        server.crash();
        sleep(SECOND).await;
        assert_eq!(starts.get(), 1);
        server.restart();
        sleep(SECOND).await;
        assert_eq!(starts.get(), 2);
        // One that runs crashes before.
        let first = server.join();
        server.restart();
        assert_eq!(first.await, Err(NodeError::Crashed));
        sleep(SECOND).await;
        assert_eq!(starts.get(), 3);
        assert!(server.is_running());
    });
}

#[test]
fn node_that_crashes_itself_does_not_go_on() {
    passes(|| async {
        let after = Arc::new(AtomicBool::new(false));
        let server = sim::node("server").start({
            let after = after.clone();
            move || {
                let after = after.clone();
                async move {
                    sim::spawn(async move {
                        sleep(SECOND).await;
                        sim::node::current().crash();
                        after.store(true, SeqCst);
                    });
                    for_ever().await;
                }
            }
        });
        assert_eq!(server.join().await, Err(NodeError::Crashed));
        assert!(!after.load(SeqCst), "it returned from its crash");
    });
}

#[test]
fn node_that_restarts_itself_starts_anew() {
    passes(|| async {
        let starts = Counter::default();
        let server = sim::node("server").start({
            let starts = starts.clone();
            move || {
                let starts = starts.clone();
                async move {
                    if starts.add() < 5 {
                        sleep(SECOND).await;
                        sim::node::current().restart();
                        unreachable!("it returned from its restart");
                    }
                }
            }
        });
        sleep(SECOND * 10).await;
        assert_eq!(starts.get(), 5);
        assert_eq!(server.join().await, Ok(()));
    });
}

#[test]
fn nodes_crash_each_other() {
    passes(|| async {
        let _victim = sim::node("victim").start(for_ever);
        let killer = sim::node("killer").start(|| async {
            sleep(SECOND).await;
            sim::node::get("victim").unwrap().crash();
        });
        let victim = sim::node::get("victim").unwrap();
        assert_eq!(victim.join().await, Err(NodeError::Crashed));
        assert_eq!(killer.join().await, Ok(()));
    });
}

#[test]
fn handles_of_tasks_of_a_crashed_node_are_cancelled() {
    passes(|| async {
        let handles = Arc::new(StdMutex::new(Vec::<JoinHandle<()>>::new()));
        let server = sim::node("server").start({
            let handles = handles.clone();
            move || {
                let handles = handles.clone();
                async move {
                    let task = sim::spawn(for_ever());
                    let thread = sim::task::spawn_blocking(|| {
                        loop {
                            sim::std::thread::sleep(SECOND);
                        }
                    });
                    handles.lock().unwrap().extend([task, thread]);
                    for_ever().await;
                }
            }
        });
        sleep(SECOND).await;
        server.crash();
        let handles = std::mem::take(&mut *handles.lock().unwrap());
        assert_eq!(handles.len(), 2);
        for handle in handles {
            assert!(handle.await.unwrap_err().is_cancelled());
        }
    });
}

#[test]
fn threads_of_a_crashed_node_vanish() {
    passes(|| async {
        let (steps, dropped) = (Counter::default(), Counter::default());
        let server = sim::node("server").start({
            let (steps, dropped) = (steps.clone(), dropped.clone());
            move || {
                let (steps, dropped) = (steps.clone(), dropped.clone());
                async move {
                    let ended = sim::task::spawn_blocking(move || {
                        let _dropped = OnDrop(|| dropped.tick());
                        sim::std::thread::scope(|scope| {
                            scope.spawn(|| {
                                let _dropped = OnDrop(|| dropped.tick());
                                loop {
                                    steps.add();
                                    sim::std::thread::sleep(Duration::from_millis(1));
                                }
                            });
                        });
                    });
                    ended.await.unwrap();
                }
            }
        });
        sleep(SECOND).await;
        server.crash();
        let ran = steps.get();
        assert!(ran > 10);
        assert_eq!(dropped.get(), 2);
        sleep(SECOND).await;
        assert_eq!(steps.get(), ran);
    });
}

/// Scoped threads borrow from those that started them, also where some have not begun to run.
#[test]
fn scopes_of_a_crashed_node_end_from_within() {
    passes(|| async {
        let dropped = Counter::default();
        let server = sim::node("server").start({
            let dropped = dropped.clone();
            move || {
                let dropped = dropped.clone();
                async move {
                    sim::task::spawn_blocking(move || {
                        let lock = sim::std::sync::Mutex::new(0);
                        sim::std::thread::scope(|scope| {
                            for _ in 0..3 {
                                scope.spawn(|| {
                                    let _dropped = OnDrop(|| {
                                        *lock.lock().unwrap_or_else(|it| it.into_inner()) += 1;
                                        dropped.tick();
                                    });
                                    loop {
                                        *lock.lock().unwrap_or_else(|it| it.into_inner()) += 1;
                                    }
                                });
                            }
                        });
                    });
                    for_ever().await;
                }
            }
        });
        for _ in 0..sim::rand::rng().next_u32() % 30 {
            yield_now().await;
        }
        server.crash();
        sleep(SECOND).await;
    });
}

/// A panic in a destructor that another panic runs ends a process of Rust, and so the run, with the reason.
#[test]
fn panic_in_a_destructor_of_a_poll_in_flight_is_told() {
    let message = fails(
        || async {
            let server = sim::node("server").start(|| async {
                let _dropped = OnDrop(|| {
                    if std::thread::panicking() {
                        panic!("a destructor");
                    }
                });
                let notify = Notify::new();
                loop {
                    notify.notify_one();
                    notify.notified().await;
                }
            });
            for _ in 0..5 {
                yield_now().await;
            }
            server.crash();
        },
        FailureKind::Abort,
    );
    assert!(message.contains("a destructor, at tests/tests/nodes.rs:"), "{message}");
}

/// No panic can pass the frames of libc: the thread vanishes, and what it owns is leaked.
#[cfg(target_os = "linux")]
#[test]
fn threads_that_sleep_within_libc_vanish() {
    passes(|| async {
        let steps = Counter::default();
        let server = sim::node("server").start({
            let steps = steps.clone();
            move || {
                let steps = steps.clone();
                async move {
                    sim::task::spawn_blocking(move || {
                        sim::std::thread::scope(|scope| {
                            scope.spawn(|| {
                                loop {
                                    steps.add();
                                    std::thread::sleep(SECOND);
                                }
                            });
                        });
                    });
                    for_ever().await;
                }
            }
        });
        sleep(SECOND * 5).await;
        server.crash();
        let ran = steps.get();
        sleep(SECOND * 5).await;
        assert_eq!(steps.get(), ran);
        server.restart();
        sleep(SECOND).await;
        assert!(steps.get() > ran);
    });
}

#[test]
fn destructor_in_a_crash_reaches_nobody() {
    passes(|| async {
        let (spawned, told) = (Counter::default(), Counter::default());
        let server = sim::node("server").start({
            let (spawned, told) = (spawned.clone(), told.clone());
            move || {
                let (spawned, told) = (spawned.clone(), told.clone());
                async move {
                    let _dropped = OnDrop(|| {
                        let (one, other) = (spawned.clone(), spawned.clone());
                        let task = sim::spawn(async move { one.tick() });
                        drop(task);
                        drop(sim::std::thread::spawn(move || other.tick()));
                        sim::node::current().restart();
                        sim::std::thread::yield_now();
                        assert_eq!(sim::node::current().name(), "server");
                        told.add();
                    });
                    for_ever().await;
                }
            }
        });
        sleep(SECOND).await;
        let seen = Instant::now();
        server.crash();
        // No other task, and no time, came in between.
        assert_eq!(told.get(), 1);
        assert!(seen.elapsed() < Duration::from_micros(10));
        sleep(SECOND).await;
        assert_eq!((spawned.get(), told.get()), (0, 1));
        assert!(!server.is_running());
    });
}

#[test]
fn panic_in_a_destructor_during_a_crash_is_no_finding() {
    passes(|| async {
        let server = sim::node("server").start(|| async {
            sim::spawn(async {
                let _dropped = OnDrop(|| panic!("a destructor"));
                for_ever().await;
            });
            let _joined = sim::spawn(async { panic!("its handle vanishes") });
            for_ever().await;
        });
        server.crash();
        sleep(SECOND).await;
    });
}

/// A task panicked, and its handle goes with the process: the run is not green, unless the process crashed.
#[test]
fn panic_of_a_task_whose_handle_goes_with_its_process_is_told() {
    fn server() -> sim::Node {
        sim::node("server").start(|| async {
            let _handle = sim::spawn(async { panic!("no memory") });
            sleep(SECOND * 2).await;
        })
    }
    let ends = || async { server().join().await.unwrap() };
    assert!(
        fails(ends, FailureKind::SwallowedPanic).contains(": no memory, at tests/tests/nodes.rs:")
    );
    let run_ends = || async {
        let _server = server();
        sleep(SECOND).await;
    };
    assert!(
        fails(run_ends, FailureKind::SwallowedPanic)
            .contains(": no memory, at tests/tests/nodes.rs:")
    );
    passes(|| async {
        let server = server();
        sleep(SECOND).await;
        server.crash();
        sleep(SECOND).await;
    });
}

#[test]
fn locks_that_a_crashed_node_holds_are_given_back() {
    passes(|| async {
        let lock = Arc::new(Mutex::new(0));
        let threads = Arc::new(sim::std::sync::Mutex::new(0));
        let server = sim::node("server").start({
            let (lock, threads) = (lock.clone(), threads.clone());
            move || {
                let (lock, threads) = (lock.clone(), threads.clone());
                async move {
                    sim::task::spawn_blocking(move || {
                        let mut guard = threads.lock().unwrap();
                        *guard += 1;
                        sim::std::thread::sleep(SECOND * 100);
                    });
                    let mut guard = lock.lock().await;
                    *guard += 1;
                    for_ever().await;
                }
            }
        });
        sleep(SECOND).await;
        assert!(timeout(SECOND, lock.lock()).await.is_err());
        server.crash();
        assert_eq!(*lock.lock().await, 1);
        assert_eq!(*threads.lock().unwrap(), 1);
    });
}

/// A destructor waits for a lock that another poll in flight of the node holds: that one is unwound first.
#[test]
fn destructors_in_a_crash_wait_for_each_other() {
    passes(|| async {
        let dropped = Counter::default();
        let server = sim::node("server").start({
            let dropped = dropped.clone();
            move || {
                let dropped = dropped.clone();
                async move {
                    let list = Arc::new(sim::std::sync::Mutex::new(Vec::new()));
                    for n in 0..3 {
                        let (list, dropped) = (list.clone(), dropped.clone());
                        sim::spawn(async move {
                            let _dropped = OnDrop(|| {
                                list.lock().unwrap_or_else(|it| it.into_inner()).push(n);
                                dropped.add();
                            });
                            loop {
                                {
                                    let mut held = list.lock().unwrap_or_else(|it| it.into_inner());
                                    held.push(n);
                                    sim::std::thread::yield_now();
                                }
                                yield_now().await;
                            }
                        });
                    }
                    for_ever().await;
                }
            }
        });
        for _ in 0..50 {
            yield_now().await;
        }
        let started = dropped.clone();
        server.crash();
        sleep(SECOND).await;
        assert_eq!(started.get(), dropped.get());
    });
}

#[test]
fn paused_node_sees_its_timers_late() {
    passes(|| async {
        let seen = Arc::new(StdMutex::new(Vec::new()));
        let start = Instant::now();
        let server = sim::node("server").start({
            let seen = seen.clone();
            move || {
                let seen = seen.clone();
                async move {
                    sim::task::spawn_blocking({
                        let seen = seen.clone();
                        move || {
                            sim::std::thread::sleep(SECOND * 3);
                            seen.lock().unwrap().push(start.elapsed());
                        }
                    });
                    for _ in 0..2 {
                        sleep(SECOND * 2).await;
                        seen.lock().unwrap().push(start.elapsed());
                    }
                    for_ever().await;
                }
            }
        });
        sleep(SECOND).await;
        server.pause();
        assert!(server.is_running() && server.is_paused());
        sleep(SECOND * 9).await;
        assert!(seen.lock().unwrap().is_empty(), "it ran while it was paused");
        server.resume();
        sleep(SECOND).await;
        {
            let seen = seen.lock().unwrap();
            assert_eq!(seen.len(), 2);
            assert!(seen.iter().all(|at| (10..11).contains(&at.as_secs())), "{seen:?}");
        }
        sleep(SECOND * 2).await;
        let last = *seen.lock().unwrap().last().unwrap();
        assert_eq!(
            last.as_secs(),
            12,
            "the next sleep is counted from when the node saw the first"
        );
    });
}

/// A poll in flight stops where it is.
#[test]
fn pause_in_the_middle_of_a_poll() {
    let stopped = AtomicU32::new(0);
    passes(|| async {
        let (begun, ended) = (Counter::default(), Counter::default());
        let server = sim::node("server").start({
            let (begun, ended) = (begun.clone(), ended.clone());
            move || {
                let (begun, ended, notify) = (begun.clone(), ended.clone(), Notify::new());
                async move {
                    loop {
                        begun.add();
                        for _ in 0..5 {
                            notify.notify_one();
                        }
                        ended.add();
                        sleep(Duration::from_micros(1)).await;
                    }
                }
            }
        });
        for _ in 0..20 {
            yield_now().await;
        }
        server.pause();
        let then = (begun.get(), ended.get());
        stopped.fetch_add(then.0 - then.1, SeqCst);
        sleep(SECOND).await;
        assert_eq!((begun.get(), ended.get()), then);
        server.resume();
        sleep(Duration::from_millis(1)).await;
        assert!(ended.get() > then.1);
        server.pause();
        server.crash(); // A paused node crashes too.
        assert!(!server.is_paused());
    });
    assert!(stopped.load(SeqCst) > 10);
}

#[test]
fn node_that_pauses_itself_goes_on_when_it_is_resumed() {
    passes(|| async {
        let server = sim::node("server").start(|| async {
            let start = Instant::now();
            sim::node::current().pause();
            assert!(start.elapsed() >= SECOND);
        });
        sleep(SECOND * 2).await;
        assert!(server.is_paused());
        server.resume();
        assert_eq!(server.join().await, Ok(()));
    });
}

#[test]
fn clocks_drift() {
    passes(|| async {
        let start = Instant::now();
        let nodes = [("fast", 500_000), ("exact", 0), ("slow", -500_000)].map(|(name, ppm)| {
            let node = sim::node(name).start(|| async {
                sleep(Duration::from_nanos(1)).await;
                let (start, real) = (Instant::now(), std::time::Instant::now());
                sleep(SECOND * 30).await;
                assert_eq!(start.elapsed().as_secs(), 30, "its own clock does not see the drift");
                if cfg!(target_os = "linux") {
                    assert_eq!(real.elapsed().as_secs(), 30);
                }
            });
            node.clock().drift(ppm);
            node
        });
        let mut ended = Vec::new();
        for node in nodes {
            node.join().await.unwrap();
            ended.push(start.elapsed().as_secs_f64().round());
        }
        assert_eq!(ended, [20.0, 30.0, 60.0]);
    });
}

#[cfg(target_os = "linux")]
#[test]
fn wall_clocks_are_off_and_jump() {
    passes(|| async {
        let now = SystemTime::now();
        let (say, told) = oneshot::channel();
        let say = StdMutex::new(Some(say));
        let server = sim::node("server").start(move || {
            let say = say.lock().unwrap().take();
            async move {
                sleep(SECOND).await;
                let before = SystemTime::now();
                sleep(SECOND).await;
                let after = SystemTime::now();
                let _ = say.unwrap().send((before, after));
            }
        });
        server.clock().skew(SECOND * 100);
        sleep(SECOND + SECOND / 2).await;
        server.clock().jump(Shift::Back(SECOND * 50));
        let (before, after) = told.await.unwrap();
        assert_eq!(before.duration_since(now).unwrap().as_secs(), 101);
        assert_eq!(after.duration_since(now).unwrap().as_secs(), 52);
        assert_eq!(SystemTime::now().duration_since(now).unwrap().as_secs(), 2);
    });
}

#[test]
fn shutdown_is_a_signal() {
    passes(|| async {
        let polite = sim::node("polite").start(|| async {
            let mut terminate = signal(SignalKind::terminate()).unwrap();
            let mut hangup = signal(SignalKind::hangup()).unwrap();
            hangup.recv().await;
            // Two that come before they are looked at are one.
            terminate.recv().await;
            assert!(timeout(SECOND, terminate.recv()).await.is_err());
        });
        let old = sim::node("old").start(|| async { sim::signal::ctrl_c().await });
        let deaf = sim::node("deaf").start(for_ever);
        sleep(SECOND).await;
        deaf.signal(SignalKind::window_change());
        polite.pause();
        polite.signal(SignalKind::hangup());
        polite.signal(SignalKind::terminate());
        for node in [&polite, &old, &deaf] {
            node.shutdown();
        }
        polite.resume();
        assert_eq!(polite.join().await, Ok(()));
        assert_eq!(old.join().await, Ok(()));
        assert_eq!(deaf.join().await, Err(NodeError::Terminated("SIGTERM".into())));
    });
}

#[test]
fn main_future_ends_its_process() {
    passes(|| async {
        let steps = Counter::default();
        let server = sim::node("server").start({
            let steps = steps.clone();
            move || {
                let steps = steps.clone();
                async move {
                    sim::spawn(async move {
                        loop {
                            steps.add();
                            sleep(Duration::from_millis(1)).await;
                        }
                    });
                    sleep(SECOND).await;
                }
            }
        });
        assert_eq!(server.join().await, Ok(()));
        let ran = steps.get();
        sleep(SECOND).await;
        assert_eq!(steps.get(), ran);
        assert_eq!(server.join().await, Ok(()), "it can be joined again");
    });
}

#[test]
fn failure_of_a_node_that_is_joined_is_no_finding() {
    passes(|| async {
        let error = sim::node("error").start(|| async { Err::<(), _>("no disk") });
        assert_eq!(error.join().await, Err(NodeError::Failed("\"no disk\"".into())));
        let panic = sim::node("panic").start(|| async { panic!("no memory") });
        let Err(NodeError::Panicked(message)) = panic.join().await else { panic!("it panicked") };
        assert!(message.starts_with("no memory, at "), "{message}");
    });
}

#[test]
fn failure_of_a_node_that_nobody_joins_is_swallowed() {
    let kept = || async {
        let _server = sim::node("server").start(|| async { panic!("no memory") });
        sleep(SECOND).await;
    };
    let message = fails(kept, FailureKind::SwallowedPanic);
    assert!(message.starts_with("nobody joined node server, started at tests/tests/nodes.rs:"));
    assert!(message.contains(", panicked: no memory, at "), "{message}");
    let gone = || async {
        drop(sim::node("server").start(|| async { Err::<(), _>("no disk") }));
        sleep(SECOND).await;
        panic!("the run goes on");
    };
    let message = fails(gone, FailureKind::SwallowedError);
    assert!(message.ends_with(", failed: \"no disk\""), "{message}");
}

#[test]
fn what_failed_before_is_told() {
    let message = fails(
        || async {
            let (say, told) = oneshot::channel::<()>();
            let say = Arc::new(say);
            let _server = sim::node("server").start(move || {
                let say = say.clone();
                async move {
                    let _say = say;
                    panic!("no memory");
                }
            });
            told.await.expect("the server answers");
        },
        FailureKind::Deadlock,
    );
    assert!(message.contains("\n  node server has ended"), "{message}");
    assert!(message.contains("\n  before, node server, started at "), "{message}");
}

#[test]
fn panic_of_a_task_of_a_node_names_the_node() {
    let main = || async {
        let _server = sim::node("server").start(|| async {
            sim::spawn(async {
                drop(sim::spawn(async { panic!("no memory") }));
                for_ever().await;
            });
            for_ever().await;
        });
        sleep(SECOND).await;
    };
    let report = sim::check(Config::new(), main);
    let failure = report.failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::SwallowedPanic);
    assert_eq!(failure.task.as_deref(), Some("server/0/0"));
    assert!(report.to_json().contains(r#""task":"server/0/0""#), "{}", report.to_json());
    let again = sim::replay(&failure.tape.to_string().parse().unwrap(), main);
    assert_eq!(again.failure.unwrap().task.as_deref(), Some("server/0/0"));
    assert!(again.warnings.is_empty(), "{:?}", again.warnings);
}

#[test]
fn deadlock_tells_which_nodes_are_not_there() {
    let message = fails(
        || async {
            let paused = sim::node("paused").start(for_ever);
            let crashed = sim::node("crashed").start(for_ever);
            let _idle = sim::node("idle").start(for_ever);
            paused.pause();
            crashed.crash();
            for_ever().await;
        },
        FailureKind::Deadlock,
    );
    assert!(message.contains("\n  task idle"), "{message}");
    assert!(message.contains("\n  node paused is paused\n  node crashed has crashed"), "{message}");
    assert!(!message.contains("node idle"), "{message}");
}

/// Each of these is a mistake of the test, which is told as such.
#[test]
fn mistakes_are_told() {
    async fn two(name: &str) {
        let _one = sim::node("server").ip([10, 0, 0, 1]).start(for_ever);
        let _other = sim::node(name).ip([10, 0, 0, 1]).start(for_ever);
    }
    fn check<Fut: Future<Output = ()>>(main: impl Fn() -> Fut + Sync, expected: &str) {
        let message = fails(main, FailureKind::Panic);
        assert!(message.contains(expected), "{expected:?} is not in {message:?}");
    }
    check(
        || two("server"),
        "failed to start the node \"server\": the node \"server\" exists already, started at ",
    );
    check(
        || two("other"),
        "failed to start the node \"other\": 10.0.0.1 is already an address of the node \"server\"",
    );
    check(|| two("main"), "the node \"main\" is the test itself");
    check(|| two("no name"), "\"no name\" cannot be the name of a node");
    check(|| async { sim::node::current().crash() }, "nobody can crash");
    check(|| async { sim::node::current().restart() }, "nobody can restart");
    check(|| async { sim::node::current().pause() }, "nobody can pause");
    check(|| async { sim::node::current().shutdown() }, "nobody can end by a signal");
    check(
        || async { drop(sim::node("server").ip([127, 0, 0, 1]).start(for_ever)) },
        "127.0.0.1 is no address that a node can have",
    );
}

#[test]
fn what_has_no_effect_does_nothing() {
    passes(|| async {
        let server = sim::node("server").start(for_ever);
        server.resume();
        server.pause();
        server.pause();
        server.resume();
        server.crash();
        server.crash();
        server.pause();
        server.resume();
        server.shutdown();
        assert!(!server.is_running() && !server.is_paused());
        sleep(SECOND).await;
    });
}

#[test]
fn addresses_are_of_both_families() {
    passes(|| async {
        let one = sim::node("one").start(for_ever);
        let two = sim::node("two").ip([192, 168, 0, 2]).ip([10, 1, 1, 1]).start(for_ever);
        let three = sim::node("three").start(for_ever);
        let text = |node: &sim::Node| {
            node.ips().iter().map(|ip| ip.to_string()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(text(&one), "192.168.0.1 fd00::1");
        assert_eq!(text(&two), "192.168.0.2 10.1.1.1 fd00::2");
        assert_eq!(text(&three), "192.168.0.3 fd00::3");
        assert_eq!(two.ip().to_string(), "192.168.0.2");
        assert_eq!(sim::node::current().ips().len(), 2);
    });
}

#[test]
fn nodes_of_one_worker_do_not_interleave_in_a_poll() {
    passes(|| async {
        let server = sim::node("server").workers(1).start(|| async {
            let count = Arc::new(AtomicU32::new(0));
            let tasks = [0; 4].map(|_| {
                let count = count.clone();
                sim::spawn(async move {
                    let seen = count.load(SeqCst);
                    Notify::new().notify_one();
                    count.store(seen + 1, SeqCst);
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(count.load(SeqCst), 4);
        });
        server.join().await.unwrap();
    });
}

/// What a node draws at random does not depend on what others draw.
#[test]
fn entropy_is_a_nodes_own() {
    fn draws(others: u32) -> Vec<u64> {
        let drawn = StdMutex::new(Vec::new());
        let report = sim::check(Config::new().seeds(1).seed(7), || {
            let (say, told) = oneshot::channel();
            let say = StdMutex::new(Some(say));
            let drawn = &drawn;
            async move {
                (0..others).for_each(|_| _ = sim::rand::rng().next_u64());
                let server = sim::node("server").start(move || {
                    let say = say.lock().unwrap().take();
                    async move {
                        let draw = |_| sim::rand::rng().next_u64();
                        let _ = say.unwrap().send((0..4).map(draw).collect::<Vec<_>>());
                    }
                });
                server.join().await.unwrap();
                *drawn.lock().unwrap() = told.await.unwrap();
            }
        });
        assert!(report.failure.is_none(), "{report}");
        drawn.into_inner().unwrap()
    }
    assert_eq!(draws(0), draws(3));
    assert_eq!(draws(0).len(), 4);
}

#[test]
fn thousand_nodes_start_and_end() {
    let report = sim::check(Config::new().seeds(3), || async {
        let ended = Counter::default();
        let nodes: Vec<sim::Node> = (0..1_000)
            .map(|n| {
                let ended = ended.clone();
                sim::node(format!("node-{n}")).workers(1).start(move || {
                    let ended = ended.clone();
                    async move {
                        sim::spawn(for_ever());
                        sleep(SECOND * (n % 10)).await;
                        ended.add();
                    }
                })
            })
            .collect();
        for node in &nodes[500..] {
            node.join().await.unwrap();
        }
        sleep(SECOND * 20).await;
        assert_eq!(ended.get(), 1_000);
        nodes.iter().for_each(sim::Node::restart);
        sleep(SECOND * 5).await;
        nodes.iter().for_each(sim::Node::crash);
    });
    assert!(report.failure.is_none(), "{report}");
}

/// Crashes, pauses and restarts wherever the seed has it; each run is done twice, and has to be the same.
#[test]
fn same_seed_same_hash() {
    let main = || async {
        let shared = Arc::new(Mutex::new(0_u64));
        let nodes = ["a", "b", "c"].map(|name| {
            let shared = shared.clone();
            sim::node(name).start(move || {
                let shared = shared.clone();
                async move {
                    let wait = Duration::from_micros(sim::rand::rng().random_range(0..500));
                    sim::task::spawn_blocking(move || sim::std::thread::sleep(wait));
                    loop {
                        *shared.lock().await += 1;
                        sleep(wait).await;
                    }
                }
            })
        });
        for _ in 0..30 {
            let node = &nodes[sim::rand::rng().random_range(0..3)];
            match sim::rand::rng().random_range(0..5) {
                0 => node.crash(),
                1 => node.restart(),
                2 => node.pause(),
                3 => node.resume(),
                _ => node.clock().drift(sim::rand::rng().random_range(-500_000..500_000)),
            }
            sleep(Duration::from_micros(sim::rand::rng().random_range(0..1_000))).await;
        }
    };
    let report = sim::check(Config::new().seeds(SEEDS).recheck_every(1), main);
    assert!(report.failure.is_none(), "{report}");
}
