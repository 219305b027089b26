//! The clock of a run, and the timers that wait for it.

use super::{Action, BUSY_STEPS, World};
use crate::check::FailureKind;
use sim_choice::{Kind, Lane};
use std::{task::Waker, time::Instant};

/// The most that one step may cost, in nanoseconds; about what a poll costs on a real machine.
const STEP_MAX_NS: u32 = 1_000;

impl World {
    /// Virtual nanoseconds since the start of the run.
    #[inline]
    pub(crate) fn now_ns(&self) -> u64 {
        self.now.get()
    }

    /// The instant of std that stands for virtual zero.
    pub(crate) fn instant_base(&self) -> Instant {
        self.base.get().unwrap_or_else(|| {
            // Inside, std's clock is this world's, so that `into_std` and std's own `now` agree;
            // on a platform where it is not, any instant serves.
            let now = Instant::now();
            let base = if sim_sys::os::CATCHES.is_empty() || !crate::context::is_driving() {
                now
            } else {
                now - std::time::Duration::from_nanos(self.local_ns())
            };
            self.base.set(Some(base));
            base
        })
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.get()
    }

    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.set(paused);
    }

    /// Draws what a step costs in this run; zero is calm: nothing.
    ///
    /// One draw a run, not one a step: it is what lets a timer overtake a ready task, and a draw
    /// at each step would cost more than the step.
    #[cold]
    pub(super) fn draw_step_cost(&self) {
        // In half of the runs it is nothing, so that what is due at one time happens at one time.
        let bound = 2 * STEP_MAX_NS;
        let who = self.running.get().path;
        let answer = self.choices.borrow_mut().choose(Lane::Time, Kind::StepCost, who, bound);
        self.step_ns.set(Some(u64::from(answer.saturating_sub(STEP_MAX_NS))));
    }

    /// Arms a timer, at a time of the clock of the node that runs.
    #[track_caller]
    pub(crate) fn timer_insert(&self, at_ns: u64, action: Action) -> sim_time::Key {
        self.let_time_pass();
        let at_ns = self.when_ns(at_ns);
        self.due.set(self.due.get().min(at_ns));
        self.timers.borrow_mut().insert_of(self.current_node(), at_ns, action)
    }

    /// From now on steps take time, if they do in this run.
    #[inline]
    fn let_time_pass(&self) {
        if self.step_ns.get().is_none() {
            self.draw_step_cost();
        }
    }

    /// When the network is to be called, at a time of the run; `u64::MAX`: never.
    #[inline]
    pub(super) fn set_network_due(&self, at_ns: u64) {
        if at_ns != self.network_due.replace(at_ns) && at_ns < u64::MAX {
            self.let_time_pass();
            self.due.set(self.due.get().min(at_ns));
        }
    }

    /// When a timer, or the network, is due next.
    #[inline]
    pub(super) fn next_due(&self) -> Option<u64> {
        let network = Some(self.network_due.get()).filter(|at_ns| *at_ns < u64::MAX);
        self.timers.borrow_mut().next().into_iter().chain(network).min()
    }

    /// Arms a timer of the simulation's own, at a time of its own.
    pub(super) fn timer_of_world(&self, at_ns: u64, action: Action) -> sim_time::Key {
        self.let_time_pass();
        self.due.set(self.due.get().min(at_ns));
        self.timers.borrow_mut().insert_of(super::NONE, at_ns, action)
    }

    /// Notes when a timer, or the network, is due next; at once, if faults are, so that the next step comes to look.
    pub(super) fn set_due(&self) {
        let next = self.next_due().unwrap_or(u64::MAX);
        self.due.set(if self.chaos_due.get() { 0 } else { next });
    }

    pub(crate) fn timer_update(&self, key: sim_time::Key, waker: &Waker) -> bool {
        let mut timers = self.timers.borrow_mut();
        let Some(Action::Wake(former, _)) = timers.get_mut(key) else { return false };
        if former.will_wake(waker) {
            return true;
        }
        let former = std::mem::replace(former, waker.clone());
        drop(timers);
        drop(former);
        true
    }

    pub(crate) fn timer_cancel(&self, key: sim_time::Key) {
        let cancelled = self.timers.borrow_mut().cancel(key);
        drop(cancelled);
    }

    /// Disarms all timers. Their wakers are dropped outside of the borrow: they may own anything.
    pub(super) fn clear_timers(&self) {
        loop {
            let left = self.timers.borrow_mut().pop_due(u64::MAX);
            match left {
                Some(action) => drop(action),
                None => break,
            }
        }
        self.timers.borrow_mut().clear();
    }

    /// Moves the clock forward by so much and wakes what is due.
    pub(crate) fn advance_clock(&self, ns: u64) {
        self.set_now(self.now.get().saturating_add(ns));
        self.fire_due();
    }

    pub(super) fn set_now(&self, now: u64) {
        self.now.set(now);
        self.event(crate::trace::Happened::Clock(now));
    }

    /// Wakes all whose time has come.
    #[cold]
    pub(super) fn fire_due(&self) {
        self.firing.set(true);
        self.quietly(|| self.fire());
        self.firing.set(false);
    }

    fn fire(&self) {
        let now = self.now.get();
        loop {
            let action = {
                let mut timers = self.timers.borrow_mut();
                let next = timers.next().unwrap_or(u64::MAX);
                // Of both at one time the network first.
                let network = self.network_due.get();
                if network <= next.min(now) && network < u64::MAX {
                    drop(timers);
                    self.network_is_due();
                    continue;
                }
                match timers.pop_due(now) {
                    Some(action) => action,
                    None => break,
                }
            };
            match action {
                Action::Wake(waker, _) => waker.wake(),
                Action::Unblock { ticket } => self.unblock_by_timer(ticket),
                Action::Chaos => self.faults_are_due(),
            }
        }
        self.set_due();
    }

    /// Goes to the time of the next timer; false if there is none.
    pub(super) fn advance(&self) -> bool {
        let Some(mut next) = self.next_due() else { return false };
        if self.network_is_quiet() {
            // Faults keep no run alive; but what they injured heals.
            match self.heals_at() {
                None => return false,
                Some(heals) => next = next.max(heals),
            }
        }
        if self.finds_stuck() {
            return true;
        }
        if next > self.limits.borrow().time_limit_ns {
            let limit = std::time::Duration::from_nanos(self.limits.borrow().time_limit_ns);
            let message = format!("the run has not ended within {limit:?} of virtual time");
            if !self.report_stuck_at_limit(&message) {
                let mut message = message;
                self.tell_open_cycles(&mut message);
                self.fail(FailureKind::TimeLimit, message);
            }
            return true;
        }
        self.note_idle();
        self.busy_from.set(self.pulse.get() + BUSY_STEPS);
        self.busy_at.set(self.busy_from.get());
        self.tell_quiet();
        self.set_now(next.max(self.now.get()));
        self.fire_due();
        true
    }
}
