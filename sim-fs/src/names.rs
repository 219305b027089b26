//! Names: mkdir(2), rmdir(2), link(2), symlink(2), unlink(2), rename(2), readdir(3), with the order of errors of
//! fs/namei.c.

use crate::{
    Cx, Disk, Errno, Fd, PATH_MAX, Result, Verb,
    dir::{Folder, Name},
    faults::Fault,
    inode::{Change, Ino, Node},
    meta::FileType,
    path::{Last, Place, check_both},
    user::Access,
};
use alloc::{sync::Arc, vec::Vec};
use sim_choice::{Kind, Lane};

/// An inode has no more names than this: EXT4_LINK_MAX.
const MOST_NAMES: u32 = 65_000;

/// One name in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name.
    pub name: Arc<[u8]>,
    /// What it means.
    pub ino: Ino,
    /// What that is.
    pub kind: FileType,
}

/// What is left to read of a folder: names as they were when its reading began.
#[derive(Clone)]
pub(crate) struct Listing {
    entries: Arc<[(Name, Ino)]>,
    next: usize,
}

impl Disk {
    /// Makes a folder: mkdir(2).
    ///
    /// # Errors
    ///
    /// `EEXIST`, `ENOENT`, `ENOTDIR`, `EACCES`, `ENAMETOOLONG`, `ELOOP`, `EINVAL`, `EMLINK`, `ENOSPC`, `EROFS`.
    pub fn mkdir(&mut self, cx: &mut Cx<'_>, path: &[u8], mode: u32) -> Result<()> {
        self.begin(cx, Verb::MakeFolder)?;
        let mut links = 0;
        let place = self.place(path, &mut links)?;
        let name = self.new_name(&place, true)?;
        let mode = mode & 0o1777 & !self.process.umask;
        let node = Node::Folder(Folder::new(place.folder, name.into()));
        let inode = self.new_inode(cx, place.folder, node, mode);
        if self.cached.get(place.folder).is_some_and(|folder| folder.links >= MOST_NAMES) {
            return Err(Errno::EMLINK);
        }
        self.create(cx, (place.folder, name), inode)?;
        Ok(())
    }

    /// A name that does not exist: `filename_create` of the kernel.
    fn new_name<'p>(&self, place: &Place<'p>, for_folder: bool) -> Result<&'p [u8]> {
        let Last::Name(name) = place.last else { return Err(Errno::EEXIST) };
        if self.entry(place.folder, name)?.is_some() {
            return Err(Errno::EEXIST);
        }
        if place.slash && !for_folder {
            return Err(Errno::ENOENT);
        }
        self.may_write_disk()?;
        Ok(name)
    }

    /// Whether a name may be added: `may_create` of the kernel, and a fault.
    pub(crate) fn may_create(&mut self, cx: &mut Cx<'_>, folder: Ino, name: &[u8]) -> Result<()> {
        if self.cached.get(folder).is_none_or(|folder| folder.links == 0) {
            return Err(Errno::ENOENT);
        }
        self.may_write_disk()?;
        self.may_access(folder, Access::CHANGE_NAMES)?;
        if !self.faults.is_quiet() {
            let faults = self.faults.at(&self.path_in(folder, name));
            self.strike(cx, faults.no_space_ppm, Fault::NoSpace, Errno::ENOSPC)?;
        }
        Ok(())
    }

    /// Whether a name may be taken away: `may_delete` of the kernel.
    fn may_delete(&self, folder: Ino, victim: Ino, is_folder: bool) -> Result<()> {
        self.may_access(folder, Access::CHANGE_NAMES)?;
        let victim_is_folder = self.cached.folder(victim).is_some();
        if is_folder && !victim_is_folder {
            return Err(Errno::ENOTDIR);
        }
        if is_folder && self.is_mount(victim) {
            return Err(Errno::EBUSY);
        }
        if !is_folder && victim_is_folder { Err(Errno::EISDIR) } else { Ok(()) }
    }

    fn is_mount(&self, ino: Ino) -> bool {
        ino == Ino::ROOT || self.device(ino) != self.device(self.parent(ino))
    }

    fn is_empty(&self, ino: Ino) -> bool {
        self.cached.folder(ino).is_none_or(|folder| folder.entries.is_empty())
    }

    /// Makes an empty folder a file system of its own, so that links and renames across it fail with `EXDEV`. It
    /// shares the space and crashes with the rest.
    ///
    /// # Errors
    ///
    /// `ENOTDIR`, `ENOTEMPTY`, and those of the path.
    pub fn mount(&mut self, path: &[u8]) -> Result<()> {
        let ino = self.find(path, true)?;
        if self.cached.folder(ino).is_none() {
            return Err(Errno::ENOTDIR);
        }
        if !self.is_empty(ino) {
            return Err(Errno::ENOTEMPTY);
        }
        let ids = self.pending.all();
        self.write_back(&ids);
        let device = self.new_device();
        for image in [&mut self.cached, &mut self.durable] {
            if let Some(inode) = image.get_mut(ino) {
                inode.device = device;
            }
        }
        Ok(())
    }

    /// Removes an empty folder: rmdir(2).
    ///
    /// # Errors
    ///
    /// `ENOTEMPTY`, `ENOTDIR`, `ENOENT`, `EBUSY` for the root or a mount point, `EINVAL` for `.`, `EACCES`, `EROFS`.
    pub fn rmdir(&mut self, cx: &mut Cx<'_>, path: &[u8]) -> Result<()> {
        self.begin(cx, Verb::RemoveFolder)?;
        let place = self.place(path, &mut 0)?;
        let name = match place.last {
            Last::DotDot => return Err(Errno::ENOTEMPTY),
            Last::Dot => return Err(Errno::EINVAL),
            Last::Root => return Err(Errno::EBUSY),
            Last::Name(name) => name,
        };
        self.may_write_disk()?;
        let ino = self.entry(place.folder, name)?.ok_or(Errno::ENOENT)?;
        self.may_delete(place.folder, ino, true)?;
        if !self.is_empty(ino) {
            return Err(Errno::ENOTEMPTY);
        }
        self.remove_name(cx, place.folder, name, ino);
        Ok(())
    }

    /// Removes a name of a file or symbolic link; an open file lives on: unlink(2).
    ///
    /// # Errors
    ///
    /// `ENOENT`, `EISDIR` for a folder, `ENOTDIR`, `EACCES`, `EROFS`.
    pub fn unlink(&mut self, cx: &mut Cx<'_>, path: &[u8]) -> Result<()> {
        self.begin(cx, Verb::Unlink)?;
        let place = self.place(path, &mut 0)?;
        let Last::Name(name) = place.last else { return Err(Errno::EISDIR) };
        self.may_write_disk()?;
        let ino = self.entry(place.folder, name)?.ok_or(Errno::ENOENT)?;
        let is_folder = self.cached.folder(ino).is_some();
        if place.slash {
            return Err(if is_folder { Errno::EISDIR } else { Errno::ENOTDIR });
        }
        self.may_delete(place.folder, ino, false)?;
        self.remove_name(cx, place.folder, name, ino);
        Ok(())
    }

    fn remove_name(&mut self, cx: &mut Cx<'_>, folder: Ino, name: &[u8], ino: Ino) {
        self.change_names(cx, Change::Remove { folder, name: name.into(), ino });
        self.free_if_unused(ino);
    }

    /// Gives a file another name; a symbolic link itself, not what it leads to: link(2).
    ///
    /// # Errors
    ///
    /// `EEXIST`, `EPERM` for a folder, `EXDEV`, `EMLINK`, `ENOENT`, `ENOTDIR`, `EACCES`, `ENOSPC`, `EROFS`.
    pub fn link(&mut self, cx: &mut Cx<'_>, old: &[u8], new: &[u8]) -> Result<()> {
        self.begin(cx, Verb::Link)?;
        check_both(old, new)?;
        let ino = self.find(old, false)?;
        let place = self.place(new, &mut 0)?;
        let name = self.new_name(&place, false)?;
        if self.device(ino) != self.device(place.folder) {
            return Err(Errno::EXDEV);
        }
        self.may_create(cx, place.folder, name)?;
        let inode = self.cached.get(ino).ok_or(Errno::ENOENT)?;
        if inode.is_folder() {
            return Err(Errno::EPERM);
        }
        if inode.links == 0 {
            return Err(Errno::ENOENT);
        }
        if inode.links >= MOST_NAMES {
            return Err(Errno::EMLINK);
        }
        self.change_names(cx, Change::Add { folder: place.folder, name: name.into(), ino });
        Ok(())
    }

    /// Makes a symbolic link, to whatever: symlink(2).
    ///
    /// # Errors
    ///
    /// `EEXIST`, `ENOENT` also for an empty target, `ENAMETOOLONG`, `ENOTDIR`, `EACCES`, `ENOSPC`, `EROFS`.
    pub fn symlink(&mut self, cx: &mut Cx<'_>, target: &[u8], path: &[u8]) -> Result<()> {
        self.begin(cx, Verb::Symlink)?;
        check_both(target, path)?;
        match target {
            [] => return Err(Errno::ENOENT),
            // The block that holds it ends with a NUL.
            target if target.len() >= PATH_MAX => return Err(Errno::ENAMETOOLONG),
            _ => {}
        }
        let place = self.place(path, &mut 0)?;
        let name = self.new_name(&place, false)?;
        let inode = self.new_inode(cx, place.folder, Node::Symlink(target.into()), 0o777);
        self.create(cx, (place.folder, name), inode)?;
        Ok(())
    }

    /// What a symbolic link says: readlink(2).
    ///
    /// # Errors
    ///
    /// `EINVAL` for what is none, and those of the path.
    pub fn readlink(&mut self, cx: &mut Cx<'_>, path: &[u8]) -> Result<Vec<u8>> {
        self.begin(cx, Verb::Stat)?;
        let ino = self.find(path, false)?;
        self.symlink_target(ino).map(|target| target.to_vec()).ok_or(Errno::EINVAL)
    }

    /// Gives a file or folder another name, in one step; what had that name is replaced, unless
    /// `no_replace` (`RENAME_NOREPLACE`): rename(2), renameat2(2).
    ///
    /// # Errors
    ///
    /// `ENOENT`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `EINVAL` for a folder into itself, `EEXIST`, `EBUSY` for `.`, `..`,
    /// the root or a mount point, `EXDEV`, `EMLINK`, `EACCES`, `EROFS`.
    pub fn rename(
        &mut self,
        cx: &mut Cx<'_>,
        old: &[u8],
        new: &[u8],
        no_replace: bool,
    ) -> Result<()> {
        self.begin(cx, Verb::Rename)?;
        check_both(old, new)?;
        let from = self.place(old, &mut 0)?;
        let to = self.place(new, &mut 0)?;
        if self.device(from.folder) != self.device(to.folder) {
            return Err(Errno::EXDEV);
        }
        let Last::Name(old_name) = from.last else { return Err(Errno::EBUSY) };
        let Last::Name(new_name) = to.last else {
            return Err(if no_replace { Errno::EEXIST } else { Errno::EBUSY });
        };
        self.may_write_disk()?;
        let ino = self.entry(from.folder, old_name)?.ok_or(Errno::ENOENT)?;
        let replaced = self.entry(to.folder, new_name)?;
        if no_replace && replaced.is_some() {
            return Err(Errno::EEXIST);
        }
        let is_folder = self.cached.folder(ino).is_some();
        if !is_folder && (from.slash || to.slash) {
            return Err(Errno::ENOTDIR);
        }
        if self.is_within(to.folder, ino) {
            return Err(Errno::EINVAL);
        }
        if replaced.is_some_and(|replaced| self.is_within(from.folder, replaced)) {
            return Err(Errno::ENOTEMPTY);
        }
        if replaced == Some(ino) {
            // Two names of one file, or one: nothing is done.
            return Ok(());
        }
        self.may_delete(from.folder, ino, is_folder)?;
        match replaced {
            None => self.may_create(cx, to.folder, new_name)?,
            Some(replaced) => self.may_delete(to.folder, replaced, is_folder)?,
        }
        if is_folder && from.folder != to.folder {
            self.may_access(ino, Access::WRITE)?;
        }
        if let Some(replaced) = replaced
            && !self.is_empty(replaced)
        {
            return Err(Errno::ENOTEMPTY);
        }
        let (from, to) = ((from.folder, Name::from(old_name)), (to.folder, Name::from(new_name)));
        self.change_names(cx, Change::Move { from, to, ino, replaced });
        if let Some(replaced) = replaced {
            self.free_if_unused(replaced);
        }
        Ok(())
    }

    /// Whether a folder is that one, or below it.
    fn is_within(&self, folder: Ino, above: Ino) -> bool {
        let mut at = folder;
        while at != above {
            if at == Ino::ROOT {
                return false;
            }
            at = self.parent(at);
        }
        true
    }

    /// The next name of an open folder, without `.` and `..`, none at the end: readdir(3). Names are those that there
    /// were when its reading began.
    ///
    /// Their order is a choice: by name, which is calm, as they were made, or by a hash, as in ext4.
    ///
    /// # Errors
    ///
    /// `ENOTDIR`, `EBADF`, `ENOENT` if the folder was removed.
    pub fn readdir(&mut self, cx: &mut Cx<'_>, fd: Fd) -> Result<Option<Entry>> {
        self.begin(cx, Verb::ReadFolder)?;
        let file = self.open_file(fd)?;
        let ino = file.ino;
        let folder = self.cached.folder(ino).ok_or(Errno::ENOTDIR)?;
        let mut listing = match &file.listing {
            Some(listing) => listing.clone(),
            None if self.cached.get(ino).is_some_and(|inode| inode.links == 0) => {
                return Err(Errno::ENOENT);
            }
            None => Listing { entries: in_some_order(cx, folder), next: 0 },
        };
        let entry = listing.entries.get(listing.next).cloned();
        listing.next += usize::from(entry.is_some());
        self.open_file_mut(fd)?.listing = Some(listing);
        let Some((name, child)) = entry else {
            self.note_access(cx, ino);
            return Ok(None);
        };
        // It may be gone by now; then it is told as a file.
        let kind = self.cached.get(child).map_or(FileType::File, FileType::of);
        Ok(Some(Entry { name, ino: child, kind }))
    }

    /// Reads an open folder from the start again: rewinddir(3).
    ///
    /// # Errors
    ///
    /// `EBADF`.
    pub fn rewinddir(&mut self, fd: Fd) -> Result<()> {
        self.open_file_mut(fd)?.listing = None;
        Ok(())
    }
}

fn in_some_order(cx: &mut Cx<'_>, folder: &Folder) -> Arc<[(Name, Ino)]> {
    let mut entries: Vec<(Name, Ino)> =
        folder.entries.iter().map(|(name, ino)| (name.clone(), *ino)).collect();
    if entries.len() > 1 {
        // 0, which is calm: by name, as they are.
        match cx.choices.choose(Lane::Disk, Kind::Other, cx.who, 3) {
            1 => entries.sort_by_key(|(_, ino)| *ino),
            2 => {
                let key = cx.choices.choose(Lane::Disk, Kind::Other, cx.who, u32::MAX);
                entries.sort_by_cached_key(|(name, _)| hash(key, name));
            }
            _ => {}
        }
    }
    entries.into()
}

/// FNV-1a from a key, mixed once more: names that differ at the end come far apart.
fn hash(key: u32, name: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ u64::from(key);
    let hash = name
        .iter()
        .fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    (hash ^ (hash >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}
