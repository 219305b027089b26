//! The wait-for graph at one moment: tasks, what each waits for, and who could end that.

use super::{
    Share, Wait, World,
    channels::{Has, Keeper},
    rings::descends,
    stuck::is_alive,
};
use crate::{
    point::{Access, Op, Site},
    world::table::{Slot, flag},
};
use sim_choice::Announced;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Tasks that may have an end of a channel; of more nothing is said.
const GIVEN: usize = 8;

/// All tasks that have not ended, by their numbers.
pub(super) struct Picture {
    pub(super) tasks: BTreeMap<u32, Node>,
}

/// One task.
pub(super) struct Node {
    pub(super) spawned: Option<Site>,
    /// What it announced last.
    pub(super) op: Option<Op>,
    pub(super) waits: Vec<Waiting>,
}

/// What a task waits for.
pub(super) struct Waiting {
    pub(super) op: Op,
    /// What is asked for, if the wait is for a lock or for permits.
    pub(super) share: Option<Share>,
    pub(super) edges: Vec<Edge>,
}

/// Who could end a wait, and why.
pub(super) struct Edge {
    pub(super) task: u32,
    pub(super) cause: Cause,
    pub(super) site: Option<Site>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// It took the object.
    Holds(Share),
    /// It waits for the whole of a lock that readers hold, and came first.
    Queued,
    /// It is the task that is waited for, or one of them.
    Joined,
    /// It used the other end of a channel last.
    Used(Access),
    /// It made the other end of a channel, which nobody has used.
    Made,
    /// It was spawned after the other end of the channel was made, by who made that.
    Given,
}

impl World {
    /// The graph as it is now.
    pub(super) fn picture(&self) -> Picture {
        let tasks = {
            let table = self.table.borrow();
            let alive = |slot: &&Slot| slot.header.is_some() && slot.flags & flag::DONE == 0;
            table.slots[..table.used()]
                .iter()
                .filter(alive)
                .map(|slot| {
                    let spawned = slot.header.as_ref().map(|header| header.site);
                    (slot.number, Node { spawned, op: slot.op, waits: Vec::new() })
                })
                .collect()
        };
        let mut picture = Picture { tasks };
        for wait in self.graph.borrow().waits() {
            if picture.tasks.contains_key(&wait.task) {
                let waiting = self.waiting_for(&wait, &picture.tasks);
                picture.tasks.get_mut(&wait.task).expect("it was there").waits.push(waiting);
            }
        }
        for node in picture.tasks.values_mut() {
            self.add_announced(node);
        }
        picture
    }

    fn waiting_for(&self, wait: &Wait, tasks: &BTreeMap<u32, Node>) -> Waiting {
        let graph = self.graph.borrow();
        let mut edges: Vec<Edge> = graph
            .places
            .get(wait.object as usize)
            .into_iter()
            .flat_map(|place| place.holds())
            .map(|hold| Edge {
                task: hold.task,
                cause: Cause::Holds(hold.share),
                site: Some(hold.site),
            })
            .collect();
        let by_readers = edges.iter().all(|edge| edge.cause == Cause::Holds(Share::Part));
        if wait.share == Share::Part && by_readers {
            let before = |other: &&Wait| other.object == wait.object && other.share == Share::Whole;
            let waits = graph.waits();
            let writer = waits.iter().take_while(|other| other.since < wait.since).find(before);
            if let Some(writer) = writer {
                edges.clear();
                edges.push(Edge {
                    task: writer.task,
                    cause: Cause::Queued,
                    site: Some(writer.site),
                });
            }
        }
        if let (Share::Member, Some(place)) = (wait.share, graph.places.get(wait.object as usize)) {
            let alive = place.members.iter().filter(|task| tasks.contains_key(task));
            edges.extend(alive.map(|&task| Edge { task, cause: Cause::Joined, site: None }));
        }
        if wait.share.is_of_channel() {
            edges = self.users(
                wait.object,
                if wait.share == Share::Room { Access::Receive } else { Access::Send },
            );
            drop(graph);
            edges.extend(self.makers(wait, &edges));
        }
        let share = (!wait.share.is_of_channel()).then_some(wait.share);
        let op = Op {
            object: wait.object,
            access: wait.share.access(),
            site: wait.site,
            origin: Some(wait.origin),
        };
        Waiting { op, share, edges }
    }

    /// What a task announced last is a wait too, unless it is known already.
    fn add_announced(&self, node: &mut Node) {
        let Some(op) = node.op else { return };
        let known = node.waits.iter().any(|waiting| waiting.op.object == op.object);
        if known && op.object != 0 {
            return;
        }
        let edges = match op.access {
            Access::Join if op.is_of_task() => {
                let task = op.object & !Announced::TASK;
                vec![Edge { task, cause: Cause::Joined, site: None }]
            }
            Access::Send => self.users(op.object, Access::Receive),
            Access::Receive => self.users(op.object, Access::Send),
            Access::Wait | Access::Acquire | Access::AcquireShared | Access::Libc => Vec::new(),
            // It has been done: the task waits for something else.
            _ => return,
        };
        node.waits.push(Waiting { op, share: None, edges });
    }

    /// Who else may have the other end of a channel: other senders' users; and if nobody has used any, who made it.
    fn makers(&self, wait: &Wait, known: &[Edge]) -> Vec<Edge> {
        let graph = self.graph.borrow();
        let Some(ends) = graph.ends(wait.object) else { return Vec::new() };
        let other = |task: u32| known.iter().all(|edge| edge.task != task);
        let mut edges: Vec<Edge> = Vec::new();
        let mut add = |keeper: &Keeper| {
            let site = Some(keeper.site);
            let tasks = match keeper.has {
                Has::Used if wait.share == Share::Room => Vec::new(),
                Has::Used => vec![(keeper.task, Cause::Used(Access::Send))],
                Has::Made => self.given(keeper, wait.task),
                Has::Gone | Has::Shared => Vec::new(),
            };
            for (task, cause) in tasks {
                if other(task) && edges.iter().all(|edge| edge.task != task) {
                    edges.push(Edge { task, cause, site });
                }
            }
        };
        match wait.share {
            Share::Room => add(&ends.receiver),
            _ => ends.senders().for_each(add),
        }
        edges
    }

    /// Who may have an end that nobody has used: who was spawned since it was made, unless they are many; else who
    /// made it.
    fn given(&self, keeper: &Keeper, waiter: u32) -> Vec<(u32, Cause)> {
        let table = self.table.borrow();
        let young = table.slots[..table.used()].iter().filter(|slot| {
            is_alive(slot)
                && slot.number >= keeper.spawned
                && slot.number != waiter
                && descends(&table.lineage, slot.number, keeper.task)
        });
        let mut tasks: Vec<(u32, Cause)> = young.map(|slot| (slot.number, Cause::Given)).collect();
        tasks.sort_unstable_by_key(|task| task.0);
        match tasks.len() {
            0 if keeper.task != waiter => vec![(keeper.task, Cause::Made)],
            1..=GIVEN => tasks,
            _ => Vec::new(),
        }
    }

    /// Who used an end of a channel last.
    fn users(&self, object: u32, end: Access) -> Vec<Edge> {
        let graph = self.graph.borrow();
        let user = graph.user(object, end);
        let edge = |(task, site)| Edge { task, cause: Cause::Used(end), site: Some(site) };
        user.map(edge).into_iter().collect()
    }
}

impl Picture {
    /// Tasks each of which waits for the next, and the last for the first: one such round for
    /// each group of tasks that has one, the shortest, in the order of the tasks' numbers.
    pub(super) fn cycles(&self) -> Vec<Vec<u32>> {
        let mut cycles: Vec<Vec<u32>> = Vec::new();
        let mut told: BTreeSet<u32> = BTreeSet::new();
        for task in self.behind_cycles() {
            if !told.contains(&task)
                && let Some(cycle) = self.way_back(task)
                && cycle.iter().all(|task| !told.contains(task))
            {
                told.extend(&cycle);
                cycles.push(cycle);
            }
        }
        cycles
    }

    /// The shortest way along edges from a task to itself.
    fn way_back(&self, start: u32) -> Option<Vec<u32>> {
        let mut came_from: BTreeMap<u32, u32> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(task) = queue.pop_front() {
            for next in self.next(task) {
                if next == start {
                    let mut way = vec![task];
                    while way[way.len() - 1] != start {
                        way.push(came_from[&way[way.len() - 1]]);
                    }
                    way.reverse();
                    return Some(way);
                }
                if self.tasks.contains_key(&next) && !came_from.contains_key(&next) {
                    came_from.insert(next, task);
                    queue.push_back(next);
                }
            }
        }
        None
    }

    /// The tasks that could end what a task waits for.
    pub(super) fn next(&self, task: u32) -> impl Iterator<Item = u32> {
        let waits = self.tasks.get(&task).map(|node| &node.waits[..]).unwrap_or_default();
        // One's own permits are no news, as long as others hold some too.
        let others = move |waiting: &&Waiting, edge: &&Edge| {
            edge.task != task || waiting.edges.iter().all(|edge| edge.task == task)
        };
        waits
            .iter()
            .flat_map(move |waiting| {
                waiting.edges.iter().filter(move |edge| others(&waiting, edge))
            })
            .map(|edge| edge.task)
    }

    /// The tasks from which a way along edges leads into a cycle: all but those whose ways all end.
    pub(super) fn behind_cycles(&self) -> BTreeSet<u32> {
        let mut ways: BTreeMap<u32, usize> = BTreeMap::new();
        let mut waiters: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &task in self.tasks.keys() {
            let next = self.next(task).filter(|next| self.tasks.contains_key(next));
            let next: BTreeSet<u32> = next.collect();
            ways.insert(task, next.len());
            next.iter().for_each(|&next| waiters.entry(next).or_default().push(task));
        }
        let mut ends: Vec<u32> = ways.iter().filter(|way| *way.1 == 0).map(|way| *way.0).collect();
        while let Some(end) = ends.pop() {
            ways.remove(&end);
            for waiter in waiters.remove(&end).unwrap_or_default() {
                let left = ways.get_mut(&waiter).expect("it has a way, so it is still there");
                *left -= 1;
                if *left == 0 {
                    ends.push(waiter);
                }
            }
        }
        ways.into_keys().collect()
    }
}
