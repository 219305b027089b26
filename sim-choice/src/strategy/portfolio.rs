//! Portfolio: each seed runs one of the other strategies.
//!
//! Which strategy finds a bug first depends on the bug, and is not known before. A strategy that has a quarter of
//! the runs costs at most four times its own figure, and mostly far less, as others find it too. The seed alone
//! decides, so that a seed reproduces its run.

use super::Strategy;
use crate::{Seed, mix::SplitMix};

/// The generator that decides, beside those of the lanes.
const STREAM: u64 = 0x706f_7274_666f_6c00;

/// One of them is drawn. The weights are from `examples/strategies.rs`: what finds most gets most, and none
/// so little that a bug only it finds takes more than sixteen times its runs.
const MEMBERS: [Strategy; 16] = [
    Strategy::Lockstep,
    Strategy::Lockstep,
    Strategy::Lockstep,
    Strategy::Lockstep,
    Strategy::Lockstep,
    Strategy::Surw,
    Strategy::Surw,
    Strategy::Surw,
    Strategy::Surw,
    Strategy::Pct,
    Strategy::Pct,
    Strategy::Pos,
    Strategy::Pos,
    Strategy::Urw,
    Strategy::Sticky,
    Strategy::Random,
];

pub(crate) const fn resolve(seed: Seed) -> Strategy {
    MEMBERS[(SplitMix::new(seed.0, STREAM).peek() % MEMBERS.len() as u64) as usize]
}
