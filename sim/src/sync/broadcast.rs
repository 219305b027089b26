//! A channel whose values every receiver gets.

pub use tokio::sync::broadcast::error;

use super::guard::Channel;
use crate::{
    point::{Access, point},
    runtime::block_on_here,
    task::coop::cooperative,
};
use error::{RecvError, SendError, TryRecvError};
use std::{fmt, future::Future, panic::Location, sync::Arc};
use tokio::sync::broadcast as real;

/// A channel that keeps at least the last `capacity` values for slow receivers.
///
/// # Panics
///
/// Panics at a capacity of 0 or more than `usize::MAX / 2`.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let (sender, mut one) = sim::sync::broadcast::channel(8);
/// let mut other = sender.subscribe();
/// sender.send("hello").unwrap();
/// assert_eq!(one.recv().await, Ok("hello"));
/// assert_eq!(other.recv().await, Ok("hello"));
/// # });
/// ```
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel::new(Location::caller()));
    let (sender, receiver) = real::channel(capacity);
    (Sender { inner: sender, channel: channel.clone() }, Receiver { inner: receiver, channel })
}

/// Sends values; may be cloned.
pub struct Sender<T> {
    inner: real::Sender<T>,
    channel: Arc<Channel>,
}

crate::faces::nameable!([T] Sender<T>, |this| this.channel.object);

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender { inner: self.inner.clone(), channel: self.channel.clone() }
    }
}

impl<T> Sender<T> {
    /// A sender without receivers yet.
    ///
    /// # Panics
    ///
    /// Panics at a capacity of 0 or more than `usize::MAX / 2`.
    #[track_caller]
    pub fn new(capacity: usize) -> Sender<T> {
        Sender {
            inner: real::Sender::new(capacity),
            channel: Arc::new(Channel::new(Location::caller())),
        }
    }

    /// Sends a value; gives how many receivers will get it.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no receiver.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        point(&self.channel.object, Access::Send, Location::caller());
        self.inner.send(value)
    }

    /// Another receiver, of values that are sent from now on.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        point(&self.channel.object, Access::Read, Location::caller());
        Receiver { inner: self.inner.subscribe(), channel: self.channel.clone() }
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.downgrade(), channel: self.channel.clone() }
    }

    /// How many values are kept.
    #[track_caller]
    pub fn len(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.len()
    }

    /// Whether no value is kept.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.is_empty()
    }

    /// How many receivers there are.
    #[track_caller]
    pub fn receiver_count(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.receiver_count()
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Sender<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Waits until there is no receiver.
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        let site = Location::caller();
        async move {
            point(&self.channel.object, Access::Wait, site);
            self.inner.closed().await;
        }
    }

    /// How many senders there are.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.strong_count()
    }

    /// How many weak senders there are.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.weak_count()
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        // Only the last makes a difference to others.
        if self.inner.strong_count() == 1 {
            self.channel.leave();
        }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A sender that does not keep the channel open; made by [`Sender::downgrade`].
pub struct WeakSender<T> {
    inner: real::WeakSender<T>,
    channel: Arc<Channel>,
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.clone(), channel: self.channel.clone() }
    }
}

impl<T> WeakSender<T> {
    /// A sender, if the channel still is open.
    #[track_caller]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        point(&self.channel.object, Access::Read, Location::caller());
        Some(Sender { inner: self.inner.upgrade()?, channel: self.channel.clone() })
    }

    /// How many senders there are.
    #[track_caller]
    pub fn strong_count(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.strong_count()
    }

    /// How many weak senders there are.
    #[track_caller]
    pub fn weak_count(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.weak_count()
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Receives every value that is sent after it was made.
pub struct Receiver<T> {
    inner: real::Receiver<T>,
    channel: Arc<Channel>,
}

crate::faces::nameable!([T] Receiver<T>, |this| this.channel.object);

impl<T> Receiver<T> {
    /// How many values wait to be received.
    #[track_caller]
    pub fn len(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.len()
    }

    /// Whether no value waits.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.is_empty()
    }

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// How many senders there are.
    #[track_caller]
    pub fn sender_strong_count(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.sender_strong_count()
    }

    /// How many weak senders there are.
    #[track_caller]
    pub fn sender_weak_count(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.sender_weak_count()
    }

    /// Whether there is no sender.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.is_closed()
    }
}

impl<T: Clone> Receiver<T> {
    /// Another receiver, of values that are sent from now on.
    #[track_caller]
    pub fn resubscribe(&self) -> Receiver<T> {
        point(&self.channel.object, Access::Read, Location::caller());
        Receiver { inner: self.inner.resubscribe(), channel: self.channel.clone() }
    }

    /// Waits for a value. Cancel safe.
    ///
    /// # Errors
    ///
    /// Fails if there is no sender, or if values were lost because this receiver was too slow.
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> {
        let site = Location::caller();
        async move {
            point(&self.channel.object, Access::Receive, site);
            cooperative(self.inner.recv()).await
        }
    }

    /// A value, if one waits.
    ///
    /// # Errors
    ///
    /// Fails if none does, if there is no sender, or if values were lost.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        point(&self.channel.object, Access::Receive, Location::caller());
        self.inner.try_recv()
    }

    /// As [`recv`](Receiver::recv), on a thread.
    ///
    /// # Errors
    ///
    /// As [`recv`](Receiver::recv).
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block_on_here(self.recv())
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.channel.leave();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
