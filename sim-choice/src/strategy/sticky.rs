//! Sticky random walk: a running task is interrupted with a small probability, drawn once per run from
//! 1/2, 1/4, ... 1/64; then each other candidate is equally likely. Where no task is running each
//! candidate is.
//!
//! A plain random walk interrupts so often that a long stretch without a switch hardly occurs, and most
//! bugs need few preemptions: Musuvathi, Qadeer, "Iterative context bounding for systematic testing of
//! multithreaded programs", PLDI 2007. No one probability is best, so it varies from run to run.

use super::Candidates;
use crate::{Seed, mix::SplitMix, words::Words};

/// The generator for the parameters of this strategy, beside those of the lanes.
const STREAM: u64 = 0x0073_7469_636b_7900;

pub(crate) struct Sticky {
    /// Interrupt when all these bits of a word are zero: one less than a power of two.
    mask: u32,
}

impl Sticky {
    pub(crate) const fn new() -> Sticky {
        Sticky { mask: 1 }
    }

    pub(crate) fn start(&mut self, seed: Seed) {
        self.mask = (2 << SplitMix::new(seed.0, STREAM).below(6)) - 1;
    }

    #[inline]
    pub(crate) fn pick<C: Candidates>(&self, words: &mut Words, candidates: &C) -> u32 {
        if !candidates.is_current() {
            return words.below(candidates.len());
        }
        if words.word() & self.mask != 0 {
            return 0;
        }
        1 + words.below(candidates.len() - 1)
    }
}
