//! What might still end a cycle that is no deadlock for certain: timers, abort handles, other branches.
//!
//! Nothing is reported while there is any of these. Once the run fails by a limit, they are told.

use super::{World, picture::Picture};
use crate::{
    point::{Access, Site},
    world::{
        Action,
        table::{Slot, flag},
    },
};
use std::{fmt::Write, sync::Arc};

/// Ways out that are told of one cycle.
const TOLD: usize = 8;

/// A handle that can abort a task.
#[derive(Clone, Copy)]
pub(super) struct Aborter {
    task: u32,
    made: Site,
    by: u32,
}

impl World {
    /// The running task has made a handle that can abort a task.
    pub(crate) fn add_aborter(&self, task: u32, made: Site) {
        let by = self.running.number();
        self.graph.borrow_mut().aborters.push(Aborter { task, made, by });
    }

    /// Such a handle is gone.
    pub(crate) fn remove_aborter(&self, task: u32, made: Site) {
        let mut graph = self.graph.borrow_mut();
        let is_it = |aborter: &Aborter| aborter.task == task && std::ptr::eq(aborter.made, made);
        if let Some(at) = graph.aborters.iter().position(is_it) {
            graph.aborters.swap_remove(at);
        }
    }

    /// The run comes to a limit: cycles of tasks that something could still have ended, and what.
    pub(in crate::world) fn tell_open_cycles(&self, message: &mut String) {
        let picture = self.picture();
        for cycle in picture.cycles() {
            if !picture.is_idle(&cycle) {
                self.tell_cycle(message, &picture, &cycle);
                self.tell_ways_out(message, &picture, &cycle);
            }
        }
    }

    /// A line of all that might end a cycle, if there is anything.
    pub(super) fn tell_ways_out(&self, message: &mut String, picture: &Picture, cycle: &[u32]) {
        let ways: Vec<String> =
            cycle.iter().flat_map(|&number| self.ways_out(picture, cycle, number)).collect();
        if ways.is_empty() {
            return;
        }
        let _ = write!(message, "\n  the cycle might still be ended by ");
        message.push_str(&ways[..ways.len().min(TOLD)].join("; by "));
        if ways.len() > TOLD {
            let _ = write!(message, "; and by {} more", ways.len() - TOLD);
        }
    }

    fn ways_out(&self, picture: &Picture, cycle: &[u32], number: u32) -> Vec<String> {
        let name = self.task_name(number);
        let mut ways = Vec::new();
        let (own, wanted, parent, known) = {
            let table = self.table.borrow();
            let mut slots = table.slots[..table.used()].iter();
            let is_it = |slot: &&Slot| slot.number == number && slot.header.is_some();
            let Some(slot) = slots.find(is_it) else { return ways };
            let header = slot.header.as_ref().expect("it was there just now");
            let wanted = slot.flags & flag::WANTED != 0;
            (
                Arc::as_ptr(header).cast::<()>(),
                wanted && slot.joiner.is_none(),
                table.lineage[number as usize].0,
                Arc::strong_count(header) - 2 - usize::from(wanted),
            )
        };
        let mut accounted = self.joins_of(own);
        for action in self.timers.borrow().iter() {
            if let Action::Wake(waker, site) = action
                && waker.data() == own
            {
                // The alarm has a waker too, to tell whether it is to be changed.
                accounted += 2;
                let site = site.map_or(String::new(), |site| format!(", set at {site}"));
                ways.push(format!("a timer of task {name}{site}"));
            }
        }
        let graph = self.graph.borrow();
        for aborter in graph.aborters.iter().filter(|aborter| aborter.task == number) {
            accounted += 1;
            let by = self.task_name(aborter.by);
            ways.push(format!(
                "a handle that can abort task {name}, made by task {by} at {}",
                aborter.made
            ));
        }
        let node = picture.tasks.get(&number);
        let waits = node.map_or(&[][..], |node| &node.waits);
        accounted += graph.waits.iter().flatten().filter(|wait| wait.task == number).count();
        for waiting in waits {
            let inside = waiting.edges.iter().any(|edge| cycle.contains(&edge.task));
            let sleeps = waiting.op.access == Access::Wait;
            if !inside && !sleeps {
                ways.push(format!(
                    "what else task {name} waits for, at {}",
                    self.named(&waiting.op)
                ));
            }
        }
        if wanted && !cycle.contains(&parent) && picture.tasks.contains_key(&parent) {
            ways.push(format!(
                "the handle of task {name}, which task {} may have that spawned it",
                self.task_name(parent)
            ));
        }
        if known > accounted {
            ways.push(format!("somebody else who can wake task {name}"));
        }
        ways
    }

    /// How many tasks wake who has that waker when they end.
    fn joins_of(&self, own: *const ()) -> usize {
        let table = self.table.borrow();
        let slots = table.slots[..table.used()].iter();
        slots.filter(|slot| slot.joiner.as_ref().is_some_and(|joiner| joiner.data() == own)).count()
    }
}

impl Picture {
    /// Whether all in a cycle wait for messages, as servers do.
    fn is_idle(&self, cycle: &[u32]) -> bool {
        cycle.iter().enumerate().all(|(at, task)| {
            let next = cycle[(at + 1) % cycle.len()];
            let waits = self.tasks.get(task).map_or(&[][..], |node| &node.waits);
            let leads = waits.iter().find(|it| it.edges.iter().any(|edge| edge.task == next));
            leads.is_some_and(|waiting| waiting.op.access == Access::Receive)
        })
    }
}
