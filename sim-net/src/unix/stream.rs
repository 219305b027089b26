//! Streams, and those who listen for them.

use super::{
    State, Unix, UnixAddress,
    inbox::{Chunk, MOST_OF_STREAM, cost},
    send_buffer,
};
use crate::{Errno, Kind, Network, Result, SocketId};
use alloc::collections::VecDeque;

impl Network {
    pub(crate) fn unix_listen(&mut self, id: SocketId, new: u32) -> Result<()> {
        let unix = self.unix_mut(id)?;
        match &mut unix.state {
            _ if unix.kind == Kind::Datagram => Err(Errno::EOPNOTSUPP),
            _ if unix.address == UnixAddress::Unnamed => Err(Errno::EINVAL),
            State::Connected { .. } => Err(Errno::EINVAL),
            State::Listening { backlog, .. } => {
                *backlog = new;
                Ok(())
            }
            State::Idle => {
                unix.state = State::Listening { backlog: new, made: VecDeque::new() };
                Ok(())
            }
        }
    }

    /// Makes the connection, whose other end waits to be accepted.
    pub(super) fn unix_stream_connect(&mut self, id: SocketId, to: &UnixAddress) -> Result<()> {
        let host = self.get(id)?.host;
        let listener = self.unix_find(host, to, Kind::Stream)?;
        let Unix { state: State::Listening { backlog, made }, read_shut: false, address, .. } =
            self.unix(listener)?
        else {
            return Err(Errno::ECONNREFUSED);
        };
        // `unix_recvq_full`: one more than the backlog fits.
        if made.len() > *backlog as usize {
            return Err(Errno::EAGAIN);
        }
        let address = address.clone();
        // The listener is looked at first.
        match self.unix(id)?.state {
            State::Idle => {}
            State::Connected { .. } => return Err(Errno::EISCONN),
            State::Listening { .. } => return Err(Errno::EINVAL),
        }
        let end = self.unix_insert(host, Kind::Stream);
        let unix = self.unix_mut(end)?;
        unix.address = address;
        unix.connect_to(id, false);
        self.unix_mut(id)?.connect_to(end, false);
        if let State::Listening { made, .. } = &mut self.unix_mut(listener)?.state {
            made.push_back(end);
        }
        self.wake(id);
        self.wake(listener);
        Ok(())
    }

    pub(crate) fn unix_accept(&mut self, id: SocketId) -> Result<SocketId> {
        let host = self.get(id)?.host;
        let unix = self.unix(id)?;
        match &unix.state {
            _ if unix.kind == Kind::Datagram => return Err(Errno::EOPNOTSUPP),
            State::Listening { made, .. } if made.is_empty() => return Err(Errno::EAGAIN),
            State::Listening { .. } => {}
            _ => return Err(Errno::EINVAL),
        }
        // Where there is no more room it waits on.
        self.open(host)?;
        let State::Listening { made, .. } = &mut self.unix_mut(id)?.state else {
            unreachable!("it listens")
        };
        Ok(made.pop_front().expect("there is one"))
    }

    /// Takes as many bytes as there is room for: `unix_stream_sendmsg`. The last piece may go beyond the limit.
    pub(super) fn unix_stream_send(&mut self, id: SocketId, bytes: &[u8]) -> Result<usize> {
        let limit = send_buffer(&self.get(id)?.options);
        let unix = self.unix(id)?;
        let peer = unix.peer().ok_or(Errno::ENOTCONN)?;
        if unix.write_shut {
            return Err(Errno::EPIPE);
        }
        let mut sent = 0;
        while sent < bytes.len() && self.unix(id)?.unread_bytes < limit {
            // A piece is at most half the buffer, so that two fit.
            let most = MOST_OF_STREAM.min((limit as usize >> 1).saturating_sub(64)).max(1);
            let piece = &bytes[sent..][..(bytes.len() - sent).min(most)];
            let cost = cost(Kind::Stream, piece.len());
            self.unix_mut(id)?.unread_bytes += cost;
            let chunk =
                Chunk { bytes: piece.to_vec(), from: UnixAddress::Unnamed, sender: id, cost };
            self.unix_mut(peer)?.inbox.push(chunk);
            sent += piece.len();
        }
        match sent {
            0 if !bytes.is_empty() => Err(Errno::EAGAIN),
            0 => Ok(0),
            sent => {
                self.wake(peer);
                Ok(sent)
            }
        }
    }

    /// What is there comes first, then an error, then the end: `unix_stream_read_generic`.
    pub(super) fn unix_stream_recv(
        &mut self,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<usize> {
        let unix = self.unix_mut(id)?;
        if unix.peer().is_none() {
            return Err(Errno::EINVAL);
        }
        if unix.inbox.is_empty() {
            return match unix.error.take() {
                Some(error) => Err(error),
                None if unix.read_shut => Ok(0),
                None => Err(Errno::EAGAIN),
            };
        }
        let len = unix.inbox.peek(into);
        if !peek {
            for (sender, cost) in self.unix_mut(id)?.inbox.consume(len) {
                self.unix_read(sender, cost);
            }
        }
        Ok(len)
    }
}
