//! Tasks that do not run, though they could, because of what others do: the lint `starved_task`.
//!
//! On a runtime with one worker a poll that does not return keeps all others from running, however many scheduling
//! points it has; a loop of operations that are always ready does that once `unconstrained` has taken its budget
//! away. It is looked at once in so many steps, and only in a run that has been busy for long.

use super::World;
use crate::check::FailureKind;
use std::cell::Cell;

/// It is looked once in so many steps.
const STRIDE: u64 = 64;
/// So often it has to be seen that one poll goes on while the same task is ready.
const LOOKS: u32 = 1_000;

/// A poll that goes on and on.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Seen {
    task: u32,
    turn: u64,
    /// The task that is ready meanwhile.
    ready: u32,
}

/// What was seen last, and how often.
#[derive(Default)]
pub(super) struct Starve {
    seen: Cell<Option<Seen>>,
    looks: Cell<u32>,
    /// The step at which it is looked again.
    next: Cell<u64>,
}

impl World {
    pub(super) fn clear_starved(&self) {
        self.starve.seen.set(None);
        self.starve.looks.set(0);
        self.starve.next.set(0);
    }

    /// A step of a busy run: looks whether the running poll keeps others from running.
    #[cold]
    pub(super) fn look_for_starved(&self, steps: u64) {
        if steps < self.starve.next.get() || self.ambient.get() {
            return;
        }
        self.starve.next.set(steps + STRIDE);
        let running = self.running.get();
        let seen = {
            let table = self.table.borrow();
            let slot =
                table.slots.get(running.slot as usize).filter(|slot| slot.number == running.number);
            slot.and_then(|slot| {
                let ready = table.kept_out(running.slot)?;
                Some(Seen { task: running.number, turn: slot.turn, ready })
            })
        };
        if seen.is_none() || seen != self.starve.seen.get() {
            self.starve.seen.set(seen);
            self.starve.looks.set(0);
            return;
        }
        self.starve.looks.set(self.starve.looks.get().saturating_add(1));
        if let (Some(seen), LOOKS) = (seen, self.starve.looks.get()) {
            self.report_starved(seen);
        }
    }

    /// By places alone, so that many runs give one warning.
    fn report_starved(&self, seen: Seen) {
        let who = |task: u32| match self.spawn_site(task) {
            Some(site) if task != 0 => format!("a task spawned at {site}"),
            _ => "main".to_string(),
        };
        let last = self
            .op
            .get()
            .map_or(String::new(), |op| format!(", last at {}: {}", op.site, op.access.verb()));
        let message = format!(
            "{} does not let go of the only worker of its runtime{last}; {} is ready meanwhile and cannot run",
            who(seen.task),
            who(seen.ready)
        );
        self.lint(FailureKind::StarvedTask, message, Some(seen.task));
    }
}
