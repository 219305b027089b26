//! Fibers, and libc's answers inside a simulation: all the unsafe code of `sim`.
//!
//! - [`fiber`]: closures on stacks of their own, which can be suspended in the middle of a call.
//! - [`os`]: clocks, entropy, sleeps and futexes that the program under test asks libc for, answered by
//!   the simulation that runs on the thread, by interposing libc's symbols.
//! - [`lend`]: closures that borrow, for threads that end within a scope.
//! - [`owned`]: a guard beside the `Arc` that it borrows from.
//!
//! None decides anything: what a fiber does and what libc's callers get is the user's matter.

pub mod fiber;
pub mod lend;
pub mod os;
pub mod owned;
