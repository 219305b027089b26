//! Folders: making them, and reading their names in an order that is a choice.

use super::{File, FileType, Metadata, OpenOptions, caller::bytes, verbs};
use crate::point::Site;
use sim_fs::Entry;
use std::{
    ffi::{OsStr, OsString},
    fmt, io,
    os::unix::ffi::OsStrExt,
    panic::Location,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Makes folders: as std's.
#[derive(Clone, Debug)]
pub struct DirBuilder {
    recursive: bool,
    pub(super) mode: u32,
}

impl Default for DirBuilder {
    fn default() -> DirBuilder {
        DirBuilder::new()
    }
}

impl DirBuilder {
    /// One folder, of the mode 0o777 less the umask's bits.
    #[must_use]
    pub fn new() -> DirBuilder {
        DirBuilder { recursive: false, mode: 0o777 }
    }

    /// Whether those above are made too, and one that is there is no error.
    pub fn recursive(&mut self, recursive: bool) -> &mut DirBuilder {
        self.recursive = recursive;
        self
    }

    /// Makes it.
    ///
    /// # Errors
    ///
    /// Those of mkdir(2): `EEXIST`, `ENOENT`, `ENOTDIR`, `EACCES`, `ENAMETOOLONG`, `ENOSPC`, `EROFS`.
    #[track_caller]
    pub fn create<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.create_at(path.as_ref(), Location::caller())
    }

    pub(crate) fn create_at(&self, path: &Path, site: Site) -> io::Result<()> {
        match self.recursive {
            true => verbs::create_dir_all(path, self.mode, site),
            false => verbs::create_dir(path, self.mode, site),
        }
    }
}

/// The names in a folder: as std's.
pub struct ReadDir {
    folder: Arc<Folder>,
    site: Site,
    over: bool,
}

struct Folder {
    file: File,
    path: PathBuf,
}

impl ReadDir {
    pub(crate) fn open(path: &Path, site: Site) -> io::Result<ReadDir> {
        use std::os::unix::fs::OpenOptionsExt;
        const DIRECTORY: i32 = 0o200_000;
        let mut options = OpenOptions::new();
        let file = options.read(true).custom_flags(DIRECTORY).open_at(path, site)?;
        let path = path.to_path_buf();
        Ok(ReadDir { folder: Arc::new(Folder { file, path }), site, over: false })
    }
}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<io::Result<DirEntry>> {
        while !self.over {
            match self.folder.file.next_name(self.site) {
                Ok(Some(entry)) if matches!(&*entry.name, b"." | b"..") => {}
                Ok(Some(entry)) => {
                    return Some(Ok(DirEntry { folder: self.folder.clone(), entry }));
                }
                Ok(None) => self.over = true,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadDir").field(&self.folder.path).finish()
    }
}

/// A name in a folder: as std's.
pub struct DirEntry {
    folder: Arc<Folder>,
    entry: Entry,
}

impl DirEntry {
    /// The folder's path, as it was given, with the name.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.path.join(OsStr::from_bytes(&self.entry.name))
    }

    /// The name.
    #[must_use]
    pub fn file_name(&self) -> OsString {
        OsStr::from_bytes(&self.entry.name).to_os_string()
    }

    /// What it is now; symbolic links are not followed.
    ///
    /// # Errors
    ///
    /// `ENOENT` if it is gone.
    #[track_caller]
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.metadata_at(Location::caller())
    }

    pub(crate) fn metadata_at(&self, site: Site) -> io::Result<Metadata> {
        verbs::symlink_metadata(&self.path(), site)
    }

    /// What it was when the folder was read.
    ///
    /// # Errors
    ///
    /// None.
    pub fn file_type(&self) -> io::Result<FileType> {
        Ok(FileType::new(self.entry.kind))
    }

    pub(super) fn inode(&self) -> u64 {
        self.entry.ino.0
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DirEntry").field(&self.path()).finish()
    }
}

/// The folders from the first to the last of a path, each with all above it.
pub(super) fn prefixes(path: &Path) -> Vec<&Path> {
    let mut prefixes: Vec<&Path> =
        path.ancestors().filter(|path| !bytes(path).is_empty()).collect();
    prefixes.reverse();
    prefixes
}
