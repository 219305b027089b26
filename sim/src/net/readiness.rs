//! What all sockets have: waiting until they are ready, and operations of the caller's own.

use super::endpoint::Endpoint;
use crate::io::Result;
use bytes::BufMut;

/// Bytes that are received at once into a buffer that gives no initialised room.
const CHUNK: usize = 64 * 1024;

/// Receives through initialised room into the next chunk of `buf`: there is no unsafe code here.
pub(super) fn into_chunk<B: BufMut, R>(
    buf: &mut B,
    receive: impl FnOnce(&mut [u8]) -> Result<(usize, R)>,
) -> Result<(usize, R)> {
    let mut room = vec![0; buf.chunk_mut().len().min(CHUNK)];
    let (len, rest) = receive(&mut room)?;
    buf.put_slice(&room[..len]);
    Ok((len, rest))
}

/// As [`into_chunk`], of a stream.
pub(super) fn read_chunk<B: BufMut>(endpoint: &Endpoint, buf: &mut B) -> Result<usize> {
    let read = |room: &mut [u8]| endpoint.ask(|net, cx, id| net.recv(cx, id, room));
    into_chunk(buf, |room| Ok((read(room)?, ()))).map(|(len, ())| len)
}

/// `ready`, `readable`, `writable`, `try_io`, `async_io`, `take_error`; and under these names the polls.
macro_rules! readiness {
    ($Socket:ident, $poll_in:ident, $poll_out:ident) => {
        impl $Socket {
            /// Waits until the socket is ready for any of `interest`. Cancel safe.
            ///
            /// # Errors
            ///
            /// If the run that made the socket has ended.
            #[track_caller]
            pub fn ready(&self, interest: Interest) -> impl Future<Output = io::Result<Ready>> {
                self.endpoint.ready(interest, Location::caller())
            }

            /// Waits until there may be something to read: data, the end, an error. Cancel safe.
            ///
            /// # Errors
            ///
            /// As [`ready`](Self::ready).
            #[track_caller]
            pub fn readable(&self) -> impl Future<Output = io::Result<()>> {
                let ready = self.endpoint.ready(Interest::READABLE, Location::caller());
                async { ready.await.map(drop) }
            }

            /// Waits until there may be room to write. Cancel safe.
            ///
            /// # Errors
            ///
            /// As [`ready`](Self::ready).
            #[track_caller]
            pub fn writable(&self) -> impl Future<Output = io::Result<()>> {
                let ready = self.endpoint.ready(Interest::WRITABLE, Location::caller());
                async { ready.await.map(drop) }
            }

            /// Polls for something to read. Of several tasks the one that polled last is woken.
            ///
            /// # Errors
            ///
            /// As [`ready`](Self::ready).
            pub fn $poll_in(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.endpoint.poll_ready(cx, Half::Read)
            }

            /// Polls for room to write. Of several tasks the one that polled last is woken.
            ///
            /// # Errors
            ///
            /// As [`ready`](Self::ready).
            pub fn $poll_out(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.endpoint.poll_ready(cx, Half::Write)
            }

            /// Calls `f` if the socket is ready; if it answers `WouldBlock`, the socket is not until something changes.
            ///
            /// # Errors
            ///
            /// `WouldBlock` if the socket is not ready, and what `f` gives.
            #[track_caller]
            pub fn try_io<R>(
                &self,
                interest: Interest,
                f: impl FnOnce() -> io::Result<R>,
            ) -> io::Result<R> {
                self.endpoint.try_io(interest, Location::caller(), f)
            }

            /// Calls `f` each time that the socket is ready, until it answers something else than `WouldBlock`.
            ///
            /// # Errors
            ///
            /// What `f` gives.
            #[track_caller]
            pub fn async_io<R>(
                &self,
                interest: Interest,
                f: impl FnMut() -> io::Result<R>,
            ) -> impl Future<Output = io::Result<R>> {
                self.endpoint.wait_io(interest, Location::caller(), f)
            }

            /// Takes the error that waits for somebody to ask: `SO_ERROR`.
            ///
            /// # Errors
            ///
            /// If the socket is gone.
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                let taken = self.endpoint.ask(|net, _, id| net.take_error(id))?;
                Ok(taken.map($crate::errno::error))
            }
        }
    };
}

pub(super) use readiness;
