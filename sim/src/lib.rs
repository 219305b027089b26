//! Deterministic simulation testing for async Rust.
//!
//! `sim` mirrors tokio: `use sim as tokio;`, and a program runs on a single-threaded seeded executor
//! with a virtual clock. What could go otherwise on a real machine (which task runs next, whether
//! another core gets in between, how `select!` picks) is decided by a seed, so that a race, a deadlock
//! or a swallowed panic that one run finds is found by every run of that seed.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use sim as tokio;
//! use tokio::{sync::Mutex, time::sleep};
//!
//! let report = sim::check(sim::Config::new().seeds(50), || async {
//!     let balance = Arc::new(Mutex::new(100));
//!     let deposit = tokio::spawn({
//!         let balance = balance.clone();
//!         async move {
//!             sleep(Duration::from_millis(5)).await;
//!             *balance.lock().await += 10;
//!         }
//!     });
//!     deposit.await.unwrap();
//!     assert_eq!(*balance.lock().await, 110);
//! });
//! assert!(report.failure.is_none(), "{report}");
//! ```
//!
//! # How it works
//!
//! A run is a function from choices to a trace. Every choice is asked from one place: from the
//! recorded prefix while it lasts, then from the seed's strategy, then zero, which is calm. Every
//! operation of [`sync`], [`task`], [`time`], [`net`] and the channels is a *scheduling point*: the fiber on which
//! the poll runs may be suspended there, in the middle of the poll, as another core would run
//! something in between. What `poll` returns never changes.
//!
//! Programs of threads run too: [`mod@std`] mirrors std as the rest mirrors tokio. Programs of several machines are
//! nodes, see [`mod@node`]: each has tasks, entropy and a clock of its own, and crashes, restarts and pauses apart. They
//! talk to each other over [`net`], whose links can be cut, held and shaped, and keep their files, [`fs`] and
//! [`std::fs`], over crashes as far as these were synced.
//!
//! # Features
//!
//! None is on by default. `proptest` has `any`: inputs from proptest strategies. `hyper` has the module `hyper`: tasks,
//! time and connections for hyper 1.x, and a loop that serves axum routers; `hyper-client` adds a connector for the
//! pooled client of hyper-util.
//!
//! # Limits
//!
//! - Real threads, processes, sockets and files are outside of the simulation, and what they do is not
//!   reproduced. On Linux with glibc a call of libc that reaches them from within a check is not done and fails the run, with
//!   its place (the lint `escape`); [`outside`] lets one through, `allow(escape)` all. Not noticed are
//!   system calls that do not go by way of libc (rustix makes such), what is done with files and sockets that were opened
//!   before, `stat` and its like, and all of it on other platforms. Reads of what says which machine this is (`/sys`,
//!   `/proc/cpuinfo`, the time zone) and of what names the frames of a backtrace are let through.
//! - std's clocks, sleeps, entropy and contended locks are inside on Linux. Where they block a poll the lint
//!   `blocked_poll` warns.
//! - A loop that reaches no scheduling point is told after a second of processor time, if it ends, and only
//!   interrupted after a minute ([`Config::poll_limit`]). That alone depends on how fast the machine is; the warning
//!   reaches no decision and no trace.
//! - The fibers of a simulation are one thread to std: `thread_local!` values are shared by all tasks, so that a value
//!   that is borrowed over a scheduling point may be found borrowed by another, and an unpark ends the park of each
//!   thread. The channels of std and crossbeam tell threads apart by that: a thread that waits for another at one
//!   of them waits for ever, and the run ends as a deadlock within libc.
//! - `parking_lot`'s locks work as long as who holds one gives it back while others spin; where they would wait
//!   the run ends in a report.
//!
//! # Sources
//!
//! The names follow tokio; the strategies follow Burckhardt et al., *A randomized scheduler with
//! probabilistic guarantees of finding bugs* (ASPLOS 2010).
#![forbid(unsafe_code)]

#[macro_use]
mod macros;

mod backtrace;
mod cancel;
mod check;
mod context;
mod errno;
mod faces;
pub mod faults;
mod fnv;
mod hold;
mod name;
mod outside;
mod point;
mod property;
mod trace;
mod world;

#[cfg(feature = "proptest")]
mod any;
pub mod fs;
pub mod history;
#[cfg(feature = "hyper")]
pub mod hyper;
pub mod io;
#[doc(hidden)]
pub mod macros_support;
pub mod net;
pub mod node;
pub mod rand;
pub mod runtime;
pub mod signal;
pub mod std;
pub mod sync;
pub mod task;
pub mod time;

#[cfg(feature = "proptest")]
pub use any::any;
pub use cancel::{CancelSweep, cancel_sweep};
pub use check::{
    Classes, Config, ConfigError, Failure, FailureKind, Level, Outcome, Report, check, replay,
    replay_with,
};
pub use faults::Faults;
pub use name::{Nameable, name};
pub use node::{Node, node};
pub use outside::outside;
pub use property::{
    Eventually, Invariant, PropertyCount, PropertyKind, Verdict, Within, eventually, invariant,
    within,
};
pub use sim_choice::{Seed, Strategy, Tape, exhaustive::Progress};
pub use sim_macros::{main, test};
pub use task::spawn;
pub use tokio::{join, pin, try_join};

/// What the macros expand to; no part of the interface.
#[doc(hidden)]
pub mod __private {
    pub use crate::check::{config_for, run_test};
    pub use crate::property::{Catalogued, Property};
    pub use crate::runtime::main_builder;
    pub use inventory;
    pub use sim_macros::select_internal;
}
