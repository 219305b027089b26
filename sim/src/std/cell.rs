//! `std::cell`, and a value whose unsynchronised accesses are found.

use crate::{
    context,
    point::{Access, Object, Op, Site},
};
use std::{
    fmt,
    panic::Location,
    sync::{Mutex, PoisonError, RwLock, TryLockError},
};

pub use std::cell::{
    BorrowError, BorrowMutError, Cell, LazyCell, OnceCell, Ref, RefCell, RefMut, UnsafeCell,
};

/// Plain memory that tasks share, in a program that has to order its accesses itself.
///
/// It stands for what lock-free code, or code with a lock of its own, keeps in an `UnsafeCell` or a `static
/// mut`. In a simulation two accesses of which one writes, and of which none *happens before* the other, fail
/// the run as a [data race](crate::FailureKind::DataRace), with both tasks and places, also if the schedule
/// of the run kept them apart. Each access is a scheduling point and makes no order by itself.
///
/// An order is made by spawning and joining, by waking, and by the locks, channels and atomics of
/// [`sim::sync`](crate::sync) and [`sim::std::sync`](crate::std::sync). A `Relaxed` operation of an atomic makes none.
///
/// Outside of a simulation it is a lock that each access takes.
///
/// # Limits
///
/// What std's own locks, channels and atomics order is not seen, nor what a waker of another crate orders that
/// wraps the task's: use those of `sim` around shared values.
///
/// ```
/// use sim::{FailureKind, std::{cell::Shared, thread}};
///
/// let report = sim::check(sim::Config::new().seeds(1), || async {
///     let total = Shared::new(0);
///     thread::scope(|scope| {
///         scope.spawn(|| total.set(1));
///         scope.spawn(|| total.set(2));
///     });
/// });
/// assert_eq!(report.failure.unwrap().kind, FailureKind::DataRace);
/// ```
pub struct Shared<T: ?Sized> {
    object: Object,
    /// Who is in the middle of an access: task, place and verb.
    within: Mutex<Vec<(u32, Site, &'static str)>>,
    value: RwLock<T>,
}

/// What an access does.
#[derive(Clone, Copy)]
struct Way {
    access: Access,
    verb: &'static str,
}

const READS: Way = Way { access: Access::Read, verb: "reads" };
const WRITES: Way = Way { access: Access::Write, verb: "writes" };

impl<T> Shared<T> {
    /// A value that tasks share.
    #[track_caller]
    pub const fn new(value: T) -> Shared<T> {
        Shared {
            object: Object::new(Location::caller()),
            within: Mutex::new(Vec::new()),
            value: RwLock::new(value),
        }
    }

    /// Writes the value.
    #[track_caller]
    pub fn set(&self, value: T) {
        drop(self.replace(value));
    }

    /// Writes the value; gives the former one.
    #[track_caller]
    pub fn replace(&self, value: T) -> T {
        self.with_mut(|former| std::mem::replace(former, value))
    }

    /// Writes the default; gives the former value.
    #[track_caller]
    pub fn take(&self) -> T
    where
        T: Default,
    {
        self.with_mut(std::mem::take)
    }

    /// Reads the value.
    #[track_caller]
    pub fn get(&self) -> T
    where
        T: Copy,
    {
        self.with(|value| *value)
    }

    /// Reads the value, and writes what `f` makes of it: two accesses, as those of `*p = f(*p)`.
    #[track_caller]
    pub fn update(&self, f: impl FnOnce(T) -> T)
    where
        T: Copy,
    {
        let value = self.get();
        self.set(f(value));
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: ?Sized> Shared<T> {
    /// Reads the value, as long as `f` runs.
    ///
    /// # Panics
    ///
    /// Panics if the same task is in the middle of writing it.
    #[track_caller]
    pub fn with<R>(&self, f: impl FnOnce(&T) -> R) -> R {
        let _within = self.enter(READS, Location::caller());
        let value = match context::running() {
            None => self.value.read().unwrap_or_else(PoisonError::into_inner),
            Some(_) => free(self.value.try_read()),
        };
        f(&value)
    }

    /// Writes the value, as long as `f` runs.
    ///
    /// # Panics
    ///
    /// Panics if the same task is in the middle of an access.
    #[track_caller]
    pub fn with_mut<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let _within = self.enter(WRITES, Location::caller());
        let mut value = match context::running() {
            None => self.value.write().unwrap_or_else(PoisonError::into_inner),
            Some(_) => free(self.value.try_write()),
        };
        f(&mut value)
    }

    /// The value, which nobody else can reach; what was done to it is in order with what comes.
    pub fn get_mut(&mut self) -> &mut T {
        context::ordering(|world| world.forget_accesses(self.object.number_in(world)));
        self.value.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// The running task begins an access, which fails the run if it is a race.
    fn enter(&self, way: Way, site: Site) -> Option<Within<'_, T>> {
        let world = context::running()?;
        let op = Op {
            object: self.object.number_in(&world),
            access: way.access,
            site,
            origin: Some(self.object.site()),
        };
        context::point_apart(|_| op);
        let writes = way.access == Access::Write;
        let task = world.running().number;
        let other = {
            let within = self.within.lock().unwrap_or_else(PoisonError::into_inner);
            within
                .iter()
                .find(|other| other.0 != task && (writes || other.2 == WRITES.verb))
                .copied()
        };
        let in_order = match other {
            Some(other) => {
                world.access_within(other, way.verb, op);
                false
            }
            None => world.access(op.object, writes, way.verb, op),
        };
        if !in_order && !std::thread::panicking() {
            world.leave();
        }
        self.within.lock().unwrap_or_else(PoisonError::into_inner).push((task, site, way.verb));
        Some(Within { shared: self, task })
    }
}

/// A lock that is free, unless the program uses the value within its own access.
#[track_caller]
fn free<G>(guard: Result<G, TryLockError<G>>) -> G {
    match guard {
        Ok(guard) => guard,
        Err(TryLockError::Poisoned(error)) => error.into_inner(),
        Err(TryLockError::WouldBlock) => {
            panic!("the value is in use: by this task, or by one that ends")
        }
    }
}

/// The task is in the middle of an access.
struct Within<'a, T: ?Sized> {
    shared: &'a Shared<T>,
    task: u32,
}

impl<T: ?Sized> Drop for Within<'_, T> {
    fn drop(&mut self) {
        let mut within = self.shared.within.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = within.iter().rposition(|access| access.0 == self.task) {
            within.remove(at);
        }
    }
}

impl<T: Default> Default for Shared<T> {
    #[track_caller]
    fn default() -> Shared<T> {
        Shared::new(T::default())
    }
}

impl<T> From<T> for Shared<T> {
    #[track_caller]
    fn from(value: T) -> Shared<T> {
        Shared::new(value)
    }
}

/// Does not look at the value: that would be an access.
impl<T: ?Sized> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
