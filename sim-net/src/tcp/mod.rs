//! TCP as Linux does it, seen from programs: RFC 9293, tcp(7).
//!
//! | file | idea |
//! |---|---|
//! | `segment.rs` | what is sent |
//! | `connection.rs` | one end of a connection: its state, and what its owner may do |
//! | `input.rs`, `output.rs`, `alarm.rs` | what arrives, what is sent next, what time does |
//! | `timing.rs`, `buffer.rs` | when a connection wants to be called; bytes that wait |
//! | `table.rs` | all connections, and which of them a segment is for |
//! | `flow.rs` | segments come and go, alarms ring, connections end: how connections and the network meet |
//! | `opening.rs` | bind, listen, accept, connect |
//! | `sever.rs` | connections that are broken off from without |
//! | `verbs.rs` | send, recv, shutdown, close, and what can be asked |
//! | `address.rs` | which addresses a socket may have, and by which it reaches another |
//! | `options.rs` | keep-alive and the user's time-out |
//!
//! A connection is not its socket: it begins before a socket is accepted, and lives on when that was closed.

mod address;
mod alarm;
mod buffer;
mod connection;
mod flow;
mod input;
mod opening;
mod options;
mod output;
mod segment;
mod sever;
mod table;
mod timing;
mod verbs;

pub use options::KeepAlive;
pub use segment::{Flags, Segment};

pub(crate) use connection::{RECV_BUFFER, SEND_BUFFER};
pub(crate) use segment::Spare;
pub(crate) use table::{ConnectionId, Connections};

use crate::ports::Claim;
use alloc::collections::VecDeque;
use core::net::SocketAddr;

/// A socket of TCP.
#[derive(Default)]
pub(crate) struct Tcp {
    /// Its address, if it was bound or listens, and what it claims for it while it has no connection.
    bound: Option<SocketAddr>,
    claim: Option<Claim>,
    role: Role,
    /// It was asked to connect, and has not yet told how that went: `SS_CONNECTING`.
    connecting: bool,
}

/// What became of a socket.
#[derive(Default)]
enum Role {
    /// Nothing yet.
    #[default]
    Idle,
    Listens(Listener),
    Connected(ConnectionId),
}

/// A socket that listens.
struct Listener {
    /// One more than that may wait: Linux.
    backlog: usize,
    /// Those that wait to be accepted.
    made: VecDeque<ConnectionId>,
    /// Those that are being made.
    making: alloc::vec::Vec<ConnectionId>,
}

impl Listener {
    fn is_full(&self) -> bool {
        self.made.len() > self.backlog
    }
}

impl Tcp {
    pub(crate) fn new() -> Tcp {
        Tcp::default()
    }
}
