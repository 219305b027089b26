//! Libc's answers: the hooks' on a thread that has some, the machine's on all others.

use sim_sys::os::{self, FutexWait, Hooks};
use std::{
    cell::RefCell,
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    rc::Rc,
    sync::atomic::AtomicU32,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A clock that stands at one hour, entropy of sevens, and a list of what was asked.
#[derive(Default)]
struct Fake {
    asked: RefCell<Vec<String>>,
}

const HOUR: u64 = 3_600_000_000_000;

impl Hooks for Fake {
    fn monotonic_ns(&self) -> u64 {
        HOUR
    }

    fn realtime_ns(&self) -> u64 {
        2 * HOUR
    }

    fn entropy(&self, buffer: &mut [u8]) {
        buffer.fill(7);
    }

    fn sleep(&self, ns: u64) {
        self.asked.borrow_mut().push(format!("sleep {ns}"));
    }

    fn yield_thread(&self) {
        self.asked.borrow_mut().push("yield".into());
    }

    fn futex_wait(&self, _: &AtomicU32, _: u32, timeout_ns: Option<u64>) -> FutexWait {
        self.asked.borrow_mut().push(format!("wait {timeout_ns:?}"));
        FutexWait::TimedOut
    }

    fn futex_wake(&self, _: usize, _: u32) -> u32 {
        0
    }

    fn abort(&self) {}
}

/// Runs `f` on a thread of its own, with hooks; gives what it gave and what was asked.
fn hooked<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> (R, Vec<String>) {
    let run = move || {
        os::link();
        let fake = Rc::new(Fake::default());
        assert!(os::install(Some(fake.clone())).is_none());
        let result = f();
        assert!(os::install(None).is_some());
        (result, fake.asked.take())
    };
    thread::spawn(run).join().unwrap()
}

#[test]
fn clocks_are_answered() {
    let (wall, _) = hooked(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
    assert_eq!(wall, Duration::from_nanos(2 * HOUR));
    let (passed, _) = hooked(|| {
        let start = Instant::now();
        (0..1000).for_each(|_| thread::yield_now());
        start.elapsed()
    });
    assert_eq!(passed, Duration::ZERO);
}

#[test]
fn sleeps_take_no_real_time() {
    let ((), asked) = hooked(|| thread::sleep(Duration::from_secs(3600)));
    assert_eq!(asked, [format!("sleep {HOUR}")]);
}

#[test]
fn waits_of_std_reach_the_hook_with_a_relative_timeout() {
    let ((), asked) = hooked(|| thread::park_timeout(Duration::from_millis(5)));
    assert_eq!(asked, ["wait Some(5000000)"]);
}

#[test]
fn the_keys_of_hash_maps_are_the_hooks() {
    let keys = || {
        assert!(!os::drew_entropy());
        let hash = RandomState::new().hash_one("key");
        assert!(os::drew_entropy());
        hash
    };
    let hashes: HashSet<u64> = (0..4).map(|_| hooked(keys).0).collect();
    assert_eq!(hashes.len(), 1);
    let real: HashSet<u64> = (0..4)
        .map(|_| thread::spawn(|| RandomState::new().hash_one("key")).join().unwrap())
        .collect();
    assert_eq!(real.len(), 4, "threads without hooks have the machine's entropy");
}

#[test]
fn other_threads_are_untouched() {
    let (ours, theirs) = hooked(|| {
        let theirs = thread::spawn(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap());
        // The hook's futex never waits, so that `join` looks until the thread has ended.
        (SystemTime::now().duration_since(UNIX_EPOCH).unwrap(), theirs.join().unwrap())
    })
    .0;
    assert_eq!(ours, Duration::from_nanos(2 * HOUR));
    assert!(theirs > Duration::from_secs(1_700_000_000));
    assert!(os::real_monotonic_ns() > 0);
}

#[test]
fn thread_locals_are_told_from_other_memory() {
    thread_local!(static LOCAL: AtomicU32 = const { AtomicU32::new(0) });
    let boxed = Box::new(AtomicU32::new(0));
    LOCAL.with(|local| assert!(os::in_thread_locals(std::ptr::from_ref(local).addr())));
    assert!(!os::in_thread_locals(std::ptr::from_ref(&*boxed).addr()));
}
