//! What a run asks its choices, beside who runs next. Zero is calm: the first, no, nothing.

use super::World;
use sim_choice::{Kind, Lane};

/// In one of so many runs waits end for nothing, and there one of so many waits.
const SPURIOUS_RUNS: u32 = 4;
const SPURIOUS_WAITS: u32 = 4;

impl World {
    /// One of `n` branches of a `select!`.
    pub(crate) fn choose_branch(&self, n: u32) -> u32 {
        let who = self.running.get().path;
        self.choices.borrow_mut().choose(Lane::Schedule, Kind::Branch, who, n)
    }

    pub(crate) fn choose_cancel(&self) -> bool {
        let who = self.running.get().path;
        !self.stopping.get()
            && self.choices.borrow_mut().now_and_then(Lane::Cancel, Kind::Cancel, who)
    }

    /// Whether the machine stands still until then; if so, all that is due by then is due now.
    pub(crate) fn choose_stall(&self, at_ns: u64) -> bool {
        if !self.limits.borrow().stalls || self.stopping.get() || self.paused.get() {
            return false;
        }
        let who = self.running.get().path;
        let at_ns = self.when_ns(at_ns);
        let stalls = self.choices.borrow_mut().now_and_then(Lane::Time, Kind::Stall, who);
        if stalls && at_ns > self.now.get() {
            self.set_now(at_ns);
            self.fire_due();
        }
        stalls
    }

    /// One of `n` waiters; zero is the one that waits longest.
    pub(crate) fn choose_among(&self, n: u32) -> u32 {
        if n < 2 {
            return 0;
        }
        let who = self.running.get().path;
        self.choices.borrow_mut().choose(Lane::Schedule, Kind::Other, who, n)
    }

    /// Whether a wait ends for nothing. Zero is no: not in this run, and not this wait.
    pub(crate) fn wakes_for_nothing(&self) -> bool {
        let in_this_run = self.spurious.get().unwrap_or_else(|| {
            let drawn = self.choose_among(SPURIOUS_RUNS) == SPURIOUS_RUNS - 1;
            self.spurious.set(Some(drawn));
            drawn
        });
        in_this_run && self.choose_among(SPURIOUS_WAITS) == SPURIOUS_WAITS - 1
    }

    /// A raw word of test input.
    #[cfg_attr(not(feature = "proptest"), allow(dead_code))]
    pub(crate) fn choose_word(&self) -> u32 {
        let who = self.running.get().path;
        self.choices.borrow_mut().choose(Lane::Input, Kind::Word, who, u32::MAX)
    }
}
