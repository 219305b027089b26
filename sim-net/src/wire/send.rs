//! How a packet gets on its way.

use super::{Flight, Marks};
use crate::{
    Body, Cx, Fault, Network, Packet, Protocol,
    link::{self, Link},
    network::Event,
};
use sim_choice::{Kind, Lane};

/// What a host sends to itself takes so long, if it is TCP. Datagrams arrive before the verb returns, as in Linux.
const LOOPBACK_NS: u64 = 10_000;

/// What the rules and the link want of a packet that is sent.
struct Plan {
    delay_ns: u64,
    copies: u32,
    marks: Marks,
}

impl Network {
    /// Sends a packet on its way: rules, partitions and the link say whether, when and how often it arrives.
    ///
    /// Its number and time are given here.
    pub(crate) fn send_packet(&mut self, cx: &mut Cx<'_>, mut packet: Packet) {
        self.wire.sent += 1;
        packet.number = self.wire.sent;
        packet.sent_ns = cx.now_ns;
        if packet.from_host == packet.to_host {
            return self.send_to_itself(cx, packet);
        }
        let Some(mut plan) = self.plan(cx, &mut packet) else { return };
        let link = *self.wire.links.get(packet.from_host, packet.to_host);
        if packet.protocol() == Protocol::Udp {
            let storm_ppm = self.wire.storm.faults.duplicate_ppm;
            plan.copies += u32::from(link::befalls(cx, link.duplicate_ppm));
            plan.copies += u32::from(link::befalls(cx, storm_ppm));
        }
        // A rule may want many; each has a delay of its own.
        for _ in 0..plan.copies {
            let mut marks = plan.marks;
            marks.put(Fault::Duplication);
            self.launch(cx, &link, packet.clone(), plan.delay_ns, marks);
        }
        self.launch(cx, &link, packet, plan.delay_ns, plan.marks);
    }

    /// What is to be done with the packet, in which a bit may be turned; none if it is lost.
    fn plan(&mut self, cx: &mut Cx<'_>, packet: &mut Packet) -> Option<Plan> {
        let mut plan = Plan { delay_ns: 0, copies: 0, marks: Marks::default() };
        let mut corrupt = false;
        if !self.wire.rules.is_empty() {
            let wish = self.wire.rules.ask(packet);
            if wish.drop {
                self.lose(Fault::Loss, packet);
                return None;
            }
            (plan.delay_ns, plan.copies, corrupt) = (wish.delay_ns, wish.copies, wish.corrupt);
            if plan.delay_ns > 0 {
                plan.marks.put(Fault::Delay);
            }
        }
        if self.is_cut(packet.from_host, packet.to_host) {
            self.lose(Fault::Partition, packet);
            return None;
        }
        if self.wire.storm.forgets(packet) {
            self.lose(Fault::Close, packet);
            return None;
        }
        let ppm = self.wire.links.get(packet.from_host, packet.to_host).corrupt_ppm;
        let storm_ppm = self.wire.storm.faults.corrupt_ppm;
        if corrupt || link::befalls(cx, ppm) || link::befalls(cx, storm_ppm) {
            match &mut packet.body {
                Body::Udp(bytes) if bytes.is_empty() => {}
                Body::Udp(bytes) => {
                    turn_a_bit(cx, bytes);
                    plan.marks.put(Fault::Corruption);
                }
                // A checksum finds it.
                Body::Tcp(_) | Body::Unreachable => {
                    self.lose(Fault::Corruption, packet);
                    return None;
                }
            }
        }
        Some(plan)
    }

    /// One packet, or a copy of one, gets on its way.
    fn launch(
        &mut self,
        cx: &mut Cx<'_>,
        link: &Link,
        packet: Packet,
        extra_ns: u64,
        mut marks: Marks,
    ) {
        let (from, to) = (packet.from_host, packet.to_host);
        let extra_ns = extra_ns.saturating_add(self.wire.storm.delay_ns(cx, &packet, &mut marks));
        marks.iter().for_each(|fault| self.faults.inject(fault));
        if !self.make_room(cx, link, &packet) {
            return;
        }
        let delay_ns = link.delay_ns(cx).saturating_add(extra_ns);
        let mut arrives_ns = cx.now_ns.saturating_add(delay_ns);
        if link.bandwidth_bytes_per_s.is_some() {
            let way = self.wire.way(from, to);
            let begins_ns = way.busy_until_ns.max(cx.now_ns);
            way.busy_until_ns = begins_ns.saturating_add(link.busy_ns(packet.size()));
            arrives_ns = way.busy_until_ns.saturating_add(delay_ns);
        }
        if packet.protocol() == Protocol::Tcp {
            arrives_ns = self.wire.way(from, to).in_order(&packet, arrives_ns);
        }
        let fragments = link.fragments(packet.protocol(), packet.size());
        let ticket = self.wire.put(Flight {
            packet,
            arrives_ns,
            fragments,
            queued: None,
            marks,
            held: false,
        });
        let key = self.events.insert(arrives_ns, Event::Arrives(ticket));
        if link.capacity_packets.is_some() {
            self.wire.flight(ticket).queued = Some(key);
            self.wire.way(from, to).queue.push(ticket);
        }
    }

    /// Where the link is full one of those in its queue is lost, or the new one: whether that may go on.
    fn make_room(&mut self, cx: &mut Cx<'_>, link: &Link, packet: &Packet) -> bool {
        let Some(capacity) = link.capacity_packets else { return true };
        let way = self.wire.way(packet.from_host, packet.to_host);
        let len = u32::try_from(way.queue.len()).expect("fewer packets than numbers");
        if len < capacity {
            return true;
        }
        // 0: the new one, as where a queue drops at its tail. TigerBeetle's simulator takes any.
        let nth = cx.choices.choose(Lane::Net, Kind::Other, cx.who, len + 1) as usize;
        if nth == 0 {
            self.lose(Fault::Overflow, packet);
            return false;
        }
        let ticket = way.queue.remove(nth - 1);
        way.held.retain(|held| *held != ticket);
        let flight = self.wire.take(ticket);
        // That of a held one is over.
        self.events.cancel(flight.queued.expect("it is queued"));
        self.lose(Fault::Overflow, &flight.packet);
        true
    }

    /// Datagrams are there at once, as in Linux, where the sender's call runs the receiver's half of the stack too.
    fn send_to_itself(&mut self, cx: &mut Cx<'_>, packet: Packet) {
        match packet.protocol() {
            Protocol::Tcp => {
                let arrives_ns = cx.now_ns + LOOPBACK_NS;
                let marks = Marks::default();
                let flight =
                    Flight { packet, arrives_ns, fragments: 1, queued: None, marks, held: false };
                let ticket = self.wire.put(flight);
                self.events.insert(arrives_ns, Event::Arrives(ticket));
            }
            Protocol::Udp => self.udp_arrives(cx, packet),
            Protocol::Icmp => self.udp_unreachable(packet),
        }
    }
}

/// 0: the first.
fn turn_a_bit(cx: &mut Cx<'_>, bytes: &mut [u8]) {
    let bits = u32::try_from(bytes.len() * 8).expect("a datagram has at most 64 KiB");
    let bit = cx.choices.choose(Lane::Net, Kind::Other, cx.who, bits) as usize;
    bytes[bit / 8] ^= 1 << (bit % 8);
}
