//! From a path to an inode: path_resolution(7), and the order of errors of fs/namei.c.

use crate::{Disk, Errno, Result, dir::Name, inode::Ino, user::Access};
use alloc::vec::Vec;

/// The longest name, in bytes.
pub const NAME_MAX: usize = 255;
/// The longest path, in bytes, with the NUL at its end.
pub const PATH_MAX: usize = 4096;
/// So many symbolic links are followed in one resolution: MAXSYMLINKS.
const MOST_LINKS: u32 = 40;

/// The last component of a path, and the folder that it is in.
pub(crate) struct Place<'p> {
    pub(crate) folder: Ino,
    pub(crate) last: Last<'p>,
    /// Slashes follow.
    pub(crate) slash: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last<'p> {
    /// The path is `/`.
    Root,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    Name(&'p [u8]),
}

/// What a path may not be, whatever there is.
pub(crate) fn check(path: &[u8]) -> Result<()> {
    match path {
        [] => Err(Errno::ENOENT),
        path if path.contains(&0) => Err(Errno::EINVAL),
        path if path.len() >= PATH_MAX => Err(Errno::ENAMETOOLONG),
        _ => Ok(()),
    }
}

/// A path with a NUL never comes to the kernel: both are looked at before the call.
pub(crate) fn check_both(one: &[u8], other: &[u8]) -> Result<()> {
    if one.contains(&0) || other.contains(&0) { Err(Errno::EINVAL) } else { Ok(()) }
}

impl Disk {
    /// The inode at a path; of a symbolic link at its end, what it leads to, or itself.
    pub(crate) fn find(&self, path: &[u8], follow: bool) -> Result<Ino> {
        let mut links = 0;
        let place = self.place(path, &mut links)?;
        self.finish(&place, follow, &mut links)
    }

    /// All of the path but the last component.
    pub(crate) fn place<'p>(&self, path: &'p [u8], links: &mut u32) -> Result<Place<'p>> {
        check(path)?;
        self.place_from(self.process.cwd, path, links)
    }

    pub(crate) fn place_from<'p>(
        &self,
        start: Ino,
        path: &'p [u8],
        links: &mut u32,
    ) -> Result<Place<'p>> {
        let mut folder = if path.starts_with(b"/") { Ino::ROOT } else { start };
        let mut rest = without_slashes(path);
        if rest.is_empty() {
            return Ok(Place { folder, last: Last::Root, slash: false });
        }
        loop {
            self.may_access(folder, Access::EXECUTE)?;
            let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            rest = without_slashes(after);
            let last = match name {
                b"." => Last::Dot,
                b".." => Last::DotDot,
                name => Last::Name(name),
            };
            let place = Place { folder, last, slash: !after.is_empty() };
            if rest.is_empty() {
                return Ok(place);
            }
            folder = self.finish(&place, true, links)?;
        }
    }

    /// The last step. A slash after it asks for a folder.
    pub(crate) fn finish(&self, place: &Place<'_>, follow: bool, links: &mut u32) -> Result<Ino> {
        let mut ino = match place.last {
            Last::Root | Last::Dot => place.folder,
            Last::DotDot => self.parent(place.folder),
            Last::Name(name) => self.entry(place.folder, name)?.ok_or(Errno::ENOENT)?,
        };
        if (follow || place.slash)
            && let Some(target) = self.symlink_target(ino)
        {
            count_link(links)?;
            let target = self.place_from(place.folder, &target, links)?;
            ino = self.finish(&target, true, links)?;
        }
        if place.slash && self.cached.folder(ino).is_none() {
            return Err(Errno::ENOTDIR);
        }
        Ok(ino)
    }

    /// What a name means in a folder.
    pub(crate) fn entry(&self, folder: Ino, name: &[u8]) -> Result<Option<Ino>> {
        if name.len() > NAME_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let folder = self.cached.folder(folder).ok_or(Errno::ENOTDIR)?;
        Ok(folder.entries.get(name).copied())
    }

    pub(crate) fn parent(&self, folder: Ino) -> Ino {
        self.cached.folder(folder).map_or(Ino::ROOT, |folder| folder.parent)
    }

    pub(crate) fn symlink_target(&self, ino: Ino) -> Option<alloc::sync::Arc<[u8]>> {
        match &self.cached.get(ino)?.node {
            crate::inode::Node::Symlink(target) => Some(target.clone()),
            _ => None,
        }
    }

    /// The absolute path of a folder, none if it was removed.
    pub(crate) fn folder_path(&self, ino: Ino) -> Option<Vec<u8>> {
        let mut names: Vec<&Name> = Vec::new();
        let mut at = ino;
        while at != Ino::ROOT {
            let inode = self.cached.get(at).filter(|inode| inode.links > 0)?;
            let folder = inode.folder()?;
            names.push(&folder.name);
            at = folder.parent;
        }
        let mut path = Vec::new();
        for name in names.iter().rev() {
            path.push(b'/');
            path.extend_from_slice(name);
        }
        if path.is_empty() {
            path.push(b'/');
        }
        Some(path)
    }

    /// The absolute path of a name in a folder.
    pub(crate) fn path_in(&self, folder: Ino, name: &[u8]) -> Vec<u8> {
        let mut path = self.folder_path(folder).unwrap_or_default();
        if path != b"/" {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        path
    }
}

/// One more symbolic link is followed.
pub(crate) fn count_link(links: &mut u32) -> Result<()> {
    *links += 1;
    if *links > MOST_LINKS { Err(Errno::ELOOP) } else { Ok(()) }
}

fn without_slashes(path: &[u8]) -> &[u8] {
    let start = path.iter().position(|byte| *byte != b'/').unwrap_or(path.len());
    &path[start..]
}
