//! Tasks that spin: who took the last steps of a run that does not end, and whether they can have done anything.
//!
//! A step costs nothing for this until the run is suspicious: because it was never idle, so that the clock did
//! not go to a timer, for many steps, or because its limit is near. Then a *window* of steps is looked at one by one.
//! If all that tasks did in it was to yield, to read and to be polled, no timer is armed, nobody looked at the
//! clock and each ready task had its turn, then nothing will ever change: a livelock.

use super::World;
use crate::{
    check::FailureKind,
    point::{Access, Op},
};
use sim_choice::Candidates;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

/// Steps that are looked at.
const WINDOW: u64 = 10_000;
/// Tasks that a message names.
const NAMED: usize = 5;

/// What is known of tasks that spin.
#[derive(Default)]
pub(super) struct Spin {
    /// When the run was idle last.
    idle_at: Cell<u64>,
    /// When the next window opens.
    opens_at: Cell<u64>,
    open: Cell<bool>,
    window: RefCell<Window>,
}

#[derive(Default)]
struct Window {
    begins: u64,
    /// It ends with the limit of steps rather than after `WINDOW`.
    last: bool,
    /// Somebody did something that others may see.
    changes: bool,
    steps: u64,
    /// By task: its steps, and its last operation.
    turns: BTreeMap<u32, (u64, Option<Op>)>,
}

impl Spin {
    pub(super) fn is_open(&self) -> bool {
        self.open.get()
    }

    pub(super) fn opens_at(&self) -> u64 {
        self.opens_at.get()
    }
}

impl World {
    /// The step at which nothing could run last, so that the clock went to a timer.
    pub(super) fn idle_at(&self) -> u64 {
        self.spin.idle_at.get()
    }

    /// The run begins, or was idle: the clock goes on to a timer.
    pub(super) fn note_idle(&self) {
        let now = self.pulse.get();
        self.spin.idle_at.set(now);
        self.spin.opens_at.set(now.saturating_add(self.limits.borrow().spin_limit));
        if self.spin.open.get() && !self.spin.window.borrow().last {
            self.close_window();
        }
    }

    /// Looks at each step from now on.
    #[cold]
    pub(super) fn open_window(&self, last: bool) {
        let begins = self.pulse.get();
        *self.spin.window.borrow_mut() = Window { begins, last, ..Window::default() };
        self.spin.opens_at.set(u64::MAX);
        self.spin.open.set(true);
        self.count_looks();
    }

    pub(super) fn close_window(&self) {
        self.spin.open.set(false);
        self.count_looks();
    }

    /// How many steps before their limit the last window opens.
    pub(super) fn last_window(&self) -> u64 {
        WINDOW.min(self.limits.borrow().max_steps / 10)
    }

    /// The running task has taken a step, in a window.
    pub(super) fn look_at_step(&self) {
        let mut window = self.spin.window.borrow_mut();
        let op = self.op.get();
        let turns = window.turns.entry(self.running.get().number).or_default();
        *turns = (turns.0 + 1, op.or(turns.1));
        window.steps += 1;
        window.changes |= op.is_some_and(|op| !matches!(op.access, Access::Yield | Access::Read));
        if !window.last && self.pulse.get() >= window.begins + WINDOW {
            drop(window);
            self.judge_window();
        }
    }

    #[cold]
    fn judge_window(&self) {
        if !self.ambient.get() && self.nothing_can_change() {
            let spins = self.pulse.get() - self.spin.idle_at.get();
            let mut message = format!(
                "tasks spin: for {spins} steps no time has passed but their own, no timer is armed, and in the last \
                 {WINDOW} they did nothing but yield, read and be polled"
            );
            self.tell_busiest(&mut message);
            self.fail(FailureKind::Livelock, message);
        }
        self.close_window();
        self.spin.opens_at.set(self.pulse.get().saturating_add(self.limits.borrow().spin_limit));
    }

    /// No step of the window did anything that another could see, and none is to come that could.
    fn nothing_can_change(&self) -> bool {
        let window = self.spin.window.borrow();
        // Many tasks that each yield a little come to an end.
        let spins = self.pulse.get() - self.spin.idle_at.get();
        let enough = self.limits.borrow().spin_limit.saturating_mul(window.turns.len() as u64);
        let looked_at_clock = self.looks.get().1 >= window.begins;
        if spins < enough
            || window.changes
            || looked_at_clock
            || self.network_due.get() < u64::MAX
            || self.timers.borrow().len() > self.fault_timers()
        {
            return false;
        }
        let mut table = self.table.borrow_mut();
        let ready = table.choice(None);
        (0..ready.len()).all(|index| window.turns.contains_key(&ready.task(index)))
    }

    /// The limit of steps is passed: what kind of failure that is, and what it has to say.
    pub(super) fn report_too_many_steps(&self) {
        let limits = self.limits.borrow();
        let (limit, spins) = (limits.max_steps, self.pulse.get() - self.spin.idle_at.get());
        let mut message = format!("the run has not ended within {limit} steps");
        let kind = match spins >= limits.spin_limit {
            true => {
                message.push_str(&format!(
                    ", and for the last {spins} no time has passed but that of busy tasks"
                ));
                FailureKind::Livelock
            }
            false => FailureKind::StepLimit,
        };
        drop(limits);
        self.tell_busiest(&mut message);
        self.tell_open_cycles(&mut message);
        self.close_window();
        self.fail(kind, message);
    }

    /// Who took most of the steps of the window, and what they did last: a line for each.
    fn tell_busiest(&self, message: &mut String) {
        use std::fmt::Write;
        let window = self.spin.window.borrow();
        let mut turns: Vec<_> = window.turns.iter().collect();
        turns.sort_by_key(|(number, turns)| (std::cmp::Reverse(turns.0), **number));
        for &(&number, &(steps, op)) in turns.iter().take(NAMED) {
            let share = 100 * steps / window.steps.max(1);
            let _ = write!(message, "\n  task {}", self.task_name(number));
            if let (Some(site), true) = (self.spawn_site(number), number != 0) {
                let _ = write!(message, " (spawned at {site})");
            }
            let _ = write!(message, " took {share} % of the last {} steps", window.steps);
            let _ = match op {
                // The place is that of our own hook.
                Some(op) if op.access == Access::Libc => Ok(()),
                Some(op) => write!(message, ", last at {}: {}", op.site, op.access.verb()),
                None => write!(message, ", all of them polls that announced nothing"),
            };
        }
        if turns.len() > NAMED {
            let _ = write!(message, "\n  and {} more", turns.len() - NAMED);
        }
    }
}
