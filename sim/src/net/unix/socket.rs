//! A socket that is nothing in particular yet.

use super::{
    addr::address_of,
    datagram::UnixDatagram,
    listener::UnixListener,
    stream::{UnixStream, shown},
};
use crate::{
    net::endpoint::{Endpoint, expect_network},
    point::{Access, Site},
};
use sim_net::{Domain, Kind};
use std::{fmt, future::Future, io, panic::Location, path::Path};

/// A Unix socket that has not been connected and does not listen.
///
/// ```
/// use sim::net::{UnixSocket, UnixStream};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let socket = UnixSocket::new_stream().unwrap();
/// socket.bind("/run/server").unwrap();
/// let listener = socket.listen(16).unwrap();
/// let _client = UnixStream::connect("/run/server").await.unwrap();
/// listener.accept().await.unwrap();
/// # });
/// ```
pub struct UnixSocket {
    endpoint: Endpoint,
    kind: Kind,
}

impl UnixSocket {
    /// A socket for datagrams.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    ///
    /// It can be made outside of a runtime; to connect and to listen takes one.
    #[track_caller]
    pub fn new_datagram() -> io::Result<UnixSocket> {
        UnixSocket::new(Kind::Datagram, Location::caller())
    }

    /// A socket for a stream or a listener.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    ///
    /// It can be made outside of a runtime; to connect and to listen takes one.
    #[track_caller]
    pub fn new_stream() -> io::Result<UnixSocket> {
        UnixSocket::new(Kind::Stream, Location::caller())
    }

    fn new(kind: Kind, site: Site) -> io::Result<UnixSocket> {
        Ok(UnixSocket { endpoint: Endpoint::open_anywhere(Domain::Unix, kind, site)?, kind })
    }

    /// Gives the socket a path.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if something is there.
    #[track_caller]
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let (address, site) = (address_of(path.as_ref())?, Location::caller());
        self.endpoint.change(Access::Write, site, |net, _, id| net.bind_unix(id, address))
    }

    /// Takes connections, of which `backlog` may wait.
    ///
    /// # Errors
    ///
    /// If the socket is one for datagrams.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        let site = Location::caller();
        if self.kind == Kind::Datagram {
            return Err(io::Error::other("listen cannot be called on a datagram socket"));
        }
        expect_network();
        self.endpoint.change(Access::Write, site, |net, cx, id| net.listen(cx, id, backlog))?;
        Ok(UnixListener { endpoint: self.endpoint })
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// If the socket is one for datagrams, and as [`UnixStream::connect`].
    #[track_caller]
    pub fn connect(self, path: impl AsRef<Path>) -> impl Future<Output = io::Result<UnixStream>> {
        self.connect_at(path, Location::caller())
    }

    async fn connect_at(self, path: impl AsRef<Path>, site: Site) -> io::Result<UnixStream> {
        if self.kind == Kind::Datagram {
            return Err(io::Error::other("connect cannot be called on a datagram socket"));
        }
        UnixStream::connect_with(self.endpoint, address_of(path.as_ref())?, site).await
    }

    /// A socket for datagrams, as such.
    ///
    /// # Errors
    ///
    /// If the socket is one for a stream.
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        if self.kind == Kind::Stream {
            return Err(io::Error::other("datagram cannot be called on a stream socket"));
        }
        Ok(UnixDatagram { endpoint: self.endpoint })
    }
}

impl fmt::Debug for UnixSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown("UnixSocket", &self.endpoint, f)
    }
}
