//! What is looked at after each step of a run: the invariants of the program under test, and who spins.
//!
//! A step ends at a scheduling point, where a poll ends, and where a thread parks. No task runs while an
//! invariant is looked at: what it calls of `sim` is no scheduling point, and it may not wait. Runs without
//! invariants pay a branch where a poll ends; their points only know that nothing is unusual.

use super::{NOBODY, World, tasks::drop_caught};
use crate::check::FailureKind;
use std::{
    cell::{Cell, RefCell},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

/// What has to hold; says what is wrong if it does not.
type Condition = Box<dyn FnMut() -> Result<(), String>>;

struct Invariant {
    id: u32,
    name: &'static str,
    condition: RefCell<Condition>,
}

/// The invariants of a run, in the order in which they were stated.
#[derive(Default)]
pub(super) struct EachStep {
    invariants: RefCell<Vec<Rc<Invariant>>>,
    ids: Cell<u32>,
    /// There are some, or the steps themselves are looked at, see `spin.rs`.
    any: Cell<bool>,
    /// The name of the one that is looked at.
    looked_at: Cell<Option<&'static str>>,
}

impl EachStep {
    pub(super) fn any(&self) -> bool {
        self.any.get()
    }
}

impl World {
    /// Looks at `condition` after each step from now on; gives a number to end that with.
    pub(crate) fn add_invariant(&self, name: &'static str, condition: Condition) -> u32 {
        let id = self.each_step.ids.get();
        self.each_step.ids.set(id + 1);
        let invariant = Invariant { id, name, condition: RefCell::new(condition) };
        self.each_step.invariants.borrow_mut().push(Rc::new(invariant));
        self.count_looks();
        id
    }

    /// Looks at it no more. The condition is dropped outside of the borrow: it may own anything.
    pub(crate) fn remove_invariant(&self, id: u32) {
        let removed = {
            let mut invariants = self.each_step.invariants.borrow_mut();
            let at = invariants.iter().position(|invariant| invariant.id == id);
            at.map(|at| invariants.remove(at))
        };
        self.count_looks();
        drop(removed);
    }

    /// At the end of a run, those that are left.
    pub(super) fn clear_invariants(&self) {
        let left = self.each_step.invariants.take();
        self.each_step.ids.set(0);
        self.count_looks();
        let _ = drop_caught(left);
    }

    pub(super) fn count_looks(&self) {
        let invariants = !self.each_step.invariants.borrow().is_empty();
        self.each_step.any.set(invariants || self.spin.is_open());
        self.set_unusual();
    }

    /// A step of the running task has ended; true if the run is over.
    #[inline]
    pub(crate) fn step_ended(&self) -> bool {
        self.each_step.any.get() && self.look()
    }

    #[cold]
    fn look(&self) -> bool {
        if self.is_stopping()
            || std::thread::panicking()
            || self.each_step.looked_at.get().is_some()
        {
            return self.is_stopping();
        }
        if self.spin.is_open() {
            self.look_at_step();
        }
        self.look_at_invariants();
        self.is_stopping()
    }

    fn look_at_invariants(&self) {
        let running = self.running.replace(NOBODY);
        let mut at = 0;
        let broken = loop {
            let invariant = self.each_step.invariants.borrow().get(at).cloned();
            let Some(invariant) = invariant else { break None };
            self.each_step.looked_at.set(Some(invariant.name));
            if let Err(message) = self.holds(&invariant) {
                break Some(message);
            }
            at += 1;
        };
        self.each_step.looked_at.set(None);
        self.running.set(running);
        if let Some(message) = broken {
            self.fail(FailureKind::Assertion, message);
        }
    }

    fn holds(&self, invariant: &Invariant) -> Result<(), String> {
        let noted = self.panics.borrow().len();
        let mut condition = invariant.condition.borrow_mut();
        let name = invariant.name;
        match catch_unwind(AssertUnwindSafe(&mut *condition)) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(message)) if message.is_empty() => {
                Err(format!("the invariant {name:?} does not hold"))
            }
            Ok(Err(message)) => Err(format!("the invariant {name:?} does not hold: {message}")),
            Err(_) => {
                let note = self.panics.borrow_mut().drain(noted..).next();
                let what = note
                    .map_or_else(String::new, |it| format!(": {}, at {}", it.message, it.location));
                Err(format!("the invariant {name:?} panicked{what}"))
            }
        }
    }

    /// An invariant waits for a lock: nobody can give it back meanwhile.
    #[cold]
    pub(super) fn report_waiting_invariant(&self) {
        let Some(name) = self.each_step.looked_at.get() else { return };
        let message = format!(
            "the invariant {name:?} waits for a lock that a task holds: it is to use `try_lock`, and to hold where \
             that fails"
        );
        self.fail(FailureKind::Assertion, message);
        if let Some(world) = self.this() {
            world.desert();
        }
    }
}
