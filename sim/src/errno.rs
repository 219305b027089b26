//! The errors of the models, as programs get them.

use sim_errno::Errno;
use std::io;

/// The error that Linux would give.
pub(crate) fn error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.0)
}
