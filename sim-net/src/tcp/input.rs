//! What a segment that arrives does to a connection: RFC 9293, section 3.10.7, and RFC 5961 for what is out of place.

use super::{
    Flags, Segment,
    connection::{Connection, State},
    output::MSS,
    timing::{ACK_DELAY_NS, NEVER},
};
use crate::{Errno, Flag};
use core::mem;

/// What is to be done about a connection after something arrived or came due.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Effects {
    /// Its owner may see a difference.
    pub(crate) wake: bool,
    /// It has been made.
    pub(crate) made: bool,
    /// The answer is a reset: no such connection.
    pub(crate) refuse: bool,
}

const NOTHING: Effects = Effects { wake: false, made: false, refuse: false };

impl Connection {
    /// A segment for it arrives. `room`: it can be accepted, if that is what it waits for.
    pub(crate) fn input(&mut self, now_ns: u64, segment: &mut Segment, room: bool) -> Effects {
        self.time.heard_ns = now_ns;
        self.time.probes_out = 0;
        if self.state == State::SynSent {
            return self.input_opening(now_ns, segment);
        }
        let flags = segment.flags;
        // A probe asks for an answer.
        self.ack_due |=
            segment.is_empty() && segment.seq + 1 == self.rcv_nxt && !flags.has(Flags::RST);
        if self.state == State::SynReceived
            && flags.has(Flags::SYN | Flags::ACK)
            && segment.ack == self.snd_nxt
        {
            // The answer to the other of two that opened at once.
            self.was_made(now_ns, segment);
            return Effects { wake: true, made: true, refuse: false };
        }
        if !self.is_acceptable(segment) {
            self.syn_due |= self.state == State::SynReceived && flags.has(Flags::SYN);
            // A mere acknowledgement needs no answer.
            self.ack_due |= !segment.is_empty();
            return NOTHING;
        }
        if flags.has(Flags::RST) {
            if segment.seq != self.rcv_nxt {
                self.ack_due = true;
                return NOTHING;
            }
            return self.was_reset();
        }
        if flags.has(Flags::SYN) {
            self.ack_due = true;
            return NOTHING;
        }
        if !flags.has(Flags::ACK) {
            return NOTHING;
        }
        let mut effects = NOTHING;
        if self.state == State::SynReceived {
            if segment.ack != self.snd_nxt {
                return Effects { refuse: true, ..NOTHING };
            }
            if !room {
                // The queue is full: as if it had not come. The SYN-ACK is sent again, and answered again.
                return NOTHING;
            }
            self.was_made(now_ns, segment);
            effects = Effects { wake: true, made: true, refuse: false };
        }
        if segment.ack > self.snd_nxt {
            self.ack_due = true;
            return effects;
        }
        effects.wake |= self.input_ack(now_ns, segment);
        if self.state == State::Closed {
            return effects;
        }
        if self.refuses_data(segment) {
            self.end(Some(Errno::ECONNRESET));
            return Effects { wake: true, refuse: true, ..effects };
        }
        effects.wake |= self.input_data(now_ns, segment);
        effects
    }

    fn input_opening(&mut self, now_ns: u64, segment: &mut Segment) -> Effects {
        let flags = segment.flags;
        if flags.has(Flags::ACK) && segment.ack != self.snd_nxt {
            return Effects { refuse: true, ..NOTHING };
        }
        if flags.has(Flags::RST) {
            return if flags.has(Flags::ACK) { self.was_reset() } else { NOTHING };
        }
        if !flags.has(Flags::SYN) {
            return NOTHING;
        }
        self.rcv_nxt = segment.seq + 1;
        self.rcv_edge = self.rcv_nxt + self.recv_room() as u64;
        self.rcv_acked = segment.seq;
        if !flags.has(Flags::ACK) {
            // Both open at once.
            self.state = State::SynReceived;
            self.syn_due = true;
            return NOTHING;
        }
        self.was_made(now_ns, segment);
        self.ack_due = true;
        Effects { wake: true, made: true, refuse: false }
    }

    fn was_made(&mut self, now_ns: u64, segment: &Segment) {
        self.state = State::Established;
        self.time.acked(now_ns, segment.ack, false);
        self.snd_una = segment.ack;
        self.recover = segment.ack;
        self.small_end = segment.ack;
        self.take_window(segment);
        self.keep_alive_from(now_ns);
    }

    /// Something of it is within the window: RFC 9293, section 3.10.7.4. What is empty may also repeat what was not
    /// acknowledged yet, as in Linux's `tcp_sequence`.
    fn is_acceptable(&self, segment: &Segment) -> bool {
        let new = match segment.is_empty() {
            true => segment.seq >= self.rcv_acked,
            false => segment.end() > self.rcv_nxt,
        };
        new && segment.seq <= self.rcv_edge
    }

    /// `tcp_reset` of Linux.
    pub(super) fn was_reset(&mut self) -> Effects {
        let error = match self.state {
            State::SynSent => Errno::ECONNREFUSED,
            State::CloseWait => Errno::EPIPE,
            _ => Errno::ECONNRESET,
        };
        let quiet = matches!(self.state, State::TimeWait);
        self.end(if quiet { None } else { Some(error) });
        Effects { wake: true, ..NOTHING }
    }

    /// Who has shut down both halves does not want what comes: RFC 1122, section 4.2.2.13.
    fn refuses_data(&self, segment: &Segment) -> bool {
        let end = segment.seq + segment.payload.len() as u64;
        self.read_shut
            && matches!(self.state, State::FinWait1 | State::FinWait2)
            && !segment.payload.is_empty()
            && end > self.rcv_nxt
    }

    /// Whether the owner may see a difference.
    fn input_ack(&mut self, now_ns: u64, segment: &Segment) -> bool {
        let before = (self.is_writable(), self.state);
        if segment.ack > self.snd_una {
            self.was_acked(now_ns, segment.ack);
        } else if segment.is_empty()
            && segment.ack == self.snd_una
            && self.snd_nxt > self.snd_una
            && segment.ack + u64::from(segment.window) == self.snd_edge
        {
            self.duplicate_acks += 1;
            // RFC 5681, section 3.2.
            if self.duplicate_acks == 3 && self.recover <= self.snd_una {
                self.recover = self.snd_nxt;
                self.again_due = true;
            }
        }
        self.take_window(segment);
        before != (self.is_writable(), self.state)
    }

    fn was_acked(&mut self, now_ns: u64, ack: u64) {
        let fin_acked = self.fin_sent && ack == self.snd_nxt && self.has_fin();
        let bytes = (ack - self.snd_una - u64::from(fin_acked)) as usize;
        self.unacked.pop(bytes);
        self.snd_una = ack;
        self.duplicate_acks = 0;
        self.time.acked(now_ns, ack, self.snd_nxt > ack);
        // What was sent before a loss was noticed may be lost too: RFC 6582.
        self.again_due = ack < self.recover;
        if fin_acked {
            match self.state {
                State::FinWait1 => self.state = State::FinWait2,
                State::Closing => self.state = State::TimeWait,
                _ => self.end(None),
            }
        }
    }

    /// Who offers a window never takes back what he offered, so that the farthest edge is the youngest.
    fn take_window(&mut self, segment: &Segment) {
        self.snd_edge = self.snd_edge.max(segment.ack + u64::from(segment.window));
        self.snd_largest = self.snd_largest.max(u64::from(segment.window));
    }

    /// Whether the owner may see a difference.
    fn input_data(&mut self, now_ns: u64, segment: &mut Segment) -> bool {
        let end = segment.seq + segment.payload.len() as u64;
        if segment.flags.has(Flags::FIN) && end >= self.rcv_nxt {
            self.fin_at = Some(end);
        }
        if segment.is_empty() || self.at_end {
            self.ack_due |= !segment.is_empty();
            return false;
        }
        let before = self.rcv_nxt;
        if segment.seq <= before {
            self.take_bytes(segment.seq, &segment.payload);
            self.take_early();
        } else {
            self.ack_due = true;
            self.keep_early(segment);
        }
        if self.fin_at == Some(self.rcv_nxt) {
            self.rcv_nxt += 1;
            self.take_fin();
        }
        if self.rcv_nxt == before {
            // Nothing new, or no room: say what is expected.
            self.ack_due = true;
            return false;
        }
        let much = self.rcv_nxt - self.rcv_acked >= 2 * MSS as u64;
        let quick = self.quick_acks > 0 || self.options.is(Flag::QuickAck);
        if much || quick || self.at_end || !self.early.is_empty() {
            self.ack_due = true;
        } else if self.time.ack_ns == NEVER {
            self.time.ack_ns = now_ns + ACK_DELAY_NS;
        }
        true
    }

    /// Takes what is new of bytes that begin no later than what is expected, as far as the window goes.
    fn take_bytes(&mut self, seq: u64, bytes: &[u8]) {
        let end = (seq + bytes.len() as u64).min(self.rcv_edge);
        if end > self.rcv_nxt {
            self.unread.push(&bytes[(self.rcv_nxt - seq) as usize..(end - seq) as usize]);
            self.rcv_nxt = end;
        }
    }

    /// Takes what came ahead, and is in order now.
    fn take_early(&mut self) {
        while let Some(first) = self.early.first_entry()
            && *first.key() <= self.rcv_nxt
        {
            let (seq, bytes) = first.remove_entry();
            self.take_bytes(seq, &bytes);
        }
    }

    fn keep_early(&mut self, segment: &mut Segment) {
        if segment.payload.is_empty() {
            return;
        }
        let known = self.early.entry(segment.seq).or_default();
        if known.len() < segment.payload.len() {
            mem::swap(known, &mut segment.payload);
        }
    }

    /// `tcp_fin` of Linux: the peer sends no more.
    fn take_fin(&mut self) {
        (self.read_shut, self.at_end) = (true, true);
        self.ack_due = true;
        self.state = match self.state {
            State::Established => State::CloseWait,
            State::FinWait1 => State::Closing,
            State::FinWait2 => State::TimeWait,
            other => other,
        };
    }
}
