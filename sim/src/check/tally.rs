//! What the runs of a check told, put together in the order of their indices.
//!
//! With several threads runs come to their ends in any order, and some after the first that fails: what is
//! told of a check must depend on neither.

use crate::property::Count;
use std::collections::BTreeMap;

/// What one run told, or several.
#[derive(Default)]
pub(super) struct Told {
    pub(super) warnings: Vec<String>,
    /// By the number of the property.
    pub(super) properties: Vec<Count>,
}

impl Told {
    /// Adds what later runs told; each warning once.
    pub(super) fn add(&mut self, other: Told) {
        for warning in other.warnings {
            if !self.warnings.contains(&warning) {
                self.warnings.push(warning);
            }
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

/// Puts together what runs told.
#[derive(Default)]
pub(super) struct Tally {
    sum: Told,
    /// The least index that is not in the sum yet.
    next: u64,
    waiting: BTreeMap<u64, Told>,
}

impl Tally {
    /// Of runs whose first has that index.
    pub(super) fn from(next: u64) -> Tally {
        Tally { next, ..Tally::default() }
    }

    /// Takes what run `index` told; what it told the first time counts.
    pub(super) fn add(&mut self, index: u64, told: Told) {
        if index >= self.next {
            self.waiting.entry(index).or_insert(told);
        }
        while let Some(told) = self.waiting.remove(&self.next) {
            self.sum.add(told);
            self.next += 1;
        }
    }

    /// What the runs up to `last` told.
    pub(super) fn up_to(mut self, last: u64) -> Told {
        for (_, told) in self.waiting.into_iter().filter(|(index, _)| *index <= last) {
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
        Told { warnings: vec![warning.into()], properties: vec![Count::default(), count] }
    }

    #[test]
    fn the_order_of_arrival_does_not_matter() {
        let mut tally = Tally::from(2);
        for (index, warning) in [(4, "c"), (2, "b"), (9, "late"), (3, "a"), (2, "again"), (5, "b")]
        {
            tally.add(index, told(warning, 1 << index));
        }
        let told = tally.up_to(8);
        assert_eq!(told.warnings, ["b", "a", "c"]);
        assert_eq!(told.properties[1].reached, 4 + 8 + 16 + 32);
    }
}
