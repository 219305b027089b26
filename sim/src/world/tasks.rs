//! Spawning, polling, joining and aborting tasks.

use super::{
    Asked, Body, Header, Home, NONE, Outcome, Output, Runnable, Running, World,
    table::{Local, Woken, flag},
};
use crate::{
    check::FailureKind,
    context,
    point::Site,
    task::{Id, JoinError, coop, panic_text, task_local},
    trace::Happened,
};
use pin_project::pin_project;
use sim_choice::{Kind, Path};
use std::{
    any::Any,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    sync::{Arc, atomic::AtomicBool, atomic::Ordering::Relaxed},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Panics of tasks whose places are kept.
const FALLEN: usize = 64;

/// A future with the waker of its task.
#[pin_project]
struct Spawned<F> {
    #[pin]
    future: F,
    waker: Waker,
}

impl<F: Future<Output: 'static>> Runnable for Spawned<F> {
    fn poll(self: Pin<&mut Self>) -> Poll<Box<dyn Output>> {
        let this = self.project();
        let mut cx = Context::from_waker(this.waker);
        // The output of most tasks is `()`, whose box allocates nothing.
        this.future.poll(&mut cx).map(|output| Box::new(output) as Box<dyn Output>)
    }
}

/// A future as the table keeps it.
pub(super) fn body_of<F: Future<Output: 'static> + 'static>(
    future: F,
    header: &Arc<Header>,
) -> Body {
    Body::Future(Box::pin(Spawned { future, waker: header.clone().into() }))
}

impl World {
    /// Spawns a future into `home`.
    pub(crate) fn spawn<F>(self: &Rc<Self>, future: F, home: Home, site: Site) -> Arc<Header>
    where
        F: Future<Output: 'static> + 'static,
    {
        let header = self.new_task(home, site);
        let body = body_of(future, &header);
        self.start_task(&header, body, home);
        header
    }

    /// Starts a thread that runs `closure`, which may block.
    pub(crate) fn spawn_thread<T: 'static>(
        self: &Rc<Self>,
        closure: impl FnOnce() -> T + 'static,
        site: Site,
    ) -> Arc<Header> {
        let pool = self.pool.get();
        let home = Home::Pool(self.threads_of(pool));
        let header = self.new_task(home, site);
        let number = header.number;
        let run = move || {
            // Whatever ran last on this real thread, its runtime is that of who started it.
            context::within(|world| world.pool.set(pool));
            closure()
        };
        let body = move || match catch_unwind(AssertUnwindSafe(run)) {
            Ok(output) => Ok(Box::new(output) as Box<dyn Output>),
            Err(payload) => match context::world() {
                Some(world) if world.is_unwinding(&*payload) => resume_unwind(payload),
                Some(world) => world.panicked(number, payload),
                None => Err(Box::new(JoinError::panic(Id(number), payload))),
            },
        };
        self.start_task(&header, Body::Closure(Box::new(body)), home);
        header
    }

    /// A slot, a number and a header for a new task of the running one.
    pub(super) fn new_task(&self, home: Home, site: Site) -> Arc<Header> {
        let mut table = self.table.borrow_mut();
        let running = self.running.get();
        let (path, parent) = match table.slots.get_mut(running.slot as usize) {
            Some(parent) if running.slot != NONE => {
                parent.children += 1;
                (running.path.child(parent.children - 1), (running.number, parent.children - 1))
            }
            // Spawned from outside: a child of main, whether main has begun or not.
            _ => {
                let nth = table.spawned;
                (if nth == 0 { Path::MAIN } else { Path::MAIN.child(nth) }, (NONE, nth))
            }
        };
        let node = match home {
            Home::Pool(pool) => table.pools[pool as usize].node,
            Home::Local(_) => table.slots.get(running.slot as usize).map_or(0, |slot| slot.node),
        };
        drop(table);
        self.place_task(home, node, site, path, parent)
    }

    pub(super) fn place_task(
        &self,
        home: Home,
        node: u16,
        site: Site,
        path: Path,
        parent: (u32, u32),
    ) -> Arc<Header> {
        let mut table = self.table.borrow_mut();
        let slot = table.allocate(home, node, path, parent);
        let place = &mut table.slots[slot as usize];
        let header = Arc::new(Header {
            remote: self.remote.clone(),
            slot,
            generation: place.generation,
            number: place.number,
            site,
            finished: AtomicBool::new(false),
        });
        place.header = Some(header.clone());
        header
    }

    /// Queues a new task; one for a pool whose node has ended is cancelled, as by a runtime that was shut down.
    pub(super) fn start_task(self: &Rc<Self>, header: &Arc<Header>, body: Body, home: Home) {
        let mut closed = false;
        let waker = {
            let mut table = self.table.borrow_mut();
            if let Home::Pool(pool) = home {
                closed = table.pools[pool as usize].closed;
            }
            let place = &mut table.slots[header.slot as usize];
            place.body = body;
            place.flags |= flag::WANTED;
            if let Home::Local(local) = home
                && let Some(Some(local)) = table.locals.get_mut(local as usize)
            {
                local.owned.push(header.slot);
            }
            if closed { None } else { table.enqueue(header.slot) }
        };
        let parent = self.running.get();
        self.choices
            .borrow_mut()
            .spawned(header.number, (parent.slot != NONE).then_some(parent.number));
        if self.keeps_clocks() {
            self.order_before(header.slot);
        }
        if self.watching.get() {
            self.tell_spawned(header.number, header.site);
        }
        self.event(Happened::Spawn(header.number));
        if let Some(waker) = waker {
            self.quietly(|| waker.wake());
        }
        if closed {
            self.cancel(header.slot);
        }
    }

    /// Queues a task, unless it has ended.
    #[inline]
    pub(crate) fn wake(&self, slot: u32, generation: u32) {
        let woken = self.table.borrow_mut().wake(slot, generation);
        self.tell_woken(slot, &woken);
        if let Some(waker) = woken.set() {
            waker.wake();
        }
    }

    /// Polls a task on the fiber that runs.
    pub(super) fn poll_task(self: &Rc<Self>, slot: u32) {
        let (mut future, running, aborted, pool) = {
            let mut table = self.table.borrow_mut();
            table.begin_turn(slot, self.pulse.get());
            let place = &mut table.slots[slot as usize];
            let Body::Future(future) = std::mem::replace(&mut place.body, Body::Absent) else {
                unreachable!("a task that is polled has a future");
            };
            let running = Running {
                slot,
                number: place.number,
                path: place.path,
                thread: false,
                polling: true,
            };
            let aborted = place.flags & flag::ABORTED != 0;
            let pool = match place.home {
                Home::Pool(pool) => Some(pool),
                Home::Local(_) => None,
            };
            (future, running, aborted, pool)
        };
        let former = self.running.replace(running);
        self.op.set(None);
        let home = self.pool.replace(pool.unwrap_or(self.pool.get()));
        let budget = coop::refill();
        let poll = match aborted {
            true => Ok(Poll::Pending),
            false => catch_unwind(AssertUnwindSafe(|| future.as_mut().poll())),
        };
        if self.pulse.was_slow() {
            self.tell_slow();
        }
        match poll {
            Ok(Poll::Pending) => {
                if !self.keep(slot, future) {
                    // `keep` gave it back to be dropped: it was aborted.
                    self.complete(slot, cancelled(running.number));
                }
            }
            Ok(Poll::Ready(output)) => {
                let outcome = match drop_caught(future) {
                    Ok(()) => Ok(output),
                    Err(payload) => self.panicked(running.number, payload),
                };
                self.complete(slot, outcome);
            }
            Err(payload) => {
                if self.is_unwinding(&*payload) {
                    self.pool.set(home);
                    self.running.set(former);
                    resume_unwind(payload);
                }
                let _ = drop_caught(future);
                let outcome = self.panicked(running.number, payload);
                self.panics.borrow_mut().clear();
                self.complete(slot, outcome);
            }
        }
        coop::swap(budget);
        self.pool.set(home);
        self.step_ended();
        self.running.set(former);
        self.choices.borrow_mut().event(u64::from(running.number));
    }

    /// The outcome of a task that panicked; where it did is kept for reports.
    fn panicked(&self, number: u32, payload: Box<dyn Any + Send>) -> Outcome {
        // What is passed on by `resume_unwind` leaves no note: the last may be of another panic.
        let note = self.panics.borrow_mut().pop();
        let note = note.filter(|note| panic_text(&*payload) == Some(&*note.message));
        let mut fallen = self.fallen.borrow_mut();
        if let (Some(note), true) = (note, fallen.len() < FALLEN) {
            fallen.insert(number, note);
        }
        Err(Box::new(JoinError::panic(Id(number), payload)))
    }

    /// Where a task panicked, if that is known, to be put behind its message.
    fn place_of_panic(&self, number: u32) -> String {
        let fallen = self.fallen.borrow();
        fallen.get(&number).map(|note| format!(", at {}", note.location)).unwrap_or_default()
    }

    /// Puts a pending future back, unless its task was aborted: then the future is dropped here.
    fn keep(&self, slot: u32, future: Pin<Box<dyn Runnable>>) -> bool {
        let op = self.op.get();
        let mut table = self.table.borrow_mut();
        let place = &mut table.slots[slot as usize];
        if place.flags & flag::ABORTED != 0 {
            place.op = op.or(place.op);
            drop(table);
            let former = self.aborting.replace(self.running.number());
            let dropped = drop_caught(future);
            self.aborting.set(former);
            if let Err(payload) = dropped {
                self.complete(slot, self.panicked(self.running.get().number, payload));
                return true;
            }
            return false;
        }
        place.body = Body::Future(future);
        let waker = table.end_turn(slot, op);
        drop(table);
        if let Some(waker) = waker {
            self.quietly(|| waker.wake());
        }
        true
    }

    /// Ends a task that runs: keeps its outcome for the handle, or lets go of it.
    pub(super) fn complete(&self, slot: u32, outcome: Outcome) {
        let mut table = self.table.borrow_mut();
        if let Some(pool) = table.counted(slot) {
            pool.in_flight -= 1;
        }
        let place = &mut table.slots[slot as usize];
        place.flags = place.flags & flag::WANTED | flag::DONE;
        let header = place.header.clone().expect("a task has a header");
        let (number, home) = (place.number, place.home);
        let joiner = place.joiner.take();
        let wanted = place.flags & flag::WANTED != 0;
        if let Home::Local(local) = home
            && let Some(Some(local)) = table.locals.get_mut(local as usize)
        {
            local.owned.retain(|&owned| owned != slot);
        }
        if wanted {
            table.slots[slot as usize].body = Body::Done(outcome);
            drop(table);
        } else {
            drop(table);
            self.discard(slot, outcome);
        }
        header.finished.store(true, std::sync::atomic::Ordering::Release);
        if self.watching.get() {
            self.tell_ended(number);
        }
        self.event(Happened::Done(number));
        if let Some(joiner) = joiner {
            self.quietly(|| joiner.wake());
        }
    }

    /// Lets go of an outcome that nobody will ask for, and frees the slot.
    pub(super) fn discard(&self, slot: u32, outcome: Outcome) {
        self.report_swallowed(slot, &outcome);
        let number = self.table.borrow().slots[slot as usize].number;
        let rest = self.table.borrow_mut().release(slot);
        // The output's destructor sees its own task's id.
        let former = self.dropping.replace(number);
        let _ = drop_caught((outcome, rest));
        self.dropping.set(former);
    }

    /// A panic or an error that nobody looked at fails the run.
    fn report_swallowed(&self, slot: u32, outcome: &Outcome) {
        let (kind, what, message) = match outcome {
            Ok(output) => match (**output).error() {
                Some(error) => (FailureKind::SwallowedError, "failed", error),
                None => return,
            },
            Err(error) => match error.panic_message() {
                Some(message) => {
                    let message = message + &self.place_of_panic(error.id().0);
                    (FailureKind::SwallowedPanic, "panicked", message)
                }
                None => return,
            },
        };
        let (number, site) = {
            let table = self.table.borrow();
            let place = &table.slots[slot as usize];
            if place.flags & flag::HIDDEN != 0 {
                return;
            }
            (place.number, place.header.as_ref().map(|header| header.site))
        };
        let name = self.task_name(number);
        let site = site.map(|site| format!(", spawned at {site},")).unwrap_or_default();
        let message =
            format!("task {name}{site} {what} and nobody looked at its handle: {message}");
        self.lint(kind, message, Some(number));
    }

    /// The program has dropped the error of a task that panicked, and has not looked at it.
    pub(crate) fn report_unseen(
        &self,
        number: u32,
        spawned: Site,
        joined: Option<Site>,
        panic: Option<String>,
    ) {
        if self.stopping.get() || self.ambient.get() {
            return;
        }
        let name = self.task_name(number);
        let joined = joined.map(|site| format!(" that it was given at {site}")).unwrap_or_default();
        let panic = panic.unwrap_or_default() + &self.place_of_panic(number);
        let message = format!(
            "task {name}, spawned at {spawned}, panicked, and who joined it dropped the JoinError{joined} without \
             looking at it (lint ignored_panic): {panic}"
        );
        let level = self.limits.borrow().lints.level_of("ignored_panic");
        self.find(level, FailureKind::SwallowedPanic, message, Some(number));
    }

    /// The outcome of a task, once; else registers who waits for it.
    pub(crate) fn poll_join(&self, header: &Header, waker: &Waker) -> Poll<Outcome> {
        let mut table = self.table.borrow_mut();
        let Some(place) = table.tenant(header.slot, header.generation) else {
            return Poll::Ready(cancelled(header.number));
        };
        if let Body::Done(_) = place.body {
            if self.keeps_clocks() {
                drop(table);
                self.order_after(header.slot);
                table = self.table.borrow_mut();
            }
            let (body, rest) = table.release(header.slot);
            drop(table);
            drop(rest);
            let Body::Done(outcome) = body else { unreachable!("it was done just now") };
            return Poll::Ready(outcome);
        }
        let former = place.joiner.replace(waker.clone());
        drop(table);
        drop(former);
        Poll::Pending
    }

    /// Registers who is woken when a task ends; wakes it at once if it has.
    pub(crate) fn watch(&self, header: &Header, waker: &Waker) {
        let mut table = self.table.borrow_mut();
        let former = match table.tenant(header.slot, header.generation) {
            Some(place) if !matches!(place.body, Body::Done(_)) => {
                place.joiner.replace(waker.clone())
            }
            _ => {
                drop(table);
                return waker.wake_by_ref();
            }
        };
        drop(table);
        drop(former);
    }

    /// The handle is gone: nobody will ask for the outcome.
    pub(crate) fn detach(&self, header: &Header) {
        let mut table = self.table.borrow_mut();
        let Some(place) = table.tenant(header.slot, header.generation) else { return };
        place.flags &= !flag::WANTED;
        let joiner = place.joiner.take();
        if let Body::Done(_) = place.body {
            let Body::Done(outcome) = std::mem::replace(&mut place.body, Body::Absent) else {
                unreachable!("it was done just now")
            };
            drop(table);
            self.discard(header.slot, outcome);
        } else {
            drop(table);
        }
        drop(joiner);
    }

    /// Asks a task to end at its next await. It could do so at once, on another core: so this is a
    /// scheduling point.
    pub(crate) fn abort(self: &Rc<Self>, slot: u32, generation: u32) {
        let woken = {
            let mut table = self.table.borrow_mut();
            let Some(place) = table.tenant(slot, generation) else { return };
            if place.flags & flag::DONE != 0 || matches!(place.body, Body::Thread(_)) {
                return;
            }
            place.flags |= flag::ABORTED;
            let running = place.flags & flag::RUNNING != 0;
            if running { Woken::Nothing } else { table.wake(slot, generation) }
        };
        match woken {
            Woken::Nothing => {}
            Woken::Ready if self.gives_way_to(slot) => self.point(None),
            Woken::Ready => {}
            Woken::Set(waker) => waker.wake(),
        }
    }

    /// A waker for the thread that runs.
    pub(crate) fn thread_waker(&self) -> Waker {
        let running = self.running.get();
        let table = self.table.borrow();
        table.slots[running.slot as usize].header.clone().expect("a thread has a header").into()
    }

    /// The header of the running task.
    pub(crate) fn current_id(&self) -> Option<u32> {
        if self.dropping.get() != NONE {
            return Some(self.dropping.get());
        }
        let running = self.running.get();
        (running.slot != NONE && !(running.thread && running.number == 0)).then_some(running.number)
    }

    /// Lets the running task block while `f` runs, as a thread may.
    pub(crate) fn as_thread<R>(&self, f: impl FnOnce() -> R) -> R {
        let running = self.running.get();
        struct Restore<'a>(&'a World, Running);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.running.set(self.1);
                if !self.1.thread {
                    self.0.table.borrow_mut().slots[self.1.slot as usize].body = Body::Absent;
                }
            }
        }
        if !running.thread {
            self.table.borrow_mut().slots[running.slot as usize].body =
                Body::Thread(self.fiber.get());
        }
        self.running.set(Running { thread: true, polling: false, ..running });
        let _budget = coop::without_budget();
        let _restore = Restore(self, running);
        f()
    }

    // --- local sets

    /// A new local set.
    pub(crate) fn add_local(&self) -> u32 {
        let mut table = self.table.borrow_mut();
        table.locals.push(Some(Local::default()));
        table.locals.len() as u32 - 1
    }

    /// Sets whom a local task that becomes ready wakes; whether any is ready now.
    pub(crate) fn watch_local(&self, local: u32, waker: &Waker) -> bool {
        let mut table = self.table.borrow_mut();
        let Some(Some(local)) = table.locals.get_mut(local as usize) else { return false };
        let former = local.waker.replace(waker.clone());
        let ready = !local.ready.is_empty();
        drop(table);
        drop(former);
        ready
    }

    /// Whether all tasks of a local set have ended.
    pub(crate) fn local_is_done(&self, local: u32) -> bool {
        let table = self.table.borrow();
        !matches!(table.locals.get(local as usize), Some(Some(local)) if !local.owned.is_empty())
    }

    /// Polls one ready task of a local set, which one is a choice; false if none is ready.
    pub(crate) fn poll_local(self: &Rc<Self>, local: u32) -> bool {
        let slot = {
            let mut table = self.table.borrow_mut();
            let Some(Some(set)) = table.locals.get_mut(local as usize) else { return false };
            let count = set.ready.len() as u32;
            if count == 0 {
                return false;
            }
            let who = self.running.get().path;
            let index = self.choices.borrow_mut().choose(
                sim_choice::Lane::Schedule,
                Kind::LocalNext,
                who,
                count,
            );
            set.ready.swap_remove_front(index as usize).expect("the index is in range")
        };
        if self.watching.get() {
            self.tell_local_turn(slot);
        }
        let former = self.local.replace(local);
        let locals = task_local::swap(Vec::new());
        let op = self.op.get();
        if self.keeps_clocks() {
            self.order_set(local, false);
        }
        self.poll_task(slot);
        if self.keeps_clocks() {
            self.order_set(local, true);
        }
        self.op.set(op);
        task_local::swap(locals);
        self.local.set(former);
        true
    }

    /// Drops the tasks of a local set.
    pub(crate) fn remove_local(self: &Rc<Self>, local: u32) {
        let owned = {
            let mut table = self.table.borrow_mut();
            match table.locals.get_mut(local as usize).and_then(Option::take) {
                Some(local) => local.owned,
                None => return,
            }
        };
        let former = self.local.replace(local);
        for slot in owned {
            self.cancel(slot);
        }
        self.local.set(former);
    }

    /// A runtime has ended: drops the tasks of its pool, and takes no more.
    pub(crate) fn close_pool(self: &Rc<Self>, pool: u32) {
        let used = self.table.borrow().used() as u32;
        for slot in 0..used {
            let is_mine = {
                let table = self.table.borrow();
                let place = &table.slots[slot as usize];
                place.home == Home::Pool(pool) && place.flags & flag::RUNNING == 0
            };
            if is_mine {
                self.cancel(slot);
            }
        }
    }

    /// Ends a task that is not running by dropping its future.
    pub(crate) fn cancel(self: &Rc<Self>, slot: u32) {
        let (body, number) = {
            let mut table = self.table.borrow_mut();
            let place = &mut table.slots[slot as usize];
            if !matches!(place.body, Body::Future(_) | Body::Closure(_)) {
                return;
            }
            place.flags = place.flags & flag::WANTED | flag::RUNNING;
            let body = std::mem::replace(&mut place.body, Body::Absent);
            let number = place.number;
            if let Some(pool) = table.counted(slot) {
                pool.in_flight += 1;
            }
            (body, number)
        };
        let outcome = match drop_caught(body) {
            Ok(()) => cancelled(number),
            Err(payload) => self.panicked(number, payload),
        };
        self.complete(slot, outcome);
    }

    /// Does what foreign threads asked, if they may take part; whether there was anything.
    pub(super) fn take_remote(self: &Rc<Self>, wait: Duration) -> bool {
        let asked = context::outside(|| {
            self.remote.take(if self.ambient.get() { wait } else { Duration::ZERO })
        });
        self.quietly(|| {
            for &(slot, generation, asked) in &asked {
                match asked {
                    Asked::Wake => self.wake(slot, generation),
                    Asked::Abort => self.abort(slot, generation),
                }
            }
        });
        !asked.is_empty()
    }
}

/// The outcome of a task that was aborted, or whose runtime ended before it did.
pub(super) fn cancelled(number: u32) -> Outcome {
    Err(Box::new(JoinError::cancelled(Id(number))))
}

/// Drops a value of the program's; a panic of its destructor is given, not passed on.
pub(crate) fn drop_caught<T>(value: T) -> Result<(), Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(|| drop(value)))
}

/// Whether the header's task has ended.
pub(crate) fn is_finished(header: &Header) -> bool {
    header.finished.load(Relaxed)
}

/// The simulation of a handle, if this thread has it.
pub(crate) fn world_of(header: &Header) -> Option<Rc<World>> {
    context::find(&header.remote)
}
