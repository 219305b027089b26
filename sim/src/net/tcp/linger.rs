//! How long close waits, which connections and sockets that are none yet are told alike.

use crate::net::endpoint::Endpoint;
use std::{io, time::Duration};

/// Getter and setters of it.
macro_rules! linger {
    ($Socket:ident) => {
        impl $Socket {
            /// How long close waits for what is unsent, in whole seconds: `SO_LINGER`.
            ///
            /// # Errors
            ///
            /// If the socket is gone.
            pub fn linger(&self) -> io::Result<Option<Duration>> {
                super::linger::get(&self.endpoint)
            }

            /// Sets how long close waits for what is unsent, in whole seconds: `SO_LINGER`.
            ///
            /// # Errors
            ///
            /// If the socket is gone.
            #[deprecated = "`SO_LINGER` causes the socket to block the thread on drop"]
            pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
                super::linger::set(&self.endpoint, dur)
            }

            /// Lets close reset the connection.
            ///
            /// # Errors
            ///
            /// If the socket is gone.
            pub fn set_zero_linger(&self) -> io::Result<()> {
                super::linger::set(&self.endpoint, Some(Duration::ZERO))
            }
        }
    };
}

pub(super) use linger;

/// `SO_LINGER` as programs see it.
pub(super) fn get(endpoint: &Endpoint) -> io::Result<Option<Duration>> {
    let seconds = endpoint.ask(|net, _, id| net.linger(id))?;
    Ok(seconds.map(|seconds| Duration::from_secs(seconds.into())))
}

/// Sets `SO_LINGER`, which counts whole seconds.
pub(super) fn set(endpoint: &Endpoint, dur: Option<Duration>) -> io::Result<()> {
    let seconds = dur.map(|dur| u32::try_from(dur.as_secs()).unwrap_or(u32::MAX));
    endpoint.ask(|net, _, id| net.set_linger(id, seconds))
}
