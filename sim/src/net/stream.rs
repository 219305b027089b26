//! What streams have alike, those of TCP and those of Unix: reading, writing, their halves.

/// The methods of a stream, its traits, and its split.
macro_rules! stream {
    ($Stream:ident) => {
        impl $Stream {
            /// Reads if there is something to read; 0 bytes are the end.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is nothing, and those of reading.
            #[track_caller]
            pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
                self.endpoint.try_io(Interest::READABLE, Location::caller(), || {
                    self.endpoint.ask(|net, cx, id| net.recv(cx, id, buf))
                })
            }

            /// As [`try_read`](Self::try_read), into several buffers, one after the other.
            ///
            /// # Errors
            ///
            /// As [`try_read`](Self::try_read).
            #[track_caller]
            pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.endpoint.try_io(Interest::READABLE, Location::caller(), || {
                    self.endpoint.ask(|net, cx, id| {
                        let mut all = 0;
                        for buf in bufs.iter_mut().filter(|buf| !buf.is_empty()) {
                            match net.recv(cx, id, buf) {
                                Ok(len) => all += len,
                                // Told by the next read.
                                Err(_) if all > 0 => break,
                                Err(errno) => return Err(errno),
                            }
                            if all == 0 || net.ready(id) == sim_net::Ready::NONE {
                                break;
                            }
                        }
                        Ok(all)
                    })
                })
            }

            /// As [`try_read`](Self::try_read), into the next chunk of `buf`.
            ///
            /// # Errors
            ///
            /// As [`try_read`](Self::try_read).
            #[track_caller]
            pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
                self.endpoint.try_io(Interest::READABLE, Location::caller(), || {
                    readiness::read_chunk(&self.endpoint, buf)
                })
            }

            /// Writes what there is room for.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if there is no room, and those of writing.
            #[track_caller]
            pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
                self.endpoint.try_io(Interest::WRITABLE, Location::caller(), || {
                    self.endpoint.ask(|net, cx, id| net.send(cx, id, buf))
                })
            }

            /// As [`try_write`](Self::try_write), of several buffers, one after the other.
            ///
            /// # Errors
            ///
            /// As [`try_write`](Self::try_write).
            #[track_caller]
            pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.endpoint
                    .try_io(Interest::WRITABLE, Location::caller(), || self.write_all_of(bufs))
            }

            /// Splits into halves that borrow.
            pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
                (ReadHalf(self), WriteHalf(self))
            }

            /// Splits into halves that tasks can own. Dropping the half that writes shuts down writing.
            pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
                let stream = Arc::new(self);
                let read = OwnedReadHalf { inner: stream.clone() };
                (read, OwnedWriteHalf { inner: stream, shutdown_on_drop: true })
            }

            fn write_all_of(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let pieces = bufs.iter().map(|buf| &**buf);
                self.endpoint.ask(|net, cx, id| net.send_pieces(cx, id, pieces.clone()))
            }

            pub(super) fn poll_read_half(
                &self,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let read = || {
                    let room = buf.initialize_unfilled();
                    let most = room.len();
                    let len = self.endpoint.ask(|net, cx, id| net.recv(cx, id, room))?;
                    if (1..most).contains(&len) {
                        self.endpoint.spent(Half::Read);
                    }
                    buf.advance(len);
                    Ok(())
                };
                self.endpoint.poll_io(cx, Half::Read, self.endpoint.site(), read)
            }

            pub(super) fn poll_write_half(
                &self,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                let write = || {
                    let len = self.endpoint.ask(|net, cx, id| net.send(cx, id, buf))?;
                    if (1..buf.len()).contains(&len) {
                        self.endpoint.spent(Half::Write);
                    }
                    Ok(len)
                };
                self.endpoint.poll_io(cx, Half::Write, self.endpoint.site(), write)
            }

            pub(super) fn poll_write_half_vectored(
                &self,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                let write = || self.write_all_of(bufs);
                self.endpoint.poll_io(cx, Half::Write, self.endpoint.site(), write)
            }

            /// No more is written. That nobody is there any more is no error, as with tokio.
            pub(super) fn shut_down_writing(&self) -> io::Result<()> {
                let site = self.endpoint.site();
                let verb = |net: &mut sim_net::Network, cx: &mut sim_net::Cx<'_>, id| {
                    net.shutdown(cx, id, sim_net::How::Write)
                };
                match self.endpoint.change(Access::Close, site, verb) {
                    Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
                    done => done,
                }
            }
        }

        impl AsyncRead for $Stream {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.poll_read_half(cx, buf)
            }
        }

        impl AsyncWrite for $Stream {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.poll_write_half(cx, buf)
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bufs: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.poll_write_half_vectored(cx, bufs)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.shut_down_writing())
            }
        }

        impl AsRef<$Stream> for $Stream {
            fn as_ref(&self) -> &$Stream {
                self
            }
        }
    };
}

pub(super) use stream;
