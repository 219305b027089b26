//! Handles of runtimes.

use super::block_on_pool;
use crate::{
    context::{self, Entered},
    point::{Access, point_alone},
    task::JoinHandle,
    world::{Home, Remote, World},
};
use std::{
    error::Error, fmt, future::Future, marker::PhantomData, panic::Location, rc::Rc, sync::Arc,
};

/// Spawns on a runtime, from wherever.
#[derive(Clone)]
pub struct Handle {
    remote: Arc<Remote>,
    pool: u32,
    name: Option<Arc<str>>,
}

/// How many workers a runtime has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// One worker.
    CurrentThread,
    /// Several workers.
    MultiThread,
}

impl Handle {
    pub(super) fn new(world: &World, pool: u32) -> Handle {
        let name = world.table.borrow().pools.get(pool as usize).and_then(|pool| pool.name.clone());
        Handle { remote: world.remote().clone(), pool, name }
    }

    pub(super) fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    pub(super) fn pool(&self) -> u32 {
        self.pool
    }

    /// The simulation, which is one of this thread.
    #[track_caller]
    pub(super) fn world(&self) -> Rc<World> {
        context::find(&self.remote).unwrap_or_else(|| {
            panic!("the runtime of this handle has ended, or belongs to another thread: a simulation stays on its own")
        })
    }

    /// The current runtime.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime.
    #[track_caller]
    pub fn current() -> Handle {
        match Handle::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// The current runtime.
    ///
    /// # Errors
    ///
    /// Fails outside of a runtime.
    pub fn try_current() -> Result<Handle, TryCurrentError> {
        let world = context::world().ok_or(TryCurrentError(()))?;
        Ok(Handle::new(&world, world.pool.get()))
    }

    /// Spawns a task on this runtime.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let site = Location::caller();
        let header = self.world().spawn(future, Home::Pool(self.pool), site);
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
        let site = Location::caller();
        let world = self.world();
        let former = world.pool.replace(self.pool);
        let header = world.spawn_thread(f, site);
        world.pool.set(former);
        point_alone(Access::Spawn, site, None);
        JoinHandle::new(header)
    }

    /// Drives `future` until it ends; see [`Runtime::block_on`](super::Runtime::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        block_on_pool(&self.world(), self.pool, future, Location::caller())
    }

    /// Makes this the current runtime until the guard is dropped.
    #[track_caller]
    pub fn enter(&self) -> EnterGuard<'_> {
        let world = self.world();
        let entered = context::enter(&world);
        let former = world.pool.replace(self.pool);
        EnterGuard { world, former, _entered: entered, _handle: PhantomData }
    }

    /// The runtime's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Whether it has one worker or several.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        match self.world().table.borrow().pools[self.pool as usize].workers {
            1 => RuntimeFlavor::CurrentThread,
            _ => RuntimeFlavor::MultiThread,
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("pool", &self.pool).finish()
    }
}

/// The former runtime is current again when this is dropped.
#[must_use = "Creating and dropping an `EnterGuard` does nothing."]
pub struct EnterGuard<'a> {
    world: Rc<World>,
    former: u32,
    _entered: Entered,
    _handle: PhantomData<&'a Handle>,
}

impl Drop for EnterGuard<'_> {
    fn drop(&mut self) {
        self.world.pool.set(self.former);
    }
}

impl fmt::Debug for EnterGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterGuard").finish()
    }
}

/// There is no current runtime.
pub struct TryCurrentError(());

impl TryCurrentError {
    /// Whether there is none at all.
    pub fn is_missing_context(&self) -> bool {
        true
    }

    /// Whether the thread is ending; never so here.
    pub fn is_thread_local_destroyed(&self) -> bool {
        false
    }
}

impl fmt::Debug for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TryCurrentError").finish()
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(context::NO_RUNTIME)
    }
}

impl Error for TryCurrentError {}
