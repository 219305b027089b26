//! Threads with std's names and semantics: fibers of the simulation, real threads outside of one.

mod builder;
mod handle;
mod join;
mod local;
mod scope;

pub use builder::Builder;
pub use handle::{Thread, ThreadId, current, park, park_timeout};
pub use join::JoinHandle;
pub use local::{AccessError, LocalKey};
pub use scope::{Scope, ScopedJoinHandle, scope};
pub use std::thread::Result;

use super::waiters::Deadline;
use crate::{
    context,
    point::{Access, Site, point_alone},
};
use std::{io, num::NonZero, panic::Location, time::Duration};

/// Starts a thread that runs `f`.
///
/// The new thread may run before this returns. It is not joined when the handle is dropped; a panic that
/// nobody joins fails the run as a swallowed one.
///
/// # Panics
///
/// Outside of a simulation, if the system cannot start a thread.
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// Lets others run: the thread goes to the end of those that are ready, and the schedule picks one.
#[track_caller]
pub fn yield_now() {
    if !give_way(Location::caller()) {
        std::thread::yield_now();
    }
}

/// Lets others run; false outside of a simulation.
pub(super) fn give_way(site: Site) -> bool {
    let Some(world) = context::running() else { return false };
    point_alone(Access::Yield, site, None);
    if !std::thread::panicking() {
        world.requeue(site);
    }
    true
}

/// Waits for so long, in virtual time.
#[track_caller]
pub fn sleep(duration: Duration) {
    let Some(world) = context::running() else { return std::thread::sleep(duration) };
    let site = Location::caller();
    point_alone(Access::Wait, site, None);
    let deadline = Deadline::after(duration);
    let waiter = world.waiter();
    while !deadline.is_over() {
        world.wait_as(&waiter, deadline.virtual_ns(), site);
    }
}

/// Whether the current thread unwinds from a panic.
pub fn panicking() -> bool {
    match context::running() {
        Some(world) => world.is_panicking(),
        None => std::thread::panicking(),
    }
}

/// How many tasks the runtime polls at once: its workers, or outside of a simulation what std says.
///
/// # Errors
///
/// Outside of a simulation, those of std.
pub fn available_parallelism() -> io::Result<NonZero<usize>> {
    let Some(world) = context::running() else { return std::thread::available_parallelism() };
    let workers = world.limits.borrow().workers as usize;
    Ok(NonZero::new(workers).unwrap_or(NonZero::<usize>::MIN))
}
