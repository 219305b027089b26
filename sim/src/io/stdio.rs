//! The standard streams of the process.
//!
//! Output goes straight to std's streams, each write at once and flushed, so that it is in order
//! with `println!` and nothing is lost at a failure. As with tokio, the test harness does not
//! capture it. Input is always at its end: what a person types would make a run differ from the
//! next.

use super::budget::poll_charge;
use crate::context;
use std::{
    io::{Result, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The standard input; made by [`stdin`].
#[derive(Debug)]
pub struct Stdin {
    std: std::io::Stdin,
}

/// The standard input: nothing to read, inside a simulation.
///
/// Reading panics outside a simulation.
///
/// ```
/// use sim::io::{self, AsyncReadExt};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let mut text = String::new();
///     assert_eq!(io::stdin().read_to_string(&mut text).await.unwrap(), 0);
/// });
/// ```
pub fn stdin() -> Stdin {
    Stdin { std: std::io::stdin() }
}

/// The standard output; made by [`stdout`].
#[derive(Debug)]
pub struct Stdout {
    std: std::io::Stdout,
}

/// The standard output: std's, written through at once.
///
/// Writing panics outside a simulation.
///
/// ```
/// use sim::io::{self, AsyncWriteExt};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     io::stdout().write_all(b"hello\n").await.unwrap();
/// });
/// ```
pub fn stdout() -> Stdout {
    Stdout { std: std::io::stdout() }
}

/// The standard error; made by [`stderr`].
#[derive(Debug)]
pub struct Stderr {
    std: std::io::Stderr,
}

/// The standard error: std's, written through at once.
///
/// Writing panics outside a simulation.
pub fn stderr() -> Stderr {
    Stderr { std: std::io::stderr() }
}

impl AsyncRead for Stdin {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        expect_runtime();
        poll_charge(cx).map(Ok)
    }
}

impl AsyncWrite for Stdout {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        poll_write_through(&mut self.std, cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stderr {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        poll_write_through(&mut self.std, cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Writes and flushes all of `buf`: virtual time does not pass meanwhile.
fn poll_write_through(
    out: &mut impl Write,
    cx: &mut Context<'_>,
    buf: &[u8],
) -> Poll<Result<usize>> {
    expect_runtime();
    ready!(poll_charge(cx));
    out.write_all(buf)?;
    out.flush()?;
    Poll::Ready(Ok(buf.len()))
}

/// tokio hands the work to its blocking threads, so that it panics without a runtime.
fn expect_runtime() {
    assert!(context::now_ns().is_some(), "{}", context::NO_RUNTIME);
}

#[cfg(unix)]
mod unix {
    use super::{Stderr, Stdin, Stdout};
    use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

    impl AsFd for Stdin {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.std.as_fd()
        }
    }

    impl AsRawFd for Stdin {
        fn as_raw_fd(&self) -> RawFd {
            self.std.as_raw_fd()
        }
    }

    impl AsFd for Stdout {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.std.as_fd()
        }
    }

    impl AsRawFd for Stdout {
        fn as_raw_fd(&self) -> RawFd {
            self.std.as_raw_fd()
        }
    }

    impl AsFd for Stderr {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.std.as_fd()
        }
    }

    impl AsRawFd for Stderr {
        fn as_raw_fd(&self) -> RawFd {
            self.std.as_raw_fd()
        }
    }
}
