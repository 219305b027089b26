//! Locks whose holder was aborted after it had changed what they protect: the lint `aborted_guard`.
//!
//! A task is aborted at an await. If it holds a guard there through which it has changed the value, what it
//! meant to do next is not done, and nothing poisons the lock. Whether the value is whole nobody can know but the
//! program: so it is told only once somebody takes the lock again. A change is any use of the guard's `DerefMut`.

use super::{Hold, Site, Taker, World};
use crate::{check::FailureKind, point::Op};

/// An abort that may have left a change half done.
#[derive(Clone, Copy)]
pub(super) struct Torn {
    /// Where the task was spawned, and where it waited when it was aborted.
    spawned: Option<Site>,
    waited: Option<Op>,
    /// Where it took the lock.
    taken: Site,
}

impl World {
    /// A task that is dropped since it was aborted gives a lock back whose value it had changed.
    #[cold]
    pub(super) fn note_torn(&self, object: u32, taker: Taker, taken: Site) {
        if self.stopping.get() {
            return;
        }
        let (spawned, waited) = {
            let table = self.table.borrow();
            let mut slots = table.slots[..table.used()].iter();
            let slot = slots.find(|slot| slot.number == taker.0 && slot.header.is_some());
            (
                slot.and_then(|slot| slot.header.as_ref()).map(|header| header.site),
                slot.and_then(|slot| slot.op),
            )
        };
        self.graph.borrow_mut().place(object).torn =
            Some(Box::new(Torn { spawned, waited, taken }));
    }

    /// Somebody takes such a lock. By places alone, so that many runs give one warning.
    #[cold]
    pub(super) fn report_torn(&self, object: u32, hold: &Hold) {
        let (torn, origin) = {
            let mut graph = self.graph.borrow_mut();
            let place = graph.place(object);
            (place.torn.take(), place.origin)
        };
        let (Some(torn), Some(origin)) = (torn, origin) else { return };
        let who =
            torn.spawned.map_or("main".to_string(), |site| format!("a task spawned at {site}"));
        let waited =
            torn.waited.map_or(String::new(), |op| format!(" where it waited, at {},", op.site));
        let name = self.given_name(object).map_or(String::new(), |name| name + " ");
        let message = format!(
            "{who} was aborted{waited} while it held the lock {name}created at {origin}, taken at {}, and had changed \
             what that protects; who takes it at {} may find the change half done",
            torn.taken, hold.site
        );
        self.lint(FailureKind::AbortedGuard, message, Some(hold.task));
    }
}
