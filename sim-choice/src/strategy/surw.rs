//! Selectively uniform random walk: uniform over the orders of the steps that matter.
//!
//! Zhao, Wolff, Mathur, Roychoudhury, "Selectively uniform concurrency testing", ASPLOS 2025. Most steps
//! touch nothing that another task touches, and an order that is drawn evenly from all is mostly an order of
//! those. So a run picks a subset of the steps, and one task that is *intended* to take the next of them, as
//! likely as many of them it has still to take. Until it has, no other takes a step of the subset; all other
//! steps are a random walk, a plain one in half of the runs, else by the steps left as in `urw.rs`.
//!
//! The paper leaves the subset to the user. Here each run draws it from what the [profile](crate::Profile)
//! shows, see [`super::subset`].
//!
//! Where nothing is known, or all that was expected has happened, nobody is held: a random walk. Counts are
//! estimates, and the intended task may wait for another that is held back. So where nobody else
//! can go on, one of those that are held back does; and also when nothing of the subset has happened for as
//! many choices as a run has, as somebody may be spinning.

use super::{
    Candidates,
    subset::Subset,
    urw::{Urw, by_weight},
};
use crate::{Announced, Profile, Seed, history::History, mix::SplitMix, words::Words};
use alloc::vec::Vec;

/// The generator for the subset, beside those of the lanes.
const STREAM: u64 = 0x7375_7277_0000_0000;
/// As in [`super::urw`].
const MAX: u64 = 1 << 20;

pub(crate) struct Surw {
    subset: Subset,
    /// Steps of the subset left, by task number.
    left: Vec<u32>,
    intended: Option<u32>,
    /// Steps beside the subset are a plain random walk, not by the steps left.
    evenly: bool,
    /// Choices since the last step of the subset, and after how many nobody is held back any more.
    waited: u64,
    patience: u64,
}

impl Surw {
    pub(crate) const fn new() -> Surw {
        Surw {
            subset: Subset::new(),
            left: Vec::new(),
            intended: None,
            evenly: false,
            waited: 0,
            patience: 0,
        }
    }

    pub(crate) fn start(&mut self, seed: Seed, profile: &Profile) {
        let mut source = SplitMix::new(seed.0, STREAM);
        self.subset.draw(&mut source, profile);
        self.evenly = source.below(2) == 0;
        self.left.clear();
        self.intended = None;
        self.waited = 0;
        self.patience = 64 + profile.length();
    }

    pub(crate) fn spawned(&mut self, words: &mut Words, history: &History, profile: &Profile) {
        for task in &history.tasks()[self.left.len()..] {
            let number = self.left.len() as u32;
            let steps = profile.touches(self.subset.group, task.path).min(MAX) as u32;
            if let Some(parent) = task.parent {
                let left = &mut self.left[parent as usize];
                let before = (*left).max(steps);
                *left = left.saturating_sub(steps);
                // What the parent was intended for may be the child's.
                if self.intended == Some(parent) && before > 0 && words.below(before) < steps {
                    self.intended = Some(number);
                }
            }
            self.left.push(steps);
        }
    }

    pub(crate) fn goes_on(&mut self, task: u32, step: Option<Announced>, history: &History) {
        if !self.subset.has(step, history) {
            return;
        }
        if let Some(left) = self.left.get_mut(task as usize) {
            *left = left.saturating_sub(1);
        }
        self.intended = None;
        self.waited = 0;
    }

    pub(crate) fn ended(&mut self, task: u32) {
        if let Some(left) = self.left.get_mut(task as usize) {
            *left = 0;
        }
        if self.intended == Some(task) {
            self.intended = None;
        }
    }

    #[inline(never)]
    pub(crate) fn pick<C: Candidates>(
        &mut self,
        words: &mut Words,
        candidates: &C,
        history: &History,
        urw: &Urw,
    ) -> u32 {
        if self.intended.is_none() {
            let weight = |task: u32| self.left[task as usize];
            self.intended = by_weight(words, self.left.len() as u32, weight);
        }
        self.waited += 1;
        let held = |i: u32| {
            self.subset.has(candidates.announced(i), history)
                && self.intended.is_some_and(|intended| intended != candidates.task(i))
        };
        let free = |i: u32| match held(i) {
            true => 0,
            false if self.evenly => 1,
            false => urw.weight(candidates.task(i)),
        };
        if self.waited <= self.patience
            && let Some(i) = by_weight(words, candidates.len(), free)
        {
            return i;
        }
        // Whoever is picked takes its step of the subset, and the next intended task is drawn then.
        let weight = |i: u32| match held(i) {
            true => self.left.get(candidates.task(i) as usize).copied().unwrap_or(0).max(1),
            false => 0,
        };
        match by_weight(words, candidates.len(), weight) {
            Some(i) => i,
            None => words.below(candidates.len()),
        }
    }
}
