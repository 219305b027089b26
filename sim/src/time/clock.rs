//! Freezing the clock and moving it by hand.
//!
//! Virtual time passes quickly without it. It serves tests that step from one instant to the next,
//! written for tokio's `test-util`; the messages are tokio's.

use crate::{
    context::{self, Pause},
    time::{Duration, Instant},
};

const OUTSIDE: &str = "time cannot be frozen from outside the Tokio runtime";

/// Freezes the clock: it moves only by [`advance`], and to the next timer when nothing can run.
///
/// # Panics
///
/// If it is frozen already, in a runtime of several workers, and outside a simulation.
///
/// ```
/// use sim::time::{self, Duration, Instant};
///
/// let runtime = sim::runtime::Builder::new_current_thread().enable_all().build().unwrap();
/// runtime.block_on(async {
///     time::pause();
///     let start = Instant::now();
///     time::advance(Duration::from_secs(10)).await;
///     assert_eq!(start.elapsed(), Duration::from_secs(10));
///     time::resume();
/// });
/// ```
#[track_caller]
pub fn pause() {
    change(|pause| {
        if !pause.current_thread {
            return Err("`time::pause()` requires the `current_thread` Tokio runtime. \
                        This is the default Runtime used by `#[tokio::test].");
        }
        if pause.paused {
            return Err("time is already frozen");
        }
        pause.paused = true;
        Ok(())
    });
}

/// Lets a frozen clock run again, from where it stands.
///
/// # Panics
///
/// If it is not frozen, and outside a simulation.
#[track_caller]
pub fn resume() {
    change(|pause| {
        frozen(pause)?;
        pause.paused = false;
        Ok(())
    });
}

/// Moves a frozen clock forward at once and then yields, so that what became due can run.
///
/// All that is due wakes together. To meet each timer at its own instant, [`sleep`](super::sleep())
/// instead.
///
/// # Panics
///
/// If the clock is not frozen, outside a simulation, and if the clock cannot go that far.
pub async fn advance(duration: Duration) {
    change(|pause| frozen(pause));
    // The clock counts nanoseconds in 64 bits: 584 years.
    let target = u64::try_from(duration.as_nanos())
        .ok()
        .filter(|ns| Instant::now().run_ns().checked_add(*ns).is_some());
    context::advance_by(target.expect("overflow when adding duration to instant")).await;
}

fn frozen(pause: &Pause) -> Result<(), &'static str> {
    if pause.paused { Ok(()) } else { Err("time is not frozen") }
}

/// Applies `f`, and panics with what it refuses.
#[track_caller]
fn change(f: impl FnOnce(&mut Pause) -> Result<(), &'static str>) {
    let verdict = if context::now_ns().is_some() { context::with_pause(f) } else { Err(OUTSIDE) };
    if let Err(message) = verdict {
        panic!("{message}");
    }
}
