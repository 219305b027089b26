//! A mutex as std's: it poisons, it is not fair, and it blocks its thread.
//!
//! Whoever runs first once it is free takes it, a newcomer or one who waits: the schedule decides. Who
//! waits is only ready while the mutex is free, so that nobody runs in vain.

use super::super::waiters::{Waiters, expect_real_thread};
use crate::{
    context,
    faces::{faces, lock_faces},
    hold::{Share, Taker},
    point::{Access, Object, Site, point},
};
use std::{
    panic::Location,
    sync::{self as real, LockResult, PoisonError, TryLockError, TryLockResult},
};

/// Protects a value, as [`std::sync::Mutex`].
///
/// A thread that locks a mutex it holds waits for ever; in a simulation that ends in the report of a
/// deadlock. Held by a task over an await or a scheduling point it blocks the workers of those who want
/// it, as a real one does.
///
/// ```
/// use sim::std::{sync::{Arc, Mutex}, thread};
///
/// let report = sim::check(sim::Config::new().seeds(50), || async {
///     let counter = Arc::new(Mutex::new(0));
///     let threads: Vec<_> = (0..3)
///         .map(|_| thread::spawn({ let counter = counter.clone(); move || *counter.lock().unwrap() += 1 }))
///         .collect();
///     threads.into_iter().for_each(|thread| thread.join().unwrap());
///     assert_eq!(*counter.lock().unwrap(), 3);
/// });
/// assert!(report.failure.is_none());
/// ```
pub struct Mutex<T: ?Sized> {
    object: Object,
    waiters: Waiters,
    inner: real::Mutex<T>,
}

crate::faces::nameable!([T: ?Sized] Mutex<T>, |this| this.object);

impl<T> Mutex<T> {
    /// A free mutex.
    #[track_caller]
    pub const fn new(value: T) -> Mutex<T> {
        Mutex {
            object: Object::new(Location::caller()),
            waiters: Waiters::new(),
            inner: real::Mutex::new(value),
        }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// With the value, if the mutex is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Takes the mutex; waits until it is free.
    ///
    /// # Errors
    ///
    /// With the guard, if the mutex is poisoned: a thread panicked while it held it.
    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        self.lock_announced(site)
    }

    fn lock_at(&self, site: Site) -> LockResult<MutexGuard<'_, T>> {
        match self.inner.try_lock() {
            Err(TryLockError::WouldBlock) => self.wait(site),
            Ok(guard) => Ok(self.taken(guard, site)),
            Err(TryLockError::Poisoned(error)) => {
                Err(PoisonError::new(self.taken(error.into_inner(), site)))
            }
        }
    }

    #[cold]
    fn wait(&self, site: Site) -> LockResult<MutexGuard<'_, T>> {
        // Of runtimes that were made outside of a simulation, real threads may hold it.
        let Some(world) = context::running().filter(|world| !world.ambient.get()) else {
            expect_real_thread();
            return self.wrap(self.inner.lock(), site);
        };
        let _blocking = self.object.block(Share::Whole, site);
        loop {
            self.waiters.wait(&world, None, site);
            match self.inner.try_lock() {
                Err(TryLockError::WouldBlock) => {}
                Ok(guard) => {
                    self.object.take_in();
                    return self.wrap(Ok(guard), site);
                }
                Err(TryLockError::Poisoned(error)) => {
                    self.object.take_in();
                    return self.wrap(Err(error), site);
                }
            }
        }
    }

    /// Takes the mutex again after a wait.
    pub(super) fn lock_announced(&self, site: Site) -> LockResult<MutexGuard<'_, T>> {
        point(&self.object, Access::Acquire, site);
        self.lock_at(site)
    }

    pub(super) fn wrap<'a>(
        &'a self,
        result: LockResult<real::MutexGuard<'a, T>>,
        site: Site,
    ) -> LockResult<MutexGuard<'a, T>> {
        match result {
            Ok(guard) => Ok(self.taken(guard, site)),
            Err(error) => Err(PoisonError::new(self.taken(error.into_inner(), site))),
        }
    }

    fn taken<'a>(&'a self, inner: real::MutexGuard<'a, T>, site: Site) -> MutexGuard<'a, T> {
        self.waiters.hold_again();
        let taker = self.object.hold(Share::Whole, site);
        MutexGuard { mutex: self, site, taker, inner: Some(inner) }
    }

    /// As [`taken`](Mutex::taken), by who would not have waited.
    fn tried<'a>(&'a self, inner: real::MutexGuard<'a, T>, site: Site) -> MutexGuard<'a, T> {
        self.waiters.hold_again();
        let taker = self.object.hold_tried(Share::Whole, site, false);
        MutexGuard { mutex: self, site, taker, inner: Some(inner) }
    }

    /// Takes the mutex if it is free.
    ///
    /// # Errors
    ///
    /// If it is held; or with the guard, if the mutex is poisoned.
    #[track_caller]
    pub fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
        let site = Location::caller();
        point(&self.object, Access::Acquire, site);
        match self.inner.try_lock() {
            Ok(guard) => Ok(self.tried(guard, site)),
            Err(TryLockError::WouldBlock) => Err(TryLockError::WouldBlock),
            Err(TryLockError::Poisoned(error)) => {
                Err(TryLockError::Poisoned(PoisonError::new(self.tried(error.into_inner(), site))))
            }
        }
    }

    /// Whether a thread panicked while it held the mutex.
    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        point(&self.object, Access::Read, Location::caller());
        self.inner.is_poisoned()
    }

    /// Makes the mutex good again.
    #[track_caller]
    pub fn clear_poison(&self) {
        point(&self.object, Access::Write, Location::caller());
        self.inner.clear_poison();
    }

    /// The value, of a mutex that nobody else can reach.
    ///
    /// # Errors
    ///
    /// With the value, if the mutex is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

lock_faces!(Mutex);

/// Gives the mutex back when dropped; made by [`Mutex::lock`].
#[must_use = "if unused the Mutex will immediately unlock"]
#[clippy::has_significant_drop]
pub struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    /// Where it was taken.
    site: Site,
    taker: Taker,
    inner: Option<real::MutexGuard<'a, T>>,
}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    pub(super) fn mutex(guard: &MutexGuard<'a, T>) -> &'a Mutex<T> {
        guard.mutex
    }

    /// Takes the guard apart; the mutex is not given back.
    pub(super) fn into_inner(mut guard: Self) -> (&'a Mutex<T>, real::MutexGuard<'a, T>) {
        let inner = guard.inner.take().expect("it is taken when the guard is dropped");
        guard.mutex.object.give_back(guard.taker, guard.site, 1);
        (guard.mutex, inner)
    }
}

faces!(['a, T: ?Sized] MutexGuard<'a, T> => T,
    |guard| guard.inner.as_ref().expect("it is taken when the guard is dropped"),
    |guard| guard.inner.as_mut().expect("it is taken when the guard is dropped"));

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        if self.inner.is_none() {
            return; // It is given to a condition variable.
        }
        // Others come before the mutex is free.
        point(&self.mutex.object, Access::Release, self.site);
        self.mutex.object.give_back(self.taker, self.site, 1);
        let was_poisoned = self.mutex.inner.is_poisoned();
        drop(self.inner.take());
        if !was_poisoned && super::only_seems_to_panic() {
            self.mutex.inner.clear_poison();
        }
        self.mutex.waiters.wake_rivals();
    }
}
