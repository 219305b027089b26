//! What the runs of a check told, put together in the order of their indices.
//!
//! With several threads runs come to their ends in any order, and some after the first that fails: what is
//! told of a check must depend on neither.

use super::{FailureKind, Level, Lints, orders::Orders};
use crate::{
    faults::{self, Counts},
    property::Count,
    world::{Order, Warning},
};
use std::collections::BTreeMap;

/// What one run told, or several.
#[derive(Default)]
pub(super) struct Told {
    pub(super) warnings: Vec<Warning>,
    /// By the number of the property.
    pub(super) properties: Vec<Count>,
    /// The faults that there were.
    pub(super) faults: Counts,
    /// The orders in which one run took locks.
    pub(super) orders: Vec<Order>,
    /// Those of several runs, if any took two locks; apart, as each run tells something and few that.
    pub(super) crossed: Option<Box<Orders>>,
}

impl Told {
    /// The warnings, as they are printed.
    pub(super) fn texts(self) -> Vec<String> {
        self.warnings.into_iter().map(|warning| warning.text).collect()
    }

    /// Adds what later runs told; each warning once.
    pub(super) fn add(&mut self, other: Told) {
        for warning in other.warnings {
            if self.warnings.iter().all(|known| known.key != warning.key) {
                self.warnings.push(warning);
            }
        }
        faults::add(&mut self.faults, other.faults);
        if !other.orders.is_empty() {
            self.crossed.get_or_insert_default().add(other.orders);
        }
        if self.properties.len() < other.properties.len() {
            self.properties.resize(other.properties.len(), Count::default());
        }
        for (sum, count) in self.properties.iter_mut().zip(other.properties) {
            sum.reached += count.reached;
            sum.held += count.held;
        }
    }
}

impl Told {
    /// Takes what different runs differ in among the warnings; what fails the check, if the lint is denied.
    pub(super) fn judge_orders(&mut self, lints: &Lints) -> Option<String> {
        let crossed = self.crossed.as_ref();
        let messages = crossed.map_or(Vec::new(), |crossed| crossed.messages(&self.warnings));
        match lints.level(FailureKind::LockOrder) {
            Level::Deny if !messages.is_empty() => Some(messages.join("\n  ")),
            Level::Warn => {
                self.warnings.extend(messages.into_iter().map(Warning::from));
                None
            }
            _ => None,
        }
    }
}

/// Puts together what runs told, up to the first that failed.
pub(super) struct Tally {
    sum: Told,
    /// The least index that is not in the sum yet.
    next: u64,
    /// The least index of a run that failed. Those after it are not part of the check, though other threads
    /// may have come to their ends by then.
    last: u64,
    waiting: BTreeMap<u64, Told>,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally::from(0)
    }
}

impl Tally {
    /// Of runs whose first has that index.
    pub(super) fn from(next: u64) -> Tally {
        Tally { sum: Told::default(), next, last: u64::MAX, waiting: BTreeMap::new() }
    }

    /// Takes what run `index` told, and whether it failed; what it told the first time counts.
    pub(super) fn add(&mut self, index: u64, told: Told, failed: bool) {
        if failed {
            self.last = self.last.min(index);
        }
        // The usual case, with one thread: nothing has to be kept.
        if index == self.next && index <= self.last {
            self.sum.add(told);
            self.next += 1;
        } else if index > self.next {
            self.waiting.entry(index).or_insert(told);
        }
        while self.next <= self.last
            && let Some(told) = self.waiting.remove(&self.next)
        {
            self.sum.add(told);
            self.next += 1;
        }
    }

    /// What the runs up to the first that failed told.
    pub(super) fn told(mut self) -> Told {
        for (_, told) in self.waiting.into_iter().filter(|(index, _)| *index <= self.last) {
            self.sum.add(told);
        }
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(warning: &str, reached: u64) -> Told {
        let count = Count { reached, held: 0 };
        let properties = vec![Count::default(), count];
        let warning = Warning::from(warning.to_string());
        Told { warnings: vec![warning], properties, ..Told::default() }
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let mut tally = Tally::from(2);
        for (index, warning) in [(4, "c"), (2, "b"), (9, "late"), (3, "a"), (2, "again"), (5, "b")]
        {
            tally.add(index, told(warning, 1 << index), false);
        }
        tally.add(8, told("a", 1 << 8), true);
        let told = tally.told();
        assert_eq!(told.properties[1].reached, 4 + 8 + 16 + 32 + 256);
        assert_eq!(told.texts(), ["b", "a", "c"]);
    }

    #[test]
    fn runs_after_one_that_failed_do_not_count() {
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 1, 4, 2]] {
            let mut tally = Tally::default();
            for index in order {
                tally.add(index, told("w", 1 << index), index == 2);
            }
            assert_eq!(tally.told().properties[1].reached, 1 + 2 + 4, "{order:?}");
        }
    }
}
