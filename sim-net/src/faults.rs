//! What was done to packets, and what of it made a difference.

use crate::{Body, Flags, Network, Packet, Protocol};

/// A kind of fault of the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A packet was lost.
    Loss,
    /// A packet arrived twice.
    Duplication,
    /// A packet arrived before one that was sent earlier.
    Reordering,
    /// A bit of a packet was turned; TCP, which has a checksum, loses it.
    Corruption,
    /// A packet came to a link that was cut.
    Partition,
    /// A packet was held on its way.
    Hold,
    /// A packet was delayed by a rule.
    Delay,
    /// A link was full.
    Overflow,
    /// A name did not resolve.
    DnsFailure,
    /// A name resolved to what it was before.
    DnsStale,
    /// A packet took longer, as faults are set to do.
    Latency,
    /// A read or a write of TCP took less than it could.
    PartialIo,
    /// A connection was reset from without, or a packet of one lost that a box on the way has forgotten.
    Close,
}

/// How often a fault was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultCount {
    /// How often it was injected.
    pub injected: u64,
    /// How often that made a difference to what is seen: a packet lost that nobody waited for makes none.
    pub effective: u64,
}

impl Fault {
    /// All of them, in order.
    pub const ALL: &[Fault] = &[
        Fault::Loss,
        Fault::Duplication,
        Fault::Reordering,
        Fault::Corruption,
        Fault::Partition,
        Fault::Hold,
        Fault::Delay,
        Fault::Overflow,
        Fault::DnsFailure,
        Fault::DnsStale,
        Fault::Latency,
        Fault::PartialIo,
        Fault::Close,
    ];
}

/// The counts, by the faults' numbers.
#[derive(Default)]
pub(crate) struct Faults {
    counts: [FaultCount; Fault::ALL.len()],
}

impl Faults {
    pub(crate) fn inject(&mut self, fault: Fault) {
        self.counts[fault as usize].injected += 1;
    }

    pub(crate) fn take_effect(&mut self, fault: Fault) {
        self.counts[fault as usize].effective += 1;
    }
}

impl Network {
    /// How often that fault was injected, and had an effect, since the start.
    #[must_use]
    pub fn fault_count(&self, fault: Fault) -> FaultCount {
        self.faults.counts[fault as usize]
    }

    /// Whether somebody would receive the packet if it arrived now.
    pub(crate) fn would_be_received(&self, packet: &Packet) -> bool {
        if !self.hosts[packet.to_host.0 as usize].up {
            return false;
        }
        match packet.protocol() {
            Protocol::Udp => self.udp_wants(packet),
            Protocol::Icmp => self.udp_connected(packet.to_host, packet.to, packet.from).is_some(),
            Protocol::Tcp => self.tcp_wants(packet),
        }
    }

    /// To a segment that is for no connection the answer is a reset, which the sender sees. Only to a reset there is none.
    fn tcp_wants(&self, packet: &Packet) -> bool {
        let Body::Tcp(segment) = &packet.body else { return false };
        !segment.flags.has(Flags::RST) || self.tcp.find(packet, None).is_some()
    }
}
