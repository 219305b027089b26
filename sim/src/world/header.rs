//! What the handles and wakers of a task share: its names, and whether it has ended.

use crate::{context, point::Site};
use std::sync::{
    Arc, Condvar, Mutex, PoisonError,
    atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};
use std::{task::Wake, time::Duration};

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

/// What a thread that is no part of the simulation asks of it.
#[derive(Clone, Copy)]
pub(crate) enum Asked {
    Wake,
    Abort,
}

/// The part of a simulation that other threads may touch.
#[derive(Default)]
pub(crate) struct Remote {
    /// What they asked, and of which task: slot and generation.
    asked: Mutex<Vec<(u32, u32, Asked)>>,
    any: AtomicBool,
    came: Condvar,
    /// Runtimes that stand on the simulation.
    pub(crate) owners: AtomicUsize,
}

impl Remote {
    /// Notes what a foreign thread asks.
    pub(crate) fn push(&self, header: &Header, asked: Asked) {
        let mut list = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        list.push((header.slot, header.generation, asked));
        self.any.store(true, Relaxed);
        self.came.notify_all();
    }

    /// Takes what foreign threads asked; waits for it in real time, at most so long.
    pub(crate) fn take(&self, wait: Duration) -> Vec<(u32, u32, Asked)> {
        if wait.is_zero() && !self.any.load(Relaxed) {
            return Vec::new();
        }
        let list = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.came.wait_timeout_while(list, wait, |list| list.is_empty());
        let mut list = waited.unwrap_or_else(PoisonError::into_inner).0;
        self.any.store(false, Relaxed);
        std::mem::take(&mut list)
    }
}
