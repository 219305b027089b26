//! The clock of a node, as a person who sets it wrong sees it.

use super::Node;
use std::time::Duration;

/// The clock of a node, which survives its crashes. Exact unless it is changed.
///
/// It is what the node's processes see of [`sim::time`](crate::time), and on Linux of `std::time` too. The monotonic clock,
/// on which timers and sleeps count, only drifts and never goes back; the wall clock, `SystemTime`, is also ahead or
/// behind, and jumps.
///
/// ```
/// use sim::{node::Shift, time::{Duration, Instant, sleep}};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let server = sim::node("server").start(|| async {
///         let start = Instant::now();
///         sleep(Duration::from_secs(100)).await;
///         assert!(start.elapsed() >= Duration::from_secs(100)); // of its own
///     });
///     server.clock().drift(-100_000); // 10 % slow
///     server.clock().skew(Shift::Back(Duration::from_secs(3)));
///     let start = Instant::now();
///     server.join().await.unwrap();
///     assert!(start.elapsed() > Duration::from_secs(111));
/// });
/// ```
#[derive(Clone, Debug)]
pub struct Clock {
    node: Node,
}

/// How far a clock is off, or is set, and in which direction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shift {
    /// Ahead of the time.
    Forward(Duration),
    /// Behind it.
    Back(Duration),
}

impl From<Duration> for Shift {
    /// Ahead.
    fn from(ahead: Duration) -> Shift {
        Shift::Forward(ahead)
    }
}

impl Shift {
    /// Nanoseconds; 292 years at most.
    fn ns(self) -> i64 {
        let (size, sign) = match self {
            Shift::Forward(size) => (size, 1),
            Shift::Back(size) => (size, -1),
        };
        sign * i64::try_from(size.as_nanos()).unwrap_or(i64::MAX)
    }
}

impl Clock {
    pub(super) fn new(node: Node) -> Clock {
        Clock { node }
    }

    #[track_caller]
    fn change(&self, change: impl FnOnce(&mut sim_time::Clock, u64)) {
        self.node.world().change_clock(self.node.inner.number, change);
    }

    /// Sets how far the wall clock is off, instead of what was set so before. More than 292 years are 292.
    ///
    /// # Panics
    ///
    /// If the run is over, as the others do.
    #[track_caller]
    pub fn skew(&self, off: impl Into<Shift>) {
        let off = off.into().ns();
        self.change(|clock, _| clock.set_offset(off));
    }

    /// Sets how much faster (or, negative, slower) both clocks run from now on, in parts per million: 1,000 gains a
    /// millisecond a second, -1,000,000 stands still.
    ///
    /// Sleeps that are under way end when the clock shows their time.
    ///
    /// # Panics
    ///
    /// Below -1,000,000 and above 2,000,000.
    #[track_caller]
    pub fn drift(&self, ppm: i32) {
        assert!(
            (-1_000_000..=2_000_000).contains(&ppm),
            "a clock drifts by -1,000,000 to 2,000,000 parts per million, not by {ppm}"
        );
        self.change(|clock, now| clock.set_drift(ppm * 1_000, now));
    }

    /// Moves the wall clock, as an operator does who sets it. The monotonic clock does not notice.
    #[track_caller]
    pub fn jump(&self, by: impl Into<Shift>) {
        let by = by.into().ns();
        self.change(|clock, now| clock.jump(by, now));
    }
}
