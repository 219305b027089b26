//! What travels: from one address to another, over the wire or within a host.

use crate::{HostId, link::IP_HEADER, tcp::Segment};
use alloc::{boxed::Box, vec::Vec};
use core::net::SocketAddr;

/// What is on its way.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Counts from 1 in the order of sending.
    pub number: u64,
    /// The host that sent it.
    pub from_host: HostId,
    /// The host that it goes to.
    pub to_host: HostId,
    /// The address that it says it comes from.
    pub from: SocketAddr,
    /// The address that it goes to.
    pub to: SocketAddr,
    /// When it was sent, in nanoseconds since the start of the run.
    pub sent_ns: u64,
    /// What it carries.
    pub body: Body,
}

/// What a packet carries.
#[derive(Clone, Debug)]
pub enum Body {
    /// A segment of TCP.
    Tcp(Box<Segment>),
    /// A datagram of UDP.
    Udp(Vec<u8>),
    /// Nobody listens at the port that a datagram was sent to (ICMP port unreachable, RFC 792).
    Unreachable,
}

/// What kind of packet it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// An answer of the system's.
    Icmp,
}

impl Packet {
    /// What kind of packet it is.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match self.body {
            Body::Tcp(_) => Protocol::Tcp,
            Body::Udp(_) => Protocol::Udp,
            Body::Unreachable => Protocol::Icmp,
        }
    }

    /// How many bytes it has on the wire: with the headers of IP, and UDP's 8 or TCP's 20 bytes (RFC 768, RFC 9293).
    #[must_use]
    pub fn size(&self) -> usize {
        let header = if self.protocol() == Protocol::Tcp { 20 } else { 8 };
        IP_HEADER + header + self.payload().len()
    }

    /// The bytes that it carries for programs.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        match &self.body {
            Body::Tcp(segment) => &segment.payload,
            Body::Udp(payload) => payload,
            Body::Unreachable => &[],
        }
    }
}
