//! Where an address leads from a host, and which of its own addresses a host sends from.

use crate::{HostId, Network};
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
    /// suits. None if there is no way, as from loopback to another host.
    pub(crate) fn source(&self, host: HostId, local: IpAddr, to: IpAddr) -> Option<IpAddr> {
        if !local.is_unspecified() && !local.is_multicast() {
            let family = local.is_ipv4() == to.is_ipv4();
            let leaves = !self.is_own(host, to);
            return (family && !(local.is_loopback() && leaves)).then_some(local);
        }
        if to.is_loopback() {
            return Some(match to {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        if self.is_own(host, to) {
            return Some(to);
        }
        self.addresses(host).iter().copied().find(|own| own.is_ipv4() == to.is_ipv4())
    }
}
