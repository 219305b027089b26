//! Runtimes, as far as they have a meaning in a simulation.
//!
//! Within a simulation a [`Runtime`] is a pool of workers of its own. Outside of one, it brings a
//! simulation along: [`Runtime::block_on`] drives it on the calling thread, with virtual time and the
//! seed that `SIM_SEED` names, else calmly. All runtimes that a thread makes outside share it.

mod builder;
mod handle;
mod local;
mod shut_down;

pub use builder::{Builder, UnhandledPanic};
pub use handle::{EnterGuard, Handle, RuntimeFlavor, TryCurrentError};
pub use local::{LocalOptions, LocalRuntime};
pub use shut_down::is_rt_shutdown_err;
pub(crate) use shut_down::shut_down;

use crate::{
    context::{self, poll_blocking},
    point::Site,
    task::JoinHandle,
    world::World,
};
use std::{
    fmt,
    future::Future,
    io,
    panic::{Location, resume_unwind},
    rc::Rc,
    sync::atomic::Ordering::Relaxed,
    time::Duration,
};

/// A pool of workers and the tasks that they run.
///
/// ```
/// let rt = sim::runtime::Runtime::new().unwrap();
/// let day = std::time::Duration::from_secs(86_400);
/// rt.block_on(async { sim::time::sleep(day).await }); // virtual time: at once
/// ```
pub struct Runtime {
    handle: Handle,
    in_background: bool,
}

impl Runtime {
    /// A runtime of four workers.
    ///
    /// # Errors
    ///
    /// None; tokio's signature.
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    fn with_handle(handle: Handle) -> Runtime {
        handle.remote().owners.fetch_add(1, Relaxed);
        Runtime { handle, in_background: false }
    }

    /// Its handle.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a task on this runtime. Outside of a simulation it runs when one of the thread's
    /// runtimes is driven.
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs `f`, which may block, on a thread of the simulation.
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, f: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(f)
    }

    /// Drives `future`, and all tasks, until `future` ends.
    ///
    /// # Panics
    ///
    /// Panics with the future's panic; within a task, as tokio does; and with a report if the run
    /// fails, such as by a deadlock.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle.block_on(future)
    }

    /// Makes this the current runtime until the guard is dropped.
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Drops the runtime; blocking closures are not waited for.
    pub fn shutdown_timeout(mut self, duration: Duration) {
        // With no time to wait it may be called from within a task.
        self.in_background = duration.is_zero();
    }

    /// Drops the runtime; blocking closures are not waited for.
    pub fn shutdown_background(mut self) {
        self.in_background = true;
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.handle.remote().owners.fetch_sub(1, Relaxed);
        let within = context::running().is_some_and(|world| !world.may_block());
        assert!(
            !within || self.in_background || std::thread::panicking(),
            "Cannot drop a runtime in a context where blocking is not allowed. This happens when a runtime is dropped \
             from within an asynchronous context."
        );
        if let Some(world) = context::find(self.handle.remote()) {
            let _entered = context::enter(&world);
            world.close_pool(self.handle.pool());
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("handle", &self.handle).finish()
    }
}

/// Drives `future` on the pool of a runtime; see [`Runtime::block_on`].
#[track_caller]
pub(crate) fn block_on_pool<F: Future>(
    world: &Rc<World>,
    pool: u32,
    future: F,
    site: Site,
) -> F::Output {
    if world.is_running() {
        return block_within(world, pool, future, site);
    }
    let result = world.drive(pool, site, || poll_blocking(world, future, site));
    let fault = world.take_fault();
    match (result, fault) {
        (Some(Err(payload)), _) => resume_unwind(payload),
        (Some(Ok(output)), None) => output,
        (_, Some(fault)) => {
            let seed = world.choices.borrow().seed();
            panic!(
                "{:?}: {}\n  at {:?} of virtual time\nrun it again: SIM_SEED={seed} with the same command",
                fault.kind,
                fault.message,
                Duration::from_nanos(fault.at_ns)
            );
        }
        (None, None) => unreachable!("a run without a result has failed"),
    }
}

/// Blocks a thread of the simulation on `future`.
#[track_caller]
fn block_within<F: Future>(world: &Rc<World>, pool: u32, future: F, site: Site) -> F::Output {
    assert!(world.may_block(), "{}", context::NESTED);
    let former = world.pool.replace(pool);
    let output = poll_blocking(world, future, site);
    world.pool.set(former);
    output
}

/// Blocks the calling thread on `future`, for the blocking variants of operations.
#[track_caller]
pub(crate) fn block_on_here<F: Future>(future: F) -> F::Output {
    let site = Location::caller();
    match context::running() {
        Some(world) => {
            assert!(
                world.may_block(),
                "Cannot block the current thread from within a runtime. This happens because a function \
                 attempted to block the current thread while the thread is being used to drive asynchronous tasks."
            );
            poll_blocking(&world, future, site)
        }
        None => {
            let world = context::world_or_ambient();
            block_on_pool(&world, crate::world::MAIN_POOL, future, site)
        }
    }
}

/// What `#[sim::main]` builds on.
#[doc(hidden)]
pub fn main_builder() -> MainBuilder {
    MainBuilder { workers: 4, start_paused: false }
}

/// The options of `#[sim::main]`.
#[doc(hidden)]
pub struct MainBuilder {
    workers: usize,
    start_paused: bool,
}

#[doc(hidden)]
impl MainBuilder {
    pub fn workers(mut self, workers: usize) -> MainBuilder {
        self.workers = workers;
        self
    }

    pub fn multi_thread(self) -> MainBuilder {
        self
    }

    pub fn local(self) -> MainBuilder {
        self.workers(1)
    }

    pub fn runtime_name(self, _name: &str) -> MainBuilder {
        self
    }

    pub fn current_thread(self) -> MainBuilder {
        self.workers(1)
    }

    pub fn start_paused(mut self, paused: bool) -> MainBuilder {
        self.start_paused = paused;
        self
    }

    #[track_caller]
    pub fn block_on<F: Future>(self, future: F) -> F::Output {
        let mut builder = match self.workers {
            1 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        let runtime = builder
            .enable_all()
            .worker_threads(self.workers)
            .start_paused(self.start_paused)
            .build();
        runtime.expect("a runtime can always be built").block_on(future)
    }
}
