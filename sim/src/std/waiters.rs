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
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Waiters of a simulation, in the order in which they came.
pub(super) struct Waiters {
    /// Whether there may be one: what does not wait looks at nothing else.
    any: AtomicBool,
    queue: Mutex<Queue>,
}

struct Queue {
    list: VecDeque<Waiter>,
    woken: Woken,
}

/// Those of a queue that were woken, and may not have run yet.
enum Woken {
    None,
    All,
    One(Waiter),
}

/// How many that wait for one lock compete for it when it is free. Of more than that one is chosen, so
/// that giving it back does not take longer the more wait.
const RIVALS: usize = 64;

impl Waiters {
    pub(super) const fn new() -> Waiters {
        let queue = Queue { list: VecDeque::new(), woken: Woken::None };
        Waiters { any: AtomicBool::new(false), queue: Mutex::new(queue) }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits once: until it is woken, at `deadline_ns` at the latest, or for nothing.
    pub(super) fn wait(&self, world: &Rc<World>, deadline_ns: Option<u64>, site: Site) {
        self.enter(world).wait(world, deadline_ns, site);
    }

    /// A place in the queue.
    pub(super) fn enter(&self, world: &Rc<World>) -> Queued<'_> {
        let waiter = world.waiter();
        self.queue().list.push_back(waiter.clone());
        self.any.store(true, Relaxed);
        Queued { waiters: self, waiter }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        !self.any.load(Relaxed)
    }

    pub(super) fn len(&self) -> usize {
        if self.is_empty() { 0 } else { self.queue().list.len() }
    }

    /// Wakes all; they leave the queue when they run. A scheduling point, if there are any.
    #[inline]
    pub(super) fn wake_all(&self) {
        if !self.is_empty() {
            self.queue().wake_all();
            context::point_of_wake();
        }
    }

    /// One of them can go on: wakes those who compete for it. A scheduling point, if there are any.
    #[inline]
    pub(super) fn wake_rivals(&self) {
        if !self.is_empty() {
            let mut queue = self.queue();
            match queue.list.len() {
                0..=RIVALS => queue.wake_all(),
                many => queue.wake_one(many as u32),
            }
            drop(queue);
            context::point_of_wake();
        }
    }

    /// Takes the waiter at `index` out of the queue, and wakes it.
    pub(super) fn choose(&self, index: usize) {
        let waiter = {
            let mut queue = self.queue();
            let waiter = queue.list.remove(index);
            self.any.store(!queue.list.is_empty(), Relaxed);
            waiter
        };
        if let Some(waiter) = waiter {
            waiter.choose();
        }
    }

    /// Takes all out of the queue, and wakes them.
    pub(super) fn choose_all(&self) {
        if !self.is_empty() {
            let all = std::mem::take(&mut self.queue().list);
            self.any.store(false, Relaxed);
            all.iter().for_each(Waiter::choose);
        }
    }

    /// What those that were woken were woken for is taken: they wait on, without having run.
    #[inline]
    pub(super) fn hold_again(&self) {
        if !self.is_empty()
            && let Some(world) = context::running()
        {
            let mut queue = self.queue();
            match std::mem::replace(&mut queue.woken, Woken::None) {
                Woken::None => {}
                Woken::All => world.hold_again(queue.list.iter()),
                Woken::One(waiter) => world.hold_again([&waiter].into_iter()),
            }
        }
    }
}

impl Queue {
    fn wake_all(&mut self) {
        self.list.iter().for_each(Waiter::wake);
        self.woken = Woken::All;
    }

    fn wake_one(&mut self, waiting: u32) {
        let index = context::running().map_or(0, |world| world.choose_among(waiting));
        if let Some(waiter) = self.list.get(index as usize) {
            waiter.wake();
            self.woken = Woken::One(waiter.clone());
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

    /// Whether it has been taken out of the queue to go on.
    pub(super) fn is_chosen(&self) -> bool {
        self.waiter.is_chosen()
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        if self.is_chosen() {
            return;
        }
        let mut queue = self.waiters.queue();
        if let Some(at) = queue.list.iter().position(|waiter| *waiter == self.waiter) {
            queue.list.remove(at);
        }
        self.waiters.any.store(!queue.list.is_empty(), Relaxed);
    }
}

/// Where threads wait for a change of what a mutex protects: those of a simulation in a queue, real ones
/// by std's own condition variable.
pub(super) struct Gate {
    waiters: Waiters,
    real: Condvar,
    /// How many real threads wait: to notify nobody costs a call of the system.
    real_waiting: AtomicUsize,
}

impl Gate {
    pub(super) const fn new() -> Gate {
        Gate { waiters: Waiters::new(), real: Condvar::new(), real_waiting: AtomicUsize::new(0) }
    }

    /// Gives the mutex back, waits once, and takes it again.
    pub(super) fn wait<'a, S>(
        &self,
        mutex: &'a Mutex<S>,
        guard: MutexGuard<'a, S>,
        deadline: Deadline,
        site: Site,
    ) -> MutexGuard<'a, S> {
        if let Some(world) = context::running() {
            drop(guard);
            self.waiters.wait(&world, deadline.virtual_ns(), site);
            return mutex.lock().unwrap_or_else(PoisonError::into_inner);
        }
        expect_real_thread();
        self.real_waiting.fetch_add(1, Relaxed);
        let guard = match deadline.remaining() {
            None => self.real.wait(guard).unwrap_or_else(PoisonError::into_inner),
            Some(time) => {
                self.real.wait_timeout(guard, time).unwrap_or_else(PoisonError::into_inner).0
            }
        };
        self.real_waiting.fetch_sub(1, Relaxed);
        guard
    }

    /// Gives the mutex back and wakes all that wait. A scheduling point, if there are any.
    pub(super) fn wake_all<S>(&self, guard: MutexGuard<'_, S>) {
        let any = !self.waiters.is_empty();
        self.waiters.choose_all();
        self.leave(guard, any);
    }

    /// As [`wake_all`](Gate::wake_all), but only the one that waits longest; real threads all.
    pub(super) fn wake_first<S>(&self, guard: MutexGuard<'_, S>) {
        let any = !self.waiters.is_empty();
        if any {
            self.waiters.choose(0);
        }
        self.leave(guard, any);
    }

    fn leave<S>(&self, guard: MutexGuard<'_, S>, woke: bool) {
        self.wake_real();
        drop(guard);
        if woke {
            context::point_of_wake();
        }
    }

    fn wake_real(&self) {
        if self.real_waiting.load(Relaxed) > 0 {
            self.real.notify_all();
        }
    }
}

/// Panics where a wait by std's own means would have no end: in what is dropped after the end of a run.
pub(super) fn expect_real_thread() {
    let at_end = context::is_driving() && context::running().is_none();
    assert!(!at_end, "what is dropped at the end of a run waits for what nobody will do any more");
}

/// Until when somebody waits: on the clock of the simulation, or on the machine's.
#[derive(Clone, Copy)]
pub(super) enum Deadline {
    Never,
    Virtual(u64),
    Real(Instant),
}

impl Deadline {
    /// So long from now on.
    pub(super) fn after(timeout: Duration) -> Deadline {
        match context::now_ns() {
            Some(now) => {
                let ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
                Deadline::Virtual(now.saturating_add(ns))
            }
            None => Instant::now().checked_add(timeout).map_or(Deadline::Never, Deadline::Real),
        }
    }

    pub(super) fn virtual_ns(self) -> Option<u64> {
        match self {
            Deadline::Virtual(ns) => Some(ns),
            _ => None,
        }
    }

    /// What is left of the time; `None` without end.
    pub(super) fn remaining(self) -> Option<Duration> {
        match self {
            Deadline::Never => None,
            Deadline::Virtual(ns) => {
                let now = context::now_ns().unwrap_or(ns);
                Some(Duration::from_nanos(ns.saturating_sub(now)))
            }
            Deadline::Real(instant) => Some(instant.saturating_duration_since(Instant::now())),
        }
    }

    pub(super) fn is_over(self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}
