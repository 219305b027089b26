//! std's files, on the disk of the node that runs.
//!
//! Names, signatures, semantics and errors are those of `std::fs` on Linux, with the traits of `std::os::unix::fs`, which
//! are std's own: `use sim::std::fs` in the place of `use std::fs`. A crash of the node leaves what was synced, and
//! of the rest what the [rules](sim_fs::Rules) allow.
//!
//! ```
//! use sim::std::fs::{self, File};
//! use std::io::Write;
//!
//! let report = sim::check(sim::Config::new().seeds(50), || async {
//!     let server = sim::node("server").start(|| async {
//!         if fs::read("/log").is_err() {
//!             File::create("/log").unwrap().write_all(b"record").unwrap(); // never synced
//!             sim::node::current().crash();
//!         }
//!         assert_eq!(fs::read("/log").unwrap(), b"record");
//!     });
//!     let _ = server.join().await; // It has crashed.
//!     server.restart();
//!     // Where nothing is left it writes, and crashes, again.
//!     let _ = server.join().await;
//! });
//! assert!(report.failure.is_none(), "{report}");
//! ```
//!
//! # Limits
//!
//! What Linux has and this has not: descriptors (`AsFd`, `From<OwnedFd>`), `fchroot`, `mkfifo`. Outside of a simulation
//! each call is the error `Unsupported`.

mod caller;
mod dir;
mod file;
mod meta;
mod options;
mod times;
pub(super) mod unix;
pub(crate) mod verbs;

pub use dir::{DirBuilder, DirEntry, ReadDir};
pub use file::File;
pub use meta::{FileType, Metadata, Permissions};
pub use options::OpenOptions;
pub use std::fs::TryLockError;
pub use times::FileTimes;

use std::{
    io,
    panic::Location,
    path::{Path, PathBuf},
};

/// The absolute path, without symbolic links, `.` and `..`.
///
/// # Errors
///
/// Those of the path, as `ENOENT`.
#[track_caller]
pub fn canonicalize<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    verbs::canonicalize(path.as_ref(), Location::caller())
}

/// Makes a folder.
///
/// # Errors
///
/// Those of mkdir(2).
#[track_caller]
pub fn create_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    verbs::create_dir(path.as_ref(), 0o777, Location::caller())
}

/// Makes a folder, and those above it that are missing.
///
/// # Errors
///
/// Those of mkdir(2); that it is there is none.
#[track_caller]
pub fn create_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    verbs::create_dir_all(path.as_ref(), 0o777, Location::caller())
}

/// Copies the content and the permissions of a file; gives how many bytes.
///
/// # Errors
///
/// Those of [`OpenOptions::open`], of reads and of writes; `InvalidInput` for what is no file.
#[track_caller]
pub fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<u64> {
    verbs::copy(from.as_ref(), to.as_ref(), Location::caller())
}

/// Gives a file another name.
///
/// # Errors
///
/// Those of link(2).
#[track_caller]
pub fn hard_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> io::Result<()> {
    verbs::hard_link(original.as_ref(), link.as_ref(), Location::caller())
}

/// What is at a path; symbolic links are followed.
///
/// # Errors
///
/// Those of the path, as `ENOENT`.
#[track_caller]
pub fn metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    verbs::metadata(path.as_ref(), Location::caller())
}

/// What is at a path; a symbolic link is looked at itself.
///
/// # Errors
///
/// Those of the path, as `ENOENT`.
#[track_caller]
pub fn symlink_metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    verbs::symlink_metadata(path.as_ref(), Location::caller())
}

/// All of a file.
///
/// # Errors
///
/// Those of [`OpenOptions::open`] and of reads.
#[track_caller]
pub fn read<P: AsRef<Path>>(path: P) -> io::Result<Vec<u8>> {
    verbs::read(path.as_ref(), Location::caller())
}

/// All of a file, as text.
///
/// # Errors
///
/// As [`read`]; `InvalidData` for what is no UTF-8.
#[track_caller]
pub fn read_to_string<P: AsRef<Path>>(path: P) -> io::Result<String> {
    verbs::read_to_string(path.as_ref(), Location::caller())
}

/// What a symbolic link says.
///
/// # Errors
///
/// `EINVAL` for what is none, and those of the path.
#[track_caller]
pub fn read_link<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    verbs::read_link(path.as_ref(), Location::caller())
}

/// Removes an empty folder.
///
/// # Errors
///
/// Those of rmdir(2), as `ENOTEMPTY`.
#[track_caller]
pub fn remove_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    verbs::remove_dir(path.as_ref(), Location::caller())
}

/// Removes a folder and all within; a symbolic link is removed itself.
///
/// # Errors
///
/// Those of rmdir(2) and unlink(2).
#[track_caller]
pub fn remove_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    verbs::remove_dir_all(path.as_ref(), Location::caller())
}

/// Removes a name of a file, or of a Unix socket; an open file lives on.
///
/// # Errors
///
/// Those of unlink(2), as `ENOENT`, `EISDIR`.
#[track_caller]
pub fn remove_file<P: AsRef<Path>>(path: P) -> io::Result<()> {
    verbs::remove_file(path.as_ref(), Location::caller())
}

/// Gives a file or folder another name, in one step; what had that name is replaced.
///
/// # Errors
///
/// Those of rename(2).
#[track_caller]
pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<()> {
    verbs::rename(from.as_ref(), to.as_ref(), Location::caller())
}

/// Whether there is something at a path; symbolic links are followed.
///
/// # Errors
///
/// Those of the path but `ENOENT`.
#[track_caller]
pub fn exists<P: AsRef<Path>>(path: P) -> io::Result<bool> {
    verbs::try_exists(path.as_ref(), Location::caller())
}

/// The names in a folder.
///
/// # Errors
///
/// `ENOENT`, `ENOTDIR`, `EACCES`.
#[track_caller]
pub fn read_dir<P: AsRef<Path>>(path: P) -> io::Result<ReadDir> {
    ReadDir::open(path.as_ref(), Location::caller())
}

/// Sets permission bits.
///
/// # Errors
///
/// `EPERM` for a file of another user, and those of the path.
#[track_caller]
pub fn set_permissions<P: AsRef<Path>>(path: P, perm: Permissions) -> io::Result<()> {
    verbs::set_permissions(path.as_ref(), &perm, Location::caller())
}

/// Makes that the content of a file, which is made if it is not there.
///
/// # Errors
///
/// Those of [`OpenOptions::open`] and of writes.
#[track_caller]
pub fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> io::Result<()> {
    verbs::write(path.as_ref(), contents.as_ref(), Location::caller())
}
