//! Datagrams.

use super::{
    addr::{ToSocketAddrs, no_address, resolve},
    endpoint::Endpoint,
    flags::flags,
    numbers::numbers,
    readiness::{into_chunk, readiness},
};
use crate::{
    io::{Interest, ReadBuf, Ready},
    point::{Access, Site},
    world::Half,
};
use bytes::BufMut;
use sim_net::{Domain, Kind};
use std::{
    fmt,
    future::Future,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    panic::Location,
    task::{Context, Poll},
};

/// What somebody receives for.
const INCOMING: Interest = Interest::READABLE.add(Interest::ERROR);

/// A UDP socket.
///
/// A datagram may be lost, come twice, late, or after one that was sent later: as the link says that it takes. What is
/// longer than the buffer that it is received into is cut. Where nobody is, a connected socket hears of it:
/// `ConnectionRefused`.
///
/// ```
/// use sim::net::UdpSocket;
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let here = UdpSocket::bind("127.0.0.1:0").await.unwrap();
/// let there = UdpSocket::bind("127.0.0.1:0").await.unwrap();
/// here.send_to(b"ping", there.local_addr().unwrap()).await.unwrap();
/// let mut word = [0; 16];
/// let (len, from) = there.recv_from(&mut word).await.unwrap();
/// assert_eq!((&word[..len], from), (&b"ping"[..], here.local_addr().unwrap()));
/// # });
/// ```
pub struct UdpSocket {
    endpoint: Endpoint,
}

impl UdpSocket {
    /// A socket at the first of the addresses that can be had; port 0 is any that is free.
    ///
    /// # Errors
    ///
    /// That of the last address: `AddrInUse`, `AddrNotAvailable`, …
    ///
    /// # Panics
    ///
    /// Outside a simulation, and where `enable_io` was not called.
    #[track_caller]
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<UdpSocket>> {
        UdpSocket::bind_first(addr, Location::caller())
    }

    async fn bind_first<A: ToSocketAddrs>(addr: A, site: Site) -> io::Result<UdpSocket> {
        let mut last = None;
        for addr in resolve(addr).await? {
            match UdpSocket::bind_addr(addr, site) {
                Ok(socket) => return Ok(socket),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    fn bind_addr(addr: SocketAddr, site: Site) -> io::Result<UdpSocket> {
        let domain = if addr.is_ipv4() { Domain::V4 } else { Domain::V6 };
        let endpoint = Endpoint::open(domain, Kind::Datagram, site)?;
        endpoint.change(Access::Write, site, |net, cx, id| net.bind(cx, id, addr))?;
        Ok(UdpSocket { endpoint })
    }

    /// Sends to this address from now on, and receives from there only.
    ///
    /// # Errors
    ///
    /// That of the last address.
    #[track_caller]
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> impl Future<Output = io::Result<()>> {
        self.connect_first(addr, Location::caller())
    }

    async fn connect_first<A: ToSocketAddrs>(&self, addr: A, site: Site) -> io::Result<()> {
        let mut last = None;
        for addr in resolve(addr).await? {
            let connect =
                self.endpoint.change(Access::Write, site, |net, cx, id| net.connect(cx, id, addr));
            match connect {
                Ok(()) => return Ok(()),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(no_address))
    }

    /// The address of the socket.
    ///
    /// # Errors
    ///
    /// If the socket is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.ask(|net, _, id| net.local_addr(id))
    }

    /// The address that it is connected to.
    ///
    /// # Errors
    ///
    /// `NotConnected`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.endpoint.ask(|net, _, id| net.peer_addr(id))
    }

    // --- sending

    /// Sends to the peer; gives how many bytes were sent. Cancel safe: nothing was sent then.
    ///
    /// # Errors
    ///
    /// `EDESTADDRREQ` without a peer, `EMSGSIZE`, `ConnectionRefused` if nobody was there before.
    #[track_caller]
    pub fn send(&self, buf: &[u8]) -> impl Future<Output = io::Result<usize>> {
        self.endpoint.wait_io(Interest::WRITABLE, Location::caller(), || self.put(buf))
    }

    /// Polls to send to the peer.
    ///
    /// # Errors
    ///
    /// As [`send`](UdpSocket::send).
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.endpoint.poll_io(cx, Half::Write, self.endpoint.site(), || self.put(buf))
    }

    /// Sends to the peer if there is room.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, and as [`send`](UdpSocket::send).
    #[track_caller]
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.endpoint.try_io(Interest::WRITABLE, Location::caller(), || self.put(buf))
    }

    /// Sends to the first of these addresses. Cancel safe: nothing was sent then.
    ///
    /// # Errors
    ///
    /// `EMSGSIZE`, `PermissionDenied` for a broadcast that is not allowed, `NetworkUnreachable`, …
    #[track_caller]
    pub fn send_to<A: ToSocketAddrs>(
        &self,
        buf: &[u8],
        target: A,
    ) -> impl Future<Output = io::Result<usize>> {
        self.send_to_first(buf, target, Location::caller())
    }

    async fn send_to_first<A: ToSocketAddrs>(
        &self,
        buf: &[u8],
        target: A,
        site: Site,
    ) -> io::Result<usize> {
        let Some(target) = resolve(target).await?.next() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no addresses to send data to",
            ));
        };
        self.endpoint.wait_io(Interest::WRITABLE, site, || self.put_to(buf, target)).await
    }

    /// Polls to send to an address.
    ///
    /// # Errors
    ///
    /// As [`send_to`](UdpSocket::send_to).
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        let send = || self.put_to(buf, target);
        self.endpoint.poll_io(cx, Half::Write, self.endpoint.site(), send)
    }

    /// Sends to an address if there is room.
    ///
    /// # Errors
    ///
    /// `WouldBlock`, and as [`send_to`](UdpSocket::send_to).
    #[track_caller]
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        let send = || self.put_to(buf, target);
        self.endpoint.try_io(Interest::WRITABLE, Location::caller(), send)
    }

    fn put(&self, buf: &[u8]) -> io::Result<usize> {
        self.endpoint.ask(|net, cx, id| net.send(cx, id, buf))
    }

    fn put_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.endpoint.ask(|net, cx, id| net.send_to(cx, id, buf, target))
    }

    // --- receiving

    fn take(&self, room: &mut [u8]) -> io::Result<usize> {
        self.endpoint.ask(|net, cx, id| net.recv(cx, id, room))
    }

    fn take_from(&self, room: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.endpoint.ask(|net, _, id| net.recv_from(id, room))
    }

    fn look(&self, room: &mut [u8]) -> io::Result<usize> {
        self.endpoint.ask(|net, cx, id| net.peek(cx, id, room))
    }

    fn look_from(&self, room: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.endpoint.ask(|net, _, id| net.peek_from(id, room))
    }
}

/// Receiving in its ways: taken or left there, with or without the sender.
macro_rules! receiving {
    ($($(#[$doc:meta])* $take:ident, $name:ident, $poll:ident, $try:ident -> $given:ty, $polled:ty, |$len:ident| $split:expr;)*) => {
        impl UdpSocket {
            $(
                $(#[$doc])*
                ///
                /// Cancel safe: the datagram is still there then.
                ///
                /// # Errors
                ///
                /// `ConnectionRefused` if nobody was where something was sent before.
                #[track_caller]
                pub fn $name(&self, buf: &mut [u8]) -> impl Future<Output = io::Result<$given>> {
                    self.endpoint.wait_io(INCOMING, Location::caller(), || self.$take(buf))
                }

                $(#[$doc])*
                ///
                /// Of several tasks the one that polled last is woken.
                ///
                /// # Errors
                ///
                /// `ConnectionRefused` if nobody was where something was sent before.
                pub fn $poll(
                    &self,
                    cx: &mut Context<'_>,
                    buf: &mut ReadBuf<'_>,
                ) -> Poll<io::Result<$polled>> {
                    let receive = || {
                        let $len = self.$take(buf.initialize_unfilled())?;
                        let (len, rest) = $split;
                        buf.advance(len);
                        Ok(rest)
                    };
                    self.endpoint.poll_io(cx, Half::Read, self.endpoint.site(), receive)
                }

                $(#[$doc])*
                ///
                /// # Errors
                ///
                /// `WouldBlock` if there is none, `ConnectionRefused` if nobody was where something was sent before.
                #[track_caller]
                pub fn $try(&self, buf: &mut [u8]) -> io::Result<$given> {
                    self.endpoint.try_io(Interest::READABLE, Location::caller(), || self.$take(buf))
                }
            )*
        }
    };
}

receiving! {
    /// Receives a datagram; gives how many of its bytes fit into `buf`, the others are lost.
    take, recv, poll_recv, try_recv -> usize, (), |len| (len, ());
    /// Receives a datagram, and whom it is from; of its bytes those that do not fit are lost.
    take_from, recv_from, poll_recv_from, try_recv_from -> (usize, SocketAddr), SocketAddr, |both| both;
    /// Looks at the next datagram, and leaves it there.
    look, peek, poll_peek, try_peek -> usize, (), |len| (len, ());
    /// Looks at the next datagram and whom it is from, and leaves it there.
    look_from, peek_from, poll_peek_from, try_peek_from -> (usize, SocketAddr), SocketAddr, |both| both;
}

impl UdpSocket {
    /// Receives a datagram into the next chunk of `buf`. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`recv`](UdpSocket::recv).
    #[track_caller]
    pub fn recv_buf<B: BufMut>(&self, buf: &mut B) -> impl Future<Output = io::Result<usize>> {
        self.endpoint.wait_io(INCOMING, Location::caller(), || self.take_buf(buf))
    }

    /// As [`try_recv`](UdpSocket::try_recv), into the next chunk of `buf`.
    ///
    /// # Errors
    ///
    /// As [`try_recv`](UdpSocket::try_recv).
    #[track_caller]
    pub fn try_recv_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.endpoint.try_io(Interest::READABLE, Location::caller(), || self.take_buf(buf))
    }

    /// Receives a datagram into the next chunk of `buf`, and whom it is from. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](UdpSocket::recv_from).
    #[track_caller]
    pub fn recv_buf_from<B: BufMut>(
        &self,
        buf: &mut B,
    ) -> impl Future<Output = io::Result<(usize, SocketAddr)>> {
        let receive = || into_chunk(buf, |room| self.take_from(room));
        self.endpoint.wait_io(INCOMING, Location::caller(), receive)
    }

    /// As [`try_recv_from`](UdpSocket::try_recv_from), into the next chunk of `buf`.
    ///
    /// # Errors
    ///
    /// As [`try_recv_from`](UdpSocket::try_recv_from).
    #[track_caller]
    pub fn try_recv_buf_from<B: BufMut>(&self, buf: &mut B) -> io::Result<(usize, SocketAddr)> {
        let receive = || into_chunk(buf, |room| self.take_from(room));
        self.endpoint.try_io(Interest::READABLE, Location::caller(), receive)
    }

    fn take_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        into_chunk(buf, |room| Ok((self.take(room)?, ()))).map(|(len, ())| len)
    }

    /// Waits for a datagram, and says whom it is from; the datagram stays. Cancel safe.
    ///
    /// # Errors
    ///
    /// As [`recv`](UdpSocket::recv).
    #[track_caller]
    pub fn peek_sender(&self) -> impl Future<Output = io::Result<SocketAddr>> {
        self.endpoint.wait_io(INCOMING, Location::caller(), || self.sender())
    }

    /// Polls for whom the next datagram is from.
    ///
    /// # Errors
    ///
    /// As [`recv`](UdpSocket::recv).
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.endpoint.poll_io(cx, Half::Read, self.endpoint.site(), || self.sender())
    }

    /// Whom the next datagram is from, if there is one.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none.
    #[track_caller]
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.endpoint.try_io(Interest::READABLE, Location::caller(), || self.sender())
    }

    fn sender(&self) -> io::Result<SocketAddr> {
        self.look_from(&mut []).map(|(_, from)| from)
    }

    // --- groups

    /// Receives what is sent to the group, through the interface with that address; unspecified is any.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if it is no group, `AddrInUse` if it was joined before.
    pub fn join_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.endpoint.ask(|net, _, id| net.join_multicast_v4(id, multiaddr, interface))
    }

    /// As [`join_multicast_v4`](UdpSocket::join_multicast_v4), through the interface with that number: 1 is loopback,
    /// 2 leads to the others, 0 is any.
    ///
    /// # Errors
    ///
    /// As [`join_multicast_v4`](UdpSocket::join_multicast_v4).
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.endpoint.ask(|net, _, id| net.join_multicast_v6(id, *multiaddr, interface))
    }

    /// Ends what [`join_multicast_v4`](UdpSocket::join_multicast_v4) began.
    ///
    /// # Errors
    ///
    /// `AddrNotAvailable` if it was not joined.
    pub fn leave_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.endpoint.ask(|net, _, id| net.leave_multicast_v4(id, multiaddr, interface))
    }

    /// Ends what [`join_multicast_v6`](UdpSocket::join_multicast_v6) began.
    ///
    /// # Errors
    ///
    /// `AddrNotAvailable` if it was not joined.
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.endpoint.ask(|net, _, id| net.leave_multicast_v6(id, *multiaddr, interface))
    }
}

readiness!(UdpSocket, poll_recv_ready, poll_send_ready);

flags! { UdpSocket:
    /// Whether it may send to broadcast addresses: `SO_BROADCAST`.
    broadcast, set_broadcast, Broadcast;
    /// Whether what is sent to a group comes back to those of this machine: `IP_MULTICAST_LOOP`.
    multicast_loop_v4, set_multicast_loop_v4, MulticastLoopV4;
    /// Whether what is sent to a group comes back to those of this machine: `IPV6_MULTICAST_LOOP`.
    multicast_loop_v6, set_multicast_loop_v6, MulticastLoopV6;
}

numbers! { UdpSocket:
    /// Over how many hops a packet may go, 1 to 255: `IP_TTL`.
    ttl, set_ttl, Ttl;
    /// Over how many hops what is sent to a group may go, 0 to 255: `IP_MULTICAST_TTL`.
    multicast_ttl_v4, set_multicast_ttl_v4, MulticastTtl;
    /// The service that packets of IPv4 ask for: `IP_TOS`.
    tos_v4, set_tos_v4, Tos;
    /// The service that packets of IPv6 ask for: `IPV6_TCLASS`.
    tclass_v6, set_tclass_v6, TrafficClass;
}

crate::net::foreign::foreign!(UdpSocket, std::net::UdpSocket);

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("UdpSocket");
        if let Ok(addr) = self.local_addr() {
            shown.field("addr", &addr);
        }
        shown.finish_non_exhaustive()
    }
}
