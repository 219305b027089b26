//! An exclusive lock whose guard may be held across awaits.

use super::{
    TryLockError,
    attempt::Attempt,
    charge::charged,
    guard::{Announced, OwnedRelease, Release, faces, lock_faces},
};
use crate::{
    hold::Share,
    point::{Access, Object, Site, point},
    runtime::block_on_here,
};
use sim_sys::owned::{Lend, LendLater, Owned};
use std::{future::Future, marker::PhantomData, panic::Location, sync::Arc};
use tokio::sync as real;

/// An exclusive lock, fair: first come, first served.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let count = sim::sync::Mutex::new(0);
/// *count.lock().await += 1;
/// assert_eq!(count.into_inner(), 1);
/// # });
/// ```
pub struct Mutex<T: ?Sized> {
    object: Object,
    inner: real::Mutex<T>,
}

crate::faces::nameable!([T: ?Sized] Mutex<T>, |this| this.object);

impl<T: ?Sized> Announced for Mutex<T> {
    fn object(&self) -> &Object {
        &self.object
    }
}

impl<T> Mutex<T> {
    /// An unlocked mutex.
    #[track_caller]
    pub fn new(value: T) -> Mutex<T> {
        Mutex { object: Object::made(Location::caller()), inner: real::Mutex::new(value) }
    }

    /// An unlocked mutex, for statics.
    #[track_caller]
    pub const fn const_new(value: T) -> Mutex<T> {
        Mutex { object: Object::new(Location::caller()), inner: real::Mutex::const_new(value) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    /// Waits for the lock. Cancel safe, but the place in the queue is lost.
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        self.lock_at(Location::caller())
    }

    pub(super) async fn lock_at(&self, site: Site) -> MutexGuard<'_, T> {
        let attempt = Attempt::announce(&self.object, site);
        let inner = charged(&self.object, Share::Whole, site, self.inner.lock()).await;
        attempt.granted();
        MutexGuard { release: Release::new(&self.object, Share::Whole, site), inner, mutex: self }
    }

    /// As [`lock`](Mutex::lock), on a thread.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block_on_here(self.lock())
    }

    /// As [`lock_owned`](Mutex::lock_owned), on a thread.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T>
    where
        T: 'static,
    {
        block_on_here(self.lock_owned())
    }

    /// As [`lock`](Mutex::lock), with a guard that keeps the mutex alive.
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>>
    where
        T: 'static,
    {
        let site = Location::caller();
        async move {
            let attempt = Attempt::announce(&self.object, site);
            let lent = Owned::lend_later(self.clone());
            let inner = charged(&self.object, Share::Whole, site, lent).await;
            attempt.granted();
            OwnedMutexGuard { release: OwnedRelease::new(self, Share::Whole, site), inner }
        }
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    ///
    /// Fails if it is held.
    #[track_caller]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let site = Location::caller();
        point(&self.object, Access::Acquire, site);
        let inner = self.inner.try_lock()?;
        let release = Release::tried(&self.object, Share::Whole, site);
        Ok(MutexGuard { release, inner, mutex: self })
    }

    /// As [`try_lock`](Mutex::try_lock), with a guard that keeps the mutex alive.
    ///
    /// # Errors
    ///
    /// Fails if it is held.
    #[track_caller]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError>
    where
        T: 'static,
    {
        let site = Location::caller();
        point(&self.object, Access::Acquire, site);
        let inner = Owned::lend(self.clone(), |mutex: &Mutex<T>| mutex.inner.try_lock())?;
        Ok(OwnedMutexGuard { release: OwnedRelease::tried(self, Share::Whole, site), inner })
    }

    /// The value; no lock is needed.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

lock_faces!(Mutex);

/// Holds a [`Mutex`].
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    release: Release<'a>,
    inner: real::MutexGuard<'a, T>,
    mutex: &'a Mutex<T>,
}

faces!(['a, T: ?Sized] MutexGuard<'a, T> => T, |guard| &guard.inner, |guard| {
    guard.release.changed = true;
    &mut guard.inner
});

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// A guard of a part of the value.
    pub fn map<U: ?Sized, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard { release: this.release, inner: real::MutexGuard::map(this.inner, f) }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<U: ?Sized, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let MutexGuard { release, inner, mutex } = this;
        match real::MutexGuard::try_map(inner, f) {
            Ok(inner) => Ok(MappedMutexGuard { release, inner }),
            Err(inner) => Err(MutexGuard { release, inner, mutex }),
        }
    }

    /// The mutex.
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }
}

/// Holds a [`Mutex`], of whose value it shows a part.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    release: Release<'a>,
    inner: real::MappedMutexGuard<'a, T>,
}

faces!(['a, T: ?Sized] MappedMutexGuard<'a, T> => T, |guard| &guard.inner, |guard| {
    guard.release.changed = true;
    &mut guard.inner
});

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// A guard of a part of the value.
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard {
            release: this.release,
            inner: real::MappedMutexGuard::map(this.inner, f),
        }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let MappedMutexGuard { release, inner } = this;
        match real::MappedMutexGuard::try_map(inner, f) {
            Ok(inner) => Ok(MappedMutexGuard { release, inner }),
            Err(inner) => Err(MappedMutexGuard { release, inner }),
        }
    }
}

struct Whole<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized + 'static> Lend for Whole<T> {
    type Owner = Mutex<T>;
    type Guard<'a> = real::MutexGuard<'a, T>;
}

impl<T: ?Sized + 'static> LendLater for Whole<T> {
    fn acquire(mutex: &Mutex<T>) -> impl Future<Output = real::MutexGuard<'_, T>> {
        mutex.inner.lock()
    }
}

struct Part<T: ?Sized, U: ?Sized>(PhantomData<T>, PhantomData<U>);

impl<T: ?Sized + 'static, U: ?Sized + 'static> Lend for Part<T, U> {
    type Owner = Mutex<T>;
    type Guard<'a> = real::MappedMutexGuard<'a, U>;
}

/// Holds a [`Mutex`] and keeps it alive.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMutexGuard<T: ?Sized + 'static> {
    release: OwnedRelease<Mutex<T>>,
    inner: Owned<Whole<T>>,
}

faces!([T: ?Sized + 'static] OwnedMutexGuard<T> => T,
|guard| guard.inner.get(|inner| &**inner), |guard| {
    guard.release.changed = true;
    guard.inner.get_mut(|inner| &mut **inner)
});

impl<T: ?Sized + 'static> OwnedMutexGuard<T> {
    /// A guard of a part of the value.
    pub fn map<U: ?Sized + 'static, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let inner = this.inner.map(|inner, _| real::MutexGuard::map(inner, f));
        OwnedMappedMutexGuard { release: this.release, inner, whole: PhantomData }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<U: ?Sized + 'static, F>(
        this: Self,
        f: F,
    ) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let OwnedMutexGuard { release, inner } = this;
        match inner.try_map(|inner, _| real::MutexGuard::try_map(inner, f)) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { release, inner, whole: PhantomData }),
            Err(inner) => Err(OwnedMutexGuard { release, inner }),
        }
    }

    /// The mutex.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.release.lock
    }
}

/// Holds a [`Mutex`] and keeps it alive; shows a part of its value.
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMappedMutexGuard<T: ?Sized + 'static, U: ?Sized + 'static = T> {
    release: OwnedRelease<Mutex<T>>,
    inner: Owned<Part<T, U>>,
    /// Shared between threads only if the whole value may be, as tokio's.
    whole: PhantomData<Box<T>>,
}

faces!([T: ?Sized + 'static, U: ?Sized + 'static] OwnedMappedMutexGuard<T, U> => U,
|guard| guard.inner.get(|inner| &**inner), |guard| {
    guard.release.changed = true;
    guard.inner.get_mut(|inner| &mut **inner)
});

impl<T: ?Sized + 'static, U: ?Sized + 'static> OwnedMappedMutexGuard<T, U> {
    /// A guard of a part of the value.
    pub fn map<S: 'static, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        let inner = this.inner.map(|inner, _| real::MappedMutexGuard::map(inner, f));
        OwnedMappedMutexGuard { release: this.release, inner, whole: PhantomData }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<S: 'static, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        let OwnedMappedMutexGuard { release, inner, whole } = this;
        match inner.try_map(|inner, _| real::MappedMutexGuard::try_map(inner, f)) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { release, inner, whole }),
            Err(inner) => Err(OwnedMappedMutexGuard { release, inner, whole }),
        }
    }
}
