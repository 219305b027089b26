//! What is done once: `Once`, and the values that are made so.

use super::super::waiters::{Deadline, Gate};
use crate::point::{Access, Object, Site, point};
use std::{
    fmt,
    ops::Deref,
    panic::{Location, RefUnwindSafe, UnwindSafe},
    sync::{self as real, Mutex, MutexGuard, PoisonError},
};

/// Runs a closure once, as [`std::sync::Once`].
pub struct Once {
    object: Object,
    state: Mutex<State>,
    gate: Gate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Poisoned,
    Running,
    Done,
}

/// What the closure of [`Once::call_once_force`] is told.
#[derive(Debug)]
pub struct OnceState {
    poisoned: bool,
}

impl OnceState {
    /// Whether a closure panicked before.
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }
}

impl Once {
    /// Nothing has been done.
    #[allow(clippy::new_without_default)] // std's has no default either
    #[track_caller]
    pub const fn new() -> Once {
        Once {
            object: Object::new(Location::caller()),
            state: Mutex::new(State::New),
            gate: Gate::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a closure has run to its end, and what it did is published.
    fn is_done(&self) -> bool {
        *self.state() == State::Done
    }

    /// Runs `f` unless one has run; waits for one that runs.
    ///
    /// # Panics
    ///
    /// Panics if a closure panicked before.
    #[track_caller]
    pub fn call_once<F: FnOnce()>(&self, f: F) {
        self.call(false, Location::caller(), |_| f());
    }

    /// As [`call_once`](Once::call_once), also if a closure panicked before.
    #[track_caller]
    pub fn call_once_force<F: FnOnce(&OnceState)>(&self, f: F) {
        self.call(true, Location::caller(), f);
    }

    /// Whether a closure has run to its end.
    #[track_caller]
    pub fn is_completed(&self) -> bool {
        point(&self.object, Access::Read, Location::caller());
        self.is_done()
    }

    /// Waits until a closure has run.
    ///
    /// # Panics
    ///
    /// Panics if a closure panicked.
    #[track_caller]
    pub fn wait(&self) {
        self.wait_at(false, Location::caller());
    }

    /// As [`wait`](Once::wait), also over closures that panic.
    #[track_caller]
    pub fn wait_force(&self) {
        self.wait_at(true, Location::caller());
    }

    fn wait_at(&self, force: bool, site: Site) {
        point(&self.object, Access::Wait, site);
        let mut state = self.state();
        while *state != State::Done {
            if *state == State::Poisoned && !force {
                drop(state);
                panic!("Once instance has previously been poisoned");
            }
            state = self.gate.wait(&self.state, state, Deadline::Never, site);
        }
        drop(state);
        self.object.take_in();
    }

    #[track_caller]
    fn call(&self, force: bool, site: Site, f: impl FnOnce(&OnceState)) {
        // What is done stays so: then it is only looked at.
        let done = self.is_done();
        point(&self.object, if done { Access::Read } else { Access::Write }, site);
        let mut state = self.state();
        loop {
            match *state {
                State::Done => {
                    drop(state);
                    return self.object.take_in();
                }
                State::Poisoned if !force => {
                    drop(state);
                    panic!("Once instance has previously been poisoned");
                }
                State::New | State::Poisoned => break,
                State::Running => {
                    state = self.gate.wait(&self.state, state, Deadline::Never, site);
                }
            }
        }
        let poisoned = *state == State::Poisoned;
        *state = State::Running;
        drop(state);
        let mut running = Running { once: self, site, then: State::Poisoned };
        f(&OnceState { poisoned });
        running.then = State::Done;
    }
}

/// A closure runs; dropped at its end.
struct Running<'a> {
    once: &'a Once,
    site: Site,
    then: State,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        point(&self.once.object, Access::Release, self.site);
        let for_next_run = self.then == State::Poisoned && super::only_seems_to_panic();
        let mut state = self.once.state();
        *state = if for_next_run { State::New } else { self.then };
        self.once.gate.wake_all(state);
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

/// A value that is set once, as [`std::sync::OnceLock`].
///
/// ```
/// let cell = sim::std::sync::OnceLock::new();
/// assert_eq!(cell.get_or_init(|| 1), &1);
/// assert_eq!(cell.set(2), Err(2));
/// ```
pub struct OnceLock<T> {
    once: Once,
    inner: real::OnceLock<T>,
}

impl<T> OnceLock<T> {
    /// No value yet.
    #[track_caller]
    pub const fn new() -> OnceLock<T> {
        OnceLock { once: Once::new(), inner: real::OnceLock::new() }
    }

    /// The value, if it is set.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        point(&self.once.object, Access::Read, Location::caller());
        if self.once.is_done() { self.inner.get() } else { None }
    }

    /// The value, of a cell that nobody else can reach.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Waits until the value is set.
    #[track_caller]
    pub fn wait(&self) -> &T {
        self.once.wait_at(true, Location::caller());
        self.inner.get().expect("what is done has set the value")
    }

    /// Sets the value, unless it is set; waits for one that is being made.
    ///
    /// # Errors
    ///
    /// With `value`, if another is set.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), T> {
        let mut value = Some(value);
        self.init(Location::caller(), || value.take().expect("it is called once"));
        value.map_or(Ok(()), Err)
    }

    /// The value; made by `f` if it is not set. If `f` panics, it stays so.
    #[track_caller]
    pub fn get_or_init<F: FnOnce() -> T>(&self, f: F) -> &T {
        self.init(Location::caller(), f)
    }

    #[track_caller]
    fn init(&self, site: Site, f: impl FnOnce() -> T) -> &T {
        self.once.call(true, site, |_| {
            let _ = self.inner.set(f());
        });
        self.inner.get().expect("what is done has set the value")
    }

    /// The value, if it was set.
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out.
    #[track_caller]
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }
}

impl<T> Default for OnceLock<T> {
    #[track_caller]
    fn default() -> OnceLock<T> {
        OnceLock::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceLock<T> {
    #[track_caller]
    fn clone(&self) -> OnceLock<T> {
        self.get().cloned().map_or_else(OnceLock::new, OnceLock::from)
    }
}

impl<T> From<T> for OnceLock<T> {
    #[track_caller]
    fn from(value: T) -> OnceLock<T> {
        let cell = OnceLock::new();
        let _ = cell.inner.set(value);
        *cell.once.state() = State::Done;
        cell
    }
}

impl<T: PartialEq> PartialEq for OnceLock<T> {
    fn eq(&self, other: &OnceLock<T>) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceLock<T> {}

/// A value that is made at its first use, as [`std::sync::LazyLock`].
///
/// In a static it outlives a run, so that only the first run of the process sees it being made.
///
/// ```
/// let word = sim::std::sync::LazyLock::new(|| "made".to_string());
/// assert_eq!(*word, "made");
/// ```
pub struct LazyLock<T, F = fn() -> T> {
    once: Once,
    inner: real::OnceLock<T>,
    make: Mutex<Option<F>>,
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// A value that `f` makes.
    #[track_caller]
    pub const fn new(f: F) -> LazyLock<T, F> {
        LazyLock { once: Once::new(), inner: real::OnceLock::new(), make: Mutex::new(Some(f)) }
    }

    /// The value; made now if it was not.
    ///
    /// # Panics
    ///
    /// Panics if the closure panicked before.
    #[track_caller]
    pub fn force(this: &LazyLock<T, F>) -> &T {
        let site = Location::caller();
        let poisoned = *this.once.state() == State::Poisoned;
        assert!(!poisoned, "LazyLock instance has previously been poisoned");
        this.once.call(false, site, |_| {
            let make = this.make.lock().unwrap_or_else(PoisonError::into_inner).take();
            // None is left if the run of a static ended in the middle.
            let make = make.expect("LazyLock instance has previously been poisoned");
            let _ = this.inner.set(make());
        });
        this.inner.get().expect("what is done has set the value")
    }
}

impl<T, F: FnOnce() -> T> LazyLock<T, F> {
    /// As [`force`](LazyLock::force), of a value that nobody else can reach.
    ///
    /// # Panics
    ///
    /// Panics if the closure panicked before.
    #[track_caller]
    pub fn force_mut(this: &mut LazyLock<T, F>) -> &mut T {
        LazyLock::force(this);
        this.inner.get_mut().expect("what is done has set the value")
    }
}

impl<T, F> LazyLock<T, F> {
    /// The value, if it was made.
    #[track_caller]
    pub fn get(this: &LazyLock<T, F>) -> Option<&T> {
        point(&this.once.object, Access::Read, Location::caller());
        if this.once.is_done() { this.inner.get() } else { None }
    }

    /// The value, if it was made, and nobody else can reach it.
    pub fn get_mut(this: &mut LazyLock<T, F>) -> Option<&mut T> {
        this.inner.get_mut()
    }
}

impl<T, F: FnOnce() -> T> Deref for LazyLock<T, F> {
    type Target = T;

    #[track_caller]
    fn deref(&self) -> &T {
        LazyLock::force(self)
    }
}

impl<T: Default> Default for LazyLock<T> {
    #[track_caller]
    fn default() -> LazyLock<T> {
        LazyLock::new(T::default)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for LazyLock<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = f.debug_tuple("LazyLock");
        match self.inner.get() {
            Some(value) if self.once.is_done() => tuple.field(value),
            _ => tuple.field(&format_args!("<uninit>")),
        };
        tuple.finish()
    }
}

impl<T: RefUnwindSafe + UnwindSafe, F: UnwindSafe> RefUnwindSafe for LazyLock<T, F> {}
impl<T: UnwindSafe, F: UnwindSafe> UnwindSafe for LazyLock<T, F> {}
