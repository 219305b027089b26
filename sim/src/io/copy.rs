//! Copying from a reader to a writer: tokio's own loops, charged to the budget of the simulation.

use super::budget::charged;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite};

/// Copies all of `reader` into `writer` and flushes it; gives the number of bytes.
///
/// ```
/// use sim::io;
///
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let mut written = Vec::new();
///     assert_eq!(io::copy(&mut &b"hello"[..], &mut written).await.unwrap(), 5);
///     assert_eq!(written, b"hello");
/// });
/// ```
pub async fn copy<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> std::io::Result<u64>
where
    R: AsyncRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    charged(tokio::io::copy(reader, writer)).await
}

/// As [`copy`], but uses the buffer of `reader`.
pub async fn copy_buf<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> std::io::Result<u64>
where
    R: AsyncBufRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    charged(tokio::io::copy_buf(reader, writer)).await
}

/// Copies both ways until both ends are shut down; gives the bytes from `a` to `b` and from `b` to
/// `a`.
///
/// At the end of one reader the other's writer is shut down.
pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> std::io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    charged(tokio::io::copy_bidirectional(a, b)).await
}

/// As [`copy_bidirectional`], with buffers of the given sizes in bytes.
///
/// # Panics
///
/// If a size is zero.
pub async fn copy_bidirectional_with_sizes<A, B>(
    a: &mut A,
    b: &mut B,
    a_to_b_buf_size: usize,
    b_to_a_buf_size: usize,
) -> std::io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    charged(tokio::io::copy_bidirectional_with_sizes(a, b, a_to_b_buf_size, b_to_a_buf_size)).await
}
