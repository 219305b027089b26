//! An open file whose reads and writes go on in the background, as tokio's.
//!
//! ```text
//!          read, write, seek: starts a thread
//!   Idle ────────────────────────────────────▶ Busy
//!    ▲                                          │
//!    └──────────────────────────────────────────┘
//!        the next call, or flush, waits for it
//! ```
//!
//! So a write is taken at once and takes place later: only `flush` tells that it has. What went wrong with it is told by
//! the next write or flush, and by no sync.

use super::{
    OpenOptions,
    background::{Background, failed, off_thread},
    buffer::Buffer,
};
use crate::{
    io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf},
    point::Site,
    std::fs::{File as StdFile, FileTimes, Metadata, Permissions},
};
use std::{
    fmt,
    future::Future,
    io::{self, IoSlice, SeekFrom},
    mem,
    panic::Location,
    path::Path,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::SystemTime,
};
use tokio::sync::Mutex;

/// What tokio reads and writes at once at most.
const MOST_AT_ONCE: usize = 2 * 1024 * 1024;

/// An open file of the node's disk.
///
/// ```
/// use sim::{fs::File, io::{AsyncReadExt, AsyncWriteExt}};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let mut file = File::create("/greeting").await.unwrap();
/// file.write_all(b"hello").await.unwrap();
/// file.flush().await.unwrap(); // Until then others may not see it.
/// file.sync_all().await.unwrap(); // Until then a crash may take it.
/// let mut text = String::new();
/// File::open("/greeting").await.unwrap().read_to_string(&mut text).await.unwrap();
/// assert_eq!(text, "hello");
/// # });
/// ```
pub struct File {
    std: Arc<StdFile>,
    inner: Mutex<Inner>,
    most_at_once: usize,
}

struct Inner {
    state: State,
    /// Of a write that ended while something else was asked for: told by the next write or flush.
    write_error: Option<io::ErrorKind>,
    position: u64,
}

enum State {
    Idle(Buffer),
    Busy(Background<Option<(Done, Buffer)>>),
}

/// What a thread did.
enum Done {
    Read(io::Result<usize>),
    Write(io::Result<()>),
    Seek(io::Result<u64>),
}

impl Inner {
    /// Waits for what is under way, if anything is: what it was.
    fn poll_done(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<Done>>> {
        let State::Busy(thread) = &mut self.state else { return Poll::Ready(Ok(None)) };
        let ended = ready!(Pin::new(thread).poll(cx));
        let (done, buffer) = match ended {
            Ok(Some((done, buffer))) => (Some(done), buffer),
            Ok(None) => (None, Buffer::default()),
            Err(_) => {
                self.state = State::Idle(Buffer::default());
                return Poll::Ready(Err(failed()));
            }
        };
        self.state = State::Idle(buffer);
        Poll::Ready(Ok(done))
    }

    fn buffer(&mut self) -> Buffer {
        match &mut self.state {
            State::Idle(buffer) => mem::take(buffer),
            State::Busy(_) => unreachable!("what is under way was waited for"),
        }
    }

    /// Waits for what is under way, and keeps what went wrong with a write.
    async fn settle(&mut self) {
        let done = std::future::poll_fn(|cx| self.poll_done(cx)).await;
        if let Ok(Some(Done::Write(Err(error)))) = done {
            self.write_error = Some(error.kind());
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(kind) = self.write_error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        match ready!(self.poll_done(cx))? {
            Some(Done::Write(written)) => Poll::Ready(written),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn begin_seek(&mut self, std: &Arc<StdFile>, mut to: SeekFrom, site: Site) {
        let mut buffer = self.buffer();
        let behind = buffer.forget();
        let mut first = None;
        if let SeekFrom::Current(by) = &mut to {
            match by.checked_add(behind) {
                Some(sum) => *by = sum,
                None => first = Some(SeekFrom::Current(behind)),
            }
        }
        let std = std.clone();
        self.state = State::Busy(Background::start(site, move || {
            let sought = first.map_or(Ok(0), |first| std.seek_at_site(first, site));
            let sought = sought.and_then(|_| std.seek_at_site(to, site));
            Some((Done::Seek(sought), buffer))
        }));
    }
}

impl File {
    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    #[track_caller]
    pub fn open(path: impl AsRef<Path>) -> impl Future<Output = io::Result<File>> {
        let mut options = OpenOptions::new();
        options.read(true).open_at(path.as_ref(), Location::caller())
    }

    /// Opens a file to write it: it is made if it is not there, and empty.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    #[track_caller]
    pub fn create(path: impl AsRef<Path>) -> impl Future<Output = io::Result<File>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        options.open_at(path.as_ref(), Location::caller())
    }

    /// Makes a file, which must not be there, to read and write it.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    #[track_caller]
    pub fn create_new<P: AsRef<Path>>(path: P) -> impl Future<Output = io::Result<File>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        options.open_at(path.as_ref(), Location::caller())
    }

    /// How to open a file.
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// The same open file, of [`sim::std::fs`](crate::std::fs).
    #[must_use]
    pub fn from_std(std: StdFile) -> File {
        let state = State::Idle(Buffer::default());
        let inner = Inner { state, write_error: None, position: 0 };
        File { std: Arc::new(std), inner: Mutex::new(inner), most_at_once: MOST_AT_ONCE }
    }

    /// Makes content, size and metadata durable: fsync(2). Waits for the write that is under way, whose error it does not
    /// tell.
    ///
    /// # Errors
    ///
    /// `EIO` by a fault.
    #[track_caller]
    pub fn sync_all(&self) -> impl Future<Output = io::Result<()>> {
        self.settled(|std, site| std.sync_at(false, site), Location::caller())
    }

    /// Makes content and size durable: fdatasync(2).
    ///
    /// # Errors
    ///
    /// As [`sync_all`](File::sync_all).
    #[track_caller]
    pub fn sync_data(&self) -> impl Future<Output = io::Result<()>> {
        self.settled(|std, site| std.sync_at(true, site), Location::caller())
    }

    /// Makes it longer, by a hole, or shorter.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is not open to write, `EFBIG`, `EIO`.
    #[track_caller]
    pub fn set_len(&self, size: u64) -> impl Future<Output = io::Result<()>> {
        let site = Location::caller();
        async move {
            let mut inner = self.inner.lock().await;
            inner.settle().await;
            let mut buffer = inner.buffer();
            let behind = buffer.forget();
            let std = self.std.clone();
            inner.state = State::Busy(Background::start(site, move || {
                let sought = match behind {
                    0 => Ok(0),
                    behind => std.seek_at_site(SeekFrom::Current(behind), site),
                };
                let done = sought.and_then(|_| std.set_len_at(size, site)).map(|()| 0);
                Some((Done::Seek(done), buffer))
            }));
            match std::future::poll_fn(|cx| inner.poll_done(cx)).await? {
                Some(Done::Seek(done)) => done.map(drop),
                _ => Err(failed()),
            }
        }
    }

    /// What it is.
    ///
    /// # Errors
    ///
    /// `EIO` by a fault.
    #[track_caller]
    pub fn metadata(&self) -> impl Future<Output = io::Result<Metadata>> {
        let (std, site) = (self.std.clone(), Location::caller());
        async move { off_thread(site, move || std.metadata_at(site)).await }
    }

    /// The same open file once more: both share the offset.
    ///
    /// # Errors
    ///
    /// `EMFILE`.
    #[track_caller]
    pub fn try_clone(&self) -> impl Future<Output = io::Result<File>> {
        let site = Location::caller();
        async move {
            self.inner.lock().await.settle().await;
            let std = self.std.clone();
            let std = off_thread(site, move || std.try_clone_at(site)).await?;
            Ok(File { most_at_once: self.most_at_once, ..File::from_std(std) })
        }
    }

    /// The file of [`sim::std::fs`](crate::std::fs), once nothing is under way.
    pub async fn into_std(mut self) -> StdFile {
        self.inner.get_mut().settle().await;
        Arc::try_unwrap(self.std).expect("what was under way has ended")
    }

    /// As [`into_std`](File::into_std), without waiting.
    ///
    /// # Errors
    ///
    /// With the file, if something is under way.
    pub fn try_into_std(mut self) -> Result<StdFile, File> {
        match Arc::try_unwrap(self.std) {
            Ok(file) => Ok(file),
            Err(std) => {
                self.std = std;
                Err(self)
            }
        }
    }

    /// Sets its permission bits.
    ///
    /// # Errors
    ///
    /// `EPERM` for a file of another user.
    #[track_caller]
    pub fn set_permissions(
        &self,
        perm: impl Into<Permissions>,
    ) -> impl Future<Output = io::Result<()>> {
        let (std, site, perm) = (self.std.clone(), Location::caller(), perm.into());
        async move { off_thread(site, move || std.set_permissions_at(perm, site)).await }
    }

    /// Sets its times.
    ///
    /// # Errors
    ///
    /// `EPERM` for a file of another user.
    #[track_caller]
    pub fn set_times(&self, times: FileTimes) -> impl Future<Output = io::Result<()>> {
        self.settled(move |std, site| std.set_times_at(times, site), Location::caller())
    }

    /// Sets when it was changed last.
    ///
    /// # Errors
    ///
    /// As [`set_times`](File::set_times).
    #[track_caller]
    pub fn set_modified(&self, time: SystemTime) -> impl Future<Output = io::Result<()>> {
        self.set_times(FileTimes::new().set_modified(time))
    }

    /// How many bytes are read and written at once at most: 2 MiB at first.
    ///
    /// # Panics
    ///
    /// With 0.
    #[track_caller]
    pub fn set_max_buf_size(&mut self, max_buf_size: usize) {
        assert!(max_buf_size > 0, "`max_buf_size` must be greater than 0");
        self.most_at_once = max_buf_size;
    }

    /// How many bytes are read and written at once at most.
    #[must_use]
    pub fn max_buf_size(&self) -> usize {
        self.most_at_once
    }

    /// Does `verb` on a thread once nothing is under way.
    async fn settled(
        &self,
        verb: impl FnOnce(&StdFile, Site) -> io::Result<()> + Send + 'static,
        site: Site,
    ) -> io::Result<()> {
        let mut inner = self.inner.lock().await;
        inner.settle().await;
        let std = self.std.clone();
        off_thread(site, move || verb(&std, site)).await
    }

    fn poll_write_parts<'a>(
        &mut self,
        cx: &mut Context<'_>,
        parts: impl Iterator<Item = &'a [u8]>,
    ) -> Poll<io::Result<usize>> {
        let (inner, site) = (self.inner.get_mut(), self.std.site());
        if let Some(kind) = inner.write_error.take() {
            return Poll::Ready(Err(kind.into()));
        }
        if let Some(Done::Write(written)) = ready!(inner.poll_done(cx))? {
            written?;
        }
        let mut buffer = inner.buffer();
        let behind = buffer.forget();
        let count = buffer.take_in(parts, self.most_at_once);
        let write = Background::start_write(site, self.std.clone(), move |std| {
            let sought = match behind {
                0 => Ok(()),
                behind => std.seek_now(behind, site),
            };
            let (written, done_ns) = match sought {
                Ok(()) => buffer.empty_into(std, site),
                Err(error) => (Err(error), 0),
            };
            ((Done::Write(written), buffer), done_ns)
        });
        inner.state = State::Busy(write);
        Poll::Ready(Ok(count))
    }
}

impl AsyncRead for File {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let (inner, site) = (me.inner.get_mut(), me.std.site());
        loop {
            match ready!(inner.poll_done(cx))? {
                Some(Done::Read(Err(error))) => return Poll::Ready(Err(error)),
                Some(Done::Write(Err(error))) => inner.write_error = Some(error.kind()),
                Some(Done::Seek(Ok(position))) => inner.position = position,
                Some(Done::Read(Ok(0))) => return Poll::Ready(Ok(())),
                _ => {}
            }
            let mut buffer = inner.buffer();
            if !buffer.is_empty() || into.remaining() == 0 {
                buffer.give(into);
                inner.state = State::Idle(buffer);
                return Poll::Ready(Ok(()));
            }
            let (std, most) = (me.std.clone(), into.remaining().min(me.most_at_once));
            inner.state = State::Busy(Background::start(site, move || {
                let read = buffer.fill(&std, most, site);
                Some((Done::Read(read), buffer))
            }));
        }
    }
}

impl AsyncSeek for File {
    fn start_seek(self: Pin<&mut Self>, to: SeekFrom) -> io::Result<()> {
        let me = self.get_mut();
        let (inner, site) = (me.inner.get_mut(), me.std.site());
        if matches!(inner.state, State::Busy(_)) {
            return Err(io::Error::other(
                "other file operation is pending, call poll_complete before start_seek",
            ));
        }
        inner.begin_seek(&me.std, to, site);
        Ok(())
    }

    fn poll_complete(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let inner = self.get_mut().inner.get_mut();
        match ready!(inner.poll_done(cx))? {
            Some(Done::Seek(sought)) => {
                if let Ok(position) = sought {
                    inner.position = position;
                }
                return Poll::Ready(sought);
            }
            Some(Done::Write(Err(error))) => inner.write_error = Some(error.kind()),
            _ => {}
        }
        Poll::Ready(Ok(inner.position))
    }
}

impl AsyncWrite for File {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_parts(cx, std::iter::once(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_parts(cx, parts.iter().map(|part| &**part))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().inner.get_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl From<StdFile> for File {
    fn from(std: StdFile) -> File {
        File::from_std(std)
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("tokio::fs::File").field("std", &self.std).finish()
    }
}
