//! What the handles and wakers of a task share: its names, and whether it has ended.

use crate::{context, point::Site};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};
use std::task::Wake;

/// One task as its handles and wakers see it, from whichever thread.
pub(crate) struct Header {
    /// Names the simulation.
    pub(crate) remote: Arc<Remote>,
    /// The place in the simulation's table, and which of its successive tenants this is.
    pub(crate) slot: u32,
    pub(crate) generation: u32,
    /// Counts from the start of the run; also the id that programs see.
    pub(crate) number: u32,
    /// Where the task was spawned.
    pub(crate) site: Site,
    pub(crate) finished: AtomicBool,
}

impl Wake for Header {
    fn wake(self: Arc<Self>) {
        context::wake(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        context::wake(self);
    }
}

/// The part of a simulation that other threads may touch.
#[derive(Default)]
pub(crate) struct Remote {
    /// Tasks woken by threads that are no part of the simulation.
    woken: Mutex<Vec<(u32, u32)>>,
    any: AtomicBool,
    /// Runtimes that stand on the simulation.
    pub(crate) owners: AtomicUsize,
}

impl Remote {
    /// Notes that a foreign thread woke a task.
    pub(crate) fn push(&self, slot: u32, generation: u32) {
        self.woken.lock().unwrap_or_else(PoisonError::into_inner).push((slot, generation));
        self.any.store(true, Relaxed);
    }

    /// Takes what foreign threads woke.
    pub(crate) fn take(&self) -> Vec<(u32, u32)> {
        if !self.any.swap(false, Relaxed) {
            return Vec::new();
        }
        std::mem::take(&mut self.woken.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
