//! Closures that may block, on threads of their own.

use super::JoinHandle;
use crate::{
    context,
    point::{Access, point_alone},
};
use std::panic::Location;

/// Runs `f` on a thread of the simulation, where it may block.
///
/// The thread is a fiber: it interleaves with tasks at its scheduling points, and its blocking calls
/// (`std::thread::sleep`, contended std locks, `Handle::block_on`) pass in virtual time.
///
/// # Panics
///
/// Panics outside of a simulation or runtime, as tokio does.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let sum = sim::task::spawn_blocking(|| (1..=10).sum::<u32>());
/// assert_eq!(sum.await.unwrap(), 55);
/// # });
/// ```
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let site = Location::caller();
    let header = context::expect_world().spawn_thread(f, site);
    point_alone(Access::Spawn, site, None);
    JoinHandle::new(header)
}

/// Runs `f`, which may block, in the middle of a poll.
///
/// The task goes on holding its worker: on a real machine the runtime starts another, here other
/// workers run meanwhile.
///
/// # Panics
///
/// Panics in a runtime of one worker, as tokio does.
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    match context::running() {
        Some(world) if world.may_block() => f(),
        Some(world) if world.is_current_thread() || world.local.get() != crate::world::NONE => {
            panic!("can call blocking only when running on the multi-threaded runtime")
        }
        Some(world) => world.as_thread(f),
        None => f(),
    }
}
