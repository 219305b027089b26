//! When a connection wants to be called, and what it knows of how long an answer takes: RFC 6298, with Linux's bounds.

use sim_time::Key;

pub(crate) const NEVER: u64 = u64::MAX;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// Linux's `TCP_TIMEOUT_INIT`, `TCP_RTO_MIN`, `TCP_RTO_MAX`.
const FIRST_RTO_NS: u64 = SECOND;
const LEAST_RTO_NS: u64 = 200 * MS;
const MOST_RTO_NS: u64 = 120 * SECOND;
/// How long an acknowledgement waits for something to travel with: `TCP_DELACK_MIN`.
pub(crate) const ACK_DELAY_NS: u64 = 40 * MS;
/// How long a closed connection is remembered: `TCP_TIMEWAIT_LEN`, `tcp_fin_timeout`.
pub(crate) const LINGERS_NS: u64 = 60 * SECOND;
/// `tcp_syn_retries`, `tcp_synack_retries`, `tcp_orphan_retries`.
pub(crate) const SYN_RETRIES: u32 = 6;
pub(crate) const SYN_ACK_RETRIES: u32 = 5;
pub(crate) const ORPHAN_RETRIES: u32 = 8;
/// `tcp_retries2` 15, which Linux turns into a time: tcp(7) and Documentation/networking/ip-sysctl.
pub(crate) const GIVES_UP_NS: u64 = 924_600 * MS;
pub(crate) const PROBES: u32 = 15;

/// The times of a connection; those that are [`NEVER`] are not wanted.
pub(crate) struct Timing {
    /// When to send again.
    pub(crate) again_ns: u64,
    /// When to acknowledge at the latest.
    pub(crate) ack_ns: u64,
    /// When to ask whether a closed window has opened.
    pub(crate) probe_ns: u64,
    /// When to ask whether the peer is still there.
    pub(crate) keep_ns: u64,
    /// When the connection is forgotten. Nothing takes place then, so nobody is called.
    pub(crate) lapses_ns: u64,
    /// That is because it is in `TIME_WAIT`.
    pub(crate) lingers: bool,
    /// Since when there has been no progress of what is sent.
    pub(crate) stalled_ns: u64,
    /// When something was last heard of the peer.
    pub(crate) heard_ns: u64,
    /// How often it was sent again, or asked, in vain.
    pub(crate) retries: u32,
    /// What was asked and not answered.
    pub(crate) probes_out: u32,
    /// The alarm that is set, and for when. It may be earlier than anything wanted: to leave it costs less than to move
    /// it with each segment.
    pub(crate) alarm: Option<Alarm>,
    /// The peer has answered a probe, in that epoch of the network; 0: not yet.
    pub(crate) answered_epoch: u64,
    /// The smoothed time that an answer takes, and its deviation, in nanoseconds; 0: unknown.
    smooth_ns: u64,
    deviation_ns: u64,
    backoff: u32,
    /// A segment whose answer is timed: its end, and when it was sent.
    timed: Option<(u64, u64)>,
}

/// An alarm that is set.
#[derive(Clone, Copy)]
pub(crate) struct Alarm {
    pub(crate) key: Key,
    pub(crate) at_ns: u64,
    /// The epoch of the network in which nothing will come of it; 0: something may.
    pub(crate) quiet_epoch: u64,
}

impl Timing {
    pub(crate) fn new() -> Timing {
        Timing {
            again_ns: NEVER,
            ack_ns: NEVER,
            probe_ns: NEVER,
            keep_ns: NEVER,
            lapses_ns: NEVER,
            lingers: false,
            stalled_ns: 0,
            heard_ns: 0,
            retries: 0,
            probes_out: 0,
            alarm: None,
            answered_epoch: 0,
            smooth_ns: 0,
            deviation_ns: 0,
            backoff: 0,
            timed: None,
        }
    }

    /// The earliest time that is wanted.
    pub(crate) fn next_ns(&self) -> u64 {
        self.again_ns.min(self.ack_ns).min(self.probe_ns).min(self.keep_ns)
    }

    /// Nothing is wanted but to ask, again, a peer who has answered in that epoch.
    pub(crate) fn only_asks(&self, epoch: u64) -> bool {
        self.again_ns.min(self.ack_ns) == NEVER
            && self.probes_out == 0
            && self.answered_epoch == epoch
    }

    /// How long to wait before sending again.
    pub(crate) fn rto_ns(&self) -> u64 {
        let first = match self.smooth_ns {
            0 => FIRST_RTO_NS,
            smooth => smooth + LEAST_RTO_NS.max(4 * self.deviation_ns),
        };
        first.saturating_mul(1 << self.backoff.min(20)).min(MOST_RTO_NS)
    }

    /// Something new was sent, up to that number.
    pub(crate) fn sent(&mut self, now_ns: u64, end: u64) {
        if self.timed.is_none() {
            self.timed = Some((end, now_ns));
        }
        if self.again_ns == NEVER {
            self.again_ns = now_ns + self.rto_ns();
            self.stalled_ns = now_ns;
        }
    }

    /// All before that number has come, and something is still under way or not.
    pub(crate) fn acked(&mut self, now_ns: u64, ack: u64, more: bool) {
        if let Some((end, sent_ns)) = self.timed
            && ack >= end
        {
            self.timed = None;
            self.sample(now_ns - sent_ns);
        }
        self.progress(now_ns);
        self.again_ns = if more { now_ns + self.rto_ns() } else { NEVER };
    }

    /// RFC 6298, section 2.
    fn sample(&mut self, took_ns: u64) {
        let took_ns = took_ns.max(1);
        if self.smooth_ns == 0 {
            (self.smooth_ns, self.deviation_ns) = (took_ns, took_ns / 2);
        } else {
            self.deviation_ns = (3 * self.deviation_ns + self.smooth_ns.abs_diff(took_ns)) / 4;
            self.smooth_ns = (7 * self.smooth_ns + took_ns) / 8;
        }
    }

    /// What was sent gets on.
    pub(crate) fn progress(&mut self, now_ns: u64) {
        self.retries = 0;
        self.backoff = 0;
        self.stalled_ns = now_ns;
    }

    /// It is sent again, or asked again. Karn's algorithm: the answer will not be timed, as it may be to either.
    pub(crate) fn back_off(&mut self) {
        self.retries += 1;
        self.backoff += 1;
        self.timed = None;
    }

    /// A lost segment is sent again early: nothing is timed.
    pub(crate) fn sent_again(&mut self, now_ns: u64) {
        self.timed = None;
        self.again_ns = now_ns + self.rto_ns();
    }

    /// Nothing is wanted any more.
    pub(crate) fn stop(&mut self) {
        (self.again_ns, self.ack_ns, self.probe_ns, self.keep_ns) = (NEVER, NEVER, NEVER, NEVER);
    }
}
