//! Locks, channels and other ways for tasks to meet, with tokio's names and semantics.
//!
//! Each wraps tokio's own, so that fairness, cancel safety and errors are the same, and makes every
//! operation a scheduling point: it announces itself, and another task may run before it takes
//! place, also where it would not have to wait. [`Event`] and [`Condvar`] are known from asyncio and std.

mod attempt;
mod barrier;
pub mod broadcast;
mod charge;
mod condvar;
mod event;
mod guard;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
mod rwlock;
mod semaphore;
mod set_once;
pub mod watch;

pub use barrier::{Barrier, BarrierWaitResult};
pub use condvar::Condvar;
pub use event::Event;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::OnceCell;
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock,
    RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use set_once::SetOnce;
pub use tokio::sync::{AcquireError, SetError, SetOnceError, TryAcquireError, TryLockError};

/// Futures of this module that have names.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
