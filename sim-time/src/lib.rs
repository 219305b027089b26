//! When: a queue of timers and the clocks of nodes, as plain values.
//!
//! All times are simulated nanoseconds since the start of the run, as `u64`: 584 years. Nothing here reads
//! a real clock, waits, or knows what a task is; whoever owns the values decides what time it is.
//!
//! ```
//! use sim_time::Timers;
//!
//! let mut timers = Timers::new();
//! timers.insert(30, "c");
//! let a = timers.insert(10, "a");
//! timers.insert(20, "b");
//! assert_eq!(timers.cancel(a), Some("a"));
//!
//! assert_eq!(timers.next(), Some(20));
//! assert_eq!(timers.pop_due(25), Some("b"));
//! assert_eq!(timers.pop_due(25), None);
//! assert_eq!(timers.next(), Some(30));
//! ```
//!
//! [`Timers`] is a radix heap, which is fast because time never goes back: its file says how. [`Clock`] is
//! what one node believes the time to be: skewed, drifting, jumping.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod clock;
mod radix;
mod timers;

pub use clock::Clock;
pub use timers::{Key, Timers};
