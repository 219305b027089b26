//! The halves of a TCP stream.

use super::stream::TcpStream;
use crate::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready},
    net::halves::halves,
};
use bytes::BufMut;
use std::{
    error::Error,
    fmt,
    future::Future,
    io::{self, IoSlice, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

halves!(TcpStream, SocketAddr);

impl ReadHalf<'_> {
    /// Polls for bytes, and leaves them there.
    ///
    /// # Errors
    ///
    /// As those of reading.
    pub fn poll_peek(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.0.poll_peek(cx, buf)
    }

    /// Waits for bytes, and leaves them there. Cancel safe.
    ///
    /// # Errors
    ///
    /// As those of reading.
    #[track_caller]
    pub fn peek(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.0.peek(buf)
    }
}

impl OwnedReadHalf {
    /// Polls for bytes, and leaves them there.
    ///
    /// # Errors
    ///
    /// As those of reading.
    pub fn poll_peek(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.inner.poll_peek(cx, buf)
    }

    /// Waits for bytes, and leaves them there. Cancel safe.
    ///
    /// # Errors
    ///
    /// As those of reading.
    #[track_caller]
    pub fn peek(&mut self, buf: &mut [u8]) -> impl Future<Output = io::Result<usize>> {
        self.inner.peek(buf)
    }
}
