//! Probabilistic concurrency testing: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A randomized scheduler
//! with probabilistic guarantees of finding bugs", ASPLOS 2010.
//!
//! Each task gets a random priority, and of the candidates the highest always runs, so that tasks run in
//! long stretches. At `depth - 1` random steps the task that would run falls below all others instead. A bug
//! that needs `depth` orderings in a run of `length` steps and `n` tasks is found with a probability of at
//! least 1 / (n * length^(depth - 1)).
//!
//! The paper takes both parameters from the user. Here each run draws a depth of 1 to 5. The length is that of
//! the runs of the [profile](crate::Profile), if there is one; else a power of two from 16 to 4096, as the true
//! length is not known before. Only steps with two or more candidates count.
//!
//! One thing is added. A task that spins until another acts would hold its priority for ever, so a task
//! that has won `4 * length` times falls below all others, and counts anew. That is beyond the steps which
//! the guarantee is about; a long run becomes round robin in long slices.

use super::Candidates;
use crate::{Seed, mix::SplitMix};
use alloc::vec::Vec;
use core::cmp::Reverse;

/// The generator for parameters and priorities of this strategy, beside those of the lanes.
const STREAM: u64 = 0x0070_6374_0000_0000;

const DEPTH_MAX: u64 = 5;

/// Bounds of how often a task wins before it falls.
const WINS_MIN: u64 = 64;
const WINS_MAX: u64 = 1 << 16;

/// Priorities from here on are those of fresh tasks.
const FRESH: u64 = 1 << 63;
/// Just below are those of tasks that met a change point; further below those that have won too often.
const CHANGED: u64 = 1 << 62;

pub(crate) struct Pct {
    source: SplitMix,
    /// By task number.
    tasks: Vec<Task>,
    /// Ordered by step, the latest first: the next is popped from the end.
    points: Vec<ChangePoint>,
    /// Counted steps so far.
    steps: u64,
    wins_limit: u32,
    /// The lowest priority that was given.
    lowest: u64,
}

#[derive(Clone, Copy)]
struct Task {
    /// No two tasks have the same.
    priority: u64,
    /// Picks since the task was spawned or last fell for winning too often.
    wins: u32,
}

#[derive(Clone, Copy)]
struct ChangePoint {
    step: u64,
    priority: u64,
}

impl Pct {
    pub(crate) const fn new() -> Pct {
        Pct {
            source: SplitMix::new(0, STREAM),
            tasks: Vec::new(),
            points: Vec::new(),
            steps: 0,
            wins_limit: 0,
            lowest: CHANGED,
        }
    }

    /// Starts a run that has about `known` counted steps; 0 is unknown.
    pub(crate) fn start(&mut self, seed: Seed, known: u64) {
        self.source = SplitMix::new(seed.0, STREAM);
        self.tasks.clear();
        self.points.clear();
        self.steps = 0;
        self.lowest = CHANGED;
        let depth = 1 + self.source.below(DEPTH_MAX);
        let drawn = 16 << self.source.below(9);
        let length = if known == 0 { drawn } else { known };
        self.wins_limit = (4 * length).clamp(WINS_MIN, WINS_MAX) as u32;
        for number in 1..depth {
            // The order of the points in time and that of their priorities are independent, as in the paper.
            self.points
                .push(ChangePoint { step: self.source.below(length), priority: CHANGED + number });
        }
        self.points.sort_unstable_by_key(|point| Reverse((point.step, point.priority)));
    }

    /// Gives the task a priority, and those of lower numbers that have none.
    pub(crate) fn spawned(&mut self, task: u32) {
        while self.tasks.len() <= task as usize {
            // The task's number in the low half keeps priorities distinct.
            let random = self.source.next() >> 33 << 32;
            let priority = FRESH | random | self.tasks.len() as u64;
            self.tasks.push(Task { priority, wins: 0 });
        }
    }

    #[inline(never)]
    pub(crate) fn pick<C: Candidates>(&mut self, candidates: &C) -> u32 {
        let mut best = self.highest(candidates);
        while self.points.last().is_some_and(|point| point.step <= self.steps) {
            let point = self.points.pop().expect("there is a last point");
            self.tasks[candidates.task(best) as usize].priority = point.priority;
            best = self.highest(candidates);
        }
        self.steps += 1;
        self.won(candidates.task(best));
        best
    }

    fn highest<C: Candidates>(&mut self, candidates: &C) -> u32 {
        let mut best = (0, 0);
        for i in 0..candidates.len() {
            let priority = self.priority(candidates.task(i));
            if priority > best.0 {
                best = (priority, i);
            }
        }
        best.1
    }

    #[inline]
    fn priority(&mut self, task: u32) -> u64 {
        if self.tasks.len() <= task as usize {
            self.spawned(task);
        }
        self.tasks[task as usize].priority
    }

    fn won(&mut self, task: u32) {
        let task = &mut self.tasks[task as usize];
        task.wins += 1;
        if task.wins == self.wins_limit {
            self.lowest -= 1;
            *task = Task { priority: self.lowest, wins: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    /// All tasks up to the number.
    struct Tasks(u32);

    impl Candidates for Tasks {
        fn len(&self) -> u32 {
            self.0
        }

        fn task(&self, i: u32) -> u32 {
            i
        }

        fn is_current(&self) -> bool {
            false
        }
    }

    fn started(seed: u64, tasks: u32) -> Pct {
        let mut pct = Pct::new();
        pct.start(Seed(seed), 0);
        (0..tasks).for_each(|task| pct.spawned(task));
        pct
    }

    #[test]
    fn priorities_are_distinct_at_all_times() {
        for seed in 0..50 {
            let mut pct = started(seed, 10);
            for _ in 0..2000 {
                pct.pick(&Tasks(10));
                let priorities: BTreeSet<u64> =
                    pct.tasks.iter().map(|task| task.priority).collect();
                assert_eq!(priorities.len(), 10);
            }
        }
    }

    #[test]
    fn the_highest_priority_runs_and_falls_below_all_at_a_change_point() {
        for seed in 0..200 {
            // One task more than change points, and fewer steps than any limit of wins.
            let mut pct = started(seed, 5);
            for _ in 0..60 {
                let before = pct.highest(&Tasks(5));
                let changes = pct.points.last().is_some_and(|point| point.step == pct.steps);
                let picked = pct.pick(&Tasks(5));
                assert_eq!(pct.tasks[before as usize].priority < CHANGED + DEPTH_MAX, changes);
                assert_eq!(picked, pct.highest(&Tasks(5)));
                assert!(changes || picked == before);
            }
        }
    }

    #[test]
    fn depth_and_length_vary_from_run_to_run() {
        let drawn: BTreeSet<(usize, u32)> = (0..2000)
            .map(|seed| started(seed, 0))
            .map(|pct| (pct.points.len(), pct.wins_limit))
            .collect();
        assert_eq!(drawn.len(), 5 * 9);
        assert!(drawn.iter().all(|&(points, limit)| points <= 4 && (64..=16_384).contains(&limit)));
    }

    #[test]
    fn change_points_are_at_steps_of_the_run_in_order() {
        for seed in 0..500 {
            let pct = started(seed, 0);
            let length = u64::from(pct.wins_limit / 4);
            assert!(pct.points.iter().all(|point| point.step < length));
            assert!(pct.points.is_sorted_by(|later, earlier| later.step >= earlier.step));
        }
    }

    #[test]
    fn a_winner_falls_when_it_has_won_long_enough() {
        let mut pct = started(1, 2);
        pct.points.clear();
        let picks: alloc::vec::Vec<u32> =
            (0..3 * pct.wins_limit).map(|_| pct.pick(&Tasks(2))).collect();
        let thirds: alloc::vec::Vec<&[u32]> = picks.chunks(pct.wins_limit as usize).collect();
        let (first, second) = (thirds[0][0], 1 - thirds[0][0]);
        assert!(thirds[0].iter().all(|&task| task == first));
        assert!(thirds[1].iter().all(|&task| task == second));
        assert!(thirds[2].iter().all(|&task| task == first));
    }
}
