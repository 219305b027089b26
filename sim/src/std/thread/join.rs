//! The handle of a thread.

use super::{Result, Thread};
use crate::{
    context,
    point::{Access, Site, point_of_task},
    world::{Header, Outcome, Output, World, is_finished, world_of},
};
use std::{fmt, panic::Location, rc::Rc, sync::Arc, task::Poll};

/// Waits for a thread and gives what it returned; dropped, it leaves the thread to itself.
pub struct JoinHandle<T> {
    thread: Thread,
    repr: Repr<T>,
}

enum Repr<T> {
    Simulated(Simulated<T>),
    Real(std::thread::JoinHandle<T>),
}

struct Simulated<T> {
    header: Arc<Header>,
    /// Gives the output its type back: here, where nothing says that `T` is `'static`.
    typed: fn(Box<dyn Output>) -> T,
}

impl<T> JoinHandle<T> {
    pub(super) fn simulated(header: Arc<Header>, thread: Thread) -> JoinHandle<T>
    where
        T: 'static,
    {
        let typed = |output: Box<dyn Output>| {
            let output = output.into_any().downcast();
            *output.expect("the handle has the type of its thread's output")
        };
        JoinHandle { thread, repr: Repr::Simulated(Simulated { header, typed }) }
    }

    pub(super) fn real(handle: std::thread::JoinHandle<T>) -> JoinHandle<T> {
        JoinHandle { thread: Thread::real(handle.thread().clone()), repr: Repr::Real(handle) }
    }

    /// Waits until the thread has ended.
    ///
    /// # Errors
    ///
    /// With what the thread panicked with.
    ///
    /// # Panics
    ///
    /// Panics if the thread's simulation is over.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        match self.repr {
            Repr::Simulated(thread) => thread.join(Location::caller()),
            Repr::Real(handle) => handle.join(),
        }
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Whether the thread has run to its end.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        match &self.repr {
            Repr::Simulated(simulated) => {
                point_of_task(&simulated.header, Access::Read, Location::caller());
                is_finished(&simulated.header)
            }
            Repr::Real(handle) => handle.is_finished(),
        }
    }
}

impl<T> Simulated<T> {
    fn join(self, site: Site) -> Result<T> {
        point_of_task(&self.header, Access::Join, site);
        let world =
            context::running().filter(|world| Arc::ptr_eq(world.remote(), &self.header.remote));
        let world = world.expect("a thread is joined within its simulation");
        match wait_for(&world, &self.header, site) {
            Ok(output) => Ok((self.typed)(output)),
            // A thread whose node crashed has not panicked, but its end is as abrupt.
            Err(error) => Err(error.try_into_panic().unwrap_or_else(|error| Box::new(error))),
        }
    }
}

/// Waits for the end of a thread.
pub(super) fn wait_for(world: &Rc<World>, header: &Header, site: Site) -> Outcome {
    let waiter = world.waiter();
    let waker = waiter.waker();
    loop {
        if let Poll::Ready(outcome) = world.poll_join(header, &waker) {
            return outcome;
        }
        world.wait_as(&waiter, None, site);
    }
}

impl<T> Drop for Simulated<T> {
    fn drop(&mut self) {
        if let Some(world) = world_of(&self.header) {
            world.detach(&self.header);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").finish_non_exhaustive()
    }
}
