//! A condition variable as std's: wake-ups are lost if nobody waits, and may come for nothing.

use super::{
    super::waiters::{Deadline, Waiters, expect_real_thread},
    MutexGuard,
};
use crate::{
    context,
    point::{Access, Object, Site, announce, point},
    world::World,
};
use std::{
    fmt,
    panic::Location,
    rc::Rc,
    sync::{self as real, LockResult, PoisonError},
    time::Duration,
};

/// Lets a thread give a [`Mutex`](super::Mutex) back and wait for a change, as [`std::sync::Condvar`].
///
/// Which waiter `notify_one` wakes is a choice of the run's seed; zero is the one that waits longest. In some
/// runs waits end for nothing now and then, as std says they may.
///
/// ```
/// use sim::std::{sync::{Condvar, Mutex}, thread};
///
/// let (ready, changed) = (Mutex::new(false), Condvar::new());
/// thread::scope(|scope| {
///     scope.spawn(|| drop(changed.wait_while(ready.lock().unwrap(), |ready| !*ready)));
///     *ready.lock().unwrap() = true;
///     changed.notify_one();
/// });
/// ```
pub struct Condvar {
    object: Object,
    waiters: Waiters,
    inner: real::Condvar,
}

crate::faces::nameable!([] Condvar, |this| this.object);

/// Whether a wait ended because its time was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTimeoutResult(bool);

impl WaitTimeoutResult {
    /// Whether the time was over.
    pub fn timed_out(&self) -> bool {
        self.0
    }
}

type Timed<'a, T> = (MutexGuard<'a, T>, WaitTimeoutResult);

impl Condvar {
    /// Nobody waits.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar {
            object: Object::new(Location::caller()),
            waiters: Waiters::new(),
            inner: real::Condvar::new(),
        }
    }

    /// Gives the mutex back, waits for a notification, and takes the mutex again.
    ///
    /// # Errors
    ///
    /// With the guard, if the mutex is poisoned.
    #[track_caller]
    pub fn wait<'a, T>(&self, guard: MutexGuard<'a, T>) -> LockResult<MutexGuard<'a, T>> {
        let site = Location::caller();
        without_time(self.wait_at(guard, Deadline::Never, site))
    }

    /// Waits as long as `condition` holds.
    ///
    /// # Errors
    ///
    /// With the guard, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> LockResult<MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        let site = Location::caller();
        while condition(&mut *guard) {
            guard = without_time(self.wait_at(guard, Deadline::Never, site))?;
        }
        Ok(guard)
    }

    /// As [`wait`](Condvar::wait), for so long at most.
    ///
    /// # Errors
    ///
    /// With the guard, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)> {
        self.wait_at(guard, Deadline::after(timeout), Location::caller())
    }

    /// Waits as long as `condition` holds, for so long at most.
    ///
    /// # Errors
    ///
    /// With the guard, if the mutex is poisoned.
    #[track_caller]
    pub fn wait_timeout_while<'a, T, F>(
        &self,
        mut guard: MutexGuard<'a, T>,
        timeout: Duration,
        mut condition: F,
    ) -> LockResult<(MutexGuard<'a, T>, WaitTimeoutResult)>
    where
        F: FnMut(&mut T) -> bool,
    {
        let site = Location::caller();
        let deadline = Deadline::after(timeout);
        loop {
            if !condition(&mut *guard) {
                return Ok((guard, WaitTimeoutResult(false)));
            }
            if deadline.is_over() {
                return Ok((guard, WaitTimeoutResult(true)));
            }
            guard = self.wait_at(guard, deadline, site)?.0;
        }
    }

    fn wait_at<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Deadline,
        site: Site,
    ) -> LockResult<Timed<'a, T>> {
        point(&self.object, Access::Wait, site);
        match context::running().filter(|world| !world.ambient.get()) {
            Some(world) => self.wait_in(&world, guard, deadline, site),
            None => self.wait_outside(guard, deadline, site),
        }
    }

    fn wait_in<'a, T>(
        &self,
        world: &Rc<World>,
        guard: MutexGuard<'a, T>,
        deadline: Deadline,
        site: Site,
    ) -> LockResult<Timed<'a, T>> {
        let mutex = MutexGuard::mutex(&guard);
        let for_nothing = world.wakes_for_nothing();
        // In the queue before the mutex is free: no notification is lost.
        let queued = self.waiters.enter(world);
        drop(guard);
        if for_nothing {
            crate::point::point_alone(Access::Yield, site, None);
        } else {
            while !queued.is_chosen() && !deadline.is_over() {
                // What is waited for is not the mutex, which was given back last.
                announce(&self.object, Access::Wait, site);
                queued.wait(world, deadline.virtual_ns(), site);
            }
        }
        let timed_out = WaitTimeoutResult(!queued.is_chosen() && !for_nothing);
        if queued.is_chosen() {
            self.object.take_in();
        }
        drop(queued);
        with(mutex.lock_announced(site), timed_out)
    }

    fn wait_outside<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        deadline: Deadline,
        site: Site,
    ) -> LockResult<Timed<'a, T>> {
        expect_real_thread();
        let (mutex, inner) = MutexGuard::into_inner(guard);
        let Some(time) = deadline.remaining() else {
            let result = mutex.wrap(self.inner.wait(inner), site);
            return with(result, WaitTimeoutResult(false));
        };
        let (inner, timed_out, poisoned) = match self.inner.wait_timeout(inner, time) {
            Ok((inner, result)) => (inner, result.timed_out(), false),
            Err(error) => {
                let (inner, result) = error.into_inner();
                (inner, result.timed_out(), true)
            }
        };
        let result = if poisoned { Err(PoisonError::new(inner)) } else { Ok(inner) };
        with(mutex.wrap(result, site), WaitTimeoutResult(timed_out))
    }

    /// Wakes one that waits.
    #[track_caller]
    pub fn notify_one(&self) {
        point(&self.object, Access::Notify, Location::caller());
        let waiting = self.waiters.len();
        if waiting > 0 {
            let index = context::running().map_or(0, |world| world.choose_among(waiting as u32));
            self.waiters.choose(index as usize);
            context::point_of_wake();
        }
        self.notify_real(real::Condvar::notify_one);
    }

    /// Wakes all that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        point(&self.object, Access::Notify, Location::caller());
        if !self.waiters.is_empty() {
            self.waiters.choose_all();
            context::point_of_wake();
        }
        self.notify_real(real::Condvar::notify_all);
    }

    fn notify_real(&self, notify: fn(&real::Condvar)) {
        if context::running().is_none_or(|world| world.ambient.get()) {
            notify(&self.inner);
        }
    }
}

fn with<'a, T>(
    result: LockResult<MutexGuard<'a, T>>,
    timed_out: WaitTimeoutResult,
) -> LockResult<Timed<'a, T>> {
    match result {
        Ok(guard) => Ok((guard, timed_out)),
        Err(error) => Err(PoisonError::new((error.into_inner(), timed_out))),
    }
}

fn without_time<T>(result: LockResult<Timed<'_, T>>) -> LockResult<MutexGuard<'_, T>> {
    result.map(|timed| timed.0).map_err(|error| PoisonError::new(error.into_inner().0))
}

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

impl fmt::Debug for Condvar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condvar").finish_non_exhaustive()
    }
}
