//! A flag that tasks wait for, as asyncio's `Event`.

use crate::point::{Access, Object, Site, point};
use std::{
    fmt,
    future::Future,
    panic::Location,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

/// A flag that is set and cleared; [`wait`](Event::wait) waits until it is set.
///
/// As with asyncio's: who waits when it is set goes on, even if it is cleared again at once.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let event = std::sync::Arc::new(sim::sync::Event::new());
/// let waiter = sim::spawn({ let event = event.clone(); async move { event.wait().await } });
/// sim::task::yield_now().await;
/// event.set();
/// event.clear();
/// # event.set();
/// waiter.await.unwrap();
/// # });
/// ```
pub struct Event {
    object: Object,
    set: AtomicBool,
    waiters: tokio::sync::Notify,
}

crate::faces::nameable!([] Event, |this| this.object);

impl Event {
    /// Not set.
    #[track_caller]
    pub const fn new() -> Event {
        Event {
            object: Object::new(Location::caller()),
            set: AtomicBool::new(false),
            waiters: tokio::sync::Notify::const_new(),
        }
    }

    /// Sets the flag, and wakes all that wait.
    #[track_caller]
    pub fn set(&self) {
        point(&self.object, Access::Notify, Location::caller());
        self.set.store(true, SeqCst);
        self.waiters.notify_waiters();
    }

    /// Clears the flag.
    #[track_caller]
    pub fn clear(&self) {
        point(&self.object, Access::Write, Location::caller());
        self.set.store(false, SeqCst);
    }

    /// Whether the flag is set.
    #[track_caller]
    pub fn is_set(&self) -> bool {
        point(&self.object, Access::Read, Location::caller());
        self.set.load(SeqCst)
    }

    /// Waits until the flag is set. Cancel safe.
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = ()> {
        self.wait_at(Location::caller())
    }

    async fn wait_at(&self, site: Site) {
        point(&self.object, Access::Wait, site);
        // Nothing comes between the look and the making of the future, which gets every later set.
        if !self.set.load(SeqCst) {
            self.waiters.notified().await;
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("set", &self.set).finish_non_exhaustive()
    }
}

impl Default for Event {
    #[track_caller]
    fn default() -> Event {
        Event::new()
    }
}
