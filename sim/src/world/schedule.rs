//! Who runs next, and how a fiber gives way in the middle of a poll.

use super::{
    Body, NONE, World,
    table::{Suspended, Table, Target},
};
use crate::{
    check::FailureKind,
    point::{Op, Site},
    task::{coop, task_local},
    trace::{Happened, exit_spans},
};
use sim_choice::{Candidates, Kind};
use sim_sys::{
    fiber,
    fiber::{Fiber, Stack},
};
use std::{io, rc::Rc, time::Duration};

/// How long real threads may take to wake a task of a runtime that was made outside of a simulation,
/// in real time, before a deadlock is reported.
const THREADS_WAIT: Duration = Duration::from_secs(1);

/// A busy program's clock goes on once in so many steps.
const BUSY_STRIDE: u64 = 64;

impl World {
    /// The running task announces `op`, or has woken another; others may run before this returns.
    #[cold]
    pub(crate) fn point(self: &Rc<Self>, op: Option<Op>) {
        self.tell_slow();
        self.op.set(op);
        if self.stopping.get() || std::thread::panicking() {
            return self.point_at_end();
        }
        if let (true, Some(op)) = (self.tracing.get(), op) {
            self.trace_event(Happened::Op(op));
        }
        if self.step_ended() {
            return self.leave();
        }
        self.take_unparks();
        self.release_yielders(false);
        if self.step() {
            self.gave_way.set(self.chaos_due.get());
            return self.leave();
        }
        let target = if self.watching.get() { self.preempt_watched() } else { self.preempt() };
        self.switch(target);
    }

    /// As [`point`](World::point), as far as no user's code has to run: where to go, or `None` if
    /// `point` has to do it.
    #[inline]
    pub(crate) fn quick_point(&self, op: Option<Op>) -> Option<Target> {
        let steps = self.pulse.get() + 1;
        let cost = match self.paused.get() {
            true => 0,
            false => self.step_ns.get().unwrap_or(0),
        };
        let now = self.now.get() + cost;
        if self.pulse.is_called()
            || now >= self.due.get()
            || steps >= self.busy_at.get().min(self.step_limit.get())
            || std::thread::panicking()
        {
            return None;
        }
        self.op.set(op);
        self.pulse.set(steps);
        self.now.set(now);
        Some(self.preempt())
    }

    /// Picks among the running task and those that may run instead of it.
    #[inline]
    fn preempt(&self) -> Target {
        let mut table = self.table.borrow_mut();
        let slot = self.running.slot();
        let ready = table.choice(Some(slot));
        if ready.len() <= 1 {
            return Target::Stay;
        }
        let path = self.running.path();
        let index = self.choices.borrow_mut().pick(Kind::Preempt, path, &ready);
        self.give_way_to(&mut table, index)
    }

    /// As [`preempt`](World::preempt), where the strategy is told.
    fn preempt_watched(&self) -> Target {
        let mut table = self.table.borrow_mut();
        let slot = self.running.slot();
        self.tell_announced(&mut table);
        match self.pick_watched(Kind::Preempt, &table.choice(Some(slot))) {
            None => Target::End,
            Some(index) => self.give_way_to(&mut table, index),
        }
    }

    /// Where to go if that candidate was picked: the running task, the first of them, is suspended for another.
    #[inline]
    fn give_way_to(&self, table: &mut Table, index: u32) -> Target {
        if index == 0 {
            return Target::Stay;
        }
        let target = table.take(index, true);
        table.suspended.push(Suspended { slot: self.running.slot(), fiber: self.fiber.get() });
        target
    }

    /// A point after the end of the run, or while a panic unwinds: nobody else may run. But a
    /// poll that has to be finished must not go on for ever either.
    #[cold]
    fn point_at_end(self: &Rc<Self>) {
        self.pulse.set(self.pulse.get() + 1);
        if self.stopping.get()
            && !std::thread::panicking()
            && self.pulse.get() > self.step_limit.get()
        {
            self.leave();
        }
    }

    /// Counts a step, lets time pass, and wakes what is due; true if the run has to end, or the root to be asked.
    #[inline]
    fn step(&self) -> bool {
        let steps = self.pulse.get() + 1;
        self.pulse.set(steps);
        if steps >= self.busy_at.get() {
            if steps >= self.spin.opens_at() {
                self.open_window(false);
            }
            self.look_for_starved(steps);
        }
        let cost = self.step_ns.get().unwrap_or(0);
        if (cost > 0 || steps >= self.busy_at.get()) && !self.paused.get() {
            self.now.set(self.now.get() + cost + self.busy_cost(steps));
        }
        if self.now.get() >= self.due.get() {
            self.fire_due();
            if self.chaos_due.get() {
                return true;
            }
        }
        steps > self.step_limit.get() && self.too_many_steps()
    }

    /// What a step costs beyond that: nothing, unless the program has been busy for very long. Then
    /// time speeds up, so that a loop that polls until a deadline comes to its end. It is looked at in one
    /// step of many.
    fn busy_cost(&self, steps: u64) -> u64 {
        if steps < self.busy_at.get() {
            return 0;
        }
        self.busy_at.set(steps + BUSY_STRIDE);
        BUSY_STRIDE
            * match steps - self.busy_from.get() {
                0..100_000 => 1_000,
                100_000..300_000 => 10_000,
                300_000..1_000_000 => 100_000,
                _ => 1_000_000,
            }
    }

    /// The limit is passed, or near: then the last steps are looked at, to tell whose they are.
    #[cold]
    fn too_many_steps(&self) -> bool {
        let limit = self.limits.borrow().max_steps;
        let hard = self.first_step.get().saturating_add(limit);
        if self.pulse.get() <= hard {
            self.step_limit.set(hard);
            self.open_window(true);
            return false;
        }
        // What is still to be unwound gets as many steps again.
        self.step_limit.set(self.step_limit.get().saturating_add(limit));
        let message = format!("the run has not ended within {limit} steps");
        if !self.report_stuck_at_limit(&message) {
            self.report_too_many_steps();
        }
        true
    }

    /// Picks what runs next when the running fiber has nothing more to do.
    pub(super) fn next(self: &Rc<Self>) -> Target {
        loop {
            if self.stopping.get() || self.step() {
                return Target::End;
            }
            // It is called while any thread is parked or has yielded, see `set_unusual`.
            if self.pulse.is_called() {
                self.take_unparks();
                self.release_yielders(false);
            }
            {
                let mut table = self.table.borrow_mut();
                let ready = table.choice(None);
                let index = match ready.len() {
                    0 => None,
                    _ if self.watching.get() => match self.pick_watched(Kind::Next, &ready) {
                        None => return Target::End,
                        picked => picked,
                    },
                    1 => Some(0),
                    _ => {
                        let who = self.running.get().path;
                        Some(self.choices.borrow_mut().pick(Kind::Next, who, &ready))
                    }
                };
                if let Some(index) = index {
                    return table.take(index, false);
                }
            }
            if !(self.release_yielders(true)
                || self.take_remote(Duration::ZERO)
                || self.advance()
                || self.recheck_futexes()
                || self.take_remote(THREADS_WAIT))
            {
                self.report_deadlock();
                return Target::End;
            }
        }
    }

    /// What has to happen by now has not: ends the run.
    #[cold]
    pub(crate) fn report_late(self: &Rc<Self>, mut message: String) {
        self.tell_waiting(&mut message);
        self.fail(FailureKind::Assertion, message);
        self.leave();
    }

    /// Ends the turn of the running fiber for ever: the run is over.
    #[cold]
    pub(crate) fn leave(self: &Rc<Self>) {
        self.switch(Target::End);
    }

    /// Gives way to `target`; returns when the running fiber is switched to again.
    #[inline]
    pub(crate) fn switch(self: &Rc<Self>, target: Target) {
        if !self.aim(target) {
            return;
        }
        let spans = exit_spans();
        let (running, op) = (self.running.get(), self.op.get());
        let (local, pool) = (self.local.get(), self.pool.get());
        let budget = coop::swap(None);
        let locals = task_local::take();
        fiber::suspend();
        if let Some(locals) = locals {
            task_local::swap(locals);
        }
        coop::swap(budget);
        self.running.set(running);
        self.op.set(op);
        self.local.set(local);
        self.pool.set(pool);
        drop(spans);
    }

    /// Sets the fiber that runs when this one gives way; false if it is this one.
    pub(super) fn aim(self: &Rc<Self>, target: Target) -> bool {
        let fiber = match target {
            Target::Stay => self.fiber.get(),
            Target::Resume(fiber) => fiber,
            Target::End => NONE,
            Target::Poll(slot) => self.fiber_for(slot).unwrap_or_else(|error| {
                self.report_no_stack(&error);
                NONE
            }),
        };
        self.next_fiber.set(fiber);
        fiber != self.fiber.get()
    }

    /// The fiber that runs the task of a slot: a thread's own, or a worker that is told to.
    ///
    /// Fails if there is no memory for its stack.
    fn fiber_for(self: &Rc<Self>, slot: u32) -> io::Result<u32> {
        let starts = {
            let mut table = self.table.borrow_mut();
            match table.slots[slot as usize].body {
                Body::Thread(fiber) => {
                    table.begin_turn(slot, self.pulse.get());
                    return Ok(fiber);
                }
                Body::Closure(_) => true,
                _ => false,
            }
        };
        if starts {
            return self.start_thread(slot);
        }
        let idle = self.idle.borrow_mut().pop();
        let fiber = match idle {
            Some(fiber) => fiber,
            None => self.add_fiber(self.stack()?, super::drive::work_for_ever),
        };
        self.assigned.set(slot);
        Ok(fiber)
    }

    /// The fiber of a thread that has not begun to run.
    fn start_thread(self: &Rc<Self>, slot: u32) -> io::Result<u32> {
        let stack = self.stack()?;
        let body = {
            let mut table = self.table.borrow_mut();
            std::mem::replace(&mut table.slots[slot as usize].body, Body::Absent)
        };
        let Body::Closure(closure) = body else { unreachable!("it was a closure just now") };
        let world = Rc::downgrade(self);
        let fiber = self.add_fiber(stack, move || {
            if let Some(world) = world.upgrade() {
                world.run_thread(slot, closure);
            }
        });
        let mut table = self.table.borrow_mut();
        table.slots[slot as usize].body = Body::Thread(fiber);
        table.begin_turn(slot, self.pulse.get());
        Ok(fiber)
    }

    /// A new fiber.
    fn add_fiber(&self, stack: Stack, body: impl FnOnce() + 'static) -> u32 {
        let fiber = Some(Box::new(Fiber::new(stack, body)));
        let mut fibers = self.fibers.borrow_mut();
        match self.free_fibers.borrow_mut().pop() {
            Some(number) => {
                fibers[number as usize] = fiber;
                number
            }
            None => {
                fibers.push(fiber);
                fibers.len() as u32 - 1
            }
        }
    }

    /// The thread that runs waits until it is woken.
    pub(crate) fn park(self: &Rc<Self>, site: Site) {
        let running = self.running.get();
        debug_assert!(running.thread, "only a thread may park, and this is a task, at {site}");
        let waker = self.table.borrow_mut().end_turn(running.slot, self.op.get());
        if let Some(waker) = waker {
            self.quietly(|| waker.wake());
        }
        self.step_ended();
        let target = self.next();
        match target {
            Target::Poll(slot) if slot == running.slot => {
                self.table.borrow_mut().begin_turn(slot, self.pulse.get());
            }
            target => self.switch(target),
        }
    }

    /// The fiber that runs waits in the middle of a poll until it is in the list of suspended
    /// ones and picked from it.
    pub(super) fn block(self: &Rc<Self>) {
        {
            let mut table = self.table.borrow_mut();
            let op = self.op.get();
            table.slots[self.running.get().slot as usize].op = op;
        }
        let target = self.next();
        self.switch(target);
    }
}
