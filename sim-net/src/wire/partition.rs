//! Links that are cut, and links that keep what is on them: turmoil's words.
//!
//! Each verb takes two sides, and means the links from each host of the one to each of the other.

use super::Ticket;
use crate::{Cx, HostId, LinkError, Network, network::Event};
use alloc::{collections::BTreeMap, vec::Vec};

impl Network {
    /// Cuts the links between both sides, in both directions: what is sent is lost, and what is on its way.
    ///
    /// # Errors
    ///
    /// [`LinkError`]: a host is not there, or on both sides, or a side has none. Nothing is cut then.
    pub fn partition(&mut self, a: &[HostId], b: &[HostId]) -> Result<(), LinkError> {
        self.partition_oneway(a, b)?;
        self.partition_oneway(b, a)
    }

    /// As [`partition`](Network::partition), for what goes from the first side to the second.
    ///
    /// # Errors
    ///
    /// As [`partition`](Network::partition).
    pub fn partition_oneway(&mut self, from: &[HostId], to: &[HostId]) -> Result<(), LinkError> {
        self.check_sides(from, to)?;
        self.tcp_unsettle();
        pairs(from, to).for_each(|(from, to)| self.wire.cuts.insert(from, to));
        Ok(())
    }

    /// Mends the links between both sides, in both directions, if they are cut. What was lost is; TCP sends it again.
    ///
    /// # Errors
    ///
    /// As [`partition`](Network::partition).
    pub fn repair(&mut self, a: &[HostId], b: &[HostId]) -> Result<(), LinkError> {
        self.repair_oneway(a, b)?;
        self.repair_oneway(b, a)
    }

    /// As [`repair`](Network::repair), for what goes from the first side to the second.
    ///
    /// # Errors
    ///
    /// As [`partition`](Network::partition).
    pub fn repair_oneway(&mut self, from: &[HostId], to: &[HostId]) -> Result<(), LinkError> {
        self.check_sides(from, to)?;
        self.tcp_unsettle();
        pairs(from, to).for_each(|(from, to)| _ = self.wire.cuts.remove(from, to));
        Ok(())
    }

    /// The links between both sides keep what is on them and what is sent, until they are
    /// [released](Network::release).
    ///
    /// # Errors
    ///
    /// As [`partition`](Network::partition).
    pub fn hold(&mut self, a: &[HostId], b: &[HostId]) -> Result<(), LinkError> {
        self.hold_oneway(a, b)?;
        self.hold_oneway(b, a)
    }

    /// As [`hold`](Network::hold), for what goes from the first side to the second.
    ///
    /// # Errors
    ///
    /// As [`partition`](Network::partition).
    pub fn hold_oneway(&mut self, from: &[HostId], to: &[HostId]) -> Result<(), LinkError> {
        self.check_sides(from, to)?;
        self.tcp_unsettle();
        pairs(from, to).for_each(|(from, to)| self.wire.holds.insert(from, to));
        Ok(())
    }

    /// Lets go what the links between both sides have kept: it arrives now, in the order in which it was sent.
    ///
    /// # Errors
    ///
    /// As [`partition`](Network::partition).
    pub fn release(
        &mut self,
        cx: &mut Cx<'_>,
        a: &[HostId],
        b: &[HostId],
    ) -> Result<(), LinkError> {
        self.release_oneway(cx, a, b)?;
        self.release_oneway(cx, b, a)
    }

    /// As [`release`](Network::release), for what goes from the first side to the second.
    ///
    /// # Errors
    ///
    /// As [`partition`](Network::partition).
    pub fn release_oneway(
        &mut self,
        cx: &mut Cx<'_>,
        from: &[HostId],
        to: &[HostId],
    ) -> Result<(), LinkError> {
        self.check_sides(from, to)?;
        self.tcp_unsettle();
        let mut held = Vec::new();
        for (from, to) in pairs(from, to) {
            if self.wire.holds.remove(from, to) {
                held.append(&mut self.wire.way(from, to).held);
            }
        }
        self.deliver(cx, held);
        Ok(())
    }

    /// Mends all links, and lets go what they have kept; but for what a [`Storm`](crate::Storm) cuts and holds. What [links](Network::set_default_link) and rules do goes on.
    pub fn heal(&mut self, cx: &mut Cx<'_>) {
        self.tcp_unsettle();
        self.wire.cuts.clear();
        self.wire.holds.clear();
        let mut held = Vec::new();
        for way in self.wire.ways.iter_mut().flat_map(BTreeMap::values_mut) {
            held.append(&mut way.held);
        }
        self.deliver(cx, held);
    }

    /// Whether the link from one host to another is cut, in that direction.
    #[must_use]
    pub fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.wire.cuts.has(from, to) || self.wire.storm.cuts.has(from, to)
    }

    /// Whether the link from one host to another keeps what is on it.
    #[must_use]
    pub fn is_held(&self, from: HostId, to: HostId) -> bool {
        self.wire.holds.has(from, to) || self.wire.storm.holds.has(from, to)
    }

    pub(super) fn deliver(&mut self, cx: &mut Cx<'_>, mut held: Vec<Ticket>) {
        held.sort_by_key(|ticket| self.wire.flight(*ticket).packet.number);
        for ticket in held {
            let flight = self.wire.flight(ticket);
            (flight.held, flight.arrives_ns) = (false, cx.now_ns);
            let key = self.events.insert(cx.now_ns, Event::Arrives(ticket));
            flight.queued = flight.queued.and(Some(key));
        }
    }

    pub(super) fn check_host(&self, host: HostId) -> Result<(), LinkError> {
        match self.hosts.get(host.0 as usize) {
            Some(_) => Ok(()),
            None => Err(LinkError::UnknownHost(host)),
        }
    }

    pub(super) fn check_sides(&self, a: &[HostId], b: &[HostId]) -> Result<(), LinkError> {
        if a.is_empty() || b.is_empty() {
            return Err(LinkError::Nobody);
        }
        for host in a.iter().chain(b) {
            self.check_host(*host)?;
        }
        match pairs(a, b).find(|(a, b)| a == b) {
            Some((both, _)) => Err(LinkError::WithItself(both)),
            None => Ok(()),
        }
    }
}

fn pairs(from: &[HostId], to: &[HostId]) -> impl Iterator<Item = (HostId, HostId)> {
    from.iter().flat_map(move |from| to.iter().map(move |to| (*from, *to)))
}
