//! Building a runtime, with tokio's options; those that are about real threads have no effect.

use super::{Handle, LocalOptions, LocalRuntime, Runtime};
use crate::context;
use std::{fmt, io, time::Duration};

/// Builds a [`Runtime`].
///
/// Options about threads and drivers are taken and have no effect: there are no threads, and the
/// I/O driver is always there.
pub struct Builder {
    workers: u32,
    start_paused: bool,
    timers: bool,
    io: bool,
    name: Option<String>,
}

/// What a runtime does when a task panics.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum UnhandledPanic {
    /// The handle gets it; a run whose handle nobody looks at fails.
    Ignore,
    /// The run fails.
    ShutdownRuntime,
}

impl Builder {
    /// One worker: tasks interleave only where a poll is pending.
    pub fn new_current_thread() -> Builder {
        Builder { workers: 1, start_paused: false, timers: false, io: false, name: None }
    }

    /// Four workers.
    pub fn new_multi_thread() -> Builder {
        Builder { workers: 4, start_paused: false, timers: false, io: false, name: None }
    }

    /// Enables the timers and the network.
    pub fn enable_all(&mut self) -> &mut Builder {
        (self.timers, self.io) = (true, true);
        self
    }

    /// The name that the handle gives.
    pub fn name(&mut self, name: impl Into<String>) -> &mut Builder {
        self.name = Some(name.into());
        self
    }

    /// Enables the network; without, sockets cannot be made: that panics.
    pub fn enable_io(&mut self) -> &mut Builder {
        self.io = true;
        self
    }

    /// Enables the timers; without, sleeps and timeouts panic.
    pub fn enable_time(&mut self) -> &mut Builder {
        self.timers = true;
        self
    }

    /// How many tasks may be in the middle of a poll at once.
    ///
    /// # Panics
    ///
    /// Panics if it is 0.
    #[track_caller]
    pub fn worker_threads(&mut self, workers: usize) -> &mut Builder {
        assert!(workers > 0, "Worker threads cannot be set to 0");
        if self.workers > 1 {
            // A runtime of several threads with one worker still has a main thread beside it.
            self.workers = u32::try_from(workers).unwrap_or(u32::MAX);
        }
        self
    }

    /// No effect.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, threads: usize) -> &mut Builder {
        assert!(threads > 0, "Max blocking threads cannot be set to 0");
        self
    }

    /// No effect.
    pub fn thread_name(&mut self, _name: impl Into<String>) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn thread_name_fn(
        &mut self,
        _f: impl Fn() -> String + Send + Sync + 'static,
    ) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn thread_stack_size(&mut self, _bytes: usize) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn thread_keep_alive(&mut self, _duration: Duration) -> &mut Builder {
        self
    }

    /// No effect: a simulation has no threads to start.
    pub fn on_thread_start(&mut self, _f: impl Fn() + Send + Sync + 'static) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn on_thread_stop(&mut self, _f: impl Fn() + Send + Sync + 'static) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn on_thread_park(&mut self, _f: impl Fn() + Send + Sync + 'static) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn on_thread_unpark(&mut self, _f: impl Fn() + Send + Sync + 'static) -> &mut Builder {
        self
    }

    /// No effect: order is a choice of the seed.
    #[track_caller]
    pub fn global_queue_interval(&mut self, ticks: u32) -> &mut Builder {
        assert!(ticks > 0, "global_queue_interval must be greater than 0");
        self
    }

    /// No effect.
    #[track_caller]
    pub fn event_interval(&mut self, _ticks: u32) -> &mut Builder {
        self
    }

    /// No effect.
    pub fn max_io_events_per_tick(&mut self, _capacity: usize) -> &mut Builder {
        self
    }

    /// Starts with the clock paused.
    pub fn start_paused(&mut self, paused: bool) -> &mut Builder {
        self.start_paused = paused;
        self
    }

    /// The runtime.
    ///
    /// # Errors
    ///
    /// None; tokio's signature.
    #[track_caller]
    pub fn build(&mut self) -> io::Result<Runtime> {
        Ok(Runtime::with_handle(self.handle(false)))
    }

    /// A runtime that also takes tasks that are not `Send`.
    ///
    /// # Errors
    ///
    /// None; tokio's signature.
    pub fn build_local(&mut self, _options: LocalOptions) -> io::Result<LocalRuntime> {
        self.workers = 1;
        Ok(LocalRuntime::new_with(Runtime::with_handle(self.handle(true))))
    }

    fn handle(&self, local: bool) -> Handle {
        let world = context::world_or_ambient();
        let pool = {
            let pool = world.add_runtime_pool(self.workers);
            let mut table = world.table.borrow_mut();
            let entry = &mut table.pools[pool as usize];
            (entry.local, entry.timers, entry.io) = (local, self.timers, self.io);
            entry.name = self.name.as_deref().map(Into::into);
            pool
        };
        if self.start_paused {
            assert!(self.workers == 1, "`start_paused` requires the current-thread runtime");
            world.set_paused(true);
        }
        Handle::new(&world, pool)
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("worker_threads", &self.workers).finish()
    }
}
