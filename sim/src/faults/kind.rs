//! The kinds of faults, and how often each was there.

use std::fmt;

/// A kind of fault.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
pub enum FaultKind {
    /// Packets take longer.
    Latency,
    /// Packets are lost; TCP sends them again.
    Loss,
    /// Datagrams arrive twice.
    Duplication,
    /// Datagrams overtake each other.
    Reordering,
    /// A bit of a datagram is turned; to TCP the packet is lost.
    Corruption,
    /// Reads and writes of TCP take a part of what they could.
    PartialIo,
    /// Connections of TCP break off.
    Close,
    /// All that goes to and from a node is held for a while, and then delivered.
    Clog,
    /// Some nodes are clogged one after the other, and unclogged in another order.
    Swizzle,
    /// Links are cut; counted are the packets that came to one.
    Partition,
    /// A node crashes, and starts again.
    Crash,
    /// Nothing of a node runs for a while.
    Pause,
    /// The wall clock of a node is ahead or behind.
    ClockSkew,
    /// The clocks of a node go too fast or too slow.
    ClockDrift,
    /// The wall clock of a node jumps.
    ClockJump,
    /// A [`buggify!`](crate::buggify) is true.
    Buggify,
    /// Packets that were held, by faults or by [`net::hold`](crate::net::hold).
    Hold,
    /// Packets that a [rule](crate::net::rule) delayed.
    Delay,
    /// Packets that were lost because a link was full.
    Overflow,
    /// Names that did not resolve.
    DnsFailure,
    /// Names that resolved to what they were before.
    DnsStale,
}

impl FaultKind {
    /// All of them, in order.
    pub const ALL: [FaultKind; 21] = [
        FaultKind::Latency,
        FaultKind::Loss,
        FaultKind::Duplication,
        FaultKind::Reordering,
        FaultKind::Corruption,
        FaultKind::PartialIo,
        FaultKind::Close,
        FaultKind::Clog,
        FaultKind::Swizzle,
        FaultKind::Partition,
        FaultKind::Crash,
        FaultKind::Pause,
        FaultKind::ClockSkew,
        FaultKind::ClockDrift,
        FaultKind::ClockJump,
        FaultKind::Buggify,
        FaultKind::Hold,
        FaultKind::Delay,
        FaultKind::Overflow,
        FaultKind::DnsFailure,
        FaultKind::DnsStale,
    ];

    /// As reports have it.
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Latency => "latency",
            FaultKind::Loss => "loss",
            FaultKind::Duplication => "duplication",
            FaultKind::Reordering => "reordering",
            FaultKind::Corruption => "corruption",
            FaultKind::PartialIo => "partial_io",
            FaultKind::Close => "close",
            FaultKind::Clog => "clog",
            FaultKind::Swizzle => "swizzle",
            FaultKind::Partition => "partition",
            FaultKind::Crash => "crash",
            FaultKind::Pause => "pause",
            FaultKind::ClockSkew => "clock_skew",
            FaultKind::ClockDrift => "clock_drift",
            FaultKind::ClockJump => "clock_jump",
            FaultKind::Buggify => "buggify",
            FaultKind::Hold => "hold",
            FaultKind::Delay => "delay",
            FaultKind::Overflow => "overflow",
            FaultKind::DnsFailure => "dns_failure",
            FaultKind::DnsStale => "dns_stale",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How often a kind of fault was there, in all runs of a check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct FaultCount {
    /// Which.
    pub kind: FaultKind,
    /// How often it was injected: packets and calls for what befalls these, else strikes.
    pub injected: u64,
    /// How often that made a difference: a packet was lost that somebody would have received, tasks were ready while
    /// their node was paused, a clock was read after it had been changed.
    pub effective: u64,
}

/// The counts of a run by the kinds' numbers; none if all are zero.
pub(crate) type Counts = Option<Box<[(u64, u64); FaultKind::ALL.len()]>>;

/// Adds what another run counted.
pub(crate) fn add(sum: &mut Counts, other: Counts) {
    let Some(other) = other else { return };
    match sum {
        None => *sum = Some(other),
        Some(sum) => sum.iter_mut().zip(*other).for_each(|(sum, count)| {
            *sum = (sum.0 + count.0, sum.1 + count.1);
        }),
    }
}

/// Those that were injected.
pub(crate) fn listed(counts: &Counts) -> Vec<FaultCount> {
    let counts = counts.iter().flat_map(|counts| FaultKind::ALL.iter().zip(**counts));
    let counts =
        counts.map(|(&kind, (injected, effective))| FaultCount { kind, injected, effective });
    counts.filter(|count| count.injected > 0).collect()
}
