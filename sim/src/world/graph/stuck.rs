//! Deadlocks of some tasks, while others go on.
//!
//! A task is *stuck* if nothing can wake it but what it waits for, and only stuck tasks could end that. So
//! stuck tasks wait in circles, or behind one. Nothing else can wake a task if all its wakers are accounted
//! for: they are counted, as the task's header is. A timeout, another branch of a `select!`, a handle
//! that may abort the task are one reference more, and then nothing is said.
//!
//! Limits. A guard that owns its lock, or an owned permit, may have been given to any task; it proves nothing
//! until main has ended and all that is left is stuck. Futures that are polled through a waker of
//! their own, as those of `FuturesUnordered`, hide who waits: nothing is said. The handle of a task
//! is taken to be with who awaits it, else with who spawned the task, unless a task that was spawned later is alive
//! and not stuck: it may have got the handle. Cycles through semaphores have to stand
//! for a minute of virtual time, since whoever closes one or adds permits ends them, and so do those through channels, see
//! `channels.rs`. A run that comes to its
//! limit fails anyway: then who seems to be stuck is told, whatever could have helped.

use super::{Graph, Hold, Place, Share, Wait, WaitWaker, World, report::Cycles};
use crate::{
    check::FailureKind,
    world::table::{Body, Slot, Table, flag},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    task::Waker,
};

/// How long a cycle has to stand that somebody unknown might end.
const STANDS_NS: u64 = 60_000_000_000;

/// Even if no wait has begun, it is looked for cycles when time has gone on so often.
const LOOK_EVERY: u32 = 64;

/// Where so few wait a look costs nothing to speak of.
const FEW_WAITS: usize = 16;

/// When it was looked for cycles, and what was found.
#[derive(Default)]
pub(super) struct Watch {
    /// A wait has begun or changed since.
    pub(super) changed: bool,
    skipped: u32,
    /// The step from which on it may be looked again, where many wait.
    from_step: u64,
    /// A cycle that has to stand for some time: its waits, and when it was seen first.
    suspect: Option<(Vec<u64>, u64)>,
}

impl Watch {
    pub(super) fn clear(&mut self) {
        *self = Watch::default();
    }

    /// A look costs in proportion to those who wait, and so has to be paid for by as many steps. If all of them
    /// may be idle it is looked seldom.
    fn is_due(&mut self, now: u64, step: u64, waits: usize, idle: bool) -> bool {
        let stood = self.suspect.as_ref().is_some_and(|(_, since)| now >= since + STANDS_NS);
        if idle && !stood {
            self.skipped += 1;
            if self.skipped < LOOK_EVERY || step < self.from_step {
                return false;
            }
            self.from_step = step + 64 * waits as u64;
            (self.changed, self.skipped) = (false, 0);
            return true;
        }
        if waits > FEW_WAITS {
            if step < self.from_step {
                return false;
            }
            self.from_step = step + 8 * waits as u64;
        }
        self.skipped += 1;
        let due = self.changed || stood || self.skipped >= LOOK_EVERY;
        if due {
            (self.changed, self.skipped) = (false, 0);
        }
        due
    }
}

/// How far guards are trusted to be where they were taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Those that borrow from their lock.
    Borrowed,
    /// All, since nobody else is left who could have one.
    All,
}

/// What a task that may be stuck waits for.
pub(super) struct Stuck {
    pub(super) waits: Vec<Wait>,
    /// Tasks whose end it waits for.
    pub(super) joins: Vec<u32>,
    /// Who could abort it, if anybody.
    owner: Option<Owner>,
}

/// Who has the handle of a task.
#[derive(Clone, Copy)]
enum Owner {
    /// Who awaits it.
    Joiner(u32),
    /// Presumably who spawned the task, unless a task that was spawned later got it.
    Parent(u32),
}

pub(super) type Tasks = BTreeMap<u32, Stuck>;

impl World {
    /// Time is about to go on: reports tasks that wait for each other for ever, if there are any.
    #[inline]
    pub(in crate::world) fn finds_stuck(&self) -> bool {
        let due = {
            let mut graph = self.graph.borrow_mut();
            let waits = graph.waits.len() - graph.free.len();
            let idle = waits == graph.idle;
            waits > 0 && graph.watch.is_due(self.now.get(), self.pulse.get(), waits, idle)
        };
        due && !self.ambient.get() && self.look_for_stuck()
    }

    #[cold]
    fn look_for_stuck(&self) -> bool {
        let stuck = self.stuck(Trust::Borrowed);
        let mut graph = self.graph.borrow_mut();
        if stuck.is_empty() {
            graph.watch.suspect = None;
            return false;
        }
        if !graph.is_certain(&stuck) {
            let mut waits: Vec<u64> =
                stuck.values().flat_map(|task| &task.waits).map(|wait| wait.since).collect();
            waits.sort_unstable();
            let now = self.now.get();
            match &graph.watch.suspect {
                Some((known, since)) if *known == waits && now >= since + STANDS_NS => {}
                Some((known, _)) if *known == waits => return false,
                _ => {
                    graph.watch.suspect = Some((waits, now));
                    return false;
                }
            }
        }
        drop(graph);
        self.report_stuck(&stuck, "", Cycles::Closed);
        true
    }

    /// Main has ended: reports those that are stuck then, if there are any.
    pub(in crate::world) fn report_stuck_at_end(&self) {
        if self.ambient.get() || self.fault.borrow().is_some() || self.stopping.get() {
            return;
        }
        if self.graph.borrow().waits.len() == self.graph.borrow().free.len() {
            return;
        }
        let stuck = self.stuck_among(self.candidates(), Trust::Borrowed, false);
        if !stuck.is_empty() {
            return self.report_stuck(&stuck, ", when main ended", Cycles::Closed);
        }
        let stuck = self.stuck(Trust::All);
        // Main's own slot is still taken.
        let alive = {
            let table = self.table.borrow();
            table.slots[..table.used()].iter().filter(|slot| is_alive(slot)).count()
        };
        if !stuck.is_empty() && stuck.len() + 1 >= alive {
            self.report_stuck(&stuck, ", when main ended", Cycles::Closed);
        }
    }

    /// The run has come to a limit: reports who is stuck instead, if anybody seems to be.
    #[cold]
    pub(in crate::world) fn report_stuck_at_limit(&self, limit: &str) -> bool {
        let stuck = self.stuck(Trust::All);
        if !stuck.is_empty() {
            self.report_stuck(&stuck, &format!(", and {limit}"), Cycles::Open);
        }
        !stuck.is_empty()
    }

    fn report_stuck(&self, stuck: &Tasks, when: &str, which: Cycles) {
        let mut picture = self.picture();
        picture.tasks.retain(|task, _| stuck.contains_key(task));
        let mut message =
            format!("{} tasks can be woken by nothing but each other{when}", stuck.len());
        if stuck.len() == 1 {
            message = format!("a task can be woken by nothing but itself{when}");
        }
        self.tell(&mut message, &picture, which);
        self.fail_as(FailureKind::Deadlock, message, None);
    }

    /// The tasks that are stuck: the most of which each is blocked by others of them. Those that are so whoever has
    /// the ends of channels, else those that are if their users have them and that wait for something due.
    fn stuck(&self, trust: Trust) -> Tasks {
        let tasks = self.candidates();
        let used =
            tasks.values().flat_map(|task| &task.waits).any(|wait| wait.share.is_of_channel());
        let stuck = self.stuck_among(tasks, trust, false);
        if !stuck.is_empty() || !used {
            return stuck;
        }
        self.stuck_among(self.candidates(), trust, true)
    }

    /// All tasks that are stuck, idle ones among them.
    pub(super) fn stuck_or_idle(&self) -> Tasks {
        let mut tasks = self.candidates();
        self.look_at(Trust::Borrowed, true, &tasks).settle(&self.graph.borrow(), &mut tasks);
        tasks
    }

    fn stuck_among(&self, mut tasks: Tasks, trust: Trust, through_channels: bool) -> Tasks {
        let graph = self.graph.borrow();
        let mut look = self.look_at(trust, through_channels, &tasks);
        look.settle(&graph, &mut tasks);
        if through_channels {
            look.keep_deadlocked(&graph, &mut tasks);
        }
        tasks
    }

    fn look_at(&self, trust: Trust, through_channels: bool, tasks: &Tasks) -> Look {
        let table = self.table.borrow();
        let alive = table.slots[..table.used()].iter().filter(|slot| is_alive(slot));
        let alive: BTreeSet<u32> = alive.map(|slot| slot.number).collect();
        let stuck: BTreeSet<u32> = tasks.keys().copied().collect();
        let last_free = alive.iter().rev().copied().find(|task| !stuck.contains(task));
        let lineage = if through_channels { table.lineage.clone() } else { Vec::new() };
        Look { trust, stuck, alive, through_channels, lineage, last_free }
    }

    /// The tasks that only what they wait for can wake.
    fn candidates(&self) -> Tasks {
        let mut waits: BTreeMap<u32, Vec<Wait>> = BTreeMap::new();
        for wait in self.graph.borrow().waits() {
            waits.entry(wait.task).or_default().push(wait);
        }
        let table = self.table.borrow();
        let alive = || table.slots[..table.used()].iter().filter(|slot| is_alive(slot));
        // Who is woken by the ends of tasks.
        let mut joins: BTreeMap<*const (), Vec<u32>> = BTreeMap::new();
        for slot in alive() {
            if let Some(joiner) = &slot.joiner {
                joins.entry(joiner.data()).or_default().push(slot.number);
            }
        }
        let by_waker: BTreeMap<*const (), u32> =
            alive().map(|slot| (waker_of(slot), slot.number)).collect();
        let mut tasks = Tasks::new();
        for slot in alive() {
            let waits = waits.remove(&slot.number).unwrap_or_default();
            let joins = joins.get(&waker_of(slot)).cloned().unwrap_or_default();
            if let Some(blocking) = waits.iter().find(|wait| wait.waker == WaitWaker::Thread) {
                if self.is_held(&table, slot) {
                    let waits = vec![*blocking];
                    tasks.insert(slot.number, Stuck { waits, joins: Vec::new(), owner: None });
                }
            } else if only_these_wake(slot, &waits, joins.len()) {
                let can_abort =
                    matches!(slot.body, Body::Future(_)) && slot.flags & flag::WANTED != 0;
                let joiner = slot.joiner.as_ref().map(Waker::data);
                let owner = || match joiner.and_then(|joiner| by_waker.get(&joiner)) {
                    Some(&joiner) => Owner::Joiner(joiner),
                    None => Owner::Parent(table.lineage[slot.number as usize].0),
                };
                let owner = can_abort.then(owner);
                tasks.insert(slot.number, Stuck { waits, joins, owner });
            }
        }
        tasks
    }

    /// Whether a thread, or the fiber of a task in the middle of a poll, waits.
    fn is_held(&self, table: &Table, slot: &Slot) -> bool {
        let header = slot.header.as_ref().expect("who is alive has a header");
        let on_fiber = self.held.borrow().iter().any(|held| held.slot == header.slot);
        let as_thread = slot.flags & (flag::QUEUED | flag::RUNNING) == 0;
        let goes_on = table.suspended.iter().any(|suspended| suspended.slot == header.slot);
        (on_fiber || as_thread) && !goes_on
    }
}

pub(super) fn is_alive(slot: &Slot) -> bool {
    slot.header.is_some() && slot.flags & flag::DONE == 0
}

/// What the data of the task's own wakers is; it is only compared.
fn waker_of(slot: &Slot) -> *const () {
    slot.header.as_ref().map_or(std::ptr::null(), |header| Arc::as_ptr(header).cast())
}

/// Whether all that can wake or abort the task are the waits, so many joins, and its join handle.
fn only_these_wake(slot: &Slot, waits: &[Wait], joins: usize) -> bool {
    let Some(header) = &slot.header else { return false };
    let waiting = slot.flags & (flag::QUEUED | flag::RUNNING | flag::ABORTED) == 0;
    let direct = waits.iter().all(|wait| wait.waker == WaitWaker::By(waker_of(slot)));
    // The table has one reference, and the task or the thread itself has a waker.
    let handle = usize::from(slot.flags & flag::WANTED != 0);
    let known = 2 + handle + waits.len() + joins;
    waiting && direct && waits.len() + joins > 0 && Arc::strong_count(header) == known
}

/// Tasks that may be stuck, among those that are alive.
pub(super) struct Look {
    trust: Trust,
    pub(super) stuck: BTreeSet<u32>,
    pub(super) alive: BTreeSet<u32>,
    /// Whether who used the ends of a channel is taken to have them.
    pub(super) through_channels: bool,
    /// Parent and number among its children, by task.
    pub(super) lineage: Vec<(u32, u32)>,
    /// The latest task that is alive and not stuck.
    last_free: Option<u32>,
}

impl Look {
    /// Leaves out the tasks that are not stuck, until all are.
    fn settle(&mut self, graph: &Graph, tasks: &mut Tasks) {
        loop {
            let before = tasks.len();
            tasks.retain(|&number, task| {
                let blocks = self.blocks(graph, number, task);
                if !blocks {
                    self.free(number);
                }
                blocks
            });
            if tasks.len() == before {
                return;
            }
        }
    }

    /// A task turns out not to be stuck.
    fn free(&mut self, number: u32) {
        self.stuck.remove(&number);
        self.last_free = self.last_free.max(Some(number));
    }

    /// Whether only stuck tasks could end what a task waits for, or abort it.
    fn blocks(&self, graph: &Graph, number: u32, task: &Stuck) -> bool {
        task.owner.is_none_or(|owner| self.keeps(number, owner))
            && task.joins.iter().all(|joined| self.stuck.contains(joined))
            && task.waits.iter().all(|wait| self.blocks_wait(graph, wait))
    }

    /// Whether a task is not aborted by who has its handle.
    fn keeps(&self, number: u32, owner: Owner) -> bool {
        match owner {
            _ if self.trust == Trust::All => true,
            Owner::Joiner(joiner) => self.stuck.contains(&joiner),
            Owner::Parent(parent) => {
                self.stuck.contains(&parent) && self.last_free.is_none_or(|last| last < number)
            }
        }
    }

    fn blocks_wait(&self, graph: &Graph, wait: &Wait) -> bool {
        let Some(place) = graph.places.get(wait.object as usize) else { return false };
        let mut holds = place.holds();
        match wait.share {
            Share::Whole => holds.any(|hold| self.keeps_back(hold)),
            Share::Part => {
                holds.any(|hold| hold.share == Share::Whole && self.keeps_back(hold))
                    || graph.before(wait).any(|writer| {
                        writer.share == Share::Whole && self.stuck.contains(&writer.task)
                    })
            }
            Share::Permits(_) => {
                place.is_lock_like()
                    && place.first.is_some()
                    && holds.all(|hold| self.keeps_back(hold))
                    && graph.before(wait).all(|other| self.stuck.contains(&other.task))
            }
            Share::Room | Share::Message | Share::Reply => self.blocks_at_channel(graph, wait),
            Share::Member => {
                let mut members = place.members.iter().filter(|task| self.alive.contains(task));
                members.clone().next().is_some() && members.all(|task| self.stuck.contains(task))
            }
        }
    }

    /// Whether what was taken is not given back.
    fn keeps_back(&self, hold: &Hold) -> bool {
        self.stuck.contains(&hold.task) && (self.trust == Trust::All || !hold.owned)
    }
}

impl Graph {
    /// Those that wait for the same object and came before.
    pub(super) fn before(&self, wait: &Wait) -> impl Iterator<Item = &Wait> {
        let (object, since) = (wait.object, wait.since);
        let waits = self.waits.iter().flatten();
        waits.filter(move |other| other.object == object && other.since < since)
    }

    /// Whether nobody who is not stuck can end the waits: not so with semaphores and channels.
    fn is_certain(&self, stuck: &Tasks) -> bool {
        let locks =
            |wait: &Wait| !matches!(wait.share, Share::Permits(_)) && !wait.share.is_of_channel();
        let certain = |task: &Stuck| task.waits.iter().all(locks);
        stuck.values().all(certain)
    }
}

impl Place {
    /// Whether permits only come from those that were taken.
    fn is_lock_like(&self) -> bool {
        !self.grows && self.uncounted == 0
    }
}
