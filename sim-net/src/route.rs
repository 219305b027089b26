//! Where an address leads from a host, and which of its own addresses a host sends from.

use crate::{Errno, HostId, Network, Result};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

impl Network {
    /// The host that an address leads to: loopback leads back. None: to nobody.
    pub(crate) fn route(&self, host: HostId, to: IpAddr) -> Option<HostId> {
        if to.is_loopback() { Some(host) } else { self.host_at(to) }
    }

    /// Whether the address is one of the host's own.
    pub(crate) fn is_own(&self, host: HostId, ip: IpAddr) -> bool {
        ip.is_loopback() || self.host_at(ip) == Some(host)
    }

    /// The address that the host sends from, if its socket has `local`: that one, or if it is unspecified the one that
    /// suits.
    ///
    /// # Errors
    ///
    /// `EINVAL` from loopback to another host, `ENETUNREACH` and `EAFNOSUPPORT` from one family to the other.
    pub(crate) fn source(&self, host: HostId, local: IpAddr, to: IpAddr) -> Result<IpAddr> {
        if !local.is_unspecified() && !local.is_multicast() {
            return match () {
                // A socket of IPv6 at an address of IPv4 (`ip6_dst_lookup_tail`), and the other way.
                () if local.is_ipv4() && to.is_ipv6() => Err(Errno::EAFNOSUPPORT),
                () if local.is_ipv6() && to.is_ipv4() => Err(Errno::ENETUNREACH),
                () if local.is_loopback() && !self.is_own(host, to) && !to_all(to) => {
                    Err(Errno::EINVAL)
                }
                () => Ok(local),
            };
        }
        match to {
            IpAddr::V4(v4) if v4.is_loopback() => Ok(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(v6) if v6.is_loopback() => Ok(Ipv6Addr::LOCALHOST.into()),
            to if self.is_own(host, to) => Ok(to),
            to => {
                let mut own = self.addresses(host).iter().copied();
                own.find(|own| own.is_ipv4() == to.is_ipv4()).ok_or(Errno::ENETUNREACH)
            }
        }
    }
}

/// Whether an address is that of all hosts: what is sent there from loopback stays on its host.
fn to_all(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(v4) if v4.is_broadcast())
}
