//! Which ports of a host are taken by TCP, and which is given for port 0.
//!
//! A socket that has a port has a claim to it. Equal claims are counted, not listed: ten thousand connections of one
//! listener are one entry. Whether a new claim stands beside the old ones is Linux's `inet_csk_bind_conflict`.

use crate::{Errno, Result};
use alloc::collections::BTreeMap;
use core::{net::IpAddr, ops::RangeInclusive};

/// What Linux gives for port 0, and to a socket that connects without having been bound: ip(7), `ip_local_port_range`.
pub(crate) const EPHEMERAL: RangeInclusive<u16> = 32_768..=60_999;

/// The TCP ports of a host.
pub(crate) struct Ports {
    ephemeral: RangeInclusive<u16>,
    claims: BTreeMap<Claim, u32>,
    /// How many ports were given out by number: the next is tried first.
    given: u32,
}

/// Which addresses of its host a socket has its port at.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum At {
    /// One, never of the form `::ffff:1.2.3.4`.
    One(IpAddr),
    /// All of IPv4.
    AllV4,
    /// All of IPv6.
    AllV6,
    /// All of both: `[::]` without `IPV6_V6ONLY`.
    All,
}

/// Why a socket has a port.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Why {
    /// It was bound, or was accepted by one that was.
    Bound,
    /// It listens.
    Listens,
    /// It connected without having been bound: others may do so from the same port, to other peers.
    Connects,
}

/// What a socket that has a port claims. Those of a port are next to each other in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Claim {
    pub(crate) port: u16,
    pub(crate) at: At,
    pub(crate) why: Why,
    pub(crate) reuse_addr: bool,
    pub(crate) reuse_port: bool,
}

impl At {
    fn overlaps(self, other: At) -> bool {
        match (self, other) {
            (At::One(a), At::One(b)) => a == b,
            (At::All, _) | (_, At::All) => true,
            (a, b) => a.is_v4() == b.is_v4(),
        }
    }

    fn is_v4(self) -> bool {
        matches!(self, At::AllV4 | At::One(IpAddr::V4(_)))
    }
}

impl Claim {
    /// Whether the other, which is there, stands in its way.
    fn conflicts(self, other: Claim) -> bool {
        let shared = self.reuse_port && other.reuse_port;
        let reused = self.reuse_addr && other.reuse_addr && other.why != Why::Listens;
        self.at.overlaps(other.at) && !shared && !reused
    }
}

impl Default for Ports {
    fn default() -> Ports {
        Ports { ephemeral: EPHEMERAL, claims: BTreeMap::new(), given: 0 }
    }
}

impl Ports {
    pub(crate) fn ephemeral(&self) -> RangeInclusive<u16> {
        self.ephemeral.clone()
    }

    pub(crate) fn set_ephemeral(&mut self, ports: RangeInclusive<u16>) {
        (self.ephemeral, self.given) = (ports, 0);
    }

    /// Nobody has a port any more.
    pub(crate) fn clear(&mut self) {
        *self = Ports { ephemeral: self.ephemeral(), ..Ports::default() };
    }

    /// Makes a claim.
    ///
    /// # Errors
    ///
    /// `EADDRINUSE` if another stands in its way.
    pub(crate) fn claim(&mut self, claim: Claim) -> Result<()> {
        if self.of(claim.port).any(|other| claim.conflicts(other)) {
            return Err(Errno::EADDRINUSE);
        }
        self.add(claim);
        Ok(())
    }

    /// Makes a claim without asking, as a connection that was accepted does.
    pub(crate) fn add(&mut self, claim: Claim) {
        *self.claims.entry(claim).or_default() += 1;
    }

    /// Gives a claim back.
    pub(crate) fn release(&mut self, claim: Claim) {
        let count = self.claims.get_mut(&claim).expect("it was made");
        *count -= 1;
        if *count == 0 {
            self.claims.remove(&claim);
        }
    }

    /// Makes a claim to any port, whatever port it names.
    ///
    /// # Errors
    ///
    /// `EADDRINUSE` if all are taken.
    pub(crate) fn claim_any(&mut self, claim: Claim) -> Result<Claim> {
        // Somebody who asks for any port wants one of his own, whatever he would share.
        let free = |ports: &Ports, port| ports.of(port).all(|other| !claim.at.overlaps(other.at));
        let port = self.next_that(free).ok_or(Errno::EADDRINUSE)?;
        let claim = Claim { port, ..claim };
        self.add(claim);
        Ok(claim)
    }

    /// Makes a claim to a port to connect from, which nobody is bound to and which suits.
    ///
    /// # Errors
    ///
    /// `EADDRNOTAVAIL` if there is none.
    pub(crate) fn claim_to_connect(
        &mut self,
        at: IpAddr,
        suits: impl Fn(u16) -> bool,
    ) -> Result<Claim> {
        let free = |ports: &Ports, port| {
            ports.of(port).all(|other| other.why == Why::Connects) && suits(port)
        };
        let port = self.next_that(free).ok_or(Errno::EADDRNOTAVAIL)?;
        let (at, why) = (At::One(at), Why::Connects);
        let claim = Claim { port, at, why, reuse_addr: false, reuse_port: false };
        self.add(claim);
        Ok(claim)
    }

    fn of(&self, port: u16) -> impl Iterator<Item = Claim> {
        let least = Claim {
            port,
            at: At::One(IpAddr::V4(0.into())),
            why: Why::Bound,
            reuse_addr: false,
            reuse_port: false,
        };
        self.claims.range(least..).map(|(claim, _)| *claim).take_while(move |c| c.port == port)
    }

    /// The next ephemeral port of that kind. They go round, so that one that was given back rests for a while.
    fn next_that(&mut self, suits: impl Fn(&Ports, u16) -> bool) -> Option<u16> {
        let (first, count) = (*self.ephemeral.start(), self.ephemeral.len() as u32);
        let port =
            |given: u32| first + u16::try_from(given % count).expect("it is below the count");
        let skip = (0..count).find(|skip| suits(self, port(self.given + skip)))?;
        let found = port(self.given + skip);
        self.given = (self.given + skip + 1) % count;
        Some(found)
    }
}
