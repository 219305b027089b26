//! A value that is set once, and that can be waited for.

use super::{SetOnceError, guard::cell_faces};
use crate::point::{Access, Object, point};
use std::{future::Future, panic::Location};
use tokio::sync as real;

/// A cell that is set once; [`wait`](SetOnce::wait) waits until it is.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let ready = std::sync::Arc::new(sim::sync::SetOnce::new());
/// let waiter = sim::spawn({ let ready = ready.clone(); async move { *ready.wait().await } });
/// ready.set(3).unwrap();
/// assert_eq!(waiter.await.unwrap(), 3);
/// # });
/// ```
pub struct SetOnce<T> {
    object: Object,
    inner: real::SetOnce<T>,
}

crate::faces::nameable!([T] SetOnce<T>, |this| this.object);

impl<T> SetOnce<T> {
    /// An empty cell.
    #[track_caller]
    pub fn new() -> SetOnce<T> {
        SetOnce { object: Object::made(Location::caller()), inner: real::SetOnce::new() }
    }

    /// An empty cell, for statics.
    #[track_caller]
    pub const fn const_new() -> SetOnce<T> {
        SetOnce { object: Object::new(Location::caller()), inner: real::SetOnce::const_new() }
    }

    /// A cell with that value, if any.
    #[track_caller]
    pub fn new_with(value: Option<T>) -> SetOnce<T> {
        SetOnce { object: Object::made(Location::caller()), inner: real::SetOnce::new_with(value) }
    }

    /// A cell with that value, for statics.
    #[track_caller]
    pub const fn const_new_with(value: T) -> SetOnce<T> {
        SetOnce {
            object: Object::new(Location::caller()),
            inner: real::SetOnce::const_new_with(value),
        }
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

    /// Sets the value and wakes all that wait for it.
    ///
    /// # Errors
    ///
    /// Fails, with the value, if it is set.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        point(&self.object, Access::Write, Location::caller());
        self.inner.set(value)
    }

    /// The value, if it is set.
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Waits until the value is set. Cancel safe.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = &T> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Wait, site);
            self.inner.wait().await
        }
    }
}

cell_faces!(SetOnce);
