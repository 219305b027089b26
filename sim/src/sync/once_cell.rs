//! A value that is set once, by whoever comes first.

use super::{SetError, charge::charged_ok, guard::cell_faces};
use crate::{
    hold::{Share, Taker},
    point::{Access, Object, Site, point},
};
use std::{convert::Infallible, future::Future, panic::Location};
use tokio::sync as real;

/// A cell that is initialised once, by a future if need be.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// static CONFIG: sim::sync::OnceCell<u32> = sim::sync::OnceCell::const_new();
/// assert_eq!(CONFIG.get_or_init(|| async { 7 }).await, &7);
/// # });
/// ```
pub struct OnceCell<T> {
    object: Object,
    /// One permit, for who makes the value; closed once it is set. tokio's cell has one within, but
    /// there its wait could not be charged apart from the making.
    turn: real::Semaphore,
    inner: real::OnceCell<T>,
}

crate::faces::nameable!([T] OnceCell<T>, |this| this.object);

impl<T> OnceCell<T> {
    const fn around(inner: real::OnceCell<T>, site: Site) -> OnceCell<T> {
        OnceCell { object: Object::new(site), turn: real::Semaphore::const_new(1), inner }
    }

    /// An empty cell.
    #[track_caller]
    pub fn new() -> OnceCell<T> {
        OnceCell::around(real::OnceCell::new(), Location::caller())
    }

    /// An empty cell, for statics.
    #[track_caller]
    pub const fn const_new() -> OnceCell<T> {
        OnceCell::around(real::OnceCell::const_new(), Location::caller())
    }

    /// A cell with that value, if any.
    #[track_caller]
    pub fn new_with(value: Option<T>) -> OnceCell<T> {
        OnceCell::around(real::OnceCell::new_with(value), Location::caller())
    }

    /// A cell with that value, for statics.
    #[track_caller]
    pub const fn const_new_with(value: T) -> OnceCell<T> {
        OnceCell::around(real::OnceCell::const_new_with(value), Location::caller())
    }

    /// Whether the value is set.
    #[track_caller]
    pub fn initialized(&self) -> bool {
        point(&self.object, Access::Read, Location::caller());
        self.inner.initialized()
    }

    /// The value, if it is set.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        point(&self.object, Access::Read, Location::caller());
        self.inner.get()
    }

    /// The value, if it is set.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Sets the value.
    ///
    /// # Errors
    ///
    /// Fails, with the value, if it is set or being set.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        point(&self.object, Access::Write, Location::caller());
        if self.inner.initialized() {
            return Err(SetError::AlreadyInitializedError(value));
        }
        match self.turn.try_acquire() {
            Ok(turn) => self.fill(value, turn),
            Err(_) => return Err(SetError::InitializingError(value)),
        }
        Ok(())
    }

    /// The value; `f` makes it if it is not set, once even if many ask. If the future is cancelled
    /// or panics, the next that asks makes it.
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let site = Location::caller();
        async move {
            match self.get_or_make(async || Ok::<_, Infallible>(f().await), site).await {
                Ok(value) => value,
                Err(never) => match never {},
            }
        }
    }

    /// As [`get_or_init`](OnceCell::get_or_init), with a future that may fail.
    ///
    /// # Errors
    ///
    /// The future's.
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        self.get_or_make(f, Location::caller())
    }

    async fn get_or_make<E, F, Fut>(&self, f: F, site: Site) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if self.inner.initialized() {
            point(&self.object, Access::Read, site);
        } else {
            point(&self.object, Access::Write, site);
            self.make(f, site).await?;
        }
        Ok(self.inner.get().expect("it is set, and was not taken"))
    }

    /// Waits for its turn and makes the value, unless another has.
    async fn make<E, F, Fut>(&self, f: F, site: Site) -> Result<(), E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if self.inner.initialized() {
            return Ok(());
        }
        let acquire = self.object.waiting(Share::Whole, site, self.turn.acquire());
        let Ok(turn) = charged_ok(acquire).await else {
            return Ok(());
        };
        let _turn =
            Turn { object: &self.object, taker: self.object.hold(Share::Whole, site), site };
        let value = f().await?;
        point(&self.object, Access::Write, site);
        self.fill(value, turn);
        Ok(())
    }

    /// Sets the value, and lets all go on that wait for their turn.
    fn fill(&self, value: T, turn: real::SemaphorePermit<'_>) {
        let set = self.inner.set(value);
        assert!(set.is_ok(), "only who has the turn sets the value");
        self.turn.close();
        turn.forget();
    }

    /// The value, if it is set.
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out; the cell is empty again.
    pub fn take(&mut self) -> Option<T> {
        self.turn = real::Semaphore::new(1);
        self.inner.take()
    }
}

/// Whose turn it is to make the value, for those who are told who waits for whom.
struct Turn<'a> {
    object: &'a Object,
    taker: Taker,
    site: Site,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.object.give_back(self.taker, self.site, 1);
    }
}

cell_faces!(OnceCell);
