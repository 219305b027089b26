//! What the macros expand to; no part of the interface.

use std::task::{Context, Poll};

/// One of `n` branches of a `select!`, to be polled first.
pub fn branch(n: u32) -> u32 {
    crate::context::branch(n)
}

/// Ready if the task may go on in this poll.
pub fn poll_budget_available(cx: &mut Context<'_>) -> Poll<()> {
    crate::task::coop::poll_budget_available(cx)
}
