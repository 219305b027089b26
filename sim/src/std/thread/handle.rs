//! What names a thread, and the token that it parks for.

use super::super::waiters::{Deadline, Waiters};
use crate::{
    context,
    point::{Access, Object, Site, point},
};
use std::{
    fmt,
    panic::Location,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// A thread; made by [`current`] and [`JoinHandle::thread`](super::JoinHandle::thread).
#[derive(Clone)]
pub struct Thread(Repr);

#[derive(Clone)]
enum Repr {
    Simulated(Arc<Inner>),
    Real(std::thread::Thread),
}

struct Inner {
    id: u32,
    name: Option<Box<str>>,
    /// The token: the thread waits for it, others give it.
    object: Object,
    token: AtomicBool,
    waiters: Waiters,
}

/// Tells a thread from all others: in a simulation they count from the start of the run, and the main
/// thread's is 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ThreadId(IdRepr);

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum IdRepr {
    Simulated(u32),
    Real(std::thread::ThreadId),
}

impl Thread {
    /// A thread that was started at `site`.
    pub(crate) fn simulated(id: u32, name: Option<Box<str>>, site: Site) -> Thread {
        Thread(Repr::Simulated(Arc::new(Inner {
            id,
            name,
            object: Object::new(site),
            token: AtomicBool::new(false),
            waiters: Waiters::new(),
        })))
    }

    pub(super) fn real(thread: std::thread::Thread) -> Thread {
        Thread(Repr::Real(thread))
    }

    /// Its id.
    pub fn id(&self) -> ThreadId {
        ThreadId(match &self.0 {
            Repr::Simulated(inner) => IdRepr::Simulated(inner.id),
            Repr::Real(thread) => IdRepr::Real(thread.id()),
        })
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        match &self.0 {
            Repr::Simulated(inner) => inner.name.as_deref(),
            Repr::Real(thread) => thread.name(),
        }
    }

    /// Gives the thread its token: one that parks goes on, or the next park returns at once.
    #[track_caller]
    pub fn unpark(&self) {
        match &self.0 {
            Repr::Simulated(inner) => {
                point(&inner.object, Access::Notify, Location::caller());
                inner.token.store(true, Relaxed);
                inner.waiters.wake_all();
            }
            Repr::Real(thread) => thread.unpark(),
        }
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Thread")
            .field("id", &self.id())
            .field("name", &self.name())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IdRepr::Simulated(id) => f.debug_tuple("ThreadId").field(&id).finish(),
            IdRepr::Real(id) => id.fmt(f),
        }
    }
}

/// The current thread. A task has that of the worker that polls it.
pub fn current() -> Thread {
    match context::running() {
        Some(world) => world.current_thread(),
        None => Thread::real(std::thread::current()),
    }
}

/// Waits for the current thread's token, and takes it.
#[track_caller]
pub fn park() {
    park_for(None);
}

/// As [`park`], but for so long at most.
#[track_caller]
pub fn park_timeout(timeout: Duration) {
    park_for(Some(timeout));
}

#[track_caller]
fn park_for(timeout: Option<Duration>) {
    let Some(world) = context::running() else {
        return match timeout {
            Some(timeout) => std::thread::park_timeout(timeout),
            None => std::thread::park(),
        };
    };
    let site = Location::caller();
    let Thread(Repr::Simulated(thread)) = world.current_thread() else {
        unreachable!("the threads of a simulation are simulated");
    };
    point(&thread.object, Access::Wait, site);
    let deadline = timeout.map_or(Deadline::Never, Deadline::after);
    while !thread.token.swap(false, Relaxed) && !deadline.is_over() {
        thread.waiters.wait(&world, deadline.virtual_ns(), site);
    }
    thread.object.take_in();
}
