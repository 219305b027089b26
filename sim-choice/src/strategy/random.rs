//! Random walk: each candidate is equally likely at each step.
//!
//! The plainest strategy, and by measurement hard to beat on bugs that need several switches in a row:
//! Thomson, Donaldson, Betts, "Concurrency testing using controlled schedulers: an empirical study",
//! TOPC 2016. It is weak where a task must get far before another takes its first step.

use super::Candidates;
use crate::words::Words;

#[inline]
pub(crate) fn pick<C: Candidates>(words: &mut Words, candidates: &C) -> u32 {
    words.below(candidates.len())
}
