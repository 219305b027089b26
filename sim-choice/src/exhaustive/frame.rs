//! The states along the run in hand, as the search keeps them: what was run from each, and what is still to be.

use super::{
    sleep::Sleep,
    trace::{Answer, Step},
    tree::Branch,
};
use alloc::vec::Vec;

/// A state, and the step that the run in hand takes from it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Frame {
    pub(super) step: Step,
    /// The step went on from the one before without a chance for others, as a lock was granted at once.
    pub(super) joined: bool,
    /// Who could go on.
    pub(super) candidates: Vec<u32>,
    /// Tasks whose next step was run from here.
    pub(super) sleep: Sleep,
    /// Steps that are still to be run from here.
    pub(super) tree: Vec<Branch>,
    /// What the step was expected to be, if that was a guess.
    pub(super) guess: Step,
    /// The step turned out otherwise.
    pub(super) surprised: bool,
    /// The ways in which the questions of this step were answered, while it is the task's turn.
    pub(super) answered: Vec<Vec<Answer>>,
    /// The step with those that were joined to it, for each way in which their questions were answered.
    pub(super) leaves: Vec<Step>,
    /// What a search with a bound on preemptions needs to know.
    pub(super) bounded: Bounded,
}

/// A state of a search with a bound on preemptions.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Bounded {
    /// Who ran, and could have gone on: to take another is a preemption.
    pub(super) current: Option<u32>,
    /// Preemptions before.
    pub(super) preemptions: u32,
    /// Who is still to be run from here.
    pub(super) todo: Vec<u32>,
    /// Who was.
    pub(super) done: Vec<u32>,
}

impl Bounded {
    /// Preemptions, if that task is taken.
    pub(super) fn cost(&self, who: u32) -> u32 {
        self.preemptions + u32::from(self.current.is_some_and(|current| current != who))
    }
}

impl Frame {
    /// First answers with which the step has not been run, if there are any.
    pub(super) fn other_answers(&self) -> Option<Vec<Answer>> {
        for leaf in &self.answered {
            for (place, &Answer { bound, .. }) in leaf.iter().enumerate() {
                for answer in 0..bound {
                    let mut answers = leaf[..place].to_vec();
                    answers.push(Answer { answer, bound });
                    let plain: Vec<u32> = answers.iter().map(|answer| answer.answer).collect();
                    let was = self.answered.iter().any(|leaf| leaf.starts_with(&answers));
                    if !was && (self.joined || self.sleep.allows(self.step.who, &plain)) {
                        return Some(answers);
                    }
                }
            }
        }
        None
    }
}
