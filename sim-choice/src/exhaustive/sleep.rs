//! Sleep sets (Godefroid, "Partial-order methods for the verification of concurrent systems", LNCS 1032, 1996):
//! tasks whose next step was run from a state already, and need not be run again until a step comes that
//! it depends on.
//!
//! A step may ask questions of its own; then each way of answering them is a *leaf*, which sleeps or not by itself.

use super::trace::Step;
use alloc::vec::Vec;

/// A step that was run, with one way of answering its questions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Leaf {
    pub(super) step: Step,
    pub(super) asleep: bool,
}

/// A task of which some next steps sleep.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sleeper {
    pub(super) who: u32,
    pub(super) leaves: Vec<Leaf>,
}

impl Sleeper {
    /// Whether the task need not be run at all.
    pub(super) fn is_fast(&self) -> bool {
        self.leaves.iter().all(|leaf| leaf.asleep)
    }
}

/// Who sleeps at a state, in order of going to sleep.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Sleep(pub(super) Vec<Sleeper>);

impl Sleep {
    /// Who still sleeps after `step`.
    pub(super) fn after(&self, step: &Step) -> Sleep {
        let mut rest = Sleep::default();
        for sleeper in self.0.iter().filter(|sleeper| sleeper.who != step.who) {
            let mut sleeper = sleeper.clone();
            for leaf in &mut sleeper.leaves {
                leaf.asleep &= !leaf.step.conflicts(step);
            }
            if sleeper.leaves.iter().any(|leaf| leaf.asleep) {
                rest.0.push(sleeper);
            }
        }
        rest
    }

    fn of(&self, who: u32) -> Option<&Sleeper> {
        self.0.iter().find(|sleeper| sleeper.who == who)
    }

    /// Whether no step of the task has to be run.
    pub(super) fn holds(&self, who: u32) -> bool {
        self.of(who).is_some_and(Sleeper::is_fast)
    }

    /// Whether a step of the task whose first answers are these has to be run.
    pub(super) fn allows(&self, who: u32, answers: &[u32]) -> bool {
        let Some(sleeper) = self.of(who) else { return true };
        let mut known = false;
        for leaf in &sleeper.leaves {
            if leaf.step.answered().zip(answers).all(|(was, &is)| was == is) {
                known = true;
                if !leaf.asleep {
                    return true;
                }
            }
        }
        // An answer that was never given: the step has changed.
        !known
    }

    /// All steps of the task have been run: it sleeps.
    pub(super) fn add(&mut self, who: u32, steps: Vec<Step>) {
        let mut leaves: Vec<Leaf> =
            steps.into_iter().map(|step| Leaf { step, asleep: true }).collect();
        match self.0.iter_mut().find(|sleeper| sleeper.who == who) {
            None => self.0.push(Sleeper { who, leaves }),
            Some(sleeper) => {
                sleeper.leaves.retain(|leaf| leaf.asleep);
                sleeper.leaves.append(&mut leaves);
            }
        }
    }
}
