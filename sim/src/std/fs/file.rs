//! An open file: reads, writes, offsets, syncs and locks.

use super::{
    Metadata, OpenOptions, Permissions,
    caller::{Caller, place},
    times::FileTimes,
};
use crate::{
    context, errno,
    point::{Access, Site},
    world::{Job, Remote, World},
};
use sim_fs::{Cx, Disk, Errno, Fd, Flock, Seek as To};
use std::{
    fmt,
    fs::TryLockError,
    io::{self, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write},
    panic::Location,
    path::Path,
    rc::Rc,
    sync::Arc,
    time::SystemTime,
};

/// An open file of the node's disk; closed when dropped, which makes nothing durable.
///
/// ```
/// use sim::std::fs::File;
/// use std::io::{Read, Write};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let mut file = File::create("/greeting").unwrap();
/// file.write_all(b"hello").unwrap();
/// file.sync_all().unwrap();
/// let mut text = String::new();
/// File::open("/greeting").unwrap().read_to_string(&mut text).unwrap();
/// assert_eq!(text, "hello");
/// # });
/// ```
pub struct File {
    remote: Arc<Remote>,
    run: u64,
    node: u32,
    /// The process that opened it: dead, the file is so too.
    boot: u32,
    fd: Fd,
    /// Where it was opened.
    site: Site,
}

impl File {
    pub(super) fn new(caller: &Caller, fd: Fd) -> File {
        let Caller { world, node, site } = caller;
        File {
            remote: world.remote().clone(),
            run: world.run(),
            node: *node,
            boot: world.disk_boot(*node),
            fd,
            site,
        }
    }

    fn world(&self) -> io::Result<Rc<World>> {
        let world = context::find(&self.remote).filter(|world| world.run() == self.run);
        world.ok_or_else(|| errno::error(Errno::EBADF))
    }

    pub(super) fn ask<R>(
        &self,
        access: Access,
        site: Site,
        verb: impl FnOnce(&mut Disk, &mut Cx<'_>, Fd) -> sim_fs::Result<R>,
    ) -> io::Result<R> {
        let of = (self.node, Some(self.boot));
        self.world()?
            .disk_verb(of, access, place(site, self.site), |disk, cx| verb(disk, cx, self.fd))
    }

    /// Opens a file to read it.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    #[track_caller]
    pub fn open<P: AsRef<Path>>(path: P) -> io::Result<File> {
        OpenOptions::new().read(true).open(path)
    }

    /// Opens a file to write it: it is made if it is not there, and empty.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    #[track_caller]
    pub fn create<P: AsRef<Path>>(path: P) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(true).open(path)
    }

    /// Makes a file, which must not be there, to read and write it.
    ///
    /// # Errors
    ///
    /// As [`OpenOptions::open`].
    #[track_caller]
    pub fn create_new<P: AsRef<Path>>(path: P) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create_new(true).open(path)
    }

    /// How to open a file.
    #[must_use]
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Makes content, size and metadata durable, or the names in a folder: fsync(2). The name of a file takes the sync
    /// of its folder.
    ///
    /// # Errors
    ///
    /// `EIO` by a fault: what was to be written is lost, and the next sync succeeds.
    #[track_caller]
    pub fn sync_all(&self) -> io::Result<()> {
        self.sync_at(false, Location::caller())
    }

    /// Makes content and size durable: fdatasync(2).
    ///
    /// # Errors
    ///
    /// As [`sync_all`](File::sync_all).
    #[track_caller]
    pub fn sync_data(&self) -> io::Result<()> {
        self.sync_at(true, Location::caller())
    }

    pub(crate) fn sync_at(&self, data: bool, site: Site) -> io::Result<()> {
        self.ask(Access::Write, site, |disk, cx, fd| match data {
            true => disk.fdatasync(cx, fd),
            false => disk.fsync(cx, fd),
        })
    }

    /// Makes it longer, by a hole, or shorter.
    ///
    /// # Errors
    ///
    /// `EINVAL` if it is not open to write or for more than 2^63 bytes, `EFBIG`, `EIO`.
    #[track_caller]
    pub fn set_len(&self, size: u64) -> io::Result<()> {
        self.set_len_at(size, Location::caller())
    }

    pub(crate) fn set_len_at(&self, size: u64, site: Site) -> io::Result<()> {
        self.ask(Access::Write, site, |disk, cx, fd| disk.ftruncate(cx, fd, size))
    }

    /// What it is.
    ///
    /// # Errors
    ///
    /// `EIO` by a fault.
    #[track_caller]
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.metadata_at(Location::caller())
    }

    pub(crate) fn metadata_at(&self, site: Site) -> io::Result<Metadata> {
        self.ask(Access::Read, site, |disk, cx, fd| disk.fstat(cx, fd)).map(Metadata::new)
    }

    /// The same open file once more: both share offset and lock.
    ///
    /// # Errors
    ///
    /// `EMFILE`.
    #[track_caller]
    pub fn try_clone(&self) -> io::Result<File> {
        self.try_clone_at(Location::caller())
    }

    pub(crate) fn try_clone_at(&self, site: Site) -> io::Result<File> {
        let fd = self.ask(Access::Write, site, |disk, _, fd| disk.dup(fd))?;
        let (remote, site) = (self.remote.clone(), place(site, self.site));
        Ok(File { remote, fd, site, ..*self })
    }

    /// Sets its permission bits.
    ///
    /// # Errors
    ///
    /// `EPERM` for a file of another user.
    #[track_caller]
    pub fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        self.set_permissions_at(perm, Location::caller())
    }

    pub(crate) fn set_permissions_at(&self, perm: Permissions, site: Site) -> io::Result<()> {
        self.ask(Access::Write, site, |disk, cx, fd| disk.fchmod(cx, fd, perm.bits()))
    }

    /// Sets its times.
    ///
    /// # Errors
    ///
    /// `EPERM` for a file of another user.
    #[track_caller]
    pub fn set_times(&self, times: FileTimes) -> io::Result<()> {
        self.set_times_at(times, Location::caller())
    }

    pub(crate) fn set_times_at(&self, times: FileTimes, site: Site) -> io::Result<()> {
        self.ask(Access::Write, site, |disk, cx, fd| disk.futimes(cx, fd, times.ns()))
    }

    /// Sets when it was changed last.
    ///
    /// # Errors
    ///
    /// As [`set_times`](File::set_times).
    #[track_caller]
    pub fn set_modified(&self, time: SystemTime) -> io::Result<()> {
        self.set_times(FileTimes::new().set_modified(time))
    }

    // --- locks: flock(2), as std has it on Linux

    /// Has the lock of the file alone; waits while others have it.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    #[track_caller]
    pub fn lock(&self) -> io::Result<()> {
        self.wait_for_lock(Flock::Exclusive, Access::Acquire, Location::caller())
    }

    /// Shares the lock of the file; waits while another has it alone.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    #[track_caller]
    pub fn lock_shared(&self) -> io::Result<()> {
        self.wait_for_lock(Flock::Shared, Access::AcquireShared, Location::caller())
    }

    /// Has the lock of the file alone, if nobody has it.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if others have it.
    #[track_caller]
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.flock(Flock::Exclusive, Access::Acquire, Location::caller()).map_err(refused)
    }

    /// Shares the lock of the file, if nobody has it alone.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if another has it.
    #[track_caller]
    pub fn try_lock_shared(&self) -> Result<(), TryLockError> {
        self.flock(Flock::Shared, Access::AcquireShared, Location::caller()).map_err(refused)
    }

    /// Gives the lock back.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    #[track_caller]
    pub fn unlock(&self) -> io::Result<()> {
        self.flock(Flock::Unlock, Access::Release, Location::caller())
    }

    fn flock(&self, what: Flock, access: Access, site: Site) -> io::Result<()> {
        let done = self.ask(access, site, |disk, _, fd| disk.flock(fd, what));
        self.world()?.wake_lockers(self.node);
        done
    }

    fn wait_for_lock(&self, what: Flock, access: Access, site: Site) -> io::Result<()> {
        loop {
            match self.flock(what, access, site) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.world()?.wait_for_lock_of_file(self.node, place(site, self.site));
                }
                done => return done,
            }
        }
    }

    // --- reads and writes

    pub(crate) fn read_at_site(&self, into: &mut [u8], site: Site) -> io::Result<usize> {
        // It moves the offset, which clones share.
        self.ask(Access::Write, site, |disk, cx, fd| disk.read(cx, fd, into))
    }

    pub(crate) fn write_at_site(&self, bytes: &[u8], site: Site) -> io::Result<usize> {
        self.ask(Access::Write, site, |disk, cx, fd| disk.write(cx, fd, bytes))
    }

    pub(crate) fn write_all_at_site(&self, mut bytes: &[u8], site: Site) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.write_at_site(bytes, site) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    pub(crate) fn read_to_end_at_site(&self, into: &mut Vec<u8>, site: Site) -> io::Result<usize> {
        let start = into.len();
        loop {
            let end = into.len();
            into.resize(end + CHUNK, 0);
            let read = self.read_at_site(&mut into[end..], site);
            into.truncate(end + *read.as_ref().unwrap_or(&0));
            if read? == 0 {
                return Ok(end - start);
            }
        }
    }

    pub(crate) fn seek_at_site(&self, to: SeekFrom, site: Site) -> io::Result<u64> {
        let to = match to {
            SeekFrom::Start(at) => {
                // std gives it to lseek(2), which takes it as signed.
                To::Start(u64::try_from(at.cast_signed()).map_err(|_| errno::error(Errno::EINVAL))?)
            }
            SeekFrom::Current(by) => To::Current(by),
            SeekFrom::End(by) => To::End(by),
        };
        self.ask(Access::Write, site, |disk, cx, fd| disk.seek(cx, fd, to))
    }

    pub(super) fn pread(&self, into: &mut [u8], at: u64, site: Site) -> io::Result<usize> {
        self.ask(Access::Read, site, |disk, cx, fd| disk.pread(cx, fd, at, into))
    }

    pub(super) fn pwrite(&self, bytes: &[u8], at: u64, site: Site) -> io::Result<usize> {
        self.ask(Access::Write, site, |disk, cx, fd| disk.pwrite(cx, fd, at, bytes))
    }

    // --- writes in the background, whose thread announces them, does them at once, and waits

    /// Where it was opened.
    pub(crate) fn site(&self) -> Site {
        self.site
    }

    pub(crate) fn begin_job(&self, job: Job) {
        if let Ok(world) = self.world() {
            world.begin_job(self.node, job);
        }
    }

    pub(crate) fn announce_write(&self, site: Site) {
        if let Ok(world) = self.world() {
            world.disk_point(self.node, Access::Write, place(site, self.site));
        }
    }

    pub(crate) fn wait_for_device(&self, done_ns: u64, site: Site) {
        if let Ok(world) = self.world() {
            world.wait_for_disk(done_ns, place(site, self.site));
        }
    }

    /// Writes all, at once: how that went, and when the device is done.
    pub(crate) fn write_now(&self, mut bytes: &[u8], site: Site) -> (io::Result<()>, u64) {
        let mut done_ns = 0;
        while !bytes.is_empty() {
            let (written, later_ns) = self.ask_now(site, |disk, cx, fd| disk.write(cx, fd, bytes));
            done_ns = done_ns.max(later_ns);
            match written {
                Ok(0) => return (Err(io::ErrorKind::WriteZero.into()), done_ns),
                Ok(count) => bytes = &bytes[count..],
                Err(error) => return (Err(error), done_ns),
            }
        }
        (Ok(()), done_ns)
    }

    pub(crate) fn seek_now(&self, by: i64, site: Site) -> io::Result<()> {
        self.ask_now(site, |disk, cx, fd| disk.seek(cx, fd, To::Current(by))).0.map(drop)
    }

    fn ask_now<R>(
        &self,
        site: Site,
        verb: impl FnOnce(&mut Disk, &mut Cx<'_>, Fd) -> sim_fs::Result<R>,
    ) -> (io::Result<R>, u64) {
        let world = match self.world() {
            Ok(world) => world,
            Err(error) => return (Err(error), 0),
        };
        let of = (self.node, Some(self.boot));
        let site = place(site, self.site);
        world.disk_verb_now(of, site, |disk, cx| verb(disk, cx, self.fd))
    }

    /// The next name of an open folder.
    pub(super) fn next_name(&self, site: Site) -> io::Result<Option<sim_fs::Entry>> {
        self.ask(Access::Write, site, |disk, cx, fd| disk.readdir(cx, fd))
    }

    /// Copies from one to the other at their offsets.
    pub(super) fn copy_to(&self, to: &File, len: usize, site: Site) -> io::Result<usize> {
        let other = to.fd;
        self.ask(Access::Write, site, |disk, cx, fd| disk.copy(cx, fd, other, len))
    }
}

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

fn refused(error: io::Error) -> TryLockError {
    match error.kind() {
        io::ErrorKind::WouldBlock => TryLockError::WouldBlock,
        _ => TryLockError::Error(error),
    }
}

impl Read for &File {
    #[track_caller]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_at_site(into, Location::caller())
    }

    #[track_caller]
    fn read_vectored(&mut self, into: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let site = Location::caller();
        let first = into.iter_mut().find(|part| !part.is_empty());
        first.map_or(Ok(0), |part| self.read_at_site(part, site))
    }

    #[track_caller]
    fn read_to_end(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.read_to_end_at_site(into, Location::caller())
    }
}

impl Write for &File {
    #[track_caller]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_at_site(bytes, Location::caller())
    }

    #[track_caller]
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        // writev(2) writes all of them as one.
        let all = parts.iter().flat_map(|part| part.iter().copied()).collect::<Vec<u8>>();
        self.write_at_site(&all, Location::caller())
    }

    #[track_caller]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at_site(bytes, Location::caller())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for &File {
    #[track_caller]
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.seek_at_site(to, Location::caller())
    }
}

impl Read for File {
    #[track_caller]
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.read_at_site(into, Location::caller())
    }

    #[track_caller]
    fn read_vectored(&mut self, into: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(into)
    }

    #[track_caller]
    fn read_to_end(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.read_to_end_at_site(into, Location::caller())
    }
}

impl Write for File {
    #[track_caller]
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_at_site(bytes, Location::caller())
    }

    #[track_caller]
    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(parts)
    }

    #[track_caller]
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all_at_site(bytes, Location::caller())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for File {
    #[track_caller]
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.seek_at_site(to, Location::caller())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let Ok(world) = self.world() else { return };
        // A file of a process that is gone was closed with it, and its number may mean another.
        if world.disk_boot(self.node) == self.boot {
            let _ = world.ask_disk(self.node, self.site, |disk, _| disk.close(self.fd));
            world.wake_lockers(self.node);
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("fd", &self.fd.0).finish()
    }
}
