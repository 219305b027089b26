//! Pipes in memory, through which tasks talk: tokio's own, with scheduling points and the budget of
//! the simulation.

use super::budget::poll_charged;
use crate::point::{Access, Object, Site, point};
use std::{
    fmt,
    io::{IoSlice, Result},
    panic::Location,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf, split};

/// One end of a pipe that goes both ways; made by [`duplex`].
///
/// When it is dropped, the other end reads what is left and then its end; writing there fails with
/// [`BrokenPipe`](std::io::ErrorKind::BrokenPipe).
pub struct DuplexStream {
    inner: tokio::io::DuplexStream,
    // Each direction is an object of its own, which both ends share.
    incoming: Arc<Object>,
    outgoing: Arc<Object>,
    site: Site,
}

/// Two connected ends, with room for `max_buf_size` bytes on each way.
///
/// # Panics
///
/// If `max_buf_size` is zero.
///
/// ```
/// use sim::io::{duplex, AsyncReadExt, AsyncWriteExt};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let (mut client, mut server) = duplex(64);
///     client.write_all(b"ping").await.unwrap();
///     let mut request = [0; 4];
///     server.read_exact(&mut request).await.unwrap();
///     server.write_all(b"pong").await.unwrap();
///     drop(server);
///     let mut answer = Vec::new();
///     client.read_to_end(&mut answer).await.unwrap();
///     assert_eq!(answer, b"pong");
/// });
/// ```
#[track_caller]
pub fn duplex(max_buf_size: usize) -> (DuplexStream, DuplexStream) {
    let (one, two) = tokio::io::duplex(max_buf_size);
    let site = Location::caller();
    let (there, back) = (Arc::new(Object::made(site)), Arc::new(Object::made(site)));
    (
        DuplexStream { inner: one, incoming: back.clone(), outgoing: there.clone(), site },
        DuplexStream { inner: two, incoming: there, outgoing: back, site },
    )
}

impl AsyncRead for DuplexStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        point(&self.incoming, Access::Receive, self.site);
        poll_charged(cx, |cx| Pin::new(&mut self.inner).poll_read(cx, buf))
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        point(&self.outgoing, Access::Send, self.site);
        poll_charged(cx, |cx| Pin::new(&mut self.inner).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        point(&self.outgoing, Access::Send, self.site);
        poll_charged(cx, |cx| Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        point(&self.outgoing, Access::Close, self.site);
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        // The stream inside closes both ways, right after this.
        point(&self.outgoing, Access::Close, self.site);
        point(&self.incoming, Access::Close, self.site);
    }
}

impl fmt::Debug for DuplexStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// A pipe that goes one way; made by [`simplex`], or as one value by
/// [`new_unsplit`](SimplexStream::new_unsplit).
pub struct SimplexStream {
    inner: tokio::io::SimplexStream,
    object: Object,
    site: Site,
}

/// The two ends of a pipe with room for `max_buf_size` bytes.
///
/// Dropping a half does not close the pipe; shutting down the writer does.
///
/// # Panics
///
/// If `max_buf_size` is zero.
///
/// ```
/// use sim::io::{simplex, AsyncReadExt, AsyncWriteExt};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let (mut reader, mut writer) = simplex(64);
///     writer.write_all(b"hello").await.unwrap();
///     writer.shutdown().await.unwrap();
///     let mut text = String::new();
///     reader.read_to_string(&mut text).await.unwrap();
///     assert_eq!(text, "hello");
/// });
/// ```
#[track_caller]
pub fn simplex(max_buf_size: usize) -> (ReadHalf<SimplexStream>, WriteHalf<SimplexStream>) {
    split(SimplexStream::new_unsplit(max_buf_size))
}

impl SimplexStream {
    /// A pipe with room for `max_buf_size` bytes, both ends in one value.
    ///
    /// # Panics
    ///
    /// If `max_buf_size` is zero.
    #[track_caller]
    pub fn new_unsplit(max_buf_size: usize) -> SimplexStream {
        let inner = tokio::io::SimplexStream::new_unsplit(max_buf_size);
        let site = Location::caller();
        SimplexStream { inner, object: Object::made(site), site }
    }
}

impl AsyncRead for SimplexStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        point(&self.object, Access::Receive, self.site);
        poll_charged(cx, |cx| Pin::new(&mut self.inner).poll_read(cx, buf))
    }
}

impl AsyncWrite for SimplexStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<Result<usize>> {
        point(&self.object, Access::Send, self.site);
        poll_charged(cx, |cx| Pin::new(&mut self.inner).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<Result<usize>> {
        point(&self.object, Access::Send, self.site);
        poll_charged(cx, |cx| Pin::new(&mut self.inner).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        point(&self.object, Access::Close, self.site);
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl fmt::Debug for SimplexStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
