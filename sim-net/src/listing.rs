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

/// An open socket, or a connection of TCP that has none (it was not accepted yet, or goes on after its socket was closed),
/// as a line of ss(8).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SocketLine {
    /// Which one, if a program has it.
    pub id: Option<SocketId>,
    /// Whose.
    pub host: HostId,
    /// `tcp`, `udp`, `unix stream` or `unix datagram`.
    pub kind: &'static str,
    /// What it is doing, in capitals as ss(8) has it, if that is known.
    pub state: &'static str,
    /// Its address.
    pub local: String,
    /// Its peer's, if it is connected.
    pub peer: Option<String>,
    /// How many bytes wait to be read; of a listener, how many connections wait to be accepted.
    pub unread_bytes: usize,
    /// How many bytes were written to a connection of TCP and are not acknowledged.
    pub unsent_bytes: usize,
}

impl fmt::Display for SocketLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SocketLine { kind, state, local, unread_bytes, unsent_bytes, .. } = self;
        write!(f, "{kind} {state} {local}")?;
        if let Some(peer) = &self.peer {
            write!(f, " -> {peer}")?;
        }
        match unread_bytes {
            0 => {}
            waiting if *state == "LISTEN" => write!(f, ", {waiting} not accepted")?,
            bytes => write!(f, ", {bytes} bytes unread")?,
        }
        match unsent_bytes {
            0 => Ok(()),
            bytes => write!(f, ", {bytes} bytes not acknowledged"),
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

    /// The open sockets by host, in the order of their places in the table, and then the connections without socket.
    #[must_use]
    pub fn sockets(&self) -> Vec<SocketLine> {
        let ids = (0u32..).zip(&self.sockets).filter(|(_, slot)| slot.socket.is_some());
        let mut all: Vec<SocketLine> = ids
            .map(|(index, slot)| SocketId { index, generation: slot.generation })
            .filter_map(|id| self.socket_line(id))
            .collect();
        all.extend(self.tcp_without_socket().map(|c| SocketLine {
            id: None,
            host: c.host,
            kind: "tcp",
            state: c.state.name(),
            local: c.local.to_string(),
            peer: Some(c.peer.to_string()),
            unread_bytes: c.unread.len(),
            unsent_bytes: c.unacked.len(),
        }));
        all.sort_by_key(|line| line.host);
        all
    }

    fn socket_line(&self, id: SocketId) -> Option<SocketLine> {
        let socket = self.get(id).ok()?;
        let line = |kind, state, local, peer, unread_bytes| {
            let (id, host) = (Some(id), socket.host);
            Some(SocketLine { id, host, kind, state, local, peer, unread_bytes, unsent_bytes: 0 })
        };
        match &socket.proto {
            Proto::Tcp(tcp) => {
                let (state, unread, unsent) = self.tcp_queues(tcp);
                let local = self.tcp_local_addr(id).ok()?.to_string();
                let peer = self.tcp_peer_addr(id).ok().map(|peer| peer.to_string());
                let line = line("tcp", state, local, peer, unread)?;
                Some(SocketLine { unsent_bytes: unsent, ..line })
            }
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
