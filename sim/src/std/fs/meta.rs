//! What is told of files: std's types cannot be made, so these are of the same names and methods.

use super::times::time_of;
use sim_fs::{FileType as Kind, Stat};
use std::{fmt, io, time::SystemTime};

/// What a file is: as std's.
#[derive(Clone)]
pub struct Metadata {
    pub(super) stat: Stat,
    socket: bool,
}

impl Metadata {
    pub(super) fn new(stat: Stat) -> Metadata {
        Metadata { stat, socket: false }
    }

    /// Of a Unix socket, of which the disk knows nothing but that it is there.
    pub(super) fn of_socket(folder: Stat) -> Metadata {
        let stat = Stat { kind: Kind::File, permissions: 0o755, size: 0, links: 1, ..folder };
        Metadata { stat, socket: true }
    }

    /// What it is.
    #[must_use]
    pub fn file_type(&self) -> FileType {
        match self.socket {
            true => FileType { kind: None },
            false => FileType { kind: Some(self.stat.kind) },
        }
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.file_type().is_dir()
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.file_type().is_file()
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.file_type().is_symlink()
    }

    /// Its size in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "std's has none")]
    pub fn len(&self) -> u64 {
        self.stat.size
    }

    /// Its permission bits.
    #[must_use]
    pub fn permissions(&self) -> Permissions {
        Permissions { mode: self.mode_bits() }
    }

    pub(super) fn mode_bits(&self) -> u32 {
        match self.socket {
            true => 0o140_000 | self.stat.permissions,
            false => self.stat.mode(),
        }
    }

    /// When its content was changed last.
    ///
    /// # Errors
    ///
    /// None.
    pub fn modified(&self) -> io::Result<SystemTime> {
        Ok(time_of(self.stat.modified_ns))
    }

    /// When it was read last, as `relatime` keeps it.
    ///
    /// # Errors
    ///
    /// None.
    pub fn accessed(&self) -> io::Result<SystemTime> {
        Ok(time_of(self.stat.accessed_ns))
    }

    /// When it was made.
    ///
    /// # Errors
    ///
    /// None.
    pub fn created(&self) -> io::Result<SystemTime> {
        Ok(time_of(self.stat.born_ns))
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metadata")
            .field("file_type", &self.file_type())
            .field("permissions", &self.permissions())
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

/// A file, a folder or a symbolic link: as std's.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FileType {
    /// None is a socket.
    kind: Option<Kind>,
}

impl FileType {
    pub(super) fn new(kind: Kind) -> FileType {
        FileType { kind: Some(kind) }
    }

    /// Whether it is a folder.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        self.kind == Some(Kind::Folder)
    }

    /// Whether it is a regular file.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.kind == Some(Kind::File)
    }

    /// Whether it is a symbolic link.
    #[must_use]
    pub fn is_symlink(&self) -> bool {
        self.kind == Some(Kind::Symlink)
    }

    pub(super) fn is_a_socket(self) -> bool {
        self.kind.is_none()
    }
}

/// Permission bits: as std's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Permissions {
    pub(super) mode: u32,
}

impl Permissions {
    /// Whether nobody may write.
    #[must_use]
    pub fn readonly(&self) -> bool {
        self.mode & 0o222 == 0
    }

    /// Lets nobody write, or everybody.
    pub fn set_readonly(&mut self, readonly: bool) {
        match readonly {
            true => self.mode &= !0o222,
            false => self.mode |= 0o222,
        }
    }

    pub(super) fn bits(&self) -> u32 {
        self.mode & 0o7777
    }
}

impl From<std::fs::Permissions> for Permissions {
    fn from(perm: std::fs::Permissions) -> Permissions {
        Permissions { mode: std::os::unix::fs::PermissionsExt::mode(&perm) }
    }
}
