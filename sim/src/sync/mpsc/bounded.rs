//! A channel that holds a number of values; senders wait for room.

use super::{
    super::{
        charge::charged_ok,
        guard::{Channel, opaque},
    },
    common::{receiver, sender},
    error::{SendError, SendTimeoutError, TryRecvError, TrySendError},
};
use crate::{
    hold::{End, Share},
    point::{Access, Site, point, point_of_end},
    runtime::block_on_here,
    task::coop::{cooperative, poll_proceed},
};
use std::{
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
    let channel = Arc::new(Channel::new(Location::caller()));
    let (sender, receiver) = real::channel(buffer);
    let (sending, receiving) = channel.object.open_channel();
    let sender = Sender { inner: Some(sender), channel: channel.clone(), end: sending };
    (sender, Receiver { inner: receiver, channel, end: receiving })
}

/// Sends values; may be cloned.
pub struct Sender<T> {
    /// There until the sender is dropped, or made a permit.
    inner: Option<real::Sender<T>>,
    channel: Arc<Channel>,
    end: End,
}

crate::faces::nameable!([T] Sender<T>, |this| this.channel.object);

/// A sender that does not keep the channel open.
pub struct WeakSender<T> {
    inner: real::WeakSender<T>,
    channel: Arc<Channel>,
}

/// Receives values.
pub struct Receiver<T> {
    inner: real::Receiver<T>,
    channel: Arc<Channel>,
    end: End,
}

crate::faces::nameable!([T] Receiver<T>, |this| this.channel.object);

sender!(Sender, WeakSender);
receiver!(Receiver);

impl<T> Receiver<T> {
    /// How many values can be sent at once now.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner.capacity()
    }

    /// How many values the channel holds.
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}

impl<T> Sender<T> {
    /// Waits for room.
    fn room<F: Future>(&self, site: Site, future: F) -> impl Future<Output = F::Output> {
        self.channel.object.waiting(Share::Room, site, future)
    }

    /// Sends a value; waits for room. Cancelled, it has not sent.
    ///
    /// # Errors
    ///
    /// Gives the value back if the receiver is gone, or closed.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let site = Location::caller();
        async move {
            point_of_end(&self.channel.object, &self.end, Access::Send, site);
            match charged_ok(self.room(site, self.inner().reserve())).await {
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
        point_of_end(&self.channel.object, &self.end, Access::Send, Location::caller());
        self.inner().try_send(value)
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
            point_of_end(&self.channel.object, &self.end, Access::Send, site);
            match crate::time::timeout(timeout, charged_ok(self.room(site, self.inner().reserve())))
                .await
            {
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
            point_of_end(&self.channel.object, &self.end, Access::Send, site);
            let inner = charged_ok(self.room(site, self.inner().reserve())).await?;
            self.channel.object.reserve_room();
            Ok(Permit { inner: Some(inner), channel: &self.channel })
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
            point_of_end(&self.channel.object, &self.end, Access::Send, site);
            let inner = charged_ok(self.room(site, self.inner().reserve_many(n))).await?;
            self.channel.object.reserve_room();
            Ok(PermitIterator { inner, channel: &self.channel })
        }
    }

    /// As [`reserve`](Sender::reserve), with a permit that has the sender.
    ///
    /// # Errors
    ///
    /// Fails if there is no receiver.
    #[track_caller]
    pub fn reserve_owned(mut self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        let site = Location::caller();
        async move {
            point_of_end(&self.channel.object, &self.end, Access::Send, site);
            let channel = self.channel.clone();
            let inner = self.inner.take().expect("it is there until the sender is dropped");
            // The sender comes back with the room, as one that is not known.
            channel.object.lose_senders();
            channel.object.reserve_room();
            let waiting = channel.object.waiting(Share::Room, site, inner.reserve_owned());
            let inner = charged_ok(waiting).await?;
            Ok(OwnedPermit { inner: Some(inner), channel })
        }
    }

    /// Room for a value, if there is any.
    ///
    /// # Errors
    ///
    /// Fails if there is none, or no receiver.
    #[track_caller]
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        point_of_end(&self.channel.object, &self.end, Access::Send, Location::caller());
        let inner = self.inner().try_reserve()?;
        self.channel.object.reserve_room();
        Ok(Permit { inner: Some(inner), channel: &self.channel })
    }

    /// Room for `n` values, if there is so much.
    ///
    /// # Errors
    ///
    /// Fails if there is not, or no receiver.
    #[track_caller]
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        point_of_end(&self.channel.object, &self.end, Access::Send, Location::caller());
        let inner = self.inner().try_reserve_many(n)?;
        self.channel.object.reserve_room();
        Ok(PermitIterator { inner, channel: &self.channel })
    }

    /// As [`try_reserve`](Sender::try_reserve), with a permit that has the sender.
    ///
    /// # Errors
    ///
    /// Gives the sender back if there is no room, or no receiver.
    #[track_caller]
    pub fn try_reserve_owned(mut self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        point_of_end(&self.channel.object, &self.end, Access::Send, Location::caller());
        let channel = self.channel.clone();
        channel.object.lose_senders();
        channel.object.reserve_room();
        let inner = self.inner.take().expect("it is there until the sender is dropped");
        match inner.try_reserve_owned() {
            Ok(inner) => Ok(OwnedPermit { inner: Some(inner), channel }),
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Sender::of(inner, channel))),
            Err(TrySendError::Closed(inner)) => {
                Err(TrySendError::Closed(Sender::of(inner, channel)))
            }
        }
    }

    /// How many values can be sent at once now.
    #[track_caller]
    pub fn capacity(&self) -> usize {
        point(&self.channel.object, Access::Read, Location::caller());
        self.inner().capacity()
    }

    /// How many values the channel holds.
    pub fn max_capacity(&self) -> usize {
        self.inner().max_capacity()
    }
}

/// Room for a value; made by [`Sender::reserve`].
pub struct Permit<'a, T> {
    /// There until the value is sent.
    inner: Option<real::Permit<'a, T>>,
    channel: &'a Channel,
}

impl<T> Permit<'_, T> {
    /// Sends the value.
    #[track_caller]
    pub fn send(mut self, value: T) {
        point(&self.channel.object, Access::Send, Location::caller());
        self.inner.take().expect("it is there until the value is sent").send(value);
    }
}

impl<T> Drop for Permit<'_, T> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.channel.release();
        }
    }
}

opaque!(['a, T] Permit<'a, T>, "Permit");

/// Room for several values; made by [`Sender::reserve_many`].
pub struct PermitIterator<'a, T> {
    inner: real::PermitIterator<'a, T>,
    channel: &'a Channel,
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Permit<'a, T>> {
        Some(Permit { inner: Some(self.inner.next()?), channel: self.channel })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> Drop for PermitIterator<'_, T> {
    fn drop(&mut self) {
        if self.inner.len() > 0 {
            self.channel.release();
        }
    }
}

opaque!(['a, T] PermitIterator<'a, T>, "PermitIterator");

/// Room for a value, with the sender; made by [`Sender::reserve_owned`].
pub struct OwnedPermit<T> {
    /// There until the value is sent, or the room given back.
    inner: Option<real::OwnedPermit<T>>,
    channel: Arc<Channel>,
}

impl<T> OwnedPermit<T> {
    fn inner(&self) -> &real::OwnedPermit<T> {
        self.inner.as_ref().expect("it is only taken by who consumes the permit")
    }

    fn take(mut self) -> (real::OwnedPermit<T>, Arc<Channel>) {
        let inner = self.inner.take().expect("it is only taken by who consumes the permit");
        (inner, self.channel.clone())
    }

    /// Sends the value, and gives the sender back.
    #[track_caller]
    pub fn send(self, value: T) -> Sender<T> {
        point(&self.channel.object, Access::Send, Location::caller());
        let (inner, channel) = self.take();
        Sender::of(inner.send(value), channel)
    }

    /// Gives the room and the sender back without sending.
    #[track_caller]
    pub fn release(self) -> Sender<T> {
        point(&self.channel.object, Access::Release, Location::caller());
        let (inner, channel) = self.take();
        Sender::of(inner.release(), channel)
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner().same_channel(other.inner())
    }

    /// Whether it sends into the channel of `sender`.
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner().same_channel_as_sender(sender.inner())
    }
}

impl<T> Drop for OwnedPermit<T> {
    fn drop(&mut self) {
        if self.inner.is_some() {
            self.channel.release();
        }
    }
}

opaque!([T] OwnedPermit<T>, "OwnedPermit");
