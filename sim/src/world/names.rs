//! What tasks are called: their spawn paths, and where they were spawned.

use super::{NONE, World, nodes::ROOT};
use crate::point::Site;
use sim_choice::Path;
use std::collections::BTreeMap;

/// Names that a report or a tape has room for.
const NAMES: u32 = 1 << 16;

impl World {
    /// The spawn path of a task: `main`, or `main/2/0` for the first child of main's third; `server/1` on a node.
    pub(crate) fn task_name(&self, number: u32) -> String {
        let table = self.table.borrow();
        let mut steps = Vec::new();
        let mut at = number;
        let mut name = String::from("main");
        while let Some(&(parent, child)) = table.lineage.get(at as usize) {
            match parent {
                NONE => break,
                ROOT => {
                    name = self.root_name(child);
                    break;
                }
                parent => {
                    steps.push(child);
                    at = parent;
                }
            }
        }
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
                ROOT => Path::root(&self.root_name(child)),
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
