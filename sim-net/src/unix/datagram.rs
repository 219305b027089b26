//! Unix datagrams: never lost, never reordered; who sends waits where the receiver does not read.

use super::{
    State, UnixAddress,
    inbox::{Chunk, cost},
    send_buffer,
};
use crate::{Errno, Kind, Network, Result, SocketId};
use core::mem;

/// Linux's `net.unix.max_dgram_qlen`: with more than so many in a queue nobody else may send there.
const MOST_IN_QUEUE: usize = 10;

impl Network {
    /// Sends one datagram to that address: sendto(2), unix(7).
    ///
    /// # Errors
    ///
    /// `ECONNREFUSED`, `ENOENT`, `EAGAIN` if there is no room, `EMSGSIZE`, `EPERM` if the other is connected to a third,
    /// `EPIPE` if it reads no more, `EPROTOTYPE`, `EISCONN` and `EOPNOTSUPP` for streams, `EBADF`.
    pub fn send_to_unix(&mut self, id: SocketId, bytes: &[u8], to: &UnixAddress) -> Result<usize> {
        let host = self.get(id)?.host;
        let unix = self.unix(id)?;
        if unix.kind == Kind::Stream {
            return Err(if unix.peer().is_some() { Errno::EISCONN } else { Errno::EOPNOTSUPP });
        }
        self.unix_may_send(id, bytes.len())?;
        let peer = self.unix_find(host, to, Kind::Datagram)?;
        self.unix_datagram_send(id, bytes, peer)
    }

    pub(super) fn unix_datagram_connect(&mut self, id: SocketId, to: &UnixAddress) -> Result<()> {
        let host = self.get(id)?.host;
        let new = match to {
            UnixAddress::Unnamed => None,
            to => Some(self.unix_find(host, to, Kind::Datagram)?),
        };
        if let Some(new) = new {
            self.unix_admits(new, id)?;
        }
        let unix = self.unix_mut(id)?;
        let old = unix.peer();
        match new {
            Some(new) => unix.connect_to(new, false),
            None => unix.state = State::Idle,
        }
        if let Some(old) = old.filter(|old| Some(*old) != new) {
            self.unix_disconnected(id, old);
        }
        self.wake(id);
        Ok(())
    }

    /// Whether the one receives from the other: `unix_may_send`.
    fn unix_admits(&self, receiver: SocketId, sender: SocketId) -> Result<()> {
        match self.unix(receiver)?.peer() {
            Some(peer) if peer != sender => Err(Errno::EPERM),
            _ => Ok(()),
        }
    }

    /// What had come from the former peer is lost, and if it is connected to this one it is told:
    /// `unix_dgram_disconnected`.
    fn unix_disconnected(&mut self, id: SocketId, old: SocketId) {
        let Ok(unix) = self.unix_mut(id) else { return };
        let lost = unix.inbox.drain();
        let waiting = mem::take(&mut unix.waiting);
        let any = !lost.is_empty();
        lost.into_iter().for_each(|(sender, cost)| self.unix_read(sender, cost));
        waiting.into_iter().for_each(|id| self.wake(id));
        let Ok(other) = self.unix_mut(old) else { return };
        if any && other.peer() == Some(id) {
            other.error = Some(Errno::ECONNRESET);
            self.wake(old);
        }
    }

    /// Whether the sender may send so much; it is asked before where to.
    pub(super) fn unix_may_send(&mut self, id: SocketId, len: usize) -> Result<()> {
        let limit = send_buffer(&self.get(id)?.options);
        let unix = self.unix_mut(id)?;
        if len + 32 > limit as usize {
            return Err(Errno::EMSGSIZE);
        }
        match unix.error.take() {
            Some(error) => Err(error),
            None if unix.write_shut => Err(Errno::EPIPE),
            None if unix.unread_bytes >= limit => Err(Errno::EAGAIN),
            None => Ok(()),
        }
    }

    /// Sends what [may be sent](Network::unix_may_send).
    pub(super) fn unix_datagram_send(
        &mut self,
        id: SocketId,
        bytes: &[u8],
        peer: SocketId,
    ) -> Result<usize> {
        let Ok(other) = self.unix(peer) else {
            // Its peer was closed: it is no longer connected.
            self.unix_mut(id)?.state = State::Idle;
            self.unix_disconnected(id, peer);
            return Err(Errno::ECONNREFUSED);
        };
        let read_shut = other.read_shut;
        self.unix_admits(peer, id)?;
        if read_shut {
            return Err(Errno::EPIPE);
        }
        if self.unix_queue_is_full(id, peer) {
            let waiting = &mut self.unix_mut(peer)?.waiting;
            if !waiting.contains(&id) {
                waiting.push(id);
            }
            return Err(Errno::EAGAIN);
        }
        let cost = cost(Kind::Datagram, bytes.len());
        let unix = self.unix_mut(id)?;
        unix.unread_bytes += cost;
        let chunk = Chunk { bytes: bytes.to_vec(), from: unix.address.clone(), sender: id, cost };
        self.unix_mut(peer)?.inbox.push(chunk);
        self.wake(peer);
        Ok(bytes.len())
    }

    /// Whether the one may not send to the other before that has read. Two that are connected to each other are held by
    /// their buffers alone.
    pub(super) fn unix_queue_is_full(&self, id: SocketId, peer: SocketId) -> bool {
        let full = |other: &super::Unix| {
            other.peer() != Some(id) && other.inbox.len() > MOST_IN_QUEUE && peer != id
        };
        self.unix(peer).is_ok_and(full)
    }

    /// An error comes first, as in Linux (`__skb_try_recv_datagram`).
    pub(super) fn unix_datagram_recv(
        &mut self,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<(usize, UnixAddress)> {
        let unix = self.unix_mut(id)?;
        if let Some(error) = unix.error.take() {
            return Err(error);
        }
        let chunk = unix.inbox.first().ok_or(Errno::EAGAIN)?;
        let len = chunk.bytes.len().min(into.len());
        into[..len].copy_from_slice(&chunk.bytes[..len]);
        let from = chunk.from.clone();
        if !peek {
            let (sender, cost) = unix.inbox.pop().map(|c| (c.sender, c.cost)).expect("it is there");
            if unix.inbox.len() <= MOST_IN_QUEUE {
                mem::take(&mut unix.waiting).into_iter().for_each(|id| self.wake(id));
            }
            self.unix_read(sender, cost);
        }
        Ok((len, from))
    }
}
