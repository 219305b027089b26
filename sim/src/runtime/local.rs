//! A runtime of one worker whose tasks need not be `Send`.

use super::{EnterGuard, Handle, Runtime};
use crate::{
    point::{Access, point_alone},
    task::JoinHandle,
    world::Home,
};
use std::{fmt, future::Future, io, marker::PhantomData, panic::Location, time::Duration};

/// As [`Runtime`] with one worker, and with [`spawn_local`](LocalRuntime::spawn_local).
pub struct LocalRuntime {
    runtime: Runtime,
    _not_send: PhantomData<*mut u8>,
}

/// Options of a [`LocalRuntime`]; there are none yet.
#[derive(Default, Debug)]
#[non_exhaustive]
pub struct LocalOptions {
    _not_send: PhantomData<*mut u8>,
}

impl LocalRuntime {
    /// A local runtime.
    ///
    /// # Errors
    ///
    /// None; tokio's signature.
    pub fn new() -> io::Result<LocalRuntime> {
        super::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
    }

    pub(super) fn new_with(runtime: Runtime) -> LocalRuntime {
        LocalRuntime { runtime, _not_send: PhantomData }
    }

    /// Its handle.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Spawns a task that need not be `Send`.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let site = Location::caller();
        let handle = self.handle();
        let header = handle.world().spawn(future, Home::Pool(handle.pool()), site);
        point_alone(Access::Spawn, site, None);
        JoinHandle::new(header)
    }

    /// Runs `f`, which may block, on a thread of the simulation.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(f)
    }

    /// Drives `future` until it ends; see [`Runtime::block_on`].
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Makes this the current runtime until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Drops the runtime; blocking closures are not waited for.
    pub fn shutdown_timeout(self, duration: Duration) {
        self.runtime.shutdown_timeout(duration);
    }

    /// Drops the runtime; blocking closures are not waited for.
    pub fn shutdown_background(self) {
        self.runtime.shutdown_background();
    }
}

impl fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRuntime").field("handle", self.handle()).finish()
    }
}
