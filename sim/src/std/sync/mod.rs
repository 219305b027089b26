//! Locks, channels and atomics with std's names and semantics.

pub mod atomic;
mod barrier;
mod condvar;
pub mod mpsc;
mod mutex;
mod once;
mod rwlock;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Mutex, MutexGuard};
pub use once::{LazyLock, Once, OnceLock, OnceState};
pub use rwlock::{RwLock, RwLockReadGuard, RwLockWriteGuard};
pub use std::sync::{Arc, LockResult, PoisonError, TryLockError, TryLockResult, Weak};

/// Whether std takes for a panic of the task that runs what is none: it is unwound because its run has ended,
/// and a lock in a static must not be poisoned for the next run; or another task panics and waits.
fn only_seems_to_panic() -> bool {
    std::thread::panicking()
        && crate::context::world().is_some_and(|world| {
            world.is_unwound() || (world.is_running() && !world.is_panicking())
        })
}
