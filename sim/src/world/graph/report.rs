//! Deadlocks in words: cycles first, each with the places where its tasks hold and wait, then who
//! waits behind them, then who waits for what nobody is left to do.

use super::{
    Share, World,
    picture::{Cause, Edge, Node, Picture, Waiting},
};
use crate::{
    check::FailureKind,
    point::{Access, Op},
};
use std::fmt::Write;

/// Holders of one object that are told; the others are counted.
const HOLDERS_TOLD: usize = 8;

/// Whether anything could end the cycles that are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cycles {
    /// Nothing could.
    Closed,
    /// Something might, and is told.
    Open,
}

impl World {
    /// Nothing can run, no timer is armed: says who waits for what, and who holds that.
    #[cold]
    pub(in crate::world) fn report_deadlock(&self) {
        let mut message = String::from("no task can go on, and no timer is armed");
        self.tell(&mut message, &self.picture(), Cycles::Closed);
        self.tell_nodes(&mut message);
        self.fail_as(FailureKind::Deadlock, message, None);
    }

    /// Who waits for what now, and who holds that.
    pub(in crate::world) fn tell_waiting(&self, message: &mut String) {
        self.tell(message, &self.picture(), Cycles::Open);
        self.tell_nodes(message);
    }

    /// All of a picture: the cycles first.
    pub(super) fn tell(&self, message: &mut String, picture: &Picture, which: Cycles) {
        let cycles = picture.cycles();
        for cycle in &cycles {
            self.tell_cycle(message, picture, cycle);
            if which == Cycles::Open {
                self.tell_ways_out(message, picture, cycle);
            }
        }
        let in_cycles: Vec<u32> = cycles.concat();
        let behind = picture.behind_cycles();
        for (&number, node) in picture.tasks.iter().filter(|task| !in_cycles.contains(task.0)) {
            self.tell_task(message, number, node, None);
            if behind.contains(&number) {
                message.push_str("; it waits behind the cycle");
            }
        }
    }

    /// A line for the whole cycle, and one for each of its edges.
    pub(super) fn tell_cycle(&self, message: &mut String, picture: &Picture, cycle: &[u32]) {
        let round = cycle.iter().chain(&cycle[..1]);
        let names: Vec<String> = round.map(|&number| self.task_name(number)).collect();
        let _ = write!(message, "\n  cycle: {}", names.join(" -> "));
        for (at, number) in cycle.iter().enumerate() {
            let next = cycle[(at + 1) % cycle.len()];
            if let Some(node) = picture.tasks.get(number) {
                self.tell_task(message, *number, node, Some(next));
            }
        }
    }

    /// A task, and what it waits for; if it is known who of several matters, that first.
    fn tell_task(&self, message: &mut String, number: u32, node: &Node, next: Option<u32>) {
        let _ = write!(message, "\n  task {}", self.task_name(number));
        if let (Some(site), true) = (node.spawned, number != 0) {
            let _ = write!(message, " (spawned at {site})");
        }
        if node.waits.is_empty() {
            message.push_str(" waits for something that is not of sim");
            if let Some(op) = node.op {
                let _ = write!(message, ", since {}", self.named(&op));
            }
            return;
        }
        let leads = |waiting: &&Waiting| {
            next.is_some_and(|next| waiting.edges.iter().any(|edge| edge.task == next))
        };
        let (first, rest): (Vec<&Waiting>, Vec<&Waiting>) = node.waits.iter().partition(leads);
        for (at, waiting) in first.into_iter().chain(rest).enumerate() {
            if at > 0 {
                message.push_str("; and it");
            }
            if let Some(socket) = self.socket_awaited(&waiting.op) {
                let _ = write!(message, " waits at {socket}");
                continue;
            }
            match waiting.op.access {
                // The place is that of our own hook.
                Access::Libc => {
                    message.push_str(" waits within libc, for a lock, a park or a sleep of std");
                }
                _ => {
                    let _ = write!(message, " waits at {}", self.named(&waiting.op));
                }
            }
            self.tell_holders(message, waiting, number, next);
        }
    }

    /// Who could end a wait.
    fn tell_holders(
        &self,
        message: &mut String,
        waiting: &Waiting,
        number: u32,
        next: Option<u32>,
    ) {
        if waiting.edges.is_empty() {
            return self.tell_nobody(message, waiting, number);
        }
        let leads = |edge: &&Edge| Some(edge.task) == next;
        let (first, rest): (Vec<&Edge>, Vec<&Edge>) = waiting.edges.iter().partition(leads);
        let count = waiting.edges.len();
        for (at, edge) in first.into_iter().chain(rest).take(HOLDERS_TOLD).enumerate() {
            message.push_str(if at == 0 { ", " } else { " and " });
            let name = match edge.task == number {
                true => "it itself".to_string(),
                false => format!("task {}", self.task_name(edge.task)),
            };
            let ended = !self.is_alive(edge.task);
            let _ = match edge.cause {
                Cause::Holds(share) => {
                    let (what, how) = match share {
                        Share::Part => ("which".to_string(), " for reading"),
                        Share::Permits(1) => ("of which".to_string(), " a permit"),
                        Share::Permits(permits) => (format!("of which {permits} permits"), ""),
                        _ => ("which".to_string(), ""),
                    };
                    write!(message, "{what} {name} took{how}")
                }
                Cause::Queued => {
                    write!(message, "where {name} waits to write, since it came first,")
                }
                Cause::Joined => write!(message, "which is {name}"),
                Cause::Used(Access::Send) => write!(message, "to which {name} sent last"),
                Cause::Used(_) => write!(message, "from which {name} received last"),
                Cause::Made => write!(message, "whose other end, not used yet, {name} made"),
                Cause::Given => write!(message, "whose other end {name} may have been given, made"),
            };
            if let Some(site) = edge.site {
                let _ = write!(message, " at {site}");
            }
            if ended && edge.cause != Cause::Joined {
                message.push_str(" and has ended since");
            }
        }
        if count > HOLDERS_TOLD {
            let _ = write!(message, " and {} more", count - HOLDERS_TOLD);
        }
        self.tell_forgotten(message, waiting.op.object);
    }

    /// Why nobody is known who could end a wait.
    fn tell_nobody(&self, message: &mut String, waiting: &Waiting, number: u32) {
        let Some(share) = waiting.share else {
            message.push_str(match waiting.op.access {
                Access::Send | Access::Receive => ", whose other end nobody has used",
                Access::Wait => ", and nobody is left who could end that",
                _ => "",
            });
            return;
        };
        let graph = self.graph.borrow();
        let waits = graph.waits();
        let first = waits.iter().find(|wait| wait.object == waiting.op.object);
        let lock = matches!(share, Share::Whole | Share::Part);
        match first {
            // A lock is free and yet not given: the first in its queue has it, and does not look.
            Some(first) if lock && first.task == number => message.push_str(
                ", which nobody holds: it was given to a future of this task that is not polled any more",
            ),
            Some(first) if lock => {
                let _ = write!(
                    message,
                    ", which nobody holds: it was given to task {}, at {}, which does not poll for it",
                    self.task_name(first.task),
                    first.site
                );
            }
            _ if share == Share::Member => {}
            _ => message.push_str(", of which nobody holds a permit"),
        }
        drop(graph);
        self.tell_forgotten(message, waiting.op.object);
    }

    /// Permits that will not come back.
    fn tell_forgotten(&self, message: &mut String, object: u32) {
        let graph = self.graph.borrow();
        let Some(place) = graph.places.get(object as usize) else { return };
        for hold in place.forgotten.iter().take(HOLDERS_TOLD) {
            let permits = match hold.share.units() {
                1 => "a permit was".to_string(),
                permits => format!("{permits} permits were"),
            };
            let name = self.task_name(hold.task);
            let _ =
                write!(message, "; {permits} taken by task {name} at {} and forgotten", hold.site);
        }
    }

    fn is_alive(&self, number: u32) -> bool {
        self.spawn_site(number).is_some()
    }

    /// Where, what, and of which object.
    pub(super) fn named(&self, op: &Op) -> String {
        let mut text = format!("{}: {}", op.site, op.access.verb());
        if let Some(origin) = op.origin {
            let _ = match op.object {
                0 => write!(text, " (of {origin})"),
                _ if op.is_of_task() => write!(text, " (of {origin})"),
                object => write!(text, " {} (created at {origin})", self.object_name(object)),
            };
        }
        text
    }
}
