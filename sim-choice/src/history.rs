//! What has happened in a run so far: per task the steps it has taken, per object who touched it last.
//!
//! From it come the class of the run and what a [`Profile`](crate::Profile) learns. It is kept only in runs
//! that want it; in all others nobody tells it anything.
//!
//! # The class
//!
//! Two runs that differ only in the order of steps which do not touch each other are the same run to the
//! program: they are one class, a trace as Mazurkiewicz defines it ("Trace theory", 1986). Each step's hash
//! comes from the hash of its task's step before it and of the last step that changed its object, so that it
//! names the step's past, and nothing else. The sum of all is the class: the order in which
//! they are summed does not matter. Neither the numbers of tasks nor those of objects go in, as they depend on
//! the order: a task is named by its spawn path, an object by the steps on it.

use crate::{Access, Announced, Path, mix::mix};
use alloc::{collections::BTreeMap, vec::Vec};

/// Told apart from an access: a step that was not announced, the beginning of a turn.
const TURN: u64 = 0x7475_726e;
const ENDED: u64 = 0x0065_6e64;

/// One task, by its number.
pub(crate) struct Task {
    pub(crate) path: Path,
    pub(crate) parent: Option<u32>,
    children: u32,
    /// Where it was spawned, the same in every run; 0 is unknown.
    kind: u64,
    /// Steps taken so far.
    pub(crate) steps: u32,
    /// The hash of its last step.
    last: u64,
    /// The sum of those of the steps that woke it since.
    woken: u64,
    ended: bool,
}

/// One object, by its number.
#[derive(Clone, Copy, Default)]
pub(crate) struct Object {
    /// Where it was created, the same in every run; 0 is unknown.
    pub(crate) origin: u64,
    /// Which of those of one origin it is, in order of first use; the same in most runs.
    pub(crate) name: u64,
    /// The hash of the last step that changed it.
    write: u64,
    toucher: Option<u32>,
    /// Two tasks have touched it.
    pub(crate) shared: bool,
}

#[derive(Default)]
pub(crate) struct History {
    pub(crate) on: bool,
    /// Counts touches too, for a profile.
    pub(crate) learning: bool,
    tasks: Vec<Task>,
    objects: Vec<Object>,
    origins: BTreeMap<u64, u64>,
    class: u64,
    /// How often a task touched an object, by their numbers.
    touches: BTreeMap<(u32, u32), u32>,
}

impl History {
    /// Forgets the former run.
    #[inline]
    pub(crate) fn start(&mut self, on: bool) {
        (self.on, self.learning) = (on, false);
        if !self.tasks.is_empty() {
            self.forget();
        }
    }

    #[cold]
    fn forget(&mut self) {
        self.tasks.clear();
        self.objects.clear();
        self.origins.clear();
        self.touches.clear();
        self.class = 0;
    }

    pub(crate) fn tasks(&self) -> &[Task] {
        &self.tasks
    }

    pub(crate) fn touches(&self) -> &BTreeMap<(u32, u32), u32> {
        &self.touches
    }

    pub(crate) fn class(&self) -> u64 {
        self.class
    }

    /// The object of that number; one that was not told of has no name.
    #[inline]
    pub(crate) fn object(&self, number: u32) -> Object {
        self.objects.get(number as usize).copied().unwrap_or_default()
    }

    /// A new task, whose number is the next one. Numbers that were left out are children of nobody.
    pub(crate) fn spawned(&mut self, task: u32, parent: Option<u32>) {
        while self.tasks.len() <= task as usize {
            let number = self.tasks.len() as u32;
            let parent = parent.filter(|parent| number == task && *parent < number);
            let (path, last) = match parent {
                Some(parent) => {
                    let parent = &mut self.tasks[parent as usize];
                    parent.children += 1;
                    (parent.path.child(parent.children - 1), parent.last)
                }
                None if number == 0 => (Path::MAIN, 0),
                None => (Path::MAIN.child(number), 0),
            };
            let last = mix(last ^ u64::from(path.0));
            self.tasks.push(Task {
                path,
                parent,
                children: 0,
                kind: 0,
                steps: 0,
                last,
                woken: 0,
                ended: false,
            });
        }
    }

    pub(crate) fn set_kind(&mut self, task: u32, kind: u64) {
        if let Some(place) = self.tasks.get_mut(task as usize) {
            place.kind = kind;
        }
    }

    /// Equal for tasks that were spawned at one place.
    pub(crate) fn kind(&self, task: u32) -> u64 {
        self.tasks.get(task as usize).map_or(0, |task| task.kind)
    }

    /// How many objects of that origin there are.
    pub(crate) fn siblings(&self, origin: u64) -> u64 {
        self.origins.get(&origin).copied().unwrap_or(0)
    }

    /// Whether the object of that number has a name yet.
    #[inline]
    pub(crate) fn knows(&self, number: u32) -> bool {
        self.objects.get(number as usize).is_some_and(|object| object.origin != 0)
    }

    /// Names an object.
    pub(crate) fn name(&mut self, number: u32, origin: u64) {
        if self.objects.len() <= number as usize {
            self.objects.resize(number as usize + 1, Object::default());
        }
        let origin = origin.max(1);
        let nth = self.origins.entry(origin).or_insert(0);
        *nth += 1;
        let object = &mut self.objects[number as usize];
        (object.origin, object.name) = (origin, mix(origin.wrapping_add(*nth)).max(1));
    }

    /// The task takes a step: the announced one, or it begins a turn.
    pub(crate) fn goes_on(&mut self, task: u32, step: Option<Announced>) {
        if self.tasks.len() <= task as usize {
            self.spawned(task, None);
        }
        let place = &mut self.tasks[task as usize];
        place.steps += 1;
        let past = place.last;
        let hash = match step {
            None => mix(past.wrapping_add(core::mem::take(&mut place.woken)) ^ TURN),
            Some(Announced { object: 0, access }) => mix(past ^ access as u64),
            Some(Announced { object, access }) if object & Announced::TASK != 0 => {
                self.done_to_task(object & !Announced::TASK, mix(past ^ access as u64))
            }
            Some(Announced { object, access }) => {
                if self.learning && access != Access::Release {
                    *self.touches.entry((task, object)).or_insert(0) += 1;
                }
                self.touched(task, object, access, past)
            }
        };
        self.tasks[task as usize].last = hash;
        self.class = self.class.wrapping_add(hash);
    }

    /// A join or an abort: what it finds is whether the task has ended, and an abort is part of what the task
    /// does next.
    fn done_to_task(&mut self, task: u32, past: u64) -> u64 {
        let Some(place) = self.tasks.get_mut(task as usize) else { return past };
        let found = if place.ended { place.last } else { u64::from(place.path.0) };
        let hash = mix(past.wrapping_add(found));
        place.woken = place.woken.wrapping_add(hash);
        hash
    }

    fn touched(&mut self, task: u32, object: u32, access: Access, past: u64) -> u64 {
        if self.objects.len() <= object as usize {
            self.objects.resize(object as usize + 1, Object::default());
        }
        let object = &mut self.objects[object as usize];
        object.shared |= object.toucher.is_some_and(|toucher| toucher != task);
        object.toucher = Some(task);
        let hash = mix(mix(past ^ access as u64).wrapping_add(object.write));
        // A look names the change before it, and so do changes: that it comes before the next need not be said.
        if !access.only_looks() {
            object.write = hash;
        }
        hash
    }

    /// A waiting task becomes ready, by what another does.
    pub(crate) fn woken(&mut self, task: u32, by: Option<u32>) {
        let cause = by.and_then(|by| self.tasks.get(by as usize)).map_or(0, |by| mix(by.last));
        if let Some(place) = self.tasks.get_mut(task as usize) {
            place.woken = place.woken.wrapping_add(cause);
        }
    }

    /// A task has ended.
    pub(crate) fn ended(&mut self, task: u32) {
        if let Some(place) = self.tasks.get_mut(task as usize) {
            place.ended = true;
            place.last = mix(place.last ^ ENDED);
            self.class = self.class.wrapping_add(place.last);
        }
    }
}
