//! What there is of TCP, for a person in trouble: as ss(8) shows it.

use super::{Role, connection::Owner, timing::NEVER};
use crate::{HostId, Network, SocketId, socket::Proto};
use alloc::vec::Vec;
use core::{fmt, net::SocketAddr};

/// A socket or a connection, as ss(8) would show it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct SocketInfo {
    /// The host that it is on.
    pub host: HostId,
    /// The socket, if a program has one; a connection that was closed may go on for a while.
    pub socket: Option<SocketId>,
    /// What it speaks: `tcp`.
    pub protocol: &'static str,
    /// Its state, by Linux's name: `ESTABLISHED`.
    pub state: &'static str,
    /// Its address.
    pub local: SocketAddr,
    /// Its peer's address, if it has one.
    pub peer: Option<SocketAddr>,
    /// How many bytes have come and were not read; of a listener, how many connections wait to be accepted.
    pub recv_queue: usize,
    /// How many bytes were written and are not acknowledged; of a listener, how many connections may wait.
    pub send_queue: usize,
}

impl fmt::Display for SocketInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SocketInfo { protocol, state, local, recv_queue, send_queue, .. } = self;
        write!(f, "{protocol} {state:<11} recv {recv_queue:<6} send {send_queue:<6} {local}")?;
        self.peer.map_or(Ok(()), |peer| write!(f, " -> {peer}"))
    }
}

impl Network {
    /// The sockets of TCP, and connections that have none: by host, then in the order of the table.
    #[must_use]
    pub fn tcp_sockets(&self, now_ns: u64) -> Vec<SocketInfo> {
        let mut all: Vec<SocketInfo> = self.listening().collect();
        let lasts = |lapses_ns: u64| lapses_ns == NEVER || lapses_ns > now_ns;
        all.extend(self.tcp.iter().filter(|c| lasts(c.time.lapses_ns)).map(|c| SocketInfo {
            host: c.host,
            socket: match c.owner {
                Owner::Socket(socket) => Some(socket),
                _ => None,
            },
            protocol: "tcp",
            state: c.state.name(),
            local: c.local,
            peer: Some(c.peer),
            recv_queue: c.unread.len(),
            send_queue: c.unacked.len(),
        }));
        all.sort_by_key(|info| info.host);
        all
    }

    fn listening(&self) -> impl Iterator<Item = SocketInfo> {
        (0u32..).zip(&self.sockets).filter_map(|(index, slot)| {
            let socket = slot.socket.as_ref()?;
            let Proto::Tcp(tcp) = &socket.proto else { return None };
            let Role::Listens(listener) = &tcp.role else { return None };
            Some(SocketInfo {
                host: socket.host,
                socket: Some(SocketId { index, generation: slot.generation }),
                protocol: "tcp",
                state: "LISTEN",
                local: tcp.bound?,
                peer: None,
                recv_queue: listener.made.len(),
                send_queue: listener.backlog,
            })
        })
    }
}
