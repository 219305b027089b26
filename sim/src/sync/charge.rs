//! What waiting for permits costs of the budget: one unit, as in tokio, once they have been got.
//!
//! The place in the queue is kept even in a poll without budget, and who gets nothing pays nothing.

use crate::{
    hold::Share,
    point::{Object, Site},
    task::coop::consume_budget,
};
use std::{
    future::Future,
    sync::{Mutex, PoisonError},
};

/// Waits for a share of `object`, and takes one unit of the budget once it has been got.
pub(super) async fn charged<F: Future>(
    object: &Object,
    share: Share,
    site: Site,
    future: F,
) -> F::Output {
    // In a mutex, never locked, so that the wait can be shared where a guard can only be sent: tokio's can.
    let output = Mutex::new(object.waiting(share, site, future).await);
    consume_budget().await;
    output.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// As [`charged`], but an error costs nothing.
pub(super) async fn charged_ok<T, E>(future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let output = future.await?;
    consume_budget().await;
    Ok(output)
}
