//! What tasks are called: their spawn paths, and where they were spawned. And what the program itself calls its tasks
//! and its objects.

use super::{NONE, World, nodes::ROOT};
use crate::point::Site;
use sim_choice::Path;
use std::{borrow::Cow, collections::BTreeMap};

/// Names that a report or a tape has room for.
const NAMES: u32 = 1 << 16;

/// Names that the program has given in this run, by the numbers of what they are of.
#[derive(Default)]
pub(crate) struct Given {
    objects: BTreeMap<u32, Cow<'static, str>>,
    tasks: BTreeMap<u32, String>,
}

impl Given {
    pub(super) fn clear(&mut self) {
        // As they mostly are, and to clear an empty map costs more than to look.
        if !self.objects.is_empty() || !self.tasks.is_empty() {
            self.objects.clear();
            self.tasks.clear();
        }
    }

    /// An object by its name, else by its number.
    pub(crate) fn object(&self, number: u32) -> String {
        match self.objects.get(&number) {
            Some(name) => format!("{name:?}"),
            None => format!("object {number}"),
        }
    }
}

impl World {
    /// Names an object.
    pub(crate) fn set_name(&self, object: u32, name: Cow<'static, str>) {
        self.given.borrow_mut().objects.insert(object, name);
    }

    /// Names a task.
    pub(crate) fn set_task_name(&self, task: u32, name: String) {
        self.given.borrow_mut().tasks.insert(task, name);
    }

    /// An object by its name, else by its number.
    pub(super) fn object_name(&self, object: u32) -> String {
        self.given.borrow().object(object)
    }

    /// The name that an object was given, in quotes.
    pub(super) fn given_name(&self, object: u32) -> Option<String> {
        self.given.borrow().objects.get(&object).map(|name| format!("{name:?}"))
    }

    /// The spawn path of a task, and its name if it was given one.
    pub(crate) fn task_name(&self, number: u32) -> String {
        let path = self.task_path(number);
        match self.given.borrow().tasks.get(&number) {
            Some(name) => format!("{path} {name:?}"),
            None => path,
        }
    }

    /// The spawn path of a task: `main`, or `main/2/0` for the first child of main's third; `server/1` on a node.
    pub(crate) fn task_path(&self, number: u32) -> String {
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
                ROOT => Path::root(&self.root_name(child)),
                parent => known.get(parent as usize).copied().unwrap_or(Path::MAIN).child(child),
            };
            known.push(path);
            paths.insert(path, self.task_path(number));
        }
        paths
    }

    /// The names of all tasks of the run, by their numbers.
    pub(crate) fn task_names(&self) -> Vec<String> {
        let spawned = self.table.borrow().spawned;
        (0..spawned.min(NAMES)).map(|number| self.task_name(number)).collect()
    }
}
