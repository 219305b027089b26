//! A point that several tasks have to reach before any goes on.

use super::BarrierWaitResult;
use crate::point::{Access, Object, point};
use std::{future::Future, panic::Location};

/// Lets tasks go on once so many have reached it; then it can be used again.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let barrier = std::sync::Arc::new(sim::sync::Barrier::new(2));
/// let other = sim::spawn({ let barrier = barrier.clone(); async move { barrier.wait().await.is_leader() } });
/// assert!(barrier.wait().await.is_leader() != other.await.unwrap());
/// # });
/// ```
#[derive(Debug)]
pub struct Barrier {
    object: Object,
    inner: tokio::sync::Barrier,
}

impl Barrier {
    /// A barrier for `n` tasks; 0 is taken for 1.
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Barrier { object: Object::new(Location::caller()), inner: tokio::sync::Barrier::new(n) }
    }

    /// Waits for the others; the last to come is the leader. Not cancel safe.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Wait, site);
            self.inner.wait().await
        }
    }
}
