//! What happens to a packet between being sent and arriving.
//!
//! ```text
//!   sent ─ rules ─ cut? ─ link: corrupt, twice, queue, delay ─▶ in flight ─ held? ─ cut? ─ lost? ─▶ arrives
//!            └ drop  └ drop            └ overflow                    ▲  └ until released │
//!                                                                    └───────────────────┘
//! ```
//!
//! What a partition, a hold or a ratio of loss does is decided where packets arrive, so that it also hits what is on
//! its way. What a host sends to itself crosses no link: nothing befalls it.

mod arrive;
mod links;
mod pairs;
mod partition;
mod send;
mod storm;

use crate::{Fault, HostId, Packet, rule::Rules};
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use links::Links;
use pairs::Pairs;
use sim_time::Key;
pub use storm::Storm;

/// Links, partitions, holds and rules, and the packets on their way.
#[derive(Default)]
pub(crate) struct Wire {
    /// How many packets were sent.
    sent: u64,
    pub(crate) rules: Rules,
    links: Links,
    cuts: Pairs,
    holds: Pairs,
    pub(crate) storm: storm::State,
    /// By sender and receiver, those that something was sent over.
    ways: Vec<BTreeMap<HostId, Way>>,
    flights: Vec<Option<Flight>>,
    free: Vec<u32>,
}

/// The packet in that place of those in flight.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket(u32);

/// A packet on its way.
struct Flight {
    packet: Packet,
    /// When it arrives, if it is not held.
    arrives_ns: u64,
    /// In how many pieces.
    fragments: u32,
    /// Its event, if it is in the queue of a link with a capacity.
    queued: Option<Key>,
    /// What was done to it, and counts once it is received.
    marks: Marks,
    held: bool,
}

/// A set of faults.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Marks(u16);

impl Marks {
    fn put(&mut self, fault: Fault) {
        self.0 |= 1 << fault as u16;
    }

    fn is_empty(self) -> bool {
        self.0 == 0
    }

    fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |fault| self.0 & 1 << *fault as u16 != 0)
    }
}

/// What a link in use remembers.
#[derive(Default)]
struct Way {
    /// Until when it is busy with what was sent before.
    busy_until_ns: u64,
    /// The number of the youngest datagram that has arrived.
    youngest: u64,
    /// When the last segment of a connection arrives, by the connection's ports: TCP's segments keep their order. Two
    /// connections may share a place, and then wait for each other.
    last_ns: Option<Box<[u64; CONNECTIONS]>>,
    /// What is on its way, where a capacity says how much may be.
    queue: Vec<Ticket>,
    held: Vec<Ticket>,
}

const CONNECTIONS: usize = 16;

impl Wire {
    /// What is remembered of that link.
    fn way(&mut self, from: HostId, to: HostId) -> &mut Way {
        let from = from.0 as usize;
        if self.ways.len() <= from {
            self.ways.resize_with(from + 1, BTreeMap::new);
        }
        self.ways[from].entry(to).or_default()
    }

    fn put(&mut self, flight: Flight) -> Ticket {
        let place = self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            u32::try_from(self.flights.len() - 1).expect("fewer packets than numbers")
        });
        self.flights[place as usize] = Some(flight);
        Ticket(place)
    }

    fn take(&mut self, ticket: Ticket) -> Flight {
        self.free.push(ticket.0);
        self.flights[ticket.0 as usize].take().expect("a ticket is used once")
    }

    /// All that are on their way, with when they arrive if they are not held.
    pub(crate) fn flights(&self) -> impl Iterator<Item = (&Packet, Option<u64>)> {
        let all = self.flights.iter().flatten();
        all.map(|flight| (&flight.packet, (!flight.held).then_some(flight.arrives_ns)))
    }

    fn flight(&mut self, ticket: Ticket) -> &mut Flight {
        self.flights[ticket.0 as usize].as_mut().expect("a ticket is used once")
    }
}

impl Way {
    /// When a segment arrives that would at `arrives_ns`: not before those that its connection has sent earlier.
    fn in_order(&mut self, packet: &Packet, arrives_ns: u64) -> u64 {
        let last_ns = self.last_ns.get_or_insert_with(Box::default);
        let place = usize::from(packet.from.port() ^ packet.to.port()) % CONNECTIONS;
        last_ns[place] = last_ns[place].max(arrives_ns);
        last_ns[place]
    }
}
