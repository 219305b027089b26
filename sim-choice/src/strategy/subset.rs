//! The steps that matter in a run: those on one object that two tasks touch, on all such objects created at
//! one place, or on all; which of these is drawn per run.
//!
//! Releases are never among them: who comes next is decided by the order in which tasks ask, and an earlier
//! release changes nothing for others that a later request does not (Lipton, "Reduction", CACM 1975).

use crate::{Access, Announced, Profile, history::History, mix::SplitMix, profile::Group};
use alloc::vec::Vec;

pub(super) struct Subset {
    pub(super) group: Group,
    /// What [`Group::ALL`] consists of, in order; if nothing is known, of all.
    shared: Vec<Group>,
}

impl Subset {
    pub(super) const fn new() -> Subset {
        Subset { group: Group::ALL, shared: Vec::new() }
    }

    pub(super) fn draw(&mut self, source: &mut SplitMix, profile: &Profile) {
        let groups = profile.groups();
        let count = groups.len() as u64;
        self.group = match source.below(4) {
            0 => Group::ALL,
            _ if count == 0 => Group::ALL,
            _ => groups[source.below(count) as usize],
        };
        self.shared.clear();
        self.shared.extend_from_slice(groups);
    }

    pub(super) fn has(&self, step: Option<Announced>, history: &History) -> bool {
        // Neither steps without an object nor those on tasks, which have no group.
        let Some(Announced { object: number @ 1..Announced::TASK, access }) = step else {
            return false;
        };
        let object = history.object(number);
        access != Access::Release
            && match self.group {
                Group::ALL if self.shared.is_empty() => true,
                Group::ALL => self.shared.binary_search(&Group(object.origin)).is_ok(),
                group => group == Group(object.origin) || group == Group(object.name),
            }
    }
}
