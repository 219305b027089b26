//! One end of a connection: its state, and what its owner asks of it. What arrives is in `input.rs`, what is sent in
//! `output.rs`, what time does in `alarm.rs`; none of them knows of the network.
//!
//! ```text
//!   connect ─▶ SYN_SENT ──SYN-ACK──▶ ESTABLISHED ──FIN──▶ CLOSE_WAIT ──close──▶ LAST_ACK ──ACK──▶ gone
//!   SYN ─────▶ SYN_RECV ────ACK────────┘ └─close─▶ FIN_WAIT1 ─ACK─▶ FIN_WAIT2 ──FIN──▶ TIME_WAIT ──60 s──▶ gone
//!                                                      └──FIN──▶ CLOSING ──ACK───────────┘
//! ```
//!
//! A reset or a time-out leads from everywhere to CLOSE. Numbers in RFC 9293's words: `snd_una` is the oldest that is
//! not acknowledged, `snd_nxt` the next to be sent, `rcv_nxt` the next that is expected.

use super::{ConnectionId, buffer::Buffer, timing::Timing};
use crate::{Errno, Flag, HostId, How, Ready, Result, SocketId, options::Options, ports::Claim};
use alloc::{collections::BTreeMap, vec::Vec};
use core::{mem, net::SocketAddr};

/// The states of RFC 9293, section 3.3.2, by Linux's names. Who listens is no connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum State {
    SynSent,
    SynReceived,
    Established,
    FinWait1,
    FinWait2,
    CloseWait,
    Closing,
    LastAck,
    TimeWait,
    Closed,
}

impl State {
    /// As ss(8) and /proc/net/tcp have it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::SynSent => "SYN_SENT",
            State::SynReceived => "SYN_RECV",
            State::Established => "ESTABLISHED",
            State::FinWait1 => "FIN_WAIT1",
            State::FinWait2 => "FIN_WAIT2",
            State::CloseWait => "CLOSE_WAIT",
            State::Closing => "CLOSING",
            State::LastAck => "LAST_ACK",
            State::TimeWait => "TIME_WAIT",
            State::Closed => "CLOSE",
        }
    }

    /// It has not been made yet.
    pub(crate) fn is_opening(self) -> bool {
        self <= State::SynReceived
    }

    /// The program may still put bytes in.
    pub(crate) fn sends(self) -> bool {
        matches!(self, State::Established | State::CloseWait)
    }
}

/// Who waits for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Owner {
    /// A socket of a program.
    Socket(SocketId),
    /// A socket that listens, for a connection that is being made.
    Making(SocketId),
    /// A socket that listens, for one that waits to be accepted.
    Made(SocketId),
    /// Nobody: an orphan, whose socket was closed.
    Nobody,
}

/// One end of a connection.
pub(crate) struct Connection {
    pub(crate) host: HostId,
    /// None if no host has that address: what is sent there is lost.
    pub(crate) peer_host: Option<HostId>,
    pub(crate) local: SocketAddr,
    pub(crate) peer: SocketAddr,
    pub(crate) owner: Owner,
    pub(crate) id: ConnectionId,
    pub(crate) peer_id: Option<ConnectionId>,
    pub(crate) claim: Option<Claim>,
    /// Its port was asked for by bind, and stays its socket's until that is closed.
    pub(crate) keeps_port: bool,
    pub(crate) options: Options,

    pub(crate) state: State,
    pub(crate) error: Option<Errno>,
    /// The program reads no more, or there is no more to read: `RCV_SHUTDOWN`.
    pub(crate) read_shut: bool,
    /// The program writes no more: `SEND_SHUTDOWN`.
    pub(crate) write_shut: bool,
    /// The peer's `FIN` has come, with all before it: `SOCK_DONE`.
    pub(crate) at_end: bool,

    pub(crate) snd_una: u64,
    pub(crate) snd_nxt: u64,
    /// How far the peer's window reaches, and the largest that it was.
    pub(crate) snd_edge: u64,
    pub(crate) snd_largest: u64,
    /// The bytes from `snd_una` on.
    pub(crate) unacked: Buffer,
    /// The end of the last segment that was not full: Minshall's form of Nagle's algorithm, as Linux has it.
    pub(crate) small_end: u64,
    pub(crate) fin_sent: bool,
    /// Numbers below were sent before the last loss was noticed.
    pub(crate) recover: u64,
    pub(crate) duplicate_acks: u32,

    pub(crate) rcv_nxt: u64,
    /// What was acknowledged last.
    pub(crate) rcv_acked: u64,
    /// How far the window reaches that was offered.
    pub(crate) rcv_edge: u64,
    pub(crate) unread: Buffer,
    /// What came ahead of what is expected, by number.
    pub(crate) early: BTreeMap<u64, Vec<u8>>,
    /// The number of the peer's `FIN`, if it came.
    pub(crate) fin_at: Option<u64>,
    /// Acknowledgements that are given at once, before they are delayed; 0 once answers carry them.
    pub(crate) quick_acks: u8,

    pub(crate) syn_due: bool,
    pub(crate) ack_due: bool,
    pub(crate) again_due: bool,
    pub(crate) probe_due: bool,
    /// A fault has ended it; and how often it was used after the program had been told.
    pub(crate) severed: bool,
    pub(crate) blind: u8,
    pub(crate) time: Timing,
}

/// What Linux gives of a new connection before it looks at how the two talk: `TCP_MAX_QUICKACKS`.
const QUICK_ACKS: u8 = 16;
/// `tcp_rmem`, `tcp_wmem` of an established connection over Ethernet, as getsockopt(2) gives them.
pub(crate) const RECV_BUFFER: u32 = 131_072;
pub(crate) const SEND_BUFFER: u32 = 87_040;

impl Connection {
    /// A connection that is being made, whose own bytes count from `first`.
    pub(crate) fn new(
        host: HostId,
        local: SocketAddr,
        peer: SocketAddr,
        options: Options,
        first: u64,
    ) -> Connection {
        Connection {
            host,
            peer_host: None,
            local,
            peer,
            owner: Owner::Nobody,
            id: ConnectionId::default(),
            peer_id: None,
            claim: None,
            keeps_port: false,
            options,
            state: State::SynSent,
            error: None,
            read_shut: false,
            write_shut: false,
            at_end: false,
            snd_una: first,
            snd_nxt: first,
            snd_edge: first,
            snd_largest: 0,
            unacked: Buffer::default(),
            small_end: first,
            fin_sent: false,
            recover: first,
            duplicate_acks: 0,
            rcv_nxt: 0,
            rcv_acked: 0,
            rcv_edge: 0,
            unread: Buffer::default(),
            early: BTreeMap::new(),
            fin_at: None,
            quick_acks: QUICK_ACKS,
            syn_due: true,
            ack_due: false,
            again_due: false,
            probe_due: false,
            severed: false,
            blind: 0,
            time: Timing::new(),
        }
    }

    /// How many bytes wait to be sent or acknowledged at most. Half of the option: Linux counts what it spends on them.
    pub(crate) fn send_room(&self) -> usize {
        match self.options.send_buffer {
            0 => SEND_BUFFER as usize / 2,
            set => set as usize / 2,
        }
    }

    /// How many bytes wait to be read at most: `tcp_adv_win_scale` is 1.
    pub(crate) fn recv_room(&self) -> usize {
        match self.options.recv_buffer {
            0 => RECV_BUFFER as usize / 2,
            set => set as usize / 2,
        }
    }

    /// Whether epoll would say that it can be written: at least a third is free (`__sk_stream_is_writeable`).
    pub(crate) fn is_writable(&self) -> bool {
        let (used, room) = (self.unacked.len(), self.send_room());
        room.saturating_sub(used) >= used.div_ceil(2) && used < room
    }

    /// `tcp_poll` of Linux.
    pub(crate) fn ready(&self) -> Ready {
        let mut ready = Ready::NONE;
        if self.state == State::Closed || self.read_shut && self.write_shut {
            ready |= Ready::WRITE_CLOSED;
        }
        if self.read_shut {
            ready |= Ready::READABLE | Ready::READ_CLOSED;
        }
        if !self.state.is_opening() {
            if !self.unread.is_empty() {
                ready |= Ready::READABLE;
            }
            if self.write_shut || self.is_writable() {
                ready |= Ready::WRITABLE;
            }
        }
        if self.error.is_some() {
            ready |= Ready::ERROR;
        }
        ready
    }

    /// How many of so many bytes may be put in.
    ///
    /// # Errors
    ///
    /// Those of `tcp_sendmsg`, in its order.
    pub(crate) fn may_write(&mut self, count: usize) -> Result<usize> {
        if !self.state.sends() || self.error.is_some() || self.write_shut {
            if let Some(error) = self.error.take() {
                return Err(error);
            }
            return Err(if self.state.is_opening() && !self.write_shut {
                Errno::EAGAIN
            } else {
                Errno::EPIPE
            });
        }
        match self.send_room().saturating_sub(self.unacked.len()) {
            0 if count > 0 => Err(Errno::EAGAIN),
            free => Ok(count.min(free)),
        }
    }

    /// How many bytes there are to be read; 0 is the end.
    ///
    /// # Errors
    ///
    /// Those of `tcp_recvmsg`, in its order.
    pub(crate) fn may_read(&mut self) -> Result<usize> {
        match () {
            () if self.state.is_opening() => Err(Errno::EAGAIN),
            () if !self.unread.is_empty() => Ok(self.unread.len()),
            () if self.at_end => Ok(0),
            () => match self.error.take() {
                Some(error) => Err(error),
                None if self.read_shut => Ok(0),
                None if self.state == State::Closed => Err(Errno::ENOTCONN),
                None => Err(Errno::EAGAIN),
            },
        }
    }

    /// The program took so many bytes: the peer is told once that is worth it (`tcp_cleanup_rbuf`).
    pub(crate) fn was_read(&mut self, count: usize) {
        self.unread.pop(count);
        let (offered, room) = (self.rcv_edge - self.rcv_nxt, self.recv_room() as u64);
        let next = self.next_edge() - self.rcv_nxt;
        if 2 * offered <= room && next > 0 && next >= 2 * offered && self.fin_at.is_none() {
            self.ack_due = true;
        }
    }

    /// Ends a half or both: `inet_shutdown`.
    ///
    /// # Errors
    ///
    /// `ENOTCONN`, and does it nevertheless, as Linux.
    pub(crate) fn shutdown(&mut self, how: How) -> Result<()> {
        self.read_shut |= how != How::Write;
        if how != How::Read {
            self.write_shut = true;
            self.stop_sending();
        }
        if self.is_over() { Err(Errno::ENOTCONN) } else { Ok(()) }
    }

    /// Nothing passes any more. What remains of it in `TIME_WAIT` is no longer the socket's.
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.state, State::TimeWait | State::Closed)
    }

    /// A `FIN` follows what is still to be sent: `tcp_close_state`.
    pub(crate) fn stop_sending(&mut self) {
        self.state = match self.state {
            State::Established | State::SynReceived => State::FinWait1,
            State::CloseWait => State::LastAck,
            other => other,
        };
    }

    /// Whether a `FIN` follows the last byte, and is not acknowledged.
    pub(crate) fn has_fin(&self) -> bool {
        matches!(self.state, State::FinWait1 | State::Closing | State::LastAck)
    }

    /// Whether its end is one that the peer must be told of at once: `tcp_need_reset`.
    pub(crate) fn needs_reset(&self) -> bool {
        use State::*;
        match self.state {
            Established | CloseWait | FinWait1 | FinWait2 | SynReceived => true,
            Closing | LastAck => !self.fin_sent || !self.unacked.is_empty(),
            SynSent | TimeWait | Closed => false,
        }
    }

    /// It is over: `tcp_done`. What has come can still be read.
    pub(crate) fn end(&mut self, error: Option<Errno>) {
        self.state = State::Closed;
        self.error = error.or(self.error);
        (self.read_shut, self.write_shut) = (true, true);
        self.unacked.free();
        self.early = BTreeMap::new();
        self.syn_due = false;
        self.ack_due = false;
        self.again_due = false;
        self.probe_due = false;
        self.time.stop();
    }

    /// Takes the error that waits.
    pub(crate) fn take_error(&mut self) -> Option<Errno> {
        mem::take(&mut self.error)
    }

    pub(crate) fn has_keep_alive(&self) -> bool {
        self.options.is(Flag::KeepAlive)
    }
}
