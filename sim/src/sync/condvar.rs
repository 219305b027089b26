//! A condition that holders of a [`Mutex`] wait for, as std's `Condvar`.

use super::{Mutex, MutexGuard, guard::opaque};
use crate::point::{Access, Object, Site, announce, point};
use std::{future::Future, panic::Location};

/// Lets a task give a [`Mutex`] back and wait, in one step, until another says that something changed.
///
/// First come, first served, and no wake-up is lost: the waiter is in the queue before the mutex is
/// given back. A notification that finds nobody waiting is forgotten, as std's. Look at the
/// condition again after a wait: another may have come first.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use sim::sync::{Condvar, Mutex};
/// let shared = std::sync::Arc::new((Mutex::new(false), Condvar::new()));
/// let waiter = sim::spawn({
///     let shared = shared.clone();
///     async move {
///         let (done, changed) = &*shared;
///         let guard = changed.wait_while(done.lock().await, |done| !*done).await;
///         assert!(*guard);
///     }
/// });
/// let (done, changed) = &*shared;
/// *done.lock().await = true;
/// changed.notify_one();
/// waiter.await.unwrap();
/// # });
/// ```
pub struct Condvar {
    object: Object,
    waiters: tokio::sync::Semaphore,
    /// How many wait and have not been notified.
    waiting: std::sync::Mutex<usize>,
}

crate::faces::nameable!([] Condvar, |this| this.object);

impl Condvar {
    /// Nobody waits.
    #[track_caller]
    pub const fn new() -> Condvar {
        Condvar {
            object: Object::new(Location::caller()),
            waiters: tokio::sync::Semaphore::const_new(0),
            waiting: std::sync::Mutex::new(0),
        }
    }

    /// Gives the mutex back, waits for a notification, and takes the mutex again.
    ///
    /// Cancelled while it waits, it leaves the queue; a notification that it had got goes to the next.
    /// The mutex is not held then.
    #[track_caller]
    pub fn wait<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
    ) -> impl Future<Output = MutexGuard<'a, T>> {
        self.wait_at(guard, Location::caller())
    }

    async fn wait_at<'a, T: ?Sized>(
        &self,
        guard: MutexGuard<'a, T>,
        site: Site,
    ) -> MutexGuard<'a, T> {
        let mutex: &'a Mutex<T> = MutexGuard::mutex(&guard);
        point(&self.object, Access::Wait, site);
        {
            let mut turn = Turn { condvar: self, notified: false };
            *self.waiting() += 1;
            let mut permit = std::pin::pin!(self.waiters.acquire());
            let mut guard = Some(guard);
            std::future::poll_fn(|cx| {
                let poll = permit.as_mut().poll(cx);
                // In the queue now: the mutex may go. What is waited for then is not the mutex.
                if guard.take().is_some() && poll.is_pending() {
                    announce(&self.object, Access::Wait, site);
                }
                poll.map(|permit| permit.expect("the semaphore is never closed").forget())
            })
            .await;
            turn.notified = true;
        }
        mutex.lock_at(site).await
    }

    /// Waits as long as `condition` holds.
    #[track_caller]
    pub fn wait_while<'a, T: ?Sized, F>(
        &self,
        guard: MutexGuard<'a, T>,
        mut condition: F,
    ) -> impl Future<Output = MutexGuard<'a, T>>
    where
        F: FnMut(&mut T) -> bool,
    {
        let site = Location::caller();
        async move {
            let mut guard = guard;
            while condition(&mut *guard) {
                guard = self.wait_at(guard, site).await;
            }
            guard
        }
    }

    /// Wakes the task that waits longest.
    #[track_caller]
    pub fn notify_one(&self) {
        point(&self.object, Access::Notify, Location::caller());
        self.notify(1);
    }

    /// Wakes all that wait.
    #[track_caller]
    pub fn notify_all(&self) {
        point(&self.object, Access::Notify, Location::caller());
        self.notify(usize::MAX);
    }

    fn notify(&self, most: usize) {
        let woken = {
            let mut waiting = self.waiting();
            let woken = (*waiting).min(most);
            *waiting -= woken;
            woken
        };
        self.waiters.add_permits(woken);
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, usize> {
        self.waiting.lock().unwrap_or_else(|error| error.into_inner())
    }
}

opaque!([] Condvar, "Condvar");

impl Default for Condvar {
    #[track_caller]
    fn default() -> Condvar {
        Condvar::new()
    }
}

/// A waiter's place. One that is given up is no longer counted; if all that were counted have been
/// notified, its own notification stands in the semaphore and is for the next.
struct Turn<'a> {
    condvar: &'a Condvar,
    notified: bool,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.notified {
            let mut waiting = self.condvar.waiting();
            match *waiting {
                // It was notified and did not come to see it: nobody else waits for it.
                0 => drop(
                    self.condvar.waiters.try_acquire().map(tokio::sync::SemaphorePermit::forget),
                ),
                _ => *waiting -= 1,
            }
        }
    }
}
