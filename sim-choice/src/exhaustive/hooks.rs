//! What a run tells the search, and asks it.

use super::{
    Explorer,
    attempts::Attempt,
    effect::{Effect, Touch},
    frame::{Bounded, Frame},
    sleep::Sleep,
    trace::{Answer, Event, Step},
    tree::without,
};
use alloc::{string::String, vec::Vec};
use core::{fmt, mem};

/// A task that can go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Its number in this run, in order of spawning.
    pub task: u32,
    /// It begins a turn, for which it was woken; else it goes on in the middle of one.
    pub woken: bool,
    /// What it is about to do, if that is known: it makes no difference to what is run, only to the order.
    pub announced: Option<Touch>,
    /// It would rather let others go on: it may wait for them in a loop.
    pub yields: bool,
}

impl Candidate {
    /// A task that was started or woken, and of which nothing else is known.
    #[must_use]
    pub fn new(task: u32) -> Candidate {
        Candidate { task, woken: true, announced: None, yields: false }
    }
}

/// Why a run is given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// All that can go on has been run from here, in another order.
    Asleep,
    /// It has too many steps.
    Depth,
    /// It is not the run that its beginning was: see [`Explorer::mismatch`].
    Mismatch,
}

/// A step of a run that began as another, but went differently: the program depends on something that is
/// not a choice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// Which step of the run, counting from 0.
    pub step: usize,
    /// How it went before, and now.
    pub difference: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} of the schedule was not as before: {}", self.step, self.difference)
    }
}

/// The run in hand.
#[derive(Default, Debug)]
pub(super) struct Run {
    pub(super) events: Vec<Event>,
    /// By number in this run.
    pub(super) tasks: Vec<Option<Task>>,
    /// Events before the clock last moved.
    quiet: usize,
    /// What the event in hand is to be answered.
    forced: Vec<Answer>,
    /// Attempts less releases, by object.
    pub(super) held: alloc::collections::BTreeMap<u64, i64>,
    pub(super) attempts: Vec<Attempt>,
    /// Attempts that were not granted at once, or of which it is not known yet: the task, and the place.
    pub(super) open: Vec<(u32, u64)>,
    /// Whether the event in hand has been compared or kept.
    closed: bool,
    pub(super) stop: Option<Stop>,
    pub(super) mismatch: Option<Mismatch>,
    pub(super) waiting: Vec<(u32, Option<Touch>)>,
}

/// A task of the run in hand.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) who: u32,
    children: u32,
    made: u32,
    pub(super) events: u32,
    pub(super) started_by: Option<usize>,
    pub(super) woken_by: Vec<usize>,
}

/// What stands for a task.
fn object_of(who: u32) -> u64 {
    u64::from(NOBODY - 1) << 31 | u64::from(who)
}

/// The parent of tasks that no task started.
const NOBODY: u32 = u32::MAX;

impl Explorer {
    /// Task number `task` was started, by the task `parent` or from outside.
    ///
    /// # Panics
    ///
    /// Panics if the parent has not been started.
    pub fn spawned(&mut self, task: u32, parent: Option<u32>) {
        let (of, nth) = match parent {
            Some(parent) => {
                let parent = self.task(parent);
                parent.children += 1;
                (parent.who, parent.children - 1)
            }
            None => (NOBODY, self.run.tasks.iter().flatten().count() as u32),
        };
        let next = self.tasks.len() as u32;
        let who = *self.tasks.entry((of, nth)).or_insert(next);
        let place = task as usize;
        if self.run.tasks.len() <= place {
            self.run.tasks.resize_with(place + 1, || None);
        }
        let started_by = parent.and(self.run.events.len().checked_sub(1));
        self.note_step();
        // Who joins the task waits for it as for a lock that is held.
        self.run.held.insert(object_of(who), 1);
        self.run.tasks[place] =
            Some(Task { who, children: 0, made: 0, events: 0, started_by, woken_by: Vec::new() });
    }

    /// A number for an object that the step in hand made: the same in all runs, and that of no other. Objects that were
    /// made before the run, or in none of its steps, have to have a number above 2^63.
    pub fn made(&mut self) -> u64 {
        let Some(event) = self.run.events.last() else { return u64::from(NOBODY) << 31 };
        let who = event.step.who;
        let task = self.run.tasks.iter_mut().flatten().find(|task| task.who == who);
        let task = task.expect("the task of a step is known");
        task.made += 1;
        u64::from(who) << 31 | u64::from(task.made)
    }

    /// The number of the object that stands for a task: what others wait for, and what it releases when it ends.
    #[must_use]
    pub fn object_of(&self, task: u32) -> u64 {
        object_of(self.who(task))
    }

    fn task(&mut self, task: u32) -> &mut Task {
        let task = self.run.tasks.get_mut(task as usize).and_then(Option::as_mut);
        task.expect("a task is told of before it does anything")
    }

    pub(super) fn who(&self, task: u32) -> u32 {
        let task = self.run.tasks.get(task as usize).and_then(Option::as_ref);
        task.expect("a task is told of before it does anything").who
    }

    /// A scheduling point: which of the candidates goes on. To be called also if there is only one.
    ///
    /// `current` is the task that ran, if it is a candidate. What is told from here on is what the picked one does.
    ///
    /// # Errors
    ///
    /// The run is to be given up.
    ///
    /// # Panics
    ///
    /// Panics if there are no candidates.
    pub fn pick(&mut self, candidates: &[Candidate], current: Option<u32>) -> Result<usize, Stop> {
        assert!(!candidates.is_empty(), "somebody has to go on");
        self.close();
        let picked = match self.run.stop {
            Some(stop) => Err(stop),
            None => self.pick_open(candidates, current),
        };
        match picked {
            Ok(index) => self.begin_event(candidates[index]),
            Err(stop) => self.run.stop = Some(stop),
        }
        picked
    }

    fn pick_open(&mut self, candidates: &[Candidate], current: Option<u32>) -> Result<usize, Stop> {
        let at = self.run.events.len();
        if at >= self.limits.depth {
            return Err(Stop::Depth);
        }
        if at >= self.given {
            return self.pick_new(candidates, current);
        }
        let frame = &self.frames[at];
        let (who, joined) = (frame.step.who, frame.joined);
        match self.place(candidates, who) {
            Some(index) if !joined => Ok(index),
            _ => Err(self.differs(at, "another task could go on")),
        }
    }

    fn place(&self, candidates: &[Candidate], who: u32) -> Option<usize> {
        candidates.iter().position(|candidate| self.who(candidate.task) == who)
    }

    /// Picks at a state that is new.
    fn pick_new(&mut self, candidates: &[Candidate], current: Option<u32>) -> Result<usize, Stop> {
        let who = candidates.iter().map(|candidate| self.who(candidate.task)).collect();
        let mut frame = Frame { sleep: self.sleep(), candidates: who, ..Frame::default() };
        let mut branches = mem::take(&mut self.guide).into_iter();
        let guided = branches.by_ref().find_map(|branch| {
            let index = self.place(candidates, branch.step.who)?;
            (!frame.sleep.holds(branch.step.who)).then_some((index, branch))
        });
        frame.tree = branches.collect();
        let index = match guided {
            Some((index, branch)) => {
                self.guide = branch.after;
                self.run.forced.clone_from(&branch.step.answers);
                frame.guess = branch.step;
                index
            }
            None => {
                self.run.forced.clear();
                self.prefer(candidates, current, &frame.sleep).ok_or(Stop::Asleep)?
            }
        };
        frame.step.who = self.who(candidates[index].task);
        if self.limits.preemptions.is_some() {
            frame.bounded = self.bounded(current);
        }
        self.frames.push(frame);
        Ok(index)
    }

    /// Who sleeps at a new state.
    fn sleep(&self) -> Sleep {
        self.frames.last().map_or_else(Sleep::default, |frame| frame.sleep.after(&frame.step))
    }

    /// Any of the candidates will do. Attempts at locks that are held come first and releases late, so that waiting is
    /// seen; the running task goes on rather than another; and who yields comes last.
    fn prefer(
        &self,
        candidates: &[Candidate],
        current: Option<u32>,
        sleep: &Sleep,
    ) -> Option<usize> {
        let rank = |candidate: &Candidate| {
            let effect = candidate.announced.map(|touch| touch.effect);
            let held = candidate
                .announced
                .and_then(|touch| self.run.held.get(&touch.object))
                .is_some_and(|&held| held > 0);
            let bounded = self.limits.preemptions.is_some();
            match effect {
                _ if candidate.yields => 4,
                Some(Effect::Release | Effect::ReleaseShared) if !bounded => 3,
                Some(Effect::Queue | Effect::QueueShared) if held && !bounded => 0,
                _ if current == Some(candidate.task) => 1,
                _ => 2,
            }
        };
        let mut awake: Vec<usize> = (0..candidates.len())
            .filter(|&index| !sleep.holds(self.who(candidates[index].task)))
            .collect();
        if self.limits.preemptions.is_some()
            && let Some(index) = candidates.iter().position(|it| current == Some(it.task))
        {
            awake = Vec::from([index]);
        }
        awake.into_iter().min_by_key(|&index| rank(&candidates[index]))
    }

    fn bounded(&self, current: Option<u32>) -> Bounded {
        let preemptions = self
            .frames
            .iter()
            .rfind(|frame| !frame.joined)
            .map_or(0, |frame| frame.bounded.cost(frame.step.who));
        Bounded { current: current.map(|task| self.who(task)), preemptions, ..Bounded::default() }
    }

    fn begin_event(&mut self, picked: Candidate) {
        let at = self.run.events.len();
        if at < self.given {
            let last = at + 1 == self.given;
            self.run.forced =
                if last { self.forced.clone() } else { self.frames[at].step.answers.clone() };
        }
        let quiet = self.run.quiet;
        self.note_open(self.who(picked.task), picked.woken);
        let task = self.task(picked.task);
        let nth = task.events;
        task.events += 1;
        let started_by = task.started_by.take();
        let woken_by = if picked.woken { mem::take(&mut task.woken_by) } else { Vec::new() };
        let step = Step { who: task.who, ..Step::default() };
        let (grants, announced) = (Vec::new(), picked.announced);
        self.run.events.push(Event { step, nth, started_by, woken_by, quiet, grants, announced });
        self.run.closed = false;
    }

    /// The step in hand does this to an object, which has the same number in all runs.
    ///
    /// # Panics
    ///
    /// Panics if no step has been picked, as do the hooks below.
    pub fn touch(&mut self, object: u64, effect: Effect) {
        let held = self.run.held.entry(object).or_insert(0);
        match effect {
            Effect::Queue | Effect::QueueShared => *held += 1,
            Effect::Release | Effect::ReleaseShared => *held -= 1,
            _ => {}
        }
        let touch = Touch { object, effect };
        self.note_step();
        self.event().step.touches.push(touch);
    }

    /// The attempt that the step in hand made, a [`Queue`](Effect::Queue) or a
    /// [`QueueShared`](Effect::QueueShared), was granted.
    ///
    /// At once: what the task does from here on comes after the releases that the grant needed, while the attempt
    /// might have come before them. A task that waited tells it when it goes on, or tells nothing, if the release
    /// [woke](Explorer::woke) it.
    pub fn granted(&mut self, object: u64, effect: Effect) {
        let grant = Touch { object, effect };
        let who = self.event().step.who;
        self.close_open(who);
        self.close();
        let at = self.run.events.len();
        if at < self.given {
            if self.frames[at].step.who != who || !self.frames[at].joined {
                self.run.stop = Some(self.differs(at, "a lock was not granted at once"));
            }
            let last = at + 1 == self.given;
            self.run.forced =
                if last { self.forced.clone() } else { self.frames[at].step.answers.clone() };
        } else {
            let own = self.guide.iter().find(|branch| branch.step.who == who);
            self.run.forced = own.map(|own| own.step.answers.clone()).unwrap_or_default();
            self.guide = without(mem::take(&mut self.guide), who);
            let step = Step { who, ..Step::default() };
            self.frames.push(Frame { step, joined: true, sleep: self.sleep(), ..Frame::default() });
        }
        let task = self.run.tasks.iter_mut().flatten().find(|task| task.who == who);
        let task = task.expect("the task of a step is known");
        let (nth, quiet) = (task.events, self.run.quiet);
        task.events += 1;
        let step = Step { who, ..Step::default() };
        let grants = Vec::from([grant]);
        let (started_by, woken_by, announced) = (None, Vec::new(), None);
        self.run.events.push(Event { step, nth, started_by, woken_by, quiet, grants, announced });
        self.run.closed = false;
    }

    /// The step in hand asks a question of `bound` answers, each of which is to be tried.
    pub fn choose(&mut self, bound: u32) -> u32 {
        if bound <= 1 {
            return 0;
        }
        self.note_step();
        let at = self.run.events.len() - 1;
        let step = &self.event().step;
        let (who, place) = (step.who, step.answers.len());
        let mut answers: Vec<u32> = step.answered().collect();
        let forced = self.run.forced.get(place).copied();
        if let Some(forced) = forced
            && at + 1 < self.given
            && forced.bound != bound
        {
            self.run.stop = Some(self.differs(at, "it asked something else"));
        }
        answers.push(0);
        let mut awake = |answer| {
            answers[place] = answer;
            self.frames[at].joined || self.frames[at].sleep.allows(who, &answers)
        };
        let forced = forced.map(|forced| forced.answer.min(bound - 1));
        let answer = match forced {
            Some(forced) if at + 1 < self.given || awake(forced) => forced,
            _ => {
                let answer = (0..bound).find(|&answer| awake(answer)).unwrap_or(0);
                if forced.is_some() {
                    // What was to be done after another answer.
                    self.guide.clear();
                    self.run.forced.truncate(place);
                }
                answer
            }
        };
        self.event().step.answers.push(Answer { answer, bound });
        answer
    }

    /// The step in hand woke a task, which waited or will have to look again.
    pub fn woke(&mut self, task: u32) {
        self.note_step();
        if let Some(waker) = self.run.events.len().checked_sub(1) {
            let woken_by = &mut self.task(task).woken_by;
            if woken_by.last() != Some(&waker) {
                woken_by.push(waker);
            }
        }
    }

    /// Nothing can go on, and the clock moves: what comes from here on comes after all that was.
    pub fn quiet(&mut self) {
        self.run.quiet = self.run.events.len();
    }

    /// The step in hand ends the run, whoever could go on.
    pub fn ended(&mut self) {
        self.event().step.ends = true;
    }

    /// At the end of a run: the task waits for a lock that it is about to [take](Effect::Take).
    pub fn waits(&mut self, task: u32, object: u64, effect: Effect) {
        self.run.waiting.push((task, Some(Touch { object, effect })));
    }

    /// At the end of a run: the candidate could have gone on.
    pub fn left(&mut self, candidate: Candidate) {
        self.run.waiting.push((candidate.task, candidate.announced));
    }

    /// Where the run in hand did not repeat the beginning that it shares with the one before.
    #[must_use]
    pub fn mismatch(&self) -> Option<&Mismatch> {
        self.run.mismatch.as_ref()
    }

    /// The task whose step is in hand does something.
    fn note_step(&mut self) {
        if let Some(event) = self.run.events.last() {
            self.note_open(event.step.who, false);
        }
    }

    pub(super) fn event(&mut self) -> &mut Event {
        self.run.events.last_mut().expect("a step is picked before it does anything")
    }

    /// The step in hand is over: keeps it, or compares it with what it was.
    pub(super) fn close(&mut self) {
        let Some(at) = self.run.events.len().checked_sub(1) else { return };
        if mem::replace(&mut self.run.closed, true) {
            return;
        }
        let step = &self.run.events[at].step;
        if at + 1 >= self.given {
            let frame = &mut self.frames[at];
            frame.step = step.clone();
            frame.surprised |= step.surprises(&frame.guess);
        } else if self.frames[at].step != *step {
            self.run.stop = Some(self.differs(at, "it did something else"));
        }
    }

    fn differs(&mut self, step: usize, difference: &str) -> Stop {
        let mismatch = || Mismatch { step, difference: difference.into() };
        self.run.mismatch.get_or_insert_with(mismatch);
        Stop::Mismatch
    }
}
