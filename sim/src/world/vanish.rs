//! How the tasks and threads of a process vanish: none of them goes on, but what they own is dropped.
//!
//! It is done at the root, between two steps of the run. Polls in flight and threads are unwound, tasks that wait are
//! dropped, each on a fiber, so that a destructor that waits for a lock lets the others go on and give it back.
//! Meanwhile the world is as after its end: no operation is a scheduling point, nothing is found, nothing is told; what
//! is spawned is cancelled. A fiber that waits within libc cannot be unwound: it is left as it stands, with those that it
//! may borrow from.

use super::{
    Body, NOBODY, NONE, Running, World,
    table::flag,
    tasks::{cancelled, drop_caught},
};
use crate::{check::FailureKind, trace};
use sim_sys::fiber::{self, Fiber};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
};

/// A fiber on which destructors run.
struct Vanishing {
    fiber: Box<Fiber>,
    number: u32,
    running: Running,
    /// It is one of the process, which is unwound.
    unwinds: bool,
    begun: bool,
}

impl World {
    /// All that runs or waits on a node vanishes; with `mine`, the fiber that asked for it too.
    ///
    /// With `crashed` what its tasks had panicked with or given as errors before is no finding: a machine without power
    /// does not tell.
    pub(super) fn vanish(self: &Rc<Self>, node: u32, mine: bool, crashed: bool) {
        let over = self.stopping.replace(true);
        self.crash_hides.set(crashed);
        self.crashing.set(node);
        self.set_unusual();
        let noted = self.panics.borrow().len();
        self.vanish_quietly(node, mine);
        self.panics.borrow_mut().truncate(noted);
        trace::leave_spans();
        crate::task::task_local::swap(Vec::new());
        self.running.set(NOBODY);
        self.op.set(None);
        self.local.set(NONE);
        self.crashing.set(NONE);
        self.stopping.set(over);
        // A failure that even so counts ends the run now.
        let failed = self.fault.borrow().is_some() || self.spoiled.get();
        self.set_stopping(over || failed);
    }

    fn vanish_quietly(self: &Rc<Self>, node: u32, mine: bool) {
        self.close_pools(node);
        let mut waiting = Vec::new();
        // Threads that have not begun come first: they may borrow from those that are unwound.
        self.drop_bodies(node, |body| matches!(body, Body::Closure(_)), &mut waiting);
        waiting.extend(self.take_fibers(node, mine));
        self.settle(&mut waiting);
        let is_left = |body: &Body| matches!(body, Body::Future(_) | Body::Closure(_));
        // Destructors may spawn into a local set of the process.
        while self.drop_bodies(node, is_left, &mut waiting) {
            self.settle(&mut waiting);
        }
        self.leave_waiting(node, waiting);
        if self.spoiled.get() {
            return;
        }
        self.forget_waits(node);
        self.forget_threads(|key| key.0 == node);
        self.end_tasks(node);
    }

    fn close_pools(&self, node: u32) {
        let pools = self.nodes.borrow().list[node as usize].all_pools();
        let mut table = self.table.borrow_mut();
        pools.into_iter().for_each(|pool| table.close(pool));
        table.paused.retain(|&paused| u32::from(paused) != node);
        self.pool.set(self.nodes.borrow().list[node as usize].pools[0]);
    }

    /// Takes the fibers of a process, the youngest first; those that cannot be unwound are left behind.
    fn take_fibers(&self, node: u32, mine: bool) -> Vec<Vanishing> {
        let owners = self.fibers_of(node, mine);
        let left = self.cannot_unwind(&owners);
        self.forget_libc_waits(node);
        let mut vanishing = Vec::new();
        for (number, slot) in owners {
            let fiber = self.fibers.borrow_mut()[number as usize].take();
            let Some(fiber) = fiber else { continue };
            if left.contains(&number) {
                fiber.abandon();
                self.left_behind.set(true);
                self.free_fibers.borrow_mut().push(number);
                continue;
            }
            let running = self.running_of(slot);
            vanishing.push(Vanishing { fiber, number, running, unwinds: true, begun: false });
        }
        vanishing.sort_by_key(|it| Reverse(it.running.number));
        vanishing
    }

    /// The fibers of a process that are suspended, and the slots that run on them, the innermost.
    fn fibers_of(&self, node: u32, mine: bool) -> BTreeMap<u32, u32> {
        let table = self.table.borrow();
        let is_of_node = |slot: u32| u32::from(table.slots[slot as usize].node) == node;
        let mut owners = BTreeMap::new();
        for slot in table.slots_of_node(node) {
            if let Body::Thread(fiber) = table.slots[slot as usize].body {
                owners.insert(fiber, slot);
            }
        }
        let suspended = table.suspended.iter().chain(&table.stopped);
        let held = self.held.borrow();
        let blocked = self.blocked.borrow();
        let waiting = suspended.map(|it| (it.fiber, it.slot));
        let waiting = waiting.chain(held.iter().map(|it| (it.fiber, it.slot)));
        let waiting = waiting.chain(blocked.iter().map(|it| (it.fiber, it.slot)));
        owners.extend(waiting.filter(|it| is_of_node(it.1)));
        if mine {
            owners.insert(self.fiber.get(), self.running.slot());
        }
        owners
    }

    /// Those that wait within libc, and the fibers of the tasks that started them: a scoped thread borrows from there.
    fn cannot_unwind(&self, owners: &BTreeMap<u32, u32>) -> BTreeSet<u32> {
        let (fibers, table) = (self.fibers.borrow(), self.table.borrow());
        let within = |number: u32| {
            fibers[number as usize].as_ref().is_some_and(|fiber| fiber.is_within_libc())
        };
        let mut tasks = BTreeSet::new();
        for (_, &slot) in owners.iter().filter(|owner| within(*owner.0)) {
            let mut task = table.slots[slot as usize].number;
            while tasks.insert(task)
                && let Some(&(parent, _)) = table.lineage.get(task as usize)
            {
                task = parent;
            }
        }
        let is_left = |slot: u32| tasks.contains(&table.slots[slot as usize].number);
        owners.iter().filter(|owner| is_left(*owner.1)).map(|owner| *owner.0).collect()
    }

    fn running_of(&self, slot: u32) -> Running {
        let table = self.table.borrow();
        let place = &table.slots[slot as usize];
        let thread = matches!(place.body, Body::Thread(_));
        Running { slot, number: place.number, path: place.path, thread, polling: !thread }
    }

    /// Lets the destructors on a fiber go on until they end or wait.
    fn go_on(self: &Rc<Self>, mut vanishing: Vanishing, waiting: &mut Vec<Vanishing>) {
        if self.spoiled.get() {
            return vanishing.fiber.abandon();
        }
        self.fiber.set(vanishing.number);
        self.running.set(vanishing.running);
        self.take_turn(vanishing.running.slot);
        self.local.set(NONE);
        let former = self.unwinding.replace(vanishing.unwinds);
        let unwinds = vanishing.unwinds && !vanishing.begun;
        vanishing.begun = true;
        let outcome = catch_unwind(AssertUnwindSafe(|| match unwinds {
            true => vanishing.fiber.begin_unwind(),
            false => vanishing.fiber.resume(),
        }));
        self.unwinding.set(former);
        match outcome {
            Ok(fiber::Outcome::Suspended) if self.spoiled.get() => vanishing.fiber.abandon(),
            Ok(fiber::Outcome::Suspended) => waiting.push(vanishing),
            // A panic that nobody catches on the fiber ends it.
            Ok(fiber::Outcome::Finished) | Err(_) => {
                self.stacks.borrow_mut().extend(vanishing.fiber.into_stack());
                self.forget_thread(vanishing.number);
                self.free_fibers.borrow_mut().push(vanishing.number);
            }
            Ok(cut_off) => {
                self.spoiled.set(true);
                vanishing.fiber.abandon();
                self.report_cut_off_as(cut_off);
            }
        }
    }

    /// A task whose destructors run is one that runs: they may wait, and then its turn ends.
    fn take_turn(&self, slot: u32) {
        let mut table = self.table.borrow_mut();
        let place = &mut table.slots[slot as usize];
        let takes = place.header.is_some() && place.flags & (flag::RUNNING | flag::DONE) == 0;
        if takes {
            table.begin_turn(slot, self.pulse.get());
        }
    }

    /// Lets all go on as long as any of them comes to its end, or begins. None is unwound while a fiber waits that may
    /// borrow from it: a scoped thread does.
    fn settle(self: &Rc<Self>, vanishing: &mut Vec<Vanishing>) {
        let begun = |list: &[Vanishing]| list.iter().filter(|it| it.begun).count();
        loop {
            let before = (vanishing.len(), begun(vanishing));
            let mut waiting: Vec<Vanishing> = Vec::new();
            for one in std::mem::take(vanishing) {
                let lends = |other: &Vanishing| self.is_ancestor(one.running, other.running);
                match one.unwinds && !one.begun && waiting.iter().any(lends) {
                    true => waiting.push(one),
                    false => self.go_on(one, &mut waiting),
                }
            }
            *vanishing = waiting;
            if (vanishing.len(), begun(vanishing)) == before || self.spoiled.get() {
                return;
            }
        }
    }

    fn is_ancestor(&self, one: Running, other: Running) -> bool {
        let table = self.table.borrow();
        let mut task = other.number;
        while let Some(&(parent, _)) = table.lineage.get(task as usize) {
            if parent == one.number {
                return true;
            }
            task = parent;
        }
        false
    }

    /// Drops the bodies of those tasks of a process that are `wanted`, on fibers; whether there were any.
    fn drop_bodies(
        self: &Rc<Self>,
        node: u32,
        wanted: impl Fn(&Body) -> bool,
        waiting: &mut Vec<Vanishing>,
    ) -> bool {
        let slots = self.table.borrow().slots_of_node(node);
        let mut any = false;
        for slot in slots {
            // A destructor of another may have dropped it.
            let is_wanted = wanted(&self.table.borrow().slots[slot as usize].body);
            if is_wanted && !self.spoiled.get() {
                any = true;
                let fiber = self.fiber_to_drop(slot);
                fiber.into_iter().for_each(|fiber| self.go_on(fiber, waiting));
            }
        }
        any
    }

    fn fiber_to_drop(self: &Rc<Self>, slot: u32) -> Option<Vanishing> {
        let body = {
            let mut table = self.table.borrow_mut();
            std::mem::replace(&mut table.slots[slot as usize].body, Body::Absent)
        };
        let stack = match self.stack() {
            Ok(stack) => stack,
            Err(error) => {
                self.report_no_stack(&error);
                let _ = drop_caught(body);
                return None;
            }
        };
        let fiber = Box::new(Fiber::new(stack, move || drop(drop_caught(body))));
        let number = self.free_fibers.borrow_mut().pop().unwrap_or_else(|| {
            let mut fibers = self.fibers.borrow_mut();
            fibers.push(None);
            fibers.len() as u32 - 1
        });
        let running = Running { thread: false, polling: true, ..self.running_of(slot) };
        Some(Vanishing { fiber, number, running, unwinds: false, begun: false })
    }

    /// Destructors that wait for what nobody gives back. One within an unwinding cannot be left: std would take the
    /// thread to be panicking for ever.
    fn leave_waiting(&self, node: u32, waiting: Vec<Vanishing>) {
        for Vanishing { fiber, number, running, unwinds, begun } in waiting {
            fiber.abandon();
            self.left_behind.set(true);
            self.free_fibers.borrow_mut().push(number);
            if unwinds && begun && !self.spoiled.replace(true) {
                let message = format!(
                    "node {} ends, and so task {} vanishes in the middle of a poll; a destructor that runs then waits \
                     for a lock that nobody gives back",
                    self.node_name(node),
                    self.task_name(running.number)
                );
                self.fail_as(FailureKind::Deadlock, message, Some(running.number));
            }
        }
    }

    /// Disarms what wakes fibers that wait within libc.
    fn forget_libc_waits(&self, node: u32) {
        let gone: VecDeque<super::kernel::Blocked> = {
            let table = self.table.borrow();
            let mut blocked = self.blocked.borrow_mut();
            let (gone, rest) = blocked
                .drain(..)
                .partition(|it| u32::from(table.slots[it.slot as usize].node) == node);
            *blocked = rest;
            gone
        };
        for blocked in gone {
            if let Some(timer) = blocked.timer {
                self.timer_cancel(timer);
            }
            self.unpark_abandoned(&blocked);
        }
    }

    /// Nobody of the process is woken any more, and no fiber of it goes on.
    fn forget_waits(&self, node: u32) {
        self.forget_libc_waits(node);
        let mut table = self.table.borrow_mut();
        let table = &mut *table;
        // Destructors may have woken some.
        self.nodes.borrow().list[node as usize]
            .all_pools()
            .into_iter()
            .for_each(|it| table.close(it));
        let is_other = |slot: u32| u32::from(table.slots[slot as usize].node) != node;
        self.held.borrow_mut().retain(|it| is_other(it.slot));
        table.suspended.retain(|it| is_other(it.slot));
        table.stopped.retain(|it| is_other(it.slot));
    }

    /// The tasks of the process have ended, for whoever joins them.
    fn end_tasks(self: &Rc<Self>, node: u32) {
        self.running.set(NOBODY);
        let slots = self.table.borrow().slots_of_node(node);
        for slot in slots {
            let number = {
                let mut table = self.table.borrow_mut();
                let place = &mut table.slots[slot as usize];
                let Some(number) = place.header.as_ref().map(|header| header.number) else {
                    continue;
                };
                if place.flags & flag::DONE != 0 {
                    // What it panicked with before is no finding any more.
                    place.flags |= if self.crash_hides.get() { flag::HIDDEN } else { 0 };
                    continue;
                }
                let runs = place.flags & flag::RUNNING != 0;
                if let (false, Some(pool)) = (runs, table.counted(slot)) {
                    pool.in_flight += 1;
                }
                number
            };
            self.complete(slot, cancelled(number));
        }
    }
}
