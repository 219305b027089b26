//! What happened before what: vector clocks of tasks and objects, and the data races that they show.
//!
//! A task's clock says, for each task, how much of what that one did comes before now. It is given to an
//! object by a release, a send, a notification, and taken from it by an acquire, a receive, a wait; to another
//! task by a spawn and by a wake, and from it by a join. Two accesses race if neither comes before the other, in
//! whichever order they took place. That is kept as in Flanagan and Freund, *FastTrack* (PLDI 2009): a
//! write is one epoch, reads are one a task since the last write.
//!
//! Clocks run from the first access to a shared value of a run on. An order of two accesses goes by way of
//! events between them, so that nothing before the first matters.

use super::{Home, NONE, World};
use crate::{
    check::FailureKind,
    point::{Access, Op, Site},
};
use std::{collections::BTreeMap, fmt::Write, sync::atomic::Ordering};

/// The bit of the numbers that stand for threads which tasks have in common.
const COMMON: u32 = 1 << 30;

/// For each task, how many of its publications come before; those of tasks that are not there do not.
#[derive(Clone, Debug, Default)]
struct Clock(Vec<(u32, u32)>);

impl Clock {
    fn get(&self, task: u32) -> u32 {
        match self.0.binary_search_by_key(&task, |entry| entry.0) {
            Ok(at) => self.0[at].1,
            Err(_) => 0,
        }
    }

    fn set(&mut self, task: u32, epoch: u32) {
        match self.0.binary_search_by_key(&task, |entry| entry.0) {
            Ok(at) => self.0[at].1 = epoch,
            Err(at) => self.0.insert(at, (task, epoch)),
        }
    }

    /// The later of both, task by task.
    fn join(&mut self, other: &Clock) {
        for &(task, epoch) in &other.0 {
            if self.get(task) < epoch {
                self.set(task, epoch);
            }
        }
    }
}

/// What is known of a task, or of a thread that tasks have in common.
struct Task {
    clock: Clock,
    /// The clock at its last release fence, which its relaxed stores publish.
    fence: Clock,
    /// What its relaxed loads have seen, which an acquire fence takes in.
    seen: Clock,
}

/// What is known of an object.
#[derive(Default)]
struct Published {
    clock: Clock,
    /// What receivers leave for those who send into the room that they make.
    room: Clock,
}

/// One access to a shared value.
#[derive(Clone, Copy)]
struct Past {
    task: u32,
    clock: u32,
    epoch: u32,
    site: Site,
    verb: &'static str,
    /// Where the task was spawned.
    spawned: Option<Site>,
}

/// The accesses to a shared value that others may still race with.
#[derive(Default)]
struct History {
    write: Option<Past>,
    reads: Vec<Past>,
}

/// The clocks of a run.
#[derive(Default)]
pub(super) struct Clocks {
    tasks: BTreeMap<u32, Task>,
    objects: BTreeMap<u32, Published>,
    values: BTreeMap<u32, History>,
}

/// What an atomic operation does to its object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Atomic {
    Load,
    Store,
    /// Reads and writes at once.
    Change,
}

impl Clocks {
    fn task(&mut self, number: u32) -> &mut Task {
        self.tasks.entry(number).or_insert_with(|| {
            let clock = Clock(vec![(number, 1)]);
            Task { clock, fence: Clock::default(), seen: Clock::default() }
        })
    }

    /// The task's clock, which others are given; what it does from now on is later.
    fn publish(&mut self, number: u32) -> Clock {
        let task = self.task(number);
        let clock = task.clock.clone();
        task.clock.set(number, clock.get(number) + 1);
        clock
    }

    fn give(&mut self, from: u32, to: u32) {
        let clock = self.publish(from);
        self.task(to).clock.join(&clock);
    }

    fn take_in(&mut self, number: u32, object: u32) {
        if let Some(published) = self.objects.get(&object) {
            let clock = published.clock.clone();
            self.task(number).clock.join(&clock);
        }
    }

    fn publish_to(&mut self, number: u32, object: u32) {
        let clock = self.publish(number);
        self.objects.entry(object).or_default().clock.join(&clock);
    }

    /// The first of the accesses that race with one of task `number` now; else takes note of that.
    fn access(&mut self, object: u32, writes: bool, now: Past) -> Option<Past> {
        let clock = self.task(now.clock).clock.clone();
        let now = Past { epoch: clock.get(now.clock), ..now };
        let races = |past: &&Past| past.epoch > clock.get(past.clock);
        let history = self.values.entry(object).or_default();
        let write = history.write.iter().find(races);
        let found = write.or_else(|| history.reads.iter().find(|past| writes && races(past)));
        if let Some(past) = found {
            return Some(*past);
        }
        if writes {
            *history = History { write: Some(now), reads: Vec::new() };
            return None;
        }
        match history.reads.iter_mut().find(|past| past.clock == now.clock) {
            Some(past) => *past = now,
            None => history.reads.push(now),
        }
        None
    }

    fn atomic(&mut self, number: u32, object: u32, kind: Atomic, order: Ordering) {
        use Ordering::{AcqRel, Acquire, Release, SeqCst};
        let (acquires, releases) = (
            matches!(order, Acquire | AcqRel | SeqCst),
            matches!(order, Release | AcqRel | SeqCst),
        );
        if kind != Atomic::Store
            && let Some(published) = self.objects.get(&object)
        {
            let clock = published.clock.clone();
            let task = self.task(number);
            if acquires { &mut task.clock } else { &mut task.seen }.join(&clock);
        }
        if kind == Atomic::Load {
            return;
        }
        let clock = match releases {
            true => self.publish(number),
            false => self.task(number).fence.clone(),
        };
        let published = self.objects.entry(object).or_default();
        match kind {
            // Goes on with the release sequence of the value that it read.
            Atomic::Change => published.clock.join(&clock),
            _ => published.clock = clock,
        }
    }

    fn fence(&mut self, number: u32, order: Ordering) {
        use Ordering::{AcqRel, Acquire, Release, SeqCst};
        if matches!(order, Acquire | AcqRel | SeqCst) {
            let task = self.task(number);
            let seen = std::mem::take(&mut task.seen);
            task.clock.join(&seen);
        }
        if matches!(order, Release | AcqRel | SeqCst) {
            let clock = self.publish(number);
            self.task(number).fence = clock;
        }
    }
}

impl World {
    /// Whether clocks are kept in this run.
    #[inline]
    pub(crate) fn keeps_clocks(&self) -> bool {
        self.clocks_on.get()
    }

    /// Keeps clocks from now on.
    fn start_clocks(&self) {
        self.clocks_on.set(true);
        self.set_unusual();
    }

    pub(super) fn clear_clocks(&self) {
        if self.clocks_on.replace(false) {
            *self.clocks.borrow_mut() = Clocks::default();
        }
    }

    /// The number of a task's clock: tasks of one local set, and those of a runtime with one worker, are
    /// on one thread and have one in common.
    fn clock_of(&self, slot: u32) -> u32 {
        let table = self.table.borrow();
        let place = &table.slots[slot as usize];
        match place.home {
            Home::Local(local) => COMMON | local << 1,
            Home::Pool(pool) if table.pools[pool as usize].workers == 1 => COMMON | pool << 1 | 1,
            Home::Pool(_) => place.number,
        }
    }

    /// The number of the running task's clock, if one runs.
    fn own_clock(&self) -> Option<u32> {
        let slot = self.running().slot;
        (slot != NONE).then(|| self.clock_of(slot))
    }

    /// The operation that the running task announced last takes place now.
    #[cold]
    pub(crate) fn order(&self) {
        let Some(op) = self.op.get().filter(|op| op.object != 0 && !op.is_of_task()) else {
            return;
        };
        let Some(number) = self.own_clock() else { return };
        let mut clocks = self.clocks.borrow_mut();
        match op.access {
            Access::Acquire | Access::AcquireShared | Access::Read | Access::Wait => {
                clocks.take_in(number, op.object);
            }
            Access::Release | Access::Notify | Access::Close => {
                clocks.publish_to(number, op.object);
            }
            Access::Write => {
                clocks.take_in(number, op.object);
                clocks.publish_to(number, op.object);
            }
            Access::Receive => {
                clocks.take_in(number, op.object);
                let clock = clocks.publish(number);
                clocks.objects.entry(op.object).or_default().room.join(&clock);
            }
            Access::Send => {
                if let Some(published) = clocks.objects.get(&op.object) {
                    let room = published.room.clone();
                    clocks.task(number).clock.join(&room);
                }
                clocks.publish_to(number, op.object);
            }
            _ => {}
        }
    }

    /// What was published to the object comes before what the running task does from now on.
    pub(crate) fn take_in(&self, object: u32) {
        if let Some(number) = self.own_clock() {
            self.clocks.borrow_mut().take_in(number, object);
        }
    }

    /// What the running task has done comes before what those do who take it in.
    pub(crate) fn publish(&self, object: u32) {
        if let Some(number) = self.own_clock() {
            self.clocks.borrow_mut().publish_to(number, object);
        }
    }

    /// An atomic operation of the running task takes place now.
    pub(crate) fn order_atomic(&self, object: u32, kind: Atomic, order: Ordering) {
        if let Some(number) = self.own_clock() {
            self.clocks.borrow_mut().atomic(number, object, kind, order);
        }
    }

    /// A fence of the running task.
    pub(crate) fn order_fence(&self, order: Ordering) {
        if let Some(number) = self.own_clock() {
            self.clocks.borrow_mut().fence(number, order);
        }
    }

    /// What the running task has done comes before what the task of slot `to` does from now on: it is
    /// spawned, or woken.
    #[cold]
    pub(crate) fn order_before(&self, to: u32) {
        if self.quiet.get() {
            return;
        }
        self.order_before_clock(self.clock_of(to));
    }

    fn order_before_clock(&self, to: u32) {
        if let Some(from) = self.own_clock() {
            self.clocks.borrow_mut().give(from, to);
        }
    }

    /// All that the task of slot `ended` did comes before what the running one does from now on.
    #[cold]
    pub(super) fn order_after(&self, ended: u32) {
        self.order_after_clock(self.clock_of(ended));
    }

    fn order_after_clock(&self, ended: u32) {
        if let Some(number) = self.own_clock() {
            let mut clocks = self.clocks.borrow_mut();
            let clock = clocks.task(ended).clock.clone();
            clocks.task(number).clock.join(&clock);
        }
    }

    /// The running task polls those of a local set, on its own thread: before, and after that.
    #[cold]
    pub(super) fn order_set(&self, local: u32, after: bool) {
        match after {
            true => self.order_after_clock(COMMON | local << 1),
            false => self.order_before_clock(COMMON | local << 1),
        }
    }

    /// The running task accesses a shared value; the run fails if that is a data race.
    pub(crate) fn access(&self, object: u32, writes: bool, verb: &'static str, op: Op) -> bool {
        if !self.clocks_on.get() {
            self.start_clocks();
        }
        let now = self.now_at(op.site, verb);
        let past = self.clocks.borrow_mut().access(object, writes, now);
        match past {
            None => true,
            Some(past) => {
                self.report_race(past, now, op.origin);
                false
            }
        }
    }

    /// The running task wants a value while `other` is in the middle of an access to it.
    pub(crate) fn access_within(
        &self,
        other: (u32, Site, &'static str),
        verb: &'static str,
        op: Op,
    ) {
        let (task, site, former) = other;
        let spawned = self.spawn_site(task);
        let past = Past { task, clock: 0, epoch: 0, site, verb: former, spawned };
        self.report_race(past, self.now_at(op.site, verb), op.origin);
    }

    /// An access of the running task.
    fn now_at(&self, site: Site, verb: &'static str) -> Past {
        let running = self.running();
        let clock = self.clock_of(running.slot);
        let table = self.table.borrow();
        let spawned = table.slots[running.slot as usize].header.as_ref().map(|header| header.site);
        Past { task: running.number, clock, epoch: 0, site, verb, spawned }
    }

    /// Nobody else can reach the value: its accesses so far come before all later ones.
    pub(crate) fn forget_accesses(&self, object: u32) {
        self.clocks.borrow_mut().values.remove(&object);
    }

    fn report_race(&self, past: Past, now: Past, origin: Option<Site>) {
        let mut message =
            String::from("two tasks access a value, and nothing says which of them comes first");
        for access in [past, now] {
            let name = self.task_name(access.task);
            let _ = write!(message, "\n  task {name} {} it at {}", access.verb, access.site);
            if let (Some(spawned), true) = (access.spawned, access.task != 0) {
                let _ = write!(message, " (spawned at {spawned})");
            }
        }
        if let Some(origin) = origin {
            let _ = write!(message, "\n  the value was created at {origin}");
        }
        self.fail(FailureKind::DataRace, message);
    }
}
