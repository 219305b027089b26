//! What I/O says whose runtime is gone.

use std::{error::Error, fmt, io};

#[derive(Debug)]
struct ShutDown;

impl fmt::Display for ShutDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "A Tokio 1.x context was found, but it is being shutdown: the run that made the socket has ended, or goes \
             on on another thread",
        )
    }
}

impl Error for ShutDown {}

/// The run that made the socket has ended, or is another thread's.
pub(crate) fn shut_down() -> io::Error {
    io::Error::other(ShutDown)
}

/// Whether an error of a socket says that its runtime is gone: here, that its run has ended or is another thread's.
///
/// ```
/// let other = std::io::Error::other("something else");
/// assert!(!sim::runtime::is_rt_shutdown_err(&other));
/// ```
pub fn is_rt_shutdown_err(err: &io::Error) -> bool {
    err.get_ref().is_some_and(|inner| inner.is::<ShutDown>())
}
