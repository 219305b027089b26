//! A channel for one value.

pub use tokio::sync::oneshot::error;

use crate::{
    point::{Access, Object, Site, point},
    runtime::block_on_here,
    task::coop::{cooperative, poll_proceed},
};
use error::{RecvError, TryRecvError};
use pin_project::pin_project;
use std::{
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
    let site = Location::caller();
    let object = Arc::new(Object::new(site));
    let (sender, receiver) = real::channel();
    let sender = Sender { inner: sender, object: object.clone() };
    (sender, Receiver { inner: receiver, object, site, announced: false })
}

/// Sends the value.
#[derive(Debug)]
pub struct Sender<T> {
    inner: real::Sender<T>,
    object: Arc<Object>,
}

impl<T> Sender<T> {
    /// Sends the value.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is gone.
    #[track_caller]
    pub fn send(self, value: T) -> Result<(), T> {
        point(&self.object, Access::Send, Location::caller());
        self.inner.send(value)
    }

    /// Waits until the receiver is gone.
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Wait, site);
            cooperative(self.inner.closed()).await;
        }
    }

    /// Whether the receiver is gone.
    #[track_caller]
    pub fn is_closed(&self) -> bool {
        point(&self.object, Access::Read, Location::caller());
        self.inner.is_closed()
    }

    /// Polls whether the receiver is gone.
    #[track_caller]
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        point(&self.object, Access::Read, Location::caller());
        let coop = ready!(poll_proceed(cx));
        let poll = self.inner.poll_closed(cx);
        if poll.is_ready() {
            coop.made_progress();
        }
        poll
    }
}

/// Receives the value, as a future.
#[pin_project]
#[derive(Debug)]
pub struct Receiver<T> {
    #[pin]
    inner: real::Receiver<T>,
    object: Arc<Object>,
    site: Site,
    announced: bool,
}

impl<T> Receiver<T> {
    /// Takes no value any more; one that was sent can still be received.
    #[track_caller]
    pub fn close(&mut self) {
        point(&self.object, Access::Close, Location::caller());
        self.inner.close();
    }

    /// Whether the value, or the error, has been received.
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// Whether there is no value now.
    #[track_caller]
    pub fn is_empty(&self) -> bool {
        point(&self.object, Access::Read, Location::caller());
        self.inner.is_empty()
    }

    /// The value, if it was sent.
    ///
    /// # Errors
    ///
    /// Fails if it was not, or will not be.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        point(&self.object, Access::Receive, Location::caller());
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
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block_on_here(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if !std::mem::replace(this.announced, true) {
            point(this.object, Access::Receive, this.site);
        }
        let coop = ready!(poll_proceed(cx));
        let output = ready!(this.inner.poll(cx));
        coop.made_progress();
        Poll::Ready(output)
    }
}
