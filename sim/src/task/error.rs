//! Why a task has no output: it was cancelled, or it panicked.

use super::Id;
use crate::{context, point::Site};
use std::{
    any::Any,
    fmt, io,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// The error of a task that did not come to its end, as tokio's.
///
/// One that tells of a panic has to be looked at, be it by [`is_panic`](JoinError::is_panic), by printing it or by
/// passing it on: dropped unseen, as by `let _ = task.await`, it is a finding of the lint `ignored_panic`. That one
/// only warns, because `task.await.is_err()`, which does look, cannot be told from that.
pub struct JoinError {
    id: Id,
    reason: Reason,
}

enum Reason {
    Cancelled,
    Panic(Panicked),
}

struct Panicked {
    /// `None` once it was taken. The mutex makes the error `Sync`, as tokio's is.
    payload: Mutex<Option<Box<dyn Any + Send + 'static>>>,
    given: Option<Given>,
    seen: AtomicBool,
}

/// Where the task of an error that the program has was spawned, and where the program got it.
struct Given {
    spawned: Site,
    joined: Option<Site>,
}

impl Panicked {
    /// What is said of the payload.
    fn with<R>(&self, say: impl FnOnce(Option<&str>) -> R) -> R {
        self.seen.store(true, Relaxed);
        let payload = self.payload.lock().unwrap_or_else(PoisonError::into_inner);
        say(payload.as_deref().and_then(message))
    }
}

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> JoinError {
        JoinError { id, reason: Reason::Cancelled }
    }

    pub(crate) fn panic(id: Id, payload: Box<dyn Any + Send + 'static>) -> JoinError {
        let payload = Mutex::new(Some(payload));
        let seen = AtomicBool::new(false);
        JoinError { id, reason: Reason::Panic(Panicked { payload, given: None, seen }) }
    }

    /// The program gets the error, and has to look at it.
    pub(crate) fn give(&mut self, spawned: Site, joined: Option<Site>) {
        if let Reason::Panic(panicked) = &mut self.reason {
            panicked.given = Some(Given { spawned, joined });
        }
    }

    /// Somebody looks at it.
    fn see(&self) -> &Reason {
        if let Reason::Panic(panicked) = &self.reason {
            panicked.seen.store(true, Relaxed);
        }
        &self.reason
    }

    /// Whether the task was aborted, or its runtime ended before it did.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.see(), Reason::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.see(), Reason::Panic(_))
    }

    /// What the task panicked with.
    ///
    /// # Panics
    ///
    /// Panics if the task did not panic.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic().expect("`JoinError` reason is not a panic.")
    }

    /// What the task panicked with, or this error if it did not panic.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        let payload = match self.see() {
            Reason::Panic(panicked) => panicked.payload.lock().map(|mut payload| payload.take()),
            Reason::Cancelled => return Err(self),
        };
        let payload = payload.unwrap_or_else(|poisoned| poisoned.into_inner().take());
        Ok(payload.expect("it is taken once: the error is given up for it"))
    }

    /// The task.
    pub fn id(&self) -> Id {
        self.id
    }

    /// What the task panicked with, as text; `None` if it did not panic.
    pub(crate) fn panic_message(&self) -> Option<String> {
        let Reason::Panic(panicked) = &self.reason else { return None };
        Some(panicked.with(|message| message.unwrap_or("(a panic without a message)").to_string()))
    }
}

impl Drop for JoinError {
    fn drop(&mut self) {
        let Reason::Panic(panicked) = &self.reason else { return };
        let (Some(given), false) = (&panicked.given, panicked.seen.load(Relaxed)) else { return };
        // In a panic, or at the end of the run, the program may have been about to look.
        if let (Some(world), false) = (context::running(), std::thread::panicking()) {
            world.report_unseen(self.id.0, given.spawned, given.joined, self.panic_message());
        }
    }
}

/// The message of a panic, if it has one.
pub(crate) fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied())
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        let Reason::Panic(panicked) = &self.reason else {
            return write!(f, "task {id} was cancelled");
        };
        panicked.with(|message| match message {
            Some(message) => write!(f, "task {id} panicked with message {message:?}"),
            None => write!(f, "task {id} panicked"),
        })
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        let Reason::Panic(panicked) = &self.reason else {
            return write!(f, "JoinError::Cancelled({id:?})");
        };
        panicked.with(|message| match message {
            Some(message) => write!(f, "JoinError::Panic({id:?}, {message:?}, ...)"),
            None => write!(f, "JoinError::Panic({id:?}, ...)"),
        })
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(match error.see() {
            Reason::Cancelled => "task was cancelled",
            Reason::Panic(_) => "task panicked",
        })
    }
}
