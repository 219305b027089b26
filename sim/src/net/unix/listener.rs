//! A socket that takes connections.

use super::{
    SocketAddr,
    addr::address_of,
    stream::{UnixStream, local_addr, shown},
};
use crate::{
    errno,
    io::Interest,
    net::endpoint::Endpoint,
    point::{Access, Site},
    world::Half,
};
use sim_net::{Domain, Kind, SocketId, UnixAddress};
use std::{
    fmt,
    future::Future,
    io,
    panic::Location,
    path::Path,
    task::{Context, Poll, ready},
};

/// Connections that may wait, as with tokio.
const BACKLOG: u32 = 1024;

/// A Unix socket that takes connections.
///
/// ```
/// use sim::{io::AsyncReadExt, net::{UnixListener, UnixStream}};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let listener = UnixListener::bind("/run/server").unwrap();
/// let client = UnixStream::connect("/run/server").await.unwrap();
/// let (mut server, _) = listener.accept().await.unwrap();
/// drop(client);
/// assert_eq!(server.read(&mut [0]).await.unwrap(), 0);
/// # });
/// ```
pub struct UnixListener {
    pub(super) endpoint: Endpoint,
}

impl UnixListener {
    /// Listens at a path of the node; one that begins with a zero byte is in the abstract namespace.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if something is there.
    ///
    /// # Panics
    ///
    /// Outside a simulation, and where `enable_io` was not called.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::bind_to(address_of(path.as_ref())?, Location::caller())
    }

    /// Listens at this address.
    ///
    /// # Errors
    ///
    /// As [`bind`](UnixListener::bind).
    ///
    /// # Panics
    ///
    /// As [`bind`](UnixListener::bind).
    #[track_caller]
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixListener> {
        UnixListener::bind_to(addr.to_address(), Location::caller())
    }

    #[track_caller]
    fn bind_to(address: UnixAddress, site: Site) -> io::Result<UnixListener> {
        let endpoint = Endpoint::open(Domain::Unix, Kind::Stream, site)?;
        endpoint.change(Access::Write, site, |net, cx, id| {
            net.bind_unix(id, address)?;
            net.listen(cx, id, BACKLOG)
        })?;
        Ok(UnixListener { endpoint })
    }

    /// Waits for a connection. Cancel safe: a connection that was not given stays for the next.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    #[track_caller]
    pub fn accept(&self) -> impl Future<Output = io::Result<(UnixStream, SocketAddr)>> {
        self.accept_at(Location::caller())
    }

    async fn accept_at(&self, site: Site) -> io::Result<(UnixStream, SocketAddr)> {
        let id = self.endpoint.wait_io(Interest::READABLE, site, || self.take()).await?;
        self.stream(id, site)
    }

    /// Polls for a connection. Of several tasks the one that polled last is woken.
    ///
    /// # Errors
    ///
    /// As [`accept`](UnixListener::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let site = self.endpoint.site();
        let id = ready!(self.endpoint.poll_io(cx, Half::Read, site, || self.take()))?;
        Poll::Ready(self.stream(id, site))
    }

    fn take(&self) -> io::Result<SocketId> {
        self.endpoint.ask(|net, cx, id| net.accept(cx, id))
    }

    fn stream(&self, id: SocketId, site: Site) -> io::Result<(UnixStream, SocketAddr)> {
        let stream = UnixStream { endpoint: self.endpoint.accepted(id, site)? };
        // Who connects has no name as a rule, and may be gone again.
        let none = || SocketAddr::of(&UnixAddress::Unnamed);
        let peer = stream.peer_addr().or_else(|_| none())?;
        Ok((stream, peer))
    }

    /// The address at which it listens.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        local_addr(&self.endpoint)
    }

    /// Takes the error that waits for somebody to ask: `SO_ERROR`.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.endpoint.ask(|net, _, id| net.take_error(id))?.map(errno::error))
    }
}

crate::net::foreign::foreign!(UnixListener, std::os::unix::net::UnixListener);

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown("UnixListener", &self.endpoint, f)
    }
}
