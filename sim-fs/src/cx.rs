//! When an operation takes place, who asks for it from where, and what answers its questions.

use core::panic::Location;
use sim_choice::{Choices, Kind, Lane, Path};

/// The surroundings of one operation.
///
/// A verb answers at once; how long the device takes is left in [`done_ns`](Cx::done_ns), also where it fails. Who
/// called is to go on at that time, and not before: what an fsync made durable is so only then.
pub struct Cx<'a> {
    /// Nanoseconds since the start of the run; never less than before.
    pub now_ns: u64,
    /// The node's own clock in nanoseconds since 1970, which files are stamped with.
    pub wall_ns: i64,
    /// The task that asks.
    pub who: Path,
    /// Where in the program, for the inspector.
    pub place: &'static Location<'static>,
    /// When the device is done, in nanoseconds since the start of the run; at least `now_ns` after a verb.
    pub done_ns: u64,
    /// What decides.
    pub choices: &'a mut Choices,
}

impl<'a> Cx<'a> {
    /// An operation at the place of the call; the node's clock shows the time since the start of the run.
    #[track_caller]
    #[must_use]
    pub fn new(now_ns: u64, who: Path, choices: &'a mut Choices) -> Cx<'a> {
        let place = Location::caller();
        Cx { now_ns, wall_ns: now_ns.cast_signed(), who, place, done_ns: now_ns, choices }
    }

    /// Whether something strikes that does so `ppm` times in a million; 0, which is calm, is no. Nothing is drawn
    /// for what never strikes.
    pub(crate) fn strikes(&mut self, ppm: u32) -> bool {
        const MILLION: u32 = 1_000_000;
        ppm > 0
            && self.choices.choose(Lane::Disk, Kind::Fault, self.who, MILLION)
                >= MILLION.saturating_sub(ppm)
    }

    /// One of so many kinds of a fault; 0 is the mildest.
    pub(crate) fn which(&mut self, bound: u32) -> u32 {
        self.choices.choose(Lane::Disk, Kind::Fault, self.who, bound)
    }

    /// So many nanoseconds beyond the least, up to `most_ns`, in steps of a microsecond; 0 is the least.
    pub(crate) fn delay(&mut self, most_ns: u64) -> u64 {
        let steps = u32::try_from(most_ns / 1_000).unwrap_or(u32::MAX - 1);
        u64::from(self.choices.choose(Lane::Disk, Kind::Latency, self.who, steps + 1)) * 1_000
    }
}
