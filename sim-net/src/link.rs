//! One direction between two nodes: how long a packet takes, and whether it is lost.

use sim_choice::{Choices, Kind, Lane, Path};

/// Parts in a million: ratios are integers in the models.
const MILLION: u32 = 1_000_000;

/// How a link treats packets.
///
/// FoundationDB's simulator takes 50 to 400 microseconds a leg, TigerBeetle's loses up to 30 % of datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// The least time that a packet takes, in nanoseconds.
    pub latency_ns: u64,
    /// The most that it takes beyond that, in nanoseconds; drawn evenly, 0 is calm.
    pub jitter_ns: u32,
    /// How many of a million packets are lost, 0 to 1,000,000; to lose none is calm.
    pub loss_ppm: u32,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It arrives at that time, in nanoseconds since the start of the run.
    Arrives {
        /// When.
        at_ns: u64,
    },
    /// It is lost.
    Lost,
}

impl Link {
    /// Decides what becomes of a packet that `who` sends at `now_ns`.
    ///
    /// # Panics
    ///
    /// Panics if more than a million of a million packets are to be lost.
    pub fn send(&self, now_ns: u64, who: Path, choices: &mut Choices) -> Fate {
        let Link { latency_ns, jitter_ns, loss_ppm } = *self;
        assert!(
            loss_ppm <= MILLION,
            "loss_ppm: {loss_ppm} of a million is more than all; allowed is 0 to {MILLION}"
        );
        // Numbered from the end, so that 0, which is calm, arrives.
        if loss_ppm > 0
            && choices.choose(Lane::Net, Kind::Fault, who, MILLION) >= MILLION - loss_ppm
        {
            return Fate::Lost;
        }
        let jitter = choices.choose(Lane::Net, Kind::Latency, who, jitter_ns.saturating_add(1));
        Fate::Arrives { at_ns: now_ns.saturating_add(latency_ns).saturating_add(jitter.into()) }
    }
}
