//! Who has which address, and whom a datagram is for.

use super::{Asked, Udp, any, plain};
use crate::{Cx, Domain, Errno, Flag, HostId, Network, Result, SocketId, socket::Socket};
use alloc::{collections::BTreeMap, vec::Vec};
use core::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
};

/// Which sockets of UDP have which port, and which hosts are in which group.
#[derive(Default)]
pub(crate) struct Bound {
    /// By host.
    ports: Vec<Ports>,
    /// How many sockets of a host are in a group.
    pub(super) members: BTreeMap<(IpAddr, HostId), u32>,
}

/// The UDP ports of a host.
#[derive(Default)]
struct Ports {
    /// In order of binding.
    sockets: BTreeMap<u16, Vec<SocketId>>,
    /// How many were given by number: the next is tried first, so that one given back rests a while.
    given: u32,
}

impl Bound {
    pub(super) fn at(&self, host: HostId, port: u16) -> &[SocketId] {
        let ports = self.ports.get(host.0 as usize);
        ports.and_then(|ports| ports.sockets.get(&port)).map_or(&[], Vec::as_slice)
    }

    fn ports(&mut self, host: HostId) -> &mut Ports {
        let host = host.0 as usize;
        if self.ports.len() <= host {
            self.ports.resize_with(host + 1, Ports::default);
        }
        &mut self.ports[host]
    }

    fn insert(&mut self, host: HostId, port: u16, id: SocketId) {
        self.ports(host).sockets.entry(port).or_default().push(id);
    }

    pub(super) fn remove(&mut self, host: HostId, port: u16, id: SocketId) {
        let ports = self.ports(host);
        let Some(there) = ports.sockets.get_mut(&port) else { return };
        there.retain(|other| *other != id);
        if there.is_empty() {
            ports.sockets.remove(&port);
        }
    }

    /// A port that no socket of the host has.
    fn free_port(&mut self, host: HostId, of: RangeInclusive<u16>) -> Option<u16> {
        let ports = self.ports(host);
        let count = of.len() as u32;
        for skip in 0..count {
            let nth = (ports.given + skip) % count;
            let port = of.start() + u16::try_from(nth).expect("it is below the count");
            if !ports.sockets.contains_key(&port) {
                ports.given = nth + 1;
                return Some(port);
            }
        }
        None
    }
}

/// Whether two addresses of sockets share one: `inet_rcv_saddr_equal`. All of IPv6 are all of IPv4 too, unless the socket
/// is of IPv6 only.
fn overlap(a: (IpAddr, bool), b: (IpAddr, bool)) -> bool {
    let covers = |(all, only): (IpAddr, bool), other: IpAddr| {
        all.is_unspecified() && (all.is_ipv4() == other.is_ipv4() || all.is_ipv6() && !only)
    };
    a.0 == b.0 || covers(a, b.0) || covers(b, a.0)
}

impl Network {
    pub(crate) fn udp_bind(
        &mut self,
        _: &mut Cx<'_>,
        id: SocketId,
        address: SocketAddr,
    ) -> Result<()> {
        let socket = self.get(id)?;
        let (host, domain) = (socket.host, socket.domain);
        let only_v6 = socket.options.is(Flag::OnlyV6);
        match (domain, address) {
            (Domain::V4, SocketAddr::V6(_)) => return Err(Errno::EAFNOSUPPORT),
            // The address is too short for one of IPv6.
            (Domain::V6, SocketAddr::V4(_)) => return Err(Errno::EINVAL),
            _ => {}
        }
        let wanted = plain(address);
        if domain == Domain::V6 && wanted.is_ipv4() && only_v6 {
            return Err(Errno::EINVAL);
        }
        if self.udp(id)?.local.port() != 0 {
            return Err(Errno::EINVAL);
        }
        if !self.may_bind(host, wanted.ip()) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        let asked = Asked { address: !wanted.ip().is_unspecified(), port: wanted.port() != 0 };
        self.udp_take(id, wanted, asked).ok_or(Errno::EADDRINUSE)
    }

    fn may_bind(&self, host: HostId, ip: IpAddr) -> bool {
        let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
        ip.is_unspecified() || ip.is_multicast() || broadcast || self.is_own(host, ip)
    }

    /// Gives the socket that address, if no other stands in its way.
    fn udp_take(&mut self, id: SocketId, mut wanted: SocketAddr, asked: Asked) -> Option<()> {
        let host = self.get(id).ok()?.host;
        if wanted.port() == 0 {
            let ephemeral = self.hosts[host.0 as usize].ports.ephemeral();
            wanted.set_port(self.udp.free_port(host, ephemeral)?);
        } else {
            let new = self.get(id).ok()?;
            let old = self.udp.at(host, wanted.port()).iter().filter_map(|id| self.get(*id).ok());
            if old.into_iter().any(|old| in_the_way(new, wanted.ip(), old)) {
                return None;
            }
        }
        let (udp, _) = self.udp_mut(id).ok()?;
        (udp.local, udp.asked) = (wanted, asked);
        self.udp.insert(host, wanted.port(), id);
        Some(())
    }

    /// Gives a socket a port that has none, as before it sends.
    pub(super) fn udp_autobind(&mut self, id: SocketId) -> Result<()> {
        let udp = self.udp(id)?;
        if udp.local.port() != 0 {
            return Ok(());
        }
        let wanted = udp.local;
        self.udp_take(id, wanted, Asked::default()).ok_or(Errno::EAGAIN)
    }

    pub(crate) fn udp_connect(
        &mut self,
        _: &mut Cx<'_>,
        id: SocketId,
        to: SocketAddr,
    ) -> Result<()> {
        // Before anything is looked at, as in Linux (`inet_dgram_connect`).
        self.udp_autobind(id)?;
        let socket = self.get(id)?;
        let host = socket.host;
        if socket.options.is(Flag::OnlyV6) && to.is_ipv4() {
            return Err(Errno::EAFNOSUPPORT);
        }
        let is_plain = to.is_ipv4();
        let to = self.udp_target(id, to)?;
        self.may_broadcast(id, to.ip())?;
        let udp = self.udp(id)?;
        // An address that came with an earlier connection stays (`inet_saddr`), but one of IPv6 has no part in IPv4.
        let bound = match (udp.local.ip(), to.ip()) {
            (IpAddr::V6(_), IpAddr::V4(_)) if !udp.asked.address => any(udp.domain),
            (IpAddr::V6(v6), IpAddr::V4(_)) if is_plain && !v6.is_unspecified() => {
                return Err(Errno::EAFNOSUPPORT);
            }
            (local, _) => local,
        };
        let source = self.source(host, bound, to.ip())?;
        let (udp, _) = self.udp_mut(id)?;
        udp.peer = Some(to);
        udp.local.set_ip(source);
        Ok(())
    }

    /// Ends what connect began: connect(2) with `AF_UNSPEC`. An address or port that came with it is gone again. A TCP
    /// socket cannot.
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` if it is no socket of UDP, `EBADF`.
    pub fn disconnect(&mut self, id: SocketId) -> Result<()> {
        let host = self.get(id)?.host;
        let (udp, _) = self.udp_mut(id)?;
        udp.peer = None;
        if !udp.asked.address {
            udp.local.set_ip(any(udp.domain));
        }
        if !udp.asked.port {
            let port = udp.local.port();
            udp.local.set_port(0);
            self.udp.remove(host, port, id);
        }
        Ok(())
    }

    pub(super) fn udp_unbind(&mut self, id: SocketId) -> Result<()> {
        let host = self.get(id)?.host;
        let udp = self.udp(id)?;
        let (port, groups) = (udp.local.port(), udp.groups.clone());
        self.udp.remove(host, port, id);
        groups.into_iter().for_each(|group| self.udp.leave(host, group));
        Ok(())
    }

    /// The socket that a datagram to one host is for: the one that fits best, and of those the last that was bound
    /// (`udp4_lib_lookup2`). Those that share the port by `SO_REUSEPORT` share the senders.
    pub(crate) fn udp_receiver(
        &self,
        host: HostId,
        to: SocketAddr,
        from: SocketAddr,
    ) -> Option<SocketId> {
        let fits = |id: &SocketId| Some((self.fit(*id, to, from)?, *id));
        let all = self.udp.at(host, to.port());
        if let [only] = all {
            return fits(only).map(|(_, id)| id);
        }
        let best = all.iter().filter_map(fits).max_by_key(|(fit, _)| *fit)?;
        let equal: Vec<SocketId> = all
            .iter()
            .filter_map(fits)
            .filter(|(fit, _)| *fit == best.0)
            .map(|(_, id)| id)
            .collect();
        let shared = |id: &SocketId| self.get(*id).is_ok_and(|s| s.options.is(Flag::ReusePort));
        if best.0.connected || !equal.iter().all(shared) {
            return equal.last().copied();
        }
        Some(equal[spread(from) as usize % equal.len()])
    }

    fn fit(&self, id: SocketId, to: SocketAddr, from: SocketAddr) -> Option<Fit> {
        let socket = self.get(id).ok()?;
        let udp = self.udp(id).ok()?;
        let exact = udp.local.ip() == to.ip();
        if !exact && !takes_all(socket, udp, to.ip()) {
            return None;
        }
        match udp.peer {
            Some(peer) if peer != from => None,
            peer => Some(Fit {
                exact,
                connected: peer.is_some(),
                own_family: (socket.domain == Domain::V4) == to.is_ipv4(),
            }),
        }
    }
}

/// How well a socket fits a datagram; `compute_score` counts points in this order, more or less.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    connected: bool,
    exact: bool,
    own_family: bool,
}

/// Whether the socket receives what is sent to that address, because it receives what is sent to any.
pub(super) fn takes_all(socket: &Socket, udp: &Udp, to: IpAddr) -> bool {
    let all = udp.local.ip();
    all.is_unspecified()
        && (all.is_ipv4() == to.is_ipv4() || all.is_ipv6() && !socket.options.is(Flag::OnlyV6))
}

fn in_the_way(new: &Socket, wanted: IpAddr, old: &Socket) -> bool {
    let both = |flag| new.options.is(flag) && old.options.is(flag);
    let crate::socket::Proto::Udp(udp) = &old.proto else { return false };
    let only = |socket: &Socket| socket.options.is(Flag::OnlyV6);
    overlap((wanted, only(new)), (udp.local.ip(), only(old)))
        && !both(Flag::ReuseAddr)
        && !both(Flag::ReusePort)
}

/// A number that is the same for all datagrams of a sender. Linux's is a keyed hash: no program can rely on which.
fn spread(from: SocketAddr) -> u32 {
    let ip = match from.ip() {
        IpAddr::V4(v4) => v4.to_bits(),
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            (bits ^ bits >> 64) as u32
        }
    };
    let mixed = (ip ^ u32::from(from.port())).wrapping_mul(0x9e37_79b1);
    mixed ^ mixed >> 16
}
