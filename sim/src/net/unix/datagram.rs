//! Datagrams within a node.

use super::{
    SocketAddr,
    addr::path_address,
    stream::{local_addr, peer_addr, shown},
};
use crate::{
    errno,
    io::{Interest, ReadBuf, Ready},
    net::{
        endpoint::Endpoint,
        readiness::{into_chunk, readiness},
    },
    point::{Access, Site},
    world::Half,
};
use bytes::BufMut;
use sim_net::{Domain, Errno, How, Kind, UnixAddress};
use std::{
    fmt,
    future::Future,
    io,
    net::Shutdown,
    panic::Location,
    path::Path,
    task::{Context, Poll},
};

/// A Unix socket for datagrams: none is lost, who sends to a full one waits.
///
/// ```
/// use sim::net::UnixDatagram;
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let server = UnixDatagram::bind("/run/log").unwrap();
/// let client = UnixDatagram::unbound().unwrap();
/// client.send_to(b"hello", "/run/log").await.unwrap();
/// let mut text = [0; 16];
/// let (len, from) = server.recv_from(&mut text).await.unwrap();
/// assert_eq!(&text[..len], b"hello");
/// assert!(from.is_unnamed());
/// # });
/// ```
pub struct UnixDatagram {
    pub(super) endpoint: Endpoint,
}

impl UnixDatagram {
    /// A socket at a path of the node.
    ///
    /// # Errors
    ///
    /// `AddrInUse` if something is there.
    ///
    /// # Panics
    ///
    /// Outside a simulation, and where `enable_io` was not called.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        let (address, site) = (path_address(path.as_ref())?, Location::caller());
        let endpoint = Endpoint::open(Domain::Unix, Kind::Datagram, site)?;
        endpoint.change(Access::Write, site, |net, _, id| net.bind_unix(id, address))?;
        Ok(UnixDatagram { endpoint })
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    ///
    /// # Panics
    ///
    /// As [`bind`](UnixDatagram::bind).
    #[track_caller]
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, two) = Endpoint::pair(Kind::Datagram, Location::caller())?;
        Ok((UnixDatagram { endpoint: one }, UnixDatagram { endpoint: two }))
    }

    /// A socket without an address.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    ///
    /// # Panics
    ///
    /// As [`bind`](UnixDatagram::bind).
    #[track_caller]
    pub fn unbound() -> io::Result<UnixDatagram> {
        let endpoint = Endpoint::open(Domain::Unix, Kind::Datagram, Location::caller())?;
        Ok(UnixDatagram { endpoint })
    }

    /// Sends to this path from now on.
    ///
    /// # Errors
    ///
    /// `NotFound` if nothing is there, `ConnectionRefused` if nobody has it open.
    #[track_caller]
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let (address, site) = (path_address(path.as_ref())?, Location::caller());
        if address == UnixAddress::Unnamed {
            // To the network it would end a connection.
            return Err(errno::error(Errno::EINVAL));
        }
        self.endpoint.change(Access::Write, site, |net, _, id| net.connect_unix(id, &address))
    }

    /// The address of the socket.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        local_addr(&self.endpoint)
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        peer_addr(&self.endpoint)
    }

    /// Ends one way, or both.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    #[track_caller]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => How::Read,
            Shutdown::Write => How::Write,
            Shutdown::Both => How::Both,
        };
        let site = Location::caller();
        self.endpoint.change(Access::Close, site, |net, cx, id| net.shutdown(cx, id, how))
    }

    // --- sending

    /// Sends to the peer, once there is room. Cancel safe: nothing was sent then.
    ///
    /// # Errors
    ///
    /// `NotConnected`, `EMSGSIZE`, `ConnectionRefused` if the peer is gone.
    #[track_caller]
    pub fn send(&self, buf: &[u8]) -> impl Future<Output = io::Result<usize>> {
        self.endpoint.wait_io(Interest::WRITABLE, Location::caller(), || self.put(buf))
    }

    /// Polls to send to the peer.
    ///
    /// # Errors
    ///
    /// As [`send`](UnixDatagram::send).
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.endpoint.poll_io(cx, Half::Write, self.endpoint.site(), || self.put(buf))
    }

    /// Sends to the peer if there is room.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, and as [`send`](UnixDatagram::send).
    #[track_caller]
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.endpoint.try_io(Interest::WRITABLE, Location::caller(), || self.put(buf))
    }

    /// Sends to the socket at a path, once there is room. Cancel safe: nothing was sent then.
    ///
    /// # Errors
    ///
    /// `NotFound` if nothing is there, `ConnectionRefused` if nobody has it open, `EMSGSIZE`.
    #[track_caller]
    pub fn send_to<P: AsRef<Path>>(
        &self,
        buf: &[u8],
        target: P,
    ) -> impl Future<Output = io::Result<usize>> {
        self.send_to_at(buf, target, Location::caller())
    }

    async fn send_to_at<P: AsRef<Path>>(
        &self,
        buf: &[u8],
        target: P,
        site: Site,
    ) -> io::Result<usize> {
        let to = path_address(target.as_ref())?;
        self.endpoint.wait_io(Interest::WRITABLE, site, || self.put_to(buf, &to)).await
    }

    /// Polls to send to the socket at a path.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UnixDatagram::send_to).
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        let to = path_address(target.as_ref())?;
        let send = || self.put_to(buf, &to);
        self.endpoint.poll_io(cx, Half::Write, self.endpoint.site(), send)
    }

    /// Sends to the socket at a path if there is room.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, and as [`send_to`](UnixDatagram::send_to).
    #[track_caller]
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let to = path_address(target.as_ref())?;
        let send = || self.put_to(buf, &to);
        self.endpoint.try_io(Interest::WRITABLE, Location::caller(), send)
    }

    fn put(&self, buf: &[u8]) -> io::Result<usize> {
        self.endpoint.ask(|net, cx, id| net.send(cx, id, buf))
    }

    fn put_to(&self, buf: &[u8], to: &UnixAddress) -> io::Result<usize> {
        self.endpoint.ask(|net, _, id| net.send_to_unix(id, buf, to))
    }

    // --- receiving

    /// Receives a datagram; gives how many of its bytes fit into `buf`, the others are lost. Cancel safe.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    #[track_caller]
    pub fn recv(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.endpoint.wait_io(Interest::READABLE, Location::caller(), || self.take(buf))
    }

    /// Polls to receive a datagram.
    ///
    /// # Errors
    ///
    /// As [`recv`](UnixDatagram::recv).
    pub fn poll_recv(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let receive = || {
            let len = self.take(buf.initialize_unfilled())?;
            buf.advance(len);
            Ok(())
        };
        self.endpoint.poll_io(cx, Half::Read, self.endpoint.site(), receive)
    }

    /// Receives a datagram if there is one.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, and as [`recv`](UnixDatagram::recv).
    #[track_caller]
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.endpoint.try_io(Interest::READABLE, Location::caller(), || self.take(buf))
    }

    /// Receives a datagram into the next chunk of `buf`. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`recv`](UnixDatagram::recv).
    #[track_caller]
    pub fn recv_buf<B: BufMut>(&self, buf: &mut B) -> impl Future<Output = io::Result<usize>> {
        self.endpoint.wait_io(Interest::READABLE, Location::caller(), || self.take_buf(buf))
    }

    /// Receives a datagram into the next chunk of `buf` if there is one.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](UnixDatagram::try_recv).
    #[track_caller]
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.endpoint.try_io(Interest::READABLE, Location::caller(), || self.take_buf(buf))
    }

    /// Receives a datagram, and whom it is from. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`recv`](UnixDatagram::recv).
    #[track_caller]
    pub fn recv_from(
        &self,
        buf: &mut [u8],
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> {
        self.endpoint.wait_io(Interest::READABLE, Location::caller(), || self.take_from(buf))
    }

    /// Polls to receive a datagram, and whom it is from.
    ///
    /// # Errors
    ///
    /// As [`recv`](UnixDatagram::recv).
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        let receive = || {
            let (len, from) = self.take_from(buf.initialize_unfilled())?;
            buf.advance(len);
            Ok(from)
        };
        self.endpoint.poll_io(cx, Half::Read, self.endpoint.site(), receive)
    }

    /// Receives a datagram, and whom it is from, if there is one.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](UnixDatagram::try_recv).
    #[track_caller]
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.endpoint.try_io(Interest::READABLE, Location::caller(), || self.take_from(buf))
    }

    /// Receives a datagram into the next chunk of `buf`, and whom it is from. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`recv`](UnixDatagram::recv).
    #[track_caller]
    pub fn recv_buf_from<B: BufMut>(
        &self,
        buf: &mut B,
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> {
        let receive = || into_chunk(buf, |room| self.take_from(room));
        self.endpoint.wait_io(Interest::READABLE, Location::caller(), receive)
    }

    /// Receives a datagram into the next chunk of `buf`, and whom it is from, if there is one.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](UnixDatagram::try_recv).
    #[track_caller]
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        let receive = || into_chunk(buf, |room| self.take_from(room));
        self.endpoint.try_io(Interest::READABLE, Location::caller(), receive)
    }

    fn take(&self, room: &mut [u8]) -> io::Result<usize> {
        self.endpoint.ask(|net, cx, id| net.recv(cx, id, room))
    }

    fn take_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        into_chunk(buf, |room| Ok((self.take(room)?, ()))).map(|(len, ())| len)
    }

    fn take_from(&self, room: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, from) = self.endpoint.ask(|net, _, id| net.recv_from_unix(id, room))?;
        Ok((len, SocketAddr::of(&from)?))
    }
}

readiness!(UnixDatagram, poll_recv_ready, poll_send_ready);

crate::net::foreign::foreign!(UnixDatagram, std::os::unix::net::UnixDatagram);

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        shown("UnixDatagram", &self.endpoint, f)
    }
}
