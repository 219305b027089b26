//! A reader-writer lock as std's on Linux: writers that wait come before readers.
//!
//! A reader waits while somebody waits for the lock, also if only readers hold it: a thread that reads
//! twice may wait for a writer that waits for it. Bits say who waits, as in std's futex lock; they are
//! taken away when the waiters are woken, so that until they run a newcomer may overtake them.

use super::super::waiters::{Waiters, expect_real_thread};
use crate::{
    context,
    faces::{faces, lock_faces},
    hold::{Share, Taker},
    point::{Access, Object, Site, point},
};
use std::{
    panic::Location,
    sync::{
        self as real, LockResult, PoisonError, TryLockError, TryLockResult,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

/// Protects a value that many may read or one may write, as [`std::sync::RwLock`].
///
/// ```
/// let lock = sim::std::sync::RwLock::new(5);
/// {
///     let (one, other) = (lock.read().unwrap(), lock.read().unwrap());
///     assert_eq!(*one + *other, 10);
/// }
/// *lock.write().unwrap() += 1;
/// ```
pub struct RwLock<T: ?Sized> {
    state: State,
    inner: real::RwLock<T>,
}

crate::faces::nameable!([T: ?Sized] RwLock<T>, |this| this.state.object);

/// Who holds the lock and who waits for it, within a simulation.
struct State {
    object: Object,
    readers: AtomicUsize,
    waiting_readers: Waiters,
    waiting_writers: Waiters,
    readers_wait: AtomicBool,
    writers_wait: AtomicBool,
}

impl State {
    const fn new(site: Site) -> State {
        State {
            object: Object::new(site),
            readers: AtomicUsize::new(0),
            waiting_readers: Waiters::new(),
            waiting_writers: Waiters::new(),
            readers_wait: AtomicBool::new(false),
            writers_wait: AtomicBool::new(false),
        }
    }

    /// Whether a newcomer may read: nobody waits.
    fn admits_readers(&self) -> bool {
        !self.readers_wait.load(Relaxed) && !self.writers_wait.load(Relaxed)
    }

    fn hold(&self, share: Share, site: Site, tried: bool) -> Taker {
        match tried {
            true => self.object.hold_tried(share, site, false),
            false => self.object.hold(share, site),
        }
    }

    fn took_read(&self) {
        self.readers.fetch_add(1, Relaxed);
        self.keep_writers();
    }

    fn took_write(&self) {
        self.keep_writers();
        if !self.waiting_readers.is_empty() {
            self.waiting_readers.hold_again();
            self.readers_wait.store(true, Relaxed);
        }
    }

    /// Writers that were woken have come too late: they go on waiting, without having run.
    fn keep_writers(&self) {
        if !self.waiting_writers.is_empty() {
            self.waiting_writers.hold_again();
            self.writers_wait.store(true, Relaxed);
        }
    }

    fn gave_read(&self) {
        if self.readers.fetch_sub(1, Relaxed) == 1 {
            self.is_free();
        }
    }

    /// Nobody holds the lock: writers may take it, or if none waits readers.
    fn is_free(&self) {
        if !self.waiting_writers.is_empty() {
            self.writers_wait.store(false, Relaxed);
            self.waiting_writers.wake_rivals();
        } else {
            self.readers_wait.store(false, Relaxed);
            self.waiting_readers.wake_all();
        }
    }
}

impl<T> RwLock<T> {
    /// A free lock.
    #[track_caller]
    pub const fn new(value: T) -> RwLock<T> {
        RwLock { state: State::new(Location::caller()), inner: real::RwLock::new(value) }
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// With the value, if the lock is poisoned.
    pub fn into_inner(self) -> LockResult<T> {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    /// Takes the lock for reading; waits while a writer holds it or waits for it.
    ///
    /// # Errors
    ///
    /// With the guard, if the lock is poisoned: a thread panicked while it wrote.
    #[track_caller]
    pub fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        point(&self.state.object, Access::AcquireShared, site);
        if self.state.admits_readers()
            && let Some(result) = waited(self.inner.try_read())
        {
            return self.reads(result, site);
        }
        self.wait_to_read(site)
    }

    #[cold]
    fn wait_to_read(&self, site: Site) -> LockResult<RwLockReadGuard<'_, T>> {
        let Some(world) = context::running().filter(|world| !world.ambient.get()) else {
            expect_real_thread();
            return self.reads(self.inner.read(), site);
        };
        let _blocking = self.state.object.block(Share::Part, site);
        loop {
            self.state.readers_wait.store(true, Relaxed);
            self.state.waiting_readers.wait(&world, None, site);
            if !self.state.writers_wait.load(Relaxed)
                && let Some(result) = waited(self.inner.try_read())
            {
                self.state.object.take_in();
                return self.reads(result, site);
            }
        }
    }

    fn reads<'a>(
        &'a self,
        result: LockResult<real::RwLockReadGuard<'a, T>>,
        site: Site,
    ) -> LockResult<RwLockReadGuard<'a, T>> {
        self.reads_as(result, site, false)
    }

    /// As [`reads`](RwLock::reads), perhaps by who would not have waited.
    fn reads_as<'a>(
        &'a self,
        result: LockResult<real::RwLockReadGuard<'a, T>>,
        site: Site,
        tried: bool,
    ) -> LockResult<RwLockReadGuard<'a, T>> {
        self.state.took_read();
        let (state, taker) = (&self.state, self.state.hold(Share::Part, site, tried));
        wrap(result, |inner| RwLockReadGuard { state, site, taker, inner: Some(inner) })
    }

    /// Takes the lock for reading if no writer holds it or waits for it.
    ///
    /// # Errors
    ///
    /// If it cannot be read now; or with the guard, if the lock is poisoned.
    #[track_caller]
    pub fn try_read(&self) -> TryLockResult<RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        point(&self.state.object, Access::AcquireShared, site);
        if !self.state.admits_readers() {
            return Err(TryLockError::WouldBlock);
        }
        match waited(self.inner.try_read()) {
            Some(result) => self.reads_as(result, site, true).map_err(TryLockError::Poisoned),
            None => Err(TryLockError::WouldBlock),
        }
    }

    /// Takes the lock for writing; waits until it is free.
    ///
    /// # Errors
    ///
    /// With the guard, if the lock is poisoned: a thread panicked while it wrote.
    #[track_caller]
    pub fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        point(&self.state.object, Access::Acquire, site);
        match waited(self.inner.try_write()) {
            Some(result) => self.writes(result, site),
            None => self.wait_to_write(site),
        }
    }

    #[cold]
    fn wait_to_write(&self, site: Site) -> LockResult<RwLockWriteGuard<'_, T>> {
        let Some(world) = context::running().filter(|world| !world.ambient.get()) else {
            expect_real_thread();
            return self.writes(self.inner.write(), site);
        };
        let _blocking = self.state.object.block(Share::Whole, site);
        loop {
            self.state.writers_wait.store(true, Relaxed);
            self.state.waiting_writers.wait(&world, None, site);
            if let Some(result) = waited(self.inner.try_write()) {
                self.state.object.take_in();
                return self.writes(result, site);
            }
        }
    }

    fn writes<'a>(
        &'a self,
        result: LockResult<real::RwLockWriteGuard<'a, T>>,
        site: Site,
    ) -> LockResult<RwLockWriteGuard<'a, T>> {
        self.writes_as(result, site, false)
    }

    /// As [`writes`](RwLock::writes), perhaps by who would not have waited.
    fn writes_as<'a>(
        &'a self,
        result: LockResult<real::RwLockWriteGuard<'a, T>>,
        site: Site,
        tried: bool,
    ) -> LockResult<RwLockWriteGuard<'a, T>> {
        self.state.took_write();
        let taker = self.state.hold(Share::Whole, site, tried);
        wrap(result, |inner| RwLockWriteGuard { lock: self, site, taker, inner: Some(inner) })
    }

    /// Takes the lock for writing if it is free.
    ///
    /// # Errors
    ///
    /// If it is held; or with the guard, if the lock is poisoned.
    #[track_caller]
    pub fn try_write(&self) -> TryLockResult<RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        point(&self.state.object, Access::Acquire, site);
        match waited(self.inner.try_write()) {
            Some(result) => self.writes_as(result, site, true).map_err(TryLockError::Poisoned),
            None => Err(TryLockError::WouldBlock),
        }
    }

    /// Whether a thread panicked while it wrote.
    #[track_caller]
    pub fn is_poisoned(&self) -> bool {
        point(&self.state.object, Access::Read, Location::caller());
        self.inner.is_poisoned()
    }

    /// Makes the lock good again.
    #[track_caller]
    pub fn clear_poison(&self) {
        point(&self.state.object, Access::Write, Location::caller());
        self.inner.clear_poison();
    }

    /// The value, of a lock that nobody else can reach.
    ///
    /// # Errors
    ///
    /// With the value, if the lock is poisoned.
    pub fn get_mut(&mut self) -> LockResult<&mut T> {
        self.inner.get_mut()
    }
}

/// What a try gave, unless it has to be waited for.
fn waited<G>(result: TryLockResult<G>) -> Option<LockResult<G>> {
    match result {
        Ok(guard) => Some(Ok(guard)),
        Err(TryLockError::Poisoned(error)) => Some(Err(error)),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn wrap<G, W>(result: LockResult<G>, f: impl FnOnce(G) -> W) -> LockResult<W> {
    match result {
        Ok(guard) => Ok(f(guard)),
        Err(error) => Err(PoisonError::new(f(error.into_inner()))),
    }
}

lock_faces!(RwLock);

/// Gives the lock back when dropped; made by [`RwLock::read`].
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    state: &'a State,
    /// Where it was taken.
    site: Site,
    taker: Taker,
    inner: Option<real::RwLockReadGuard<'a, T>>,
}

faces!(['a, T: ?Sized] RwLockReadGuard<'a, T> => T,
    |guard| guard.inner.as_ref().expect("it is taken when the guard is dropped"));

impl<T: ?Sized> Drop for RwLockReadGuard<'_, T> {
    fn drop(&mut self) {
        point(&self.state.object, Access::Release, self.site);
        self.state.object.give_back(self.taker, self.site, 1);
        drop(self.inner.take());
        self.state.gave_read();
    }
}

/// Gives the lock back when dropped; made by [`RwLock::write`].
#[must_use = "if unused the RwLock will immediately unlock"]
#[clippy::has_significant_drop]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    lock: &'a RwLock<T>,
    /// Where it was taken.
    site: Site,
    taker: Taker,
    inner: Option<real::RwLockWriteGuard<'a, T>>,
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Goes on reading; no writer comes in between.
    #[track_caller]
    pub fn downgrade(mut guard: RwLockWriteGuard<'a, T>) -> RwLockReadGuard<'a, T> {
        let (lock, site) = (guard.lock, Location::caller());
        point(&lock.state.object, Access::Release, site);
        let inner = guard.inner.take().expect("it is taken when the guard is dropped");
        let inner = real::RwLockWriteGuard::downgrade(inner);
        lock.state.object.give_back(guard.taker, guard.site, 1);
        let taker = lock.state.object.hold(Share::Part, site);
        lock.state.took_read();
        if !lock.state.writers_wait.load(Relaxed) {
            lock.state.readers_wait.store(false, Relaxed);
            lock.state.waiting_readers.wake_all();
        }
        RwLockReadGuard { state: &lock.state, site, taker, inner: Some(inner) }
    }
}

faces!(['a, T: ?Sized] RwLockWriteGuard<'a, T> => T,
    |guard| guard.inner.as_ref().expect("it is taken when the guard is dropped"),
    |guard| guard.inner.as_mut().expect("it is taken when the guard is dropped"));

impl<T: ?Sized> Drop for RwLockWriteGuard<'_, T> {
    fn drop(&mut self) {
        if self.inner.is_none() {
            return; // It was downgraded.
        }
        point(&self.lock.state.object, Access::Release, self.site);
        self.lock.state.object.give_back(self.taker, self.site, 1);
        let was_poisoned = self.lock.inner.is_poisoned();
        drop(self.inner.take());
        if !was_poisoned && super::only_seems_to_panic() {
            self.lock.inner.clear_poison();
        }
        self.lock.state.is_free();
    }
}
