//! Channels with std's names and semantics: many send, one receives.
//!
//! Written anew rather than around std's: a channel without room hands each message over in person, and
//! std lets nobody ask whether a receiver waits.

use super::super::waiters::{Deadline, Gate};
use crate::point::{Access, Object, Site, point};
use std::{
    cell::Cell,
    collections::VecDeque,
    fmt,
    marker::PhantomData,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

pub use std::sync::mpsc::{RecvError, RecvTimeoutError, SendError, TryRecvError, TrySendError};

/// A channel without a bound: sending never waits.
///
/// ```
/// use sim::std::{sync::mpsc, thread};
/// let (sender, receiver) = mpsc::channel();
/// thread::spawn(move || (0..3).for_each(|i| sender.send(i).unwrap()));
/// assert_eq!(receiver.iter().sum::<i32>(), 3);
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let channel = Channel::new(None, Location::caller());
    (Sender { channel: channel.clone() }, Receiver::new(channel))
}

/// A channel with room for `bound` messages. With none, sending waits until the message is received.
#[track_caller]
pub fn sync_channel<T>(bound: usize) -> (SyncSender<T>, Receiver<T>) {
    let channel = Channel::new(Some(bound), Location::caller());
    (SyncSender { channel: channel.clone() }, Receiver::new(channel))
}

struct Channel<T> {
    object: Object,
    /// What receivers leave for those who send into the room they have made.
    room: Object,
    bound: Option<usize>,
    state: Mutex<State<T>>,
    /// Where the receiver waits for messages, and senders for room.
    came: Gate,
    went: Gate,
}

struct State<T> {
    /// Messages, with their numbers.
    queue: VecDeque<(u64, T)>,
    sent: u64,
    senders: usize,
    received: bool,
    /// The receiver waits.
    waiting: bool,
}

impl<T> State<T> {
    fn push(&mut self, value: T) -> u64 {
        self.sent += 1;
        self.queue.push_back((self.sent, value));
        self.sent
    }

    fn position(&self, number: u64) -> Option<usize> {
        self.queue.iter().position(|message| message.0 == number)
    }
}

impl<T> Channel<T> {
    fn new(bound: Option<usize>, site: Site) -> Arc<Channel<T>> {
        let state =
            State { queue: VecDeque::new(), sent: 0, senders: 1, received: true, waiting: false };
        Arc::new(Channel {
            object: Object::new(site),
            room: Object::new(site),
            bound,
            state: Mutex::new(state),
            came: Gate::new(),
            went: Gate::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, value: T, site: Site) -> Result<(), SendError<T>> {
        point(&self.object, Access::Send, site);
        let mut state = self.state();
        let room = match self.bound {
            None => usize::MAX,
            // Handed over in person: one after the other.
            Some(bound) => bound.max(1),
        };
        while state.received && state.queue.len() >= room && self.bound != Some(0) {
            state = self.went.wait(&self.state, state, Deadline::Never, site);
        }
        if !state.received {
            drop(state);
            return Err(SendError(value));
        }
        let number = state.push(value);
        self.came.wake_first(state);
        if self.bound == Some(0) {
            return self.hand_over(number, site);
        }
        if self.bound.is_some() {
            self.room.take_in();
        }
        Ok(())
    }

    /// Waits until message `number` has been received.
    fn hand_over(&self, number: u64, site: Site) -> Result<(), SendError<T>> {
        let mut state = self.state();
        while let Some(at) = state.position(number) {
            if !state.received {
                let message = state.queue.remove(at).expect("it is there");
                drop(state);
                return Err(SendError(message.1));
            }
            state = self.went.wait(&self.state, state, Deadline::Never, site);
        }
        drop(state);
        self.room.take_in();
        Ok(())
    }

    fn try_send(&self, value: T, site: Site) -> Result<(), TrySendError<T>> {
        point(&self.object, Access::Send, site);
        let mut state = self.state();
        if !state.received {
            return Err(TrySendError::Disconnected(value));
        }
        let fits = match self.bound {
            None => true,
            Some(0) => state.waiting && state.queue.is_empty(),
            Some(bound) => state.queue.len() < bound,
        };
        if !fits {
            return Err(TrySendError::Full(value));
        }
        state.push(value);
        self.came.wake_first(state);
        if self.bound.is_some() {
            self.room.take_in();
        }
        Ok(())
    }

    fn receive(&self, deadline: Deadline, site: Site) -> Result<T, RecvTimeoutError> {
        point(&self.object, Access::Receive, site);
        let mut state = self.state();
        loop {
            if let Some((_, value)) = state.queue.pop_front() {
                self.object.take_in();
                self.made_room(state);
                return Ok(value);
            }
            if state.senders == 0 {
                drop(state);
                self.object.take_in();
                return Err(RecvTimeoutError::Disconnected);
            }
            if deadline.is_over() {
                return Err(RecvTimeoutError::Timeout);
            }
            state.waiting = true;
            state = self.came.wait(&self.state, state, deadline, site);
            state.waiting = false;
        }
    }

    fn try_receive(&self, site: Site) -> Result<T, TryRecvError> {
        point(&self.object, Access::Receive, site);
        let mut state = self.state();
        match state.queue.pop_front() {
            Some((_, value)) => {
                self.made_room(state);
                Ok(value)
            }
            None if state.senders == 0 => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Lets who waits for the room of a message that was taken go on.
    fn made_room(&self, state: MutexGuard<'_, State<T>>) {
        if self.bound.is_none() {
            return;
        }
        self.room.publish();
        match self.bound {
            // Each waits for its own message.
            Some(0) => self.went.wake_all(state),
            _ => self.went.wake_first(state),
        }
    }

    fn remove_sender(&self) {
        let mut state = self.state();
        state.senders -= 1;
        if state.senders == 0 {
            self.came.wake_all(state);
        }
    }

    fn remove_receiver(&self) {
        let mut state = self.state();
        state.received = false;
        let left = match self.bound {
            // Those who wait take theirs back.
            Some(0) => VecDeque::new(),
            _ => std::mem::take(&mut state.queue),
        };
        self.went.wake_all(state);
        drop(left);
    }
}

/// Sends into a channel without a bound; made by [`channel`].
pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

crate::faces::nameable!([T] Sender<T>, |this| this.channel.object);

impl<T> Sender<T> {
    /// Sends a message.
    ///
    /// # Errors
    ///
    /// With the message, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.channel.send(value, Location::caller())
    }
}

/// Sends into a channel with a bound; made by [`sync_channel`].
pub struct SyncSender<T> {
    channel: Arc<Channel<T>>,
}

crate::faces::nameable!([T] SyncSender<T>, |this| this.channel.object);

impl<T> SyncSender<T> {
    /// Sends a message; waits for room.
    ///
    /// # Errors
    ///
    /// With the message, if the receiver is gone.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        self.channel.send(value, Location::caller())
    }

    /// Sends a message if there is room, or for a channel without any, if the receiver waits.
    ///
    /// # Errors
    ///
    /// With the message, if there is no room or the receiver is gone.
    #[track_caller]
    pub fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        self.channel.try_send(value, Location::caller())
    }
}

macro_rules! sender {
    ($name:ident) => {
        impl<T> Clone for $name<T> {
            fn clone(&self) -> $name<T> {
                self.channel.state().senders += 1;
                $name { channel: self.channel.clone() }
            }
        }

        impl<T> Drop for $name<T> {
            fn drop(&mut self) {
                point(&self.channel.object, Access::Close, self.channel.object.site());
                self.channel.remove_sender();
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

sender!(Sender);
sender!(SyncSender);

/// Receives from a channel. As std's it may be sent to another thread, but not shared.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
    not_sync: PhantomData<Cell<()>>,
}

crate::faces::nameable!([T] Receiver<T>, |this| this.channel.object);

impl<T> Receiver<T> {
    fn new(channel: Arc<Channel<T>>) -> Receiver<T> {
        Receiver { channel, not_sync: PhantomData }
    }

    /// Waits for a message.
    ///
    /// # Errors
    ///
    /// If there is none and all senders are gone.
    #[track_caller]
    pub fn recv(&self) -> Result<T, RecvError> {
        self.channel.receive(Deadline::Never, Location::caller()).map_err(|_| RecvError)
    }

    /// A message that is there.
    ///
    /// # Errors
    ///
    /// If there is none, now or for ever.
    #[track_caller]
    pub fn try_recv(&self) -> Result<T, TryRecvError> {
        self.channel.try_receive(Location::caller())
    }

    /// Waits for a message, for so long at most.
    ///
    /// # Errors
    ///
    /// If none has come in time, or none can come.
    #[track_caller]
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        self.channel.receive(Deadline::after(timeout), Location::caller())
    }

    /// Messages, until all senders are gone.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// Messages, as long as there are any.
    pub fn try_iter(&self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        point(&self.channel.object, Access::Close, self.channel.object.site());
        self.channel.remove_receiver();
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}

/// Messages, until all senders are gone; made by [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// Messages, as long as there are any; made by [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T: 'a> {
    receiver: &'a Receiver<T>,
}

/// Messages, until all senders are gone; owns the receiver.
#[derive(Debug)]
pub struct IntoIter<T> {
    receiver: Receiver<T>,
}

impl<T> Iterator for Iter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<T> Iterator for TryIter<'_, T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

impl<T> Iterator for IntoIter<T> {
    type Item = T;

    #[track_caller]
    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

impl<'a, T> IntoIterator for &'a Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> IntoIterator for Receiver<T> {
    type Item = T;
    type IntoIter = IntoIter<T>;

    fn into_iter(self) -> IntoIter<T> {
        IntoIter { receiver: self }
    }
}
