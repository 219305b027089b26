//! Permits that limit how many may do something at once.

use super::{AcquireError, TryAcquireError, charge::charged_ok, guard::transparent};
use crate::{
    hold::{Share, Taker},
    point::{Access, Object, Site, point},
    runtime::block_on_here,
};
use std::{fmt, future::Future, panic::Location, sync::Arc};
use tokio::sync as real;

/// A number of permits, given out in the order in which they are asked for.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let calls = sim::sync::Semaphore::new(10);
/// let permit = calls.acquire().await.unwrap();
/// assert_eq!(calls.available_permits(), 9);
/// drop(permit);
/// assert_eq!(calls.available_permits(), 10);
/// # });
/// ```
pub struct Semaphore {
    object: Object,
    inner: real::Semaphore,
}

crate::faces::nameable!([] Semaphore, |this| this.object);

transparent!([] Semaphore);

impl Semaphore {
    /// The most permits a semaphore can have.
    pub const MAX_PERMITS: usize = real::Semaphore::MAX_PERMITS;

    /// A semaphore of so many permits.
    ///
    /// # Panics
    ///
    /// Panics above [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    #[track_caller]
    pub fn new(permits: usize) -> Semaphore {
        Semaphore { object: Object::made(Location::caller()), inner: real::Semaphore::new(permits) }
    }

    /// A semaphore, for statics.
    ///
    /// # Panics
    ///
    /// Panics above [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    #[track_caller]
    pub const fn const_new(permits: usize) -> Semaphore {
        Semaphore {
            object: Object::new(Location::caller()),
            inner: real::Semaphore::const_new(permits),
        }
    }

    /// The permits that nobody holds.
    #[track_caller]
    pub fn available_permits(&self) -> usize {
        point(&self.object, Access::Read, Location::caller());
        self.inner.available_permits()
    }

    /// Adds permits.
    ///
    /// # Panics
    ///
    /// Panics above [`MAX_PERMITS`](Semaphore::MAX_PERMITS).
    #[track_caller]
    pub fn add_permits(&self, n: usize) {
        point(&self.object, Access::Release, Location::caller());
        self.object.grow();
        self.inner.add_permits(n);
    }

    /// Takes away at most `n` permits that nobody holds; gives how many.
    #[track_caller]
    pub fn forget_permits(&self, n: usize) -> usize {
        point(&self.object, Access::Acquire, Location::caller());
        self.object.grow();
        self.inner.forget_permits(n)
    }

    /// Waits for a permit. Cancel safe, but the place in the queue is lost.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_at(1, Location::caller())
    }

    /// Waits for `n` permits.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    #[track_caller]
    pub fn acquire_many(
        &self,
        n: u32,
    ) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_at(n, Location::caller())
    }

    async fn acquire_at(
        &self,
        permits: u32,
        site: Site,
    ) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.take(permits, site).await?;
        let taker = self.object.hold(Share::Permits(permits), site);
        Ok(SemaphorePermit { semaphore: self, permits: permits as usize, site, taker })
    }

    async fn take(&self, permits: u32, site: Site) -> Result<(), AcquireError> {
        point(&self.object, Access::Acquire, site);
        let share = Share::Permits(permits);
        let acquire = self.object.waiting(share, site, self.inner.acquire_many(permits));
        charged_ok(acquire).await.map(real::SemaphorePermit::forget)
    }

    fn try_take(&self, permits: u32, site: Site) -> Result<(), TryAcquireError> {
        point(&self.object, Access::Acquire, site);
        self.inner.try_acquire_many(permits).map(real::SemaphorePermit::forget)
    }

    /// Takes a permit if one is free.
    ///
    /// # Errors
    ///
    /// Fails if none is, or if the semaphore is closed.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Takes `n` permits if so many are free.
    ///
    /// # Errors
    ///
    /// Fails if they are not, or if the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        let site = Location::caller();
        self.try_take(n, site)?;
        let taker = self.object.hold(Share::Permits(n), site);
        Ok(SemaphorePermit { semaphore: self, permits: n as usize, site, taker })
    }

    /// As [`acquire`](Semaphore::acquire), on a thread.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on_here(self.acquire())
    }

    /// As [`acquire_many`](Semaphore::acquire_many), on a thread.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on_here(self.acquire_many(n))
    }

    /// As [`acquire`](Semaphore::acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    #[track_caller]
    pub fn acquire_owned(
        self: Arc<Self>,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// As [`acquire_many`](Semaphore::acquire_many), with permits that keep the semaphore alive.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let site = Location::caller();
        async move {
            self.take(n, site).await?;
            let taker = self.object.hold_owned(Share::Permits(n), site);
            Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize, site, taker })
        }
    }

    /// As [`try_acquire`](Semaphore::try_acquire), with a permit that keeps the semaphore alive.
    ///
    /// # Errors
    ///
    /// Fails if none is free, or if the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// As [`try_acquire_many`](Semaphore::try_acquire_many), with permits that keep the semaphore alive.
    ///
    /// # Errors
    ///
    /// Fails if so many are not free, or if the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let site = Location::caller();
        self.try_take(n, site)?;
        let taker = self.object.hold_owned(Share::Permits(n), site);
        Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize, site, taker })
    }

    /// As [`acquire_owned`](Semaphore::acquire_owned), on a thread.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on_here(self.acquire_owned())
    }

    /// As [`acquire_many_owned`](Semaphore::acquire_many_owned), on a thread.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on_here(self.acquire_many_owned(n))
    }

    /// Closes the semaphore: those that wait for a permit fail.
    #[track_caller]
    pub fn close(&self) {
        point(&self.object, Access::Close, Location::caller());
        self.inner.close();
    }

    /// Whether the semaphore is closed.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        point(&self.object, Access::Read, Location::caller());
        self.inner.is_closed()
    }
}

/// Permits as they are counted; more than fit are not told apart.
fn units(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(u32::MAX)
}

/// What both kinds of permits do.
macro_rules! permit {
    ([$($lifetime:lifetime)?] $permit:ty, $name:literal, $semaphore:ty, $clone:expr, $same:expr, $owned:expr) => {
        impl<$($lifetime)?> $permit {
            /// Keeps the permits from the semaphore for ever.
            pub fn forget(mut self) {
                let permits = units(std::mem::take(&mut self.permits));
                self.semaphore.object.forget(self.taker, self.site, permits);
            }

            /// Takes over the permits of `other`.
            ///
            /// # Panics
            ///
            /// Panics if they are of another semaphore.
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                let same: fn(&Self, &Self) -> bool = $same;
                assert!(same(self, &other), "merging permits from different semaphore instances");
                let taken_over = std::mem::take(&mut other.permits);
                self.permits += taken_over;
                let object = &self.semaphore.object;
                object.give_back(other.taker, other.site, units(taken_over));
                let share = Share::Permits(units(taken_over));
                object.hold_as(self.taker, share, self.site, $owned);
            }

            /// Splits `n` permits off, if there are so many.
            pub fn split(&mut self, n: usize) -> Option<Self> {
                self.permits = self.permits.checked_sub(n)?;
                let clone: fn(&Self) -> $semaphore = $clone;
                let (semaphore, site, taker) = (clone(self), self.site, self.taker);
                Some(Self { semaphore, permits: n, site, taker })
            }

            /// How many permits are held.
            pub fn num_permits(&self) -> usize {
                self.permits
            }
        }

        impl<$($lifetime)?> fmt::Debug for $permit {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name)
                    .field("sem", &self.semaphore)
                    .field("permits", &self.permits)
                    .finish()
            }
        }

        impl<$($lifetime)?> Drop for $permit {
            fn drop(&mut self) {
                if self.permits > 0 {
                    point(&self.semaphore.object, Access::Release, self.site);
                    self.semaphore.object.give_back(self.taker, self.site, units(self.permits));
                    self.semaphore.inner.add_permits(self.permits);
                }
            }
        }
    };
}

/// Holds permits of a [`Semaphore`].
#[must_use]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
    site: Site,
    taker: Taker,
}

permit!(['a] SemaphorePermit<'a>, "SemaphorePermit", &'a Semaphore, |this| this.semaphore,
    |one, other| std::ptr::eq(one.semaphore, other.semaphore), false);

impl SemaphorePermit<'_> {
    /// The semaphore.
    pub fn semaphore(&self) -> &Semaphore {
        self.semaphore
    }
}

/// Holds permits of a [`Semaphore`] and keeps it alive.
#[must_use]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
    site: Site,
    taker: Taker,
}

permit!([] OwnedSemaphorePermit, "OwnedSemaphorePermit", Arc<Semaphore>, |this| this.semaphore.clone(),
    |one, other| Arc::ptr_eq(&one.semaphore, &other.semaphore), true);

impl OwnedSemaphorePermit {
    /// The semaphore.
    pub fn semaphore(&self) -> &Arc<Semaphore> {
        &self.semaphore
    }
}
