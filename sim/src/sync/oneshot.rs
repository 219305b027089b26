//! A channel for one value.

pub use tokio::sync::oneshot::error;

use super::guard::Channel;
use crate::{
    hold::{End, Polled, Share},
    point::{Access, Site, place_of_poll, point, point_of_end},
    runtime::block_on_here,
    task::coop::{cooperative, poll_proceed},
};
use error::{RecvError, TryRecvError};
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};
use tokio::sync::oneshot as real;

/// A channel for one value.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let (sender, receiver) = sim::sync::oneshot::channel();
/// sim::spawn(async move { sender.send(3) });
/// assert_eq!(receiver.await, Ok(3));
/// # });
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Arc::new(Channel::new(Location::caller()));
    let (sender, receiver) = real::channel();
    let (sending, receiving) = channel.object.open_channel();
    let sender = Sender { inner: Some(sender), channel: channel.clone(), end: sending };
    let polled = Polled::default();
    (sender, Receiver { inner: receiver, channel, end: receiving, announced: false, polled })
}

/// Sends the value.
pub struct Sender<T> {
    /// There until the value is sent.
    inner: Option<real::Sender<T>>,
    channel: Arc<Channel>,
    end: End,
}

crate::faces::nameable!([T] Sender<T>, |this| this.channel.object);

impl<T> Sender<T> {
    fn inner(&mut self) -> &mut real::Sender<T> {
        self.inner.as_mut().expect("it is only taken by who consumes the sender")
    }

    /// Sends the value.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is gone.
    #[track_caller]
    pub fn send(mut self, value: T) -> Result<(), T> {
        point_of_end(&self.channel.object, &self.end, Access::Send, Location::caller());
        self.inner.take().expect("it is only taken here").send(value)
    }

    /// Waits until the receiver is gone.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        let site = Location::caller();
        async move {
            point_of_end(&self.channel.object, &self.end, Access::Wait, site);
            cooperative(self.inner().closed()).await;
        }
    }

    /// Whether the receiver is gone.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        point_of_end(&self.channel.object, &self.end, Access::Read, Location::caller());
        self.inner.as_ref().is_some_and(real::Sender::is_closed)
    }

    /// Polls whether the receiver is gone.
    #[track_caller]
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        point_of_end(&self.channel.object, &self.end, Access::Read, Location::caller());
        let coop = ready!(poll_proceed(cx));
        let poll = self.inner().poll_closed(cx);
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.channel.leave();
        }
        self.channel.object.remove_end(&self.end);
    }
}

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.as_ref().fmt(f)
    }
}

/// Receives the value, as a future.
pub struct Receiver<T> {
    inner: real::Receiver<T>,
    channel: Arc<Channel>,
    end: End,
    announced: bool,
    polled: Polled,
}

crate::faces::nameable!([T] Receiver<T>, |this| this.channel.object);

impl<T> Receiver<T> {
    /// Takes no value any more; one that was sent can still be received.
    #[track_caller]
    pub fn close(&mut self) {
        point_of_end(&self.channel.object, &self.end, Access::Close, Location::caller());
        self.inner.close();
    }

    /// Whether the value, or the error, has been received.
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// Whether there is no value now.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.is_empty()
    }

    /// The value, if it was sent.
    ///
    /// # Errors
    ///
    /// Fails if it was not, or will not be.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        point_of_end(&self.channel.object, &self.end, Access::Receive, Location::caller());
        self.inner.try_recv()
    }

    /// Waits for the value, on a thread.
    ///
    /// # Errors
    ///
    /// Fails if the sender is gone.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_recv(mut self) -> Result<T, RecvError> {
        self.announce(Location::caller());
        block_on_here(self)
    }

    /// Once: who is polled again waits since then.
    fn announce(&mut self, site: Site) {
        if !std::mem::replace(&mut self.announced, true) {
            point_of_end(&self.channel.object, &self.end, Access::Receive, site);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let site = place_of_poll(Location::caller(), this.channel.site);
        this.announce(site);
        let coop = ready!(poll_proceed(cx));
        let poll = Pin::new(&mut this.inner).poll(cx);
        this.polled.note(&this.channel.object, Share::Reply, site, poll.is_pending(), cx.waker());
        let output = ready!(poll);
        coop.made_progress();
        Poll::Ready(output)
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        // Once it has the value there is nothing left to close.
        if !self.inner.is_terminated() {
            self.channel.leave();
        }
        self.channel.object.remove_end(&self.end);
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
