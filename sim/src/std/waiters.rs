//! The queue of those who wait for a lock, a message or a token.

use crate::{
    context,
    point::Site,
    world::{Waiter, World},
};
use std::{
    collections::VecDeque,
    rc::Rc,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// Waiters of a simulation, in the order in which they came.
pub(super) struct Waiters {
    /// Whether there may be one: what does not wait looks at nothing else.
    any: AtomicBool,
    list: Mutex<VecDeque<Waiter>>,
}

impl Waiters {
    pub(super) const fn new() -> Waiters {
        Waiters { any: AtomicBool::new(false), list: Mutex::new(VecDeque::new()) }
    }

    fn list(&self) -> MutexGuard<'_, VecDeque<Waiter>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits once: until it is woken, at `deadline_ns` at the latest, or for nothing. True if it was
    /// taken out of the queue meanwhile.
    pub(super) fn wait(&self, world: &Rc<World>, deadline_ns: Option<u64>, site: Site) -> bool {
        let queued = self.enter(world);
        queued.wait(world, deadline_ns, site);
        queued.leave()
    }

    /// A place in the queue.
    pub(super) fn enter(&self, world: &World) -> Queued<'_> {
        let waiter = world.waiter();
        self.list().push_back(waiter.clone());
        self.any.store(true, Relaxed);
        Queued { waiters: self, waiter }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        if !self.any.load(Relaxed) { 0 } else { self.list().len() }
    }

    /// Wakes all; they leave the queue when they run.
    pub(super) fn wake_all(&self) {
        if self.any.load(Relaxed) {
            let all: Vec<Waiter> = self.list().iter().cloned().collect();
            all.iter().for_each(Waiter::wake);
        }
    }

    /// Takes the waiter at `index` out of the queue and wakes it.
    pub(super) fn wake_at(&self, index: usize) {
        let waiter = self.list().remove(index);
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    /// What they were woken for is taken: they wait on.
    #[inline]
    pub(super) fn hold_again(&self) {
        if self.any.load(Relaxed)
            && let Some(world) = context::running()
        {
            world.hold_again(self.list().iter());
        }
    }
}

/// A place in the queue, given back when dropped, also when the run ends meanwhile.
pub(super) struct Queued<'a> {
    waiters: &'a Waiters,
    waiter: Waiter,
}

impl Queued<'_> {
    /// Waits until it is woken, at `deadline_ns` at the latest, or for nothing.
    pub(super) fn wait(&self, world: &Rc<World>, deadline_ns: Option<u64>, site: Site) {
        world.wait_as(&self.waiter, deadline_ns, site);
    }

    /// Whether it has been taken out of the queue.
    pub(super) fn is_taken_out(&self) -> bool {
        !self.waiters.list().contains(&self.waiter)
    }

    /// Leaves the queue; true if it has been taken out of it before.
    pub(super) fn leave(self) -> bool {
        self.remove()
    }

    fn remove(&self) -> bool {
        let mut list = self.waiters.list();
        let at = list.iter().position(|waiter| *waiter == self.waiter);
        if let Some(at) = at {
            list.remove(at);
        }
        self.waiters.any.store(!list.is_empty(), Relaxed);
        at.is_none()
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}
