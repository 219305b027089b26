//! Waiting for a future, but not for ever.

use crate::{
    task::coop,
    time::{Duration, Instant, Sleep, error::Elapsed, sleep_until},
};
use pin_project::pin_project;
use std::{
    future::{Future, IntoFuture},
    pin::{Pin, pin},
    task::{Context, Poll},
};

/// Waits for `future`, at most for `duration`.
///
/// The future is polled first: if it is ready when the time is over, its value is given. A duration
/// that is too long to be added to the present is no limit.
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// use sim::time::{timeout, Duration};
/// use std::future::pending;
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     assert_eq!(timeout(Duration::from_secs(1), async { 7 }).await, Ok(7));
///     assert!(timeout(Duration::from_secs(1), pending::<()>()).await.is_err());
/// });
/// ```
#[track_caller]
pub fn timeout<F: IntoFuture>(duration: Duration, future: F) -> Timeout<F::IntoFuture> {
    // Not `Option::map`: a closure would not pass on the caller.
    #[allow(clippy::manual_map)] // in a closure the caller's place would be lost
    let delay = match Instant::now().checked_add(duration) {
        Some(deadline) => Some(sleep_until(deadline)),
        None => None,
    };
    Timeout { future: future.into_future(), delay }
}

/// Waits for `future`, at most until `deadline`.
///
/// # Panics
///
/// Outside a simulation.
#[track_caller]
pub fn timeout_at<F: IntoFuture>(deadline: Instant, future: F) -> Timeout<F::IntoFuture> {
    Timeout { future: future.into_future(), delay: Some(sleep_until(deadline)) }
}

/// A future with a limit; made by [`timeout`] and [`timeout_at`].
#[must_use = "futures do nothing unless you `.await` or poll them"]
#[derive(Debug)]
#[pin_project]
pub struct Timeout<T> {
    #[pin]
    future: T,
    #[pin]
    delay: Option<Sleep>,
}

impl<T> Timeout<T> {
    /// The future inside.
    pub fn get_ref(&self) -> &T {
        &self.future
    }

    /// The future inside.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.future
    }

    /// The future, without a limit.
    pub fn into_inner(self) -> T {
        self.future
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    // What it waits for names the place that waits for both.
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = coop::has_budget_remaining();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        let Some(delay) = this.delay.as_pin_mut() else { return Poll::Pending };
        // A future that always uses up the budget must not keep the limit from being seen.
        let elapsed = if had_budget && !coop::has_budget_remaining() {
            pin!(coop::unconstrained(delay)).poll(cx)
        } else {
            delay.poll(cx)
        };
        elapsed.map(|()| Err(Elapsed::new()))
    }
}
