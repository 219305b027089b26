//! Waiting for time to pass: as `tokio::time`, on the clock of the simulation.
//!
//! The clock is virtual: it moves on when nothing can run until then, so that an hour of waiting
//! costs nothing. Deadlines are kept to the nanosecond; tokio rounds them up to the next
//! millisecond.
//!
//! ```
//! use sim::time::{sleep, timeout, Duration, Instant};
//!
//! sim::runtime::Runtime::new().unwrap().block_on(async {
//!     let start = Instant::now();
//!     let late = timeout(Duration::from_secs(60), sleep(Duration::from_secs(3600))).await;
//!     assert!(late.is_err());
//!     assert!(start.elapsed() >= Duration::from_secs(60));
//! });
//! ```

mod clock;
pub mod error;
mod instant;
mod interval;
mod sleep;
#[cfg(test)]
mod tests;
mod timeout;

pub use self::{
    clock::{advance, pause, resume},
    instant::Instant,
    interval::{Interval, MissedTickBehavior, interval, interval_at},
    sleep::{Sleep, sleep, sleep_until},
    timeout::{Timeout, timeout, timeout_at},
};
#[doc(no_inline)]
pub use std::time::Duration;

/// What "never" means where a duration is too long to be added to an instant; the value is tokio's.
const FAR_FUTURE: Duration = Duration::from_secs(30 * 365 * 86_400);

/// `duration`, or the far future if that is sooner.
fn bounded(duration: Duration) -> Duration {
    duration.min(FAR_FUTURE)
}
