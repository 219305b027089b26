//! Libc's answers: the hooks' on a thread that has some, the machine's on all others.

#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

use sim_sys::{
    fiber::{Fiber, Outcome, Stack, suspend},
    os::{self, Escape, FutexWait, Hooks},
};
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    ffi::{CString, c_long, c_void},
    hash::{BuildHasher, RandomState},
    process::Command,
    rc::Rc,
    sync::{
        Arc, Condvar, Mutex, RwLock,
        atomic::{AtomicU32, Ordering::Relaxed},
        mpsc,
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A clock that stands still but for sleeps and waits, entropy that counts, and a list of what was asked.
#[derive(Default)]
struct Fake {
    asked: RefCell<Vec<String>>,
    slept_ns: Cell<u64>,
    drawn: Cell<u8>,
    /// Waits suspend the fiber instead of timing out.
    suspends: bool,
    panics: bool,
}

const HOUR: u64 = 3_600_000_000_000;

impl Fake {
    fn note(&self, what: impl Into<String>) {
        self.asked.borrow_mut().push(what.into());
    }

    fn pass(&self, ns: u64) {
        self.slept_ns.set(self.slept_ns.get() + ns);
    }
}

impl Hooks for Fake {
    fn monotonic_ns(&self) -> u64 {
        HOUR + self.slept_ns.get()
    }

    fn realtime_ns(&self) -> u64 {
        2 * HOUR + self.slept_ns.get()
    }

    fn entropy(&self, buffer: &mut [u8]) {
        assert!(!buffer.is_empty());
        for byte in buffer {
            *byte = self.drawn.replace(self.drawn.get().wrapping_add(1));
        }
    }

    fn sleep(&self, ns: u64) {
        self.note(format!("sleep {ns}"));
        self.pass(ns);
        if self.suspends {
            suspend();
        }
    }

    fn yield_thread(&self) {
        assert!(!self.panics, "a hook that panics");
        self.note("yield");
    }

    fn futex_wait(&self, word: &AtomicU32, expected: u32, timeout_ns: Option<u64>) -> FutexWait {
        if word.load(Relaxed) != expected {
            return FutexWait::Mismatch;
        }
        self.note(format!("wait {timeout_ns:?}"));
        if self.suspends {
            suspend();
            return FutexWait::Woken;
        }
        // Without a timeout a real thread is waited for, which wakes nobody here: look again.
        timeout_ns.map_or(FutexWait::Woken, |ns| {
            self.pass(ns);
            FutexWait::TimedOut
        })
    }

    fn futex_wake(&self, _: usize, count: u32) -> u32 {
        self.note(format!("wake {count}"));
        0
    }

    fn abort(&self) {
        self.note("abort");
        suspend();
    }

    fn lets_out(&self, _: &Escape<'_>) -> bool {
        true
    }
}

/// Runs `f` on a thread of its own with these hooks; gives what it gave and what was asked.
fn hooked_by<R: Send + 'static>(
    make: impl FnOnce() -> Fake + Send + 'static,
    f: impl FnOnce() -> R + Send + 'static,
) -> (R, Vec<String>) {
    let run = move || {
        os::link();
        let fake = Rc::new(make());
        assert!(os::install(Some(fake.clone())).is_none());
        let result = f();
        assert!(os::install(None).is_some());
        (result, fake.asked.take())
    };
    thread::spawn(run).join().unwrap()
}

fn hooked<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> (R, Vec<String>) {
    hooked_by(Fake::default, f)
}

fn suspending() -> Fake {
    Fake { suspends: true, ..Fake::default() }
}

fn wall() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

#[test]
fn clocks_are_answered() {
    assert_eq!(hooked(wall).0, Duration::from_nanos(2 * HOUR));
    let (passed, _) = hooked(|| {
        let start = Instant::now();
        thread::sleep(Duration::from_secs(5));
        start.elapsed()
    });
    assert_eq!(passed, Duration::from_secs(5));
}

#[test]
fn every_clock_but_those_of_processor_time_is_answered() {
    let seconds = |clock: libc::clockid_t| {
        let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the place is valid.
        assert_eq!(unsafe { libc::clock_gettime(clock, &mut now) }, 0);
        now.tv_sec
    };
    hooked(move || {
        use libc::*;
        for clock in [CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME]
        {
            assert_eq!(seconds(clock), 3600);
        }
        for clock in [CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI] {
            assert_eq!(seconds(clock), 7200);
        }
        assert!(seconds(CLOCK_THREAD_CPUTIME_ID) < 3600);
        let (mut now, mut zone) = (timeval { tv_sec: 0, tv_usec: 1 }, [1_i32; 2]);
        // SAFETY: the places are valid, or null as both functions allow.
        unsafe {
            assert_eq!(gettimeofday(&mut now, (&raw mut zone).cast()), 0);
            assert_eq!(gettimeofday(std::ptr::null_mut(), std::ptr::null_mut()), 0);
            assert_eq!(time(std::ptr::null_mut()), 7200);
        }
        assert_eq!((now.tv_sec, now.tv_usec, zone), (7200, 0, [0; 2]));
    });
}

#[test]
fn sleeps_take_no_real_time() {
    let start = os::real_monotonic_ns();
    let ((), asked) = hooked(|| {
        thread::sleep(Duration::from_nanos(HOUR));
        // SAFETY: it takes a number.
        unsafe { libc::usleep(7) };
    });
    assert_eq!(asked, [format!("sleep {HOUR}"), "sleep 7000".into()]);
    assert!(os::real_monotonic_ns() - start < HOUR);
}

#[test]
fn a_sleep_until_an_absolute_time_is_made_relative() {
    let ((), asked) = hooked(|| {
        let until = libc::timespec { tv_sec: 3600 + 5, tv_nsec: 0 };
        let sleep = |flags, until: &libc::timespec| {
            let rest = std::ptr::null_mut();
            // SAFETY: the timespec is valid, and no place for the rest is given.
            unsafe { libc::clock_nanosleep(libc::CLOCK_MONOTONIC, flags, until, rest) }
        };
        assert_eq!(sleep(libc::TIMER_ABSTIME, &until), 0);
        assert_eq!(sleep(libc::TIMER_ABSTIME, &until), 0);
        let invalid = libc::timespec { tv_sec: 0, tv_nsec: 1_000_000_000 };
        assert_eq!(sleep(0, &invalid), libc::EINVAL);
    });
    assert_eq!(asked, ["sleep 5000000000", "sleep 0"]);
}

#[test]
fn yields_reach_the_hook() {
    assert_eq!(hooked(thread::yield_now).1, ["yield"]);
}

#[test]
fn waits_of_std_reach_the_hook_with_a_relative_timeout() {
    let ((), asked) = hooked(|| thread::park_timeout(Duration::from_millis(5)));
    assert_eq!(asked, ["wait Some(5000000)"]);
    let ((), asked) = hooked(|| {
        let (lock, changed) = (Mutex::new(()), Condvar::new());
        let waited = changed.wait_timeout(lock.lock().unwrap(), Duration::from_millis(3)).unwrap();
        assert!(waited.1.timed_out());
    });
    assert_eq!(asked, ["wait Some(3000000)"]);
    let ((), asked) = hooked(|| {
        let (_sender, receiver) = mpsc::channel::<()>();
        assert!(receiver.recv_timeout(Duration::from_millis(2)).is_err());
    });
    assert_eq!(asked.first().unwrap(), "wait Some(2000000)");
}

/// A fiber waits for a lock that another holds; nothing blocks the thread.
fn contend<L: 'static>(lock: L, hold: fn(&L, &dyn Fn())) {
    let lock = Rc::new(lock);
    let fiber =
        |lock: Rc<L>| Fiber::new(Stack::new(64 << 10).unwrap(), move || hold(&lock, &suspend));
    let (mut holder, mut waiter) = (fiber(lock.clone()), fiber(lock));
    assert_eq!(holder.resume(), Outcome::Suspended);
    assert!(!holder.is_within_libc());
    assert_eq!(waiter.resume(), Outcome::Suspended);
    assert!(waiter.is_within_libc());
    assert_eq!(holder.resume(), Outcome::Finished);
    assert_eq!(waiter.resume(), Outcome::Suspended);
    assert!(!waiter.is_within_libc());
    assert_eq!(waiter.resume(), Outcome::Finished);
}

#[test]
fn contended_locks_of_std_suspend_the_fiber() {
    let ((), asked) = hooked_by(suspending, || {
        contend(Mutex::new(()), |lock, pause| {
            let _guard = lock.lock().unwrap();
            pause();
        });
        contend(RwLock::new(()), |lock, pause| {
            let _guard = lock.write().unwrap();
            pause();
        });
    });
    // One that had to wait expects that others do, and wakes them as well.
    let each = ["wait None", "wake 1", "wake 1"];
    assert_eq!(asked, [each, each].concat());
}

#[test]
fn a_fiber_that_waits_within_libc_is_left_rather_than_unwound() {
    hooked_by(suspending, || {
        let count = Rc::new(());
        let sleep = |count: Rc<()>| {
            move || {
                let _count = count;
                thread::sleep(Duration::from_secs(1));
            }
        };
        let stack = || Stack::new(64 << 10).unwrap();
        let mut fiber = Fiber::new(stack(), sleep(count.clone()));
        assert_eq!(fiber.resume(), Outcome::Suspended);
        fiber.unwind();
        assert!(fiber.into_stack().is_none());
        let mut dropped = Fiber::new(stack(), sleep(count.clone()));
        assert_eq!(dropped.resume(), Outcome::Suspended);
        drop(dropped);
        assert_eq!(Rc::strong_count(&count), 3);
    });
}

#[test]
fn hooks_that_are_taken_out_in_the_middle_of_a_call_live_to_its_end() {
    hooked_by(suspending, || {
        let mut fiber = Fiber::new(Stack::new(64 << 10).unwrap(), || {
            thread::sleep(Duration::from_secs(1));
        });
        assert_eq!(fiber.resume(), Outcome::Suspended);
        let hooks = os::install(None).unwrap();
        let last = Rc::downgrade(&hooks);
        drop(hooks);
        assert_eq!(last.strong_count(), 2, "the call and the test hold one each");
        assert_eq!(fiber.resume(), Outcome::Finished);
        assert_eq!(last.strong_count(), 1);
        os::install(Some(Rc::new(Fake::default())));
    });
}

#[test]
fn a_wake_wakes_real_threads_too() {
    let word = Arc::new(AtomicU32::new(0));
    let waiter = thread::spawn({
        let word = word.clone();
        move || {
            while word.load(Relaxed) == 0 {
                // SAFETY: the word is valid, and no timeout is given.
                unsafe {
                    let (wait, none) = (libc::FUTEX_WAIT, std::ptr::null::<c_void>());
                    libc::syscall(libc::SYS_futex, word.as_ptr(), wait, 0, none);
                }
            }
        }
    });
    let (_, asked) = hooked(move || {
        word.store(1, Relaxed);
        // SAFETY: the word is valid.
        unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1) }
    });
    assert_eq!(asked, ["wake 1"]);
    waiter.join().unwrap();
}

/// What `draw` gives has to be the same in each run with hooks, and differ in each without.
fn check_entropy<R: Eq + std::hash::Hash + Send + 'static>(name: &str, draw: fn() -> R) {
    let dirty = move || {
        os::clear_drew_entropy();
        let drawn = draw();
        assert!(os::drew_entropy());
        drawn
    };
    let seeded: HashSet<R> = (0..4).map(|_| hooked(dirty).0).collect();
    assert_eq!(seeded.len(), 1, "{name}: the hooks' entropy");
    let real: HashSet<R> = (0..4).map(|_| thread::spawn(draw).join().unwrap()).collect();
    assert_eq!(real.len(), 4, "{name}: threads without hooks have the machine's entropy");
}

#[test]
fn entropy_is_the_hooks_whoever_asks() {
    check_entropy("RandomState", || RandomState::new().hash_one("key"));
    check_entropy("getrandom 0.2", || {
        let mut bytes = [0; 16];
        getrandom_02::getrandom(&mut bytes).unwrap();
        bytes
    });
    check_entropy("getrandom 0.3", || {
        let mut bytes = [0; 16];
        getrandom_03::fill(&mut bytes).unwrap();
        bytes
    });
    check_entropy("getrandom 0.4", || {
        let mut bytes = [0; 16];
        getrandom_04::fill(&mut bytes).unwrap();
        bytes
    });
    check_entropy("rand 0.8", rand_08::random::<u64>);
    check_entropy("rand 0.9", rand_09::random::<u64>);
    check_entropy("rand 0.10", rand_010::random::<u64>);
    check_entropy("uuid", uuid::Uuid::new_v4);
    check_entropy("getentropy", || {
        let mut bytes = [0_u8; 16];
        // SAFETY: the buffer is valid for its length.
        assert_eq!(unsafe { libc::getentropy(bytes.as_mut_ptr().cast(), bytes.len()) }, 0);
        bytes
    });
}

#[test]
fn the_machines_entropy_is_at_hand_in_a_simulation() {
    let (buffers, _) = hooked(|| {
        let mut buffers = [[0; 500]; 2];
        buffers.iter_mut().for_each(|buffer| os::real_entropy(buffer));
        assert!(!os::drew_entropy());
        buffers
    });
    assert_ne!(buffers[0], buffers[1]);
}

#[test]
fn to_ask_for_no_entropy_draws_none() {
    hooked(|| {
        let mut none = [0_u8; 1];
        // SAFETY: nothing is written.
        assert_eq!(unsafe { libc::getrandom(none.as_mut_ptr().cast(), 0, 0) }, 0);
        assert!(!os::drew_entropy());
    });
}

#[test]
fn other_system_calls_go_on_to_the_kernel() {
    hooked(|| {
        // SAFETY: neither call touches memory.
        let (id, closed) =
            unsafe { (libc::syscall(libc::SYS_getpid), libc::syscall(libc::SYS_close, -1)) };
        assert_eq!(id, c_long::from(std::process::id()));
        assert_eq!(closed, -1);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EBADF));
    });
}

#[test]
fn other_threads_are_untouched() {
    let ((ours, theirs), _) = hooked(|| {
        let theirs = thread::spawn(wall);
        // The hook never waits, so that `join` looks until the thread has ended.
        (wall(), theirs.join().unwrap())
    });
    assert_eq!(ours, Duration::from_nanos(2 * HOUR));
    assert!(theirs > Duration::from_secs(1_700_000_000));
}

#[test]
fn hooks_can_be_taken_out_again() {
    hooked(|| {
        let hooks = os::install(None);
        assert!(wall() > Duration::from_secs(1_700_000_000));
        os::install(hooks);
        assert_eq!(wall(), Duration::from_nanos(2 * HOUR));
    });
}

#[test]
fn destructors_of_thread_locals_may_ask_libc() {
    struct Asks;
    impl Drop for Asks {
        fn drop(&mut self) {
            assert!(wall() > Duration::from_secs(1_700_000_000));
            thread::yield_now();
        }
    }
    thread_local!(static ASKS: Asks = const { Asks });
    hooked(|| ASKS.with(|_| ()));
}

#[test]
fn whoever_looks_for_a_symbol_by_name_finds_ours() {
    os::link();
    let find = |place, name: &str| {
        let name = CString::new(name).unwrap();
        // SAFETY: the name is a C string.
        unsafe { libc::dlsym(place, name.as_ptr()) }
    };
    assert!(!os::CATCHES.is_empty());
    for name in os::CATCHES {
        let first = find(libc::RTLD_DEFAULT, name);
        assert!(!first.is_null());
        assert_ne!(first, find(libc::RTLD_NEXT, name), "{name} is libc's, not ours");
    }
}

#[test]
fn an_abort_is_the_hooks_to_report() {
    hooked(|| {
        let mut fiber = Fiber::new(Stack::new(64 << 10).unwrap(), || std::process::abort());
        assert_eq!(fiber.resume(), Outcome::Suspended);
        assert!(fiber.is_within_libc());
        fiber.abandon();
    });
}

#[test]
fn a_hook_that_panics_aborts() {
    const CHILD: &str = "SIM_SYS_TEST_PANICS";
    if std::env::var_os(CHILD).is_some() {
        hooked_by(
            || Fake { panics: true, ..Fake::default() },
            || -> () {
                let mut fiber = Fiber::new(Stack::new(256 << 10).unwrap(), thread::yield_now);
                // It asks the hook for abort, which here suspends the fiber.
                assert_eq!(fiber.resume(), Outcome::Suspended);
                fiber.abandon();
                os::install(None);
                std::process::abort();
            },
        );
    }
    let program = std::env::current_exe().unwrap();
    let this = ["--exact", "a_hook_that_panics_aborts", "--nocapture"];
    let child = Command::new(program).args(this).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&child.stderr);
    assert!(said.contains("a hook of the simulation panicked"), "{said}");
    assert!(!child.status.success());
}

#[test]
fn thread_locals_are_told_from_other_memory() {
    thread_local!(static LOCAL: AtomicU32 = const { AtomicU32::new(0) });
    fn local() -> usize {
        LOCAL.with(|local| std::ptr::from_ref(local).addr())
    }
    let (boxed, on_stack) = (Box::new(0_u32), 0_u32);
    assert!(os::in_thread_locals(local()));
    // SAFETY: errno's place is valid; it is libc's thread-local.
    assert!(os::in_thread_locals(unsafe { libc::__errno_location() }.addr()));
    assert!(!os::in_thread_locals((&raw const *boxed).addr()));
    assert!(!os::in_thread_locals((&raw const on_stack).addr()));
    let here = local();
    thread::scope(|scope| {
        scope.spawn(move || assert!(!os::in_thread_locals(here), "another thread's"));
    });
}
