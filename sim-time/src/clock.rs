//! What a node believes the time to be: a function from the simulation's time to the node's.
//!
//! ```text
//! monotonic = sum of elapsed * (1 + drift)
//! wall      = epoch + offset + jumps + monotonic
//! ```
//!
//! Two points fix it: where the drift last changed, and what the node's clock showed there. So a change of
//! the drift bends both clocks but never breaks them.

/// The clock of one node. All values are in nanoseconds; `now` is the simulation's time since the start of
/// the run and must not go back from call to call that changes the clock.
///
/// ```
/// use sim_time::Clock;
///
/// let mut clock = Clock::new(1_767_225_600_000_000_000); // 2026-01-01 00:00 UTC
/// clock.set_drift(-100_000, 0); // 100 parts per million slow
/// assert_eq!(clock.monotonic_ns(1_000_000_000), 999_900_000);
///
/// clock.jump(-5_000_000_000, 1_000_000_000); // as when an operator sets the time
/// assert_eq!(clock.wall_ns(1_000_000_000), 1_767_225_600_000_000_000 + 999_900_000 - 5_000_000_000);
/// assert_eq!(clock.monotonic_ns(1_000_000_000), 999_900_000);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Clock {
    /// The simulation's time of the last change.
    changed_at: u64,
    /// What the monotonic clock showed then.
    shown: u64,
    drift_ppb: i32,
    offset: i64,
    /// Epoch and jumps: the wall clock where the monotonic one is 0, without the offset.
    origin: i128,
}

const BILLION: i128 = 1_000_000_000;

impl Clock {
    /// An exact clock: monotonic time is the simulation's, wall time begins at `epoch_ns` since 1970.
    #[must_use]
    pub const fn new(epoch_ns: u64) -> Clock {
        Clock { changed_at: 0, shown: 0, drift_ppb: 0, offset: 0, origin: epoch_ns as i128 }
    }

    /// Sets how far the wall clock is ahead (or, negative, behind), besides drift and jumps. It replaces
    /// the former offset.
    pub fn set_offset(&mut self, offset_ns: i64) {
        self.offset = offset_ns;
    }

    /// Sets how much faster (or, negative, slower) both clocks run from `now` on, in parts per billion:
    /// 1000 gains a microsecond per second. At -1,000,000,000 they stand still.
    ///
    /// # Panics
    ///
    /// If `drift_ppb` is below -1,000,000,000, as the monotonic clock would go back; if `now` is before the
    /// last change.
    pub fn set_drift(&mut self, drift_ppb: i32, now: u64) {
        assert!(
            i128::from(drift_ppb) >= -BILLION,
            "a drift of {drift_ppb} ppb would turn the clock back"
        );
        self.settle(now);
        self.drift_ppb = drift_ppb;
    }

    /// Moves the wall clock forward (or, negative, back), at `now`. The monotonic clock does not notice.
    ///
    /// # Panics
    ///
    /// If `now` is before the last change.
    pub fn jump(&mut self, by_ns: i64, now: u64) {
        self.settle(now);
        self.origin += i128::from(by_ns);
    }

    /// The wall clock at `now`, since the start of 1970. Offset and jumps may lead out of the range of a
    /// `u64`, that is before 1970 or past 2554: it then reads as the nearest end, and the clock runs on behind.
    #[must_use]
    pub fn wall_ns(&self, now: u64) -> u64 {
        let wall = self.origin + i128::from(self.offset) + i128::from(self.monotonic_ns(now));
        u64::try_from(wall.max(0)).unwrap_or(u64::MAX)
    }

    /// The monotonic clock at `now`, since the start of the run. It stops at `u64::MAX`; a `now` before the
    /// last change reads as that of the change.
    #[inline]
    #[must_use]
    pub fn monotonic_ns(&self, now: u64) -> u64 {
        let elapsed = now.saturating_sub(self.changed_at);
        if self.drift_ppb == 0 {
            return self.shown.saturating_add(elapsed);
        }
        self.shown.saturating_add(drifted(elapsed, self.drift_ppb))
    }

    /// The simulation's time at which the monotonic clock will show `shown_ns`, if nothing changes it meanwhile;
    /// the last change's if it has shown that before, `u64::MAX` if it stands still.
    ///
    /// ```
    /// use sim_time::Clock;
    ///
    /// let mut clock = Clock::new(0);
    /// clock.set_drift(-500_000_000, 0); // half as fast
    /// assert_eq!(clock.when_ns(1_000), 2_000);
    /// assert_eq!(clock.monotonic_ns(2_000), 1_000);
    /// ```
    #[inline]
    #[must_use]
    pub fn when_ns(&self, shown_ns: u64) -> u64 {
        let missing = shown_ns.saturating_sub(self.shown);
        if self.drift_ppb == 0 {
            return self.changed_at.saturating_add(missing);
        }
        self.changed_at.saturating_add(undrifted(missing, self.drift_ppb))
    }

    fn settle(&mut self, now: u64) {
        assert!(
            now >= self.changed_at,
            "the clock was changed at {} ns, which is after {now} ns",
            self.changed_at
        );
        self.shown = self.monotonic_ns(now);
        self.changed_at = now;
    }
}

/// Rounded down, so that it never decreases while `elapsed` grows.
fn drifted(elapsed: u64, drift_ppb: i32) -> u64 {
    let scaled = i128::from(elapsed) * (BILLION + i128::from(drift_ppb)) / BILLION;
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// The least time in which a clock of that drift goes on by `shown`: rounded up, as a timer must not fire early.
fn undrifted(shown: u64, drift_ppb: i32) -> u64 {
    let rate = (BILLION + i128::from(drift_ppb)) as u128;
    match (u128::from(shown), rate) {
        (0, _) => 0,
        (_, 0) => u64::MAX,
        (shown, rate) => {
            u64::try_from((shown * BILLION as u128).div_ceil(rate)).unwrap_or(u64::MAX)
        }
    }
}
