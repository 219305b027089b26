//! What is on its way and what is open, for a person in trouble.

use crate::{HostId, Network, Packet, Protocol, SocketId, UnixAddress, socket::Proto};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

/// A packet between two hosts, or within one.
#[derive(Clone, Copy, Debug)]
pub struct Underway<'a> {
    /// The packet.
    pub packet: &'a Packet,
    /// The name of the host that sent it.
    pub from_name: &'a str,
    /// The name of the host that it goes to.
    pub to_name: &'a str,
    /// When it arrives, in nanoseconds since the start of the run; none if it is [held](Network::hold).
    pub arrives_ns: Option<u64>,
}

impl fmt::Display for Underway<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Packet { number, from, to, sent_ns, .. } = self.packet;
        let protocol = match self.packet.protocol() {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
        };
        let (from_name, to_name, len) = (self.from_name, self.to_name, self.packet.payload().len());
        write!(f, "{protocol} #{number} {from_name} {from} -> {to_name} {to}, {len} bytes, ")?;
        write!(f, "sent at {}, ", Seconds(*sent_ns))?;
        match self.arrives_ns {
            Some(at) => write!(f, "arrives at {}", Seconds(at)),
            None => f.write_str("held"),
        }
    }
}

/// An open socket, as a line of ss(8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocketLine {
    /// Which one.
    pub id: SocketId,
    /// Whose.
    pub host: HostId,
    /// `udp`, `unix stream` or `unix datagram`.
    pub kind: &'static str,
    /// What it is doing, in capitals as ss(8) has it, if that is known.
    pub state: &'static str,
    /// Its address.
    pub local: String,
    /// Its peer's, if it is connected.
    pub peer: Option<String>,
    /// How many bytes wait to be read.
    pub unread_bytes: usize,
}

impl fmt::Display for SocketLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SocketLine { kind, state, local, unread_bytes, .. } = self;
        write!(f, "{kind} {state} {local}")?;
        if let Some(peer) = &self.peer {
            write!(f, " -> {peer}")?;
        }
        match unread_bytes {
            0 => Ok(()),
            bytes => write!(f, ", {bytes} bytes unread"),
        }
    }
}

/// Nanoseconds as seconds, exactly.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:09} s", self.0 / 1_000_000_000, self.0 % 1_000_000_000)
    }
}

impl Network {
    /// The packets on their way and those that are held, in the order in which they were sent.
    #[must_use]
    pub fn packets(&self) -> Vec<Underway<'_>> {
        let flights = self.wire.flights().map(|(packet, arrives_ns)| Underway {
            packet,
            from_name: self.name(packet.from_host),
            to_name: self.name(packet.to_host),
            arrives_ns,
        });
        let mut all: Vec<Underway<'_>> = flights.collect();
        // Copies have their packet's number.
        all.sort_by_key(|underway| (underway.packet.number, underway.arrives_ns));
        all
    }

    /// The open sockets of UDP and Unix, by host, in the order of their places in the table.
    #[must_use]
    pub fn sockets(&self) -> Vec<SocketLine> {
        let ids = (0u32..).zip(&self.sockets).filter(|(_, slot)| slot.socket.is_some());
        let mut all: Vec<SocketLine> = ids
            .map(|(index, slot)| SocketId { index, generation: slot.generation })
            .filter_map(|id| self.socket_line(id))
            .collect();
        all.sort_by_key(|line| line.host);
        all
    }

    fn socket_line(&self, id: SocketId) -> Option<SocketLine> {
        let socket = self.get(id).ok()?;
        let line = |kind, state, local, peer, unread_bytes| {
            Some(SocketLine { id, host: socket.host, kind, state, local, peer, unread_bytes })
        };
        match &socket.proto {
            Proto::Tcp(_) => None,
            Proto::Udp(udp) => {
                let peer = udp.peer_addr().ok().map(|peer| peer.to_string());
                let state = if peer.is_some() { "ESTAB" } else { "UNCONN" };
                line("udp", state, udp.local_addr().to_string(), peer, udp.unread_bytes())
            }
            Proto::Unix(unix) => {
                let (local, peer) = self.unix_addresses(id).ok()?;
                let (kind, state, unread) = unix.line();
                line(kind, state, shown(&local), peer.as_ref().map(shown), unread)
            }
        }
    }
}

fn shown(address: &UnixAddress) -> String {
    match address {
        UnixAddress::Unnamed => "*".into(),
        UnixAddress::Path(path) => String::from_utf8_lossy(path).into(),
        UnixAddress::Abstract(name) => format!("@{}", String::from_utf8_lossy(name)),
    }
}
