//! Invariants: conditions that are looked at after each step of a run.

use crate::context;
use std::fmt::Display;

/// What a condition says: `bool`, or a `Result` whose error says what is wrong.
pub trait Verdict {
    /// `Ok` if the condition holds; the text may be empty.
    fn verdict(self) -> Result<(), String>;
}

impl Verdict for bool {
    fn verdict(self) -> Result<(), String> {
        if self { Ok(()) } else { Err(String::new()) }
    }
}

impl<E: Display> Verdict for Result<(), E> {
    fn verdict(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

/// States that `condition` holds after each step of the run, until what it returns is dropped.
///
/// A step ends at each scheduling point, where a poll ends, and where a thread waits. If the condition
/// does not hold then, or panics, the run fails as [`FailureKind::Assertion`](crate::FailureKind::Assertion) with
/// the name, the time, and the task whose step it was: so not only that something is wrong in the end, but who
/// made it so. It is looked at once more when what is returned is dropped.
///
/// No task runs meanwhile, but one may be in the middle of a poll and hold a lock or a borrow of what is looked
/// at: then `try_lock` and `try_borrow` fail, and the condition should hold. What it calls of `sim` is no
/// scheduling point. It should decide by the program's state alone, or the run cannot be repeated.
///
/// A run with an invariant is slower; one without pays nothing.
///
/// # Panics
///
/// Outside of a simulation.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicI64, Ordering::SeqCst}};
/// use sim::task::yield_now;
///
/// let report = sim::check(sim::Config::new(), || async {
///     let accounts = Arc::new([AtomicI64::new(100), AtomicI64::new(0)]);
///     let watched = accounts.clone();
///     let _money_is_kept = sim::invariant("money is kept", move || {
///         let sum: i64 = watched.iter().map(|account| account.load(SeqCst)).sum();
///         if sum == 100 { Ok(()) } else { Err(format!("there are {sum}")) }
///     });
///     let transfer = sim::spawn(async move {
///         accounts[0].fetch_sub(10, SeqCst);
///         yield_now().await; // Half of a transfer can be seen.
///         accounts[1].fetch_add(10, SeqCst);
///     });
///     transfer.await.unwrap();
/// });
/// let failure = report.failure.unwrap();
/// assert_eq!(failure.message, "the invariant \"money is kept\" does not hold: there are 90");
/// assert_eq!(failure.task.as_deref(), Some("main/0"));
/// ```
#[track_caller]
pub fn invariant<V: Verdict>(
    name: &'static str,
    mut condition: impl FnMut() -> V + 'static,
) -> Invariant {
    let world = context::expect_world();
    let id = world.add_invariant(name, Box::new(move || condition().verdict()));
    Invariant { id, run: world.run() }
}

/// Keeps an invariant under watch until it is dropped; made by [`invariant`].
#[must_use = "the invariant is looked at until this is dropped"]
#[derive(Debug)]
pub struct Invariant {
    id: u32,
    /// Told apart from other runs; it decides nothing.
    run: u64,
}

impl Drop for Invariant {
    fn drop(&mut self) {
        let Some(world) = context::world().filter(|world| world.run() == self.run) else { return };
        let goes_on = world.is_running() && !world.is_stopping();
        let fails = goes_on && world.step_ended();
        world.remove_invariant(self.id);
        if fails {
            world.leave();
        }
    }
}
