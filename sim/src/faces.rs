//! The faces that several types have alike, in tokio's part and in std's: what they show, what they are made from,
//! and what guards let through.

/// `Debug` of what shows nothing: tokio shows addresses there, which differ from run to run.
macro_rules! opaque {
    ([$($generics:tt)*] $type:ty, $name:expr) => {
        impl<$($generics)*> std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    };
}

/// `Debug` of what shows what is within, and not its number in the run, which differs from run to run.
macro_rules! transparent {
    ([$($generics:tt)*] $type:ty) => {
        impl<$($generics)*> std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

/// `Deref`, `Debug` and `Display` of a guard, through the first closure; and `DerefMut` through the
/// second, if there is one.
macro_rules! faces {
    ([$($generics:tt)*] $guard:ty => $value:ty, |$this:ident| $get:expr, |$this_mut:ident| $get_mut:expr) => {
        faces!([$($generics)*] $guard => $value, |$this| $get);

        impl<$($generics)*> std::ops::DerefMut for $guard {
            #[inline]
            fn deref_mut(&mut self) -> &mut $value {
                let $this_mut = self;
                $get_mut
            }
        }
    };
    ([$($generics:tt)*] $guard:ty => $value:ty, |$this:ident| $get:expr) => {
        impl<$($generics)*> std::ops::Deref for $guard {
            type Target = $value;
            #[inline]
            fn deref(&self) -> &$value {
                let $this = self;
                $get
            }
        }

        impl<$($generics)*> std::fmt::Debug for $guard where $value: std::fmt::Debug {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }

        impl<$($generics)*> std::fmt::Display for $guard where $value: std::fmt::Display {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                (**self).fmt(f)
            }
        }
    };
}

/// What cells that are set once have as values: they are compared, copied and shown by what is within.
macro_rules! cell_faces {
    ($cell:ident) => {
        impl<T> Default for $cell<T> {
            #[track_caller]
            fn default() -> $cell<T> {
                $cell::new()
            }
        }

        impl<T: std::fmt::Debug> std::fmt::Debug for $cell<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }

        impl<T: Clone> Clone for $cell<T> {
            #[track_caller]
            fn clone(&self) -> $cell<T> {
                $cell::new_with(self.inner.get().cloned())
            }
        }

        impl<T: PartialEq> PartialEq for $cell<T> {
            fn eq(&self, other: &$cell<T>) -> bool {
                self.inner == other.inner
            }
        }

        impl<T: Eq> Eq for $cell<T> {}

        impl<T> From<T> for $cell<T> {
            #[track_caller]
            fn from(value: T) -> $cell<T> {
                $cell::new_with(Some(value))
            }
        }
    };
}
/// What locks do by way of what they protect: made from it, and shown with it.
macro_rules! lock_faces {
    ($lock:ident) => {
        impl<T> From<T> for $lock<T> {
            #[track_caller]
            fn from(value: T) -> $lock<T> {
                $lock::new(value)
            }
        }

        impl<T: Default> Default for $lock<T> {
            #[track_caller]
            fn default() -> $lock<T> {
                $lock::new(T::default())
            }
        }

        impl<T: ?Sized + std::fmt::Debug> std::fmt::Debug for $lock<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

/// Lets the program name what has an [`Object`](crate::point::Object): see [`name`](crate::name()).
macro_rules! nameable {
    ([$($generics:tt)*] $type:ty, |$this:ident| $object:expr) => {
        impl<$($generics)*> crate::name::sealed::Sealed for $type {}

        impl<$($generics)*> crate::name::Nameable for $type {
            fn set_name(&self, name: std::borrow::Cow<'static, str>) {
                let $this = self;
                $object.set_name(name);
            }
        }
    };
}

pub(crate) use {cell_faces, faces, lock_faces, nameable, opaque, transparent};
