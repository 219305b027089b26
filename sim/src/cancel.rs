//! Cancellation as a choice: a future that may be dropped at any of its awaits.

use crate::{
    context,
    point::{Access, Object, Site, point},
};
use pin_project::pin_project;
use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

/// Drives `future`, and in some runs drops it at one of its awaits, as a lost `select!`, an elapsed `timeout` or
/// an aborted task would: `None` then.
///
/// Whether, and at which await, is a choice of the run, searched together with the schedule: before the first
/// poll, after a wake but before the poll, or while it waits, with others running in between. So a test
/// says in one line that whatever `future` leaves behind has to be in order, wherever it ends. Drop-based
/// cancellation is what tokio's documents call *cancel safety*.
///
/// # Panics
///
/// If it is polled after it was ready. Outside of a simulation it cancels nothing.
///
/// ```
/// use sim::sync::Mutex;
///
/// // Takes money out, waits, and puts it in elsewhere.
/// let report = sim::check(sim::Config::new(), || async {
///     let (from, to) = (Mutex::new(10), Mutex::new(0));
///     sim::cancel_sweep(async {
///         *from.lock().await -= 1;
///         sim::task::yield_now().await;
///         *to.lock().await += 1;
///     })
///     .await;
///     assert_eq!(from.into_inner() + to.into_inner(), 10, "money was lost");
/// });
/// assert!(report.failure.unwrap().message.contains("money was lost"));
/// ```
#[track_caller]
pub fn cancel_sweep<F: Future>(future: F) -> CancelSweep<F> {
    let site = Location::caller();
    CancelSweep { future: Some(future), object: Object::made(site), site, struck: false }
}

/// A future that may be dropped at any of its awaits; made by [`cancel_sweep`].
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct CancelSweep<F> {
    #[pin]
    future: Option<F>,
    object: Object,
    site: Site,
    /// It will be dropped when it is polled next.
    struck: bool,
}

impl<F: Future> Future for CancelSweep<F> {
    type Output = Option<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if *this.struck || context::cancels() {
            point(this.object, Access::Abort, this.site);
            this.future.set(None);
            return Poll::Ready(None);
        }
        let future =
            this.future.as_mut().as_pin_mut().expect("it is not polled after it was ready");
        if let Poll::Ready(output) = future.poll(cx) {
            this.future.set(None);
            return Poll::Ready(Some(output));
        }
        if context::cancels() {
            // Not at once: while it waits, others run, and it may be in their way.
            *this.struck = true;
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<F> std::fmt::Debug for CancelSweep<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CancelSweep").finish_non_exhaustive()
    }
}
