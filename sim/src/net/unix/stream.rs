//! A connection.

use super::{
    SocketAddr, UCred,
    addr::address_of,
    split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf},
};
use crate::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready},
    net::{
        endpoint::Endpoint,
        readiness::{self, readiness},
        stream::stream,
    },
    point::{Access, Site},
    world::Half,
};
use bytes::BufMut;
use sim_net::{Domain, Errno, Kind, UnixAddress};
use std::{
    fmt,
    future::Future,
    io::{self, IoSlice, IoSliceMut},
    panic::Location,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

/// A connection between two Unix sockets.
///
/// ```
/// use sim::{io::{AsyncReadExt, AsyncWriteExt}, net::UnixStream};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let (mut one, mut two) = UnixStream::pair().unwrap();
/// one.write_all(b"ping").await.unwrap();
/// drop(one);
/// let mut text = String::new();
/// two.read_to_string(&mut text).await.unwrap();
/// assert_eq!(text, "ping");
/// # });
/// ```
pub struct UnixStream {
    pub(super) endpoint: Endpoint,
}

impl UnixStream {
    /// Connects to the socket at a path of the node; one that begins with a zero byte is in the abstract namespace.
    ///
    /// # Errors
    ///
    /// `NotFound` if nothing is there, `ConnectionRefused` if nobody listens.
    ///
    /// # Panics
    ///
    /// Outside a simulation, and where `enable_io` was not called.
    #[track_caller]
    pub fn connect<P: AsRef<Path>>(path: P) -> impl Future<Output = io::Result<UnixStream>> {
        UnixStream::connect_path(path, Location::caller())
    }

    async fn connect_path<P: AsRef<Path>>(path: P, site: Site) -> io::Result<UnixStream> {
        UnixStream::connect_to(address_of(path.as_ref())?, site).await
    }

    /// Connects to the socket of this address.
    ///
    /// # Errors
    ///
    /// As [`connect`](UnixStream::connect).
    #[track_caller]
    pub fn connect_addr(addr: &SocketAddr) -> impl Future<Output = io::Result<UnixStream>> {
        UnixStream::connect_to(addr.to_address(), Location::caller())
    }

    async fn connect_to(address: UnixAddress, site: Site) -> io::Result<UnixStream> {
        let endpoint = Endpoint::open(Domain::Unix, Kind::Stream, site)?;
        UnixStream::connect_with(endpoint, address, site).await
    }

    /// Connects a socket that is there.
    pub(super) async fn connect_with(
        endpoint: Endpoint,
        address: UnixAddress,
        site: Site,
    ) -> io::Result<UnixStream> {
        let connect = endpoint.change(Access::Send, site, |net, _, id| {
            match net.connect_unix(id, &address) {
                Err(Errno::EINPROGRESS) => Ok(()),
                done => done,
            }
        });
        connect?;
        endpoint.connected(site).await?;
        Ok(UnixStream { endpoint })
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    ///
    /// # Panics
    ///
    /// As [`connect`](UnixStream::connect).
    #[track_caller]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, two) = Endpoint::pair(Kind::Stream, Location::caller())?;
        Ok((UnixStream { endpoint: one }, UnixStream { endpoint: two }))
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        local_addr(&self.endpoint)
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is none any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        peer_addr(&self.endpoint)
    }

    /// Who is at the other end: this process.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn peer_cred(&self) -> io::Result<UCred> {
        self.endpoint.ask(|net, _, id| net.unix_addresses(id))?;
        let (uid, gid) = sim_sys::os::user();
        let pid = i32::try_from(std::process::id()).ok();
        Ok(UCred { pid, uid, gid })
    }
}

/// The address of a socket.
pub(super) fn local_addr(endpoint: &Endpoint) -> io::Result<SocketAddr> {
    let (local, _) = endpoint.ask(|net, _, id| net.unix_addresses(id))?;
    SocketAddr::of(&local)
}

/// The address of its peer.
pub(super) fn peer_addr(endpoint: &Endpoint) -> io::Result<SocketAddr> {
    let peer = endpoint.ask(|net, _, id| net.unix_addresses(id)?.1.ok_or(Errno::ENOTCONN))?;
    SocketAddr::of(&peer)
}

/// `Debug` of what has addresses.
pub(super) fn shown(name: &str, endpoint: &Endpoint, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut shown = f.debug_struct(name);
    if let Ok(addr) = local_addr(endpoint) {
        shown.field("local", &addr);
    }
    if let Ok(peer) = peer_addr(endpoint) {
        shown.field("peer", &peer);
    }
    shown.finish_non_exhaustive()
}

readiness!(UnixStream, poll_read_ready, poll_write_ready);
stream!(UnixStream);

crate::net::foreign::foreign!(UnixStream, std::os::unix::net::UnixStream);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown("UnixStream", &self.endpoint, f)
    }
}
