//! What faults do to all links between hosts, beside what links, rules and the test's own partitions do.
//!
//! It is kept apart from these, so that it can begin and end by itself, and mend nothing that the test has cut. What is
//! seldom needed is behind one comparison with zero a packet.

use super::{Marks, pairs::Pairs};
use crate::{
    Body, Cx, Fault, Flags, HostId, Network, Packet, Protocol,
    link::{befalls, below},
};
use alloc::{collections::BTreeSet, vec::Vec};
use core::net::SocketAddr;
use sim_choice::Kind;

/// What befalls packets and connections between hosts, in parts of a million. Nothing, by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Storm {
    /// The most that a packet takes longer, in nanoseconds; drawn evenly, 0 is calm.
    pub latency_ns: u64,
    /// How many packets are lost; TCP sends them again.
    pub loss_ppm: u32,
    /// How many datagrams arrive twice.
    pub duplicate_ppm: u32,
    /// How many datagrams take up to [`reorder_ns`](Storm::reorder_ns) longer, so that others overtake them.
    pub reorder_ppm: u32,
    /// How much longer at most.
    pub reorder_ns: u64,
    /// How many packets have a bit turned; to TCP they are lost.
    pub corrupt_ppm: u32,
    /// At how many reads and writes of TCP the connection is broken off.
    pub close_ppm: u32,
    /// Reads and writes of TCP take a part of what they could, half the time.
    pub partial_io: bool,
}

/// The storm of a network.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) faults: Storm,
    pub(super) cuts: Pairs,
    pub(super) holds: Pairs,
    /// Connections, by sender and receiver, that a box on the way has forgotten: nothing of theirs passes.
    forgotten: BTreeSet<(SocketAddr, SocketAddr)>,
}

impl State {
    /// Whether the packet is of a connection that was forgotten. A new one between the same ports is not.
    #[inline]
    pub(super) fn forgets(&mut self, packet: &Packet) -> bool {
        if self.forgotten.is_empty() {
            return false;
        }
        let Body::Tcp(segment) = &packet.body else { return false };
        if segment.flags.has(Flags::SYN) && !segment.flags.has(Flags::ACK) {
            self.forgotten.remove(&(packet.from, packet.to));
            self.forgotten.remove(&(packet.to, packet.from));
        }
        self.forgotten.contains(&(packet.from, packet.to))
    }

    pub(crate) fn forget(&mut self, from: SocketAddr, to: SocketAddr) {
        self.forgotten.insert((from, to));
    }

    /// How much longer the packet takes.
    #[inline]
    pub(super) fn delay_ns(&self, cx: &mut Cx<'_>, packet: &Packet, marks: &mut Marks) -> u64 {
        let Storm { latency_ns, reorder_ppm, reorder_ns, .. } = self.faults;
        let mut delay_ns = 0;
        if latency_ns > 0 {
            delay_ns = below(cx, Kind::Latency, latency_ns.saturating_add(1));
            if delay_ns > 0 {
                marks.put(Fault::Latency);
            }
        }
        if packet.protocol() == Protocol::Udp && befalls(cx, reorder_ppm) {
            delay_ns += below(cx, Kind::Latency, reorder_ns.saturating_add(1));
        }
        delay_ns
    }
}

impl Network {
    /// What befalls all that is sent from now on from one host to another.
    pub fn set_storm(&mut self, storm: Storm) {
        self.tcp_unsettle();
        self.wire.storm.faults = storm;
    }

    /// As it was set.
    #[must_use]
    pub fn storm(&self) -> Storm {
        self.wire.storm.faults
    }

    /// Boxes on the way remember connections again that they had forgotten: what is sent again passes.
    pub fn remember_connections(&mut self) {
        self.tcp_unsettle();
        self.wire.storm.forgotten.clear();
    }

    /// Cuts those links, from the first host of each pair to the second, apart from [`partition`](Network::partition):
    /// neither mends what the other has cut.
    pub fn storm_cuts(&mut self, ways: &[(HostId, HostId)]) {
        self.tcp_unsettle();
        ways.iter().for_each(|(from, to)| self.wire.storm.cuts.insert(*from, *to));
    }

    /// Mends those links.
    pub fn storm_mends(&mut self, ways: &[(HostId, HostId)]) {
        self.tcp_unsettle();
        ways.iter().for_each(|(from, to)| _ = self.wire.storm.cuts.remove(*from, *to));
    }

    /// Lets those links keep what is on them, apart from [`hold`](Network::hold).
    pub fn storm_holds(&mut self, ways: &[(HostId, HostId)]) {
        self.tcp_unsettle();
        ways.iter().for_each(|(from, to)| self.wire.storm.holds.insert(*from, *to));
    }

    /// Lets go what those links have kept.
    pub fn storm_releases(&mut self, cx: &mut Cx<'_>, ways: &[(HostId, HostId)]) {
        self.tcp_unsettle();
        let mut held = Vec::new();
        for &(from, to) in ways {
            if self.wire.storm.holds.remove(from, to) {
                held.append(&mut self.wire.way(from, to).held);
            }
        }
        self.deliver(cx, held);
    }

    /// Whether a storm cuts or holds that link.
    #[must_use]
    pub fn storm_has(&self, from: HostId, to: HostId) -> bool {
        let storm = &self.wire.storm;
        storm.cuts.has(from, to) || storm.holds.has(from, to)
    }
}
