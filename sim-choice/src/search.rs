//! A run of an exhaustive search: what the executor tells, in the numbers of the run, as the
//! [`Explorer`] takes it, in those of the search.

use crate::{
    Access, Announced, Candidates,
    exhaustive::{Candidate, Effect, Explorer, Stop, Touch},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// Questions with more answers than this are not gone through: their answer is 0.
const ANSWERS: u32 = 256;

/// Objects that no step of the run made have numbers from here on, by where they were created.
const ELSEWHERE: u64 = 1 << 63;
/// What is done in libc is done to one object.
const LIBC: u64 = ELSEWHERE;

/// The search whose run is under way.
#[derive(Debug)]
pub struct Search {
    explorer: Explorer,
    /// By number in this run; 0 is not known.
    objects: Vec<u64>,
    /// Objects on which attempts were made in this run: locks whose releases do not depend on attempts.
    fair: BTreeSet<u64>,
    /// Tasks of a local set do what the task does that polls the set.
    owners: BTreeMap<u32, u32>,
    /// Who has just been woken where it had joined a task: it joins it again, which is one with being woken.
    looks_again: Option<(u32, u64)>,
    /// It does so now, which is no attempt of its own.
    looking: bool,
    /// What each task has attempted last, and where.
    attempts: BTreeMap<u32, (u64, u64)>,
    /// What each task may wait for in its turn: it looks at all of it when it is woken.
    waits: BTreeMap<u32, Vec<u64>>,
    /// The point is in the middle of a poll that is one step, as its pool has no other worker.
    whole: bool,
    /// Questions that had too many answers.
    narrowed: u64,
    stop: Option<Stop>,
    /// The run is over: what is taken down is no part of it.
    over: bool,
}

impl Search {
    pub(crate) fn new(explorer: Explorer) -> Search {
        Search {
            explorer,
            objects: Vec::new(),
            fair: BTreeSet::new(),
            owners: BTreeMap::new(),
            looks_again: None,
            looking: false,
            attempts: BTreeMap::new(),
            waits: BTreeMap::new(),
            whole: false,
            narrowed: 0,
            stop: None,
            over: false,
        }
    }

    pub(crate) fn start(&mut self) {
        self.objects.clear();
        self.fair.clear();
        self.owners.clear();
        self.attempts.clear();
        self.waits.clear();
        (self.looks_again, self.narrowed, self.stop) = (None, 0, None);
        (self.looking, self.over) = (false, false);
    }

    /// What is searched.
    pub fn explorer(&mut self) -> &mut Explorer {
        &mut self.explorer
    }

    pub(crate) fn into_explorer(self) -> Explorer {
        self.explorer
    }

    /// Why the run has to be given up, if it has to. Nothing that it does afterwards counts.
    #[must_use]
    pub fn stop(&self) -> Option<Stop> {
        self.stop
    }

    /// How many questions of this run had too many answers to go through all.
    #[must_use]
    pub fn narrowed(&self) -> u64 {
        self.narrowed
    }

    /// The run is over: nothing more is told of it, or asked.
    pub fn end(&mut self) {
        self.over = true;
    }

    fn owner(&self, task: u32) -> u32 {
        self.owners.get(&task).copied().unwrap_or(task)
    }

    pub(crate) fn spawned(&mut self, task: u32, parent: Option<u32>) {
        if self.over {
            return;
        }
        let parent = parent.map(|parent| self.owner(parent));
        self.explorer.spawned(task, parent);
        if parent.is_none() && task == 0 {
            // The main task runs before it is picked.
            let _ = self.explorer.pick(&[Candidate::new(task)], None);
        }
    }

    /// Whether a poll of the running task is one step: others go on where it ends, nowhere else.
    pub fn set_whole(&mut self, whole: bool) {
        self.whole = whole;
    }

    /// A task of a local set begins a turn, within that of the task `owner`.
    pub fn local_turn(&mut self, task: u32, owner: u32) {
        let owner = self.owner(owner);
        self.owners.insert(task, owner);
    }

    /// Picks a candidate. A point where nothing is announced is none here: to wake a task, say, is part of the step.
    pub(crate) fn pick<C: Candidates>(&mut self, candidates: &C) -> u32 {
        if self.over {
            return 0;
        }
        let count = candidates.len();
        let seen: Vec<Candidate> = (0..count).map(|i| self.candidate(candidates, i)).collect();
        let current = candidates.is_current().then(|| seen[0]);
        if let Some(current) = current {
            let announced = candidates.announced(0);
            let joins = announced.is_some_and(|announced| announced.access == Access::Join);
            let looked = self.looks_again.take();
            let again = current.announced.map(|touch| (current.task, touch.object));
            self.looking = joins && looked.is_some() && looked == again;
            if announced.is_none() || self.looking {
                return 0;
            }
            if self.whole {
                self.touch(current.task, announced);
                return 0;
            }
        }
        // Of several tasks of a local set only the first can be meant: they stand for one.
        match self.explorer.pick(&seen, current.map(|current| current.task)) {
            Ok(index) => {
                self.begin(seen[index], candidates.announced(index as u32));
                index as u32
            }
            Err(stop) => {
                self.stop.get_or_insert(stop);
                0
            }
        }
    }

    fn candidate<C: Candidates>(&self, candidates: &C, index: u32) -> Candidate {
        let announced = candidates.announced(index);
        Candidate {
            task: self.owner(candidates.task(index)),
            woken: candidates.begins_turn(index),
            announced: announced.and_then(|announced| self.expected(announced)),
            yields: announced.is_some_and(|announced| announced.access == Access::Yield),
        }
    }

    fn begin(&mut self, picked: Candidate, announced: Option<Announced>) {
        let attempted = self.attempts.remove(&picked.task);
        let attempted = attempted.filter(|_| picked.woken);
        self.looks_again = attempted.map(|(object, _)| (picked.task, object));
        if let Some((object, place)) = attempted
            && !self.explorer.trusts(place)
        {
            // Whatever woke it, it looks at what it attempted too.
            self.explorer.touch(object, Effect::Write);
        }
        if picked.woken {
            for object in self.waits.remove(&picked.task).unwrap_or_default() {
                self.explorer.touch(object, Effect::Write);
            }
        }
        self.touch(picked.task, announced);
    }

    /// The task does what it has announced.
    fn touch(&mut self, task: u32, announced: Option<Announced>) {
        let Some(announced) = announced else { return };
        let Some(touch) = self.touch_of(announced) else { return };
        self.explorer.touch(touch.object, touch.effect);
        if may_wait(announced.access) {
            let waits = self.waits.entry(task).or_default();
            if !waits.contains(&touch.object) {
                waits.push(touch.object);
            }
        }
    }

    /// As [`touch_of`](Search::touch_of), where an attempt at a lock that is known to be fair, or to join, is one.
    fn expected(&self, announced: Announced) -> Option<Touch> {
        let mut touch = self.touch_of(announced)?;
        match announced.access {
            Access::Acquire if self.fair.contains(&touch.object) => touch.effect = Effect::Queue,
            Access::Join => touch.effect = Effect::QueueShared,
            _ => {}
        }
        Some(touch)
    }

    /// What a step does, as far as it is announced; attempts are told apart once they are made.
    fn touch_of(&self, Announced { object, access }: Announced) -> Option<Touch> {
        let number = match access {
            Access::Libc => LIBC,
            Access::Spawn | Access::Yield => return None,
            _ => self.number(object)?,
        };
        let effect = match access {
            Access::Read => Effect::Read,
            Access::Release if self.fair.contains(&number) => Effect::Release,
            _ => Effect::Write,
        };
        Some(Touch { object: number, effect })
    }

    fn number(&self, object: u32) -> Option<u64> {
        if object & Announced::TASK != 0 {
            return Some(self.explorer.object_of(object & !Announced::TASK));
        }
        self.objects.get(object as usize).copied().filter(|&number| number != 0)
    }

    /// The step in hand made the object of that number.
    pub fn made(&mut self, object: u32) {
        let number = self.explorer.made();
        self.set_number(object, number);
    }

    /// An object, about to be touched, was created at the place of that hash: so it is called if no step made it.
    pub(crate) fn name(&mut self, object: u32, origin: impl FnOnce() -> u64) {
        if object & Announced::TASK == 0 && self.number(object).is_none() {
            self.set_number(object, ELSEWHERE | origin());
        }
    }

    fn set_number(&mut self, object: u32, number: u64) {
        let place = object as usize;
        if self.objects.len() <= place {
            self.objects.resize(place + 1, 0);
        }
        self.objects[place] = number;
    }

    /// The step in hand, which has just been announced and begun, is an attempt of the running task at a fair lock, or
    /// to join a task; `place` is a hash of where.
    pub fn attempt(&mut self, task: u32, object: u32, effect: Effect, place: u64) {
        let Some(number) = self.number(object) else { return };
        // In a poll that is one step it would matter what comes after it.
        if core::mem::take(&mut self.looking) || self.whole {
            return;
        }
        let task = self.owner(task);
        self.fair.insert(number);
        self.attempts.insert(task, (number, place));
        if let Some(waits) = self.waits.get_mut(&task) {
            waits.retain(|&object| object != number);
        }
        self.explorer.attempt(number, effect, place);
    }

    /// The running task was granted what it attempted.
    pub fn granted(&mut self, task: u32, object: u32, effect: Effect) {
        let Some(number) = self.number(object) else { return };
        if self.attempts.remove(&self.owner(task)).is_some() {
            self.explorer.granted(number, effect);
        }
    }

    /// The step in hand changes an object without having announced it.
    pub fn changes(&mut self, object: u32) {
        if let Some(number) = self.number(object) {
            self.explorer.touch(number, Effect::Write);
        }
    }

    /// The step in hand waits in libc, or lets others go on that do.
    pub fn enters_libc(&mut self) {
        self.explorer.touch(LIBC, Effect::Write);
    }

    pub(crate) fn choose(&mut self, bound: u32) -> u32 {
        if self.over {
            return 0;
        }
        if bound > ANSWERS {
            self.narrowed += 1;
            return 0;
        }
        self.explorer.choose(bound)
    }

    pub(crate) fn woken(&mut self, task: u32) {
        if !self.over {
            let task = self.owner(task);
            self.explorer.woke(task);
        }
    }

    pub(crate) fn ended(&mut self, task: u32) {
        if !self.over && !self.owners.contains_key(&task) {
            let object = self.explorer.object_of(task);
            self.explorer.touch(object, Effect::Release);
        }
    }

    /// Nothing could go on, and the clock moves.
    pub fn quiet(&mut self) {
        self.explorer.quiet();
    }

    /// The main task has ended, and with it the run; the candidates could have gone on.
    pub fn main_ended<C: Candidates>(&mut self, candidates: &C) {
        self.explorer.ended();
        for index in 0..candidates.len() {
            let announced = candidates.announced(index).and_then(|it| self.touch_of(it));
            let candidate = Candidate { announced, ..self.candidate(candidates, index) };
            self.explorer.left(candidate);
        }
    }
}

/// Whether a task may wait where it does this.
const fn may_wait(access: Access) -> bool {
    use Access::{Acquire, AcquireShared, Join, Receive, Send, Wait, Write};
    matches!(access, Acquire | AcquireShared | Join | Receive | Send | Wait | Write)
}
