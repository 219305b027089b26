//! Rings of waits that lead through channels, and which of them are deadlocks.
//!
//! Two actors that have senders of each other and wait for messages are idle, which is legal. A ring is a deadlock
//! if somebody in it also waits for something that is due: room, a lock, permits, the end of a task.

use super::{
    Graph, Share, Wait,
    channels::{Has, Keeper},
    stuck::{Look, Tasks},
};
use std::collections::{BTreeMap, BTreeSet};

/// Tasks spawned since an end was made or used that are looked at; of more nothing is said.
const SINCE: u32 = 1_024;

impl Look {
    /// Whether only stuck tasks can end the wait for what a channel gives.
    pub(super) fn blocks_at_channel(&self, graph: &Graph, wait: &Wait) -> bool {
        let Some(ends) = graph.ends(wait.object).filter(|_| self.through_channels) else {
            return false;
        };
        match wait.share {
            Share::Room => {
                !ends.reserves
                    && self.is_kept(graph, &ends.receiver)
                    && graph.before(wait).all(|other| self.stuck.contains(&other.task))
            }
            _ => {
                let mut senders = ends.senders();
                !ends.others_send
                    && senders.clone().next().is_some()
                    && senders.all(|keeper| self.is_kept(graph, keeper))
            }
        }
    }

    /// Whether an end is with a stuck task for certain.
    fn is_kept(&self, graph: &Graph, keeper: &Keeper) -> bool {
        let known = matches!(keeper.has, Has::Made | Has::Used) && !graph.may_be_sent(keeper);
        let since = self.since(keeper);
        known
            && since.is_some_and(|since| {
                let with_keeper = self.stuck.contains(&keeper.task);
                let given = keeper.has == Has::Made && !self.alive.contains(&keeper.task);
                since.iter().all(|task| self.stuck.contains(task))
                    && (with_keeper || given && !since.is_empty())
            })
    }

    /// The tasks that descend from the keeper of an end and were spawned since, so that they may have been given it;
    /// `None` if they are many.
    fn since(&self, keeper: &Keeper) -> Option<Vec<u32>> {
        let young = self.alive.range(keeper.spawned..).copied();
        let (mut found, mut looked) = (Vec::new(), 0);
        for task in young {
            looked += 1;
            if looked > SINCE {
                return None;
            }
            if descends(&self.lineage, task, keeper.task) {
                found.push(task);
            }
        }
        Some(found)
    }

    /// Who can have an end, waited for by `waiter`: who used it, or who made it and those that were given it.
    fn holders(&self, keeper: &Keeper, waiter: u32) -> Vec<u32> {
        let since = self.since(keeper).unwrap_or_default();
        let own = keeper.has == Has::Made && keeper.task == waiter && !since.is_empty();
        let maker = (!own).then_some(keeper.task);
        match keeper.has {
            Has::Made => maker.into_iter().chain(since).collect(),
            _ => vec![keeper.task],
        }
    }

    /// Keeps the tasks that are in a deadlock or behind one, and leaves out those that are only idle.
    pub(super) fn keep_deadlocked(&self, graph: &Graph, tasks: &mut Tasks) {
        let ways: BTreeMap<u32, Vec<(u32, bool)>> =
            tasks.iter().map(|(&number, _)| (number, self.ways(graph, tasks, number))).collect();
        let mut dead: BTreeSet<u32> = BTreeSet::new();
        for (&from, next) in &ways {
            let due = next.iter().filter(|way| way.1);
            dead.extend(due.map(|way| way.0).filter(|&to| to == from || leads(&ways, to, from)));
        }
        let behind = |number: &u32| {
            dead.contains(number) || dead.iter().any(|&to| leads(&ways, *number, to))
        };
        tasks.retain(|number, _| behind(number));
    }

    /// The stuck tasks that a stuck task waits for, and whether for something that is due.
    fn ways(&self, graph: &Graph, tasks: &Tasks, number: u32) -> Vec<(u32, bool)> {
        let task = &tasks[&number];
        let mut ways: Vec<(u32, bool)> = task.joins.iter().map(|&joined| (joined, true)).collect();
        for wait in &task.waits {
            let Some(place) = graph.places.get(wait.object as usize) else { continue };
            let holders: Vec<u32> = match (wait.share, graph.ends(wait.object)) {
                (Share::Room, Some(ends)) => self.holders(&ends.receiver, number),
                (Share::Message | Share::Reply, Some(ends)) => {
                    ends.senders().flat_map(|keeper| self.holders(keeper, number)).collect()
                }
                (Share::Member, _) => place.members.clone(),
                (Share::Part, _) => {
                    let writers = graph.before(wait).filter(|other| other.share == Share::Whole);
                    let holds = place.holds().map(|hold| hold.task);
                    holds.chain(writers.map(|writer| writer.task)).collect()
                }
                _ => place.holds().map(|hold| hold.task).collect(),
            };
            ways.extend(holders.into_iter().map(|holder| (holder, !wait.share.is_idle())));
        }
        ways.retain(|way| tasks.contains_key(&way.0));
        ways
    }
}

/// Whether a task was spawned by another, or by one that it spawned.
pub(super) fn descends(lineage: &[(u32, u32)], task: u32, from: u32) -> bool {
    let parents = std::iter::successors(Some(task), |&at| lineage.get(at as usize).map(|of| of.0));
    parents.skip(1).any(|parent| parent == from)
}

/// Whether a way leads from one task to the other.
fn leads(ways: &BTreeMap<u32, Vec<(u32, bool)>>, from: u32, to: u32) -> bool {
    let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
    while let Some(at) = todo.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            todo.extend(ways.get(&at).into_iter().flatten().map(|way| way.0));
        }
    }
    false
}
