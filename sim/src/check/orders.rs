//! Locks that different runs of a check took in different orders: the lint `lock_order` across runs.
//!
//! It may be that no run takes them in both, since the order goes with another choice; yet a run could, if both
//! tasks are there at once: each has to have been there when the other took its two locks.

use crate::world::{Order, Warning};
use std::collections::BTreeSet;

/// Orders of one check that are kept.
const KEPT: usize = 512;
/// Tasks that were there beside, of one order.
const BESIDE: usize = 256;

/// The orders that runs took locks in.
#[derive(Default)]
pub(super) struct Orders {
    kept: Vec<Order>,
    /// Pairs that were told, by their two descriptions.
    told: BTreeSet<String>,
    /// What is to be said.
    pub(super) found: Vec<String>,
}

impl Orders {
    /// Adds the orders of another run, or those of several.
    pub(super) fn add(&mut self, orders: Vec<Order>) {
        for order in &orders {
            for known in &self.kept {
                if crosses(known, order) {
                    let takes = pair(known, order);
                    if self.told.insert(takes.clone()) {
                        self.found.push(takes);
                    }
                }
            }
        }
        for order in orders {
            self.keep(order);
        }
    }

    fn keep(&mut self, order: Order) {
        let same = |known: &&mut Order| {
            (known.task, &known.first, &known.second) == (order.task, &order.first, &order.second)
                && known.gates == order.gates
        };
        if let Some(known) = self.kept.iter_mut().find(same) {
            for task in order.beside {
                if known.beside.len() < BESIDE && !known.beside.contains(&task) {
                    known.beside.push(task);
                }
            }
        } else if self.kept.len() < KEPT {
            self.kept.push(order);
        }
    }

    /// What is to be said beside warnings of single runs, which have said some of it.
    pub(super) fn messages(&self, said: &[Warning]) -> Vec<String> {
        let news = |takes: &&String| !said.iter().any(|it| it.text.ends_with(takes.as_str()));
        let told =
            |takes| format!("two locks are taken in both orders, in different runs: {takes}");
        self.found.iter().filter(news).map(told).collect()
    }
}

/// Whether the two tasks could wait for each other.
fn crosses(one: &Order, other: &Order) -> bool {
    let gated = one.gates.iter().any(|gate| other.gates.iter().any(|it| gate.excludes(it)));
    one.first.excludes(&other.second)
        && one.second.excludes(&other.first)
        && one.task != other.task
        && one.beside.contains(&other.task)
        && other.beside.contains(&one.task)
        && !gated
}

/// As a single run tells it, so that both are seen to be the same.
fn pair(one: &Order, other: &Order) -> String {
    let mut takes = [one, other].map(|order| {
        let who =
            order.spawned.map_or("main".to_string(), |site| format!("a task spawned at {site}"));
        let lock = |taken: &crate::world::Taken| match &taken.lock.name {
            Some(name) => format!("{name} (created at {})", taken.lock.created),
            None => format!("the one created at {}", taken.lock.created),
        };
        format!(
            "{who} takes {} at {} and then {} at {}",
            lock(&order.first),
            order.first.site,
            lock(&order.second),
            order.second.site
        )
    });
    takes.sort();
    takes.join("; ")
}
