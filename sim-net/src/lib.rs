//! The network of a simulation, as pure values: no task, no waker, no clock, no global.
//!
//! A [`Network`] is hosts, their sockets, and what is on its way between them. Its verbs are those of POSIX, never
//! wait, and answer with a value or an [`Errno`]; [`Errno::EAGAIN`] says that it would block. Whoever calls says what
//! time it is, and lets what is due take place: [`Network::next`] says when, [`Network::advance`] does it, and
//! [`Network::take_woken`] says for whose sockets something has changed.
//!
//! ```text
//!   verbs (bind, send, …)          advance(now)
//!        │                             │
//!   socket.rs  ── tcp/ udp unix ◀──── arrives
//!                   │                  │
//!                 packet ──▶ wire ── in flight (rule, partition, link: pass, delay, drop, twice, corrupt)
//! ```
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod dns;
mod faults;
mod host;
mod latency;
mod link;
mod listing;
mod network;
mod options;
mod packet;
mod ports;
mod route;
mod rule;
mod socket;
mod tcp;
mod udp;
mod unix;
mod wire;

pub use dns::{DnsError, DnsFaults};
pub use faults::{Fault, FaultCount};
pub use host::{HostError, HostId};
pub use latency::Latency;
pub use link::{Link, LinkError};
pub use listing::{SocketLine, Underway};
pub use network::{Cx, Network};
pub use options::{Flag, Linger, Number};
pub use packet::{Body, Packet, Protocol};
pub use rule::{Rule, RuleId, Verdict};
pub use sim_errno::Errno;
pub use socket::{Domain, How, Kind, Ready, SocketId};
pub use tcp::{Flags, KeepAlive, Segment};
pub use unix::{Credentials, UnixAddress};
pub use wire::Storm;

/// What a verb gives: a value, or the error that Linux would give.
pub type Result<T> = core::result::Result<T, Errno>;
