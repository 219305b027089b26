//! std's threads, locks, channels and atomics, for programs of threads: same names, same semantics.

pub mod cell;
pub mod sync;
pub mod thread;

mod waiters;

#[doc(inline)]
pub use crate::__std_thread_local as thread_local;
