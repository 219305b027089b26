//! From a verb to packets.

use super::plain;
use crate::{Body, Cx, Domain, Errno, Flag, HostId, Network, Packet, Result, SocketId};
use alloc::{vec, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The most bytes of a datagram: 65,535 of IP less UDP's header, and over IPv4 that of IP, which counts there.
fn most_bytes(to: IpAddr) -> usize {
    if to.is_ipv4() { 65_507 } else { 65_527 }
}

impl Network {
    pub(crate) fn udp_send(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        bytes: &[u8],
    ) -> Result<usize> {
        // Before anything is looked at, as in Linux (`inet_send_prepare`).
        self.udp_autobind(id)?;
        let to = self.udp(id)?.peer.ok_or(Errno::EDESTADDRREQ)?;
        self.udp_post(cx, id, bytes, to)
    }

    pub(crate) fn udp_send_to(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        bytes: &[u8],
        to: SocketAddr,
    ) -> Result<usize> {
        self.udp_autobind(id)?;
        let to = self.udp_target(id, to)?;
        if to.port() == 0 {
            return Err(Errno::EINVAL);
        }
        self.udp_post(cx, id, bytes, to)
    }

    fn udp_post(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        bytes: &[u8],
        to: SocketAddr,
    ) -> Result<usize> {
        if bytes.len() > most_bytes(to.ip()) {
            return Err(Errno::EMSGSIZE);
        }
        self.may_broadcast(id, to.ip())?;
        let host = self.get(id)?.host;
        let (udp, _) = self.udp_mut(id)?;
        let local = udp.local;
        if let Some(error) = udp.error.take() {
            return Err(error);
        }
        if udp.write_shut {
            return Err(Errno::EPIPE);
        }
        let ip = self.source(host, local.ip(), to.ip())?;
        let from = SocketAddr::new(ip, local.port());
        if to.ip().is_multicast() || is_broadcast(to.ip()) {
            for to_host in self.udp_hosts(id, host, ip, to.ip()) {
                self.post(cx, host, to_host, from, to, Body::Udp(bytes.to_vec()));
            }
        } else if let Some(to_host) = self.route(host, to.ip()) {
            self.post(cx, host, to_host, from, to, Body::Udp(bytes.to_vec()));
        }
        // To nobody's address it goes, and is gone.
        Ok(bytes.len())
    }

    /// Which hosts get what is sent to many.
    fn udp_hosts(&self, id: SocketId, host: HostId, from: IpAddr, to: IpAddr) -> Vec<HostId> {
        if to.is_multicast() {
            return self.udp_group_hosts(id, host, to);
        }
        if from.is_loopback() {
            return vec![host];
        }
        // Its own host too, as Linux loops it back.
        (0u32..).zip(&self.hosts).map(|(number, _)| HostId(number)).collect()
    }

    pub(super) fn may_broadcast(&self, id: SocketId, to: IpAddr) -> Result<()> {
        if is_broadcast(to) && !self.get(id)?.options.is(Flag::Broadcast) {
            return Err(Errno::EACCES);
        }
        Ok(())
    }

    /// Where a datagram to that address goes: the unspecified address is the host itself.
    pub(super) fn udp_target(&self, id: SocketId, to: SocketAddr) -> Result<SocketAddr> {
        let socket = self.get(id)?;
        let mut target = plain(to);
        match (socket.domain, target.ip()) {
            (Domain::V4, _) if to.is_ipv6() => return Err(Errno::EAFNOSUPPORT),
            (Domain::V6, IpAddr::V4(_)) if socket.options.is(Flag::OnlyV6) => {
                return Err(Errno::ENETUNREACH);
            }
            (_, IpAddr::V4(v4)) if v4.is_unspecified() => {
                target.set_ip(Ipv4Addr::LOCALHOST.into());
            }
            (_, IpAddr::V6(v6)) if v6.is_unspecified() => {
                target.set_ip(Ipv6Addr::LOCALHOST.into());
            }
            _ => {}
        }
        Ok(target)
    }

    /// Sends a packet from one address to another.
    pub(crate) fn post(
        &mut self,
        cx: &mut Cx<'_>,
        from_host: HostId,
        to_host: HostId,
        from: SocketAddr,
        to: SocketAddr,
        body: Body,
    ) {
        self.send_packet(cx, Packet { number: 0, from_host, to_host, from, to, sent_ns: 0, body });
    }
}

pub(super) fn is_broadcast(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(v4) if v4.is_broadcast())
}
