//! A channel that holds a number of values; senders wait for room.

use super::{
    common::{receiver, sender},
    error::{SendError, SendTimeoutError, TryRecvError, TrySendError},
};
use crate::{
    point::{Access, Object, point},
    runtime::block_on_here,
    task::coop::{charged, cooperative, poll_proceed},
};
use std::{
    fmt,
    future::Future,
    iter::FusedIterator,
    panic::Location,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::sync::mpsc as real;

/// A channel that holds `buffer` values.
///
/// # Panics
///
/// Panics if `buffer` is 0, or more than a semaphore has permits.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let (sender, mut receiver) = sim::sync::mpsc::channel(1);
/// sim::spawn(async move {
///     for i in 0..3 {
///         sender.send(i).await.unwrap();
///     }
/// });
/// let mut sum = 0;
/// while let Some(i) = receiver.recv().await {
///     sum += i;
/// }
/// assert_eq!(sum, 3);
/// # });
/// ```
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    let object = Arc::new(Object::new(Location::caller()));
    let (sender, receiver) = real::channel(buffer);
    (Sender { inner: sender, object: object.clone() }, Receiver { inner: receiver, object })
}

/// Sends values; may be cloned.
pub struct Sender<T> {
    inner: real::Sender<T>,
    object: Arc<Object>,
}

/// A sender that does not keep the channel open.
pub struct WeakSender<T> {
    inner: real::WeakSender<T>,
    object: Arc<Object>,
}

/// Receives values.
pub struct Receiver<T> {
    inner: real::Receiver<T>,
    object: Arc<Object>,
}

sender!(Sender, WeakSender);
receiver!(Receiver);

impl<T> Receiver<T> {
    /// How many values can be sent at once now.
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// How many values the channel holds.
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}

impl<T> Sender<T> {
    /// Sends a value; waits for room. Cancelled, it has not sent.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is gone, or closed.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Send, site);
            match charged(self.inner.reserve()).await {
                Ok(permit) => {
                    permit.send(value);
                    Ok(())
                }
                Err(_) => Err(SendError(value)),
            }
        }
    }

    /// Sends a value if there is room.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is none, or no receiver.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        point(&self.object, Access::Send, Location::caller());
        self.inner.try_send(value)
    }

    /// As [`send`](Sender::send), but waits at most so long.
    ///
    /// # Errors
    ///
    /// Gives the value back after that time, or if there is no receiver.
    #[track_caller]
    pub fn send_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> impl Future<Output = Result<(), SendTimeoutError<T>>> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Send, site);
            match crate::time::timeout(timeout, charged(self.inner.reserve())).await {
                Err(_) => Err(SendTimeoutError::Timeout(value)),
                Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
                Ok(Ok(permit)) => {
                    permit.send(value);
                    Ok(())
                }
            }
        }
    }

    /// As [`send`](Sender::send), on a thread.
    ///
    /// # Errors
    ///
    /// Gives the value back if there is no receiver.
    ///
    /// # Panics
    ///
    /// Panics within a task.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block_on_here(self.send(value))
    }

    /// Waits for room for a value.
    ///
    /// # Errors
    ///
    /// Fails if there is no receiver.
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Send, site);
            let inner = charged(self.inner.reserve()).await?;
            Ok(Permit { inner, object: &self.object })
        }
    }

    /// Waits for room for `n` values.
    ///
    /// # Errors
    ///
    /// Fails if there is no receiver, or if the channel never holds so many.
    #[track_caller]
    pub fn reserve_many(
        &self,
        n: usize,
    ) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Send, site);
            let inner = charged(self.inner.reserve_many(n)).await?;
            Ok(PermitIterator { inner, object: &self.object })
        }
    }

    /// As [`reserve`](Sender::reserve), with a permit that has the sender.
    ///
    /// # Errors
    ///
    /// Fails if there is no receiver.
    #[track_caller]
    pub fn reserve_owned(self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        let site = Location::caller();
        async move {
            point(&self.object, Access::Send, site);
            let inner = charged(self.inner.reserve_owned()).await?;
            Ok(OwnedPermit { inner, object: self.object })
        }
    }

    /// Room for a value, if there is any.
    ///
    /// # Errors
    ///
    /// Fails if there is none, or no receiver.
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        point(&self.object, Access::Send, Location::caller());
        Ok(Permit { inner: self.inner.try_reserve()?, object: &self.object })
    }

    /// Room for `n` values, if there is so much.
    ///
    /// # Errors
    ///
    /// Fails if there is not, or no receiver.
    #[track_caller]
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        point(&self.object, Access::Send, Location::caller());
        Ok(PermitIterator { inner: self.inner.try_reserve_many(n)?, object: &self.object })
    }

    /// As [`try_reserve`](Sender::try_reserve), with a permit that has the sender.
    ///
    /// # Errors
    ///
    /// Gives the sender back if there is no room, or no receiver.
    #[track_caller]
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        point(&self.object, Access::Send, Location::caller());
        let object = self.object;
        match self.inner.try_reserve_owned() {
            Ok(inner) => Ok(OwnedPermit { inner, object }),
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Sender { inner, object })),
            Err(TrySendError::Closed(inner)) => Err(TrySendError::Closed(Sender { inner, object })),
        }
    }

    /// How many values can be sent at once now.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        point(&self.object, Access::Read, Location::caller());
        self.inner.capacity()
    }

    /// How many values the channel holds.
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}

/// Room for a value; made by [`Sender::reserve`].
pub struct Permit<'a, T> {
    inner: real::Permit<'a, T>,
    object: &'a Object,
}

impl<T> Permit<'_, T> {
    /// Sends the value.
    #[track_caller]
    pub fn send(self, value: T) {
        point(self.object, Access::Send, Location::caller());
        self.inner.send(value);
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Room for several values; made by [`Sender::reserve_many`].
pub struct PermitIterator<'a, T> {
    inner: real::PermitIterator<'a, T>,
    object: &'a Object,
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        Some(Permit { inner: self.inner.next()?, object: self.object })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// Room for a value, with the sender; made by [`Sender::reserve_owned`].
pub struct OwnedPermit<T> {
    inner: real::OwnedPermit<T>,
    object: Arc<Object>,
}

impl<T> OwnedPermit<T> {
    /// Sends the value, and gives the sender back.
    #[track_caller]
    pub fn send(self, value: T) -> Sender<T> {
        point(&self.object, Access::Send, Location::caller());
        Sender { inner: self.inner.send(value), object: self.object }
    }

    /// Gives the sender back without sending.
    pub fn release(self) -> Sender<T> {
        Sender { inner: self.inner.release(), object: self.object }
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// Whether it sends into the channel of `sender`.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner.same_channel_as_sender(&sender.inner)
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
