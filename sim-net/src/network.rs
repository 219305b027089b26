//! The whole network as one value, and its verbs.
//!
//! The parent holds the state and says who is asked; what TCP, UDP and Unix sockets do is in rooms of their own.

use crate::{
    Domain, Errno, Flag, How, Kind, Linger, Ready, Result, SocketId,
    dns::Dns,
    faults::Faults,
    host::{Host, HostId},
    options::Options,
    packet::Protocol,
    socket::{Proto, Slot, Socket},
    tcp, udp, unix,
    wire::{Ticket, Wire},
};
use alloc::{collections::BTreeMap, string::String, vec::Vec};
use core::{
    iter,
    net::{IpAddr, SocketAddr},
};
use sim_choice::{Choices, Path};
use sim_time::Timers;

/// When something takes place, who does it, and what answers its questions.
pub struct Cx<'a> {
    /// Nanoseconds since the start of the run; never less than before.
    pub now_ns: u64,
    /// The task that asks.
    pub who: Path,
    /// What decides.
    pub choices: &'a mut Choices,
}

/// All hosts, their sockets, and what is on its way between them. See the [crate].
#[derive(Default)]
pub struct Network {
    pub(crate) hosts: Vec<Host>,
    pub(crate) names: BTreeMap<String, HostId>,
    pub(crate) by_address: BTreeMap<IpAddr, HostId>,
    pub(crate) sockets: Vec<Slot>,
    pub(crate) free: Vec<u32>,
    pub(crate) woken: Vec<SocketId>,
    pub(crate) events: Timers<Event>,
    pub(crate) wire: Wire,
    pub(crate) dns: Dns,
    pub(crate) tcp: tcp::Connections,
    pub(crate) udp: udp::Bound,
    pub(crate) unix: unix::Names,
    pub(crate) faults: Faults,
    /// Sockets whose programs do not look at their errors.
    pub(crate) blind: Vec<SocketId>,
}

/// What is due at some time.
pub(crate) enum Event {
    /// A packet comes to the end of its way.
    Arrives(Ticket),
    /// A timer of a TCP connection.
    Tcp(tcp::ConnectionId),
}

impl Network {
    /// A network without hosts, on which nothing is lost and all links are [`Link::default`](crate::Link::default).
    #[must_use]
    pub fn new() -> Network {
        Network::default()
    }

    // --- time

    /// When the next event is due, in nanoseconds since the start of the run.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "it answers when, and leaves the event where it is"
    )]
    pub fn next(&mut self) -> Option<u64> {
        self.events.next()
    }

    /// Whether all that will take place by itself is that idle connections of TCP ask whether their peers are still there
    /// (keep-alive, closed windows), and are answered as they were before. Then who waits for a socket waits for ever,
    /// though [`next`](Network::next) is never none.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.events.len() == self.tcp.quiet
    }

    /// Lets everything take place that is due at `cx.now_ns`.
    pub fn advance(&mut self, cx: &mut Cx<'_>) {
        self.tcp.seen_ns = cx.now_ns;
        while let Some(event) = self.events.pop_due(cx.now_ns) {
            match event {
                Event::Arrives(ticket) => self.arrive(cx, ticket),
                Event::Tcp(connection) => self.tcp_alarm(cx, connection),
            }
        }
    }

    fn arrive(&mut self, cx: &mut Cx<'_>, ticket: Ticket) {
        let Some(packet) = self.let_through(cx, ticket) else { return };
        match packet.protocol() {
            Protocol::Tcp => self.tcp_arrives(cx, packet),
            Protocol::Udp => self.udp_arrives(cx, packet),
            Protocol::Icmp => self.udp_unreachable(packet),
        }
    }

    /// The next of the sockets whose readiness may have changed, in the order in which it did. One may come twice,
    /// and may be closed.
    pub fn take_woken(&mut self, into: &mut Vec<SocketId>) {
        into.append(&mut self.woken);
    }

    // --- verbs of all sockets

    /// Makes a socket: socket(2).
    ///
    /// # Errors
    ///
    /// `EMFILE` if the host has no more, `ENETDOWN` if it is down.
    pub fn socket(&mut self, host: HostId, domain: Domain, kind: Kind) -> Result<SocketId> {
        let proto = match (domain, kind) {
            (Domain::Unix, kind) => Proto::Unix(unix::Unix::new(kind)),
            (_, Kind::Stream) => Proto::Tcp(tcp::Tcp::new()),
            (_, Kind::Datagram) => Proto::Udp(udp::Udp::new(domain)),
        };
        self.open(host)?;
        Ok(self.insert(Socket { host, domain, options: Options::default(), proto }))
    }

    /// Counts one more open socket of the host.
    pub(crate) fn open(&mut self, host: HostId) -> Result<()> {
        let host = &mut self.hosts[host.0 as usize];
        if !host.up {
            return Err(Errno::ENETDOWN);
        }
        if host.open >= host.open_limit {
            return Err(Errno::EMFILE);
        }
        host.open += 1;
        Ok(())
    }

    /// What the socket is ready for: poll(2). Of a closed one nothing.
    #[must_use]
    pub fn ready(&self, id: SocketId) -> Ready {
        match self.get(id).map(|socket| &socket.proto) {
            Ok(Proto::Tcp(tcp)) => self.tcp_ready(tcp),
            Ok(Proto::Udp(udp)) => udp.ready(),
            Ok(Proto::Unix(_)) => self.unix_ready(id),
            Err(_) => Ready::NONE,
        }
    }

    /// Gives the socket an address of its host's; port 0 is any that is free: bind(2).
    ///
    /// # Errors
    ///
    /// `EADDRINUSE`, `EADDRNOTAVAIL`, `EINVAL` if it has one, `EAFNOSUPPORT`, `EBADF`.
    pub fn bind(&mut self, cx: &mut Cx<'_>, id: SocketId, address: SocketAddr) -> Result<()> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_bind(cx, id, address),
            Proto::Udp(_) => self.udp_bind(cx, id, address),
            Proto::Unix(_) => Err(Errno::EINVAL),
        }
    }

    /// Waits for connections, of which `backlog` may be made before they are accepted: listen(2).
    ///
    /// # Errors
    ///
    /// `EOPNOTSUPP` for datagrams, `EADDRINUSE`, `EINVAL`, `EBADF`.
    pub fn listen(&mut self, cx: &mut Cx<'_>, id: SocketId, backlog: u32) -> Result<()> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_listen(cx, id, backlog),
            Proto::Unix(_) => self.unix_listen(id, backlog),
            Proto::Udp(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Takes a connection that was made, as a new socket: accept(2).
    ///
    /// # Errors
    ///
    /// `EAGAIN` if there is none, `EMFILE`, `EINVAL` if the socket does not listen, `EBADF`.
    pub fn accept(&mut self, cx: &mut Cx<'_>, id: SocketId) -> Result<SocketId> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_accept(cx, id),
            Proto::Unix(_) => self.unix_accept(id),
            Proto::Udp(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Connects: connect(2). TCP answers `EINPROGRESS`, and is ready to write when it is connected, or has failed with
    /// what [`take_error`](Network::take_error) gives. UDP from now on sends there, and receives from there only.
    ///
    /// # Errors
    ///
    /// `EINPROGRESS`, `EALREADY`, `EISCONN`, `ENETUNREACH`, `EADDRNOTAVAIL` if no port is free, `EAFNOSUPPORT`, `EBADF`.
    pub fn connect(&mut self, cx: &mut Cx<'_>, id: SocketId, to: SocketAddr) -> Result<()> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_connect(cx, id, to),
            Proto::Udp(_) => self.udp_connect(cx, id, to),
            Proto::Unix(_) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// Sends bytes, or one datagram, to the peer; gives how many bytes were taken: send(2).
    ///
    /// # Errors
    ///
    /// `EAGAIN`, `EPIPE`, `ECONNRESET`, `ETIMEDOUT`, `ENOTCONN`, `EDESTADDRREQ`, `EMSGSIZE`, `ECONNREFUSED`, `EBADF`.
    pub fn send(&mut self, cx: &mut Cx<'_>, id: SocketId, bytes: &[u8]) -> Result<usize> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_send(cx, id, iter::once(bytes)),
            Proto::Udp(_) => self.udp_send(cx, id, bytes),
            Proto::Unix(_) => self.unix_send(id, bytes),
        }
    }

    /// As [`send`](Network::send), of several pieces at once: writev(2). To TCP they are one, so that a head and a body
    /// share a segment. Only for streams: each piece would be a datagram of its own.
    ///
    /// # Errors
    ///
    /// As [`send`](Network::send).
    pub fn send_pieces<'a>(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        pieces: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<usize> {
        if let Proto::Tcp(_) = self.get(id)?.proto {
            return self.tcp_send(cx, id, pieces);
        }
        let mut all = 0;
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            match self.send(cx, id, piece) {
                Ok(count) => all += count,
                Err(_) if all > 0 => break,
                Err(errno) => return Err(errno),
            }
        }
        Ok(all)
    }

    /// Takes received bytes, or one datagram, of which what does not fit is lost; 0 bytes of a stream is its end: recv(2).
    ///
    /// # Errors
    ///
    /// `EAGAIN`, `ECONNRESET`, `ETIMEDOUT`, `ENOTCONN`, `ECONNREFUSED`, `EBADF`.
    pub fn recv(&mut self, cx: &mut Cx<'_>, id: SocketId, into: &mut [u8]) -> Result<usize> {
        self.receive(cx, id, into, false)
    }

    /// As [`recv`](Network::recv), and leaves it there: recv(2), `MSG_PEEK`.
    ///
    /// # Errors
    ///
    /// As [`recv`](Network::recv).
    pub fn peek(&mut self, cx: &mut Cx<'_>, id: SocketId, into: &mut [u8]) -> Result<usize> {
        self.receive(cx, id, into, true)
    }

    fn receive(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<usize> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_recv(cx, id, into, peek),
            Proto::Udp(_) => self.udp_recv(id, into, peek).map(|(len, _)| len),
            Proto::Unix(_) => self.unix_recv(id, into, peek).map(|(len, _)| len),
        }
    }

    /// Sends one datagram to that address: sendto(2).
    ///
    /// # Errors
    ///
    /// `EMSGSIZE`, `EACCES` for a broadcast that is not allowed, `ENETUNREACH`, `ECONNREFUSED`, `EAFNOSUPPORT`, `EBADF`.
    pub fn send_to(
        &mut self,
        cx: &mut Cx<'_>,
        id: SocketId,
        bytes: &[u8],
        to: SocketAddr,
    ) -> Result<usize> {
        match self.get(id)?.proto {
            Proto::Udp(_) => self.udp_send_to(cx, id, bytes, to),
            Proto::Tcp(_) => Err(Errno::EISCONN),
            Proto::Unix(_) => Err(Errno::EINVAL),
        }
    }

    /// Takes one datagram, and whom it is from; what does not fit is lost: recvfrom(2).
    ///
    /// # Errors
    ///
    /// `EAGAIN`, `ECONNREFUSED`, `EBADF`.
    pub fn recv_from(&mut self, id: SocketId, into: &mut [u8]) -> Result<(usize, SocketAddr)> {
        self.udp_recv(id, into, false)
    }

    /// As [`recv_from`](Network::recv_from), and leaves it there.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Network::recv_from).
    pub fn peek_from(&mut self, id: SocketId, into: &mut [u8]) -> Result<(usize, SocketAddr)> {
        self.udp_recv(id, into, true)
    }

    /// Ends one half of a connection, or both: shutdown(2).
    ///
    /// # Errors
    ///
    /// `ENOTCONN`, `EBADF`.
    pub fn shutdown(&mut self, cx: &mut Cx<'_>, id: SocketId, how: How) -> Result<()> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_shutdown(cx, id, how),
            Proto::Udp(_) => self.udp_shutdown(id, how),
            Proto::Unix(_) => self.unix_shutdown(id, how),
        }
    }

    /// Gives the socket back; what was sent still goes its way: close(2).
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn close(&mut self, cx: &mut Cx<'_>, id: SocketId) -> Result<()> {
        match self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_close(cx, id),
            Proto::Udp(_) => self.udp_close(id),
            Proto::Unix(_) => self.unix_close(id),
        }
    }

    /// Its own address; unspecified with port 0 if it has none: getsockname(2).
    ///
    /// # Errors
    ///
    /// `EBADF`, `EAFNOSUPPORT` for Unix sockets.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddr> {
        match &self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_local_addr(id),
            Proto::Udp(udp) => Ok(udp.local_addr()),
            Proto::Unix(_) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// The address of its peer: getpeername(2).
    ///
    /// # Errors
    ///
    /// `ENOTCONN`, `EBADF`, `EAFNOSUPPORT` for Unix sockets.
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddr> {
        match &self.get(id)?.proto {
            Proto::Tcp(_) => self.tcp_peer_addr(id),
            Proto::Udp(udp) => udp.peer_addr(),
            Proto::Unix(_) => Err(Errno::EAFNOSUPPORT),
        }
    }

    /// Takes the error that waits for somebody to ask: socket(7), `SO_ERROR`.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn take_error(&mut self, id: SocketId) -> Result<Option<Errno>> {
        Ok(match &mut self.get_mut(id)?.proto {
            Proto::Tcp(_) => return self.tcp_take_error(id),
            Proto::Udp(udp) => udp.take_error(),
            Proto::Unix(unix) => unix.take_error(),
        })
    }

    // --- options

    /// Sets an option that is on or off: setsockopt(2).
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn set_flag(&mut self, id: SocketId, flag: Flag, on: bool) -> Result<()> {
        self.get_mut(id)?.options.set(flag, on);
        self.tcp_options_changed(id);
        Ok(())
    }

    /// Whether an option is on: getsockopt(2).
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn flag(&self, id: SocketId, flag: Flag) -> Result<bool> {
        Ok(self.get(id)?.options.is(flag))
    }

    /// Sets how long close waits.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn set_linger(&mut self, id: SocketId, linger: Linger) -> Result<()> {
        self.get_mut(id)?.options.linger = linger;
        self.tcp_options_changed(id);
        Ok(())
    }

    /// How long close waits.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn linger(&self, id: SocketId) -> Result<Linger> {
        Ok(self.get(id)?.options.linger)
    }

    // --- hosts

    /// The host is gone from one instant to the next: its sockets vanish, nobody is told.
    pub fn crash(&mut self, host: HostId) {
        self.hosts[host.0 as usize].up = false;
        for id in self.sockets_of(host) {
            self.vanish(id);
        }
        self.tcp_crash(host);
        self.tcp_unsettle();
        let host = &mut self.hosts[host.0 as usize];
        host.open = 0;
        host.ports.clear();
    }

    /// The process of the host has ended: its sockets are closed, as the kernel does, and peers are told.
    pub fn close_all(&mut self, cx: &mut Cx<'_>, host: HostId) {
        for id in self.sockets_of(host) {
            // Closing one may end another.
            let _ = self.close(cx, id);
        }
    }

    fn sockets_of(&self, host: HostId) -> Vec<SocketId> {
        let slots = (0u32..).zip(&self.sockets);
        let ours = slots.filter(|(_, slot)| slot.socket.as_ref().is_some_and(|it| it.host == host));
        ours.map(|(index, slot)| SocketId { index, generation: slot.generation }).collect()
    }

    fn vanish(&mut self, id: SocketId) {
        let Ok(socket) = self.remove(id) else { return };
        match socket.proto {
            Proto::Tcp(tcp) => self.tcp_vanishes(id, socket.host, tcp),
            Proto::Udp(udp) => self.udp_vanishes(socket.host, id, &udp),
            Proto::Unix(unix) => self.unix_vanishes(socket.host, id, &unix),
        }
    }

    /// The host is back, and knows nothing of what was.
    pub fn restart(&mut self, host: HostId) {
        self.tcp_unsettle();
        self.hosts[host.0 as usize].up = true;
    }
}
