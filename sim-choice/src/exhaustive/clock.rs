//! Vector clocks: which events of a run come before which, whatever the order in which they were run.

use alloc::vec::Vec;

/// For each task, how many of its events come before.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Clock(Vec<u32>);

impl Clock {
    /// Whether the event, a task's `nth`, comes before.
    pub(super) fn has(&self, who: u32, nth: u32) -> bool {
        self.0.get(who as usize).is_some_and(|&count| count > nth)
    }

    /// Adds the events of `who` up to `nth`.
    pub(super) fn add(&mut self, who: u32, nth: u32) {
        let place = who as usize;
        if self.0.len() <= place {
            self.0.resize(place + 1, 0);
        }
        self.0[place] = self.0[place].max(nth + 1);
    }

    /// Adds all that the other has.
    pub(super) fn join(&mut self, other: &Clock) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (mine, &other) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).max(other);
        }
    }

    /// Keeps what both have.
    pub(super) fn meet(&mut self, other: &Clock) {
        self.0.truncate(other.0.len());
        for (mine, &other) in self.0.iter_mut().zip(&other.0) {
            *mine = (*mine).min(other);
        }
    }

    /// The counts, one a task; tasks without any are left out at the end.
    pub(super) fn counts(&self) -> &[u32] {
        let len = self.0.iter().rposition(|&count| count != 0).map_or(0, |last| last + 1);
        &self.0[..len]
    }
}
