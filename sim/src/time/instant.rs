//! A point on the clock of the simulation.

use crate::context;
use std::{
    fmt,
    ops::{Add, AddAssign, Sub, SubAssign},
    time::Duration,
};

/// A point in time, as [`std::time::Instant`], read from the clock of the simulation.
///
/// ```
/// use sim::time::{sleep, Duration, Instant};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let start = Instant::now();
///     sleep(Duration::from_millis(5)).await;
///     assert!(start.elapsed() >= Duration::from_millis(5));
///     assert_eq!(start - Instant::now(), Duration::ZERO);
/// });
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: std::time::Instant,
}

impl Instant {
    /// The present: virtual inside a simulation, the machine's outside.
    pub fn now() -> Instant {
        match context::now_ns() {
            Some(now_ns) => Instant::at(now_ns),
            None => Instant::from_std(std::time::Instant::now()),
        }
    }

    /// The instant `at_ns` after the start of the run.
    pub(super) fn at(at_ns: u64) -> Instant {
        Instant::from_std(context::instant_base() + Duration::from_nanos(at_ns))
    }

    /// Nanoseconds from the start of the run: 0 for what was before, at most `u64::MAX`.
    pub(super) fn run_ns(self) -> u64 {
        let since_start = self.std.saturating_duration_since(context::instant_base());
        u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Wraps an instant of std.
    pub fn from_std(std: std::time::Instant) -> Instant {
        Instant { std }
    }

    /// The instant of std.
    pub fn into_std(self) -> std::time::Instant {
        self.std
    }

    /// The time since `earlier`; zero if that is later than this.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time since `earlier`; `None` if that is later than this.
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// The time since `earlier`; zero if that is later than this.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time from this until now; zero if this lies ahead.
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// This plus `duration`; `None` if that cannot be represented.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Instant::from_std)
    }

    /// This minus `duration`; `None` if that cannot be represented.
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_sub(duration).map(Instant::from_std)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(std: std::time::Instant) -> Instant {
        Instant::from_std(std)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> std::time::Instant {
        instant.into_std()
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    fn add(self, duration: Duration) -> Instant {
        Instant::from_std(self.std + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    fn sub(self, duration: Duration) -> Instant {
        Instant::from_std(self.std - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}
