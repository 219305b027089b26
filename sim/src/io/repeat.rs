//! A reader without an end.

use super::budget::poll_charge;
use std::{
    io::Result,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, ReadBuf};

/// Reads one byte for ever; made by [`repeat`].
#[derive(Debug)]
pub struct Repeat {
    byte: u8,
}

/// A reader that gives `byte` for ever.
///
/// ```
/// use sim::io::{self, AsyncReadExt};
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let mut three = [0; 3];
///     io::repeat(b'z').read_exact(&mut three).await.unwrap();
///     assert_eq!(&three, b"zzz");
/// });
/// ```
pub fn repeat(byte: u8) -> Repeat {
    Repeat { byte }
}

impl AsyncRead for Repeat {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<Result<()>> {
        ready!(poll_charge(cx));
        let len = buf.remaining();
        buf.initialize_unfilled().fill(self.byte);
        buf.advance(len);
        Poll::Ready(Ok(()))
    }
}
