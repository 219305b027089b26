//! Every schedule of a program, one after the other, with the class of each: nothing is left out, and nothing of the
//! search is used but the names of effects.

use super::machine::{Driver, Outcome, Program, run};
use sim_choice::exhaustive::{Candidate, Effect};
use std::collections::{BTreeMap, BTreeSet};

/// All that a program can do.
#[derive(Default, Debug)]
pub(crate) struct All {
    pub(crate) outcomes: BTreeSet<Outcome>,
    pub(crate) classes: BTreeSet<Class>,
    pub(crate) schedules: u64,
}

/// A class: for each event, named by its task and which of the task's it is, what comes before it.
pub(crate) type Class = BTreeMap<(u32, usize), (Vec<u32>, BTreeSet<(u32, usize)>)>;

/// An event of a run.
#[derive(Default, Clone)]
struct Event {
    task: u32,
    touches: Vec<(u64, Effect)>,
    answers: Vec<u32>,
    grants: Vec<(u64, Effect)>,
    after: Vec<usize>,
    ends: bool,
}

/// A schedule: the answers so far, and how many there were.
#[derive(Default)]
pub(crate) struct Schedule {
    answers: Vec<(usize, usize)>,
    asked: usize,
    /// Preemptions left, if they are bounded.
    preemptions: Option<u32>,
    events: Vec<Event>,
    causes: BTreeMap<u32, Vec<usize>>,
}

impl Schedule {
    fn ask(&mut self, bound: usize) -> usize {
        let place = self.asked;
        self.asked += 1;
        if place == self.answers.len() {
            self.answers.push((0, bound));
        }
        assert_eq!(self.answers[place].1, bound, "the machine is deterministic");
        self.answers[place].0
    }

    fn next(&mut self) -> bool {
        self.answers.truncate(self.asked);
        (self.asked, self.events, self.causes) = Default::default();
        while let Some((answer, bound)) = self.answers.pop() {
            if answer + 1 < bound {
                self.answers.push((answer + 1, bound));
                return true;
            }
        }
        false
    }

    pub(crate) fn begin(&mut self, task: u32) {
        let after = self.causes.remove(&task).unwrap_or_default();
        self.events.push(Event { task, after, ..Event::default() });
    }

    /// The run in hand gave an answer that was not asked for here.
    pub(crate) fn chose(&mut self, answer: u32) {
        self.event().answers.push(answer);
    }

    /// The class of the run in hand, which is over.
    pub(crate) fn class(&mut self) -> Class {
        let class = class(&self.events);
        (self.events, self.causes) = Default::default();
        class
    }

    fn event(&mut self) -> &mut Event {
        self.events.last_mut().unwrap()
    }
}

impl Driver for Schedule {
    fn spawned(&mut self, task: u32, _: Option<u32>) {
        if let Some(parent) = self.events.len().checked_sub(1) {
            self.causes.entry(task).or_default().push(parent);
        }
    }

    fn pick(&mut self, candidates: &[Candidate], current: Option<u32>) -> Option<usize> {
        let index = match (current, &mut self.preemptions) {
            (Some(current), Some(0)) => candidates.iter().position(|it| it.task == current)?,
            _ => self.ask(candidates.len()),
        };
        let task = candidates[index].task;
        if let (Some(current), Some(left)) = (current, &mut self.preemptions) {
            *left -= u32::from(current != task);
        }
        self.begin(task);
        Some(index)
    }

    fn touch(&mut self, object: u64, effect: Effect) {
        self.event().touches.push((object, effect));
    }

    fn attempt(&mut self, object: u64, effect: Effect, glance: bool) {
        self.touch(object, if glance { Effect::Write } else { effect });
    }

    fn granted(&mut self, object: u64, effect: Effect) {
        let task = self.event().task;
        self.begin(task);
        self.event().grants.push((object, effect));
    }

    fn choose(&mut self, bound: u32) -> u32 {
        let answer = self.ask(bound as usize) as u32;
        self.event().answers.push(answer);
        answer
    }

    fn woke(&mut self, task: u32) {
        let waker = self.events.len() - 1;
        self.causes.entry(task).or_default().push(waker);
    }

    fn ended(&mut self) {
        self.event().ends = true;
    }

    fn waits(&mut self, _: u32, _: u64, _: Effect) {}

    fn left(&mut self, _: Candidate) {}
}

/// Whether the second event has to stay after the first.
fn ordered(first: &Event, second: &Event) -> bool {
    use Effect::*;
    let shared = [QueueShared, TakeShared, ReleaseShared];
    let attempt = [Queue, QueueShared];
    let release = [Release, ReleaseShared];
    let touch = |one: Effect, other: Effect| {
        !((one, other) == (Read, Read)
            || shared.contains(&one) && shared.contains(&other)
            || attempt.contains(&one) && release.contains(&other)
            || release.contains(&one) && attempt.contains(&other))
    };
    let clash = first.touches.iter().any(|&(object, effect)| {
        second.touches.iter().any(|&(other, its)| object == other && touch(effect, its))
            || second.grants.iter().any(|&(other, its)| {
                object == other
                    && release.contains(&effect)
                    && !(effect == ReleaseShared && its == QueueShared)
            })
    });
    clash || first.task == second.task || first.ends || second.ends
}

fn class(events: &[Event]) -> Class {
    let mut names = Vec::new();
    let mut counts = BTreeMap::<u32, usize>::new();
    for event in events {
        let count = counts.entry(event.task).or_default();
        names.push((event.task, *count));
        *count += 1;
    }
    let mut before: Vec<BTreeSet<usize>> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let direct =
            (0..at).filter(|&other| event.after.contains(&other) || ordered(&events[other], event));
        let mut all = BTreeSet::new();
        for other in direct {
            all.extend(&before[other]);
            all.insert(other);
        }
        before.push(all);
    }
    let named = |set: &BTreeSet<usize>| set.iter().map(|&other| names[other]).collect();
    let rows = events.iter().enumerate();
    rows.map(|(at, event)| (names[at], (event.answers.clone(), named(&before[at])))).collect()
}

/// Runs all schedules, with at most so many preemptions; `None` if there are more than `most`.
pub(crate) fn enumerate(program: &Program, preemptions: Option<u32>, most: u64) -> Option<All> {
    let mut all = All::default();
    let mut schedule = Schedule::default();
    loop {
        schedule.preemptions = preemptions;
        all.schedules += 1;
        if all.schedules > most {
            return None;
        }
        let outcome = run(program, &mut schedule).expect("no schedule is given up");
        all.outcomes.insert(outcome);
        all.classes.insert(class(&schedule.events));
        if !schedule.next() {
            return Some(all);
        }
    }
}
