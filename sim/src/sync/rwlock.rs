//! A lock that many may read or one may write, whose guards may be held across awaits.

use super::{
    TryLockError,
    charge::charged,
    guard::{Announced, OwnedRelease, Release, faces, lock_faces},
};
use crate::{
    hold::Share,
    point::{Access, Object, point},
    runtime::block_on_here,
};
use sim_sys::owned::{Lend, LendLater, Owned};
use std::{future::Future, marker::PhantomData, panic::Location, sync::Arc};
use tokio::sync as real;

/// A lock that many may read or one may write, fair: a writer that waits keeps new readers out.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let names = sim::sync::RwLock::new(vec!["one"]);
/// assert_eq!(names.read().await.len(), 1);
/// names.write().await.push("two");
/// assert_eq!(names.into_inner(), ["one", "two"]);
/// # });
/// ```
pub struct RwLock<T: ?Sized> {
    object: Object,
    inner: real::RwLock<T>,
}

crate::faces::nameable!([T: ?Sized] RwLock<T>, |this| this.object);

impl<T: ?Sized> Announced for RwLock<T> {
    fn object(&self) -> &Object {
        &self.object
    }
}

impl<T> RwLock<T> {
    /// An unlocked lock.
    #[track_caller]
    pub fn new(value: T) -> RwLock<T> {
        RwLock { object: Object::made(Location::caller()), inner: real::RwLock::new(value) }
    }

    /// An unlocked lock that at most `max_readers` may read at once.
    ///
    /// # Panics
    ///
    /// Panics above `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_readers: u32) -> RwLock<T> {
        let inner = real::RwLock::with_max_readers(value, max_readers);
        RwLock { object: Object::made(Location::caller()), inner }
    }

    /// An unlocked lock, for statics.
    #[track_caller]
    pub const fn const_new(value: T) -> RwLock<T> {
        RwLock { object: Object::new(Location::caller()), inner: real::RwLock::const_new(value) }
    }

    /// An unlocked lock that at most `max_readers` may read at once, for statics.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_readers: u32) -> RwLock<T> {
        let inner = real::RwLock::const_with_max_readers(value, max_readers);
        RwLock { object: Object::new(Location::caller()), inner }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.inner.into_inner()
    }
}

/// One way to take the lock, with and without waiting, borrowed and owned.
macro_rules! ways {
    ($what:literal, $access:expr, $share:expr, $guard:ident, $owned:ident, $inner:ident,
     $wait:ident, $blocking:ident, $wait_owned:ident, $try:ident, $try_owned:ident, $later:ident) => {
        impl<T: ?Sized> RwLock<T> {
            #[doc = concat!("Waits until it may ", $what, ". Cancel safe, but the place in the queue is lost.")]
            #[track_caller]
            pub fn $wait(&self) -> impl Future<Output = $guard<'_, T>> {
                let site = Location::caller();
                async move {
                    point(&self.object, $access, site);
                    let inner = charged(&self.object, $share, site, self.inner.$wait()).await;
                    $guard { release: Release::new(&self.object, $share, site), inner }
                }
            }

            #[doc = concat!("As [`", stringify!($wait), "`](RwLock::", stringify!($wait), "), on a thread.")]
            ///
            /// # Panics
            ///
            /// Panics within a task.
            #[track_caller]
            pub fn $blocking(&self) -> $guard<'_, T> {
                block_on_here(self.$wait())
            }

            #[doc = concat!("As [`", stringify!($wait), "`](RwLock::", stringify!($wait), "), with a guard that keeps the lock alive.")]
            #[track_caller]
            pub fn $wait_owned(self: Arc<Self>) -> impl Future<Output = $owned<T>>
            where
                T: 'static,
            {
                let site = Location::caller();
                async move {
                    point(&self.object, $access, site);
                    let lent = Owned::lend_later(self.clone());
                    let inner = charged(&self.object, $share, site, lent).await;
                    $owned { release: OwnedRelease::new(self, $share, site), inner }
                }
            }

            /// Takes the lock if it can be had at once.
            ///
            /// # Errors
            ///
            /// Fails if it cannot.
            #[track_caller]
            pub fn $try(&self) -> Result<$guard<'_, T>, TryLockError> {
                let site = Location::caller();
                point(&self.object, $access, site);
                let inner = self.inner.$try()?;
                Ok($guard { release: Release::tried(&self.object, $share, site), inner })
            }

            /// Takes the lock if it can be had at once, with a guard that keeps the lock alive.
            ///
            /// # Errors
            ///
            /// Fails if it cannot.
            #[track_caller]
            pub fn $try_owned(self: Arc<Self>) -> Result<$owned<T>, TryLockError>
            where
                T: 'static,
            {
                let site = Location::caller();
                point(&self.object, $access, site);
                let inner = Owned::lend(self.clone(), |lock: &RwLock<T>| lock.inner.$try())?;
                Ok($owned { release: OwnedRelease::tried(self, $share, site), inner })
            }
        }

        impl<T: ?Sized + 'static> LendLater for $later<T, T> {
            fn acquire(lock: &RwLock<T>) -> impl Future<Output = real::$inner<'_, T>> {
                lock.inner.$wait()
            }
        }
    };
}

ways!(
    "read",
    Access::AcquireShared,
    Share::Part,
    RwLockReadGuard,
    OwnedRwLockReadGuard,
    RwLockReadGuard,
    read,
    blocking_read,
    read_owned,
    try_read,
    try_read_owned,
    Reading
);
ways!(
    "write",
    Access::Acquire,
    Share::Whole,
    RwLockWriteGuard,
    OwnedRwLockWriteGuard,
    RwLockWriteGuard,
    write,
    blocking_write,
    write_owned,
    try_write,
    try_write_owned,
    Writing
);

impl<T: ?Sized> RwLock<T> {
    /// The value; no lock is needed.
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut()
    }
}

lock_faces!(RwLock);

/// Holds a [`RwLock`] for reading.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    release: Release<'a>,
    inner: real::RwLockReadGuard<'a, T>,
}

faces!(['a, T: ?Sized] RwLockReadGuard<'a, T> => T, |guard| &guard.inner);

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// A guard of a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard { release: this.release, inner: real::RwLockReadGuard::map(this.inner, f) }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        let RwLockReadGuard { release, inner } = this;
        match real::RwLockReadGuard::try_map(inner, f) {
            Ok(inner) => Ok(RwLockReadGuard { release, inner }),
            Err(inner) => Err(RwLockReadGuard { release, inner }),
        }
    }
}

/// Holds a [`RwLock`] for writing.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    release: Release<'a>,
    inner: real::RwLockWriteGuard<'a, T>,
}

faces!(['a, T: ?Sized] RwLockWriteGuard<'a, T> => T, |guard| &guard.inner, |guard| {
    guard.release.changed = true;
    &mut guard.inner
});

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// A guard of a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard {
            release: this.release,
            inner: real::RwLockWriteGuard::map(this.inner, f),
        }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let RwLockWriteGuard { release, inner } = this;
        match real::RwLockWriteGuard::try_map(inner, f) {
            Ok(inner) => Ok(RwLockMappedWriteGuard { release, inner }),
            Err(inner) => Err(RwLockWriteGuard { release, inner }),
        }
    }

    /// A guard of the whole value, of the type of mapped ones.
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard {
            release: this.release,
            inner: real::RwLockWriteGuard::into_mapped(this.inner),
        }
    }

    /// Goes on reading only, without another writer coming between.
    pub fn downgrade(mut self) -> RwLockReadGuard<'a, T> {
        point(self.release.object, Access::Release, self.release.site);
        self.release.downgrade();
        RwLockReadGuard { release: self.release, inner: self.inner.downgrade() }
    }

    /// As [`downgrade`](RwLockWriteGuard::downgrade), with a part of the value.
    pub fn downgrade_map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        point(this.release.object, Access::Release, this.release.site);
        this.release.downgrade();
        RwLockReadGuard {
            release: this.release,
            inner: real::RwLockWriteGuard::downgrade_map(this.inner, f),
        }
    }

    /// As [`downgrade_map`](RwLockWriteGuard::downgrade_map), if `f` gives a part.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        point(this.release.object, Access::Release, this.release.site);
        let RwLockWriteGuard { mut release, inner } = this;
        match real::RwLockWriteGuard::try_downgrade_map(inner, f) {
            Ok(inner) => {
                release.downgrade();
                Ok(RwLockReadGuard { release, inner })
            }
            Err(inner) => Err(RwLockWriteGuard { release, inner }),
        }
    }
}

/// Holds a [`RwLock`] for writing, of whose value it shows a part.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    release: Release<'a>,
    inner: real::RwLockMappedWriteGuard<'a, T>,
}

faces!(['a, T: ?Sized] RwLockMappedWriteGuard<'a, T> => T, |guard| &guard.inner, |guard| {
    guard.release.changed = true;
    &mut guard.inner
});

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    /// A guard of a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard {
            release: this.release,
            inner: real::RwLockMappedWriteGuard::map(this.inner, f),
        }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let RwLockMappedWriteGuard { release, inner } = this;
        match real::RwLockMappedWriteGuard::try_map(inner, f) {
            Ok(inner) => Ok(RwLockMappedWriteGuard { release, inner }),
            Err(inner) => Err(RwLockMappedWriteGuard { release, inner }),
        }
    }
}

/// What is lent: a read guard, a write guard, a write guard of a part.
struct Reading<T: ?Sized, U: ?Sized>(PhantomData<T>, PhantomData<U>);
struct Writing<T: ?Sized, U: ?Sized>(PhantomData<T>, PhantomData<U>);
struct WritingPart<T: ?Sized, U: ?Sized>(PhantomData<T>, PhantomData<U>);

impl<T: ?Sized + 'static, U: ?Sized + 'static> Lend for Reading<T, U> {
    type Owner = RwLock<T>;
    type Guard<'a> = real::RwLockReadGuard<'a, U>;
}

impl<T: ?Sized + 'static, U: ?Sized + 'static> Lend for Writing<T, U> {
    type Owner = RwLock<T>;
    type Guard<'a> = real::RwLockWriteGuard<'a, U>;
}

impl<T: ?Sized + 'static, U: ?Sized + 'static> Lend for WritingPart<T, U> {
    type Owner = RwLock<T>;
    type Guard<'a> = real::RwLockMappedWriteGuard<'a, U>;
}

/// Holds a [`RwLock`] for reading and keeps it alive.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockReadGuard<T: ?Sized + 'static, U: ?Sized + 'static = T> {
    release: OwnedRelease<RwLock<T>>,
    inner: Owned<Reading<T, U>>,
}

faces!([T: ?Sized + 'static, U: ?Sized + 'static] OwnedRwLockReadGuard<T, U> => U,
    |guard| guard.inner.get(|inner| &**inner));

impl<T: ?Sized + 'static, U: ?Sized + 'static> OwnedRwLockReadGuard<T, U> {
    /// A guard of a part of the value.
    pub fn map<F, V: ?Sized + 'static>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        let inner = this.inner.map(|inner, _| real::RwLockReadGuard::map(inner, f));
        OwnedRwLockReadGuard { release: this.release, inner }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<F, V: ?Sized + 'static>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        let OwnedRwLockReadGuard { release, inner } = this;
        match inner.try_map(|inner, _| real::RwLockReadGuard::try_map(inner, f)) {
            Ok(inner) => Ok(OwnedRwLockReadGuard { release, inner }),
            Err(inner) => Err(OwnedRwLockReadGuard { release, inner }),
        }
    }

    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.release.lock
    }
}

/// Holds a [`RwLock`] for writing and keeps it alive.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockWriteGuard<T: ?Sized + 'static> {
    release: OwnedRelease<RwLock<T>>,
    inner: Owned<Writing<T, T>>,
}

faces!([T: ?Sized + 'static] OwnedRwLockWriteGuard<T> => T,
|guard| guard.inner.get(|inner| &**inner), |guard| {
    guard.release.changed = true;
    guard.inner.get_mut(|inner| &mut **inner)
});

impl<T: ?Sized + 'static> OwnedRwLockWriteGuard<T> {
    /// A guard of a part of the value.
    pub fn map<F, U: ?Sized + 'static>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let inner = this.inner.map(|inner, _| real::RwLockWriteGuard::map(inner, f));
        OwnedRwLockMappedWriteGuard { release: this.release, inner }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<F, U: ?Sized + 'static>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        let OwnedRwLockWriteGuard { release, inner } = this;
        match inner.try_map(|inner, _| real::RwLockWriteGuard::try_map(inner, f)) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard { release, inner }),
            Err(inner) => Err(OwnedRwLockWriteGuard { release, inner }),
        }
    }

    /// A guard of the whole value, of the type of mapped ones.
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        let inner = this.inner.map(|inner, _| real::RwLockWriteGuard::into_mapped(inner));
        OwnedRwLockMappedWriteGuard { release: this.release, inner }
    }

    /// Goes on reading only, without another writer coming between.
    pub fn downgrade(mut self) -> OwnedRwLockReadGuard<T> {
        point(&self.release.lock.object, Access::Release, self.release.site);
        self.release.downgrade();
        let inner = self.inner.map(|inner, _| real::RwLockWriteGuard::downgrade(inner));
        OwnedRwLockReadGuard { release: self.release, inner }
    }

    /// As [`downgrade`](OwnedRwLockWriteGuard::downgrade), with a part of the value.
    pub fn downgrade_map<F, U: ?Sized + 'static>(mut this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        point(&this.release.lock.object, Access::Release, this.release.site);
        this.release.downgrade();
        let inner = this.inner.map(|inner, _| real::RwLockWriteGuard::downgrade_map(inner, f));
        OwnedRwLockReadGuard { release: this.release, inner }
    }

    /// As [`downgrade_map`](OwnedRwLockWriteGuard::downgrade_map), if `f` gives a part.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_downgrade_map<F, U: ?Sized + 'static>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        point(&this.release.lock.object, Access::Release, this.release.site);
        let OwnedRwLockWriteGuard { mut release, inner } = this;
        match inner.try_map(|inner, _| real::RwLockWriteGuard::try_downgrade_map(inner, f)) {
            Ok(inner) => {
                release.downgrade();
                Ok(OwnedRwLockReadGuard { release, inner })
            }
            Err(inner) => Err(OwnedRwLockWriteGuard { release, inner }),
        }
    }

    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.release.lock
    }
}

/// Holds a [`RwLock`] for writing and keeps it alive; shows a part of its value.
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized + 'static, U: ?Sized + 'static = T> {
    release: OwnedRelease<RwLock<T>>,
    inner: Owned<WritingPart<T, U>>,
}

faces!([T: ?Sized + 'static, U: ?Sized + 'static] OwnedRwLockMappedWriteGuard<T, U> => U,
|guard| guard.inner.get(|inner| &**inner), |guard| {
    guard.release.changed = true;
    guard.inner.get_mut(|inner| &mut **inner)
});

impl<T: ?Sized + 'static, U: ?Sized + 'static> OwnedRwLockMappedWriteGuard<T, U> {
    /// A guard of a part of the value.
    pub fn map<F, V: ?Sized + 'static>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        let inner = this.inner.map(|inner, _| real::RwLockMappedWriteGuard::map(inner, f));
        OwnedRwLockMappedWriteGuard { release: this.release, inner }
    }

    /// A guard of a part of the value, if `f` gives one.
    ///
    /// # Errors
    ///
    /// This guard, if it does not.
    pub fn try_map<F, V: ?Sized + 'static>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        let OwnedRwLockMappedWriteGuard { release, inner } = this;
        match inner.try_map(|inner, _| real::RwLockMappedWriteGuard::try_map(inner, f)) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard { release, inner }),
            Err(inner) => Err(OwnedRwLockMappedWriteGuard { release, inner }),
        }
    }

    /// The lock.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.release.lock
    }
}
