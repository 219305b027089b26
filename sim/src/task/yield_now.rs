//! Letting others run.

use crate::{
    context,
    point::{Access, Op},
};
use std::{
    future::{Future, poll_fn},
    panic::Location,
    task::Poll,
};

/// Is pending once, so that other tasks may run.
///
/// Whether one does is a choice; a calm run lets all that are ready go first.
#[track_caller]
pub fn yield_now() -> impl Future<Output = ()> + Send + Sync {
    let site = Location::caller();
    let mut yielded = false;
    poll_fn(move |cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context::announce(Op { object: 0, access: Access::Yield, site, origin: None });
        cx.waker().wake_by_ref();
        Poll::Pending
    })
}
