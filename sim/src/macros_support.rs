//! What the macros expand to; no part of the interface.

use pin_project::pin_project;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// One of `n` branches of a `select!`, to be polled first; zero is the first of the source.
pub fn branch(n: u32) -> u32 {
    crate::context::branch(n)
}

/// Ready if the task may go on in this poll.
pub fn poll_budget_available(cx: &mut Context<'_>) -> Poll<()> {
    crate::task::coop::poll_budget_available(cx)
}

/// A node of the tree that holds the futures of a `select!`.
///
/// A tuple would do, but a pinned one cannot be taken apart without unsafe code. The left half is
/// dropped first, so that the futures are dropped in the order of the source.
#[pin_project]
pub struct Pair<A, B> {
    #[pin]
    left: A,
    #[pin]
    right: B,
}

/// Both halves, in order.
pub fn pair<A, B>(left: A, right: B) -> Pair<A, B> {
    Pair { left, right }
}

/// The half of the futures that stand before the others.
pub fn left<A, B>(pair: Pin<&mut Pair<A, B>>) -> Pin<&mut A> {
    pair.project().left
}

/// The half of the futures that stand behind the others.
pub fn right<A, B>(pair: Pin<&mut Pair<A, B>>) -> Pin<&mut B> {
    pair.project().right
}
