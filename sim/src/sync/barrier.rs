//! A point that several tasks have to reach before any goes on.
//!
//! Not tokio's own: it waits by a `watch`, whose waiters a generator spreads that no seed decides.

use super::guard::opaque;
use crate::{
    point::{Access, Object, Site, point},
    task::coop::cooperative,
};
use std::{
    future::Future,
    panic::Location,
    pin::pin,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Lets tasks go on once so many have reached it; then it can be used again.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let barrier = std::sync::Arc::new(sim::sync::Barrier::new(2));
/// let other = sim::spawn({ let barrier = barrier.clone(); async move { barrier.wait().await.is_leader() } });
/// assert!(barrier.wait().await.is_leader() != other.await.unwrap());
/// # });
/// ```
pub struct Barrier {
    object: Object,
    state: Mutex<State>,
    opened: Notify,
    n: usize,
}

crate::faces::nameable!([] Barrier, |this| this.object);

opaque!([] Barrier, "Barrier");

struct State {
    arrived: usize,
    /// How often the barrier has opened.
    generation: usize,
}

/// Tells the leader from the others.
#[derive(Clone, Debug)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this task came last; one of each round did.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl Barrier {
    /// A barrier for `n` tasks; 0 is taken for 1.
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Barrier {
            object: Object::made(Location::caller()),
            state: Mutex::new(State { arrived: 0, generation: 0 }),
            opened: Notify::new(),
            n: n.max(1),
        }
    }

    /// Waits for the others; the last to come is the leader.
    ///
    /// Not cancel safe: who came counts, also if the future is dropped then.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        self.wait_at(Location::caller())
    }

    async fn wait_at(&self, site: Site) -> BarrierWaitResult {
        point(&self.object, Access::Wait, site);
        // Each leaves what it did to the others.
        self.object.publish();
        let mut opened = pin!(self.opened.notified());
        let generation = {
            let mut state = self.state();
            state.arrived += 1;
            if state.arrived == self.n {
                state.arrived = 0;
                state.generation += 1;
                drop(state);
                self.object.take_in();
                self.opened.notify_waiters();
                return BarrierWaitResult(true);
            }
            state.generation
        };
        while self.state().generation == generation {
            cooperative(opened.as_mut()).await;
            opened.set(self.opened.notified());
        }
        self.object.take_in();
        BarrierWaitResult(false)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
