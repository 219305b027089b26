//! A socket that takes connections.

use super::stream::TcpStream;
use crate::{
    io::Interest,
    net::{
        addr::{ToSocketAddrs, no_address, resolve},
        endpoint::Endpoint,
        numbers::numbers,
    },
    point::{Access, Site},
    world::Half,
};
use sim_net::{Domain, Flag, Kind, SocketId};
use std::{
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    panic::Location,
    task::{Context, Poll, ready},
};

/// Connections that [`TcpListener::bind`] lets wait, as with tokio.
const BACKLOG: u32 = 1024;

/// A TCP socket that takes connections.
///
/// ```
/// use sim::net::{TcpListener, TcpStream};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
/// let there = listener.local_addr().unwrap();
/// drop(listener);
/// let refused = TcpStream::connect(there).await.unwrap_err();
/// assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
/// # });
/// ```
pub struct TcpListener {
    pub(super) endpoint: Endpoint,
}

impl TcpListener {
    /// Listens at the first of the addresses that can be had, with `SO_REUSEADDR` set; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// That of the last address: `AddrInUse`, `AddrNotAvailable`, …
    ///
    /// # Panics
    ///
    /// Outside a simulation, and where `enable_io` was not called.
    #[track_caller]
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<TcpListener>> {
        TcpListener::bind_first(addr, Location::caller())
    }

    async fn bind_first<A: ToSocketAddrs>(addr: A, site: Site) -> io::Result<TcpListener> {
        let mut last = None;
        for addr in resolve(addr).await? {
            match TcpListener::bind_addr(addr, site) {
                Ok(listener) => return Ok(listener),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    fn bind_addr(addr: SocketAddr, site: Site) -> io::Result<TcpListener> {
        let domain = if addr.is_ipv4() { Domain::V4 } else { Domain::V6 };
        let endpoint = Endpoint::open(domain, Kind::Stream, site)?;
        endpoint.change(Access::Write, site, |net, cx, id| {
            net.set_flag(id, Flag::ReuseAddr, true)?;
            net.bind(cx, id, addr)?;
            net.listen(cx, id, BACKLOG)
        })?;
        Ok(TcpListener { endpoint })
    }

    /// Waits for a connection. Cancel safe: a connection that was not given stays for the next.
    ///
    /// # Errors
    ///
    /// `EMFILE` if the node has no more sockets.
    #[track_caller]
    pub fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> {
        self.accept_at(Location::caller())
    }

    async fn accept_at(&self, site: Site) -> io::Result<(TcpStream, SocketAddr)> {
        let accepted = self.endpoint.wait_io(Interest::READABLE, site, || self.take()).await?;
        self.stream(accepted, site)
    }

    /// Polls for a connection. Of several tasks the one that polled last is woken.
    ///
    /// # Errors
    ///
    /// As [`accept`](TcpListener::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let site = self.endpoint.site();
        let accepted = ready!(self.endpoint.poll_io(cx, Half::Read, site, || self.take()))?;
        Poll::Ready(self.stream(accepted, site))
    }

    fn take(&self) -> io::Result<(SocketId, SocketAddr)> {
        self.endpoint.ask(|net, cx, id| {
            let accepted = net.accept(cx, id)?;
            Ok((accepted, net.accepted_from(accepted)?))
        })
    }

    fn stream(
        &self,
        (id, peer): (SocketId, SocketAddr),
        site: Site,
    ) -> io::Result<(TcpStream, SocketAddr)> {
        Ok((TcpStream { endpoint: self.endpoint.accepted(id, site)? }, peer))
    }

    /// The address at which it listens.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.ask(|net, _, id| net.local_addr(id))
    }
}

numbers! { TcpListener:
    /// Over how many hops a packet may go, 1 to 255: `IP_TTL`.
    ttl, set_ttl, Ttl;
}

crate::net::foreign::foreign!(TcpListener, std::net::TcpListener);

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TcpListener");
        if let Ok(addr) = self.local_addr() {
            shown.field("addr", &addr);
        }
        shown.finish_non_exhaustive()
    }
}
