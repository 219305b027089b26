//! What an operation that is always ready takes from the task's budget, so that a loop over it lets
//! others run.

use crate::task::coop::{self, poll_proceed};
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Poll, ready},
};

/// Takes one unit, or is pending if there is none.
pub(super) fn poll_charge(cx: &mut Context<'_>) -> Poll<()> {
    poll_proceed(cx).map(|coop| coop.made_progress())
}

/// Does `operation` for one unit if it is ready, for nothing if it is pending.
pub(super) fn poll_charged<T>(
    cx: &mut Context<'_>,
    operation: impl FnOnce(&mut Context<'_>) -> Poll<T>,
) -> Poll<T> {
    let coop = ready!(poll_proceed(cx));
    let output = ready!(operation(cx));
    coop.made_progress();
    Poll::Ready(output)
}

/// Polls `future`, which knows no budget but may poll what does, for one unit each time that it
/// gets on.
pub(super) async fn charged<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| {
        let coop = ready!(poll_proceed(cx));
        let before = left();
        let poll = future.as_mut().poll(cx);
        // What the parts took while it was pending stays taken; giving it back would make the
        // task's budget endless.
        if poll.is_ready() || left() != before {
            coop.made_progress();
        }
        poll
    })
    .await
}

/// What is left of the budget.
fn left() -> coop::Budget {
    let budget = coop::swap(None);
    coop::swap(budget);
    budget
}
