//! How connections and the network meet: segments come and go, alarms ring, connections end.

use super::{
    ConnectionId, Flags, Role, Segment, Tcp,
    connection::{Connection, Owner, State},
    input::Effects,
    timing::{Alarm, LINGERS_NS, NEVER},
};
use crate::{
    Body, Cx, HostId, Network, Packet, SocketId,
    network::Event,
    ports::{At, Claim, Why},
};
use core::net::{IpAddr, SocketAddr};

impl Network {
    pub(crate) fn tcp_arrives(&mut self, cx: &mut Cx<'_>, packet: Packet) {
        if !self.hosts[packet.to_host.0 as usize].up {
            return;
        }
        let Body::Tcp(mut segment) = packet.body else { return };
        let packet = Packet { body: Body::Unreachable, ..packet };
        match self.tcp_addressee(cx, &packet, &segment) {
            Some(id) => self.tcp_input(cx, id, &packet, &mut segment),
            None if segment.flags.has(Flags::SYN)
                && !segment.flags.has(Flags::ACK | Flags::RST) =>
            {
                self.tcp_knocks(cx, &packet, &segment);
            }
            None => self.tcp_refuse(cx, &packet, &segment),
        }
        self.tcp.spare.keep(segment);
    }

    /// The connection that a segment is for.
    fn tcp_addressee(
        &mut self,
        cx: &mut Cx<'_>,
        packet: &Packet,
        segment: &Segment,
    ) -> Option<ConnectionId> {
        let id = self.tcp.find(packet, segment.to)?;
        let c = self.tcp.get(id)?;
        if c.time.lapses_ns == NEVER {
            return Some(id);
        }
        // Who is about to be forgotten makes way for a new connection: RFC 9293, section 3.6.1.
        let opens = segment.flags.has(Flags::SYN)
            && !segment.flags.has(Flags::ACK)
            && segment.seq > c.rcv_nxt;
        if c.has_lapsed(cx.now_ns) || opens {
            self.tcp_expire(id);
            return None;
        }
        Some(id)
    }

    fn tcp_input(
        &mut self,
        cx: &mut Cx<'_>,
        id: ConnectionId,
        packet: &Packet,
        segment: &mut Segment,
    ) {
        let Some(c) = self.tcp.get(id) else { return };
        let room = match c.owner {
            Owner::Making(listener) => self.tcp_has_room(listener),
            _ => true,
        };
        let c = self.tcp.get_mut(id).expect("it was there");
        if c.peer_id.is_none() {
            c.peer_id = segment.from;
        }
        let asked = c.time.probes_out > 0;
        let effects = c.input(cx.now_ns, segment, room);
        if asked {
            self.tcp_answered(id);
        }
        if effects.refuse {
            self.tcp_refuse(cx, packet, segment);
        }
        self.tcp_effects(cx, id, effects);
    }

    fn tcp_has_room(&self, listener: SocketId) -> bool {
        match self.tcp_of(listener).map(|(_, tcp)| &tcp.role) {
            Ok(Role::Listens(listener)) => !listener.is_full(),
            _ => false,
        }
    }

    pub(super) fn tcp_effects(&mut self, cx: &mut Cx<'_>, id: ConnectionId, effects: Effects) {
        if effects.made {
            self.tcp_made(id);
        }
        if effects.wake
            && let Some(Connection { owner: Owner::Socket(socket), .. }) = self.tcp.get(id)
        {
            let socket = *socket;
            self.wake(socket);
        }
        self.tcp_flush(cx, id);
    }

    /// A connection has been made: if it is a listener's it waits to be accepted.
    fn tcp_made(&mut self, id: ConnectionId) {
        let Some(c) = self.tcp.get_mut(id) else { return };
        let Owner::Making(socket) = c.owner else { return };
        c.owner = Owner::Made(socket);
        if let Ok(Tcp { role: Role::Listens(listener), .. }) = self.tcp_of_mut(socket) {
            listener.making.retain(|other| *other != id);
            listener.made.push_back(id);
        }
        self.wake(socket);
    }

    /// A segment asks for a connection. If as many as may be wait to be accepted it is lost, and will be sent again.
    fn tcp_knocks(&mut self, cx: &mut Cx<'_>, packet: &Packet, segment: &Segment) {
        self.tcp_lapse(cx.now_ns);
        let Some(id) = self.tcp_listener(packet) else {
            return self.tcp_refuse(cx, packet, segment);
        };
        if !self.tcp_has_room(id) {
            return;
        }
        let Ok((socket, tcp)) = self.tcp_of(id) else { return };
        let (options, claim) = (socket.options.clone(), tcp.claim);
        let first = self.tcp.first_number();
        let mut c = Connection::new(packet.to_host, packet.to, packet.from, options, first);
        c.state = State::SynReceived;
        c.owner = Owner::Making(id);
        c.peer_host = Some(packet.from_host);
        c.peer_id = segment.from;
        c.rcv_nxt = segment.seq + 1;
        c.rcv_acked = segment.seq;
        let at = At::One(packet.to.ip());
        c.claim = claim.map(|claim| Claim { at, why: Why::Bound, ..claim });
        if let Some(claim) = c.claim {
            self.hosts[packet.to_host.0 as usize].ports.add(claim);
        }
        let connection = self.tcp.insert(c);
        if let Ok(Tcp { role: Role::Listens(listener), .. }) = self.tcp_of_mut(id) {
            listener.making.push(connection);
        }
        self.tcp_flush(cx, connection);
    }

    /// Who listens there: who is bound to that address before who is bound to all. Those that share a port share the
    /// peers by their ports.
    fn tcp_listener(&self, packet: &Packet) -> Option<SocketId> {
        let all = self.tcp.listeners.get(&(packet.to_host, packet.to.port()))?;
        let fits = |id: &&SocketId| {
            let claim = self.tcp_of(**id).ok()?.1.claim?;
            Some((closeness(claim.at, packet.to)?, **id))
        };
        let best = all.iter().filter_map(|id| fits(&id)).map(|(near, _)| near).max()?;
        let equal = || all.iter().filter_map(|id| fits(&id)).filter(|(near, _)| *near == best);
        let turn = usize::from(packet.from.port()) % equal().count();
        equal().nth(turn).map(|(_, id)| id)
    }

    /// There is no such connection.
    fn tcp_refuse(&mut self, cx: &mut Cx<'_>, packet: &Packet, segment: &Segment) {
        let Some(refusal) = segment.refusal() else { return };
        let packet = Packet {
            number: 0,
            from_host: packet.to_host,
            to_host: packet.from_host,
            from: packet.to,
            to: packet.from,
            sent_ns: 0,
            body: Body::Tcp(refusal),
        };
        self.send_packet(cx, packet);
    }

    pub(crate) fn tcp_alarm(&mut self, cx: &mut Cx<'_>, id: ConnectionId) {
        let Some(c) = self.tcp.get_mut(id) else { return };
        let alarm = c.time.alarm.take();
        let effects = c.alarm(cx.now_ns);
        if effects.refuse {
            let reset = c.reset();
            let packet = c.packet(reset);
            packet.into_iter().for_each(|packet| self.send_packet(cx, packet));
        }
        self.tcp_unset(alarm);
        self.tcp_effects(cx, id, effects);
    }

    /// Sends what is to be sent, sets the alarm, and ends what has ended.
    pub(crate) fn tcp_flush(&mut self, cx: &mut Cx<'_>, id: ConnectionId) {
        while let Some(packet) = self.tcp.output(id, cx.now_ns) {
            self.send_packet(cx, packet);
        }
        let Some(c) = self.tcp.get_mut(id) else { return };
        match c.state {
            State::Closed => return self.tcp_ended(id),
            State::TimeWait => self.tcp_lingers(id, cx.now_ns),
            State::FinWait2 if c.owner == Owner::Nobody => self.tcp_lingers(id, cx.now_ns),
            _ => {}
        }
        self.tcp_set_alarm(id);
    }

    /// Sees to it that the connection is called no later than it wants to be.
    #[inline]
    pub(crate) fn tcp_set_alarm(&mut self, id: ConnectionId) {
        let epoch = self.tcp.epoch;
        let Some(c) = self.tcp.get_mut(id) else { return };
        let (next_ns, set) = (c.time.next_ns(), c.time.alarm);
        if let Some(alarm) = set
            && next_ns >= alarm.at_ns
        {
            if alarm.quiet_epoch == epoch && !c.time.only_asks(alarm.quiet_epoch) {
                c.time.alarm = Some(Alarm { quiet_epoch: 0, ..alarm });
                self.tcp.quiet -= 1;
            }
            return;
        }
        if next_ns == NEVER {
            return;
        }
        let quiet = c.time.only_asks(epoch);
        let key = self.events.insert(next_ns, Event::Tcp(id));
        let c = self.tcp.get_mut(id).expect("it is there");
        c.time.alarm = Some(Alarm { key, at_ns: next_ns, quiet_epoch: 0 });
        self.tcp_unset(set);
        if quiet {
            self.tcp_quiet(id);
        }
    }

    /// The alarm is not wanted any more.
    fn tcp_unset(&mut self, alarm: Option<Alarm>) {
        let Some(alarm) = alarm else { return };
        self.tcp.quiet -= usize::from(alarm.quiet_epoch == self.tcp.epoch);
        self.events.cancel(alarm.key);
    }

    /// A peer has answered who was asked whether he is there.
    fn tcp_answered(&mut self, id: ConnectionId) {
        let epoch = self.tcp.epoch;
        let Some(c) = self.tcp.get_mut(id) else { return };
        c.time.answered_epoch = epoch;
        if c.time.only_asks(epoch) {
            self.tcp_quiet(id);
        }
    }

    /// Nothing will come of the connection's alarm as long as hosts and links remain as they are.
    fn tcp_quiet(&mut self, id: ConnectionId) {
        let epoch = self.tcp.epoch;
        let Some(c) = self.tcp.get_mut(id) else { return };
        if let Some(alarm) = &mut c.time.alarm
            && alarm.quiet_epoch != epoch
        {
            alarm.quiet_epoch = epoch;
            self.tcp.quiet += 1;
        }
    }

    /// Hosts or links have changed: who has answered may not do so again.
    pub(crate) fn tcp_unsettle(&mut self) {
        self.tcp.epoch += 1;
        self.tcp.quiet = 0;
    }

    /// It is to be forgotten in a while: `tcp_time_wait` of Linux.
    fn tcp_lingers(&mut self, id: ConnectionId, now_ns: u64) {
        let c = self.tcp.get_mut(id).expect("it is there");
        let lapses_ns = now_ns + LINGERS_NS;
        // The peer's `FIN` begins the time anew.
        if c.time.lapses_ns != NEVER && (c.state == State::FinWait2 || c.time.lingers) {
            return;
        }
        c.time.lingers = c.state == State::TimeWait;
        c.time.stop();
        c.time.lapses_ns = lapses_ns;
        let alarm = c.time.alarm.take();
        self.tcp_unset(alarm);
        self.tcp.lapses(id, lapses_ns);
    }

    /// It has ended. Its owner may still read, and ask why.
    fn tcp_ended(&mut self, id: ConnectionId) {
        let c = self.tcp.get_mut(id).expect("it is there");
        let (host, owner) = (c.host, c.owner);
        if matches!(owner, Owner::Nobody | Owner::Making(_)) {
            if let Owner::Making(socket) = owner
                && let Ok(Tcp { role: Role::Listens(listener), .. }) = self.tcp_of_mut(socket)
            {
                listener.making.retain(|other| *other != id);
            }
            return self.tcp_forget(id);
        }
        let claim = if c.keeps_port { None } else { c.claim.take() };
        let alarm = c.time.alarm.take();
        self.tcp_unset(alarm);
        self.tcp_release(host, claim);
        self.tcp.unlink(id);
    }

    /// Ends it at once, with a reset where the peer has to know.
    pub(crate) fn tcp_abort(&mut self, cx: &mut Cx<'_>, id: ConnectionId) {
        let Some(c) = self.tcp.get_mut(id) else { return };
        if c.needs_reset() {
            let reset = c.reset();
            let packet = c.packet(reset);
            packet.into_iter().for_each(|packet| self.send_packet(cx, packet));
        }
        self.tcp_forget(id);
    }

    /// Nothing remains of it.
    pub(crate) fn tcp_forget(&mut self, id: ConnectionId) {
        let Some(c) = self.tcp.remove(id) else { return };
        self.tcp_unset(c.time.alarm);
        self.tcp_release(c.host, c.claim);
    }

    /// Forgets those whose time is over.
    pub(crate) fn tcp_lapse(&mut self, now_ns: u64) {
        while let Some(id) = self.tcp.pop_lapsed(now_ns) {
            self.tcp_expire(id);
        }
    }

    /// It is over: if its socket is still open that keeps what there is to be read.
    fn tcp_expire(&mut self, id: ConnectionId) {
        let Some(c) = self.tcp.get_mut(id) else { return };
        if c.owner == Owner::Nobody {
            return self.tcp_forget(id);
        }
        c.time.lapses_ns = NEVER;
        c.end(None);
        self.tcp_ended(id);
    }

    /// The socket is gone, and nobody is told.
    pub(crate) fn tcp_vanishes(&mut self, id: SocketId, host: HostId, tcp: Tcp) {
        self.tcp_release(host, tcp.claim);
        match tcp.role {
            Role::Idle => {}
            Role::Listens(_) => {
                let port = tcp.bound.expect("who listens is bound").port();
                self.forget_listener(id, host, port);
            }
            Role::Connected(connection) => self.tcp_forget(connection),
        }
    }

    /// The host is gone: so are connections without sockets.
    pub(crate) fn tcp_crash(&mut self, host: HostId) {
        let ids: alloc::vec::Vec<ConnectionId> =
            self.tcp.iter().filter(|c| c.host == host).map(|c| c.id).collect();
        for id in ids {
            self.tcp_forget(id);
        }
    }
}

/// How well a listener's address fits; none if it does not.
fn closeness(at: At, to: SocketAddr) -> Option<u8> {
    match (at, to.ip()) {
        (At::One(ip), to) => (ip == to).then_some(2),
        (At::AllV4, IpAddr::V4(_)) | (At::AllV6 | At::All, IpAddr::V6(_)) => Some(1),
        (At::All, IpAddr::V4(_)) => Some(0),
        _ => None,
    }
}
