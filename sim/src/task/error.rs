//! Why a task has no output: it was cancelled, or it panicked.

use super::Id;
use std::{any::Any, fmt, io, sync::Mutex};

/// The error of a task that did not come to its end, as tokio's.
pub struct JoinError {
    id: Id,
    reason: Reason,
}

enum Reason {
    Cancelled,
    // The mutex makes the error `Sync`, as tokio's is.
    Panic(Mutex<Box<dyn Any + Send + 'static>>),
}

impl JoinError {
    pub(crate) fn cancelled(id: Id) -> JoinError {
        JoinError { id, reason: Reason::Cancelled }
    }

    pub(crate) fn panic(id: Id, payload: Box<dyn Any + Send + 'static>) -> JoinError {
        JoinError { id, reason: Reason::Panic(Mutex::new(payload)) }
    }

    /// Whether the task was aborted, or its runtime ended before it did.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.reason, Reason::Cancelled)
    }

    /// Whether the task panicked.
    pub fn is_panic(&self) -> bool {
        matches!(self.reason, Reason::Panic(_))
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
        match self.reason {
            Reason::Panic(payload) => {
                Ok(payload.into_inner().unwrap_or_else(|error| error.into_inner()))
            }
            Reason::Cancelled => Err(self),
        }
    }

    /// The task.
    pub fn id(&self) -> Id {
        self.id
    }

    /// What the task panicked with, as text; `None` if it did not panic.
    pub(crate) fn panic_message(&self) -> Option<String> {
        let Reason::Panic(payload) = &self.reason else { return None };
        let payload = payload.lock().unwrap_or_else(|error| error.into_inner());
        Some(message(&**payload).unwrap_or("(a panic without a message)").to_string())
    }
}

/// The message of a panic, if it has one.
pub(crate) fn message(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<String>().map(String::as_str).or_else(|| payload.downcast_ref().copied())
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        let Reason::Panic(payload) = &self.reason else {
            return write!(f, "task {id} was cancelled");
        };
        match message(&**payload.lock().unwrap_or_else(|error| error.into_inner())) {
            Some(message) => write!(f, "task {id} panicked with message {message:?}"),
            None => write!(f, "task {id} panicked"),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        let Reason::Panic(payload) = &self.reason else {
            return write!(f, "JoinError::Cancelled({id:?})");
        };
        match message(&**payload.lock().unwrap_or_else(|error| error.into_inner())) {
            Some(message) => write!(f, "JoinError::Panic({id:?}, {message:?}, ...)"),
            None => write!(f, "JoinError::Panic({id:?}, ...)"),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(match error.reason {
            Reason::Cancelled => "task was cancelled",
            Reason::Panic(_) => "task panicked",
        })
    }
}
