//! What a task starts with: a name for reports.

use super::{JoinHandle, spawn_blocking, spawn_local};
use crate::{
    context,
    point::{Access, point_alone},
    runtime::Handle,
    world::Home,
};
use std::{future::Future, io, panic::Location};

/// Names a task, and spawns it; tokio has the same behind `tokio_unstable`.
///
/// Reports say the name behind the spawn path: `main/0 "pump"`.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let task = sim::task::Builder::new().name("adder").spawn(async { 40 + 2 }).unwrap();
/// assert_eq!(task.await.unwrap(), 42);
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "it spawns nothing by itself"]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// A task without a name.
    pub fn new() -> Builder<'a> {
        Builder::default()
    }

    /// Names the task.
    pub fn name(self, name: &'a str) -> Builder<'a> {
        Builder { name: Some(name) }
    }

    /// As [`spawn`](crate::spawn()).
    ///
    /// # Errors
    ///
    /// Never; tokio's signature has room for it.
    ///
    /// # Panics
    ///
    /// Panics outside of a simulation or runtime, as tokio does.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let world = context::expect_world();
        let site = Location::caller();
        let header = world.spawn(future, Home::Pool(world.pool.get()), site);
        // Before others run, who may be told of it.
        if let Some(name) = self.name {
            world.set_task_name(header.number, name.to_string());
        }
        point_alone(Access::Spawn, site, None);
        Ok(JoinHandle::new(header))
    }

    /// As [`Handle::spawn`].
    ///
    /// # Errors
    ///
    /// Never; tokio's signature has room for it.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        Ok(self.named(handle.spawn(future)))
    }

    /// As [`spawn_local`].
    ///
    /// # Errors
    ///
    /// Never; tokio's signature has room for it.
    ///
    /// # Panics
    ///
    /// Panics outside of a local set and of a local runtime, as tokio does.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> io::Result<JoinHandle<F::Output>>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        Ok(self.named(spawn_local(future)))
    }

    /// As [`spawn_blocking`].
    ///
    /// # Errors
    ///
    /// Never; tokio's signature has room for it.
    ///
    /// # Panics
    ///
    /// Panics outside of a simulation or runtime, as tokio does.
    #[track_caller]
    pub fn spawn_blocking<F, R>(self, f: F) -> io::Result<JoinHandle<R>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        Ok(self.named(spawn_blocking(f)))
    }

    fn named<T>(self, task: JoinHandle<T>) -> JoinHandle<T> {
        if let Some(name) = self.name {
            task.set_name(name);
        }
        task
    }
}
