//! What a connection sends next: one segment at a time, until it has nothing more to say.
//!
//! There is no control of congestion: the peer's window alone bounds what is under way. A segment carries up to 64 KiB,
//! as those do that a network card cuts into packets (TSO).

use super::{
    Flags, Segment, Spare,
    connection::{Connection, State},
    timing::{ACK_DELAY_NS, NEVER},
};
use crate::Flag;
use alloc::boxed::Box;

/// What fits an Ethernet frame: a segment with less is a small one.
pub(crate) const MSS: usize = 1_460;
/// What one segment carries at most.
const MOST: usize = 65_160;

impl Connection {
    /// What is to be sent now.
    pub(crate) fn output(&mut self, now_ns: u64, spare: &mut Spare) -> Option<Box<Segment>> {
        if self.state.is_opening() {
            return self.syn(now_ns, spare);
        }
        if core::mem::take(&mut self.again_due) && self.snd_nxt > self.snd_una {
            return Some(self.again(now_ns, spare));
        }
        if let Some(segment) = self.new_bytes(now_ns, spare) {
            return Some(segment);
        }
        if core::mem::take(&mut self.probe_due) {
            // A number that the peer has: he answers with what he has and expects. RFC 9293, section 3.8.4.
            let mut probe = self.segment(Flags::ACK, spare);
            probe.seq = self.snd_una - 1;
            return Some(probe);
        }
        if self.ack_due {
            self.quick_acks = self.quick_acks.saturating_sub(1);
            return Some(self.segment(Flags::ACK, spare));
        }
        None
    }

    fn syn(&mut self, now_ns: u64, spare: &mut Spare) -> Option<Box<Segment>> {
        if !core::mem::take(&mut self.syn_due) {
            return None;
        }
        let first = self.snd_una;
        let flags = match self.state {
            State::SynSent => Flags::SYN,
            _ => Flags::SYN | Flags::ACK,
        };
        if self.snd_nxt == first {
            self.snd_nxt = first + 1;
            self.time.sent(now_ns, first + 1);
        }
        let mut segment = self.segment(flags, spare);
        segment.seq = first;
        if self.state == State::SynSent {
            (segment.ack, segment.window) = (0, self.recv_room() as u32);
        }
        Some(segment)
    }

    /// What was sent first and not acknowledged.
    fn again(&mut self, now_ns: u64, spare: &mut Spare) -> Box<Segment> {
        self.time.sent_again(now_ns);
        self.clamp_to_user_timeout();
        let sent = (self.snd_nxt - self.snd_una - u64::from(self.fin_sent)) as usize;
        let count = sent.min(MOST);
        let fin = self.fin_sent && count == self.unacked.len();
        self.carry(self.snd_una, 0, count, fin, spare)
    }

    fn new_bytes(&mut self, now_ns: u64, spare: &mut Spare) -> Option<Box<Segment>> {
        if self.fin_sent {
            return None;
        }
        let sent = (self.snd_nxt - self.snd_una) as usize;
        let waiting = self.unacked.len().checked_sub(sent)?;
        if waiting == 0 && !self.has_fin() {
            return None;
        }
        let window = self.snd_edge.saturating_sub(self.snd_nxt) as usize;
        let count = waiting.min(window).min(MOST);
        let fin = self.has_fin() && count == waiting;
        if !fin && !self.is_worth(count, waiting, window) {
            if sent == 0 && self.time.probe_ns == NEVER && window < waiting {
                self.time.stalled_ns = now_ns;
                self.time.probe_ns = now_ns + self.time.rto_ns();
            }
            return None;
        }
        if self.time.probe_ns != NEVER {
            self.time.probe_ns = NEVER;
            self.time.progress(now_ns);
        }
        self.probe_due = false;
        if count > 0 && now_ns - self.time.heard_ns < ACK_DELAY_NS {
            // It talks back: what comes will be acknowledged by what goes (`tcp_event_data_sent`).
            self.quick_acks = 0;
        }
        let from = self.snd_nxt;
        self.snd_nxt += count as u64 + u64::from(fin);
        self.fin_sent = fin;
        if count < MSS {
            self.small_end = self.snd_nxt;
        }
        self.time.sent(now_ns, self.snd_nxt);
        Some(self.carry(from, sent, count, fin, spare))
    }

    /// Whether to send so many of those that wait. Not a little of much (RFC 9293, section 3.8.6.2.1), and but one small
    /// segment at a time unless nodelay is set (Nagle's algorithm, RFC 9293, section 3.7.4).
    fn is_worth(&self, count: usize, waiting: usize, window: usize) -> bool {
        let in_flight = self.snd_nxt > self.snd_una;
        match () {
            () if count == 0 => false,
            () if count >= MSS => true,
            () if count < waiting => {
                !in_flight && (window as u64 >= self.snd_largest / 2 || self.probe_due)
            }
            () => self.options.is(Flag::NoDelay) || self.small_end <= self.snd_una,
        }
    }

    /// A segment with `count` of the bytes from `from` on, which is `at` in what is not acknowledged.
    fn carry(
        &mut self,
        from: u64,
        at: usize,
        count: usize,
        fin: bool,
        spare: &mut Spare,
    ) -> Box<Segment> {
        let mut segment =
            self.segment(if fin { Flags::ACK | Flags::FIN } else { Flags::ACK }, spare);
        segment.seq = from;
        if count > 0 {
            segment.payload.extend_from_slice(&self.unacked.as_slice()[at..at + count]);
        }
        segment
    }

    /// A segment without bytes, that acknowledges what has come.
    fn segment(&mut self, flags: Flags, spare: &mut Spare) -> Box<Segment> {
        self.ack_due = false;
        self.time.ack_ns = NEVER;
        self.rcv_acked = self.rcv_nxt;
        self.rcv_edge = self.next_edge();
        let mut segment = spare.take();
        segment.flags = flags;
        segment.seq = self.snd_nxt;
        segment.ack = self.rcv_nxt;
        segment.window = (self.rcv_edge - self.rcv_nxt) as u32;
        segment.from = Some(self.id);
        segment.to = self.peer_id;
        segment
    }

    /// How far the window may be offered now: never less far than before, and not a little at a time
    /// (RFC 9293, section 3.8.6.2.2).
    pub(crate) fn next_edge(&self) -> u64 {
        let room = self.recv_room();
        let edge = self.rcv_nxt + room.saturating_sub(self.unread.len()) as u64;
        match edge.saturating_sub(self.rcv_edge) as usize >= MSS.min(room / 2).max(1) {
            true => edge,
            false => self.rcv_edge.max(self.rcv_nxt),
        }
    }

    /// A segment that ends the connection at once.
    pub(crate) fn reset(&mut self) -> Box<Segment> {
        self.segment(Flags::RST | Flags::ACK, &mut Spare::default())
    }
}
