//! Who the program runs as, and what it may do: path_resolution(7), "Permissions".

use crate::{
    Cx, Disk, Errno, Result, Verb,
    inode::{About, Change, Ino, Inode},
};

/// The user and group of a node's program. Root, 0, may do all but run what nobody may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct User {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
}

/// What is asked for: any of the bits, as of access(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Access(pub u32);

impl Access {
    /// That it exists: F_OK.
    pub const EXISTS: Access = Access(0);
    /// To run a file, or go through a folder: X_OK.
    pub const EXECUTE: Access = Access(1);
    /// W_OK.
    pub const WRITE: Access = Access(2);
    /// R_OK.
    pub const READ: Access = Access(4);
    pub(crate) const CHANGE_NAMES: Access = Access(3);
}

impl Disk {
    /// `ENOTDIR` is no concern of this one: see `entry`.
    pub(crate) fn may_access(&self, ino: Ino, access: Access) -> Result<()> {
        let inode = self.cached.get(ino).ok_or(Errno::ENOENT)?;
        let user = self.process.user;
        if user.uid == 0 {
            let runs = inode.is_folder() || inode.about.mode & 0o111 != 0;
            return if access.0 & 1 == 0 || runs { Ok(()) } else { Err(Errno::EACCES) };
        }
        let granted = match inode.about {
            About { uid, mode, .. } if uid == user.uid => mode >> 6,
            About { gid, mode, .. } if gid == user.gid => mode >> 3,
            About { mode, .. } => mode,
        };
        if granted & 7 & access.0 == access.0 { Ok(()) } else { Err(Errno::EACCES) }
    }

    pub(crate) fn may_write_disk(&self) -> Result<()> {
        if self.read_only { Err(Errno::EROFS) } else { Ok(()) }
    }

    fn owns(&self, inode: &Inode) -> bool {
        let uid = self.process.user.uid;
        uid == 0 || uid == inode.about.uid
    }

    /// Whether the program may: access(2).
    ///
    /// # Errors
    ///
    /// `EACCES`, `EROFS`, `EINVAL` for other bits, and those of the path.
    pub fn access(&mut self, cx: &mut Cx<'_>, path: &[u8], access: Access) -> Result<()> {
        self.begin(cx, Verb::Stat)?;
        if access.0 > 7 {
            return Err(Errno::EINVAL);
        }
        let ino = self.find(path, true)?;
        if access.0 & Access::WRITE.0 != 0 {
            self.may_write_disk()?;
        }
        self.may_access(ino, access)
    }

    /// Sets permission bits: chmod(2). Symbolic links are followed.
    ///
    /// # Errors
    ///
    /// `EPERM` for a file of another user, `EROFS`, and those of the path.
    pub fn chmod(&mut self, cx: &mut Cx<'_>, path: &[u8], mode: u32) -> Result<()> {
        self.begin(cx, Verb::Change)?;
        let ino = self.find(path, true)?;
        self.set_mode(cx, ino, mode)
    }

    /// As [`chmod`](Disk::chmod), of an open file: fchmod(2).
    ///
    /// # Errors
    ///
    /// `EBADF`, and those of [`chmod`](Disk::chmod).
    pub fn fchmod(&mut self, cx: &mut Cx<'_>, fd: crate::Fd, mode: u32) -> Result<()> {
        self.begin(cx, Verb::Change)?;
        let ino = self.open_file(fd)?.ino;
        self.set_mode(cx, ino, mode)
    }

    fn set_mode(&mut self, cx: &Cx<'_>, ino: Ino, mode: u32) -> Result<()> {
        self.may_write_disk()?;
        let inode = self.cached.get(ino).ok_or(Errno::ENOENT)?;
        if !self.owns(inode) {
            return Err(Errno::EPERM);
        }
        let about = About { mode: mode & 0o7777, ..inode.about };
        self.set_about(cx, ino, about);
        Ok(())
    }

    /// Sets owner and group, none to leave one: chown(2), or lchown(2) without `follow`.
    ///
    /// # Errors
    ///
    /// `EPERM` unless root, or nothing changes; `EROFS`, and those of the path.
    pub fn chown(
        &mut self,
        cx: &mut Cx<'_>,
        path: &[u8],
        (uid, gid): (Option<u32>, Option<u32>),
        follow: bool,
    ) -> Result<()> {
        self.begin(cx, Verb::Change)?;
        let ino = self.find(path, follow)?;
        self.set_owner(cx, ino, uid, gid)
    }

    /// As [`chown`](Disk::chown), of an open file: fchown(2).
    ///
    /// # Errors
    ///
    /// `EBADF`, and those of [`chown`](Disk::chown).
    pub fn fchown(
        &mut self,
        cx: &mut Cx<'_>,
        fd: crate::Fd,
        (uid, gid): (Option<u32>, Option<u32>),
    ) -> Result<()> {
        self.begin(cx, Verb::Change)?;
        let ino = self.open_file(fd)?.ino;
        self.set_owner(cx, ino, uid, gid)
    }

    fn set_owner(
        &mut self,
        cx: &Cx<'_>,
        ino: Ino,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> Result<()> {
        self.may_write_disk()?;
        let inode = self.cached.get(ino).ok_or(Errno::ENOENT)?;
        let user = self.process.user;
        let about = inode.about;
        let uid_stays = uid.is_none_or(|uid| uid == about.uid);
        let gid_may = gid.is_none_or(|gid| gid == about.gid || gid == user.gid);
        if user.uid != 0 && !(self.owns(inode) && uid_stays && gid_may) {
            return Err(Errno::EPERM);
        }
        let (uid, gid) = (uid.unwrap_or(about.uid), gid.unwrap_or(about.gid));
        self.set_about(cx, ino, About { uid, gid, ..about });
        Ok(())
    }

    /// Sets the times of last access and change of content, in nanoseconds since 1970, none to leave one:
    /// utimensat(2), without `follow` of a symbolic link itself.
    ///
    /// # Errors
    ///
    /// `EPERM` for a file of another user, `EROFS`, and those of the path.
    pub fn utimes(
        &mut self,
        cx: &mut Cx<'_>,
        path: &[u8],
        (accessed_ns, modified_ns): (Option<i64>, Option<i64>),
        follow: bool,
    ) -> Result<()> {
        self.begin(cx, Verb::Change)?;
        let ino = self.find(path, follow)?;
        self.set_times(cx, ino, accessed_ns, modified_ns)
    }

    /// As [`utimes`](Disk::utimes), of an open file: futimens(3).
    ///
    /// # Errors
    ///
    /// `EBADF`, and those of [`utimes`](Disk::utimes).
    pub fn futimes(
        &mut self,
        cx: &mut Cx<'_>,
        fd: crate::Fd,
        (accessed_ns, modified_ns): (Option<i64>, Option<i64>),
    ) -> Result<()> {
        self.begin(cx, Verb::Change)?;
        let ino = self.open_file(fd)?.ino;
        self.set_times(cx, ino, accessed_ns, modified_ns)
    }

    fn set_times(
        &mut self,
        cx: &Cx<'_>,
        ino: Ino,
        accessed_ns: Option<i64>,
        modified_ns: Option<i64>,
    ) -> Result<()> {
        self.may_write_disk()?;
        let inode = self.cached.get(ino).ok_or(Errno::ENOENT)?;
        if !self.owns(inode) {
            return Err(Errno::EPERM);
        }
        let about = About {
            accessed_ns: accessed_ns.unwrap_or(inode.about.accessed_ns),
            modified_ns: modified_ns.unwrap_or(inode.about.modified_ns),
            ..inode.about
        };
        self.set_about(cx, ino, about);
        Ok(())
    }

    fn set_about(&mut self, cx: &Cx<'_>, ino: Ino, about: About) {
        self.change_own(cx, ino, Change::Attributes { ino, about });
    }
}
