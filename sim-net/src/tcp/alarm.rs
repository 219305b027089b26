//! What time does to a connection: what is lost is sent again, and in the end it is given up.

use super::{
    connection::{Connection, Owner, State},
    input::Effects,
    timing::{GIVES_UP_NS, NEVER, ORPHAN_RETRIES, PROBES, SYN_ACK_RETRIES, SYN_RETRIES},
};
use crate::Errno;

impl Connection {
    /// Does what is wanted at that time.
    pub(crate) fn alarm(&mut self, now_ns: u64) -> Effects {
        if self.time.ack_ns <= now_ns {
            self.time.ack_ns = NEVER;
            self.ack_due = true;
        }
        if self.time.again_ns <= now_ns {
            return self.alarm_again(now_ns);
        }
        if self.time.probe_ns <= now_ns {
            return self.alarm_probe(now_ns);
        }
        if self.time.keep_ns <= now_ns {
            return self.alarm_keep_alive(now_ns);
        }
        Effects::default()
    }

    fn alarm_again(&mut self, now_ns: u64) -> Effects {
        if self.gives_up(now_ns) {
            return self.time_out();
        }
        self.time.back_off();
        self.time.again_ns = now_ns + self.time.rto_ns();
        self.clamp_to_user_timeout();
        if self.state.is_opening() {
            self.syn_due = true;
        } else {
            self.again_due = true;
            self.recover = self.snd_nxt;
        }
        Effects::default()
    }

    /// Whether to try no more: `tcp_write_timeout` of Linux.
    fn gives_up(&self, now_ns: u64) -> bool {
        let stalled_ns = now_ns - self.time.stalled_ns;
        let user_timeout_ns = self.options.user_timeout_ns;
        if user_timeout_ns > 0 && stalled_ns >= user_timeout_ns {
            return true;
        }
        match self.state {
            State::SynSent => self.time.retries >= SYN_RETRIES,
            State::SynReceived => self.time.retries >= SYN_ACK_RETRIES,
            _ if self.owner == Owner::Nobody => self.time.retries >= ORPHAN_RETRIES,
            _ => user_timeout_ns == 0 && stalled_ns >= GIVES_UP_NS,
        }
    }

    /// `tcp_clamp_rto_to_user_timeout` of Linux.
    pub(crate) fn clamp_to_user_timeout(&mut self) {
        if self.options.user_timeout_ns > 0 {
            let ends_ns = self.time.stalled_ns + self.options.user_timeout_ns;
            self.time.again_ns = self.time.again_ns.min(ends_ns);
            if self.time.probe_ns != NEVER {
                self.time.probe_ns = self.time.probe_ns.min(ends_ns);
            }
        }
    }

    /// The peer's window is closed: ask whether it still is (`tcp_probe_timer` of Linux). While he answers, for ever.
    fn alarm_probe(&mut self, now_ns: u64) -> Effects {
        let orphan = self.owner == Owner::Nobody;
        let limit = if orphan { ORPHAN_RETRIES } else { PROBES };
        let user_timeout_ns = self.options.user_timeout_ns;
        let late = user_timeout_ns > 0 && now_ns - self.time.stalled_ns >= user_timeout_ns;
        // An orphan does not wait for ever, even where it is answered.
        let dropped = orphan && self.time.retries > ORPHAN_RETRIES;
        if late || dropped || self.time.probes_out >= limit {
            return self.time_out();
        }
        self.probe_due = true;
        self.time.probes_out += 1;
        self.time.back_off();
        self.time.probe_ns = now_ns + self.time.rto_ns();
        Effects::default()
    }

    /// `tcp_keepalive_timer` of Linux.
    fn alarm_keep_alive(&mut self, now_ns: u64) -> Effects {
        self.keep_alive_from(now_ns);
        if self.time.keep_ns == NEVER || self.snd_nxt > self.snd_una || !self.unacked.is_empty() {
            return Effects::default();
        }
        let idle_ns = now_ns - self.time.heard_ns;
        if idle_ns < self.options.keep_idle_ns {
            self.time.keep_ns = self.time.heard_ns + self.options.keep_idle_ns;
            return Effects::default();
        }
        let gone = match self.options.user_timeout_ns {
            0 => self.time.probes_out >= self.options.keep_count,
            timeout_ns => idle_ns >= timeout_ns && self.time.probes_out > 0,
        };
        if gone {
            return Effects { refuse: true, ..self.time_out() };
        }
        self.probe_due = true;
        self.time.probes_out += 1;
        self.time.keep_ns = now_ns + self.options.keep_interval_ns;
        Effects::default()
    }

    /// Keep-alive begins now, or ends, as the options say.
    pub(crate) fn keep_alive_from(&mut self, now_ns: u64) {
        let lives = !self.state.is_opening()
            && !matches!(self.state, State::Closed | State::TimeWait)
            && self.has_keep_alive();
        self.time.keep_ns = if lives { now_ns + self.options.keep_idle_ns } else { NEVER };
    }

    /// `tcp_write_err` of Linux.
    fn time_out(&mut self) -> Effects {
        self.end(Some(Errno::ETIMEDOUT));
        Effects { wake: true, ..Effects::default() }
    }
}
