//! Libc's answers inside a simulation.
//!
//! The symbols of libc that give time, entropy, sleep and waiting are defined anew in the final
//! program. On a thread that runs a simulation its [`Hooks`] answer; elsewhere the calls go on to
//! libc untouched. What bypasses libc (raw system calls, the vDSO, the RDRAND instruction) is not seen.

#[cfg_attr(target_os = "linux", path = "linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "other.rs")]
mod platform;

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

/// What a simulation answers in libc's place. The hooks are called on its own thread, and may suspend
/// the fiber that calls, but must not panic.
pub trait Hooks {
    /// The monotonic clock, in nanoseconds.
    fn monotonic_ns(&self) -> u64;
    /// The wall clock, in nanoseconds of Unix time.
    fn realtime_ns(&self) -> u64;
    /// Fills `buffer` with entropy.
    fn entropy(&self, buffer: &mut [u8]);
    /// Waits for so many nanoseconds.
    fn sleep(&self, ns: u64);
    /// Lets other threads run.
    fn yield_thread(&self);
    /// Waits while `word` is `expected`, at most so many nanoseconds.
    fn futex_wait(&self, word: &AtomicU32, expected: u32, timeout_ns: Option<u64>) -> FutexWait;
    /// Wakes at most `count` that wait for the word at `address`; gives how many.
    fn futex_wake(&self, address: usize, count: u32) -> u32;
    /// The program aborts. The process does, if this returns.
    fn abort(&self);
}

thread_local! {
    /// The hooks of this thread. A raw pointer, so that the cell needs no destructor and can be
    /// read at any time in the life of a thread.
    static HOOKS: Cell<Option<*const dyn Hooks>> = const { Cell::new(None) };
    static DREW_ENTROPY: Cell<bool> = const { Cell::new(false) };
}

/// Sets the hooks of this thread; gives the former ones.
pub fn install(hooks: Option<Rc<dyn Hooks>>) -> Option<Rc<dyn Hooks>> {
    let former = HOOKS.replace(hooks.map(Rc::into_raw));
    // SAFETY: a pointer in the cell came from `Rc::into_raw`, and is taken out of it but once.
    former.map(|former| unsafe { Rc::from_raw(former) })
}

/// The hooks that answer on this thread now.
#[inline]
fn hooks() -> Option<&'static dyn Hooks> {
    // SAFETY: the cell holds a count of the `Rc`, so that the hooks live until `install` takes them
    // out, and hooks are not taken out while one of them is called: a simulation ends on its
    // thread's own stack, below all fibers. The reference is not kept beyond the call.
    HOOKS.try_with(Cell::get).ok().flatten().map(|hooks| unsafe { &*hooks })
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

/// Fills `buffer` from the hooks of this thread; false if it has none.
fn fill(buffer: &mut [u8]) -> bool {
    let Some(hooks) = hooks() else { return false };
    DREW_ENTROPY.set(true);
    hooks.entropy(buffer);
    true
}
