//! Locks that tasks take in both orders: the lint `lock_order`, which speaks in runs without a deadlock too.
//!
//! A pair is told if two tasks took the two locks in opposite orders, the first still being alive when the
//! second did so, and the second having been there when the first did; if no lock that both held around
//! keeps them apart; and if the two shares of neither lock can be held at once. What only signals keep
//! apart, such as a message sent in between, is not seen: then the order is still better made one.

use super::{Graph, Hold, Object, Share, Site, World, stuck::is_alive};
use crate::{
    check::FailureKind,
    world::{Running, table::Table},
};
use sim_choice::Path;
use std::collections::{BTreeMap, BTreeSet};

/// Tasks of which is kept that they took two locks in one order.
const TAKERS_KEPT: usize = 8;
/// Tasks of which is kept that they were there.
const BESIDE: usize = 256;

/// A lock that a task holds.
#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) object: u32,
    pub(super) share: Share,
    pub(super) site: Site,
}

/// A task took two locks, one after the other.
pub(super) struct Nested {
    task: u32,
    pub(super) first: Held,
    pub(super) second: Held,
    /// What it held besides.
    pub(super) gates: Vec<Held>,
    /// How many tasks there were.
    spawned: u32,
    /// For other runs: its path, where it was spawned if it is not main, and who was there beside.
    pub(super) path: Path,
    pub(super) site: Option<Site>,
    pub(super) beside: Vec<Path>,
}

/// The orders in which locks were taken.
#[derive(Default)]
pub(super) struct Orders {
    /// The locks that tasks hold, by their numbers.
    held: Vec<Vec<Held>>,
    /// By first and second lock.
    nested: BTreeMap<(u32, u32), Vec<Nested>>,
    told: BTreeSet<(u32, u32)>,
}

impl Orders {
    pub(super) fn clear(&mut self) {
        self.held.iter_mut().for_each(Vec::clear);
        // Most runs have none, and to clear an empty map costs more than to look.
        if !self.nested.is_empty() {
            self.nested.clear();
            self.told.clear();
        }
    }

    /// A task has taken a lock; whether it holds others.
    #[inline]
    pub(super) fn take(&mut self, object: u32, hold: &Hold) -> bool {
        let index = hold.task as usize;
        if index >= self.held.len() {
            if hold.task == super::NONE {
                return false;
            }
            self.add_tasks(index);
        }
        let held = &mut self.held[index];
        held.push(hold.held(object));
        held.len() > 1
    }

    #[cold]
    #[inline(never)]
    fn add_tasks(&mut self, last: usize) {
        self.held.resize_with(last + 1, Vec::new);
    }

    /// What a task took is given back, by whomever.
    #[inline]
    pub(super) fn give_back(&mut self, object: u32, task: u32) {
        if let Some(held) = self.held.get_mut(task as usize)
            && let Some(at) = held.iter().rposition(|held| held.object == object)
        {
            if at + 1 == held.len() {
                held.pop();
            } else {
                held.swap_remove(at);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nested.is_empty()
    }

    pub(super) fn nested(&self) -> impl Iterator<Item = &Nested> {
        self.nested.values().flatten()
    }

    /// Notes in which orders a task has taken the last lock; gives those that took a pair in the other order.
    fn note(&mut self, table: &Table, running: Running, object: u32) -> Vec<(Nested, Nested)> {
        let (task, spawned) = (running.number, table.spawned);
        let held = self.held[task as usize].clone();
        let Some(&second) = held.iter().rfind(|held| held.object == object) else { return vec![] };
        let mut found = Vec::new();
        for &first in held.iter().filter(|held| held.object != object) {
            let others = |gate: &&Held| gate.object != object && gate.object != first.object;
            let gates = held.iter().filter(others).copied().collect();
            let (path, site, beside) = (running.path, None, Vec::new());
            let nested = Nested { task, first, second, gates, spawned, path, site, beside };
            let reversed = self.nested.get(&(object, first.object));
            if let Some(other) = reversed.and_then(|list| list.iter().find(|it| it.meets(&nested)))
            {
                found.push((other.copy(), nested.copy()));
            }
            let list = self.nested.entry((first.object, object)).or_default();
            if list.len() < TAKERS_KEPT && list.iter().all(|known| !known.is_as(&nested)) {
                let site = (task != 0).then(|| site_of(table, running.slot)).flatten();
                list.push(Nested { site, beside: all_beside(table), ..nested });
            }
        }
        found
    }
}

/// Where the task of a slot was spawned.
fn site_of(table: &Table, slot: u32) -> Option<Site> {
    Some(table.slots.get(slot as usize)?.header.as_ref()?.site)
}

/// The paths of the tasks that have not ended.
fn all_beside(table: &Table) -> Vec<Path> {
    let alive = table.slots[..table.used()].iter().filter(|slot| is_alive(slot));
    alive.take(BESIDE).map(|slot| slot.path).collect()
}

impl Nested {
    /// Whether the two could wait for each other: this one came first.
    fn meets(&self, later: &Nested) -> bool {
        let apart =
            |one: &Held, other: &Held| one.share == Share::Whole || other.share == Share::Whole;
        let gated = self.gates.iter().any(|gate| {
            later.gates.iter().any(|other| other.object == gate.object && apart(gate, other))
        });
        self.task != later.task
            && later.task < self.spawned
            && apart(&self.first, &later.second)
            && apart(&self.second, &later.first)
            && !gated
    }

    /// Whether it says no more than another.
    fn is_as(&self, other: &Nested) -> bool {
        let gates =
            |nested: &Nested| nested.gates.iter().map(|gate| gate.object).collect::<Vec<_>>();
        self.task == other.task
            && (self.first.share, self.second.share) == (other.first.share, other.second.share)
            && gates(self) == gates(other)
    }

    fn copy(&self) -> Nested {
        Nested { gates: Vec::new(), beside: Vec::new(), ..*self }
    }
}

impl World {
    /// The running task holds another lock beside `object`, which it has just waited for.
    #[cold]
    pub(super) fn look_at_order(&self, object: u32) {
        let task = self.running.number();
        let running = self.running.get();
        let found = self.graph.borrow_mut().orders.note(&self.table.borrow(), running, object);
        for (earlier, later) in found {
            let pair = (
                earlier.first.object.min(later.first.object),
                earlier.first.object.max(later.first.object),
            );
            // Who has ended is known to have come before, or it was chance: then another run tells.
            if self.spawn_site(earlier.task).is_none()
                || self.graph.borrow().orders.told.contains(&pair)
            {
                continue;
            }
            self.graph.borrow_mut().orders.told.insert(pair);
            let message = self.told_order(&earlier, &later);
            self.lint(FailureKind::LockOrder, message, Some(task));
        }
    }

    /// A lock as a warning names it.
    fn lock_name(&self, graph: &Graph, object: u32) -> String {
        let origin = graph.places.get(object as usize).and_then(|place| place.origin);
        let created =
            origin.map_or("of unknown origin".to_string(), |origin| format!("created at {origin}"));
        match self.given_name(object) {
            Some(name) => format!("{name} ({created})"),
            None => format!("the one {created}"),
        }
    }

    /// By places alone, so that many runs give one warning.
    fn told_order(&self, earlier: &Nested, later: &Nested) -> String {
        let graph = self.graph.borrow();
        let mut takes: Vec<String> = [earlier, later]
            .map(|nested| {
                let who = match self.spawn_site(nested.task) {
                    Some(site) if nested.task != 0 => format!("a task spawned at {site}"),
                    _ => "main".to_string(),
                };
                let (first, second) = (nested.first, nested.second);
                format!(
                    "{who} takes {} at {} and then {} at {}",
                    self.lock_name(&graph, first.object),
                    first.site,
                    self.lock_name(&graph, second.object),
                    second.site
                )
            })
            .into();
        takes.sort();
        format!("two locks are taken in both orders: {}; {}", takes[0], takes[1])
    }
}

/// How a lock was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct How {
    /// The guard keeps the lock alive, and may be given to any task.
    pub(crate) owned: bool,
    /// Without waiting: no order of locks can make it wait.
    pub(crate) tried: bool,
}

impl World {
    /// The running task has taken a share of a lock; whoever waited for it may have done so in the wrong order.
    #[inline]
    pub(super) fn hold_lock(&self, object: &Object, hold: Hold, how: How) {
        let number = object.number_in(self);
        let (torn, nested) = {
            let mut graph = self.graph.borrow_mut();
            let place = graph.place(number);
            place.origin = Some(object.site());
            place.taken += 1;
            place.take(hold);
            let torn = place.torn.is_some();
            (torn, graph.orders.take(number, &hold))
        };
        if torn {
            self.report_torn(number, &hold);
        }
        if nested && !how.tried {
            self.look_at_order(number);
        }
    }
}
