//! The operations on a real folder.

use crate::{Answer, Value, act::Act};
use rustix::{
    fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
    fs::{self, AtFlags, CWD, FallocateFlags, FlockOperation, Mode, OFlags, RenameFlags, SeekFrom},
    io::Errno,
};
use std::{
    collections::BTreeMap,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::PathBuf,
};
use tempfile::TempDir;

pub(crate) struct Host {
    /// Removed at the end.
    _folder: TempDir,
    /// The folder `r`, in which each sequence has its `w`.
    above: PathBuf,
    base: Option<OwnedFd>,
    files: Vec<OwnedFd>,
    ext4: bool,
}

/// EXT4_SUPER_MAGIC of statfs(2).
const EXT4: i64 = 0xef53;

impl Host {
    pub(crate) fn new() -> Host {
        let folder = TempDir::new().unwrap();
        let above = folder.path().canonicalize().unwrap().join("r");
        std::fs::create_dir(&above).unwrap();
        let magic = fs::statfs(&above).unwrap().f_type;
        #[allow(clippy::useless_conversion, reason = "its type differs from platform to platform")]
        let ext4 = i64::try_from(magic).is_ok_and(|magic| magic == EXT4);
        rustix::process::umask(Mode::from_raw_mode(0o022));
        Host { _folder: folder, above, base: None, files: Vec::new(), ext4 }
    }

    pub(crate) fn is_root(&self) -> bool {
        rustix::process::geteuid().is_root()
    }

    pub(crate) fn is_ext4(&self) -> bool {
        self.ext4
    }

    pub(crate) fn start(&mut self) {
        self.end();
        let path = self.above.join("w");
        std::fs::create_dir(&path).unwrap();
        self.base = Some(
            fs::openat(CWD, &path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap(),
        );
    }

    pub(crate) fn end(&mut self) {
        self.files.clear();
        self.base = None;
        // `./..` is within reach of chmod.
        fs::chmod(&self.above, Mode::from_raw_mode(0o755)).unwrap();
        for entry in std::fs::read_dir(&self.above).unwrap() {
            let path = entry.unwrap().path();
            make_removable(&path);
            if path.symlink_metadata().unwrap().is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    pub(crate) fn run(&mut self, act: &Act) -> Answer {
        self.answer(act).map_err(Errno::raw_os_error)
    }

    fn answer(&mut self, act: &Act) -> Result<Value, Errno> {
        let base = self.base.as_ref().unwrap();
        let base = base.as_fd();
        let files = &mut self.files;
        let ext4 = self.ext4;
        let done = |()| Value::Done;
        let mode = |mode: &u32| Mode::from_raw_mode(*mode);
        Ok(match act {
            Act::Open { path, flags, mode } => {
                let flags = OFlags::from_bits_retain(flags.cast_unsigned()) | OFlags::CLOEXEC;
                files.push(fs::openat(base, &**path, flags, Mode::from_raw_mode(*mode))?);
                Value::Done
            }
            Act::Close(file) => {
                if *file >= files.len() {
                    return Err(Errno::BADF);
                }
                drop(files.remove(*file));
                Value::Done
            }
            Act::Dup(file) => {
                let copy = rustix::io::fcntl_dupfd_cloexec(open(files, *file)?, 3)?;
                files.push(copy);
                Value::Done
            }
            Act::Read { file, len } => {
                let mut bytes = vec![0; *len];
                let count = rustix::io::read(open(files, *file)?, &mut bytes)?;
                bytes.truncate(count);
                Value::Bytes(bytes)
            }
            Act::PRead { file, offset, len } => {
                let mut bytes = vec![0; *len];
                let count = rustix::io::pread(open(files, *file)?, &mut bytes, *offset)?;
                bytes.truncate(count);
                Value::Bytes(bytes)
            }
            Act::Write { file, byte, len } => {
                Value::Number(rustix::io::write(open(files, *file)?, &vec![*byte; *len])? as u64)
            }
            Act::PWrite { file, offset, byte, len } => {
                Value::Number(
                    rustix::io::pwrite(open(files, *file)?, &vec![*byte; *len], *offset)? as u64
                )
            }
            Act::Seek { file, .. } if is_folder(&fs::fstat(open(files, *file)?)?) => Value::Done,
            Act::Seek { file, whence, offset } => {
                let at = offset.unsigned_abs();
                let to = match whence {
                    0 => SeekFrom::Start(at),
                    1 => SeekFrom::Current(*offset),
                    2 => SeekFrom::End(*offset),
                    3 => SeekFrom::Data(at),
                    _ => SeekFrom::Hole(at),
                };
                Value::Number(fs::seek(open(files, *file)?, to)?)
            }
            Act::FTruncate { file, size } => fs::ftruncate(open(files, *file)?, *size).map(done)?,
            Act::Truncate { path, size } => truncate(base, path, *size).map(done)?,
            Act::FAllocate { file, offset, len, keep_size } => {
                let flags =
                    if *keep_size { FallocateFlags::KEEP_SIZE } else { FallocateFlags::empty() };
                fs::fallocate(open(files, *file)?, flags, *offset, *len).map(done)?
            }
            Act::FStat(file) => stat(&fs::fstat(open(files, *file)?)?, ext4),
            Act::Stat(path) => stat(&fs::statat(base, &**path, AtFlags::empty())?, ext4),
            Act::LStat(path) => stat(&fs::statat(base, &**path, AtFlags::SYMLINK_NOFOLLOW)?, ext4),
            Act::ChMod { path, mode: bits } => {
                fs::chmodat(base, &**path, mode(bits), AtFlags::empty()).map(done)?
            }
            Act::Access { path, bits } => {
                let access = fs::Access::from_bits_retain(*bits);
                fs::accessat(base, &**path, access, AtFlags::empty()).map(done)?
            }
            Act::MkDir { path, mode: bits } => fs::mkdirat(base, &**path, mode(bits)).map(done)?,
            Act::RmDir(path) => fs::unlinkat(base, &**path, AtFlags::REMOVEDIR).map(done)?,
            Act::Unlink(path) => fs::unlinkat(base, &**path, AtFlags::empty()).map(done)?,
            Act::Link(old, new) => {
                fs::linkat(base, &**old, base, &**new, AtFlags::empty()).map(done)?
            }
            Act::Symlink(target, path) => fs::symlinkat(&**target, base, &**path).map(done)?,
            Act::ReadLink(path) => {
                // The raw call takes an empty path for the folder itself; readlink(2) does not.
                if path.is_empty() {
                    return Err(Errno::NOENT);
                }
                Value::Bytes(fs::readlinkat(base, &**path, Vec::new())?.into_bytes())
            }
            Act::Rename { old, new, no_replace } => {
                let flags = if *no_replace { RenameFlags::NOREPLACE } else { RenameFlags::empty() };
                fs::renameat_with(base, &**old, base, &**new, flags).map(done)?
            }
            Act::ReadDir(path) => Value::Names(names(base, path)?),
            Act::RealPath(path) => self.realpath(base, path)?,
            Act::Flock { file, what } => {
                let what = match what {
                    0 => FlockOperation::NonBlockingLockShared,
                    1 => FlockOperation::NonBlockingLockExclusive,
                    _ => FlockOperation::Unlock,
                };
                fs::flock(open(files, *file)?, what).map(done)?
            }
        })
    }

    /// realpath(3) goes by the current folder, which threads share; what the kernel says of an open file is the same.
    fn realpath(&self, base: BorrowedFd<'_>, path: &[u8]) -> Result<Value, Errno> {
        let found = fs::openat(base, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
        let shown = format!("/proc/self/fd/{}", found.as_raw_fd());
        let real = std::fs::read_link(shown).unwrap();
        let rest = real.strip_prefix(&self.above).unwrap().as_os_str().as_bytes();
        let slash: &[u8] = if rest.is_empty() { b"" } else { b"/" };
        Ok(Value::Bytes([slash, rest].concat()))
    }

    pub(crate) fn tree(&self) -> BTreeMap<Vec<u8>, Answer> {
        let mut tree = BTreeMap::new();
        let mut folders = vec![self.above.clone()];
        while let Some(folder) = folders.pop() {
            // Its mode has been taken down; who is not root cannot look into it otherwise.
            fs::chmod(&folder, Mode::from_raw_mode(0o700)).unwrap();
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let short = path.strip_prefix(&self.above).unwrap().as_os_str().as_bytes();
                let short = short.to_vec();
                let about = fs::lstat(&path).unwrap();
                let kind = path.symlink_metadata().unwrap().file_type();
                if kind.is_dir() {
                    folders.push(path.clone());
                } else if kind.is_symlink() {
                    let target = std::fs::read_link(&path).unwrap();
                    let target = target.as_os_str().as_bytes().to_vec();
                    tree.insert([&short, &b" target"[..]].concat(), Ok(Value::Bytes(target)));
                } else if about.st_size < 1 << 21 {
                    let bytes = content(&path);
                    tree.insert([&short, &b" content"[..]].concat(), Ok(Value::Bytes(bytes)));
                }
                tree.insert(short, Ok(stat(&about, self.ext4)));
            }
        }
        tree
    }
}

/// The content also of what may not be read.
fn content(path: &std::path::Path) -> Vec<u8> {
    let mode = fs::lstat(path).unwrap().st_mode;
    if mode & 0o400 == 0 {
        fs::chmod(path, Mode::from_raw_mode(0o600)).unwrap();
    }
    let file = std::fs::File::open(path).unwrap();
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    if mode & 0o400 == 0 {
        fs::chmod(path, Mode::from_raw_mode(mode & 0o7777)).unwrap();
    }
    bytes
}

/// Folders of a user that is not root may have become unwritable.
fn make_removable(path: &std::path::Path) {
    if !path.symlink_metadata().is_ok_and(|about| about.is_dir()) {
        return;
    }
    fs::chmod(path, Mode::from_raw_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(path).unwrap() {
        make_removable(&entry.unwrap().path());
    }
}

/// truncate(2) goes by the current folder, which threads share.
fn truncate(base: BorrowedFd<'_>, path: &[u8], size: u64) -> Result<(), Errno> {
    if i64::try_from(size).is_err() {
        return Err(Errno::INVAL);
    }
    let file = fs::openat(base, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    fs::ftruncate(&file, size)
}

fn open(files: &[OwnedFd], file: usize) -> Result<BorrowedFd<'_>, Errno> {
    files.get(file).map(AsFd::as_fd).ok_or(Errno::BADF)
}

fn is_folder(about: &fs::Stat) -> bool {
    about.st_mode & 0o170_000 == 0o040_000
}

fn stat(about: &fs::Stat, ext4: bool) -> Value {
    let kind = about.st_mode & 0o170_000;
    let folder = is_folder(about);
    Value::Stat {
        kind,
        permissions: about.st_mode & 0o7777,
        links: (ext4 || !folder).then_some(about.st_nlink),
        size: (!folder).then_some(about.st_size.cast_unsigned()),
    }
}

fn names(base: BorrowedFd<'_>, path: &[u8]) -> Result<Vec<(Vec<u8>, u32)>, Errno> {
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = fs::openat(base, path, flags, Mode::empty())?;
    let mut names = Vec::new();
    for entry in fs::Dir::new(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes().to_vec();
        if name != b"." && name != b".." {
            let kind = match entry.file_type() {
                fs::FileType::Directory => 0o040_000,
                fs::FileType::Symlink => 0o120_000,
                _ => 0o100_000,
            };
            names.push((name, kind));
        }
    }
    names.sort();
    Ok(names)
}
