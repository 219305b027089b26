//! Waiting for an instant.
//!
//! ```text
//! New --1--> Counting(Some) --2--> Elapsed
//!    1 first poll: the timer is armed, unless the clock is there (then straight to Elapsed)
//!    2 a poll that finds the clock at the deadline
//! Any --reset--> Counting: armed again for who was waiting, else with the next poll
//! ```
//!
//! Whether the time has come is always read from the clock; the timer only wakes.

use crate::{
    context::{self, TimerKey},
    point::{Access, Object, Site, point},
    task::coop,
    time::{Duration, Instant, bounded},
};
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    mem,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

/// Waits for `duration`.
///
/// A duration that is too long for the clock counts as thirty years.
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// use sim::time::{sleep, Duration, Instant};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let start = Instant::now();
///     sleep(Duration::from_secs(86_400)).await;
///     assert!(start.elapsed() >= Duration::from_secs(86_400));
/// });
/// ```
#[doc(alias = "delay_for")]
#[doc(alias = "wait")]
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    sleep_until(Instant::now() + bounded(duration))
}

/// Waits for the instant `deadline`; is ready at once if that has passed.
///
/// # Panics
///
/// Outside a simulation.
#[doc(alias = "delay_until")]
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    context::expect_timers();
    let site = Location::caller();
    Sleep { deadline, stage: Stage::New, object: Object::made(site), site }
}

/// A future that is ready at an instant; made by [`sleep`] and [`sleep_until`].
///
/// ```
/// use sim::time::{sleep, Duration};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let mut nap = Box::pin(sleep(Duration::from_secs(1)));
///     let later = nap.deadline() + Duration::from_secs(1);
///     nap.as_mut().reset(later);
///     nap.as_mut().await;
///     assert!(nap.is_elapsed());
/// });
/// ```
#[doc(alias = "Delay")]
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[pin_project(!Unpin)]
pub struct Sleep {
    deadline: Instant,
    stage: Stage,
    object: Object,
    site: Site,
}

enum Stage {
    New,
    /// `None` if nobody waits: it was reset before its first poll, or after its timer had fired.
    Counting(Option<Alarm>),
    Elapsed,
}

impl Sleep {
    /// When it is ready.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the time has come; always false before it is polled or reset.
    pub fn is_elapsed(&self) -> bool {
        match self.stage {
            Stage::New => false,
            Stage::Counting(_) => {
                context::now_ns().is_some_and(|now_ns| now_ns >= self.deadline.run_ns())
            }
            Stage::Elapsed => true,
        }
    }

    /// Moves the deadline, earlier or later.
    ///
    /// Who waited for the former deadline is woken at the new one. It can be used again after it
    /// was ready.
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.deadline = deadline;
        let alarm = match mem::replace(this.stage, Stage::Counting(None)) {
            Stage::Counting(Some(alarm)) => alarm.moved_to(deadline),
            _ => None,
        };
        *this.stage = Stage::Counting(alarm);
    }

    /// As [`reset`](Sleep::reset), but wakes nobody before it is polled.
    pub(super) fn restart(self: Pin<&mut Self>, deadline: Instant) {
        let this = self.project();
        *this.deadline = deadline;
        *this.stage = Stage::New;
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        if let Stage::New | Stage::Counting(None) = this.stage {
            point(this.object, Access::Wait, this.site);
        }
        let coop = ready!(coop::poll_proceed(cx));
        if let Stage::Elapsed = this.stage {
            coop.made_progress();
            return Poll::Ready(());
        }
        let Some(now_ns) = context::now_ns() else { panic!("{}", context::NO_RUNTIME) };
        let at_ns = this.deadline.run_ns();
        if now_ns >= at_ns || context::stalls_until(at_ns) {
            *this.stage = Stage::Elapsed;
            coop.made_progress();
            return Poll::Ready(());
        }
        match this.stage {
            Stage::Counting(Some(alarm)) => alarm.refresh(at_ns, cx.waker()),
            stage => *stage = Stage::Counting(Some(Alarm::arm(at_ns, cx.waker(), this.site))),
        }
        Poll::Pending
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

/// A timer, and whom it wakes; disarmed when dropped.
struct Alarm {
    key: TimerKey,
    waker: Waker,
    site: Site,
}

impl Alarm {
    fn arm(at_ns: u64, waker: &Waker, site: Site) -> Alarm {
        let key = context::timer_insert(at_ns, waker, Some(site));
        Alarm { key, waker: waker.clone(), site }
    }

    /// Makes sure that `waker` is woken. Arms again if the timer fired too early, as after a jump
    /// of a node's clock.
    fn refresh(&mut self, at_ns: u64, waker: &Waker) {
        if !context::timer_update(self.key, waker) {
            *self = Alarm::arm(at_ns, waker, self.site);
        } else if !self.waker.will_wake(waker) {
            self.waker.clone_from(waker);
        }
    }

    /// The same for another deadline; `None` if it fired before, or has to fire now.
    fn moved_to(self, deadline: Instant) -> Option<Alarm> {
        let now_ns = context::now_ns()?;
        if !context::timer_update(self.key, &self.waker) {
            return None;
        }
        let at_ns = deadline.run_ns();
        if now_ns >= at_ns {
            self.waker.wake_by_ref();
            return None;
        }
        Some(Alarm::arm(at_ns, &self.waker, self.site))
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        context::timer_cancel(self.key);
    }
}
