//! A channel that keeps only the latest value.
//!
//! The value and its versions are tokio's; the waiting is not: tokio spreads its waiters over several
//! queues, by a generator that no seed of ours decides. Here all wait in one queue.

pub use tokio::sync::watch::{Ref, error};

use super::guard::{Channel, transparent};
use crate::{
    point::{Access, Site, point},
    task::coop::cooperative,
};
use error::{RecvError, SendError};
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};
use tokio::sync::{Notify, watch as real};

/// A channel that keeps only the latest value, at first `init`.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let (sender, mut receiver) = sim::sync::watch::channel(1);
/// sim::spawn(async move { sender.send(2) });
/// receiver.changed().await.unwrap();
/// assert_eq!(*receiver.borrow(), 2);
/// # });
/// ```
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let (sender, receiver) = real::channel(init);
    let shared = Arc::new(Shared {
        channel: Channel::new(Location::caller()),
        changed: Notify::new(),
        senders: AtomicUsize::new(1),
    });
    (Sender { inner: sender, shared: Waker(shared.clone()) }, Receiver { inner: receiver, shared })
}

struct Shared {
    channel: Channel,
    changed: Notify,
    senders: AtomicUsize,
}

/// Wakes the receivers when the last sender is dropped. It stands behind the sender in the struct, so
/// that it is dropped after it.
struct Waker(Arc<Shared>);

impl Clone for Waker {
    fn clone(&self) -> Waker {
        self.0.senders.fetch_add(1, SeqCst);
        Waker(self.0.clone())
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, SeqCst) == 1 {
            self.0.changed.notify_waiters();
        }
    }
}

/// Sends values; may be cloned.
pub struct Sender<T> {
    inner: real::Sender<T>,
    shared: Waker,
}

crate::faces::nameable!([T] Sender<T>, |this| this.shared.0.channel.object);

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Only the last makes a difference to others.
        if self.inner.sender_count() == 1 {
            self.shared.0.channel.leave();
        }
    }
}

transparent!([T: fmt::Debug] Sender<T>);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Sender<T> {
        Sender::new(T::default())
    }
}

impl<T> Sender<T> {
    /// A sender without receivers yet.
    #[track_caller]
    pub fn new(init: T) -> Sender<T> {
        channel(init).0
    }

    fn point(&self, access: Access, site: Site) {
        point(&self.shared.0.channel.object, access, site);
    }

    /// Sends a value.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no receiver.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.point(Access::Send, Location::caller());
        let result = self.inner.send(value);
        self.shared.0.changed.notify_waiters();
        result
    }

    /// Changes the value in place.
    #[track_caller]
    pub fn send_modify<F: FnOnce(&mut T)>(&self, modify: F) {
        self.point(Access::Send, Location::caller());
        self.inner.send_modify(modify);
        self.shared.0.changed.notify_waiters();
    }

    /// Changes the value in place; receivers are only told if `modify` says so.
    #[track_caller]
    pub fn send_if_modified<F: FnOnce(&mut T) -> bool>(&self, modify: F) -> bool {
        self.point(Access::Send, Location::caller());
        let modified = self.inner.send_if_modified(modify);
        if modified {
            self.shared.0.changed.notify_waiters();
        }
        modified
    }

    /// Sends a value and gives the former one.
    #[track_caller]
    pub fn send_replace(&self, value: T) -> T {
        self.point(Access::Send, Location::caller());
        let former = self.inner.send_replace(value);
        self.shared.0.changed.notify_waiters();
        former
    }

    /// The value.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.point(Access::Read, Location::caller());
        self.inner.borrow()
    }

    /// Whether there is no receiver.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        self.point(Access::Read, Location::caller());
        self.inner.is_closed()
    }

    /// Waits until there is no receiver.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let site = Location::caller();
        async move {
            self.point(Access::Wait, site);
            cooperative(self.inner.closed()).await;
        }
    }

    /// Another receiver; to it the value is not new.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        self.point(Access::Read, Location::caller());
        Receiver { inner: self.inner.subscribe(), shared: self.shared.0.clone() }
    }

    /// How many receivers there are.
    #[track_caller]
    pub fn receiver_count(&self) -> usize {
        self.point(Access::Read, Location::caller());
        self.inner.receiver_count()
    }

    /// How many senders there are.
    #[track_caller]
    pub fn sender_count(&self) -> usize {
        self.point(Access::Read, Location::caller());
        self.inner.sender_count()
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

/// Sees the latest value; may be cloned.
pub struct Receiver<T> {
    inner: real::Receiver<T>,
    shared: Arc<Shared>,
}

crate::faces::nameable!([T] Receiver<T>, |this| this.shared.channel.object);

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.shared.channel.leave();
    }
}

transparent!([T: fmt::Debug] Receiver<T>);

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Receiver<T> {
        Receiver { inner: self.inner.clone(), shared: self.shared.clone() }
    }
}

impl<T> Receiver<T> {
    /// The value; does not mark it as seen.
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        point(&self.shared.channel.object, Access::Read, Location::caller());
        self.inner.borrow()
    }

    /// The value, and marks it as seen.
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        point(&self.shared.channel.object, Access::Read, Location::caller());
        self.inner.borrow_and_update()
    }

    /// Whether there is a value that was not seen.
    ///
    /// # Errors
    ///
    /// Fails if there is no sender.
    #[track_caller]
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        point(&self.shared.channel.object, Access::Read, Location::caller());
        self.inner.has_changed()
    }

    /// Whether there is no sender.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        point(&self.shared.channel.object, Access::Read, Location::caller());
        self.inner.is_closed()
    }

    /// Marks the value as not seen.
    pub fn mark_changed(&mut self) {
        self.inner.mark_changed();
    }

    /// Marks the value as seen.
    pub fn mark_unchanged(&mut self) {
        self.inner.mark_unchanged();
    }

    /// Waits for a value that was not seen, and marks it as seen. Cancel safe.
    ///
    /// # Errors
    ///
    /// Fails if there is none and no sender.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> {
        let site = Location::caller();
        async move {
            point(&self.shared.channel.object, Access::Receive, site);
            let Receiver { inner, shared } = self;
            cooperative(changed(inner, shared)).await
        }
    }

    /// Waits for a value that `f` wants, the present one included, and marks it as seen.
    ///
    /// # Errors
    ///
    /// Fails if there is no sender and the last value is not wanted.
    #[track_caller]
    pub fn wait_for(
        &mut self,
        mut f: impl FnMut(&T) -> bool,
    ) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        let site = Location::caller();
        async move {
            point(&self.shared.channel.object, Access::Receive, site);
            let Receiver { inner, shared } = self;
            cooperative(async {
                loop {
                    // Marked as seen before the look, also if `f` panics: as tokio does.
                    let (wanted, is_new) = {
                        let value = inner.borrow_and_update();
                        (f(&value), value.has_changed())
                    };
                    if wanted {
                        break Ok(is_new);
                    }
                    changed(inner, shared).await?;
                }
            })
            .await
            .map(|is_new| {
                if is_new {
                    inner.mark_changed();
                }
                inner.borrow_and_update()
            })
        }
    }

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }
}

async fn changed<T>(inner: &mut real::Receiver<T>, shared: &Shared) -> Result<(), RecvError> {
    loop {
        let mut waiting = pin!(shared.changed.notified());
        // In the queue before the look, so that no change is missed.
        waiting.as_mut().enable();
        let is_new = match inner.has_changed() {
            Ok(is_new) => is_new,
            // No sender; but perhaps a last value. Nobody holds the value's lock for long any more.
            Err(_) if inner.borrow().has_changed() => true,
            Err(closed) => return Err(closed),
        };
        if is_new {
            inner.mark_unchanged();
            return Ok(());
        }
        waiting.await;
    }
}
