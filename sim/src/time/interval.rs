//! Ticks at a fixed period.

use crate::time::{Duration, Instant, Sleep, bounded, sleep_until};
use std::{
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// How late a tick may be before it counts as missed; the value is tokio's.
const SLACK: Duration = Duration::from_millis(5);

/// Ticks every `period`, the first time at once.
///
/// # Panics
///
/// If `period` is zero, and outside a simulation.
///
/// ```
/// use sim::time::{interval, Duration};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let mut clock = interval(Duration::from_secs(2));
///     let first = clock.tick().await;
///     assert_eq!(clock.tick().await, first + Duration::from_secs(2));
/// });
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    assert_not_zero(period);
    interval_at(Instant::now(), period)
}

/// Ticks every `period`, the first time at `start`.
///
/// # Panics
///
/// If `period` is zero, and outside a simulation.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert_not_zero(period);
    Interval {
        delay: Box::pin(sleep_until(start)),
        period: bounded(period),
        missed_tick_behavior: MissedTickBehavior::default(),
    }
}

#[track_caller]
fn assert_not_zero(period: Duration) {
    assert!(!period.is_zero(), "`period` must be non-zero.");
}

/// When an [`Interval`] ticks again after a tick was more than five milliseconds late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissedTickBehavior {
    /// At once for each missed tick, until it has caught up.
    #[default]
    Burst,
    /// A period after the late tick.
    Delay,
    /// At the next multiple of the period, counted from the start.
    Skip,
}

impl MissedTickBehavior {
    /// The tick after the one that was due at `due` and happens `now`.
    fn next(self, due: Instant, now: Instant, period: Duration) -> Instant {
        if now <= due + SLACK {
            return due + period;
        }
        match self {
            MissedTickBehavior::Burst => due + period,
            MissedTickBehavior::Delay => now + period,
            MissedTickBehavior::Skip => {
                let beyond_ns = (now - due).as_nanos() % period.as_nanos();
                // Less than the period, which is at most thirty years.
                now + (period - Duration::from_nanos(beyond_ns as u64))
            }
        }
    }
}

/// A clock that ticks; made by [`interval`] and [`interval_at`].
#[derive(Debug)]
pub struct Interval {
    delay: Pin<Box<Sleep>>,
    period: Duration,
    missed_tick_behavior: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick; gives the instant at which it was due.
    ///
    /// Cancel safe: no tick is lost.
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick; gives the instant at which it was due.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.delay.as_mut().poll(cx));
        let due = self.delay.deadline();
        let next = self.missed_tick_behavior.next(due, Instant::now(), self.period);
        self.delay.as_mut().restart(next);
        Poll::Ready(due)
    }

    /// Ticks next a period from now.
    pub fn reset(&mut self) {
        self.reset_after(self.period);
    }

    /// Ticks next at once.
    pub fn reset_immediately(&mut self) {
        self.reset_at(Instant::now());
    }

    /// Ticks next when `after` has passed.
    pub fn reset_after(&mut self, after: Duration) {
        self.reset_at(Instant::now() + bounded(after));
    }

    /// Ticks next at `deadline`.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.delay.as_mut().reset(deadline);
    }

    /// What it does after a missed tick.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed_tick_behavior
    }

    /// Chooses what it does after a missed tick.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed_tick_behavior = behavior;
    }

    /// The time between two ticks.
    pub fn period(&self) -> Duration {
        self.period
    }
}
