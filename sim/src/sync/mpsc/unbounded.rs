//! A channel that takes any number of values.

use super::{
    super::guard::{Channel, opaque},
    common::{receiver, sender},
    error::{SendError, TryRecvError},
};
use crate::{
    hold::{End, Share},
    point::{Access, point, point_of_end},
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
    let channel = Arc::new(Channel::new(Location::caller()));
    let (sender, receiver) = real::unbounded_channel();
    let (sending, receiving) = channel.object.open_channel();
    let sender = UnboundedSender { inner: Some(sender), channel: channel.clone(), end: sending };
    (sender, UnboundedReceiver { inner: receiver, channel, end: receiving })
}

/// Sends values; may be cloned.
pub struct UnboundedSender<T> {
    /// Always there, until the sender is dropped.
    inner: Option<real::UnboundedSender<T>>,
    channel: Arc<Channel>,
    end: End,
}

crate::faces::nameable!([T] UnboundedSender<T>, |this| this.channel.object);

/// A sender that does not keep the channel open.
pub struct WeakUnboundedSender<T> {
    inner: real::WeakUnboundedSender<T>,
    channel: Arc<Channel>,
}

/// Receives values.
pub struct UnboundedReceiver<T> {
    inner: real::UnboundedReceiver<T>,
    channel: Arc<Channel>,
    end: End,
}

crate::faces::nameable!([T] UnboundedReceiver<T>, |this| this.channel.object);

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
        point_of_end(&self.channel.object, &self.end, Access::Send, Location::caller());
        self.inner().send(value)
    }
}
