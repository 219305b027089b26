//! Determinism: what a program sees of clocks, entropy and order follows from the seed, on any
//! thread; what cannot be made to follow from it is reported.

use sim::{Config, FailureKind, sync::mpsc, task::yield_now, time::Duration};
use std::{
    cell::Cell,
    collections::{BTreeSet, HashMap, HashSet},
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Instant, SystemTime},
};

/// Gives what leaks into a program, as text.
type Leak = fn() -> Pin<Box<dyn Future<Output = String>>>;

/// Leaks that follow from the seed, and differ from seed to seed.
const SEEDED: &[(&str, Leak)] = &[
    ("hash map order", || now(hash_map_order)),
    ("hash set order", || now(hash_set_order)),
    ("rand 0.8", || now(|| format!("{:?}", rand_08::random::<[u64; 4]>()))),
    ("rand 0.9", || now(|| format!("{:?}", rand_09::random::<[u64; 4]>()))),
    ("rand 0.10", || now(|| format!("{:?}", rand::random::<[u64; 4]>()))),
    ("sim::rand", || now(|| format!("{:?}", rand::Rng::next_u64(&mut sim::rand::rng())))),
    ("getrandom 0.2", || now(|| filled(|bytes| getrandom_02::getrandom(bytes).unwrap()))),
    ("getrandom 0.3", || now(|| filled(|bytes| getrandom_03::fill(bytes).unwrap()))),
    ("getrandom 0.4", || now(|| filled(|bytes| getrandom::fill(bytes).unwrap()))),
    ("uuid", || now(|| uuid::Uuid::new_v4().to_string())),
    ("select", || Box::pin(select_order())),
    ("arrival", || Box::pin(arrival_order())),
    ("join set", || Box::pin(join_set_order())),
];

/// Leaks that follow from the seed, and may be the same for all.
const FIXED: &[(&str, Leak)] = &[
    ("instant", || Box::pin(instants())),
    ("system time", || Box::pin(system_times())),
    ("task ids", || Box::pin(task_ids())),
    ("blocking sleep", || Box::pin(blocking_sleep())),
];

fn now(leak: impl FnOnce() -> String + 'static) -> Pin<Box<dyn Future<Output = String>>> {
    Box::pin(async { leak() })
}

fn hash_map_order() -> String {
    let map: HashMap<u32, u32> = (0..50).map(|key| (key, key)).collect();
    format!("{:?}", map.keys())
}

fn hash_set_order() -> String {
    let set: HashSet<String> = (0..50).map(|key| key.to_string()).collect();
    format!("{:?}", set.iter())
}

fn filled(fill: impl FnOnce(&mut [u8])) -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    assert_ne!(bytes, [0; 16]);
    format!("{bytes:?}")
}

async fn select_order() -> String {
    let mut order = String::new();
    for _ in 0..20 {
        order += sim::select! {
            () = async {} => "a",
            () = async {} => "b",
            () = async {} => "c",
        };
    }
    order
}

async fn arrival_order() -> String {
    let (sender, mut inbox) = mpsc::unbounded_channel();
    for number in 0..5 {
        let sender = sender.clone();
        sim::spawn(async move {
            for _ in 0..3 {
                sender.send(number).unwrap();
                yield_now().await;
            }
        });
    }
    drop(sender);
    let mut order = Vec::new();
    while let Some(number) = inbox.recv().await {
        order.push(number);
    }
    format!("{order:?}")
}

async fn join_set_order() -> String {
    let mut set: sim::task::JoinSet<u32> = (0..8).map(|number| async move { number }).collect();
    let mut order = Vec::new();
    while let Some(number) = set.join_next().await {
        order.push(number.unwrap());
    }
    format!("{order:?}")
}

async fn instants() -> String {
    let start = Instant::now();
    let mut text = format!("{start:?}");
    for _ in 0..3 {
        sim::time::sleep(Duration::from_micros(10)).await;
        text += &format!(" {:?}", start.elapsed());
    }
    text
}

async fn system_times() -> String {
    sim::time::sleep(Duration::from_secs(1)).await;
    format!("{:?}", SystemTime::now())
}

async fn task_ids() -> String {
    let handles = [(); 3].map(|()| sim::spawn(async { sim::task::id().to_string() }));
    let mut text = format!("{:?}", sim::task::try_id());
    for handle in handles {
        text += &format!(" {}={}", handle.id(), handle.id());
        assert_eq!(handle.id().to_string(), handle.await.unwrap());
    }
    text
}

async fn blocking_sleep() -> String {
    let start = Instant::now();
    let thread = sim::task::spawn_blocking(move || {
        thread::sleep(Duration::from_millis(20));
        start.elapsed()
    });
    format!("{:?} {:?}", thread.await.unwrap(), start.elapsed())
}

/// What one run of one seed sees.
fn seen(seed: u64, leak: Leak) -> String {
    let log = Arc::new(Mutex::new(String::new()));
    let report = sim::check(Config::new().only_seed(seed), || {
        let log = log.clone();
        async move {
            let text = leak().await;
            *log.lock().unwrap() = text;
        }
    });
    assert!(report.failure.is_none(), "{report}");
    let text = log.lock().unwrap().clone();
    assert!(!text.is_empty());
    text
}

fn all_seen(seed: u64) -> Vec<String> {
    SEEDED.iter().chain(FIXED).map(|(_, leak)| seen(seed, *leak)).collect()
}

#[test]
fn leaks_are_the_same_in_two_runs_of_one_seed() {
    for (name, leak) in SEEDED.iter().chain(FIXED) {
        for seed in 0..10 {
            assert_eq!(seen(seed, *leak), seen(seed, *leak), "{name} of seed {seed}");
        }
    }
}

#[test]
fn leaks_differ_from_seed_to_seed() {
    for (name, leak) in SEEDED {
        let different: BTreeSet<String> = (0..10).map(|seed| seen(seed, *leak)).collect();
        assert!(different.len() >= 8, "{name}: only {} different of 10", different.len());
    }
}

#[test]
fn simulations_at_once_are_the_same_as_alone() {
    let alone: Vec<_> = (0..6).map(all_seen).collect();
    let at_once: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..6).map(|seed| scope.spawn(move || all_seen(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(alone, at_once);
}

/// Yields as often as the leak says, so that it is part of the run.
async fn decided_by(leak: Leak) {
    let text = leak().await;
    let sum: u32 = text.bytes().map(u32::from).sum();
    for _ in 0..sum % 13 {
        sim::spawn(yield_now()).await.unwrap();
    }
}

#[test]
fn leaks_may_decide() {
    for (name, leak) in SEEDED.iter().chain(FIXED) {
        for jobs in [1, 3] {
            let config = Config::new().seeds(30).recheck_every(1).jobs(jobs);
            let report = sim::check(config, || decided_by(*leak));
            assert!(report.failure.is_none(), "{name}: {report}");
            assert_eq!(report.runs, 30, "{name}");
        }
    }
}

#[test]
fn reports_are_the_same_for_any_number_of_jobs() {
    let program = || async {
        let order = arrival_order().await;
        assert!(!order.starts_with("[3, 1"), "{order}");
    };
    let one = sim::check(Config::new().seed(5).seeds(5_000), program);
    let three = sim::check(Config::new().seed(5).seeds(5_000).jobs(3), program);
    assert_eq!(one.runs, three.runs);
    let (one, three) = (one.failure.unwrap(), three.failure.unwrap());
    assert_eq!((one.seed, one.message, one.tape), (three.seed, three.message, three.tape));
}

#[test]
fn seeds_of_a_check_alone_are_the_same() {
    let log = Mutex::new(Vec::new());
    let program = || async {
        let text = hash_map_order() + &arrival_order().await;
        log.lock().unwrap().push(text);
    };
    let config = Config::new().seed(3).seeds(10).recheck_every(0);
    sim::check(config.clone(), program);
    sim::check(config, program);
    let log = log.lock().unwrap();
    assert_eq!(log[..10], log[10..]);
}

#[test]
fn clocks_and_entropy_outside_are_untouched() {
    let (wall, monotonic) = (SystemTime::now(), Instant::now());
    let near = || {
        let passed = SystemTime::now().duration_since(wall).unwrap_or_default();
        passed < Duration::from_secs(86_400) && monotonic.elapsed() < Duration::from_secs(86_400)
    };
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            let mut drawn = BTreeSet::new();
            loop {
                let last = done.load(SeqCst);
                assert!(near(), "the clocks beside a simulation moved with it");
                assert!(drawn.insert(filled(|bytes| getrandom::fill(bytes).unwrap())));
                if last {
                    return;
                }
            }
        });
        let report = sim::check(Config::new().seeds(50), || async {
            sim::time::sleep(Duration::from_secs(1000 * 86_400)).await;
            filled(|bytes| getrandom::fill(bytes).unwrap());
        });
        assert!(report.failure.is_none(), "{report}");
        done.store(true, SeqCst);
        beside.join().unwrap();
    });
    assert!(near(), "the clocks after a simulation moved with it");
    let drawn = [(); 2].map(|()| filled(|bytes| getrandom::fill(bytes).unwrap()));
    assert_ne!(drawn[0], drawn[1]);
}

fn nondeterminism(program: impl Fn() -> Pin<Box<dyn Future<Output = ()>>> + Sync) -> String {
    let report = sim::check(Config::new().seeds(20).recheck_every(1), program);
    let failure = report.failure.expect("the runs differ");
    assert_eq!(failure.kind, FailureKind::Nondeterminism, "{failure}");
    assert!(failure.message.contains("two runs of this seed differ"), "{failure}");
    failure.message
}

#[test]
fn process_wide_counter_that_decides() {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let message = nondeterminism(|| {
        Box::pin(async {
            if COUNTER.fetch_add(1, SeqCst).is_multiple_of(2) {
                sim::spawn(yield_now()).await.unwrap();
            }
        })
    });
    assert!(message.contains("first at event") || message.contains("events"), "{message}");
}

#[test]
fn failure_that_comes_only_once() {
    let first = AtomicBool::new(true);
    let message = nondeterminism(|| {
        let fails = first.swap(false, SeqCst);
        Box::pin(async move { assert!(!fails, "only the first run fails") })
    });
    assert!(message.contains("only the first run fails"), "{message}");
}

/// fastrand seeds itself from the thread's id, which differs from thread to thread of a process, and
/// keeps its state on the thread from run to run.
#[test]
fn fastrand_that_decides() {
    nondeterminism(|| {
        Box::pin(async {
            for _ in 0..fastrand::u32(0..100) {
                sim::spawn(yield_now()).await.unwrap();
            }
        })
    });
}

#[test]
fn thread_local_that_decides() {
    thread_local! {
        static RUNS: Cell<u32> = const { Cell::new(0) };
    }
    nondeterminism(|| {
        Box::pin(async {
            for _ in 0..RUNS.replace(RUNS.get() + 1) {
                sim::spawn(yield_now()).await.unwrap();
            }
        })
    });
}

#[test]
fn time_that_differs() {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    nondeterminism(|| {
        Box::pin(sim::time::sleep(Duration::from_secs(COUNTER.fetch_add(1, SeqCst))))
    });
}

/// Steps of the only ready task are no choices, but they are counted.
#[test]
fn steps_that_differ_without_a_choice() {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let report = sim::check(Config::new().seeds(20).recheck_every(1), || async {
        for _ in 0..COUNTER.fetch_add(1, SeqCst) {
            yield_now().await;
        }
    });
    let failure = report.failure.expect("the second run of the first seed has a step more");
    assert_eq!(failure.kind, FailureKind::Nondeterminism);
    assert!(failure.message.contains("yield at"), "{failure}");
}

#[test]
fn fastrand_with_a_seed_from_the_run() {
    let report = sim::check(Config::new().seeds(20).recheck_every(1), || async {
        let mut random = fastrand::Rng::with_seed(rand::random());
        for _ in 0..random.u32(0..100) {
            sim::spawn(yield_now()).await.unwrap();
        }
    });
    assert!(report.failure.is_none(), "{report}");
}
