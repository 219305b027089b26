//! A guard beside the `Arc` that it borrows from.
//!
//! tokio's locks give owned guards, which keep their lock alive. `sim` wraps tokio's locks in its own,
//! so that its owned guards have to hold an `Arc` of the wrapper and a guard that borrows from what is
//! within: a structure that safe Rust cannot write.

use std::{future::Future, marker::PhantomData, mem::ManuallyDrop, ptr, sync::Arc};

/// What is lent: the owner, and the guard that borrows from it.
pub trait Lend {
    /// What is borrowed from.
    type Owner: ?Sized + 'static;
    /// What borrows.
    type Guard<'a>;
}

/// A loan that takes time, such as a lock that has to be waited for.
pub trait LendLater: Lend {
    /// Waits for the guard.
    fn acquire(owner: &Self::Owner) -> impl Future<Output = Self::Guard<'_>>;
}

/// Names the lifetime of a guard where the compiler asks for it.
pub struct Within<'a>(PhantomData<&'a ()>);

/// A guard, and the `Arc` that keeps alive what it borrows from.
pub struct Owned<L: Lend> {
    // Dropped before the owner.
    guard: ManuallyDrop<L::Guard<'static>>,
    owner: ManuallyDrop<Arc<L::Owner>>,
}

impl<L: Lend> Owned<L> {
    /// Borrows from `owner` at once.
    ///
    /// # Errors
    ///
    /// The error of `borrow`.
    pub fn lend<E>(
        owner: Arc<L::Owner>,
        borrow: impl for<'a> FnOnce(&'a L::Owner) -> Result<L::Guard<'a>, E>,
    ) -> Result<Owned<L>, E> {
        // SAFETY: see `forever`: the guard goes into an `Owned` with the `Arc`.
        let guard = borrow(unsafe { forever(&owner) })?;
        Ok(Owned::from_parts(guard, owner))
    }

    /// Waits for the guard.
    pub async fn lend_later(owner: Arc<L::Owner>) -> Owned<L>
    where
        L: LendLater,
    {
        // SAFETY: see `forever`: the future that borrows is dropped in this call, before `owner`
        // is; the guard goes into an `Owned` with the `Arc`.
        let guard = L::acquire(unsafe { forever(&owner) }).await;
        Owned::from_parts(guard, owner)
    }

    fn from_parts(guard: L::Guard<'static>, owner: Arc<L::Owner>) -> Owned<L> {
        Owned { guard: ManuallyDrop::new(guard), owner: ManuallyDrop::new(owner) }
    }

    fn into_parts(self) -> (L::Guard<'static>, Arc<L::Owner>) {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is neither dropped nor used again, so that each is taken once.
        unsafe { (ManuallyDrop::take(&mut this.guard), ManuallyDrop::take(&mut this.owner)) }
    }

    /// The owner.
    pub fn owner(&self) -> &Arc<L::Owner> {
        &self.owner
    }

    /// Looks at what the guard guards. The guard's own lifetime is unknown to `f`, so that nothing
    /// of it gets out.
    #[inline]
    pub fn get<'s, R: ?Sized>(
        &'s self,
        f: impl for<'a> FnOnce(&'s L::Guard<'a>) -> &'s R,
    ) -> &'s R {
        f(&self.guard)
    }

    /// As [`get`](Owned::get), to change it.
    #[inline]
    pub fn get_mut<'s, R: ?Sized>(
        &'s mut self,
        f: impl for<'a> FnOnce(&'s mut L::Guard<'a>) -> &'s mut R,
    ) -> &'s mut R {
        f(&mut self.guard)
    }

    /// Uses the guard.
    #[inline]
    pub fn with_mut<R>(&mut self, f: impl for<'a> FnOnce(&mut L::Guard<'a>) -> R) -> R {
        f(&mut self.guard)
    }

    /// Makes another guard of the same owner of this one.
    pub fn map<M>(
        self,
        f: impl for<'a> FnOnce(L::Guard<'a>, Within<'a>) -> M::Guard<'a>,
    ) -> Owned<M>
    where
        M: Lend<Owner = L::Owner>,
    {
        let (guard, owner) = self.into_parts();
        Owned::from_parts(f(guard, Within(PhantomData)), owner)
    }

    /// As [`map`](Owned::map), if `f` can.
    ///
    /// # Errors
    ///
    /// This guard, if `f` gives it back.
    pub fn try_map<M>(
        self,
        f: impl for<'a> FnOnce(L::Guard<'a>, Within<'a>) -> Result<M::Guard<'a>, L::Guard<'a>>,
    ) -> Result<Owned<M>, Owned<L>>
    where
        M: Lend<Owner = L::Owner>,
    {
        let (guard, owner) = self.into_parts();
        match f(guard, Within(PhantomData)) {
            Ok(guard) => Ok(Owned::from_parts(guard, owner)),
            Err(guard) => Err(Owned::from_parts(guard, owner)),
        }
    }
}

/// A reference that outlives `owner` as far as the compiler knows.
///
/// # Safety
///
/// What borrows from it has to be dropped before the last `Arc` that the caller holds is. The
/// value itself does not move: it lies in the `Arc`'s allocation.
unsafe fn forever<T: ?Sized>(owner: &Arc<T>) -> &'static T {
    // SAFETY: the pointer is valid while the `Arc` is held, which the caller promises.
    unsafe { &*ptr::from_ref(&**owner) }
}

impl<L: Lend> Drop for Owned<L> {
    fn drop(&mut self) {
        // SAFETY: each is dropped once, here, and the guard before what it borrows from.
        unsafe {
            ManuallyDrop::drop(&mut self.guard);
            ManuallyDrop::drop(&mut self.owner);
        }
    }
}
