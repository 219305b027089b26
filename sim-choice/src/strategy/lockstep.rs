//! Lockstep: all tasks go on until each stands before a step that matters; then one takes it.
//!
//! Most bugs are in what a task does between two such steps while it relies on the first: it has read and is
//! going to write, it holds one lock and is going to take another. Held before the second, as many tasks as
//! can be are in that state at once, and whoever takes a step now takes it there. Which steps matter is drawn
//! per run, see [`super::subset`]; all others are a random walk by the steps left, as in `urw.rs`.
//!
//! Who is let go is drawn in one of two ways, by the run. *Evenly by kind*: tasks that were spawned at one
//! place are a kind, and each kind is equally likely, so that one reader among a hundred writers is not rare.
//! *The least advanced*: mostly one of those that have taken the fewest such steps, so that all stand
//! between the same two.
//!
//! In a quarter of the runs one choice in 8 is free of all that: some orders need a task to go on while others
//! have not come to where they are held.
//!
//! This is ours; next to it stands SURW (`surw.rs`), which is uniform and holds all but one task. Nobody is
//! held for longer than a run has choices, as somebody may be spinning.

use super::{
    Candidates,
    subset::Subset,
    urw::{Urw, by_weight},
};
use crate::{Announced, Profile, Seed, history::History, mix::SplitMix, words::Words};
use alloc::vec::Vec;

/// The generator for the parameters of this strategy, beside those of the lanes.
const STREAM: u64 = 0x6c6f_636b_7374_6570;

pub(crate) struct Lockstep {
    subset: Subset,
    by_kind: bool,
    /// Anyone may go on when all these bits of a word are zero.
    slack: u32,
    /// Steps of the subset taken, by task number.
    taken: Vec<u32>,
    waited: u64,
    patience: u64,
    /// Room for one choice: the kinds of its candidates.
    kinds: Vec<u64>,
}

impl Lockstep {
    pub(crate) const fn new() -> Lockstep {
        Lockstep {
            subset: Subset::new(),
            by_kind: false,
            slack: 0,
            taken: Vec::new(),
            waited: 0,
            patience: 0,
            kinds: Vec::new(),
        }
    }

    pub(crate) fn start(&mut self, seed: Seed, profile: &Profile) {
        let mut source = SplitMix::new(seed.0, STREAM);
        self.subset.draw(&mut source, profile);
        self.by_kind = source.below(2) == 0;
        self.slack = if source.below(4) == 0 { 7 } else { u32::MAX };
        self.taken.clear();
        self.waited = 0;
        self.patience = 64 + profile.length();
    }

    pub(crate) fn goes_on(&mut self, task: u32, step: Option<Announced>, history: &History) {
        if self.subset.has(step, history) {
            if self.taken.len() <= task as usize {
                self.taken.resize(task as usize + 1, 0);
            }
            self.taken[task as usize] += 1;
            self.waited = 0;
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
        self.waited += 1;
        let count = candidates.len();
        if words.word() & self.slack == 0 {
            return words.below(count);
        }
        let held = |i: u32| self.subset.has(candidates.announced(i), history);
        let free = |i: u32| if held(i) { 0 } else { urw.weight(candidates.task(i)) };
        if self.waited <= self.patience
            && let Some(i) = by_weight(words, count, free)
        {
            return i;
        }
        let picked = match self.by_kind {
            true => {
                let kind = |i: u32| history.kind(candidates.task(i));
                one_of_a_kind(&mut self.kinds, words, count, held, kind)
            }
            false => {
                let taken =
                    |i: u32| self.taken.get(candidates.task(i) as usize).copied().unwrap_or(0);
                least_advanced(words, count, held, taken)
            }
        };
        picked.unwrap_or_else(|| words.below(count))
    }
}

/// Draws a kind of those that are held, each as likely, and then one of it. `kinds` is only there to be used
/// again.
fn one_of_a_kind<K: Copy + Ord>(
    kinds: &mut Vec<K>,
    words: &mut Words,
    count: u32,
    held: impl Fn(u32) -> bool,
    kind: impl Fn(u32) -> K,
) -> Option<u32> {
    kinds.clear();
    kinds.extend((0..count).filter(|&i| held(i)).map(&kind));
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        return None;
    }
    let drawn = kinds[words.below(kinds.len() as u32) as usize];
    by_weight(words, count, |i| u32::from(held(i) && kind(i) == drawn))
}

/// Draws one of those that are held and have taken the fewest steps; one in eight is anyone.
fn least_advanced(
    words: &mut Words,
    count: u32,
    held: impl Fn(u32) -> bool,
    taken: impl Fn(u32) -> u32,
) -> Option<u32> {
    let least = match words.below(8) {
        0 => u32::MAX,
        _ => (0..count).filter(|&i| held(i)).map(&taken).min().unwrap_or(0),
    };
    by_weight(words, count, |i| u32::from(held(i) && taken(i) <= least))
}
