//! Unix sockets: unix(7). They are within a host, and what is sent arrives before the verb returns.
//!
//! Behaviour that the man page leaves open was read off Linux 6.18 with small programs: which error, what a chunk takes of
//! a buffer, when a socket is ready.
//!
//! | file | idea |
//! |---|---|
//! | `names.rs` | who has which path or abstract name |
//! | `inbox.rs` | what was sent and not yet read, and what it takes of the sender's buffer |
//! | `stream.rs` | streams and those who listen |
//! | `datagram.rs` | datagrams |

mod datagram;
mod inbox;
mod names;
mod stream;

use crate::{
    Errno, HostId, How, Kind, Network, Ready, Result, SocketId,
    options::Options,
    socket::{Domain, Proto, Socket},
};
use alloc::{collections::VecDeque, vec::Vec};
use inbox::Inbox;
pub(crate) use names::Names;

/// The address of a Unix socket.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum UnixAddress {
    /// It has none.
    #[default]
    Unnamed,
    /// A path, absolute and resolved by who asks, as the bytes that it is.
    Path(Vec<u8>),
    /// A name in the abstract namespace of the host, without the zero byte that comes before it.
    Abstract(Vec<u8>),
}

/// Who is at the other end of a Unix socket: socket(7), `SO_PEERCRED`. Each host is one process, as in a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The process; 0 if there is no peer.
    pub pid: i32,
    /// Its user; -1 as an unsigned number if there is no peer.
    pub uid: u32,
    /// Its group; -1 as an unsigned number if there is no peer.
    pub gid: u32,
}

/// A Unix socket.
pub(crate) struct Unix {
    kind: Kind,
    address: UnixAddress,
    state: State,
    inbox: Inbox,
    /// What it has sent and nobody has read yet, as it counts against its send buffer.
    unread_bytes: u32,
    read_shut: bool,
    write_shut: bool,
    error: Option<Errno>,
    /// Whoever found its inbox full.
    waiting: Vec<SocketId>,
}

enum State {
    Idle,
    Listening {
        backlog: u32,
        /// The server's ends of connections that were not accepted yet.
        made: VecDeque<SocketId>,
    },
    /// With what the peer is called, once it is gone.
    Connected {
        peer: SocketId,
        last_address: UnixAddress,
        paired: bool,
    },
}

/// Linux's `net.core.wmem_default`.
const SEND_BUFFER: u32 = 212_992;

impl Unix {
    pub(crate) fn new(kind: Kind) -> Unix {
        Unix {
            kind,
            address: UnixAddress::Unnamed,
            state: State::Idle,
            inbox: Inbox::default(),
            unread_bytes: 0,
            read_shut: false,
            write_shut: false,
            error: None,
            waiting: Vec::new(),
        }
    }

    pub(crate) fn take_error(&mut self) -> Option<Errno> {
        self.error.take()
    }

    /// Its kind, its state as in ss(8), and how many bytes wait to be read.
    pub(crate) fn line(&self) -> (&'static str, &'static str, usize) {
        let kind = match self.kind {
            Kind::Stream => "unix stream",
            Kind::Datagram => "unix datagram",
        };
        let state = match self.state {
            State::Idle => "UNCONN",
            State::Listening { .. } => "LISTEN",
            State::Connected { .. } => "ESTAB",
        };
        (kind, state, self.inbox.bytes())
    }

    fn peer(&self) -> Option<SocketId> {
        match self.state {
            State::Connected { peer, .. } => Some(peer),
            _ => None,
        }
    }

    fn connect_to(&mut self, peer: SocketId, paired: bool) {
        self.state = State::Connected { peer, last_address: UnixAddress::Unnamed, paired };
    }
}

fn send_buffer(options: &Options) -> u32 {
    if options.send_buffer == 0 { SEND_BUFFER } else { options.send_buffer }
}

/// Only where it has fallen below a quarter there is said to be room: `unix_writable`, which counts one byte that is
/// always there.
fn has_room(unix: &Unix, limit: u32) -> bool {
    unix.unread_bytes < limit / 4
}

impl Network {
    fn unix(&self, id: SocketId) -> Result<&Unix> {
        match &self.get(id)?.proto {
            Proto::Unix(unix) => Ok(unix),
            _ => Err(Errno::EINVAL),
        }
    }

    fn unix_mut(&mut self, id: SocketId) -> Result<&mut Unix> {
        match &mut self.get_mut(id)?.proto {
            Proto::Unix(unix) => Ok(unix),
            _ => Err(Errno::EINVAL),
        }
    }

    fn unix_insert(&mut self, host: HostId, kind: Kind) -> SocketId {
        let proto = Proto::Unix(Unix::new(kind));
        self.insert(Socket { host, domain: Domain::Unix, options: Options::default(), proto })
    }

    /// Two sockets that are connected to each other: socketpair(2).
    ///
    /// # Errors
    ///
    /// `EMFILE` if the host has no more, `ENETDOWN` if it is down.
    pub fn pair(&mut self, host: HostId, kind: Kind) -> Result<(SocketId, SocketId)> {
        self.open(host)?;
        if let Err(error) = self.open(host) {
            self.hosts[host.0 as usize].open -= 1;
            return Err(error);
        }
        let (a, b) = (self.unix_insert(host, kind), self.unix_insert(host, kind));
        self.unix_mut(a)?.connect_to(b, true);
        self.unix_mut(b)?.connect_to(a, true);
        Ok((a, b))
    }

    /// Its address, and that of its peer if it is connected: getsockname(2), getpeername(2).
    ///
    /// # Errors
    ///
    /// `EBADF`, `EINVAL` if it is no Unix socket.
    pub fn unix_addresses(&self, id: SocketId) -> Result<(UnixAddress, Option<UnixAddress>)> {
        let unix = self.unix(id)?;
        let peer = match &unix.state {
            State::Connected { peer, last_address, .. } => {
                Some(self.unix(*peer).map_or(last_address, |peer| &peer.address).clone())
            }
            _ => None,
        };
        Ok((unix.address.clone(), peer))
    }

    /// Who is at the other end: user and group 0, process 1. Nobody, if it is not connected, or by datagrams and not as
    /// one of a [pair](Network::pair).
    ///
    /// # Errors
    ///
    /// `EBADF`, `EINVAL` if it is no Unix socket.
    pub fn peer_credentials(&self, id: SocketId) -> Result<Credentials> {
        let unix = self.unix(id)?;
        Ok(match unix.state {
            State::Connected { paired, .. } if paired || unix.kind == Kind::Stream => {
                Credentials { pid: 1, uid: 0, gid: 0 }
            }
            _ => Credentials { pid: 0, uid: u32::MAX, gid: u32::MAX },
        })
    }

    /// As `unix_poll` and `unix_dgram_poll` have it.
    pub(crate) fn unix_ready(&self, id: SocketId) -> Ready {
        let (Ok(socket), Ok(unix)) = (self.get(id), self.unix(id)) else { return Ready::NONE };
        let mut ready = Ready::NONE;
        let mut put = |on: bool, what| {
            if on {
                ready |= what;
            }
        };
        let made = matches!(&unix.state, State::Listening { made, .. } if !made.is_empty());
        let listens = matches!(unix.state, State::Listening { .. });
        let idle = matches!(unix.state, State::Idle);
        put(unix.error.is_some(), Ready::ERROR);
        put(made || !unix.inbox.is_empty() || unix.read_shut, Ready::READABLE);
        put(unix.read_shut, Ready::READ_CLOSED);
        put(unix.read_shut && unix.write_shut, Ready::WRITE_CLOSED);
        put(idle && unix.kind == Kind::Stream, Ready::WRITE_CLOSED);
        let room = !listens && has_room(unix, send_buffer(&socket.options));
        let full = unix.kind == Kind::Datagram
            && unix.peer().is_some_and(|peer| self.unix_queue_is_full(id, peer));
        put(room && !full, Ready::WRITABLE);
        ready
    }

    pub(crate) fn unix_send(&mut self, id: SocketId, bytes: &[u8]) -> Result<usize> {
        match self.unix(id)?.kind {
            Kind::Stream => self.unix_stream_send(id, bytes),
            Kind::Datagram => {
                self.unix_may_send(id, bytes.len())?;
                let peer = self.unix(id)?.peer().ok_or(Errno::ENOTCONN)?;
                self.unix_datagram_send(id, bytes, peer)
            }
        }
    }

    pub(crate) fn unix_recv(
        &mut self,
        id: SocketId,
        into: &mut [u8],
        peek: bool,
    ) -> Result<(usize, UnixAddress)> {
        match self.unix(id)?.kind {
            Kind::Stream => Ok((self.unix_stream_recv(id, into, peek)?, UnixAddress::Unnamed)),
            Kind::Datagram => self.unix_datagram_recv(id, into, peek),
        }
    }

    /// Takes bytes or one datagram, and whom it is from: recvfrom(2). Bytes of a stream come without an address.
    ///
    /// # Errors
    ///
    /// `EAGAIN`, `ECONNRESET`, `EINVAL` if it is a stream that is not connected, `EBADF`.
    pub fn recv_from_unix(
        &mut self,
        id: SocketId,
        into: &mut [u8],
    ) -> Result<(usize, UnixAddress)> {
        self.unix_recv(id, into, false)
    }

    /// As [`recv_from_unix`](Network::recv_from_unix), and leaves it there.
    ///
    /// # Errors
    ///
    /// As [`recv_from_unix`](Network::recv_from_unix).
    pub fn peek_from_unix(
        &mut self,
        id: SocketId,
        into: &mut [u8],
    ) -> Result<(usize, UnixAddress)> {
        self.unix_recv(id, into, true)
    }

    /// What one half of a stream does not send the other does not receive: `unix_shutdown`.
    pub(crate) fn unix_shutdown(&mut self, id: SocketId, how: How) -> Result<()> {
        let (read, write) = (how != How::Write, how != How::Read);
        let unix = self.unix_mut(id)?;
        unix.read_shut |= read;
        unix.write_shut |= write;
        let (kind, peer) = (unix.kind, unix.peer());
        self.wake(id);
        let Some(peer) = peer.filter(|_| kind == Kind::Stream) else { return Ok(()) };
        if let Ok(other) = self.unix_mut(peer) {
            other.read_shut |= write;
            other.write_shut |= read;
            self.wake(peer);
        }
        Ok(())
    }

    pub(crate) fn unix_close(&mut self, id: SocketId) -> Result<()> {
        let host = self.get(id)?.host;
        self.hosts[host.0 as usize].open -= 1;
        self.unix_release(id);
        Ok(())
    }

    /// The socket is gone, and its peer is told: `unix_release_sock`.
    fn unix_release(&mut self, id: SocketId) {
        let Ok(socket) = self.remove(id) else { return };
        let Proto::Unix(mut unix) = socket.proto else { return };
        self.unix.remove(socket.host, &unix.address, id);
        let unread = !unix.inbox.is_empty();
        for (sender, cost) in unix.inbox.drain() {
            self.unix_read(sender, cost);
        }
        match unix.state {
            State::Connected { peer, .. } => {
                self.unix_peer_gone(peer, id, unix.kind, &unix.address, unread);
            }
            State::Listening { made, .. } => {
                for end in made {
                    // As if it had something unread: who has connected finds out.
                    let peer = self.unix(end).ok().and_then(Unix::peer);
                    self.unix_release(end);
                    if let Some(Ok(peer)) = peer.map(|peer| self.unix_mut(peer)) {
                        peer.error = Some(Errno::ECONNRESET);
                    }
                }
            }
            State::Idle => {}
        }
        unix.waiting.into_iter().for_each(|id| self.wake(id));
    }

    fn unix_peer_gone(
        &mut self,
        peer: SocketId,
        gone: SocketId,
        kind: Kind,
        address: &UnixAddress,
        unread: bool,
    ) {
        let Ok(other) = self.unix_mut(peer) else { return };
        let State::Connected { peer: its, last_address, .. } = &mut other.state else { return };
        if *its != gone {
            return;
        }
        last_address.clone_from(address);
        if kind == Kind::Stream {
            (other.read_shut, other.write_shut) = (true, true);
            if unread {
                other.error = Some(Errno::ECONNRESET);
            }
        }
        self.wake(peer);
    }

    /// Something that the socket has sent was read: when most was, there is room again.
    fn unix_read(&mut self, sender: SocketId, cost: u32) {
        let Ok(socket) = self.get_mut(sender) else { return };
        let limit = send_buffer(&socket.options);
        let Proto::Unix(unix) = &mut socket.proto else { return };
        unix.unread_bytes -= cost;
        if has_room(unix, limit) {
            self.wake(sender);
        }
    }

    /// Its host has crashed, and with it all its peers; the path stays on the disk.
    pub(crate) fn unix_vanishes(&mut self, host: HostId, id: SocketId, unix: &Unix) {
        self.unix.remove(host, &unix.address, id);
    }
}
