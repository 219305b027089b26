//! A connection with hyper's traits instead of tokio's, and the other way round.

use crate::io::{AsyncRead, AsyncWrite, ReadBuf};
use hyper::rt::{self, ReadBufCursor};
use pin_project::pin_project;
use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

/// At most so many bytes go through one read.
const CHUNK_BYTES: usize = 8 * 1024;

/// Gives what has tokio's `AsyncRead` and `AsyncWrite` hyper's `Read` and `Write`, and what has hyper's tokio's.
///
/// The first is for connections, the second for what hyper gives after an upgrade. Bytes are copied once more than the
/// `TokioIo` of hyper-util does, which works as well, because it is written without `unsafe`.
///
/// ```
/// use sim::hyper::Io;
///
/// let (near, far) = sim::io::duplex(1024);
/// let (near, far) = (Io::new(near), Io::new(far));
/// fn for_hyper(_: impl hyper::rt::Read + hyper::rt::Write) {}
/// for_hyper(near);
/// let _inner: sim::io::DuplexStream = far.into_inner();
/// ```
#[pin_project]
#[derive(Debug)]
pub struct Io<T> {
    #[pin]
    inner: T,
    /// What was read, on its way to hyper: a cursor of hyper's can be filled safely only from a slice.
    chunk: Box<[u8]>,
}

impl<T> Io<T> {
    /// Wraps `inner`.
    pub fn new(inner: T) -> Io<T> {
        Io { inner, chunk: Box::default() }
    }

    /// What is wrapped.
    pub fn inner(&self) -> &T {
        &self.inner
    }

    /// What is wrapped, to change it.
    pub fn inner_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Gives back what was wrapped. No byte stays behind.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: AsyncRead> rt::Read for Io<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.project();
        if this.chunk.is_empty() {
            *this.chunk = vec![0; CHUNK_BYTES].into();
        }
        let room = cursor.remaining().min(CHUNK_BYTES);
        let mut buf = ReadBuf::new(&mut this.chunk[..room]);
        ready!(this.inner.poll_read(cx, &mut buf))?;
        cursor.put_slice(buf.filled());
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite> rt::Write for Io<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }
}

impl<T: rt::Read> AsyncRead for Io<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut room = rt::ReadBuf::new(buf.initialize_unfilled());
        ready!(self.project().inner.poll_read(cx, room.unfilled()))?;
        let len = room.filled().len();
        buf.advance(len);
        Poll::Ready(Ok(()))
    }
}

impl<T: rt::Write> AsyncWrite for Io<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.project().inner.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.project().inner.poll_shutdown(cx)
    }
}
