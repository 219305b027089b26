//! What tasks are called: their spawn paths, and where they were spawned.

use super::{NONE, World};
use crate::point::Site;
use sim_choice::Path;
use std::collections::BTreeMap;

/// Names that a report or a tape has room for.
const NAMES: u32 = 1 << 16;

impl World {
    /// The spawn path of a task: `main`, or `main/2/0` for the first child of main's third.
    pub(crate) fn task_name(&self, number: u32) -> String {
        let table = self.table.borrow();
        let mut steps = Vec::new();
        let mut at = number;
        while let Some(&(parent, child)) = table.lineage.get(at as usize) {
            if parent == NONE {
                break;
            }
            steps.push(child);
            at = parent;
        }
        let mut name = String::from("main");
        for step in steps.iter().rev() {
            name.push('/');
            name.push_str(&step.to_string());
        }
        name
    }

    pub(super) fn spawn_site(&self, number: u32) -> Option<Site> {
        let table = self.table.borrow();
        let slot = table.slots[..table.used()].iter().find(|slot| {
            slot.number == number
                && slot.header.as_ref().is_some_and(|header| header.number == number)
        })?;
        slot.header.as_ref().map(|header| header.site)
    }

    /// A task with where it was spawned, as the subject of a sentence.
    pub(super) fn task_and_site(&self, number: u32) -> String {
        let name = self.task_name(number);
        match self.spawn_site(number).filter(|_| name != "main") {
            Some(site) => format!("task {name}, spawned at {site},"),
            None => format!("task {name}"),
        }
    }

    /// The names of all tasks of the run, by the hashes of their paths.
    pub(crate) fn names(&self) -> BTreeMap<Path, String> {
        let spawned = self.table.borrow().spawned;
        let mut paths = BTreeMap::new();
        let mut known: Vec<Path> = Vec::new();
        for number in 0..spawned.min(NAMES) {
            let (parent, child) = self.table.borrow().lineage[number as usize];
            let path = match parent {
                NONE if number == 0 => Path::MAIN,
                NONE => Path::MAIN.child(child),
                parent => known.get(parent as usize).copied().unwrap_or(Path::MAIN).child(child),
            };
            known.push(path);
            paths.insert(path, self.task_name(number));
        }
        paths
    }

    /// The names of all tasks of the run, by their numbers.
    pub(crate) fn task_names(&self) -> Vec<String> {
        let spawned = self.table.borrow().spawned;
        (0..spawned.min(NAMES)).map(|number| self.task_name(number)).collect()
    }
}
