//! Values that each thread has its own of.

use crate::{context, point::Object};
use std::{
    cell::{Cell, RefCell},
    fmt,
    panic::Location,
    rc::Rc,
};

/// Declares values that each thread has its own of, as [`std::thread_local!`].
///
/// ```
/// use sim::std::{thread, thread_local};
/// use std::cell::Cell;
///
/// thread_local! {
///     static CALLS: Cell<u32> = const { Cell::new(0) };
/// }
///
/// CALLS.set(3);
/// thread::spawn(|| assert_eq!(CALLS.get(), 0)).join().unwrap();
/// ```
#[doc(hidden)]
#[macro_export]
macro_rules! __std_thread_local {
    () => {};
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = const $init:block $(; $($rest:tt)*)?) => {
        $crate::__std_thread_local! { @one [$(#[$attribute])*] [$visibility] $name $type, $init }
        $($crate::__std_thread_local! { $($rest)* })?
    };
    ($(#[$attribute:meta])* $visibility:vis static $name:ident: $type:ty = $init:expr $(; $($rest:tt)*)?) => {
        $crate::__std_thread_local! { @one [$(#[$attribute])*] [$visibility] $name $type, $init }
        $($crate::__std_thread_local! { $($rest)* })?
    };
    (@one [$($attribute:tt)*] [$visibility:vis] $name:ident $type:ty, $init:expr) => {
        $($attribute)*
        $visibility static $name: $crate::std::thread::LocalKey<$type> = {
            fn init() -> $type {
                $init
            }
            ::std::thread_local! {
                static REAL: ::std::rc::Rc<$type> = ::std::rc::Rc::new(init());
            }
            $crate::std::thread::LocalKey::__new(init, &REAL)
        };
    };
}

/// The name of values that each thread has its own of; made by [`thread_local!`](crate::std::thread_local).
pub struct LocalKey<T: 'static> {
    key: Object,
    init: fn() -> T,
    /// Those of real threads.
    real: &'static std::thread::LocalKey<Rc<T>>,
}

impl<T: 'static> LocalKey<T> {
    /// What the macro expands to.
    #[doc(hidden)]
    #[track_caller]
    pub const fn __new(
        init: fn() -> T,
        real: &'static std::thread::LocalKey<Rc<T>>,
    ) -> LocalKey<T> {
        LocalKey { key: Object::new(Location::caller()), init, real }
    }

    /// Calls `f` with the current thread's value, which is made at the first use.
    ///
    /// # Panics
    ///
    /// Panics if the value has been destroyed: the thread ends.
    #[track_caller]
    pub fn with<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.try_with(f)
            .expect("cannot access a Thread Local Storage value during or after destruction")
    }

    /// As [`with`](LocalKey::with).
    ///
    /// # Errors
    ///
    /// If the value has been destroyed: the thread ends.
    pub fn try_with<F, R>(&'static self, f: F) -> Result<R, AccessError>
    where
        F: FnOnce(&T) -> R,
    {
        let value = match context::world().filter(|_| context::is_driving()) {
            Some(world) => {
                world.thread_local(self.key.number_in(&world), self.init).ok_or(AccessError)
            }
            None => self.real.try_with(Rc::clone).map_err(|_| AccessError),
        };
        value.map(|value| f(&value))
    }
}

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the value.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    /// The value.
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// The value, for which the default is left.
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// Sets the value; gives the former one.
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with the value borrowed.
    ///
    /// # Panics
    ///
    /// Panics if the value is mutably borrowed.
    #[track_caller]
    pub fn with_borrow<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&T) -> R,
    {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with the value mutably borrowed.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed.
    #[track_caller]
    pub fn with_borrow_mut<F, R>(&'static self, f: F) -> R
    where
        F: FnOnce(&mut T) -> R,
    {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the value.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed.
    #[track_caller]
    pub fn set(&'static self, value: T) {
        self.with(|cell| *cell.borrow_mut() = value);
    }

    /// The value, for which the default is left.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed.
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// Sets the value; gives the former one.
    ///
    /// # Panics
    ///
    /// Panics if the value is borrowed.
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> fmt::Debug for LocalKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalKey").finish_non_exhaustive()
    }
}

/// The value of a thread-local has been destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccessError;

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("already destroyed")
    }
}

impl std::error::Error for AccessError {}
