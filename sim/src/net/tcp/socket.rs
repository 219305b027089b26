//! A socket that is neither a listener nor a connection yet.

use super::{linger::linger, listener::TcpListener, stream::TcpStream};
use crate::{
    errno,
    net::{
        endpoint::{Endpoint, expect_network},
        flags::flags,
        numbers::numbers,
    },
    point::{Access, Site},
};
use sim_net::{Domain, Kind};
use std::{fmt, future::Future, io, net::SocketAddr, panic::Location, time::Duration};

/// A TCP socket on which options are set before it connects or listens.
///
/// ```
/// use sim::net::{TcpSocket, TcpStream};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let socket = TcpSocket::new_v4().unwrap();
/// socket.set_reuseaddr(true).unwrap();
/// socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
/// let listener = socket.listen(16).unwrap();
/// let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
/// assert_eq!(client.peer_addr().unwrap(), listener.local_addr().unwrap());
/// # });
/// ```
pub struct TcpSocket {
    endpoint: Endpoint,
}

impl TcpSocket {
    /// A socket for IPv4.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    ///
    /// It can be made outside of a runtime; to connect and to listen takes one.
    #[track_caller]
    pub fn new_v4() -> io::Result<TcpSocket> {
        TcpSocket::new(Domain::V4, Location::caller())
    }

    /// A socket for IPv6.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    ///
    /// It can be made outside of a runtime; to connect and to listen takes one.
    #[track_caller]
    pub fn new_v6() -> io::Result<TcpSocket> {
        TcpSocket::new(Domain::V6, Location::caller())
    }

    fn new(domain: Domain, site: Site) -> io::Result<TcpSocket> {
        Ok(TcpSocket { endpoint: Endpoint::open_anywhere(domain, Kind::Stream, site)? })
    }

    /// Gives the socket an address.
    ///
    /// # Errors
    ///
    /// `AddrInUse`, `AddrNotAvailable`, `InvalidInput` if it has one.
    #[track_caller]
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        let site = Location::caller();
        self.endpoint.change(Access::Write, site, |net, cx, id| net.bind(cx, id, addr))
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::connect`].
    #[track_caller]
    pub fn connect(self, addr: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> {
        TcpStream::connect_with(self.endpoint, addr, Location::caller())
    }

    /// Takes connections, of which `backlog` may wait.
    ///
    /// # Errors
    ///
    /// `AddrInUse`.
    #[track_caller]
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        expect_network();
        let site = Location::caller();
        self.endpoint.change(Access::Write, site, |net, cx, id| net.listen(cx, id, backlog))?;
        Ok(TcpListener { endpoint: self.endpoint })
    }

    /// The address of the socket.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.ask(|net, _, id| net.local_addr(id))
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

linger!(TcpSocket);

flags! { TcpSocket:
    /// Whether a peer that is silent is asked if it still is there: `SO_KEEPALIVE`.
    keepalive, set_keepalive, KeepAlive;
    /// Whether an address may be had whose last connection has not been forgotten yet: `SO_REUSEADDR`.
    reuseaddr, set_reuseaddr, ReuseAddr;
    /// Whether several sockets may have the address: `SO_REUSEPORT`.
    reuseport, set_reuseport, ReusePort;
    /// Whether small segments are sent at once: `TCP_NODELAY`.
    nodelay, set_nodelay, NoDelay;
}

numbers! { TcpSocket:
    /// The service that packets of IPv4 ask for: `IP_TOS`.
    tos_v4, set_tos_v4, Tos;
    /// The service that packets of IPv6 ask for: `IPV6_TCLASS`.
    tclass_v6, set_tclass_v6, TrafficClass;
    /// The size of the buffer for what is sent, in bytes; Linux gives twice of what was set: `SO_SNDBUF`.
    send_buffer_size, set_send_buffer_size, SendBuffer;
    /// The size of the buffer for what is received, in bytes; Linux gives twice of what was set: `SO_RCVBUF`.
    recv_buffer_size, set_recv_buffer_size, RecvBuffer;
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TcpSocket");
        if let Ok(addr) = self.local_addr() {
            shown.field("addr", &addr);
        }
        shown.finish_non_exhaustive()
    }
}
