//! What files have on Unix alone: std's own traits, and the functions of `std::os::unix::fs`.

use super::{DirBuilder, DirEntry, File, FileType, Metadata, OpenOptions, Permissions, verbs};
use std::{
    io,
    os::unix::fs::{
        DirBuilderExt, DirEntryExt, FileExt, FileTypeExt, MetadataExt, OpenOptionsExt,
        PermissionsExt,
    },
    panic::Location,
    path::Path,
};

impl FileExt for File {
    #[track_caller]
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.pread(into, offset, Location::caller())
    }

    #[track_caller]
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<usize> {
        self.pwrite(bytes, offset, Location::caller())
    }

    #[track_caller]
    fn write_all_at(&self, mut bytes: &[u8], mut offset: u64) -> io::Result<()> {
        let site = Location::caller();
        while !bytes.is_empty() {
            match self.pwrite(bytes, offset, site)? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => {
                    bytes = &bytes[count..];
                    offset += count as u64;
                }
            }
        }
        Ok(())
    }
}

impl OpenOptionsExt for OpenOptions {
    fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.set_mode(mode);
        self
    }

    fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.set_flags(flags);
        self
    }
}

impl PermissionsExt for Permissions {
    fn mode(&self) -> u32 {
        self.mode
    }

    fn set_mode(&mut self, mode: u32) {
        self.mode = mode;
    }

    fn from_mode(mode: u32) -> Permissions {
        Permissions { mode }
    }
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut DirBuilder {
        self.mode = mode;
        self
    }
}

impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.inode()
    }
}

impl FileTypeExt for FileType {
    fn is_block_device(&self) -> bool {
        false
    }

    fn is_char_device(&self) -> bool {
        false
    }

    fn is_fifo(&self) -> bool {
        false
    }

    fn is_socket(&self) -> bool {
        self.is_a_socket()
    }
}

const SECOND: i64 = 1_000_000_000;

impl MetadataExt for Metadata {
    fn dev(&self) -> u64 {
        self.stat.device.into()
    }

    fn ino(&self) -> u64 {
        self.stat.ino.0
    }

    fn mode(&self) -> u32 {
        self.mode_bits()
    }

    fn nlink(&self) -> u64 {
        self.stat.links.into()
    }

    fn uid(&self) -> u32 {
        self.stat.uid
    }

    fn gid(&self) -> u32 {
        self.stat.gid
    }

    fn rdev(&self) -> u64 {
        0
    }

    fn size(&self) -> u64 {
        self.stat.size
    }

    fn atime(&self) -> i64 {
        self.stat.accessed_ns.div_euclid(SECOND)
    }

    fn atime_nsec(&self) -> i64 {
        self.stat.accessed_ns.rem_euclid(SECOND)
    }

    fn mtime(&self) -> i64 {
        self.stat.modified_ns.div_euclid(SECOND)
    }

    fn mtime_nsec(&self) -> i64 {
        self.stat.modified_ns.rem_euclid(SECOND)
    }

    fn ctime(&self) -> i64 {
        self.stat.changed_ns.div_euclid(SECOND)
    }

    fn ctime_nsec(&self) -> i64 {
        self.stat.changed_ns.rem_euclid(SECOND)
    }

    fn blksize(&self) -> u64 {
        sim_fs::PAGE as u64
    }

    fn blocks(&self) -> u64 {
        self.stat.blocks
    }
}

/// Makes a symbolic link, to whatever.
///
/// # Errors
///
/// Those of symlink(2), as `EEXIST`.
#[track_caller]
pub fn symlink<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> io::Result<()> {
    verbs::symlink(original.as_ref(), link.as_ref(), Location::caller())
}

/// Gives a file to another user or group.
///
/// # Errors
///
/// `EPERM` for all but root, and those of the path.
#[track_caller]
pub fn chown<P: AsRef<Path>>(path: P, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    verbs::chown(path.as_ref(), (uid, gid), true, Location::caller())
}

/// As [`chown`], of a symbolic link itself.
///
/// # Errors
///
/// As [`chown`].
#[track_caller]
pub fn lchown<P: AsRef<Path>>(path: P, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    verbs::chown(path.as_ref(), (uid, gid), false, Location::caller())
}

/// As [`chown`], of an open file.
///
/// # Errors
///
/// As [`chown`].
#[track_caller]
pub fn fchown(file: &File, uid: Option<u32>, gid: Option<u32>) -> io::Result<()> {
    file.chown_at((uid, gid), Location::caller())
}
