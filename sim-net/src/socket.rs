//! Sockets as handles: what every kind of them has, and the table that they live in.

use crate::{Errno, HostId, Network, Result, options::Options, tcp, udp, unix};
use core::ops::{BitOr, BitOrAssign};

/// A socket of a [`Network`]. The handle of one that was closed, or whose host crashed, answers [`Errno::EBADF`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SocketId {
    pub(crate) index: u32,
    pub(crate) generation: u32,
}

impl SocketId {
    /// The place in the table, which is used again once the socket is closed.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }
}

/// The family of a socket's addresses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Domain {
    /// `AF_INET`
    V4,
    /// `AF_INET6`
    V6,
    /// `AF_UNIX`
    Unix,
}

/// What a socket carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// `SOCK_STREAM`
    Stream,
    /// `SOCK_DGRAM`
    Datagram,
}

/// Which half is shut down: shutdown(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// `SHUT_RD`
    Read,
    /// `SHUT_WR`
    Write,
    /// `SHUT_RDWR`
    Both,
}

/// What a socket is ready for, as epoll(7) would say: a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const NONE: Ready = Ready(0);
    /// There is something to read or to accept, or the end, or an error: `EPOLLIN`.
    pub const READABLE: Ready = Ready(1);
    /// There is room to write, the connection was made, or there is an error: `EPOLLOUT`.
    pub const WRITABLE: Ready = Ready(2);
    /// The peer sends no more: `EPOLLRDHUP`.
    pub const READ_CLOSED: Ready = Ready(4);
    /// Nothing can be sent any more: `EPOLLHUP`.
    pub const WRITE_CLOSED: Ready = Ready(8);
    /// There is an error to take: `EPOLLERR`.
    pub const ERROR: Ready = Ready(16);

    /// Whether all of `other` is in it.
    #[must_use]
    pub fn has(self, other: Ready) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together, also in constants.
    #[must_use]
    pub const fn or(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }

    /// Whether any of `other` is in it.
    #[must_use]
    pub fn any_of(self, other: Ready) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Ready {
    type Output = Ready;
    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

pub(crate) struct Socket {
    pub(crate) host: HostId,
    pub(crate) domain: Domain,
    pub(crate) options: Options,
    pub(crate) proto: Proto,
}

/// What a socket is beyond being one.
pub(crate) enum Proto {
    Tcp(tcp::Tcp),
    Udp(udp::Udp),
    Unix(unix::Unix),
}

/// A place in the table of sockets.
#[derive(Default)]
pub(crate) struct Slot {
    pub(crate) generation: u32,
    pub(crate) socket: Option<Socket>,
}

impl Network {
    pub(crate) fn get(&self, id: SocketId) -> Result<&Socket> {
        let slot = self.sockets.get(id.index as usize).filter(|s| s.generation == id.generation);
        slot.and_then(|slot| slot.socket.as_ref()).ok_or(Errno::EBADF)
    }

    pub(crate) fn get_mut(&mut self, id: SocketId) -> Result<&mut Socket> {
        let slot =
            self.sockets.get_mut(id.index as usize).filter(|s| s.generation == id.generation);
        slot.and_then(|slot| slot.socket.as_mut()).ok_or(Errno::EBADF)
    }

    /// Puts a socket into the table; it counts as open.
    pub(crate) fn insert(&mut self, socket: Socket) -> SocketId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.sockets.push(Slot::default());
            u32::try_from(self.sockets.len() - 1).expect("fewer sockets than numbers")
        });
        let slot = &mut self.sockets[index as usize];
        slot.socket = Some(socket);
        SocketId { index, generation: slot.generation }
    }

    /// Takes a socket out of the table, whose handle from now on is none.
    pub(crate) fn remove(&mut self, id: SocketId) -> Result<Socket> {
        self.get(id)?;
        let slot = &mut self.sockets[id.index as usize];
        slot.generation += 1;
        self.free.push(id.index);
        Ok(slot.socket.take().expect("it is there"))
    }

    /// Something has changed for the socket that its owner may wait for.
    pub(crate) fn wake(&mut self, id: SocketId) {
        if self.woken.last() != Some(&id) {
            self.woken.push(id);
        }
    }

    /// The host of a socket.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn host_of(&self, id: SocketId) -> Result<HostId> {
        Ok(self.get(id)?.host)
    }
}
