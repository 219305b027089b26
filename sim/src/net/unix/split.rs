//! The halves of a Unix stream.

use super::{SocketAddr, stream::UnixStream};
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
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

halves!(UnixStream, SocketAddr);
