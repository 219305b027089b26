//! What a program does with a TCP socket that it has.

use super::{
    ConnectionId, Role, Tcp,
    connection::{Connection, Owner, State},
};
use crate::{Cx, Errno, Fault, How, Network, Ready, Result, SocketId, socket::Proto};
use sim_choice::{Kind, Lane};

impl Network {
    /// Whether reads and writes of TCP at times take fewer bytes than they could, as they may on a real system. Off at first.
    ///
    /// Then half of the reads give a part of what is there, and half of the writes take at most 999 bytes, as in
    /// FoundationDB's simulator.
    pub fn set_partial_io(&mut self, on: bool) {
        self.tcp.partial_io = on;
    }

    pub(crate) fn tcp_ready(&self, tcp: &Tcp) -> Ready {
        match &tcp.role {
            Role::Idle => Ready::WRITABLE | Ready::WRITE_CLOSED,
            Role::Listens(listener) if listener.made.is_empty() => Ready::NONE,
            Role::Listens(_) => Ready::READABLE,
            Role::Connected(id) => self.tcp.get(*id).map_or(Ready::NONE, |c| c.ready()),
        }
    }

    /// Takes all pieces before it sends any, so that segments go across their bounds.
    pub(crate) fn tcp_send<'a>(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<usize> {
        let Role::Connected(connection) = self.tcp_of(id)?.1.role else { return Err(Errno::EPIPE) };
        self.tcp_may_sever(cx, id, connection);
        let c = self.tcp.get_mut(connection).expect("a connected socket has a connection");
        let mut count = c.may_write(pieces.clone().map(<[u8]>::len).sum())?;
        if self.tcp_takes_parts(connection) {
            count = self.tcp_part(cx, count, 999);
        }
        let c = self.tcp.get_mut(connection).expect("a connected socket has a connection");
        let mut left = count;
        for piece in pieces {
            let taken = piece.len().min(left);
            c.unacked.push(&piece[..taken]);
            left -= taken;
        }
        self.tcp_flush(cx, connection);
        Ok(count)
    }

    pub(crate) fn tcp_recv(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<usize> {
        let Role::Connected(connection) = self.tcp_of(id)?.1.role else {
            return Err(Errno::ENOTCONN);
        };
        if !peek {
            self.tcp_may_sever(cx, id, connection);
        }
        let c = self.tcp.get_mut(connection).expect("a connected socket has a connection");
        let mut count = c.may_read()?.min(into.len());
        if self.tcp_takes_parts(connection) {
            count = self.tcp_part(cx, count, usize::MAX);
        }
        let c = self.tcp.get_mut(connection).expect("a connected socket has a connection");
        into[..count].copy_from_slice(&c.unread.as_slice()[..count]);
        if !peek && count > 0 {
            c.was_read(count);
            if c.ack_due {
                self.tcp_flush(cx, connection);
            }
        }
        Ok(count)
    }

    pub(crate) fn tcp_shutdown(&mut self, cx: &mut Cx<'_>, id: SocketId, how: How) -> Result<()> {
        let (socket, tcp) = self.tcp_of(id)?;
        let host = socket.host;
        let connection = match &tcp.role {
            Role::Idle => return Err(Errno::ENOTCONN),
            Role::Listens(_) if how == How::Write => return Ok(()),
            Role::Listens(_) => {
                let mut tcp = core::mem::take(self.tcp_of_mut(id)?);
                self.tcp_unlisten(cx, id, host, &mut tcp);
                *self.tcp_of_mut(id)? = tcp;
                self.wake(id);
                return Ok(());
            }
            Role::Connected(connection) => *connection,
        };
        let c = self.tcp.get_mut(connection).expect("a connected socket has a connection");
        let done = match c.state {
            // As disconnecting: `tcp_disconnect`.
            State::SynSent => {
                c.end(Some(Errno::ECONNRESET));
                Ok(())
            }
            _ => c.shutdown(how),
        };
        self.tcp_flush(cx, connection);
        self.wake(id);
        done
    }

    pub(crate) fn tcp_close(&mut self, cx: &mut Cx<'_>, id: SocketId) -> Result<()> {
        let socket = self.remove(id)?;
        self.hosts[socket.host.0 as usize].open -= 1;
        let Proto::Tcp(mut tcp) = socket.proto else { return Ok(()) };
        self.tcp_unlisten(cx, id, socket.host, &mut tcp);
        self.tcp_release(socket.host, tcp.claim);
        let Role::Connected(connection) = tcp.role else { return Ok(()) };
        let c = self.tcp.get_mut(connection).expect("a connected socket has a connection");
        c.owner = Owner::Nobody;
        // RFC 2525, section 2.17: who closes without having read all resets.
        if !c.unread.is_empty() || socket.options.linger == Some(0) {
            self.tcp_abort(cx, connection);
            return Ok(());
        }
        (c.read_shut, c.write_shut) = (true, true);
        match c.state {
            State::SynSent => c.end(None),
            _ => c.stop_sending(),
        }
        self.tcp_flush(cx, connection);
        Ok(())
    }

    pub(crate) fn tcp_take_error(&mut self, id: SocketId) -> Result<Option<Errno>> {
        let Role::Connected(connection) = self.tcp_of(id)?.1.role else { return Ok(None) };
        Ok(self.tcp.get_mut(connection).and_then(|c| c.take_error()))
    }

    /// The state of a socket, how much waits to be read or accepted, and how much is not acknowledged.
    pub(crate) fn tcp_queues(&self, tcp: &Tcp) -> (&'static str, usize, usize) {
        match &tcp.role {
            Role::Listens(listener) => ("LISTEN", listener.made.len(), 0),
            Role::Idle => (State::Closed.name(), 0, 0),
            Role::Connected(id) => self.tcp.get(*id).map_or((State::Closed.name(), 0, 0), |c| {
                (c.state.name(), c.unread.len(), c.unacked.len())
            }),
        }
    }

    /// The connections that no program has a socket of.
    pub(crate) fn tcp_without_socket(&self) -> impl Iterator<Item = &Connection> {
        let now_ns = self.tcp.seen_ns;
        self.tcp
            .iter()
            .filter(move |c| !matches!(c.owner, Owner::Socket(_)) && !c.has_lapsed(now_ns))
    }
}

impl Network {
    #[inline]
    fn tcp_takes_parts(&self, connection: ConnectionId) -> bool {
        self.tcp.partial_io
            || self.wire.storm.faults.partial_io
                && self.tcp.get(connection).is_some_and(|c| c.peer_host != Some(c.host))
    }

    /// A part of what could be read or written, half the time; at least one byte, and at most `most`. 0: all of it.
    fn tcp_part(&mut self, cx: &mut Cx<'_>, count: usize, most: usize) -> usize {
        if count < 2 || !cx.choices.chance(Lane::Net, Kind::Fault, cx.who, 500_000) {
            return count;
        }
        let most = u32::try_from(count.min(most)).unwrap_or(u32::MAX).max(2);
        let part = 1 + cx.choices.choose(Lane::Net, Kind::Other, cx.who, most) as usize;
        self.faults.inject(Fault::PartialIo);
        if part < count {
            self.faults.take_effect(Fault::PartialIo);
        }
        part
    }
}
