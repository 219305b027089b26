//! Values that belong to a task, not to the thread.

use pin_project::{pin_project, pinned_drop};
use std::{
    any::Any,
    cell::RefCell,
    fmt,
    future::Future,
    marker::PhantomPinned,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    thread,
};

thread_local! {
    /// The values that the running task is in the scope of, innermost last. They are swapped when
    /// another task runs in the middle of a poll.
    static VALUES: RefCell<Vec<(usize, Rc<dyn Any>)>> = const { RefCell::new(Vec::new()) };
}

/// Values in scope, by the addresses of their keys, which are only compared.
pub(crate) type Values = Vec<(usize, Rc<dyn Any>)>;

/// Replaces all values, and gives the former ones.
pub(crate) fn swap(values: Values) -> Values {
    VALUES.try_with(|current| current.replace(values)).unwrap_or_default()
}

/// Takes all values, if there are any.
#[inline]
pub(crate) fn take() -> Option<Values> {
    let take = |values: &RefCell<Values>| match values.borrow().is_empty() {
        true => None,
        false => Some(()),
    };
    VALUES.try_with(take).ok().flatten().map(|()| swap(Vec::new()))
}

/// Declares task-local keys: each is a [`LocalKey`] with the methods of tokio's.
///
/// ```
/// sim::task_local! {
///     static REQUEST: u32;
/// }
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// REQUEST.scope(7, async { assert_eq!(REQUEST.get(), 7) }).await;
/// assert!(REQUEST.try_with(|_| ()).is_err());
/// # });
/// ```
#[macro_export]
macro_rules! task_local {
    () => {};
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty; $($rest:tt)*) => {
        $crate::task_local!($(#[$attribute])* $vis static $name: $type);
        $crate::task_local!($($rest)*);
    };
    ($(#[$attribute:meta])* $vis:vis static $name:ident: $type:ty) => {
        $(#[$attribute])*
        $vis static $name: $crate::task::LocalKey<$type> = $crate::task::LocalKey::__new();
    };
}

/// The key of a task-local value; made by [`task_local!`](crate::task_local).
pub struct LocalKey<T: 'static> {
    // Something of a size, so that two keys have two addresses.
    _own: u8,
    _value: std::marker::PhantomData<fn() -> T>,
}

impl<T: 'static> LocalKey<T> {
    #[doc(hidden)]
    #[allow(clippy::new_without_default)]
    pub const fn __new() -> LocalKey<T> {
        LocalKey { _own: 0, _value: std::marker::PhantomData }
    }

    fn address(&'static self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// `future` with the value set whenever it is polled.
    pub fn scope<F: Future>(&'static self, value: T, future: F) -> TaskLocalFuture<T, F> {
        TaskLocalFuture {
            key: self,
            value: Some(value),
            future: Some(future),
            pinned: PhantomPinned,
        }
    }

    /// Runs `f` with the value set.
    ///
    /// # Panics
    ///
    /// Panics if the key is in use in a way that cannot be put aside, as tokio does.
    #[track_caller]
    pub fn sync_scope<F: FnOnce() -> R, R>(&'static self, value: T, f: F) -> R {
        let mut value = Some(value);
        self.enter(&mut value, f)
    }

    fn find(&'static self) -> Option<Rc<dyn Any>> {
        let find = |values: &RefCell<Values>| {
            let values = values.borrow();
            values.iter().rev().find(|value| value.0 == self.address()).map(|value| value.1.clone())
        };
        VALUES.try_with(find).ok().flatten()
    }

    fn is_borrowed(&'static self) -> bool {
        let found = self.find();
        let cell = found.as_ref().and_then(|found| found.downcast_ref::<RefCell<Option<T>>>());
        cell.is_some_and(|cell| cell.try_borrow_mut().is_err())
    }

    /// Sets the value while `f` runs, and takes it back.
    #[track_caller]
    fn enter<R>(&'static self, value: &mut Option<T>, f: impl FnOnce() -> R) -> R {
        assert!(
            !self.is_borrowed(),
            "cannot enter a task-local scope while the task-local storage is borrowed"
        );
        let cell = Rc::new(RefCell::new(value.take()));
        VALUES.with_borrow_mut(|values| values.push((self.address(), cell.clone())));
        let _leave = Leave { cell, value, address: self.address() };
        f()
    }

    /// Runs `f` with the value.
    ///
    /// # Panics
    ///
    /// Panics if no value is set in this task.
    #[track_caller]
    pub fn with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> R {
        match self.try_with(f) {
            Ok(result) => result,
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs `f` with the value, if one is set in this task.
    pub fn try_with<F: FnOnce(&T) -> R, R>(&'static self, f: F) -> Result<R, AccessError> {
        let found = self.find().ok_or(AccessError(()))?;
        let cell = found.downcast_ref::<RefCell<Option<T>>>().ok_or(AccessError(()))?;
        let value = cell.borrow();
        value.as_ref().map(f).ok_or(AccessError(()))
    }

    /// A copy of the value.
    ///
    /// # Panics
    ///
    /// Panics if no value is set in this task.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Clone,
    {
        self.with(T::clone)
    }

    /// A copy of the value, if one is set in this task.
    pub fn try_get(&'static self) -> Result<T, AccessError>
    where
        T: Clone,
    {
        self.try_with(T::clone)
    }
}

impl<T> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad("LocalKey { .. }")
    }
}

/// Takes the value out of the scope again, also when the poll panics.
struct Leave<'a, T: 'static> {
    cell: Rc<RefCell<Option<T>>>,
    value: &'a mut Option<T>,
    address: usize,
}

impl<T: 'static> Drop for Leave<'_, T> {
    fn drop(&mut self) {
        let _ = VALUES.try_with(|values| {
            let mut values = values.borrow_mut();
            if let Some(at) = values.iter().rposition(|value| value.0 == self.address) {
                values.remove(at);
            }
        });
        *self.value = self.cell.take();
    }
}

/// A future with a task-local value; made by [`LocalKey::scope`].
#[pin_project(PinnedDrop)]
pub struct TaskLocalFuture<T: 'static, F> {
    key: &'static LocalKey<T>,
    value: Option<T>,
    #[pin]
    future: Option<F>,
    #[pin]
    pinned: PhantomPinned,
}

impl<T: 'static, F> TaskLocalFuture<T, F> {
    /// The value, with the future as it stands.
    pub fn take_value(self: Pin<&mut Self>) -> Option<T> {
        self.project().value.take()
    }
}

impl<T: 'static, F: Future> Future for TaskLocalFuture<T, F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let poll = this.key.enter(this.value, || {
            let poll = this.future.as_mut().as_pin_mut().map(|future| future.poll(cx));
            if let Some(Poll::Ready(_)) = poll {
                // Its destructor sees the value, too.
                this.future.set(None);
            }
            poll
        });
        match poll {
            Some(poll) => poll,
            None => panic!("`TaskLocalFuture` polled after completion"),
        }
    }
}

#[pinned_drop]
impl<T: 'static, F> PinnedDrop for TaskLocalFuture<T, F> {
    fn drop(self: Pin<&mut Self>) {
        // The value is there for the future's destructor, too.
        let mut this = self.project();
        if this.future.is_some() && !thread::panicking() {
            this.key.enter(this.value, || this.future.set(None));
        }
    }
}

impl<T: 'static + fmt::Debug, F> fmt::Debug for TaskLocalFuture<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocalFuture").field("value", &self.value).finish()
    }
}

/// No value is set in this task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AccessError(());

impl fmt::Debug for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessError").finish()
    }
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("task-local value not set")
    }
}

impl std::error::Error for AccessError {}
