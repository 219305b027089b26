//! Which link leads from one host to another: what was set for the two of them, else for the sender, else for the
//! receiver, else for all.

use crate::{HostId, Link, LinkError, Network};
use alloc::collections::BTreeMap;

#[derive(Default)]
pub(super) struct Links {
    all: Link,
    of_host: BTreeMap<HostId, Link>,
    of_pair: BTreeMap<(HostId, HostId), Link>,
}

impl Links {
    #[inline]
    pub(super) fn get(&self, from: HostId, to: HostId) -> &Link {
        if self.of_pair.is_empty() && self.of_host.is_empty() {
            return &self.all;
        }
        let of_host = |host| self.of_host.get(host);
        let of_pair = self.of_pair.get(&(from, to));
        of_pair.or_else(|| of_host(&from)).or_else(|| of_host(&to)).unwrap_or(&self.all)
    }
}

impl Network {
    /// Sets how links treat packets, but for those that were given a way of their own. What is on its way keeps its
    /// delay.
    ///
    /// # Errors
    ///
    /// [`LinkError`], which names the figure that cannot be.
    pub fn set_default_link(&mut self, link: Link) -> Result<(), LinkError> {
        link.check()?;
        self.tcp_unsettle();
        self.wire.links.all = link;
        Ok(())
    }

    /// How links treat packets that were given no way of their own.
    #[must_use]
    pub fn default_link(&self) -> Link {
        self.wire.links.all
    }

    /// Sets the links to and from a host, but for pairs that were given one; none: it is as others again. Where both
    /// ends have one the sender's counts.
    ///
    /// # Errors
    ///
    /// [`LinkError`], which names the figure that cannot be, or the host that is not there.
    pub fn set_host_link(&mut self, host: HostId, link: Option<Link>) -> Result<(), LinkError> {
        self.check_host(host)?;
        self.tcp_unsettle();
        match link {
            Some(link) => {
                link.check()?;
                self.wire.links.of_host.insert(host, link);
            }
            None => _ = self.wire.links.of_host.remove(&host),
        }
        Ok(())
    }

    /// Sets the link from one host to another, in that direction; none: it is as others again.
    ///
    /// # Errors
    ///
    /// [`LinkError`], which names the figure that cannot be, or the host that is not there.
    pub fn set_link(
        &mut self,
        from: HostId,
        to: HostId,
        link: Option<Link>,
    ) -> Result<(), LinkError> {
        self.check_sides(&[from], &[to])?;
        self.tcp_unsettle();
        match link {
            Some(link) => {
                link.check()?;
                self.wire.links.of_pair.insert((from, to), link);
            }
            None => _ = self.wire.links.of_pair.remove(&(from, to)),
        }
        Ok(())
    }

    /// How the link from one host to another treats packets.
    ///
    /// # Errors
    ///
    /// [`LinkError`], which names the host that is not there, or on both sides.
    pub fn link(&self, from: HostId, to: HostId) -> Result<Link, LinkError> {
        self.check_sides(&[from], &[to])?;
        Ok(*self.wire.links.get(from, to))
    }
}
