//! One direction between two hosts: how it treats packets.

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

impl Default for Link {
    /// 50 to 400 microseconds, as in FoundationDB's simulator; nothing is lost.
    fn default() -> Link {
        Link { latency_ns: 50_000, jitter_ns: 350_000, loss_ppm: 0 }
    }
}
