//! Which addresses a TCP socket may have, and by which it reaches another.
//!
//! Within, an address of IPv4 is one of IPv4, also where a socket of IPv6 has it; such a socket sees `::ffff:1.2.3.4`.

use super::{Role, Tcp};
use crate::{
    Domain, Errno, Flag, Network, Result, SocketId,
    ports::{At, Claim, Why},
    socket::{Proto, Socket},
};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The address as it is within.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

impl Socket {
    /// The address as this socket sees it.
    fn sees(&self, address: SocketAddr) -> SocketAddr {
        match (self.domain, address.ip()) {
            (Domain::V6, IpAddr::V4(v4)) => {
                SocketAddr::new(v4.to_ipv6_mapped().into(), address.port())
            }
            _ => address,
        }
    }

    /// The unspecified address of its family.
    pub(crate) fn anywhere(&self) -> IpAddr {
        match self.domain {
            Domain::V4 => Ipv4Addr::UNSPECIFIED.into(),
            _ => Ipv6Addr::UNSPECIFIED.into(),
        }
    }

    /// Checks the family of an address; `foreign` is the error for one of IPv4 where only IPv6 is allowed.
    pub(crate) fn check_family(&self, address: SocketAddr, foreign: Errno) -> Result<()> {
        match (self.domain, address) {
            (Domain::V4, SocketAddr::V6(_)) => Err(Errno::EAFNOSUPPORT),
            // The address is shorter than one of IPv6: `inet6_bind_sk`.
            (Domain::V6, SocketAddr::V4(_)) => Err(Errno::EINVAL),
            (_, SocketAddr::V6(v6))
                if v6.ip().to_ipv4_mapped().is_some() && self.options.is(Flag::OnlyV6) =>
            {
                Err(foreign)
            }
            _ => Ok(()),
        }
    }

    /// What it claims to have that address.
    pub(crate) fn claim(&self, address: SocketAddr, why: Why) -> Claim {
        let at = match address.ip() {
            IpAddr::V4(v4) if v4.is_unspecified() => At::AllV4,
            IpAddr::V6(v6) if v6.is_unspecified() && self.options.is(Flag::OnlyV6) => At::AllV6,
            IpAddr::V6(v6) if v6.is_unspecified() => At::All,
            one => At::One(one),
        };
        Claim {
            port: address.port(),
            at,
            why,
            reuse_addr: self.options.is(Flag::ReuseAddr),
            reuse_port: self.options.is(Flag::ReusePort),
        }
    }
}

impl Network {
    pub(crate) fn tcp_of(&self, id: SocketId) -> Result<(&Socket, &Tcp)> {
        let socket = self.get(id)?;
        match &socket.proto {
            Proto::Tcp(tcp) => Ok((socket, tcp)),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    pub(crate) fn tcp_of_mut(&mut self, id: SocketId) -> Result<&mut Tcp> {
        match &mut self.get_mut(id)?.proto {
            Proto::Tcp(tcp) => Ok(tcp),
            _ => Err(Errno::EOPNOTSUPP),
        }
    }

    pub(crate) fn tcp_local_addr(&self, id: SocketId) -> Result<SocketAddr> {
        let (socket, tcp) = self.tcp_of(id)?;
        let local = match &tcp.role {
            Role::Connected(connection) => self.tcp.get(*connection).map(|c| c.local),
            _ => tcp.bound,
        };
        Ok(local.map_or(SocketAddr::new(socket.anywhere(), 0), |local| socket.sees(local)))
    }

    /// Where a connection came from that was just accepted: accept(2) says so also of one that has been reset meanwhile,
    /// of which [`peer_addr`](Network::peer_addr) no longer does.
    ///
    /// # Errors
    ///
    /// `ENOTCONN` if it is no connection of TCP, `EBADF`.
    pub fn accepted_from(&self, id: SocketId) -> Result<SocketAddr> {
        let (socket, tcp) = self.tcp_of(id)?;
        let Role::Connected(connection) = tcp.role else { return Err(Errno::ENOTCONN) };
        let c = self.tcp.get(connection).ok_or(Errno::ENOTCONN)?;
        Ok(socket.sees(c.peer))
    }

    pub(crate) fn tcp_peer_addr(&self, id: SocketId) -> Result<SocketAddr> {
        let (socket, tcp) = self.tcp_of(id)?;
        let Role::Connected(connection) = tcp.role else { return Err(Errno::ENOTCONN) };
        match self.tcp.get(connection) {
            Some(c) if !c.is_over() && !c.state.is_opening() => Ok(socket.sees(c.peer)),
            _ => Err(Errno::ENOTCONN),
        }
    }
}

/// The loopback address of the family.
pub(crate) fn loopback(like: IpAddr) -> IpAddr {
    match like {
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}
