//! The halves of streams, borrowed and owned: those of TCP and of Unix sockets differ in their addresses only.

/// `ReadHalf`, `WriteHalf`, `OwnedReadHalf`, `OwnedWriteHalf` and `ReuniteError` of a stream.
macro_rules! halves {
    ($Stream:ident, $Address:ty) => {
        /// The half that reads, borrowed; made by `split`.
        #[derive(Debug)]
        pub struct ReadHalf<'a>(pub(super) &'a $Stream);

        /// The half that writes, borrowed; made by `split`.
        #[derive(Debug)]
        pub struct WriteHalf<'a>(pub(super) &'a $Stream);

        /// The half that reads, owned; made by `into_split`. Dropping it tells the peer nothing.
        #[derive(Debug)]
        pub struct OwnedReadHalf {
            pub(super) inner: Arc<$Stream>,
        }

        /// The half that writes, owned; made by `into_split`. Dropping it shuts down writing.
        #[derive(Debug)]
        pub struct OwnedWriteHalf {
            pub(super) inner: Arc<$Stream>,
            pub(super) shutdown_on_drop: bool,
        }

        /// These halves are not of the same stream.
        #[derive(Debug)]
        pub struct ReuniteError(pub OwnedReadHalf, pub OwnedWriteHalf);

        impl fmt::Display for ReuniteError {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tried to reunite halves that are not from the same socket")
            }
        }

        impl Error for ReuniteError {}

        fn reunite(
            read: OwnedReadHalf,
            write: OwnedWriteHalf,
        ) -> Result<$Stream, ReuniteError> {
            if !Arc::ptr_eq(&read.inner, &write.inner) {
                return Err(ReuniteError(read, write));
            }
            write.forget();
            Ok(Arc::try_unwrap(read.inner).expect("a stream has two halves, and one is gone"))
        }

        impl OwnedReadHalf {
            /// The whole stream again.
            ///
            /// # Errors
            ///
            /// Gives both back if they are not of the same stream.
            pub fn reunite(self, other: OwnedWriteHalf) -> Result<$Stream, ReuniteError> {
                reunite(self, other)
            }
        }

        impl OwnedWriteHalf {
            /// The whole stream again.
            ///
            /// # Errors
            ///
            /// Gives both back if they are not of the same stream.
            pub fn reunite(self, other: OwnedReadHalf) -> Result<$Stream, ReuniteError> {
                reunite(other, self)
            }

            /// Drops the half and goes on writing: that is, shuts nothing down.
            pub fn forget(mut self) {
                self.shutdown_on_drop = false;
            }
        }

        impl Drop for OwnedWriteHalf {
            fn drop(&mut self) {
                if self.shutdown_on_drop {
                    let _ = self.inner.shut_down_writing();
                }
            }
        }

        halves!(@read ReadHalf<'_>, $Stream, $Address, |half| half.0);
        halves!(@read OwnedReadHalf, $Stream, $Address, |half| half.inner);
        halves!(@write WriteHalf<'_>, $Stream, $Address, |half| half.0);
        halves!(@write OwnedWriteHalf, $Stream, $Address, |half| half.inner);

        impl AsyncWrite for WriteHalf<'_> {
            halves!(@writing |half| half.0);

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.0.shut_down_writing())
            }
        }

        impl AsyncWrite for OwnedWriteHalf {
            halves!(@writing |half| half.inner);

            fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                let done = self.inner.shut_down_writing();
                if done.is_ok() {
                    self.shutdown_on_drop = false;
                }
                Poll::Ready(done)
            }
        }
    };

    // What both kinds of a half have.
    (@both $Half:ty, $Stream:ident, $Address:ty, |$half:ident| $stream:expr) => {
        impl $Half {
            /// Waits until the socket is ready for any of `interest`. Cancel safe.
            ///
            /// # Errors
            ///
            /// As those of the stream.
            #[track_caller]
            pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
                let $half = self;
                $stream.ready(interest)
            }

            /// The address of the peer.
            ///
            /// # Errors
            ///
            /// `NotConnected` if there is none any more.
            pub fn peer_addr(&self) -> io::Result<$Address> {
                let $half = self;
                $stream.peer_addr()
            }

            /// The address of this end.
            ///
            /// # Errors
            ///
            /// If the socket is gone.
            pub fn local_addr(&self) -> io::Result<$Address> {
                let $half = self;
                $stream.local_addr()
            }
        }

        impl AsRef<$Stream> for $Half {
            fn as_ref(&self) -> &$Stream {
                let $half = self;
                &$stream
            }
        }
    };

    (@read $Half:ty, $Stream:ident, $Address:ty, |$half:ident| $stream:expr) => {
        halves!(@both $Half, $Stream, $Address, |$half| $stream);

        impl $Half {
            /// Waits until there may be something to read. Cancel safe.
            ///
            /// # Errors
            ///
            /// As those of the stream.
            #[track_caller]
            pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
                let $half = self;
                $stream.readable()
            }

            /// Reads if there is something to read; 0 bytes are the end.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is nothing, and those of reading.
            #[track_caller]
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                let $half = self;
                $stream.try_read(buf)
            }

            /// As [`try_read`](Self::try_read), into several buffers.
            ///
            /// # Errors
            ///
            /// As [`try_read`](Self::try_read).
            #[track_caller]
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let $half = self;
                $stream.try_read_vectored(bufs)
            }

            /// As [`try_read`](Self::try_read), into the next chunk of `buf`.
            ///
            /// # Errors
            ///
            /// As [`try_read`](Self::try_read).
            #[track_caller]
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                let $half = self;
                $stream.try_read_buf(buf)
            }
        }

        impl AsyncRead for $Half {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let $half = self;
                $stream.poll_read_half(cx, buf)
            }
        }
    };

    (@write $Half:ty, $Stream:ident, $Address:ty, |$half:ident| $stream:expr) => {
        halves!(@both $Half, $Stream, $Address, |$half| $stream);

        impl $Half {
            /// Waits until there may be room to write. Cancel safe.
            ///
            /// # Errors
            ///
            /// As those of the stream.
            #[track_caller]
            pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
                let $half = self;
                $stream.writable()
            }

            /// Writes what there is room for.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is no room, and those of writing.
            #[track_caller]
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                let $half = self;
                $stream.try_write(buf)
            }

            /// As [`try_write`](Self::try_write), of several buffers.
            ///
            /// # Errors
            ///
            /// As [`try_write`](Self::try_write).
            #[track_caller]
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let $half = self;
                $stream.try_write_vectored(bufs)
            }
        }
    };

    (@writing |$half:ident| $stream:expr) => {
        fn poll_write(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &[u8],
        ) -> Poll<io::Result<usize>> {
            let $half = self;
            $stream.poll_write_half(cx, buf)
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let $half = self;
            $stream.poll_write_half_vectored(cx, bufs)
        }

        fn is_write_vectored(&self) -> bool {
            true
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    };
}

pub(super) use halves;
