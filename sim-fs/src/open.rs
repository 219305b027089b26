//! Open files: numbers, the open file descriptions behind them, and open(2) with all its flags.

use crate::{
    Cx, Disk, Errno, Result, User, Verb,
    inode::{Ino, Node},
    lock::Held,
    names::Listing,
    pages::Pages,
    path::{Last, check as check_path, count_link},
    user::Access,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

/// A file descriptor: what an open file is called. They count from 3, the lowest free one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Fd(pub i32);

/// How to open a file: the flags and mode of open(2). The default opens nothing: set `read`, `write` or both.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "open(2) has that many flags, in all combinations"
)]
pub struct Open {
    /// To read.
    pub read: bool,
    /// To write.
    pub write: bool,
    /// `O_APPEND`: each write goes to the end of the file.
    pub append: bool,
    /// `O_TRUNC`: an existing file loses its content.
    pub truncate: bool,
    /// `O_CREAT`: a file that is not there is made.
    pub create: bool,
    /// `O_CREAT | O_EXCL`: it must not be there.
    pub create_new: bool,
    /// `O_DIRECT`: past the page cache. Offsets and lengths have to be multiples of 512.
    pub direct: bool,
    /// `O_SYNC`: a write is durable when it is done, with all metadata.
    pub sync: bool,
    /// `O_DSYNC`: a write is durable when it is done, with what it takes to read it.
    pub dsync: bool,
    /// `O_NOFOLLOW`: a symbolic link at the end of the path is an error.
    pub nofollow: bool,
    /// `O_DIRECTORY`: it has to be a folder.
    pub directory: bool,
    /// `O_CLOEXEC`: kept, without meaning.
    pub cloexec: bool,
    /// Permission bits of a new file, of which the umask's are taken away.
    pub mode: u32,
}

impl Default for Open {
    fn default() -> Open {
        Open {
            read: false,
            write: false,
            append: false,
            truncate: false,
            create: false,
            create_new: false,
            direct: false,
            sync: false,
            dsync: false,
            nofollow: false,
            directory: false,
            cloexec: false,
            mode: 0o666,
        }
    }
}

impl Open {
    /// To read a file that is there.
    pub const READ: Open = Open {
        read: true,
        write: false,
        append: false,
        truncate: false,
        create: false,
        create_new: false,
        direct: false,
        sync: false,
        dsync: false,
        nofollow: false,
        directory: false,
        cloexec: true,
        mode: 0o666,
    };
    /// To read and write a file, made if it is not there.
    pub const CREATE: Open = Open { write: true, create: true, ..Open::READ };

    /// From flags of Linux on x86-64, with what they call the access mode; unknown ones are passed over.
    #[must_use]
    pub fn from_raw(flags: i32, mode: u32) -> Open {
        let has = |bits: i32| flags & bits == bits;
        let access = flags & 0o3;
        Open {
            read: access == 0 || access == 2,
            write: access == 1 || access == 2,
            append: has(0o2000),
            truncate: has(0o1000),
            create: has(0o100),
            create_new: has(0o300),
            direct: has(0o40000),
            sync: has(0o4_010_000),
            dsync: has(0o10000),
            nofollow: has(0o400_000),
            directory: has(0o200_000),
            cloexec: has(0o2_000_000),
            mode,
        }
    }
}

/// An open file description: what `dup` shares, the offset above all.
#[derive(Clone)]
pub(crate) struct OpenFile {
    pub(crate) ino: Ino,
    pub(crate) how: Open,
    pub(crate) offset: u64,
    /// Where it was opened, for faults.
    pub(crate) path: Arc<[u8]>,
    /// How many of the file's write errors it was told of.
    pub(crate) errors_seen: u32,
    pub(crate) lock: Option<Held>,
    /// What is left to read of a folder.
    pub(crate) listing: Option<Listing>,
    descriptors: u32,
}

/// The program that runs on the node.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) cwd: Ino,
    pub(crate) user: User,
    pub(crate) umask: u32,
    descriptors: BTreeMap<i32, usize>,
    free: BTreeSet<i32>,
    next: i32,
    limit: u32,
    files: Vec<Option<OpenFile>>,
    free_files: Vec<usize>,
    /// How many open files each inode has, the current folder included.
    opened: BTreeMap<Ino, u32>,
}

impl Process {
    pub(crate) fn new(user: User) -> Process {
        Process {
            cwd: Ino::ROOT,
            user,
            umask: 0o022,
            descriptors: BTreeMap::new(),
            free: BTreeSet::new(),
            next: 3,
            limit: 1024,
            files: Vec::new(),
            free_files: Vec::new(),
            opened: BTreeMap::from([(Ino::ROOT, 1)]),
        }
    }

    /// The same program, started anew.
    pub(crate) fn restarted(&self) -> Process {
        Process { limit: self.limit, umask: self.umask, ..Process::new(self.user) }
    }

    pub(crate) fn is_open(&self, ino: Ino) -> bool {
        self.opened.contains_key(&ino)
    }

    pub(crate) fn opened_inodes(&self) -> impl Iterator<Item = Ino> {
        self.opened.keys().copied()
    }

    pub(crate) fn hold(&mut self, ino: Ino) {
        *self.opened.entry(ino).or_default() += 1;
    }

    fn let_go(&mut self, ino: Ino) {
        if let Some(count) = self.opened.get_mut(&ino) {
            *count -= 1;
            if *count == 0 {
                self.opened.remove(&ino);
            }
        }
    }

    pub(crate) fn has_descriptor(&self) -> Result<()> {
        let open = u32::try_from(self.descriptors.len()).unwrap_or(u32::MAX);
        // Three are standard input, output and error.
        if open + 3 >= self.limit { Err(Errno::EMFILE) } else { Ok(()) }
    }

    fn descriptor(&mut self, file: usize) -> Fd {
        let number = self.free.pop_first().unwrap_or_else(|| {
            self.next += 1;
            self.next - 1
        });
        self.descriptors.insert(number, file);
        Fd(number)
    }

    fn insert(&mut self, file: OpenFile) -> Fd {
        self.hold(file.ino);
        let at = self.free_files.pop().unwrap_or_else(|| {
            self.files.push(None);
            self.files.len() - 1
        });
        self.files[at] = Some(file);
        self.descriptor(at)
    }

    /// Which description a number means.
    pub(crate) fn number(&self, fd: Fd) -> Result<usize> {
        self.descriptors.get(&fd.0).copied().ok_or(Errno::EBADF)
    }

    pub(crate) fn file(&self, at: usize) -> &OpenFile {
        self.files[at].as_ref().expect("an open number has a file")
    }

    pub(crate) fn file_mut(&mut self, at: usize) -> &mut OpenFile {
        self.files[at].as_mut().expect("an open number has a file")
    }

    /// The open files of an inode.
    pub(crate) fn files_of(&self, ino: Ino) -> impl Iterator<Item = (usize, &OpenFile)> {
        let files = self.files.iter().enumerate();
        files
            .filter_map(move |(at, file)| Some((at, file.as_ref().filter(|file| file.ino == ino)?)))
    }
}

impl Disk {
    /// So many open files at most, with the three standard ones: RLIMIT_NOFILE, 1,024 at first.
    pub fn set_open_limit(&mut self, limit: u32) {
        self.process.limit = limit;
    }

    /// Who the program runs as from now on.
    pub fn set_user(&mut self, user: User) {
        self.process.user = user;
    }

    /// Sets the permission bits that new files do not get, 0o022 at first, and gives the former ones: umask(2).
    pub fn umask(&mut self, mask: u32) -> u32 {
        core::mem::replace(&mut self.process.umask, mask & 0o777)
    }

    /// How many descriptors are open.
    #[must_use]
    pub fn open_count(&self) -> usize {
        self.process.descriptors.len()
    }

    pub(crate) fn open_file(&self, fd: Fd) -> Result<&OpenFile> {
        Ok(self.process.file(self.process.number(fd)?))
    }

    pub(crate) fn open_file_mut(&mut self, fd: Fd) -> Result<&mut OpenFile> {
        let at = self.process.number(fd)?;
        Ok(self.process.file_mut(at))
    }

    /// Opens a file or folder: open(2).
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EEXIST`, `EISDIR`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`, `EMFILE`, `EROFS`, `ENOSPC`;
    /// `EINVAL` for a path with a NUL, to make a file that has to be a folder, and if neither reading nor writing is
    /// asked for.
    pub fn open(&mut self, cx: &mut Cx<'_>, path: &[u8], how: Open) -> Result<Fd> {
        self.begin(cx, Verb::Open)?;
        let creates = how.create || how.create_new;
        if !(how.read || how.write) || (creates && how.directory) {
            return Err(Errno::EINVAL);
        }
        self.process.has_descriptor()?;
        let (ino, made, path) = self.open_inode(cx, path, how)?;
        self.check_open(ino, how, creates, made)?;
        if how.truncate && !made {
            self.resize(cx, ino, 0)?;
        }
        let errors_seen = self.write_errors.sample(ino);
        Ok(self.process.insert(OpenFile {
            ino,
            how,
            offset: 0,
            path,
            errors_seen,
            lock: None,
            listing: None,
            descriptors: 1,
        }))
    }

    /// The inode to open, whether it was made, and where it is.
    fn open_inode(
        &mut self,
        cx: &mut Cx<'_>,
        path: &[u8],
        how: Open,
    ) -> Result<(Ino, bool, Arc<[u8]>)> {
        check_path(path)?;
        let mut links = 0;
        self.open_from(cx, (self.process.cwd, path), how, &mut links)
    }

    fn open_from(
        &mut self,
        cx: &mut Cx<'_>,
        (start, path): (Ino, &[u8]),
        how: Open,
        links: &mut u32,
    ) -> Result<(Ino, bool, Arc<[u8]>)> {
        let creates = how.create || how.create_new;
        let follow = !how.nofollow && !how.create_new;
        let place = self.place_from(start, path, links)?;
        let Last::Name(name) = place.last else {
            let ino = self.finish(&place, true, links)?;
            return Ok((ino, false, self.folder_path(ino).unwrap_or_default().into()));
        };
        if creates && place.slash {
            return Err(Errno::EISDIR);
        }
        let there = || self.path_in(place.folder, name).into();
        let Some(ino) = self.entry(place.folder, name)? else {
            if !creates {
                return Err(Errno::ENOENT);
            }
            let node = Node::File(Pages::default());
            let mode = how.mode & 0o7777 & !self.process.umask;
            let inode = self.new_inode(cx, place.folder, node, mode);
            let there = there();
            return Ok((self.create(cx, (place.folder, name), inode)?, true, there));
        };
        let found = match self.symlink_target(ino) {
            Some(target) if follow || place.slash => {
                count_link(links)?;
                // A slash asks to follow all that comes.
                let how = Open { nofollow: how.nofollow && !place.slash, ..how };
                self.open_from(cx, (place.folder, &target), how, links)?
            }
            _ => (ino, false, there()),
        };
        if place.slash && self.cached.folder(found.0).is_none() {
            return Err(Errno::ENOTDIR);
        }
        Ok(found)
    }

    /// What the kernel checks in `do_open` and `may_open`, in that order.
    fn check_open(&self, ino: Ino, how: Open, creates: bool, made: bool) -> Result<()> {
        let inode = self.cached.get(ino).ok_or(Errno::ENOENT)?;
        if how.create_new && !made {
            return Err(Errno::EEXIST);
        }
        if creates && inode.is_folder() {
            return Err(Errno::EISDIR);
        }
        if how.directory && !inode.is_folder() {
            return Err(Errno::ENOTDIR);
        }
        if inode.is_symlink() {
            return Err(Errno::ELOOP);
        }
        let writes = how.write || how.truncate;
        if writes && inode.is_folder() {
            return Err(Errno::EISDIR);
        }
        if made {
            return Ok(());
        }
        if writes {
            self.may_write_disk()?;
        }
        let bits = u32::from(how.read) * 4 + u32::from(writes) * 2;
        self.may_access(ino, Access(bits))
    }

    /// Another number for the same open file, which shares its offset, flags and lock: dup(2).
    ///
    /// # Errors
    ///
    /// `EBADF`, `EMFILE`.
    pub fn dup(&mut self, fd: Fd) -> Result<Fd> {
        let at = self.process.number(fd)?;
        self.process.has_descriptor()?;
        self.process.file_mut(at).descriptors += 1;
        Ok(self.process.descriptor(at))
    }

    /// Closes a number; with the last one of an open file its lock is given back, and a file without a name is gone:
    /// close(2). It makes nothing durable.
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn close(&mut self, fd: Fd) -> Result<()> {
        let at = self.process.number(fd)?;
        self.process.descriptors.remove(&fd.0);
        self.process.free.insert(fd.0);
        let file = self.process.file_mut(at);
        file.descriptors -= 1;
        if file.descriptors > 0 {
            return Ok(());
        }
        let (ino, locked) = (file.ino, file.lock.is_some());
        self.process.files[at] = None;
        self.process.free_files.push(at);
        self.process.let_go(ino);
        if locked {
            self.locks.changed(ino);
        }
        self.free_if_unused(ino);
        Ok(())
    }

    /// Makes a folder the current one: chdir(2).
    ///
    /// # Errors
    ///
    /// `ENOTDIR`, `EACCES`, and those of the path.
    pub fn chdir(&mut self, cx: &mut Cx<'_>, path: &[u8]) -> Result<()> {
        self.begin(cx, Verb::Stat)?;
        let ino = self.find(path, true)?;
        if self.cached.folder(ino).is_none() {
            return Err(Errno::ENOTDIR);
        }
        self.may_access(ino, Access::EXECUTE)?;
        self.process.hold(ino);
        let former = core::mem::replace(&mut self.process.cwd, ino);
        self.process.let_go(former);
        self.free_if_unused(former);
        Ok(())
    }

    /// The current folder: getcwd(3).
    ///
    /// # Errors
    ///
    /// `ENOENT` if it was removed.
    pub fn cwd(&self) -> Result<Vec<u8>> {
        self.folder_path(self.process.cwd).ok_or(Errno::ENOENT)
    }
}
