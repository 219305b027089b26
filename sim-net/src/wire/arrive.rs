//! What becomes of a packet at the end of its way.

use super::{Flight, Ticket};
use crate::{Cx, Fault, Network, Packet, Protocol, link};

impl Network {
    /// A packet comes to the end of its way: none if the link is cut, or holds what is on it, or loses it.
    pub(crate) fn let_through(&mut self, cx: &mut Cx<'_>, ticket: Ticket) -> Option<Packet> {
        let packet = &self.wire.flight(ticket).packet;
        let (from, to) = (packet.from_host, packet.to_host);
        if from == to {
            return Some(self.wire.take(ticket).packet);
        }
        if self.is_held(from, to) {
            self.hold_flight(ticket);
            return None;
        }
        let flight = self.wire.take(ticket);
        if flight.queued.is_some() {
            self.wire.way(from, to).queue.retain(|queued| *queued != ticket);
        }
        if self.is_cut(from, to) {
            self.lose(Fault::Partition, &flight.packet);
            return None;
        }
        let loss_ppm = self.wire.links.get(from, to).loss_ppm;
        // A datagram in pieces is lost with any of them.
        if loss_ppm > 0 && (0..flight.fragments).any(|_| link::befalls(cx, loss_ppm)) {
            self.lose(Fault::Loss, &flight.packet);
            return None;
        }
        let loss_ppm = self.wire.storm.faults.loss_ppm;
        if loss_ppm > 0 && (0..flight.fragments).any(|_| link::befalls(cx, loss_ppm)) {
            self.lose(Fault::Loss, &flight.packet);
            return None;
        }
        Some(self.through(flight))
    }

    fn hold_flight(&mut self, ticket: Ticket) {
        let flight = self.wire.flight(ticket);
        flight.held = true;
        flight.marks.put(Fault::Hold);
        let (from, to) = (flight.packet.from_host, flight.packet.to_host);
        self.wire.way(from, to).held.push(ticket);
        self.faults.inject(Fault::Hold);
    }

    /// What was done to a packet that has come through has had an effect, if somebody receives it.
    fn through(&mut self, mut flight: Flight) -> Packet {
        let packet = flight.packet;
        if packet.protocol() == Protocol::Udp {
            let way = self.wire.way(packet.from_host, packet.to_host);
            if packet.number < way.youngest {
                self.faults.inject(Fault::Reordering);
                flight.marks.put(Fault::Reordering);
            }
            way.youngest = way.youngest.max(packet.number);
        }
        if !flight.marks.is_empty() && self.would_be_received(&packet) {
            flight.marks.iter().for_each(|fault| self.faults.take_effect(fault));
        }
        packet
    }

    /// A packet is lost by that fault, which has an effect if somebody would have received it.
    pub(super) fn lose(&mut self, fault: Fault, packet: &Packet) {
        self.faults.inject(fault);
        if self.would_be_received(packet) {
            self.faults.take_effect(fault);
        }
    }
}
