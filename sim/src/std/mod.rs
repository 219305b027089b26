//! std's threads, locks, channels and atomics, for programs of threads.
//!
//! `use sim::std::{sync, thread}` in the place of `use std::{sync, thread}`, and threads are fibers of the
//! simulation: which runs, who gets a lock, whom a notification wakes is decided by the seed, time is
//! virtual, and a deadlock ends in a report. Names, signatures, semantics and errors are std's. Outside
//! of a simulation they are std: real threads, real time.
//!
//! ```
//! use sim::std::{
//!     sync::{Arc, atomic::{AtomicU32, Ordering::SeqCst}},
//!     thread,
//! };
//!
//! let report = sim::check(sim::Config::new(), || async {
//!     let count = Arc::new(AtomicU32::new(0));
//!     let theirs = count.clone();
//!     let thread = thread::spawn(move || theirs.store(theirs.load(SeqCst) + 1, SeqCst));
//!     count.store(count.load(SeqCst) + 1, SeqCst);
//!     thread.join().unwrap();
//!     assert_eq!(count.load(SeqCst), 2);
//! });
//! assert!(report.failure.is_some(), "an update is lost");
//! ```
//!
//! # How it works
//!
//! Each operation announces itself and is a scheduling point. A thread that waits is a slot in the table of
//! tasks; a task that waits here, in the middle of its poll, keeps its worker, as one that waits in std
//! does. Who waits for a lock is ready only while the lock is free, and competes with newcomers then.
//!
//! What is no lock and no atomic, [`cell::Shared`] watches: accesses that nothing orders are a data race.
//!
//! # Limits
//!
//! - Atomics are sequentially consistent, whatever their `Ordering` says; see [`sync::atomic`].
//! - All threads share std's count of panics: while one waits in a destructor that a panic runs, nobody is
//!   preempted, and `std::thread::panicking` is true for all; that of [`thread`] is right.
//! - A lock that real threads use too, beside a simulation, is not waited for: that is reported as a deadlock.
//! - Threads end with the run, as a process ends its threads: what waits is unwound.
//! - Statics outlive a run. A lock in one is not poisoned by the end of a run, but its value stays.

pub mod cell;
pub mod env;
pub mod fs;
pub mod hint;
pub mod os;
pub mod sync;
pub mod thread;

mod waiters;

#[doc(inline)]
pub use crate::__std_thread_local as thread_local;
