//! Portfolio: each seed runs one of random, sticky and pct.
//!
//! Which strategy finds a bug first depends on the bug, and is not known before; a third of the runs each
//! costs at most three times the best. The seed alone decides, so that a seed reproduces its run.

use super::Strategy;
use crate::{Seed, mix::SplitMix};

/// The generator that decides, beside those of the lanes.
const STREAM: u64 = 0x706f_7274_666f_6c00;

pub(crate) const fn resolve(seed: Seed) -> Strategy {
    match SplitMix::new(seed.0, STREAM).peek() % 3 {
        0 => Strategy::Random,
        1 => Strategy::Sticky,
        _ => Strategy::Pct,
    }
}
