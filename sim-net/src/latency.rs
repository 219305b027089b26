//! Distributions of how long something takes, in integers.

use crate::{Cx, link::below};
use sim_choice::Kind;

/// How long a packet takes, in nanoseconds. The least of each is the calm one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latency {
    /// Always so long.
    Constant(u64),
    /// Evenly from the least to the most, both included.
    Uniform {
        /// The least.
        min_ns: u64,
        /// The most.
        max_ns: u64,
    },
    /// Evenly from the least to the most, but for some of a million: those evenly from the most to the worst.
    Tail {
        /// The least.
        min_ns: u64,
        /// The most but for the tail.
        max_ns: u64,
        /// The most of all.
        worst_ns: u64,
        /// How many of a million are in the tail; less than 1,000,000.
        tail_ppm: u32,
    },
    /// The least and an exponentially distributed time beyond it; at most some 22 times its mean.
    Exponential {
        /// The least.
        min_ns: u64,
        /// The mean of what is added to it.
        mean_ns: u64,
    },
}

impl Latency {
    /// 50 to 400 microseconds, and of a thousand packets one up to 50 milliseconds: FoundationDB's simulator.
    pub const DATACENTER: Latency =
        Latency::Tail { min_ns: 50_000, max_ns: 400_000, worst_ns: 50_000_000, tail_ppm: 1_000 };

    /// The least that it gives.
    #[must_use]
    pub fn min_ns(self) -> u64 {
        match self {
            Latency::Constant(ns) => ns,
            Latency::Uniform { min_ns, .. }
            | Latency::Tail { min_ns, .. }
            | Latency::Exponential { min_ns, .. } => min_ns,
        }
    }

    pub(crate) fn is_sound(self) -> bool {
        match self {
            Latency::Constant(_) | Latency::Exponential { .. } => true,
            Latency::Uniform { min_ns, max_ns } => min_ns <= max_ns,
            Latency::Tail { min_ns, max_ns, worst_ns, tail_ppm } => {
                min_ns <= max_ns && max_ns <= worst_ns && tail_ppm < 1_000_000
            }
        }
    }

    /// One of them. 0: the least.
    pub(crate) fn draw_ns(self, cx: &mut Cx<'_>) -> u64 {
        match self {
            Latency::Constant(ns) => ns,
            Latency::Uniform { min_ns, max_ns } => evenly(cx, min_ns, max_ns),
            Latency::Tail { min_ns, max_ns, worst_ns, tail_ppm } => {
                // One draw is both, whether it is in the tail and, if not, where: the tail is what is past the most.
                let width = max_ns - min_ns + 1;
                let rest = u64::from(1_000_000 - tail_ppm);
                let drawn = below(cx, Kind::Latency, scaled(width, 1_000_000, rest));
                if drawn < width { min_ns + drawn } else { evenly(cx, max_ns, worst_ns) }
            }
            Latency::Exponential { min_ns, mean_ns } => {
                let drawn = below(cx, Kind::Latency, 1 << 32);
                min_ns.saturating_add(scaled(mean_ns, nats(drawn), 1 << 16))
            }
        }
    }
}

fn evenly(cx: &mut Cx<'_>, min: u64, max: u64) -> u64 {
    min + below(cx, Kind::Latency, (max - min).saturating_add(1))
}

fn scaled(value: u64, by: u64, over: u64) -> u64 {
    u64::try_from(u128::from(value) * u128::from(by) / u128::from(over)).unwrap_or(u64::MAX)
}

/// -ln(1 - drawn / 2^32), of which 65,536 are one.
///
/// The binary logarithm comes bit by bit, by squaring: Knuth, The Art of Computer Programming, 1.2.2, exercise 25.
fn nats(drawn: u64) -> u64 {
    /// The natural logarithm of 2, of which 65,536 are one.
    const LN_2: u64 = 45_426;
    let left = (1 << 32) - drawn;
    let whole = left.ilog2();
    let mut mantissa = left << (32 - whole) >> 1;
    let mut log2 = u64::from(whole) << 16;
    for bit in (0..16).rev() {
        mantissa = ((u128::from(mantissa) * u128::from(mantissa)) >> 31) as u64;
        if mantissa >= 1 << 32 {
            mantissa >>= 1;
            log2 |= 1 << bit;
        }
    }
    (((32 << 16) - log2) * LN_2) >> 16
}

#[cfg(test)]
mod tests {
    use super::nats;

    #[test]
    fn the_logarithm_is_one() {
        let check = |drawn, expected: u64| {
            let got = nats(drawn);
            assert!(got.abs_diff(expected) <= 2, "{drawn}: {got} and not {expected}");
        };
        check(0, 0);
        check(1 << 31, 45_426); // ln 2
        check(3 << 30, 90_852); // ln 4
        check(2_714_937_127, 65_536); // ln e
        check((1 << 32) - 1, 32 * 45_426);
    }
}
