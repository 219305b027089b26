//! The names in a folder, read ahead in the background.

use super::background::{Background, failed, off_thread};
use crate::{
    point::Site,
    std::fs::{DirEntry as StdDirEntry, FileType, Metadata, ReadDir as StdReadDir},
};
use std::{
    collections::VecDeque,
    ffi::OsString,
    fmt,
    future::{Future, poll_fn},
    io,
    os::unix::fs::DirEntryExt,
    panic::Location,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Names that are read at once, as with tokio.
const CHUNK: usize = 32;

/// The names in a folder.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `EACCES`.
#[track_caller]
pub fn read_dir(path: impl AsRef<Path>) -> impl Future<Output = io::Result<ReadDir>> {
    let (path, site) = (path.as_ref().to_path_buf(), Location::caller());
    async move {
        let ahead = off_thread(site, move || {
            let names = StdReadDir::open(&path, site)?;
            let mut ahead = Ahead { names, read: VecDeque::new(), more: true };
            ahead.read_on();
            Ok(ahead)
        });
        Ok(ReadDir { state: State::Idle(Some(Box::new(ahead.await?))), site })
    }
}

/// The names in a folder: as tokio's.
pub struct ReadDir {
    state: State,
    site: Site,
}

enum State {
    /// `None` once the thread was lost.
    Idle(Option<Box<Ahead>>),
    Busy(Background<Box<Ahead>>),
}

struct Ahead {
    names: StdReadDir,
    read: VecDeque<io::Result<StdDirEntry>>,
    more: bool,
}

impl Ahead {
    fn read_on(&mut self) {
        while self.read.len() < CHUNK {
            let Some(entry) = self.names.next() else {
                self.more = false;
                return;
            };
            let failed = entry.is_err();
            self.read.push_back(entry);
            if failed {
                return;
            }
        }
    }
}

impl ReadDir {
    /// The next name; `None` after the last.
    ///
    /// # Errors
    ///
    /// `EIO` by a fault.
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// As [`next_entry`](ReadDir::next_entry).
    ///
    /// # Errors
    ///
    /// As [`next_entry`](ReadDir::next_entry).
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        let site = self.site;
        loop {
            match &mut self.state {
                State::Busy(thread) => {
                    let ended = ready!(Pin::new(thread).poll(cx));
                    self.state = State::Idle(ended.ok());
                }
                State::Idle(None) => return Poll::Ready(Err(failed())),
                State::Idle(place @ Some(_)) => {
                    let mut ahead = place.take().expect("it is there");
                    if let Some(entry) = ahead.read.pop_front() {
                        *place = Some(ahead);
                        let entry = entry.map(|std| Some(DirEntry { std: Arc::new(std) }));
                        return Poll::Ready(entry);
                    }
                    if !ahead.more {
                        *place = Some(ahead);
                        return Poll::Ready(Ok(None));
                    }
                    self.state = State::Busy(Background::start(site, move || {
                        ahead.read_on();
                        ahead
                    }));
                }
            }
        }
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadDir").finish_non_exhaustive()
    }
}

/// A name in a folder: as tokio's.
pub struct DirEntry {
    std: Arc<StdDirEntry>,
}

impl DirEntry {
    /// The folder's path, as it was given, with the name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.std.path()
    }

    /// The name.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        self.std.file_name()
    }

    /// What it is now; symbolic links are not followed.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it is gone.
    #[track_caller]
    pub fn metadata(&self) -> impl Future<Output = io::Result<Metadata>> {
        let (std, site) = (self.std.clone(), Location::caller());
        async move { off_thread(site, move || std.metadata_at(site)).await }
    }

    /// What it was when the folder was read.
    ///
    /// # Errors
    ///
    /// None.
    pub async fn file_type(&self) -> io::Result<FileType> {
        self.std.file_type()
    }

    /// Its inode.
    #[must_use]
    pub fn ino(&self) -> u64 {
        self.std.ino()
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}
