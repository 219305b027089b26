//! A channel that takes any number of values.

use super::{
    common::{receiver, sender},
    error::{SendError, TryRecvError},
};
use crate::{
    point::{Access, Object, point},
    runtime::block_on_here,
    task::coop::{cooperative, poll_proceed},
};
use std::{
    future::Future,
    panic::Location,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::mpsc as real;

/// A channel that takes any number of values.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let (sender, mut receiver) = sim::sync::mpsc::unbounded_channel();
/// sender.send(1).unwrap();
/// drop(sender);
/// assert_eq!(receiver.recv().await, Some(1));
/// assert_eq!(receiver.recv().await, None);
/// # });
/// ```
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let object = Arc::new(Object::new(Location::caller()));
    let (sender, receiver) = real::unbounded_channel();
    let sender = UnboundedSender { inner: sender, object: object.clone() };
    (sender, UnboundedReceiver { inner: receiver, object })
}

/// Sends values; may be cloned.
pub struct UnboundedSender<T> {
    inner: real::UnboundedSender<T>,
    object: Arc<Object>,
}

/// A sender that does not keep the channel open.
pub struct WeakUnboundedSender<T> {
    inner: real::WeakUnboundedSender<T>,
    object: Arc<Object>,
}

/// Receives values.
pub struct UnboundedReceiver<T> {
    inner: real::UnboundedReceiver<T>,
    object: Arc<Object>,
}

sender!(UnboundedSender, WeakUnboundedSender);
receiver!(UnboundedReceiver);

impl<T> UnboundedSender<T> {
    /// Sends a value; never waits.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is gone, or closed.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        point(&self.object, Access::Send, Location::caller());
        self.inner.send(value)
    }
}
