//! Sockets of std, which are the machine's: they cannot become part of a simulation, nor the other way.

use std::io::{Error, ErrorKind};

/// Why not, and what to do.
pub(super) fn unsupported() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "a socket of the operating system cannot be one of a simulation, nor the other way; bind and connect those of \
         sim::net",
    )
}

/// `from_std`, `into_std` and `TryFrom`, which are there so that code that mentions them compiles.
macro_rules! foreign {
    ($Socket:ident, $std:ty) => {
        impl $Socket {
            /// There is no way from a socket of the operating system into a simulation.
            ///
            /// # Errors
            ///
            /// Always `Unsupported`.
            ///
            /// # Panics
            ///
            /// Outside a simulation, and where `enable_io` was not called, as with tokio.
            #[track_caller]
            pub fn from_std(socket: $std) -> io::Result<$Socket> {
                crate::net::endpoint::expect_network();
                drop(socket);
                Err(crate::net::foreign::unsupported())
            }

            /// There is no way from a simulated socket to the operating system; it is closed.
            ///
            /// # Errors
            ///
            /// Always `Unsupported`.
            pub fn into_std(self) -> io::Result<$std> {
                drop(self);
                Err(crate::net::foreign::unsupported())
            }
        }

        impl TryFrom<$std> for $Socket {
            type Error = io::Error;

            /// As [`from_std`](Self::from_std).
            #[track_caller]
            fn try_from(socket: $std) -> io::Result<$Socket> {
                $Socket::from_std(socket)
            }
        }
    };
}

pub(super) use foreign;
