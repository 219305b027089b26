//! A connection.

use super::{
    linger::linger,
    split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf},
};
use crate::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready},
    net::{
        addr::{ToSocketAddrs, no_address, resolve},
        endpoint::Endpoint,
        flags::flags,
        numbers::numbers,
        readiness::{self, readiness},
        stream::stream,
    },
    point::{Access, Site},
    world::Half,
};
use bytes::BufMut;
use sim_net::{Domain, Errno, Kind};
use std::{
    fmt,
    future::Future,
    io::{self, IoSlice, IoSliceMut},
    net::SocketAddr,
    panic::Location,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

/// A TCP connection between a local and a remote socket.
///
/// It is closed when dropped: what was written still goes its way, unless something that was received has not been
/// read, which resets the connection, as on Linux.
///
/// ```
/// use sim::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
/// let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
/// let (mut server, from) = listener.accept().await.unwrap();
/// assert_eq!(from, client.local_addr().unwrap());
/// client.write_all(b"ping").await.unwrap();
/// let mut word = [0; 4];
/// server.read_exact(&mut word).await.unwrap();
/// assert_eq!(&word, b"ping");
/// # });
/// ```
pub struct TcpStream {
    pub(super) endpoint: Endpoint,
}

impl TcpStream {
    /// Connects to the first of the addresses that answers.
    ///
    /// # Errors
    ///
    /// That of the last address: `ConnectionRefused` if nobody listens there, `TimedOut`, `NetworkUnreachable`, …
    ///
    /// # Panics
    ///
    /// Outside a simulation, and where `enable_io` was not called.
    #[track_caller]
    pub fn connect<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<TcpStream>> {
        TcpStream::connect_first(addr, Location::caller())
    }

    async fn connect_first<A: ToSocketAddrs>(addr: A, site: Site) -> io::Result<TcpStream> {
        let mut last = None;
        for addr in resolve(addr).await? {
            let domain = if addr.is_ipv4() { Domain::V4 } else { Domain::V6 };
            let connected = match Endpoint::open(domain, Kind::Stream, site) {
                Ok(endpoint) => TcpStream::connect_with(endpoint, addr, site).await,
                Err(error) => Err(error),
            };
            match connected {
                Ok(stream) => return Ok(stream),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    /// Connects a socket that is there.
    pub(super) async fn connect_with(
        endpoint: Endpoint,
        addr: SocketAddr,
        site: Site,
    ) -> io::Result<TcpStream> {
        let began =
            endpoint.change(Access::Send, site, |net, cx, id| match net.connect(cx, id, addr) {
                Err(Errno::EINPROGRESS) => Ok(()),
                done => done,
            });
        began?;
        endpoint.connected(site).await?;
        Ok(TcpStream { endpoint })
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.ask(|net, _, id| net.local_addr(id))
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// `NotConnected` if there is none any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.ask(|net, _, id| net.peer_addr(id))
    }

    /// Polls for bytes, and leaves them there; gives how many fit into `buf`.
    ///
    /// # Errors
    ///
    /// As those of reading.
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        let peek = || {
            let room = buf.initialize_unfilled();
            let len = self.endpoint.ask(|net, cx, id| net.peek(cx, id, room))?;
            buf.advance(len);
            Ok(len)
        };
        self.endpoint.poll_io(cx, Half::Read, self.endpoint.site(), peek)
    }

    /// Waits for bytes, and leaves them there; gives how many fit into `buf`, 0 at the end. Cancel safe.
    ///
    /// # Errors
    ///
    /// As those of reading.
    #[track_caller]
    pub fn peek(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        let peek = || self.endpoint.ask(|net, cx, id| net.peek(cx, id, buf));
        self.endpoint.wait_io(Interest::READABLE, Location::caller(), peek)
    }
}

readiness!(TcpStream, poll_read_ready, poll_write_ready);
stream!(TcpStream);

linger!(TcpStream);

flags! { TcpStream:
    /// Whether small segments are sent at once: `TCP_NODELAY`.
    nodelay, set_nodelay, NoDelay;
    /// Whether what comes is acknowledged at once: `TCP_QUICKACK`.
    quickack, set_quickack, QuickAck;
}

numbers! { TcpStream:
    /// Over how many hops a packet may go, 1 to 255: `IP_TTL`.
    ttl, set_ttl, Ttl;
}

crate::net::foreign::foreign!(TcpStream, std::net::TcpStream);

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TcpStream");
        if let Ok(addr) = self.local_addr() {
            shown.field("addr", &addr);
        }
        if let Ok(peer) = self.peer_addr() {
            shown.field("peer", &peer);
        }
        shown.finish_non_exhaustive()
    }
}
