//! Progress: what has to come about by a time, such as "requests are served within 30 s after faults stop".
//!
//! Not as `timeout`, whose end a program deals with: here the run fails, and says who waits where.

use super::{Invariant, invariant};
use crate::context::{self, TimerKey};
use pin_project::{pin_project, pinned_drop};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

/// Waits for `future`, which has to be ready within `limit` of virtual time from now on.
///
/// If it is not the run fails as [`FailureKind::Assertion`](crate::FailureKind::Assertion), with the name and who
/// waits where. [`Config::stalls`](crate::Config::stalls) does not strike here.
///
/// # Panics
///
/// Outside of a simulation.
///
/// ```
/// use sim::{time::Duration, sync::oneshot};
///
/// let report = sim::check(sim::Config::new(), || async {
///     let (reply, answer) = oneshot::channel::<u32>();
///     let _forgotten = reply;
///     let _ = sim::within(Duration::from_secs(30), "an answer", answer).await;
/// });
/// let failure = report.failure.unwrap();
/// assert!(failure.message.starts_with("\"an answer\" has not come about within 30s\n  task main waits"));
/// assert_eq!(failure.at, Duration::from_secs(30));
/// ```
#[track_caller]
pub fn within<F: IntoFuture>(
    limit: Duration,
    name: &'static str,
    future: F,
) -> Within<F::IntoFuture> {
    let now_ns = context::expect_world().local_ns();
    let limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    let until_ns = now_ns.saturating_add(limit_ns);
    Within { future: future.into_future(), name, limit, until_ns, timer: None }
}

/// Waits until `condition` is true, which has to be so within `limit` of virtual time from now on.
///
/// The condition is looked at at once, and after each step as that of an [`invariant`]: what is said there of
/// locks and borrows holds here too. It is enough that it is true once. If it never is the run fails as of
/// [`within`].
///
/// # Panics
///
/// Outside of a simulation.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU32, Ordering::SeqCst}};
/// use sim::time::{Duration, sleep};
///
/// # let report = sim::check(sim::Config::new().seeds(5), || async {
/// let served = Arc::new(AtomicU32::new(0));
/// let count = served.clone();
/// sim::spawn(async move {
///     sleep(Duration::from_secs(20)).await;
///     count.fetch_add(1, SeqCst);
/// });
/// sim::eventually(Duration::from_secs(30), "a request is served", move || served.load(SeqCst) > 0).await;
/// # });
/// # assert!(report.failure.is_none(), "{report}");
/// ```
#[track_caller]
pub fn eventually(
    limit: Duration,
    name: &'static str,
    mut condition: impl FnMut() -> bool + 'static,
) -> Within<Eventually> {
    let met = Arc::new(Mutex::new(Met { is_met: condition(), waker: None }));
    let told = met.clone();
    let watch = invariant(name, move || {
        let is_met = told.lock().unwrap().is_met || condition();
        if is_met {
            let waker = {
                let mut met = told.lock().unwrap();
                met.is_met = true;
                met.waker.take()
            };
            waker.into_iter().for_each(Waker::wake);
        }
        true
    });
    within(limit, name, Eventually { met, _watch: watch })
}

/// A future with a limit that fails the run; made by [`within`] and [`eventually`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
#[pin_project(PinnedDrop)]
pub struct Within<F> {
    #[pin]
    future: F,
    name: &'static str,
    limit: Duration,
    until_ns: u64,
    timer: Option<TimerKey>,
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(output);
        }
        let world = context::expect_world();
        if world.local_ns() >= *this.until_ns && !world.is_stopping() {
            let (name, limit) = (this.name, this.limit);
            world.report_late(format!("{name:?} has not come about within {limit:?}"));
        }
        if !this.timer.is_some_and(|timer| context::timer_update(timer, cx.waker())) {
            *this.timer = Some(context::timer_insert(*this.until_ns, cx.waker(), None));
        }
        Poll::Pending
    }
}

#[pinned_drop]
impl<F> PinnedDrop for Within<F> {
    fn drop(self: Pin<&mut Self>) {
        if let Some(timer) = self.timer {
            context::timer_cancel(timer);
        }
    }
}

/// Is ready when a condition was true; made by [`eventually`].
#[derive(Debug)]
pub struct Eventually {
    met: Arc<Mutex<Met>>,
    /// Looks at the condition.
    _watch: Invariant,
}

#[derive(Debug)]
struct Met {
    is_met: bool,
    waker: Option<Waker>,
}

impl Future for Eventually {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut met = self.met.lock().unwrap();
        if met.is_met {
            return Poll::Ready(());
        }
        met.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
