//! Reading and writing: as `tokio::io`.
//!
//! Traits, adapters and buffers are tokio's own, so that whatever implements or takes them fits.
//! Own are those parts that take from a task's budget or let tasks talk to each other: [`empty`],
//! [`repeat`], [`sink`], the [`copy`] family, [`duplex`] and [`simplex`]; tokio's would not know
//! the budget of the simulation. The standard streams write through, and read nothing.
//!
//! ```
//! use sim::io::{duplex, AsyncReadExt, AsyncWriteExt};
//!
//! sim::runtime::Runtime::new().unwrap().block_on(async {
//!     let (mut here, mut there) = duplex(64);
//!     here.write_all(b"ping").await.unwrap();
//!     let mut word = [0; 4];
//!     there.read_exact(&mut word).await.unwrap();
//!     assert_eq!(&word, b"ping");
//! });
//! ```

mod budget;
mod copy;
mod empty;
mod interest;
mod mem;
mod repeat;
mod sink;
mod stdio;
#[cfg(test)]
mod tests;

pub use self::{
    copy::{copy, copy_bidirectional, copy_bidirectional_with_sizes, copy_buf},
    empty::{Empty, empty},
    interest::{Interest, Ready},
    mem::{DuplexStream, SimplexStream, duplex, simplex},
    repeat::{Repeat, repeat},
    sink::{Sink, sink},
    stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout},
};
#[doc(no_inline)]
pub use std::io::{Error, ErrorKind, Result, SeekFrom};
pub use tokio::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite,
    AsyncWriteExt, BufReader, BufStream, BufWriter, Chain, Join, Lines, ReadBuf, ReadHalf, Split,
    Take, WriteHalf, join, split,
};
