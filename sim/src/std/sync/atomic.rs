//! Atomic types with std's names: every operation is a scheduling point.
//!
//! # Limits
//!
//! Operations take place one after the other, as if all were `SeqCst`: what only weaker orders allow is
//! not shown. But a weak order orders nothing for [`cell::Shared`](crate::std::cell::Shared): data that is
//! published by way of a `Relaxed` flag is reported as a data race.

use crate::{
    context,
    point::{Access, Object, Op, Site, point_alone},
    world::Atomic,
};
use std::{fmt, panic::Location, sync::atomic as real};

pub use std::sync::atomic::{Ordering, compiler_fence};

/// A fence between operations, as [`std::sync::atomic::fence`].
///
/// # Panics
///
/// Panics if the order is `Relaxed`.
#[track_caller]
pub fn fence(order: Ordering) {
    point_alone(Access::Yield, Location::caller(), None);
    real::fence(order);
    context::ordering(|world| world.order_fence(order));
}

/// An operation on `object` is about to take place.
#[inline]
fn announce(object: &Object, access: Access, site: Site) {
    context::point_apart(|world| Op {
        object: object.number_in(world),
        access,
        site,
        origin: Some(object.site()),
    });
}

/// It has taken place: its order says whom it orders.
#[inline]
fn done(object: &Object, kind: Atomic, order: Ordering) {
    context::ordering(|world| world.order_atomic(object.number_in(world), kind, order));
}

/// The operations that all atomic types have.
macro_rules! atomic {
    ([$($generic:tt)*] $name:ident $(<$parameter:ident>)?, $value:ty, $inner:ty, $doc:literal) => {
        #[doc = $doc]
        pub struct $name $(<$parameter>)? {
            object: Object,
            inner: $inner,
        }

        impl $($generic)* $name $(<$parameter>)? {
            /// With this value.
            #[track_caller]
            pub const fn new(value: $value) -> Self {
                Self { object: Object::new(Location::caller()), inner: <$inner>::new(value) }
            }

            /// The value, of an atomic that nobody else can reach.
            pub fn get_mut(&mut self) -> &mut $value {
                self.inner.get_mut()
            }

            /// Where the value lies. What is done by way of the pointer is not seen.
            pub const fn as_ptr(&self) -> *mut $value {
                self.inner.as_ptr()
            }

            /// The value.
            pub const fn into_inner(self) -> $value {
                self.inner.into_inner()
            }

            /// The value now.
            ///
            /// # Panics
            ///
            /// Panics if the order is `Release` or `AcqRel`.
            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                announce(&self.object, Access::Read, Location::caller());
                let value = self.inner.load(order);
                done(&self.object, Atomic::Load, order);
                value
            }

            /// Sets the value.
            ///
            /// # Panics
            ///
            /// Panics if the order is `Acquire` or `AcqRel`.
            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                announce(&self.object, Access::Write, Location::caller());
                self.inner.store(value, order);
                done(&self.object, Atomic::Store, order);
            }

            /// Sets the value; gives the former one.
            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.change(order, Location::caller(), |inner| inner.swap(value, order))
            }

            /// Sets the value to `new` if it is `current`; gives the former one.
            ///
            /// # Errors
            ///
            /// With the value, if it is another.
            ///
            /// # Panics
            ///
            /// Panics if `failure` is `Release` or `AcqRel`.
            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                announce(&self.object, Access::Write, Location::caller());
                let result = self.inner.compare_exchange(current, new, success, failure);
                match result {
                    Ok(_) => done(&self.object, Atomic::Change, success),
                    Err(_) => done(&self.object, Atomic::Load, failure),
                }
                result
            }

            /// As [`compare_exchange`](Self::compare_exchange), which real machines let fail for nothing now
            /// and then; here it does not.
            ///
            /// # Errors
            ///
            /// With the value, if it is another.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            /// Sets the value to what `f` makes of it, by a loop of `compare_exchange_weak`; gives the
            /// former one.
            ///
            /// # Errors
            ///
            /// With the value, if `f` gives `None`.
            #[track_caller]
            pub fn fetch_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut former = self.load(fetch);
                while let Some(new) = f(former) {
                    match self.compare_exchange_weak(former, new, set, fetch) {
                        Err(now) => former = now,
                        done => return done,
                    }
                }
                Err(former)
            }

            /// As [`fetch_update`](Self::fetch_update).
            ///
            /// # Errors
            ///
            /// With the value, if `f` gives `None`.
            #[track_caller]
            pub fn try_update(
                &self,
                set: Ordering,
                fetch: Ordering,
                f: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                self.fetch_update(set, fetch, f)
            }

            /// As [`try_update`](Self::try_update), with an `f` that always gives a value.
            #[track_caller]
            pub fn update(
                &self,
                set: Ordering,
                fetch: Ordering,
                mut f: impl FnMut($value) -> $value,
            ) -> $value {
                match self.fetch_update(set, fetch, |value| Some(f(value))) {
                    Ok(former) | Err(former) => former,
                }
            }

            /// One operation that reads and writes.
            #[inline]
            fn change(
                &self,
                order: Ordering,
                site: Site,
                f: impl FnOnce(&$inner) -> $value,
            ) -> $value {
                announce(&self.object, Access::Write, site);
                let former = f(&self.inner);
                done(&self.object, Atomic::Change, order);
                former
            }
        }

        impl $($generic)* From<$value> for $name $(<$parameter>)? {
            #[track_caller]
            fn from(value: $value) -> Self {
                Self::new(value)
            }
        }

        impl $($generic)* fmt::Debug for $name $(<$parameter>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

/// Operations that read, change and write the value at once.
macro_rules! fetch {
    ($value:ty: $($rest:tt)*) => {
        fetch! { $value, $value: $($rest)* }
    };
    ($value:ty, $operand:ty: $($operation:ident, $doc:literal;)*) => {
        $(
            #[doc = $doc]
            #[track_caller]
            pub fn $operation(&self, value: $operand, order: Ordering) -> $value {
                self.change(order, Location::caller(), |inner| inner.$operation(value, order))
            }
        )*
    };
}

macro_rules! integers {
    ($($name:ident $value:ident;)*) => {
        $(
            atomic!([] $name, $value, real::$name, "An integer that threads share.");

            impl $name {
                fetch! { $value:
                    fetch_add, "Adds, wrapping around; gives the former value.";
                    fetch_sub, "Subtracts, wrapping around; gives the former value.";
                    fetch_and, "Keeps the bits that are set in `value`; gives the former value.";
                    fetch_nand, "Sets the bits that are not set in both; gives the former value.";
                    fetch_or, "Sets the bits of `value`; gives the former value.";
                    fetch_xor, "Flips the bits of `value`; gives the former value.";
                    fetch_max, "Sets the greater of both; gives the former value.";
                    fetch_min, "Sets the lesser of both; gives the former value.";
                }
            }

            impl Default for $name {
                #[track_caller]
                fn default() -> $name {
                    $name::new($value::default())
                }
            }
        )*
    };
}

integers! {
    AtomicU8 u8;
    AtomicU16 u16;
    AtomicU32 u32;
    AtomicU64 u64;
    AtomicUsize usize;
    AtomicI8 i8;
    AtomicI16 i16;
    AtomicI32 i32;
    AtomicI64 i64;
    AtomicIsize isize;
}

atomic!([] AtomicBool, bool, real::AtomicBool, "A flag that threads share.");
atomic!([<T>] AtomicPtr<T>, *mut T, real::AtomicPtr<T>, "A pointer that threads share.");

impl AtomicBool {
    fetch! { bool:
        fetch_and, "Sets `former & value`; gives the former value.";
        fetch_nand, "Sets `!(former & value)`; gives the former value.";
        fetch_or, "Sets `former | value`; gives the former value.";
        fetch_xor, "Sets `former ^ value`; gives the former value.";
    }

    /// Sets `!former`; gives the former value.
    #[track_caller]
    pub fn fetch_not(&self, order: Ordering) -> bool {
        self.change(order, Location::caller(), |inner| inner.fetch_not(order))
    }
}

impl<T> AtomicPtr<T> {
    fetch! { *mut T, usize:
        fetch_ptr_add, "Adds so many `T`, wrapping around; gives the former pointer.";
        fetch_ptr_sub, "Subtracts so many `T`, wrapping around; gives the former pointer.";
        fetch_byte_add, "Adds so many bytes, wrapping around; gives the former pointer.";
        fetch_byte_sub, "Subtracts so many bytes, wrapping around; gives the former pointer.";
        fetch_and, "Keeps the bits of the address that are set in `value`; gives the former pointer.";
        fetch_or, "Sets bits of the address; gives the former pointer.";
        fetch_xor, "Flips bits of the address; gives the former pointer.";
    }
}

impl Default for AtomicBool {
    #[track_caller]
    fn default() -> AtomicBool {
        AtomicBool::new(false)
    }
}

impl<T> Default for AtomicPtr<T> {
    #[track_caller]
    fn default() -> AtomicPtr<T> {
        AtomicPtr::new(std::ptr::null_mut())
    }
}

impl<T> fmt::Pointer for AtomicPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Pointer::fmt(&self.inner, f)
    }
}
