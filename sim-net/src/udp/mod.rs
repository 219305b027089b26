//! UDP as Linux does it: udp(7), ip(7), RFC 768.
//!
//! | file | idea |
//! |---|---|
//! | `bound.rs` | who has which address, and whom a datagram is for |
//! | `send.rs` | from a verb to packets |
//! | `receive.rs` | from packets to a verb |
//! | `group.rs` | multicast |

mod bound;
mod group;
mod receive;
mod send;

use crate::{Domain, Errno, How, Network, Ready, Result, SocketId, options::Options};
use alloc::{
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};
pub(crate) use bound::Bound;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// A socket of UDP. Its addresses are never of the form `::ffff:1.2.3.4`; they get it where a program sees them.
pub(crate) struct Udp {
    domain: Domain,
    /// Where it receives: unspecified is all addresses; port 0: it is not bound.
    local: SocketAddr,
    /// Whether the address and the port were asked for, and so outlive a connection.
    asked: Asked,
    peer: Option<SocketAddr>,
    inbox: VecDeque<Datagram>,
    /// What the datagrams in it take of the receive buffer.
    inbox_bytes: u32,
    /// That nobody listens at the peer's, until it is told.
    error: Option<Errno>,
    read_shut: bool,
    write_shut: bool,
    groups: BTreeSet<IpAddr>,
}

#[derive(Clone, Copy, Default)]
struct Asked {
    address: bool,
    port: bool,
}

/// A datagram that waits to be read.
struct Datagram {
    from: SocketAddr,
    bytes: Vec<u8>,
}

impl Udp {
    pub(crate) fn new(domain: Domain) -> Udp {
        Udp {
            domain,
            local: SocketAddr::new(any(domain), 0),
            asked: Asked::default(),
            peer: None,
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            error: None,
            read_shut: false,
            write_shut: false,
            groups: BTreeSet::new(),
        }
    }

    /// As `udp_poll` has it: an error alone does not make a socket readable; it can always be written to.
    pub(crate) fn ready(&self) -> Ready {
        let mut ready = Ready::WRITABLE;
        if !self.inbox.is_empty() || self.read_shut {
            ready |= Ready::READABLE;
        }
        if self.read_shut {
            ready |= Ready::READ_CLOSED;
        }
        if self.read_shut && self.write_shut {
            ready |= Ready::WRITE_CLOSED;
        }
        if self.error.is_some() {
            ready |= Ready::ERROR;
        }
        ready
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.seen(self.local)
    }

    pub(crate) fn peer_addr(&self) -> Result<SocketAddr> {
        let peer = self.peer.filter(|peer| peer.port() != 0).ok_or(Errno::ENOTCONN)?;
        Ok(self.seen(peer))
    }

    pub(crate) fn take_error(&mut self) -> Option<Errno> {
        self.error.take()
    }

    pub(crate) fn unread_bytes(&self) -> usize {
        self.inbox.iter().map(|datagram| datagram.bytes.len()).sum()
    }

    /// An address as programs see it: those of IPv4 as `::ffff:1.2.3.4`, where the socket is of IPv6.
    fn seen(&self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(v4) if self.domain == Domain::V6 && v4.is_unspecified() => {
                SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), address.port())
            }
            IpAddr::V4(v4) if self.domain == Domain::V6 => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), address.port())
            }
            _ => address,
        }
    }
}

/// The unspecified address of a family.
fn any(domain: Domain) -> IpAddr {
    match domain {
        Domain::V6 => Ipv6Addr::UNSPECIFIED.into(),
        Domain::V4 | Domain::Unix => Ipv4Addr::UNSPECIFIED.into(),
    }
}

/// Without the form `::ffff:1.2.3.4`, and without flow and scope.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Network {
    fn udp(&self, id: SocketId) -> Result<&Udp> {
        match &self.get(id)?.proto {
            crate::socket::Proto::Udp(udp) => Ok(udp),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    fn udp_mut(&mut self, id: SocketId) -> Result<(&mut Udp, &mut Options)> {
        let socket = self.get_mut(id)?;
        match &mut socket.proto {
            crate::socket::Proto::Udp(udp) => Ok((udp, &mut socket.options)),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    pub(crate) fn udp_shutdown(&mut self, id: SocketId, how: How) -> Result<()> {
        let (udp, _) = self.udp_mut(id)?;
        udp.read_shut |= how != How::Write;
        udp.write_shut |= how != How::Read;
        let connected = udp.peer.is_some();
        self.wake(id);
        // Linux shuts it down all the same.
        if connected { Ok(()) } else { Err(Errno::ENOTCONN) }
    }

    pub(crate) fn udp_close(&mut self, id: SocketId) -> Result<()> {
        self.udp_unbind(id)?;
        let host = self.remove(id)?.host;
        self.hosts[host.0 as usize].open -= 1;
        Ok(())
    }

    /// Its host has crashed, and the socket is no longer in the table.
    pub(crate) fn udp_vanishes(&mut self, host: crate::HostId, id: SocketId, udp: &Udp) {
        self.udp.remove(host, udp.local.port(), id);
        for group in &udp.groups {
            self.udp.leave(host, *group);
        }
    }
}
