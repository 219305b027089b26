//! Tasks: spawning, joining, aborting, local sets, blocking closures.
//!
//! Names, signatures and semantics are tokio's. Which ready task runs next, and whether another
//! runs in the middle of a poll, is decided by the run's seed.

mod abort;
mod blocking;
mod builder;
pub mod coop;
mod error;
mod id;
mod join;
pub mod join_set;
mod local;
pub(crate) mod task_local;
mod yield_now;

pub use abort::AbortHandle;
pub use blocking::{block_in_place, spawn_blocking};
pub use builder::Builder;
pub use coop::{Unconstrained, consume_budget, unconstrained};
pub use error::JoinError;
pub(crate) use error::message as panic_text;
pub use id::{Id, id, try_id};
pub use join::JoinHandle;
#[doc(inline)]
pub use join_set::JoinSet;
pub use local::{LocalEnterGuard, LocalSet, spawn_local};
pub use task_local::{AccessError, LocalKey};
pub use yield_now::yield_now;

/// Futures of this module that have names.
pub mod futures {
    pub use super::task_local::TaskLocalFuture;
}

use crate::{
    context,
    point::{Access, point_alone},
    world::Home,
};
use std::{future::Future, panic::Location};

/// Spawns a task; the handle gives its output.
///
/// The new task may run before this returns, as it may on another core.
///
/// # Panics
///
/// Panics outside of a simulation or runtime, as tokio does.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let task = sim::spawn(async { 40 + 2 });
/// assert_eq!(task.await.unwrap(), 42);
/// # });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let world = context::expect_world();
    let site = Location::caller();
    let header = world.spawn(future, Home::Pool(world.pool.get()), site);
    point_alone(Access::Spawn, site, None);
    JoinHandle::new(header)
}
