//! All connections: by number, and by the addresses of their two ends.

use super::{
    Segment, Spare,
    connection::{Connection, State},
    timing::NEVER,
};
use crate::{Body, HostId, Packet, SocketId};
use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    vec::Vec,
};
use core::net::SocketAddr;

/// Names a connection; its number is used again, with another generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct ConnectionId {
    index: u32,
    generation: u32,
}

/// A host, an address of its, and that of the peer.
type Pair = (HostId, SocketAddr, SocketAddr);

/// Which connections there are, and which socket a segment is for.
pub(crate) struct Connections {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_pair: BTreeMap<Pair, ConnectionId>,
    /// Who listens, by port.
    pub(crate) listeners: BTreeMap<(HostId, u16), Vec<SocketId>>,
    /// Connections that are to be forgotten, by when.
    lapsing: VecDeque<(u64, ConnectionId)>,
    pub(crate) spare: Spare,
    /// How many connections there were.
    made: u64,
    pub(crate) partial_io: bool,
    /// A fault has ended a connection in this run.
    pub(crate) any_severed: bool,
    /// What time it was last.
    pub(crate) seen_ns: u64,
    /// Counts from 1 how often hosts and links have changed: what was answered before may not be answered again.
    pub(crate) epoch: u64,
    /// How many alarms there are of which nothing will come in this epoch.
    pub(crate) quiet: usize,
}

impl Default for Connections {
    fn default() -> Connections {
        Connections {
            slots: Vec::new(),
            free: Vec::new(),
            by_pair: BTreeMap::new(),
            listeners: BTreeMap::new(),
            lapsing: VecDeque::new(),
            spare: Spare::default(),
            made: 0,
            partial_io: false,
            any_severed: false,
            seen_ns: 0,
            epoch: 1,
            quiet: 0,
        }
    }
}

#[derive(Default)]
struct Slot {
    generation: u32,
    connection: Option<Connection>,
}

/// The bytes of each connection have so many numbers of their own.
const NUMBERS: u64 = 1 << 36;

impl Connections {
    #[inline]
    pub(crate) fn get(&self, id: ConnectionId) -> Option<&Connection> {
        let slot = self.slots.get(id.index as usize).filter(|s| s.generation == id.generation);
        slot.and_then(|slot| slot.connection.as_ref())
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut Connection> {
        let slot = self.slots.get_mut(id.index as usize).filter(|s| s.generation == id.generation);
        slot.and_then(|slot| slot.connection.as_mut())
    }

    /// The number from which the next connection's bytes count: higher than all that were in use before, as RFC 9293,
    /// section 3.4.1, has a clock do.
    pub(crate) fn first_number(&mut self) -> u64 {
        self.made += 1;
        self.made * NUMBERS
    }

    /// The connection of a host between its address and the peer's.
    pub(crate) fn between(
        &self,
        host: HostId,
        local: SocketAddr,
        peer: SocketAddr,
    ) -> Option<ConnectionId> {
        self.by_pair.get(&(host, local, peer)).copied()
    }

    pub(crate) fn insert(&mut self, connection: Connection) -> ConnectionId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("fewer connections than numbers")
        });
        let slot = &mut self.slots[index as usize];
        let id = ConnectionId { index, generation: slot.generation };
        self.by_pair.insert((connection.host, connection.local, connection.peer), id);
        slot.connection.insert(connection).id = id;
        id
    }

    /// Takes it out, also of those that are found by their addresses.
    pub(crate) fn remove(&mut self, id: ConnectionId) -> Option<Connection> {
        self.unlink(id);
        let slot = self.slots.get_mut(id.index as usize).filter(|s| s.generation == id.generation);
        let connection = slot.and_then(|slot| {
            slot.generation += 1;
            slot.connection.take()
        })?;
        self.free.push(id.index);
        Some(connection)
    }

    /// It is found by its addresses no more: another may have them.
    pub(crate) fn unlink(&mut self, id: ConnectionId) {
        let Some(connection) = self.get(id) else { return };
        let pair = (connection.host, connection.local, connection.peer);
        if self.by_pair.get(&pair) == Some(&id) {
            self.by_pair.remove(&pair);
        }
    }

    pub(crate) fn has_pair(&self, host: HostId, local: SocketAddr, peer: SocketAddr) -> bool {
        self.by_pair.contains_key(&(host, local, peer))
    }

    /// The connection that a segment is for: the one that it names, if that has these addresses, or the one that has.
    #[inline]
    pub(crate) fn find(&self, packet: &Packet, hint: Option<ConnectionId>) -> Option<ConnectionId> {
        if let Some(id) = hint
            && let Some(connection) = self.get(id)
            && connection.host == packet.to_host
            && connection.peer == packet.from
            && connection.local == packet.to
            && connection.state != State::Closed
        {
            return Some(id);
        }
        self.by_pair.get(&(packet.to_host, packet.to, packet.from)).copied()
    }

    /// The next packet that a connection sends.
    #[inline]
    pub(crate) fn output(&mut self, id: ConnectionId, now_ns: u64) -> Option<Packet> {
        let slot = self.slots.get_mut(id.index as usize).filter(|s| s.generation == id.generation);
        let connection = slot?.connection.as_mut()?;
        loop {
            let segment = connection.output(now_ns, &mut self.spare)?;
            if let Some(packet) = connection.packet(segment) {
                return Some(packet);
            }
        }
    }

    /// To be forgotten at that time, which is no earlier than all that were given before.
    pub(crate) fn lapses(&mut self, id: ConnectionId, at_ns: u64) {
        self.lapsing.push_back((at_ns, id));
    }

    /// The next connection whose time is over.
    pub(crate) fn pop_lapsed(&mut self, now_ns: u64) -> Option<ConnectionId> {
        while let Some((at_ns, id)) = self.lapsing.pop_front_if(|(at_ns, _)| *at_ns <= now_ns) {
            if self.get(id).is_some_and(|connection| connection.time.lapses_ns == at_ns) {
                return Some(id);
            }
        }
        None
    }

    /// All connections of a host, or of all.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Connection> {
        self.slots.iter().filter_map(|slot| slot.connection.as_ref())
    }
}

impl Connection {
    /// A segment as a packet; none where there is nobody to send it to.
    #[inline]
    pub(crate) fn packet(&self, segment: Box<Segment>) -> Option<Packet> {
        Some(Packet {
            number: 0,
            from_host: self.host,
            to_host: self.peer_host?,
            from: self.local,
            to: self.peer,
            sent_ns: 0,
            body: Body::Tcp(segment),
        })
    }

    /// Whether it is to be forgotten.
    pub(crate) fn has_lapsed(&self, now_ns: u64) -> bool {
        self.time.lapses_ns != NEVER && self.time.lapses_ns <= now_ns
    }
}
