//! Libc's answers inside a simulation.
//!
//! The symbols of libc that give time, entropy, sleep and waiting are defined anew in the final
//! program. On a thread that runs a simulation its [`Hooks`] answer; elsewhere the calls go on to
//! libc untouched.
//!
//! ```
//! use sim_sys::os::{self, Escape, FutexWait, Hooks};
//! use std::{rc::Rc, sync::atomic::AtomicU32, time::SystemTime};
//!
//! struct Still;
//! impl Hooks for Still {
//!     fn monotonic_ns(&self) -> u64 { 0 }
//!     fn realtime_ns(&self) -> u64 { 0 }
//!     fn entropy(&self, _: &mut [u8]) {}
//!     fn sleep(&self, _: u64) {}
//!     fn yield_thread(&self) {}
//!     fn futex_wait(&self, _: &AtomicU32, _: u32, _: Option<u64>) -> FutexWait { FutexWait::Woken }
//!     fn futex_wake(&self, _: usize, _: u32) -> u32 { 0 }
//!     fn abort(&self) {}
//!     fn lets_out(&self, _: &Escape<'_>) -> bool { true }
//! }
//!
//! os::link();
//! let former = os::install(Some(Rc::new(Still)));
//! let answered = SystemTime::now() == SystemTime::UNIX_EPOCH;
//! os::install(former);
//! assert_eq!(answered, os::CATCHES.contains(&"clock_gettime"));
//! ```
//!
//! # What is caught
//!
//! On Linux with glibc, for x86_64 and aarch64, what [`CATCHES`] names. The linker resolves the names to
//! this crate's definitions wherever the program itself, std included, was linked with them, also
//! weakly; and as libc defines them too, the linker puts them in the program's dynamic table, so that
//! shared libraries and `dlsym(RTLD_DEFAULT)`, by which the getrandom crate asks, find them as well.
//!
//! # What is asked about
//!
//! Calls that reach out of the simulation go on to libc too, but the hooks are asked before, see [`Escape`]: threads,
//! processes, files that are opened, folders that are read or changed, sockets that are bound, connected or paired,
//! names that are looked up, and the reactors of real runtimes. One that is not let out fails with an error
//! that its manual page has.
//!
//! # What escapes
//!
//! - Raw system calls (rustix, `asm!`), the vDSO called directly, the processor's own clock and entropy
//!   (RDTSC, RDRAND), and the random bytes that the kernel hands to each program (AT_RANDOM).
//! - What libc calls within itself: pthread mutexes and condition variables, `sleep`, `arc4random`.
//! - Waits with a timeout on other things than futexes: `poll`, `epoll_wait`, `select`.
//! - Futex operations but wait and wake, such as those that requeue or inherit priority, and futexes that
//!   processes share: they go on to the kernel, which does not know of the fibers that wait.
//! - Clocks of processor time.
//! - Files and sockets that were opened before: what is read from them and written to them. What is asked about files
//!   without opening them (`stat`, `access`, `readlink`), and `vfork` and `clone`.
//! - Libraries that are loaded into a scope of their own (`RTLD_DEEPBIND`).
//!
//! On other platforms, macOS and musl among them, all escapes: nothing is interposed, as nobody has yet
//! tried it there, and half of it would be worse (clocks that are answered, locks that hang).

mod escape;
mod parker;
#[cfg_attr(
    all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ),
    path = "linux/mod.rs"
)]
#[cfg_attr(
    not(all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    path = "other.rs"
)]
mod platform;

pub use escape::{Escape, Reach};
pub use parker::Parker;
pub use platform::{CATCHES, in_thread_locals, link, real_entropy, real_monotonic_ns};

use std::{cell::Cell, rc::Rc, sync::atomic::AtomicU32};

/// How a futex wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FutexWait {
    /// By a wake, or for nothing, as futex(2) allows.
    Woken,
    /// At once: the word does not have the expected value.
    Mismatch,
    /// By its timeout.
    TimedOut,
}

/// What a simulation answers in libc's place. The hooks are called on its own thread, and may suspend the
/// fiber that calls; such a fiber [is within libc](crate::fiber::Fiber::is_within_libc).
///
/// A hook must not panic: libc's callers cannot be unwound. If it does, the program aborts.
pub trait Hooks {
    /// The monotonic clock, in nanoseconds.
    fn monotonic_ns(&self) -> u64;
    /// The wall clock, in nanoseconds of Unix time.
    fn realtime_ns(&self) -> u64;
    /// Fills `buffer`, which is not empty, with entropy.
    fn entropy(&self, buffer: &mut [u8]);
    /// Waits for so many nanoseconds.
    fn sleep(&self, ns: u64);
    /// Lets other threads run.
    fn yield_thread(&self);
    /// Waits while `word` is `expected`, at most so many nanoseconds from now.
    fn futex_wait(&self, word: &AtomicU32, expected: u32, timeout_ns: Option<u64>) -> FutexWait;
    /// Wakes at most `count` that wait for the word at `address`; gives how many. If fewer, real
    /// threads that wait for the word are woken too.
    fn futex_wake(&self, address: usize, count: u32) -> u32;
    /// The program aborts. The process does, if this returns.
    fn abort(&self);
    /// Whether a call may reach out of the simulation; it fails if not.
    fn lets_out(&self, escape: &Escape<'_>) -> bool;
}

thread_local! {
    /// The hooks of this thread. A raw pointer, so that the cell needs no destructor and can be
    /// read at any time in the life of a thread.
    static HOOKS: Cell<Option<*const dyn Hooks>> = const { Cell::new(None) };
    static DREW_ENTROPY: Cell<bool> = const { Cell::new(false) };
    /// This thread is [`outside`].
    static OUTSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Sets the hooks of this thread; gives the former ones. A call of theirs that is under way goes on.
pub fn install(hooks: Option<Rc<dyn Hooks>>) -> Option<Rc<dyn Hooks>> {
    let former = HOOKS.replace(hooks.map(Rc::into_raw));
    // SAFETY: a pointer in the cell came from `Rc::into_raw`, and is taken out of it but once.
    former.map(|former| unsafe { Rc::from_raw(former) })
}

/// Runs `f` with the machine's libc, as on a thread without hooks; but entropy still comes from the hooks: std and
/// others keep what they draw for the life of the thread, so that what is drawn once would be in all that follows.
///
/// A fiber must not suspend itself within, or others would run outside as well.
pub fn outside<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            OUTSIDE.set(self.0);
        }
    }
    let _restore = Restore(OUTSIDE.replace(true));
    f()
}

/// Whether the hooks of this thread gave entropy since [`clear_drew_entropy`]: std and rand seed
/// generators with it that they keep for the life of the thread.
pub fn drew_entropy() -> bool {
    DREW_ENTROPY.get()
}

/// Forgets that entropy was drawn.
pub fn clear_drew_entropy() {
    DREW_ENTROPY.set(false);
}

/// The effective user and group of the process: geteuid(2), getegid(2).
#[cfg(unix)]
#[must_use]
pub fn user() -> (u32, u32) {
    // SAFETY: both have no preconditions, and always succeed.
    unsafe { (libc::geteuid(), libc::getegid()) }
}
