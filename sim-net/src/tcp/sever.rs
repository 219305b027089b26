//! Connections that are broken off from without, as a firewall, a balancer or a box with a table of connections does.
//!
//! As in FoundationDB's simulator it strikes at reads and writes, at what is sent, what is received, or both; in 30 % of
//! cases those concerned see a reset, in 70 % nothing: from then on packets of the connection are lost, and its ends come
//! to know when their patience ends.

use super::{ConnectionId, connection::State};
use crate::{Cx, Fault, Network, SocketId};
use sim_choice::{Kind, Lane};

/// So many reads, or writes, of a connection whose end the program has been told are no oversight any more.
const BLIND: u8 = 8;

impl Network {
    /// A program reads or writes: maybe the connection breaks off before.
    #[inline]
    pub(super) fn tcp_may_sever(&mut self, cx: &mut Cx<'_>, socket: SocketId, id: ConnectionId) {
        if self.wire.storm.faults.close_ppm > 0 {
            self.tcp_maybe_severed(cx, id);
        }
        if self.tcp.any_severed {
            self.tcp_look_for_blind(socket, id);
        }
    }

    #[cold]
    fn tcp_maybe_severed(&mut self, cx: &mut Cx<'_>, id: ConnectionId) {
        let ppm = self.wire.storm.faults.close_ppm;
        let Some(c) = self.tcp.get(id) else { return };
        let (host, local, peer) = (c.host, c.local, c.peer);
        let Some(peer_host) = c.peer_host.filter(|peer| *peer != host) else { return };
        if c.state.is_opening() || c.state >= State::TimeWait {
            return;
        }
        if !cx.choices.chance(Lane::Net, Kind::Fault, cx.who, ppm) {
            return;
        }
        // 0: nobody is told, and what is sent is lost.
        let explicit = cx.choices.choose(Lane::Net, Kind::Other, cx.who, 10) >= 7;
        let (here, there) = match cx.choices.choose(Lane::Net, Kind::Other, cx.who, 3) {
            0 => (true, false),
            1 => (false, true),
            _ => (true, true),
        };
        if !explicit {
            if here {
                self.wire.storm.forget(local, peer);
            }
            if there {
                self.wire.storm.forget(peer, local);
            }
            return;
        }
        if here {
            self.tcp_sever(cx, id);
        }
        if there && let Some(other) = self.tcp.between(peer_host, peer, local) {
            self.tcp_sever(cx, other);
        }
    }

    /// A reset comes, from nobody.
    fn tcp_sever(&mut self, cx: &mut Cx<'_>, id: ConnectionId) {
        let Some(c) = self.tcp.get_mut(id) else { return };
        let effects = c.was_reset();
        c.severed = c.error.is_some();
        self.tcp.any_severed = true;
        self.faults.inject(Fault::Close);
        self.faults.take_effect(Fault::Close);
        self.tcp_effects(cx, id, effects);
    }

    /// A program that has been told of the reset, and goes on as if nothing had been.
    #[cold]
    fn tcp_look_for_blind(&mut self, socket: SocketId, id: ConnectionId) {
        let Some(c) = self.tcp.get_mut(id) else { return };
        if !c.severed || c.error.is_some() {
            return;
        }
        c.blind = c.blind.saturating_add(1);
        if c.blind == BLIND {
            self.blind.push(socket);
        }
    }

    /// The sockets whose programs have gone on to read from or write to a connection eight times after they had been
    /// told that a fault has ended it; each once.
    pub fn take_blind(&mut self) -> alloc::vec::Vec<SocketId> {
        core::mem::take(&mut self.blind)
    }

    /// Whether there are any.
    #[must_use]
    #[inline]
    pub fn any_blind(&self) -> bool {
        !self.blind.is_empty()
    }
}
