//! A barrier as std's.

use super::super::waiters::{Deadline, Gate};
use crate::point::{Access, Object, point};
use std::{
    fmt,
    panic::Location,
    sync::{Mutex, PoisonError},
};

/// Lets threads wait for each other, as [`std::sync::Barrier`].
///
/// ```
/// use sim::std::{sync::Barrier, thread};
/// let barrier = Barrier::new(2);
/// thread::scope(|scope| {
///     let other = scope.spawn(|| barrier.wait().is_leader());
///     assert!(barrier.wait().is_leader() != other.join().unwrap());
/// });
/// ```
pub struct Barrier {
    object: Object,
    threads: usize,
    /// How many have come, and how often they have gone on together.
    state: Mutex<(usize, usize)>,
    gate: Gate,
}

crate::faces::nameable!([] Barrier, |this| this.object);

/// Whether the thread is the one that came last.
pub struct BarrierWaitResult(bool);

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult").field("is_leader", &self.0).finish()
    }
}

impl BarrierWaitResult {
    /// True for exactly one of the threads.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// Lets `threads` wait for each other.
    #[track_caller]
    pub const fn new(threads: usize) -> Barrier {
        Barrier {
            object: Object::new(Location::caller()),
            threads,
            state: Mutex::new((0, 0)),
            gate: Gate::new(),
        }
    }

    /// Waits until all have come. The barrier can be used again then.
    #[track_caller]
    pub fn wait(&self) -> BarrierWaitResult {
        let site = Location::caller();
        // Each leaves what it did to the others.
        point(&self.object, Access::Write, site);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let round = state.1;
        state.0 += 1;
        if state.0 >= self.threads {
            *state = (0, round.wrapping_add(1));
            self.gate.wake_all(state);
            return BarrierWaitResult(true);
        }
        while state.1 == round {
            state = self.gate.wait(&self.state, state, Deadline::Never, site);
        }
        drop(state);
        self.object.take_in();
        BarrierWaitResult(false)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}
