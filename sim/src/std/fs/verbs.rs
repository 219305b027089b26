//! What is done by path, at a place of the program: what std's functions do with the kernel's calls.

use super::{
    File, Metadata, OpenOptions, Permissions, ReadDir,
    caller::{Caller, bytes},
    dir::prefixes,
    options::no_nul,
};
use crate::{errno, point::Site};
use sim_fs::{Errno, FileType as Kind};
use sim_net::{HostId, Network};
use std::{
    ffi::OsString,
    io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

fn caller(path: &Path, site: Site) -> io::Result<(Caller, &[u8])> {
    no_nul(bytes(path))?;
    Ok((Caller::at(site)?, bytes(path)))
}

pub(crate) fn read(path: &Path, site: Site) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new().read(true).open_at(path, site)?;
    let mut content = Vec::new();
    file.read_to_end_at_site(&mut content, site)?;
    Ok(content)
}

pub(crate) fn read_to_string(path: &Path, site: Site) -> io::Result<String> {
    String::from_utf8(read(path, site)?).map_err(|_| {
        io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8")
    })
}

pub(crate) fn write(path: &Path, content: &[u8], site: Site) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).open_at(path, site)?;
    file.write_all_at_site(content, site)
}

/// As std: the content, and the permissions of a new file.
pub(crate) fn copy(from: &Path, to: &Path, site: Site) -> io::Result<u64> {
    let reader = OpenOptions::new().read(true).open_at(from, site)?;
    let about = reader.metadata_at(site)?;
    if !about.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "the source path is neither a regular file nor a symlink to a regular file",
        ));
    }
    let mut options = OpenOptions::new();
    options.set_mode(about.permissions().bits());
    let writer = options.write(true).create(true).truncate(true).open_at(to, site)?;
    if writer.metadata_at(site)?.is_file() {
        writer.set_permissions_at(about.permissions(), site)?;
    }
    let mut copied = 0;
    loop {
        match reader.copy_to(&writer, 1 << 30, site)? {
            0 => return Ok(copied),
            count => copied += count as u64,
        }
    }
}

pub(crate) fn rename(from: &Path, to: &Path, site: Site) -> io::Result<()> {
    no_nul(bytes(to))?;
    let (caller, from) = caller(from, site)?;
    caller.change(|disk, cx| disk.rename(cx, from, bytes(to), false))
}

/// A Unix socket that was bound has a name too.
pub(crate) fn remove_file(path: &Path, site: Site) -> io::Result<()> {
    let (caller, bytes) = caller(path, site)?;
    let removed = caller.change(|disk, cx| disk.unlink(cx, bytes));
    match removed {
        Err(error) if is_missing(&error) && caller.has_socket(bytes) => {
            let host = HostId(caller.node);
            caller.world.network(|network, _| network.unlink_unix(host, bytes));
            Ok(())
        }
        removed => removed,
    }
}

pub(crate) fn create_dir(path: &Path, mode: u32, site: Site) -> io::Result<()> {
    let (caller, path) = caller(path, site)?;
    caller.change(|disk, cx| disk.mkdir(cx, path, mode))
}

/// Folders that are there are none of its concern, whoever made them.
pub(crate) fn create_dir_all(path: &Path, mode: u32, site: Site) -> io::Result<()> {
    let mut missing = Vec::new();
    for folder in prefixes(path).into_iter().rev() {
        match create_dir(folder, mode, site) {
            Ok(()) => break,
            Err(error) if is_missing(&error) => missing.push(folder),
            Err(_) if metadata(folder, site).is_ok_and(|about| about.is_dir()) => break,
            Err(error) => return Err(error),
        }
    }
    for folder in missing.into_iter().rev() {
        match create_dir(folder, mode, site) {
            Err(error) if !metadata(folder, site).is_ok_and(|about| about.is_dir()) => {
                return Err(error);
            }
            _ => {}
        }
    }
    Ok(())
}

pub(crate) fn remove_dir(path: &Path, site: Site) -> io::Result<()> {
    let (caller, path) = caller(path, site)?;
    caller.change(|disk, cx| disk.rmdir(cx, path))
}

/// A symbolic link is removed itself, and none is followed.
pub(crate) fn remove_dir_all(path: &Path, site: Site) -> io::Result<()> {
    if symlink_metadata(path, site)?.is_symlink() {
        return remove_file(path, site);
    }
    remove_tree(path, site)
}

fn remove_tree(path: &Path, site: Site) -> io::Result<()> {
    for entry in ReadDir::open(path, site)? {
        let entry = entry?;
        let removed = match entry.file_type()?.is_dir() {
            true => remove_tree(&entry.path(), site),
            false => remove_file(&entry.path(), site),
        };
        match removed {
            // Somebody else was faster.
            Err(error) if is_missing(&error) => {}
            removed => removed?,
        }
    }
    remove_dir(path, site)
}

pub(crate) fn hard_link(from: &Path, to: &Path, site: Site) -> io::Result<()> {
    no_nul(bytes(to))?;
    let (caller, from) = caller(from, site)?;
    caller.change(|disk, cx| disk.link(cx, from, bytes(to)))
}

pub(crate) fn symlink(target: &Path, link: &Path, site: Site) -> io::Result<()> {
    no_nul(bytes(link))?;
    let (caller, target) = caller(target, site)?;
    caller.change(|disk, cx| disk.symlink(cx, target, bytes(link)))
}

pub(crate) fn read_link(path: &Path, site: Site) -> io::Result<PathBuf> {
    let (caller, path) = caller(path, site)?;
    caller.look(|disk, cx| disk.readlink(cx, path)).map(path_of)
}

pub(crate) fn canonicalize(path: &Path, site: Site) -> io::Result<PathBuf> {
    let (caller, path) = caller(path, site)?;
    caller.look(|disk, cx| disk.realpath(cx, path)).map(path_of)
}

pub(crate) fn metadata(path: &Path, site: Site) -> io::Result<Metadata> {
    let (caller, bytes) = caller(path, site)?;
    let stat = caller.look(|disk, cx| disk.stat(cx, bytes)).map(Metadata::new);
    caller.or_socket(bytes, stat)
}

pub(crate) fn symlink_metadata(path: &Path, site: Site) -> io::Result<Metadata> {
    let (caller, bytes) = caller(path, site)?;
    let stat = caller.look(|disk, cx| disk.lstat(cx, bytes)).map(Metadata::new);
    caller.or_socket(bytes, stat)
}

pub(crate) fn try_exists(path: &Path, site: Site) -> io::Result<bool> {
    match metadata(path, site) {
        Ok(_) => Ok(true),
        Err(error) if is_missing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

pub(crate) fn set_permissions(path: &Path, perm: &Permissions, site: Site) -> io::Result<()> {
    let (caller, path) = caller(path, site)?;
    caller.change(|disk, cx| disk.chmod(cx, path, perm.bits()))
}

pub(crate) fn chown(
    path: &Path,
    (uid, gid): (Option<u32>, Option<u32>),
    follow: bool,
    site: Site,
) -> io::Result<()> {
    let (caller, path) = caller(path, site)?;
    caller.change(|disk, cx| disk.chown(cx, path, (uid, gid), follow))
}

pub(crate) fn current_dir(site: Site) -> io::Result<PathBuf> {
    Caller::at(site)?.look(|disk, _| disk.cwd()).map(path_of)
}

pub(crate) fn set_current_dir(path: &Path, site: Site) -> io::Result<()> {
    let (caller, path) = caller(path, site)?;
    caller.change(|disk, cx| disk.chdir(cx, path))
}

impl File {
    pub(super) fn chown_at(&self, ids: (Option<u32>, Option<u32>), site: Site) -> io::Result<()> {
        self.ask(crate::point::Access::Write, site, |disk, cx, fd| disk.fchown(cx, fd, ids))
    }
}

impl Caller {
    /// Whether a Unix socket of the node was bound to that path, and not removed since.
    fn has_socket(&self, path: &[u8]) -> bool {
        let host = HostId(self.node);
        self.world.has_network()
            && self.world.network(|network: &mut Network, _| network.has_unix_path(host, path))
    }

    fn or_socket(&self, path: &[u8], stat: io::Result<Metadata>) -> io::Result<Metadata> {
        match stat {
            Err(error) if is_missing(&error) && self.has_socket(path) => {
                let root = self.look(|disk, cx| disk.stat(cx, b"/"))?;
                debug_assert_eq!(root.kind, Kind::Folder);
                Ok(Metadata::of_socket(root))
            }
            stat => stat,
        }
    }
}

fn is_missing(error: &io::Error) -> bool {
    error.raw_os_error() == errno::error(Errno::ENOENT).raw_os_error()
}

fn path_of(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}
