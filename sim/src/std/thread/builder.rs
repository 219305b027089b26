//! What a thread starts with.

use super::{JoinHandle, Scope, ScopedJoinHandle, Thread, scope};
use crate::{
    context,
    point::{Access, point_alone},
    world::World,
};
use std::{ffi::CString, io, panic::Location, rc::Rc, sync::Arc};

/// Gives a thread a name; the size of its stack is that of the simulation's.
#[derive(Debug, Default)]
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A thread without a name.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the thread.
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Sets the size of the stack, in bytes, outside of a simulation; in one,
    /// [`Config::stack_size`](crate::Config::stack_size) does.
    pub fn stack_size(mut self, bytes: usize) -> Builder {
        self.stack_size = Some(bytes);
        self
    }

    /// Starts a thread that runs `f`.
    ///
    /// # Errors
    ///
    /// Outside of a simulation, if the system cannot start a thread.
    ///
    /// # Panics
    ///
    /// Panics if the name contains a zero.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match context::running() {
            Some(world) => Ok(self.start(&world, f)),
            None => self.real().spawn(f).map(JoinHandle::real),
        }
    }

    /// Starts a thread of a scope.
    ///
    /// # Errors
    ///
    /// Outside of a simulation, if the system cannot start a thread.
    ///
    /// # Panics
    ///
    /// Panics if the name contains a zero.
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        scope::spawn(self, scope, f)
    }

    /// Starts a thread of the simulation.
    #[track_caller]
    pub(super) fn start<T: 'static>(
        self,
        world: &Rc<World>,
        f: impl FnOnce() -> T + 'static,
    ) -> JoinHandle<T> {
        let name = self.name.map(|name| {
            CString::new(&*name).expect("thread name may not contain interior null bytes");
            name.into_boxed_str()
        });
        let site = Location::caller();
        let thread = Thread::simulated(world.next_thread_id(), name, site);
        let body = {
            let thread = thread.clone();
            move || {
                context::expect_world().set_current_thread(thread);
                f()
            }
        };
        let header = world.spawn_thread(body, site);
        let handle = JoinHandle::simulated(Arc::clone(&header), thread);
        point_alone(Access::Spawn, site, None);
        handle
    }

    pub(super) fn real(self) -> std::thread::Builder {
        let mut builder = std::thread::Builder::new();
        if let Some(name) = self.name {
            builder = builder.name(name);
        }
        if let Some(bytes) = self.stack_size {
            builder = builder.stack_size(bytes);
        }
        builder
    }
}
