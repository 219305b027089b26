//! Multicast: groups, and who is in them (ip(7), ipv6(7)).
//!
//! All hosts are on one network. What is sent to a group goes to those that have a socket in it, as with switches that
//! listen to IGMP: a host that is in no group pays nothing.

use super::{Bound, any};
use crate::{Domain, Errno, Flag, HostId, Network, Result, SocketId};
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Bound {
    pub(super) fn is_member(&self, host: HostId, group: IpAddr) -> bool {
        self.members.contains_key(&(group, host))
    }

    fn join(&mut self, host: HostId, group: IpAddr) {
        *self.members.entry((group, host)).or_default() += 1;
    }

    pub(super) fn leave(&mut self, host: HostId, group: IpAddr) {
        let Some(count) = self.members.get_mut(&(group, host)) else { return };
        *count -= 1;
        if *count == 0 {
            self.members.remove(&(group, host));
        }
    }
}

impl Network {
    /// The socket's host receives what is sent to the group: ip(7), `IP_ADD_MEMBERSHIP`. The interface is named by an
    /// address of the host; unspecified is any.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is no group, `ENODEV` if the interface is not the host's, `EADDRINUSE` if the socket is in it,
    /// `EBADF`.
    pub fn join_multicast_v4(
        &mut self,
        id: SocketId,
        group: Ipv4Addr,
        interface: Ipv4Addr,
    ) -> Result<()> {
        self.check_group(id, group.into(), interface.into())?;
        self.udp_join(id, group.into())
    }

    /// As [`join_multicast_v4`](Network::join_multicast_v4), for a group of IPv6: ipv6(7), `IPV6_ADD_MEMBERSHIP`. Each host
    /// has the interfaces 1, loopback, and 2; 0 is any.
    ///
    /// # Errors
    ///
    /// As [`join_multicast_v4`](Network::join_multicast_v4), and `ENOPROTOOPT` if it is a socket of IPv4.
    pub fn join_multicast_v6(
        &mut self,
        id: SocketId,
        group: Ipv6Addr,
        interface: u32,
    ) -> Result<()> {
        self.check_group_v6(id, group, interface)?;
        self.udp_join(id, group.into())
    }

    /// Ends what [`join_multicast_v4`](Network::join_multicast_v4) began: ip(7), `IP_DROP_MEMBERSHIP`.
    ///
    /// # Errors
    ///
    /// `EINVAL`, `ENODEV`, `EADDRNOTAVAIL` if the socket is not in the group, `EBADF`.
    pub fn leave_multicast_v4(
        &mut self,
        id: SocketId,
        group: Ipv4Addr,
        interface: Ipv4Addr,
    ) -> Result<()> {
        self.check_group(id, group.into(), interface.into())?;
        self.udp_leave(id, group.into())
    }

    /// Ends what [`join_multicast_v6`](Network::join_multicast_v6) began: ipv6(7), `IPV6_DROP_MEMBERSHIP`.
    ///
    /// # Errors
    ///
    /// As [`leave_multicast_v4`](Network::leave_multicast_v4), and `ENOPROTOOPT` if it is a socket of IPv4.
    pub fn leave_multicast_v6(
        &mut self,
        id: SocketId,
        group: Ipv6Addr,
        interface: u32,
    ) -> Result<()> {
        self.check_group_v6(id, group, interface)?;
        self.udp_leave(id, group.into())
    }

    /// How far what is sent to groups goes: ip(7), `IP_MULTICAST_TTL`, and `IPV6_MULTICAST_HOPS`. With 0 it stays on its
    /// host; all others are one step away.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is more than 255, `EBADF`.
    pub fn set_multicast_ttl(&mut self, id: SocketId, ttl: u32) -> Result<()> {
        if ttl > 255 {
            return Err(Errno::EINVAL);
        }
        self.get_mut(id)?.options.multicast_ttl = ttl;
        Ok(())
    }

    /// What [`set_multicast_ttl`](Network::set_multicast_ttl) has set; 1 by default.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn multicast_ttl(&self, id: SocketId) -> Result<u32> {
        Ok(self.get(id)?.options.multicast_ttl)
    }

    fn check_group(&self, id: SocketId, group: IpAddr, interface: IpAddr) -> Result<()> {
        let host = self.get(id)?.host;
        self.udp(id)?;
        match () {
            () if !group.is_multicast() => Err(Errno::EINVAL),
            () if !interface.is_unspecified() && !self.is_own(host, interface) => {
                Err(Errno::ENODEV)
            }
            () => Ok(()),
        }
    }

    fn check_group_v6(&self, id: SocketId, group: Ipv6Addr, interface: u32) -> Result<()> {
        self.check_group(id, group.into(), any(Domain::V6))?;
        match (self.get(id)?.domain, interface) {
            (Domain::V6, 0..=2) => Ok(()),
            (Domain::V6, _) => Err(Errno::ENODEV),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    fn udp_join(&mut self, id: SocketId, group: IpAddr) -> Result<()> {
        let host = self.get(id)?.host;
        if !self.udp_mut(id)?.0.groups.insert(group) {
            return Err(Errno::EADDRINUSE);
        }
        self.udp.join(host, group);
        Ok(())
    }

    fn udp_leave(&mut self, id: SocketId, group: IpAddr) -> Result<()> {
        let host = self.get(id)?.host;
        if !self.udp_mut(id)?.0.groups.remove(&group) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        self.udp.leave(host, group);
        Ok(())
    }

    /// Which hosts get what the socket sends to the group: its own only where the socket loops back, others only where
    /// the datagram may leave the host.
    pub(super) fn udp_group_hosts(&self, id: SocketId, host: HostId, group: IpAddr) -> Vec<HostId> {
        let Ok(socket) = self.get(id) else { return Vec::new() };
        let flag = if group.is_ipv4() { Flag::MulticastLoopV4 } else { Flag::MulticastLoopV6 };
        let (loops, leaves) = (socket.options.is(flag), socket.options.multicast_ttl > 0);
        let members = self.udp.members.range((group, HostId(0))..=(group, HostId(u32::MAX)));
        let hosts = members.map(|((_, member), _)| *member);
        hosts.filter(|member| if *member == host { loops } else { leaves }).collect()
    }
}
