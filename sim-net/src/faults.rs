//! What was done to packets, and what of it made a difference.

use crate::Network;

/// A kind of fault of the network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A packet was lost.
    Loss,
    /// A packet arrived twice.
    Duplication,
    /// A packet arrived before one that was sent earlier.
    Reordering,
    /// A bit of a packet was turned.
    Corruption,
    /// A packet came to a link that was cut.
    Partition,
    /// A packet was held on its way.
    Hold,
    /// A packet was delayed by a rule or a slow link.
    Delay,
    /// A link was full.
    Overflow,
}

/// How often a fault was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultCount {
    /// How often it was injected.
    pub injected: u64,
    /// How often that made a difference to what is seen: a packet lost that nobody waited for makes none.
    pub effective: u64,
}

#[derive(Default)]
pub(crate) struct Faults {}

impl Network {
    /// How often that fault was injected, and had an effect, since the start.
    #[must_use]
    pub fn fault_count(&self, fault: Fault) -> FaultCount {
        let _ = (&self.faults, fault);
        FaultCount::default()
    }
}
