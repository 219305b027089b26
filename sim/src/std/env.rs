//! The current folder of the node that runs, on its disk; where temporary files go.

use super::fs::verbs;
use std::{
    io,
    panic::Location,
    path::{Path, PathBuf},
};

/// The current folder: the root at first.
///
/// # Errors
///
/// `ENOENT` if it was removed.
///
/// ```
/// use sim::std::{env, fs};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// env::set_current_dir("/tmp").unwrap();
/// fs::write("note", b"here").unwrap();
/// assert_eq!(fs::read("/tmp/note").unwrap(), b"here");
/// assert_eq!(env::current_dir().unwrap(), env::temp_dir());
/// # });
/// ```
#[track_caller]
pub fn current_dir() -> io::Result<PathBuf> {
    verbs::current_dir(Location::caller())
}

/// Makes that the current folder of the node, until its process ends.
///
/// # Errors
///
/// `ENOTDIR`, and those of the path.
#[track_caller]
pub fn set_current_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    verbs::set_current_dir(path.as_ref(), Location::caller())
}

/// Where temporary files go: `/tmp`, which each disk has.
#[must_use]
pub fn temp_dir() -> PathBuf {
    PathBuf::from("/tmp")
}
