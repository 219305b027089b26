//! The root of a run: it resumes fibers until the run ends, and then takes everything down.
//!
//! All scheduling happens on the fibers; the root only carries out their switches. A worker's loop
//! runs on its fiber, so that a poll that is not preempted costs no switch.

use super::{
    Body, Home, MAIN, MAIN_POOL, NONE, Outcome, Running, THREADS, World,
    table::{Target, flag},
    tasks::drop_caught,
};
use crate::{
    check::FailureKind,
    context::{self, Driving},
    point::Site,
    trace::Happened,
};
use sim_sys::fiber::{self, Fiber, Stack};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
    thread,
};

/// Stacks that are kept for the next run: what was touched of them stays in memory.
const STACKS_KEPT: usize = 1_024;

impl World {
    /// Runs `main` on a thread of the simulation and all else that can run, until `main` ends or
    /// the run fails; `None` then, or the panic of `main`.
    #[track_caller]
    pub(crate) fn drive<R>(
        self: &Rc<Self>,
        pool: u32,
        site: Site,
        main: impl FnOnce() -> R,
    ) -> Option<thread::Result<R>> {
        // Before it drives, so that the panic is printed.
        let stack = self.stack().unwrap_or_else(|error| {
            let size = self.limits.borrow().stack_size;
            panic!("failed to map a stack of {size} bytes for the main thread of a run: {error}")
        });
        let _driving = Driving::start(self);
        self.set_stopping(false);
        let slot = self.add_main(pool, site);
        let mut result = None;
        let body = || {
            let caught = catch_unwind(AssertUnwindSafe(|| {
                self.begin_thread(slot);
                main()
            }));
            match caught {
                Err(payload) if self.is_unwinding(&*payload) => resume_unwind(payload),
                caught => {
                    if let Err(payload) = &caught {
                        self.note_main_panic(&**payload);
                    }
                    result = Some(caught);
                }
            }
            self.end_main(slot);
        };
        let ((), stack) = Fiber::scope(stack, body, |main| {
            self.carry_out(main);
            self.take_down(main);
        });
        self.stacks.borrow_mut().extend(stack);
        self.running.set(super::NOBODY);
        result
    }

    /// The slot of the main thread. With one worker it shares that worker with the tasks.
    fn add_main(self: &Rc<Self>, pool: u32, site: Site) -> u32 {
        let one = self.table.borrow().pools[pool as usize].workers == 1;
        let home = Home::Pool(if one { pool } else { THREADS });
        let header = self.new_task(home, site);
        self.choices.borrow_mut().spawned(header.number, None);
        self.pool.set(pool);
        let mut table = self.table.borrow_mut();
        table.slots[header.slot as usize].body = Body::Thread(MAIN);
        table.slots[header.slot as usize].flags = flag::RUNNING;
        if let Some(pool) = table.counted(header.slot) {
            pool.in_flight += 1;
        }
        header.slot
    }

    /// Whether what was caught is the unwinding of a run that has ended, not a panic of the program.
    pub(crate) fn is_unwinding(&self, payload: &(dyn std::any::Any + Send)) -> bool {
        self.unwinding.get() && crate::task::panic_text(payload).is_none()
    }

    /// Whether fibers are unwound because the run has ended.
    pub(crate) fn is_unwound(&self) -> bool {
        self.unwinding.get()
    }

    fn note_main_panic(&self, payload: &(dyn std::any::Any + Send)) {
        let message = self.panic_message(payload);
        self.fail(FailureKind::Panic, message);
    }

    /// What the panic that was caught said, and where.
    pub(super) fn panic_message(&self, payload: &(dyn std::any::Any + Send)) -> String {
        let note = std::mem::take(&mut *self.panics.borrow_mut()).pop();
        match note {
            Some(note) => {
                let mut message = format!("{}, at {}", note.message, note.location);
                self.tell_quoted_panic(&mut message, &note.message);
                message
            }
            None => {
                crate::task::panic_text(payload).unwrap_or("a panic without a message").to_string()
            }
        }
    }

    /// A panic of main's may quote that of a task, as `unwrap` of its output does: then says where that was.
    fn tell_quoted_panic(&self, message: &mut String, panic: &str) {
        for (&number, note) in self.fallen.borrow().iter() {
            if panic.contains(&format!("{:?}", note.message)) {
                let name = self.task_name(number);
                message.push_str(&format!("\n  task {name} panicked at {}", note.location));
            }
        }
    }

    fn end_main(&self, slot: u32) {
        self.report_stuck_at_end();
        self.report_leaks();
        self.report_unjoined_nodes();
        self.tell_main_ended();
        self.set_stopping(true);
        let mut table = self.table.borrow_mut();
        if let Some(pool) = table.counted(slot) {
            pool.in_flight -= 1;
        }
        table.release(slot);
    }

    /// The identity of the thread whose fiber has begun to run.
    fn begin_thread(&self, slot: u32) {
        let table = self.table.borrow();
        let place = &table.slots[slot as usize];
        self.running.set(Running {
            slot,
            number: place.number,
            path: place.path,
            thread: true,
            polling: false,
        });
        self.op.set(None);
        self.local.set(NONE);
    }

    /// The body of a thread's fiber.
    pub(super) fn run_thread(self: &Rc<Self>, slot: u32, closure: Box<dyn FnOnce() -> Outcome>) {
        self.begin_thread(slot);
        self.event(Happened::Start(self.running.get().number));
        let outcome = closure();
        self.end_thread_locals();
        self.complete(slot, outcome);
        self.step_ended();
        self.running.set(super::NOBODY);
        let target = self.next();
        self.aim(target);
    }

    /// Polls the assigned task, and then what is picked next, until another fiber is to run.
    fn work(self: &Rc<Self>) {
        let mut slot = self.assigned.replace(NONE);
        loop {
            self.poll_task(slot);
            match self.next() {
                Target::Poll(next) if self.is_future(next) => slot = next,
                target => {
                    self.aim(target);
                    self.idle.borrow_mut().push(self.fiber.get());
                    return;
                }
            }
        }
    }

    fn is_future(&self, slot: u32) -> bool {
        matches!(self.table.borrow().slots[slot as usize].body, Body::Future(_))
    }

    /// Resumes fibers, each the one that the former gave way to.
    fn carry_out(self: &Rc<Self>, main: &mut Fiber) {
        self.next_fiber.set(MAIN);
        loop {
            let number = self.next_fiber.get();
            if number == NONE {
                if self.run_errand() || self.run_faults() {
                    continue;
                }
                return;
            }
            match self.resume(number, main) {
                fiber::Outcome::Suspended => {}
                fiber::Outcome::Finished if number == MAIN => return,
                fiber::Outcome::Finished => self.retire(number),
                cut_off => return self.report_cut_off(cut_off, number, main),
            }
        }
    }

    #[inline]
    fn resume(&self, number: u32, main: &mut Fiber) -> fiber::Outcome {
        self.fiber.set(number);
        if number == MAIN {
            return main.resume();
        }
        let fiber = self.fibers.borrow_mut()[number as usize].take();
        let mut fiber = fiber.expect("a fiber that is switched to exists");
        let outcome = fiber.resume();
        self.fibers.borrow_mut()[number as usize] = Some(fiber);
        outcome
    }

    /// Keeps the stack of a fiber that has finished.
    fn retire(&self, number: u32) {
        let fiber = self.fibers.borrow_mut()[number as usize].take();
        self.stacks.borrow_mut().extend(fiber.and_then(|fiber| fiber.into_stack()));
        self.forget_thread(number);
        self.free_fibers.borrow_mut().push(number);
    }

    #[cold]
    fn report_cut_off(&self, outcome: fiber::Outcome, number: u32, main: &mut Fiber) {
        self.spoiled.set(true);
        if number == MAIN {
            main.mark_abandoned();
        } else if let Some(fiber) = self.fibers.borrow_mut()[number as usize].take() {
            fiber.abandon();
        }
        self.report_cut_off_as(outcome);
    }

    pub(super) fn report_cut_off_as(&self, outcome: fiber::Outcome) {
        match outcome {
            fiber::Outcome::Interrupted => self.report_interrupted(),
            _ => self.report_overflow(),
        }
    }

    fn report_overflow(&self) {
        let size = self.limits.borrow().stack_size;
        let message = format!(
            "the stack of {size} bytes overflowed; is there a recursion without end? \
             Config::stack_size makes it larger"
        );
        self.fail(FailureKind::StackOverflow, message);
    }

    fn report_interrupted(&self) {
        let limit = self.limits.borrow().patience.limit;
        let since = match self.op.get() {
            Some(op) => format!("since `{}` at {}", op.access.verb(), op.site),
            None => "since its poll began, or since it woke a task".into(),
        };
        let message = format!(
            "a task ran on for {limit:?} of processor time without a scheduling point, {since}; is there a loop that \
             waits for another task without letting it run? Config::poll_limit allows more"
        );
        self.fail(FailureKind::BlockedPoll, message);
    }

    /// Marks the running fiber as left for ever, in the middle of what it did: nothing on its
    /// stack is dropped, and the thread is not used for another run.
    pub(super) fn desert(self: &Rc<Self>) {
        self.spoiled.set(true);
        self.next_fiber.set(NONE);
        self.set_stopping(true);
        fiber::suspend();
    }

    /// Ends what is still in the middle of a poll, then drops all tasks.
    fn take_down(self: &Rc<Self>, main: &mut Fiber) {
        self.set_stopping(true);
        if self.spoiled.get() {
            return self.forsake(main);
        }
        self.end_all_nodes();
        if self.spoiled.get() {
            return self.forsake(main);
        }
        self.finish_polls(main);
        if self.spoiled.get() {
            return self.forsake(main);
        }
        if main.is_suspended() {
            self.run_as(MAIN, self.owners_of_fibers().get(&MAIN).copied());
            self.unwind_caught(main);
            if main.is_suspended() {
                self.spoiled.set(true);
            }
        }
        if self.spoiled.get() {
            return self.forsake(main);
        }
        if self.owners() == 0 {
            self.running.set(super::NOBODY);
            self.clear_invariants();
            self.drop_tasks();
            self.clear_timers();
        }
        self.stacks.borrow_mut().truncate(STACKS_KEPT);
    }

    /// Lets polls that were preempted come to their end, as a runtime that shuts down waits for
    /// its workers; one that cannot is unwound.
    fn finish_polls(self: &Rc<Self>, main: &mut Fiber) {
        self.step_limit.set(self.pulse.get() + 100_000);
        self.table.borrow_mut().suspended.retain(|suspended| suspended.fiber != MAIN);
        let mut waiting = u32::MAX;
        loop {
            self.resume_suspended(main);
            let still = self.unblock_all();
            if self.spoiled.get() || still == 0 || still == waiting {
                break;
            }
            waiting = still;
        }
        // What waits within libc for a lock that nobody will give back cannot be unwound.
        if !self.table.borrow().suspended.is_empty() {
            self.spoiled.set(true);
        }
        if !self.spoiled.get() {
            self.cancel_unstarted();
            self.unwind_threads();
        }
    }

    /// Drops the closures of threads that have not begun to run.
    fn cancel_unstarted(self: &Rc<Self>) {
        let used = self.table.borrow().used() as u32;
        for slot in 0..used {
            let is_closure = {
                let table = self.table.borrow();
                matches!(table.slots[slot as usize].body, Body::Closure(_))
            };
            if is_closure {
                self.cancel(slot);
            }
        }
    }

    fn resume_suspended(self: &Rc<Self>, main: &mut Fiber) {
        loop {
            let suspended = {
                let mut table = self.table.borrow_mut();
                if table.suspended.is_empty() { None } else { Some(table.suspended.remove(0)) }
            };
            let Some(suspended) = suspended else { return };
            match self.resume(suspended.fiber, main) {
                fiber::Outcome::Suspended => {}
                fiber::Outcome::Finished if suspended.fiber == MAIN => {}
                fiber::Outcome::Finished => self.retire(suspended.fiber),
                cut_off => return self.report_cut_off(cut_off, suspended.fiber, main),
            }
        }
    }

    /// Unwinds the fibers that are neither idle nor done: threads that wait, polls that never end.
    fn unwind_threads(self: &Rc<Self>) {
        if self.fibers.borrow().len() == self.idle.borrow().len() + self.free_fibers.borrow().len()
        {
            return;
        }
        let idle = self.idle.borrow().clone();
        let mut busy: Vec<u32> = {
            let fibers = self.fibers.borrow();
            let numbers = 0..fibers.len() as u32;
            numbers.filter(|n| fibers[*n as usize].is_some() && !idle.contains(n)).collect()
        };
        // A thread may borrow from the one that started it, which therefore has to be unwound later.
        let owners = self.owners_of_fibers();
        let number = |slot: &u32| self.table.borrow().slots[*slot as usize].number;
        busy.sort_by_key(|fiber| Reverse(owners.get(fiber).map(number)));
        for number in busy {
            let fiber = self.fibers.borrow_mut()[number as usize].take();
            let Some(mut fiber) = fiber else { continue };
            self.run_as(number, owners.get(&number).copied());
            self.unwind_caught(&mut fiber);
            if self.spoiled.get() || fiber.is_suspended() {
                // It waits in libc, whose frames cannot be unwound, or in a destructor.
                self.spoiled.set(true);
                fiber.abandon();
                return;
            }
            self.stacks.borrow_mut().extend(fiber.into_stack());
            self.free_fibers.borrow_mut().push(number);
        }
    }

    /// The slots of those that wait on fibers of their own, by these fibers.
    fn owners_of_fibers(&self) -> BTreeMap<u32, u32> {
        let table = self.table.borrow();
        let slots = 0..table.used() as u32;
        let threads = slots.filter_map(|slot| match table.slots[slot as usize].body {
            Body::Thread(fiber) => Some((fiber, slot)),
            _ => None,
        });
        threads.chain(self.held.borrow().iter().map(|held| (held.fiber, held.slot))).collect()
    }

    /// The destructors of what is unwound see the thread whose they are.
    fn run_as(&self, fiber: u32, slot: Option<u32>) {
        self.fiber.set(fiber);
        match slot {
            Some(slot) => self.begin_thread(slot),
            None => self.running.set(super::NOBODY),
        }
    }

    fn unwind_caught(&self, fiber: &mut Fiber) {
        self.unwinding.set(true);
        let _ = catch_unwind(AssertUnwindSafe(|| fiber.unwind()));
        self.unwinding.set(false);
    }

    /// Drops the futures and outcomes of all tasks.
    fn drop_tasks(self: &Rc<Self>) {
        if self.table.borrow().all_free() {
            return;
        }
        let used = self.table.borrow().used() as u32;
        for slot in 0..used {
            self.cancel(slot);
        }
        for slot in 0..used {
            let done = {
                let mut table = self.table.borrow_mut();
                let place = &mut table.slots[slot as usize];
                place.flags &= !flag::WANTED;
                match std::mem::replace(&mut place.body, Body::Absent) {
                    Body::Done(outcome) => Some(outcome),
                    Body::Absent => None,
                    other => {
                        drop(table);
                        let _ = drop_caught(other);
                        continue;
                    }
                }
            };
            if let Some(outcome) = done {
                self.discard(slot, outcome);
            } else {
                let mut table = self.table.borrow_mut();
                if table.slots[slot as usize].header.is_some() {
                    let rest = table.release(slot);
                    drop(table);
                    drop(rest);
                }
            }
        }
    }

    /// After a fiber was left for ever nothing of the run may be dropped any more: locks may be
    /// held, tables half changed.
    fn forsake(self: &Rc<Self>, main: &mut Fiber) {
        main.mark_abandoned();
        for fiber in self.fibers.borrow_mut().drain(..).flatten() {
            fiber.abandon();
        }
        std::mem::forget(self.clone());
    }

    /// A stack for a fiber.
    pub(super) fn stack(&self) -> io::Result<Stack> {
        if let Some(stack) = self.stacks.borrow_mut().pop() {
            return Ok(stack);
        }
        Stack::new(self.limits.borrow().stack_size)
    }

    /// Nothing is wrong with the program: there is no room for what it does.
    #[cold]
    pub(super) fn report_no_stack(&self, error: &io::Error) {
        let size = self.limits.borrow().stack_size;
        let fibers = self.fibers.borrow().iter().flatten().count();
        let message = format!(
            "there is no stack of {size} bytes for another thread, beside those of {fibers}: {error}; \
             Config::stack_size makes them smaller, and Linux before 6.13 has no more than vm.max_map_count / 2"
        );
        self.fail(FailureKind::Setup, message);
    }

    /// Ends the idle workers; they hold no task.
    fn end_workers(&self) {
        self.quitting.set(true);
        for fiber in self.fibers.borrow_mut().drain(..) {
            let Some(mut fiber) = fiber else { continue };
            if let fiber::Outcome::Suspended = fiber.resume() {
                fiber.abandon();
            }
        }
    }

    /// Ends the world: tasks that still are there are dropped.
    pub(crate) fn shut_down(self: &Rc<Self>) {
        if self.spoiled.get() {
            return;
        }
        let _entered = context::enter(self);
        self.set_stopping(true);
        self.drop_tasks();
        self.end_workers();
    }
}

/// The body of a worker's fiber.
pub(super) fn work_for_ever() {
    loop {
        let Some(world) = context::world() else { return };
        if world.quitting.get() {
            return;
        }
        world.work();
        drop(world);
        fiber::suspend();
    }
}

const _: () = assert!(MAIN_POOL != THREADS);
