//! Partial order sampling: Yuan, Yang, Gu, "Partial order aware concurrency sampling", CAV 2018.
//!
//! Each pending step has a random priority, and the highest runs. When a step has run, the pending steps that
//! race with it get new priorities, as does the next step of its task. So the order of two steps that race is
//! as good as a fair coin, however many steps which race with nothing stand between them; a random walk
//! spends its choices on those.
//!
//! One thing is added. A step of the least priority might wait for very long while another task spins, so a
//! task that has won many times in a row makes all others draw anew.

use super::Candidates;
use crate::{Announced, words::Words};
use alloc::vec::Vec;

/// Picks in a row after which all others draw anew.
const STREAK: u32 = 64;

pub(crate) struct Pos {
    /// The priority of its pending step, by task number; 0 is to be drawn.
    priorities: Vec<u32>,
    /// The step that ran last, and whose it was.
    last: Option<(u32, Announced)>,
    winner: u32,
    streak: u32,
}

impl Pos {
    pub(crate) const fn new() -> Pos {
        Pos { priorities: Vec::new(), last: None, winner: 0, streak: 0 }
    }

    pub(crate) fn start(&mut self) {
        self.priorities.clear();
        (self.last, self.winner, self.streak) = (None, 0, 0);
    }

    pub(crate) fn goes_on(&mut self, task: u32, step: Option<Announced>) {
        self.last = step.map(|step| (task, step));
        if let Some(priority) = self.priorities.get_mut(task as usize) {
            *priority = 0;
        }
    }

    #[inline(never)]
    pub(crate) fn pick<C: Candidates>(&mut self, words: &mut Words, candidates: &C) -> u32 {
        let all = self.streak >= STREAK;
        let mut best = (0, 0);
        for i in 0..candidates.len() {
            let task = candidates.task(i) as usize;
            if self.priorities.len() <= task {
                self.priorities.resize(task + 1, 0);
            }
            let races = match (self.last, candidates.announced(i)) {
                (Some((_, last)), Some(step)) => last.conflicts(step),
                _ => false,
            };
            let priority = &mut self.priorities[task];
            if *priority == 0 || races || all {
                *priority = words.word().max(1);
            }
            if *priority > best.0 {
                best = (*priority, i);
            }
        }
        self.last = None;
        let task = candidates.task(best.1);
        self.streak = if task == self.winner && !all { self.streak + 1 } else { 0 };
        self.winner = task;
        best.1
    }
}
