//! What there is to know of a file: stat(2), statvfs(3), realpath(3).

use crate::{
    Cx, Disk, Errno, Fd, NAME_MAX, Result, SECTOR, Verb,
    inode::{Ino, Inode, Node},
    pages::PAGE,
    path::{Last, Place, count_link},
};
use alloc::vec::Vec;

/// What an inode is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum FileType {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink,
}

impl FileType {
    pub(crate) fn of(inode: &Inode) -> FileType {
        match inode.node {
            Node::File(_) => FileType::File,
            Node::Folder(_) => FileType::Folder,
            Node::Symlink(_) => FileType::Symlink,
        }
    }

    /// The bits of `st_mode`: `S_IFREG`, `S_IFDIR`, `S_IFLNK`.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            FileType::File => 0o100_000,
            FileType::Folder => 0o040_000,
            FileType::Symlink => 0o120_000,
        }
    }
}

/// What stat(2) tells. Times are nanoseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stat {
    /// Which file system.
    pub device: u32,
    /// The inode.
    pub ino: Ino,
    /// What it is.
    pub kind: FileType,
    /// Permission bits, 0 to 0o7777.
    pub permissions: u32,
    /// How many names it has; of a folder two more than folders within.
    pub links: u32,
    /// The user that it belongs to.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// Bytes; of a folder those of its block, of a symbolic link those of its target.
    pub size: u64,
    /// Units of 512 bytes that are allocated.
    pub blocks: u64,
    /// Last access, as `relatime` keeps it.
    pub accessed_ns: i64,
    /// Last change of the content.
    pub modified_ns: i64,
    /// Last change of content or metadata.
    pub changed_ns: i64,
    /// When it was made.
    pub born_ns: i64,
}

impl Stat {
    /// `st_mode`: permissions, and what it is.
    #[must_use]
    pub fn mode(&self) -> u32 {
        self.permissions | self.kind.bits()
    }
}

/// What statvfs(3) tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Volume {
    /// Bytes of a block.
    pub block_size: u64,
    /// Blocks in all.
    pub blocks: u64,
    /// Blocks that are free.
    pub free: u64,
    /// Inodes in all.
    pub inodes: u64,
    /// Inodes that are free.
    pub inodes_free: u64,
    /// The longest name.
    pub name_max: u64,
}

impl Disk {
    /// What is at a path: stat(2).
    ///
    /// # Errors
    ///
    /// Those of the path: `ENOENT`, `ENOTDIR`, `EACCES`, `ELOOP`, `ENAMETOOLONG`, `EINVAL` for a NUL.
    pub fn stat(&mut self, cx: &mut Cx<'_>, path: &[u8]) -> Result<Stat> {
        self.begin(cx, Verb::Stat)?;
        let ino = self.find(path, true)?;
        self.stat_of(ino)
    }

    /// As [`stat`](Disk::stat), but of a symbolic link itself: lstat(2).
    ///
    /// # Errors
    ///
    /// As [`stat`](Disk::stat).
    pub fn lstat(&mut self, cx: &mut Cx<'_>, path: &[u8]) -> Result<Stat> {
        self.begin(cx, Verb::Stat)?;
        let ino = self.find(path, false)?;
        self.stat_of(ino)
    }

    /// What is open: fstat(2).
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn fstat(&mut self, cx: &mut Cx<'_>, fd: Fd) -> Result<Stat> {
        self.begin(cx, Verb::Stat)?;
        let ino = self.open_file(fd)?.ino;
        self.stat_of(ino)
    }

    pub(crate) fn stat_of(&self, ino: Ino) -> Result<Stat> {
        let inode = self.cached.get(ino).ok_or(Errno::ENOENT)?;
        let size = match &inode.node {
            Node::File(pages) => pages.size,
            Node::Folder(_) => PAGE as u64,
            Node::Symlink(target) => target.len() as u64,
        };
        Ok(Stat {
            device: inode.device,
            ino,
            kind: FileType::of(inode),
            permissions: inode.about.mode,
            links: inode.links,
            uid: inode.about.uid,
            gid: inode.about.gid,
            size,
            blocks: inode.blocks() * (PAGE / SECTOR) as u64,
            accessed_ns: inode.about.accessed_ns,
            modified_ns: inode.about.modified_ns,
            changed_ns: inode.changed_ns,
            born_ns: inode.born_ns,
        })
    }

    /// How much room there is: statvfs(3).
    #[must_use]
    pub fn volume(&self) -> Volume {
        Volume {
            block_size: PAGE as u64,
            blocks: self.space.blocks,
            free: self.space.blocks.saturating_sub(self.space.used),
            inodes: self.space.inodes,
            inodes_free: self.space.inodes.saturating_sub(self.cached.len()),
            name_max: NAME_MAX as u64,
        }
    }

    /// The absolute path without symbolic links, `.` and `..`: realpath(3).
    ///
    /// # Errors
    ///
    /// Those of the path.
    pub fn realpath(&mut self, cx: &mut Cx<'_>, path: &[u8]) -> Result<Vec<u8>> {
        self.begin(cx, Verb::Stat)?;
        let mut links = 0;
        let place = self.place(path, &mut links)?;
        self.real_path(&place, &mut links)
    }

    fn real_path(&self, place: &Place<'_>, links: &mut u32) -> Result<Vec<u8>> {
        // A link before a slash is followed here, and what it leads to has to be a folder.
        let ino = self.finish(place, false, links)?;
        if self.cached.folder(ino).is_some() {
            return self.folder_path(ino).ok_or(Errno::ENOENT);
        }
        let Last::Name(name) = place.last else { return Err(Errno::ENOTDIR) };
        let Some(target) = self.symlink_target(ino) else {
            return Ok(self.path_in(place.folder, name));
        };
        count_link(links)?;
        let target = self.place_from(place.folder, &target, links)?;
        self.real_path(&target, links)
    }
}
