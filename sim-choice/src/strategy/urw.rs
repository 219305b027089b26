//! Uniform random walk: a task is as likely as many steps it has still to take.
//!
//! Zhao, Wolff, Mathur, Roychoudhury, "Selectively uniform concurrency testing", ASPLOS 2025. A plain random
//! walk is not uniform over orders: where one task has a hundred steps and another has one, the one comes
//! early nearly always. With weights of the steps that are left each order of tasks that never wait is equally
//! likely. What a task has still to spawn is part of its weight, and moves to the child when it is spawned:
//! else a task that is spawned last hardly ever runs first.
//!
//! The counts are those of the [profile](crate::Profile). A weight never falls below 1, so that a task which
//! takes more steps than expected goes on, and one that waits for it too. Without a profile all weigh the
//! same: a random walk.

use super::Candidates;
use crate::{Profile, history::History, words::Words};
use alloc::vec::Vec;

/// The greatest weight: the sum of a few thousand stays within 32 bits.
const MAX: u64 = 1 << 20;

pub(crate) struct Urw {
    /// Steps left, by task number.
    left: Vec<u32>,
}

impl Urw {
    pub(crate) const fn new() -> Urw {
        Urw { left: Vec::new() }
    }

    pub(crate) fn start(&mut self) {
        self.left.clear();
    }

    pub(crate) fn spawned(&mut self, history: &History, profile: &Profile) {
        for task in &history.tasks()[self.left.len()..] {
            let steps = profile.steps(task.path).min(MAX) as u32;
            if let Some(parent) = task.parent {
                let parent = &mut self.left[parent as usize];
                *parent = parent.saturating_sub(steps).max(1);
            }
            self.left.push(steps);
        }
    }

    pub(crate) fn goes_on(&mut self, task: u32) {
        if let Some(left) = self.left.get_mut(task as usize) {
            *left = (*left - 1).max(1);
        }
    }

    #[inline(never)]
    pub(crate) fn pick<C: Candidates>(&self, words: &mut Words, candidates: &C) -> u32 {
        by_weight(words, candidates.len(), |i| self.weight(candidates.task(i))).unwrap_or(0)
    }

    /// The steps that a task has still to take, at least 1.
    pub(super) fn weight(&self, task: u32) -> u32 {
        self.left.get(task as usize).copied().unwrap_or(1)
    }
}

/// One of so many, as likely as it weighs; none if all weigh nothing.
pub(super) fn by_weight(words: &mut Words, count: u32, weight: impl Fn(u32) -> u32) -> Option<u32> {
    let sum = (0..count).map(|i| u64::from(weight(i))).sum::<u64>().min(u64::from(u32::MAX));
    if sum == 0 {
        return None;
    }
    let mut drawn = words.below(sum as u32);
    for i in 0..count {
        match drawn.checked_sub(weight(i)) {
            Some(rest) => drawn = rest,
            None => return Some(i),
        }
    }
    unreachable!("what is drawn is below the sum")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Main takes two steps, of which each spawns a task of three.
    fn run(history: &mut History, mut also: impl FnMut(&History)) {
        history.spawned(0, None);
        also(history);
        for task in 1..3 {
            history.goes_on(0, None);
            history.spawned(task, Some(0));
            also(history);
        }
        (0..3).for_each(|_| (1..3).for_each(|task| history.goes_on(task, None)));
    }

    #[test]
    fn what_a_task_spawns_takes_its_weight_along() {
        let mut choices = crate::Choices::new();
        choices.start(crate::Seed(1), crate::Strategy::Random);
        choices.learn();
        choices.spawned(0, None);
        for task in 1..3 {
            choices.goes_on(0, None);
            choices.spawned(task, Some(0));
        }
        (0..3).for_each(|_| (1..3).for_each(|task| choices.goes_on(task, None)));
        let mut profile = Profile::new();
        profile.add(&choices);

        let mut urw = Urw::new();
        let mut seen = Vec::new();
        let mut history = History::default();
        run(&mut history, |history| {
            urw.spawned(history, &profile);
            seen.push(urw.left.clone());
        });
        assert_eq!(seen, [&[8][..], &[5, 3], &[2, 3, 3]]);
        urw.goes_on(1);
        assert_eq!((urw.weight(1), urw.weight(2), urw.weight(9)), (2, 3, 1));
    }
}
