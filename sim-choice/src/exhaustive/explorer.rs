//! The search: which run comes next.

use super::{
    Progress,
    attempts::Places,
    frame::Frame,
    hooks::Run,
    trace::{Answer, Step},
    tree::{Branch, take_after},
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

/// What bounds a search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// At most so many preemptions in a run: switches away from a task that could have gone on. `None` is any
    /// number. With a bound, a class may be run more than once.
    pub preemptions: Option<u32>,
    /// At most so many steps in a run.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { preemptions: None, depth: 10_000 }
    }
}

/// A search through all schedules of a program. See the [module](super) for the idea.
///
/// For each run: [`begin`](Explorer::begin), then the hooks as the run goes, then [`finish`](Explorer::finish).
/// The program must be a function of what [`pick`](Explorer::pick) and [`choose`](Explorer::choose) answer.
#[derive(Debug)]
pub struct Explorer {
    pub(super) limits: Limits,
    /// The states of the run in hand; between runs those that the next one begins with, the last of which is
    /// the first that differs.
    pub(super) frames: Vec<Frame>,
    /// So many frames are given to the run.
    pub(super) given: usize,
    /// The answers with which the last given step begins.
    pub(super) forced: Vec<Answer>,
    /// What is to be run after the frames.
    pub(super) guide: Vec<Branch>,
    /// The numbers of tasks, by their parent's and which child they are.
    pub(super) tasks: BTreeMap<(u32, u32), u32>,
    pub(super) places: Places,
    pub(super) run: Run,
    pub(super) progress: Progress,
    /// Classes seen by a search with a bound, which may meet one again.
    pub(super) seen: BTreeSet<u128>,
}

impl Explorer {
    /// A search that has not begun.
    #[must_use]
    pub fn new(limits: Limits) -> Explorer {
        Explorer {
            limits,
            frames: Vec::new(),
            given: 0,
            forced: Vec::new(),
            guide: Vec::new(),
            tasks: BTreeMap::new(),
            places: Places::default(),
            run: Run::default(),
            progress: Progress { preemptions: limits.preemptions, ..Progress::default() },
            seen: BTreeSet::new(),
        }
    }

    /// Begins the next run; false if nothing is left to be run.
    pub fn begin(&mut self) -> bool {
        self.run = Run::default();
        !self.progress.done
    }

    /// What bounds the search.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// How far the search has come.
    #[must_use]
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Goes back to the last state from which something is left to be run.
    pub(super) fn go_back(&mut self) {
        while let Some(frame) = self.frames.last_mut() {
            if let Some(answers) = frame.other_answers() {
                self.guide = take_after(&mut frame.tree, frame.step.who, &answers);
                return self.go_on(answers);
            }
            if !frame.joined {
                let next = match self.limits.preemptions {
                    None => frame.next_branch(),
                    Some(bound) => frame.next_within(bound, &mut self.progress.bounded),
                };
                if let Some(branch) = next {
                    frame.step.who = branch.step.who;
                    frame.guess.clone_from(&branch.step);
                    frame.surprised = false;
                    self.guide = branch.after;
                    return self.go_on(branch.step.answers);
                }
            }
            self.frames.pop();
        }
        self.progress.done = true;
    }

    /// The next run repeats the steps of all frames, the last one with these answers.
    fn go_on(&mut self, answers: Vec<Answer>) {
        self.forced = answers;
        self.given = self.frames.len();
    }
}

impl Frame {
    /// The next step that is to be run from here: the task's turn is over, and it sleeps.
    fn next_branch(&mut self) -> Option<Branch> {
        let leaves = core::mem::take(&mut self.leaves);
        self.sleep.add(self.step.who, leaves);
        self.answered.clear();
        while !self.tree.is_empty() {
            let branch = self.tree.remove(0);
            let who = branch.step.who;
            if self.candidates.contains(&who) && !self.sleep.holds(who) {
                return Some(branch);
            }
        }
        None
    }

    /// As [`next_branch`](Frame::next_branch), with a bound on preemptions.
    fn next_within(&mut self, bound: u32, left_out: &mut u64) -> Option<Branch> {
        self.leaves.clear();
        self.answered.clear();
        self.bounded.done.push(self.step.who);
        while let Some(who) = self.bounded.todo.pop() {
            if self.bounded.done.contains(&who) {
                continue;
            }
            if self.bounded.cost(who) > bound {
                self.bounded.done.push(who);
                *left_out += 1;
                continue;
            }
            return Some(Branch { step: Step { who, ..Step::default() }, after: Vec::new() });
        }
        None
    }
}
