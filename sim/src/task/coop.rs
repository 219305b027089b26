//! The cooperative budget: how many ready operations a task may do before it has to yield.
//!
//! As in tokio, each poll of a task starts with a budget of 128, each operation of `sim` that is
//! ready takes one, and with nothing left the operations are pending until the next poll.
//! Without it, a loop that only polls ready things would starve all other tasks of its worker.

use pin_project::pin_project;
use std::{
    cell::Cell,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What a poll of a task starts with; the value is tokio's.
const INITIAL: Budget = Some(128);

/// Operations left, or no limit.
pub(crate) type Budget = Option<u8>;

thread_local! {
    // It belongs to the task: the executor sets it before each poll and swaps it at a preemption.
    static BUDGET: Cell<Budget> = const { Cell::new(None) };
}

/// Replaces the budget and gives the former one.
pub(crate) fn swap(budget: Budget) -> Budget {
    BUDGET.replace(budget)
}

/// Gives the task that is about to be polled its full budget; gives the former one.
pub(crate) fn refill() -> Budget {
    BUDGET.replace(INITIAL)
}

/// Whether the current task may do another operation in this poll.
///
/// Outside a task this is always true.
pub fn has_budget_remaining() -> bool {
    BUDGET.get() != Some(0)
}

/// Gives the budget back when dropped, unless [`made_progress`](RestoreOnPending::made_progress) was called.
#[derive(Debug)]
#[must_use]
pub struct RestoreOnPending(Cell<Budget>, PhantomData<*mut ()>);

impl RestoreOnPending {
    /// Keeps what was consumed: the operation was ready.
    pub fn made_progress(&self) {
        self.0.set(None);
    }
}

impl Drop for RestoreOnPending {
    fn drop(&mut self) {
        if let Some(budget) = self.0.get() {
            BUDGET.set(Some(budget));
        }
    }
}

/// Takes one unit of the budget, or is pending, and woken at once, if none is left.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    let budget = BUDGET.get();
    match budget {
        Some(0) => {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Some(left) => BUDGET.set(Some(left - 1)),
        None => {}
    }
    Poll::Ready(RestoreOnPending(Cell::new(budget), PhantomData))
}

/// As [`poll_proceed`], but takes nothing.
pub(crate) fn poll_budget_available(cx: &mut Context<'_>) -> Poll<()> {
    if has_budget_remaining() {
        return Poll::Ready(());
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Takes one unit of the budget and yields if there is none.
pub async fn consume_budget() {
    poll_fn(|cx| poll_proceed(cx).map(|coop| coop.made_progress())).await
}

/// A future whose polls take from the budget; made by [`cooperative`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Coop<F> {
    #[pin]
    future: F,
}

/// Lets `future` take one unit of the budget when it is ready, and yield when there is none.
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let coop = ready!(poll_proceed(cx));
        let output = ready!(self.project().future.poll(cx));
        coop.made_progress();
        Poll::Ready(output)
    }
}

/// A future that no budget stops; made by [`unconstrained`].
#[pin_project]
#[must_use = "Unconstrained does nothing unless polled"]
#[derive(Debug)]
pub struct Unconstrained<F> {
    #[pin]
    future: F,
}

/// Exempts `future` from the budget.
pub fn unconstrained<F>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _restore = without_budget();
        self.project().future.poll(cx)
    }
}

/// No limit until the guard is dropped.
pub(crate) fn without_budget() -> Restore {
    Restore(swap(None))
}

/// Sets the budget back, also when the poll panics.
pub(crate) struct Restore(Budget);

impl Drop for Restore {
    fn drop(&mut self) {
        BUDGET.set(self.0);
    }
}
