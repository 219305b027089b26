//! A channel whose values every receiver gets.

pub use tokio::sync::broadcast::error;

use crate::{
    point::{Access, Object, point},
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
    let object = Arc::new(Object::new(Location::caller()));
    let (sender, receiver) = real::channel(capacity);
    (Sender { inner: sender, object: object.clone() }, Receiver { inner: receiver, object })
}

/// Sends values; may be cloned.
pub struct Sender<T> {
    inner: real::Sender<T>,
    object: Arc<Object>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Sender<T> {
        Sender { inner: self.inner.clone(), object: self.object.clone() }
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
            object: Arc::new(Object::new(Location::caller())),
        }
    }

    /// Sends a value; gives how many receivers will get it.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no receiver.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        point(&self.object, Access::Send, Location::caller());
        self.inner.send(value)
    }

    /// Another receiver, of values that are sent from now on.
    #[track_caller]
    pub fn subscribe(&self) -> Receiver<T> {
        point(&self.object, Access::Read, Location::caller());
        Receiver { inner: self.inner.subscribe(), object: self.object.clone() }
    }

    /// A sender that does not keep the channel open.
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.downgrade(), object: self.object.clone() }
    }

    /// How many values are kept.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether no value is kept.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// How many receivers there are.
    pub fn receiver_count(&self) -> usize {
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
            point(&self.object, Access::Wait, site);
            self.inner.closed().await;
        }
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
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
    object: Arc<Object>,
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.clone(), object: self.object.clone() }
    }
}

impl<T> WeakSender<T> {
    /// A sender, if the channel still is open.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        Some(Sender { inner: self.inner.upgrade()?, object: self.object.clone() })
    }

    /// How many senders there are.
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// How many weak senders there are.
    pub fn weak_count(&self) -> usize {
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
    object: Arc<Object>,
}

impl<T> Receiver<T> {
    /// How many values wait to be received.
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// Whether no value waits.
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Whether both receive from the same channel.
    pub fn same_channel(&self, other: &Receiver<T>) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// How many senders there are.
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    /// Whether there is no sender.
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }
}

impl<T: Clone> Receiver<T> {
    /// Another receiver, of values that are sent from now on.
    pub fn resubscribe(&self) -> Receiver<T> {
        Receiver { inner: self.inner.resubscribe(), object: self.object.clone() }
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
            point(&self.object, Access::Receive, site);
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
        point(&self.object, Access::Receive, Location::caller());
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

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
