//! What the simulation answers in place of libc: clocks, entropy, blocking sleeps and futexes.
//!
//! A wait suspends the fiber and holds its worker, as a blocked thread holds its core. Nothing ever
//! blocks the thread that drives the simulation.

use super::{Action, BOOT_NS, NONE, World, blocked::Cause, table::Suspended};
use crate::{
    check::FailureKind,
    context,
    point::{Access, Op, Site},
};
use sim_sys::os::{self, Escape, FutexWait, Parker};
use std::{
    cell::RefCell,
    panic::Location,
    rc::Rc,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
};

/// A fiber that waits in the middle of a poll.
pub(crate) struct Blocked {
    ticket: u64,
    pub(super) slot: u32,
    pub(super) fiber: u32,
    pub(super) timer: Option<sim_time::Key>,
    /// The futex; 0 for a sleep, 1 for a yield. Only compared for equality: an address decides nothing.
    address: usize,
}

/// No futex is there.
const SLEEP: usize = 0;
const YIELD: usize = 1;

/// A fiber whose thread has called sched_yield(2) and is not ready yet.
pub(super) struct Yielder {
    ticket: u64,
    /// The step from which on it is ready again, if others still are.
    until: u64,
}

/// The most steps that others get when a thread yields again and again without doing anything else.
const YIELD_STEPS: u64 = 256;

/// Looks at the clock in one step after which each takes time: so many are no measurement any more.
const MANY_LOOKS: u64 = 1_000;

/// How often futex waits end for nothing before a deadlock is reported, and how far apart.
const RECHECKS: u32 = 5;
const RECHECK_NS: u64 = 200_000;

impl World {
    pub(super) fn this(&self) -> Option<Rc<World>> {
        context::world().filter(|world| std::ptr::eq(&**world, self))
    }

    /// Waits until `unblock` or the time; whether it was in time.
    fn wait(&self, address: usize, timeout_ns: Option<u64>) -> bool {
        let Some(world) = self.this() else { return false };
        if address != SLEEP && address != YIELD {
            self.tell_libc();
        }
        let ticket = self.next_ticket();
        let timer = timeout_ns.map(|ns| {
            let at = self.local_ns().saturating_add(ns);
            self.timer_insert(at, Action::Unblock { ticket })
        });
        self.blocked.borrow_mut().push_back(Blocked {
            ticket,
            slot: self.running().slot,
            fiber: self.fiber.get(),
            timer,
            address,
        });
        let site = Location::caller();
        self.op.set(Some(Op { object: 0, access: Access::Libc, site, origin: None }));
        world.block();
        // Still in the list: the run has ended, and nobody woke it.
        self.blocked.borrow_mut().retain(|blocked| blocked.ticket != ticket);
        match timer {
            Some(timer) => self.timers.borrow_mut().cancel(timer).is_some(),
            None => true,
        }
    }

    /// Lets others run. A lock that spins before it waits, as parking_lot's do, yields a few times in a row: each
    /// time others get more steps, so that who holds the lock comes to give it back. Otherwise the lock would wait
    /// at last, in a way of its own that cannot tell fibers apart.
    pub(super) fn give_way(&self, site: Site) {
        let yielding = Op { object: 0, access: Access::Yield, site, origin: None };
        let in_a_row =
            self.op.get().is_some_and(|op| op.access == Access::Yield && op.site == site);
        let steps = match in_a_row {
            true => (self.yield_steps.get() * 2).min(YIELD_STEPS),
            false => 1,
        };
        let ticket = self.tickets.get() + 1;
        self.yielders.borrow_mut().push(Yielder { ticket, until: self.pulse.get() + steps });
        self.set_unusual();
        self.wait(YIELD, None);
        self.yield_steps.set(steps);
        self.op.set(Some(yielding));
    }

    /// Lets those go on that have yielded for long enough, or all; whether there were any.
    pub(super) fn release_yielders(&self, all: bool) -> bool {
        let now = self.pulse.get();
        let mut any = false;
        self.yielders.borrow_mut().retain(|yielder| {
            let goes = all || now >= yielder.until;
            if goes {
                any = true;
                self.unblock(1, |blocked| blocked.ticket == yielder.ticket);
            }
            !goes
        });
        if any {
            self.set_unusual();
        }
        any
    }

    /// Lets the fibers of those that are `wanted` go on, at most `count`; gives how many.
    fn unblock(&self, count: u32, wanted: impl Fn(&Blocked) -> bool) -> u32 {
        let mut blocked = self.blocked.borrow_mut();
        let mut table = self.table.borrow_mut();
        let mut left = count;
        blocked.retain(|entry| {
            let goes = left > 0 && wanted(entry);
            if goes {
                left -= 1;
                table.suspend(Suspended { slot: entry.slot, fiber: entry.fiber });
            }
            !goes
        });
        count - left
    }

    pub(super) fn unblock_by_timer(&self, ticket: u64) {
        self.unblock(1, |blocked| blocked.ticket == ticket);
    }

    /// Before a deadlock is reported, futex waits end for nothing a few times, as they may (futex(2)):
    /// a thread that is no part of the simulation may have given the lock back.
    pub(super) fn recheck_futexes(&self) -> bool {
        let rounds = self.rechecks.get();
        if rounds == RECHECKS
            || self.blocked.borrow().iter().all(|blocked| blocked.address == SLEEP)
        {
            return false;
        }
        self.rechecks.set(rounds + 1);
        let until = os::real_monotonic_ns() + RECHECK_NS;
        while os::real_monotonic_ns() < until {
            std::hint::spin_loop();
        }
        self.unblock(u32::MAX, |blocked| blocked.address != SLEEP) > 0
    }

    /// All that wait in libc go on, so that they come to the end of their polls; how many.
    pub(super) fn unblock_all(&self) -> u32 {
        self.unblock(u32::MAX, |_| true)
    }

    /// Time passes for who looks at the clock again and again without doing anything else: a loop that
    /// waits until a time has come would never end. The longer it goes on, the faster.
    pub(crate) fn look_at_clock(&self) {
        let (looks, since) = self.looks.get();
        if since != self.pulse.get() {
            return self.looks.set((1, self.pulse.get()));
        }
        self.looks.set((looks + 1, since));
        if looks >= MANY_LOOKS && !self.paused.get() {
            self.now.set(self.now.get() + 100 * (looks / MANY_LOOKS));
        }
    }

    fn can_block(&self) -> bool {
        self.running().slot != NONE && sim_sys::fiber::on_fiber()
    }

    /// Waits where std parks its threads, see [`Parker`].
    fn park_in_std(&self, parker: Parker, address: usize, timeout_ns: Option<u64>) -> FutexWait {
        self.parked.borrow_mut().push((address, parker));
        self.set_unusual();
        let before = self.unparks.get();
        let blocking = self.begin_blocking(Cause::Token);
        let woken = self.wait(address, timeout_ns);
        self.end_blocking(blocking);
        let (_, parker) = self.parked.borrow_mut().pop().expect("each that parks puts one there");
        self.set_unusual();
        match woken {
            true => {
                parker.answer(self.unparks.get() != before || self.is_stopping());
                FutexWait::Woken
            }
            false => FutexWait::TimedOut,
        }
    }

    /// Lets those go on that are parked, if there was an unpark since the last time.
    pub(super) fn take_unparks(&self) {
        let told = match self.parked.borrow().last() {
            Some((address, parker)) if parker.take() => *address,
            _ => return,
        };
        self.unparks.set(self.unparks.get() + 1);
        self.unblock(u32::MAX, |blocked| blocked.address == told);
    }

    /// A fiber that waits is left behind, maybe one that parks.
    pub(super) fn unpark_abandoned(&self, blocked: &Blocked) {
        let mut parked = self.parked.borrow_mut();
        if let Some(at) = parked.iter().position(|(address, _)| *address == blocked.address) {
            parked.remove(at);
        }
        drop(parked);
        self.set_unusual();
    }

    fn report_parker(&self) {
        let message = "a lock that keeps its parker in a thread-local, as parking_lot's do, has spun in vain and \
                       waits: most likely a deadlock. On one thread such a lock cannot tell the tasks apart, so that \
                       the run cannot go on; the locks of std or sim would show who holds what"
            .to_string();
        self.fail(FailureKind::Escape, message);
        if let Some(world) = self.this() {
            // It has already queued itself: unwinding would walk its broken queue.
            world.desert();
        }
    }
}

impl os::Hooks for World {
    fn monotonic_ns(&self) -> u64 {
        self.look_at_clock();
        BOOT_NS + self.local_ns()
    }

    fn realtime_ns(&self) -> u64 {
        self.look_at_clock();
        self.wall_ns()
    }

    fn entropy(&self, buffer: &mut [u8]) {
        self.fill_entropy(buffer);
    }

    fn sleep(&self, ns: u64) {
        if self.can_block() && !self.is_stopping() {
            let blocking = if ns > 0 { self.begin_blocking(Cause::Sleep(ns)) } else { None };
            self.wait(SLEEP, Some(ns));
            self.end_blocking(blocking);
        }
    }

    fn yield_thread(&self) {
        if self.can_block() && !self.is_stopping() {
            self.give_way(Location::caller());
        }
    }

    fn futex_wait(&self, word: &AtomicU32, expected: u32, timeout_ns: Option<u64>) -> FutexWait {
        let address = std::ptr::from_ref(word).addr();
        if !self.can_block() {
            self.report_waiting_invariant();
            return FutexWait::Mismatch;
        }
        if word.load(SeqCst) != expected {
            return FutexWait::Mismatch;
        }
        if os::in_thread_locals(address) {
            self.report_parker();
        }
        if let Some(parker) = Parker::of_wait(word, expected) {
            return self.park_in_std(parker, address, timeout_ns);
        }
        let blocking = self.begin_blocking(Cause::Lock);
        let woken = self.wait(address, timeout_ns);
        self.end_blocking(blocking);
        match woken {
            true => FutexWait::Woken,
            false => FutexWait::TimedOut,
        }
    }

    fn futex_wake(&self, address: usize, count: u32) -> u32 {
        let slots = RefCell::new(Vec::new());
        let woken = self.unblock(count, |blocked| {
            let found = blocked.address == address;
            if found && self.keeps_clocks() {
                slots.borrow_mut().push(blocked.slot);
            }
            found
        });
        slots.into_inner().into_iter().for_each(|slot| self.order_before(slot));
        // As where a task is woken: on another core it could go on at once.
        if let Some(world) = self.this()
            && woken > 0
            && self.can_block()
        {
            world.point(None);
        }
        woken
    }

    fn abort(&self) {
        let Some(world) = self.this() else { return };
        if self.running().slot == NONE || !sim_sys::fiber::on_fiber() {
            return;
        }
        let panics: Vec<String> = std::mem::take(&mut *self.panics.borrow_mut())
            .into_iter()
            .map(|panic| format!("{}, at {}", panic.message, panic.location))
            .collect();
        let message = match panics.is_empty() {
            true => "the program called abort".to_string(),
            false => format!("the program aborted: {}", panics.join("; then ")),
        };
        self.fail(FailureKind::Abort, message);
        world.desert();
    }

    fn lets_out(&self, escape: &Escape<'_>) -> bool {
        self.judge_escape(escape)
    }
}
