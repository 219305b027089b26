//! Wakeup trees: which steps are still to be run from a state, in which order, so that no run ends among sleepers
//! (Abdulla, Aronis, Jonsson, Sagonas, "Source sets: a foundation for optimal dynamic partial order reduction",
//! Journal of the ACM 64(4), 2017, section 6).
//!
//! A tree is a list of branches, each a step and the tree after it. The first branch is run first. A branch without
//! branches is run freely.

use super::{
    sleep::{Leaf, Sleep},
    trace::{Answer, Event, Order, Step},
};
use alloc::{vec, vec::Vec};
use core::mem;

/// A step that is to be run, and what is to be run after it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Branch {
    pub(super) step: Step,
    pub(super) after: Vec<Branch>,
}

/// Steps in an order in which they can be run, with the order in which they have to.
///
/// The last ones are guesses: what they did was seen where another step came first.
pub(super) struct Sequence<'a> {
    run: &'a [Event],
    order: &'a Order,
    /// The events of a run that are its steps.
    events: Vec<usize>,
    guesses: Vec<Step>,
}

/// How a step relates to a sequence.
enum Start {
    /// Runs that begin with the step are not runs of the sequence.
    No,
    /// The sequence may begin with it: it is at this place.
    At(usize),
    /// It can be run before the sequence, which does not have it.
    Beside,
    /// The sequence may begin with a step of the task that is answered otherwise.
    Otherwise,
}

impl<'a> Sequence<'a> {
    pub(super) fn new(
        run: &'a [Event],
        order: &'a Order,
        mut events: Vec<usize>,
        guesses: &[usize],
    ) -> Sequence<'a> {
        events.extend(guesses);
        let guesses = guesses.iter().map(|&event| run[event].guess()).collect();
        Sequence { run, order, events, guesses }
    }

    fn step(&self, place: usize) -> &Step {
        let known = self.events.len() - self.guesses.len();
        match place.checked_sub(known) {
            Some(guess) => &self.guesses[guess],
            None => &self.run[self.events[place]].step,
        }
    }

    /// How a step relates to the sequence.
    fn start(&self, step: &Step) -> Start {
        let mut steps = (0..self.events.len()).map(|place| self.step(place));
        let Some(place) = steps.clone().position(|own| own.who == step.who) else {
            let beside = steps.all(|own| !own.conflicts(step));
            return if beside { Start::Beside } else { Start::No };
        };
        let own = self.events[place];
        let known = place + self.guesses.len() < self.events.len();
        let late = (0..place).any(|other| match known {
            true => self.order.comes_before(self.run, self.events[other], own),
            false => self.step(other).conflicts(step),
        });
        match late {
            true => Start::No,
            false if self.step(place).answered().eq(step.answered()) => Start::At(place),
            false => Start::Otherwise,
        }
    }

    fn remove(&mut self, place: usize) {
        let known = self.events.len() - self.guesses.len();
        self.events.remove(place);
        if let Some(guess) = place.checked_sub(known) {
            self.guesses.remove(guess);
        }
    }

    /// Whether it is run already, by what sleeps at the state that it starts from.
    pub(super) fn sleeps(&self, sleep: &Sleep) -> bool {
        sleep.0.iter().any(|sleeper| {
            let same = |leaf: &Leaf| leaf.asleep && matches!(self.start(&leaf.step), Start::At(_));
            let any = |leaf: &Leaf| !matches!(self.start(&leaf.step), Start::No);
            sleeper.leaves.iter().any(same) || sleeper.is_fast() && sleeper.leaves.iter().all(any)
        })
    }

    /// Adds the sequence to a tree, unless what is there runs it.
    pub(super) fn insert(mut self, tree: &mut Vec<Branch>) -> bool {
        let mut branches = tree;
        'down: while !self.events.is_empty() {
            for place in 0..branches.len() {
                match self.start(&branches[place].step) {
                    // With other answers it is another step.
                    Start::No | Start::Otherwise => continue,
                    Start::At(own) => self.remove(own),
                    Start::Beside => {}
                }
                if branches[place].after.is_empty() {
                    return false;
                }
                branches = &mut branches[place].after;
                continue 'down;
            }
            let steps = (0..self.events.len()).rev().map(|place| self.step(place).clone());
            let chain = steps.fold(None, |after: Option<Branch>, step| {
                Some(Branch { step, after: after.into_iter().collect() })
            });
            branches.extend(chain);
            return true;
        }
        false
    }
}

/// The branches after the task's next step has been taken along with the one before: it is taken out of each.
pub(super) fn without(branches: Vec<Branch>, who: u32) -> Vec<Branch> {
    branches
        .into_iter()
        .flat_map(|branch| match branch.step.who == who {
            true => branch.after,
            false => vec![Branch { step: branch.step, after: without(branch.after, who) }],
        })
        .collect()
}

/// Takes out the branches that begin with a step of the task to which these answers are given first, and gives what is to
/// be run after it.
pub(super) fn take_after(branches: &mut Vec<Branch>, who: u32, answers: &[Answer]) -> Vec<Branch> {
    let meant = |step: &Step| {
        let mut given = step.answered();
        step.who == who && answers.iter().all(|answer| given.next() == Some(answer.answer))
    };
    let (taken, left) = mem::take(branches).into_iter().partition(|branch| meant(&branch.step));
    *branches = left;
    taken.into_iter().flat_map(|branch: Branch| branch.after).collect()
}
