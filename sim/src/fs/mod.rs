//! tokio's files, on the disk of the node that runs.
//!
//! Names, signatures, semantics and errors are those of `tokio::fs`: each operation goes on a thread of its own, and so
//! beside other tasks, and goes on when nobody waits for it any more. [`crate::std::fs`] is std's face of the same disk.
//!
//! Written, synced and named are three things, and a crash of the node keeps what was synced alone for sure:
//!
//! ```
//! use sim::{fs, fs::File, io::AsyncWriteExt};
//!
//! let report = sim::check(sim::Config::new().seeds(100), || async {
//!     let server = sim::node("server").start(|| async {
//!         if let Ok(text) = fs::read("/config").await {
//!             assert_eq!(text, b"new", "the file is whole");
//!             return;
//!         }
//!         let mut file = File::create("/config").await.unwrap();
//!         file.write_all(b"new").await.unwrap();
//!         file.flush().await.unwrap();
//!         sim::node::current().crash();
//!     });
//!     let _ = server.join().await;
//!     server.restart();
//!     if let Err(error @ sim::node::NodeError::Panicked(_)) = server.join().await {
//!         panic!("{error}");
//!     }
//! });
//! let failure = report.failure.expect("a name may survive its content");
//! assert!(failure.message.contains("lost in its crash"), "{failure}");
//! ```
//!
//! What a test does to a disk (faults, capacity, snapshots, an inspector) is [`Node::disk`](crate::Node::disk);
//! [`crash_states`] runs a recovery on every state that a crash may leave.
//!
//! # Limits
//!
//! `Metadata`, `Permissions` and `FileType` are those of [`crate::std::fs`], as nobody but std can make std's. Paths and
//! files of the machine are outside: a folder of its starting content is loaded by
//! [`Disk::load_host_folder`](crate::node::Disk::load_host_folder).

mod background;
mod buffer;
mod file;
mod options;
mod read_dir;
mod states;

pub use crate::std::fs::FileTimes;
pub use file::File;
pub use options::{DirBuilder, OpenOptions};
pub use read_dir::{DirEntry, ReadDir, read_dir};
pub use states::{Bound, CrashStates, Tears, crash_states};

use crate::std::fs::{Metadata, Permissions, verbs};
use background::off_thread;
use std::{
    future::Future,
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
pub fn canonicalize(path: impl AsRef<Path>) -> impl Future<Output = io::Result<PathBuf>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::canonicalize(&path, site)).await }
}

/// Makes a folder.
///
/// # Errors
///
/// Those of mkdir(2).
#[track_caller]
pub fn create_dir(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::create_dir(&path, 0o777, site)).await }
}

/// Makes a folder, and those above it that are missing.
///
/// # Errors
///
/// Those of mkdir(2); that it is there is none.
#[track_caller]
pub fn create_dir_all(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::create_dir_all(&path, 0o777, site)).await }
}

/// Copies the content and the permissions of a file; gives how many bytes.
///
/// # Errors
///
/// Those of [`OpenOptions::open`], of reads and of writes; `InvalidInput` for what is no file.
#[track_caller]
pub fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> impl Future<Output = io::Result<u64>> {
    let site = Location::caller();
    let from = from.as_ref().to_path_buf();
    let to = to.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::copy(&from, &to, site)).await }
}

/// Gives a file another name.
///
/// # Errors
///
/// Those of link(2).
#[track_caller]
pub fn hard_link(
    original: impl AsRef<Path>,
    link: impl AsRef<Path>,
) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let original = original.as_ref().to_path_buf();
    let link = link.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::hard_link(&original, &link, site)).await }
}

/// What is at a path; symbolic links are followed.
///
/// # Errors
///
/// Those of the path, as `ENOENT`.
#[track_caller]
pub fn metadata(path: impl AsRef<Path>) -> impl Future<Output = io::Result<Metadata>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::metadata(&path, site)).await }
}

/// What is at a path; a symbolic link is looked at itself.
///
/// # Errors
///
/// Those of the path, as `ENOENT`.
#[track_caller]
pub fn symlink_metadata(path: impl AsRef<Path>) -> impl Future<Output = io::Result<Metadata>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::symlink_metadata(&path, site)).await }
}

/// All of a file.
///
/// # Errors
///
/// Those of [`OpenOptions::open`] and of reads.
#[track_caller]
pub fn read(path: impl AsRef<Path>) -> impl Future<Output = io::Result<Vec<u8>>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::read(&path, site)).await }
}

/// All of a file, as text.
///
/// # Errors
///
/// As [`read`]; `InvalidData` for what is no UTF-8.
#[track_caller]
pub fn read_to_string(path: impl AsRef<Path>) -> impl Future<Output = io::Result<String>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::read_to_string(&path, site)).await }
}

/// What a symbolic link says.
///
/// # Errors
///
/// `EINVAL` for what is none, and those of the path.
#[track_caller]
pub fn read_link(path: impl AsRef<Path>) -> impl Future<Output = io::Result<PathBuf>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::read_link(&path, site)).await }
}

/// Removes an empty folder.
///
/// # Errors
///
/// Those of rmdir(2), as `ENOTEMPTY`.
#[track_caller]
pub fn remove_dir(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::remove_dir(&path, site)).await }
}

/// Removes a folder and all within; a symbolic link is removed itself.
///
/// # Errors
///
/// Those of rmdir(2) and unlink(2).
#[track_caller]
pub fn remove_dir_all(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::remove_dir_all(&path, site)).await }
}

/// Removes a name of a file, or of a Unix socket; an open file lives on.
///
/// # Errors
///
/// Those of unlink(2), as `ENOENT`, `EISDIR`.
#[track_caller]
pub fn remove_file(path: impl AsRef<Path>) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::remove_file(&path, site)).await }
}

/// Gives a file or folder another name, in one step; what had that name is replaced.
///
/// # Errors
///
/// Those of rename(2).
#[track_caller]
pub fn rename(
    from: impl AsRef<Path>,
    to: impl AsRef<Path>,
) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let from = from.as_ref().to_path_buf();
    let to = to.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::rename(&from, &to, site)).await }
}

/// Makes a symbolic link, to whatever.
///
/// # Errors
///
/// Those of symlink(2), as `EEXIST`.
#[track_caller]
pub fn symlink(
    original: impl AsRef<Path>,
    link: impl AsRef<Path>,
) -> impl Future<Output = io::Result<()>> {
    let site = Location::caller();
    let original = original.as_ref().to_path_buf();
    let link = link.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::symlink(&original, &link, site)).await }
}

/// Whether there is something at a path; symbolic links are followed.
///
/// # Errors
///
/// Those of the path but `ENOENT`.
#[track_caller]
pub fn try_exists(path: impl AsRef<Path>) -> impl Future<Output = io::Result<bool>> {
    let site = Location::caller();
    let path = path.as_ref().to_path_buf();
    async move { off_thread(site, move || verbs::try_exists(&path, site)).await }
}

/// Sets permission bits.
///
/// # Errors
///
/// `EPERM` for a file of another user, and those of the path.
#[track_caller]
pub fn set_permissions(
    path: impl AsRef<Path>,
    perm: impl Into<Permissions>,
) -> impl Future<Output = io::Result<()>> {
    let (path, perm, site) = (path.as_ref().to_path_buf(), perm.into(), Location::caller());
    async move { off_thread(site, move || verbs::set_permissions(&path, &perm, site)).await }
}

/// Makes that the content of a file, which is made if it is not there.
///
/// # Errors
///
/// Those of [`OpenOptions::open`] and of writes.
#[track_caller]
pub fn write(
    path: impl AsRef<Path>,
    contents: impl AsRef<[u8]>,
) -> impl Future<Output = io::Result<()>> {
    let (path, contents) = (path.as_ref().to_path_buf(), contents.as_ref().to_vec());
    let site = Location::caller();
    async move { off_thread(site, move || verbs::write(&path, &contents, site)).await }
}
