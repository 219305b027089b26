//! Unix sockets: unix(7). They are within a host, and what is sent arrives at once.

use crate::{Errno, HostId, How, Kind, Network, Ready, Result, SocketId};
use alloc::vec::Vec;

/// The address of a Unix socket.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum UnixAddress {
    /// It has none.
    #[default]
    Unnamed,
    /// A path, absolute and resolved by who asks, as the bytes that it is.
    Path(Vec<u8>),
    /// A name in the abstract namespace of the host.
    Abstract(Vec<u8>),
}

/// A Unix socket.
pub(crate) struct Unix {}

/// Which socket has which address.
#[derive(Default)]
pub(crate) struct Paths {}

impl Unix {
    pub(crate) fn new(kind: Kind) -> Unix {
        let _ = kind;
        Unix {}
    }
}

#[allow(unused_variables, clippy::needless_pass_by_value)]
impl Network {
    /// Two sockets that are connected to each other: socketpair(2).
    ///
    /// # Errors
    ///
    /// `EMFILE`.
    pub fn pair(&mut self, host: HostId, kind: Kind) -> Result<(SocketId, SocketId)> {
        Err(Errno::EOPNOTSUPP)
    }
    /// Gives a Unix socket an address: bind(2), unix(7).
    ///
    /// # Errors
    ///
    /// `EADDRINUSE`, `EINVAL`, `EBADF`.
    pub fn bind_unix(&mut self, id: SocketId, address: UnixAddress) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    /// Connects a Unix socket: connect(2), unix(7).
    ///
    /// # Errors
    ///
    /// `ECONNREFUSED`, `ENOENT`, `EAGAIN` if the backlog is full, `EPROTOTYPE`, `EBADF`.
    pub fn connect_unix(&mut self, id: SocketId, to: &UnixAddress) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    /// Sends one datagram to that address: sendto(2), unix(7).
    ///
    /// # Errors
    ///
    /// `ECONNREFUSED`, `ENOENT`, `EAGAIN`, `EMSGSIZE`, `EBADF`.
    pub fn send_to_unix(&mut self, id: SocketId, bytes: &[u8], to: &UnixAddress) -> Result<usize> {
        Err(Errno::EOPNOTSUPP)
    }
    /// Takes bytes or one datagram, and whom it is from: recvfrom(2).
    ///
    /// # Errors
    ///
    /// `EAGAIN`, `ECONNRESET`, `EBADF`.
    pub fn recv_from_unix(
        &mut self,
        id: SocketId,
        into: &mut [u8],
    ) -> Result<(usize, UnixAddress)> {
        self.unix_recv(id, into, false)
    }
    /// Its address, and that of its peer if it is connected.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn unix_addresses(&self, id: SocketId) -> Result<(UnixAddress, Option<UnixAddress>)> {
        Err(Errno::EOPNOTSUPP)
    }
    /// The path was removed from the host's disk: nobody can connect to it any more.
    pub fn unlink_unix(&mut self, host: HostId, path: &[u8]) {}

    pub(crate) fn unix_ready(&self, id: SocketId) -> Ready {
        Ready::NONE
    }
    pub(crate) fn unix_listen(&mut self, id: SocketId, backlog: u32) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn unix_accept(&mut self, id: SocketId) -> Result<SocketId> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn unix_send(&mut self, id: SocketId, bytes: &[u8]) -> Result<usize> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn unix_recv(
        &mut self,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<(usize, UnixAddress)> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn unix_shutdown(&mut self, id: SocketId, how: How) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn unix_close(&mut self, id: SocketId) -> Result<()> {
        Err(Errno::EOPNOTSUPP)
    }
    pub(crate) fn unix_vanishes(&mut self, id: SocketId, unix: Unix) {}
}
