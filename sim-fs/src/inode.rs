//! Inodes, and an image: all inodes of a disk at one point of its history.
//!
//! There are two images of a disk, what programs see and what is on the device. Both change by the same
//! [`Change`]s only, so that the first is always the second and all that is pending.

use crate::{
    dir::{Folder, Name},
    pages::{Page, Pages},
};
use alloc::{collections::BTreeMap, sync::Arc};

/// The number of an inode. They count from 2, the root's in ext4, and none is used twice on a disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Ino(pub u64);

impl Ino {
    /// The root folder.
    pub const ROOT: Ino = Ino(2);
}

#[derive(Clone)]
pub(crate) struct Inode {
    pub(crate) node: Node,
    pub(crate) links: u32,
    /// Which filesystem: 1, or that of a mount point.
    pub(crate) device: u32,
    pub(crate) about: About,
    pub(crate) born_ns: i64,
    pub(crate) changed_ns: i64,
}

/// What chmod, chown and utimes change.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct About {
    /// Permission bits, 0 to 0o7777.
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) accessed_ns: i64,
    pub(crate) modified_ns: i64,
}

#[derive(Clone)]
pub(crate) enum Node {
    File(Pages),
    Folder(Folder),
    Symlink(Arc<[u8]>),
}

impl Inode {
    pub(crate) fn is_folder(&self) -> bool {
        matches!(self.node, Node::Folder(_))
    }

    pub(crate) fn is_symlink(&self) -> bool {
        matches!(self.node, Node::Symlink(_))
    }

    pub(crate) fn folder(&self) -> Option<&Folder> {
        match &self.node {
            Node::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// What a name counts for: a folder's comes with its own `.`; those within count one each, for their `..`.
    fn links_of_a_name(&self) -> u32 {
        if self.is_folder() { 2 } else { 1 }
    }

    /// Blocks that it takes: a folder one, a symbolic link of up to 59 bytes none, as in ext4.
    pub(crate) fn blocks(&self) -> u64 {
        match &self.node {
            Node::File(pages) => pages.blocks(),
            Node::Folder(_) => 1,
            Node::Symlink(target) => u64::from(target.len() > 59),
        }
    }
}

/// One step from an image to the next.
#[derive(Clone)]
pub(crate) enum Change {
    /// An inode comes to be, with no name as yet.
    Create { ino: Ino, inode: Arc<Inode> },
    /// A page gets that content; its block is allocated where it had none.
    Page { ino: Ino, index: u64, content: Arc<Page> },
    /// A file becomes that long; `cut` if it was longer.
    Size { ino: Ino, to: u64, cut: bool },
    /// Holes get blocks, which still read as zeros.
    Allocate { ino: Ino, first: u64, count: u64 },
    /// Mode, owner or times are set.
    Attributes { ino: Ino, about: About },
    /// A name is added for an inode.
    Add { folder: Ino, name: Name, ino: Ino },
    /// A name is removed.
    Remove { folder: Ino, name: Name, ino: Ino },
    /// An inode is renamed; `replaced` loses the name. All of it happens, or nothing.
    Move { from: (Ino, Name), to: (Ino, Name), ino: Ino, replaced: Option<Ino> },
}

#[derive(Clone, Default)]
pub(crate) struct Image {
    inodes: BTreeMap<Ino, Arc<Inode>>,
}

impl Image {
    pub(crate) fn get(&self, ino: Ino) -> Option<&Inode> {
        self.inodes.get(&ino).map(|inode| &**inode)
    }

    pub(crate) fn get_mut(&mut self, ino: Ino) -> Option<&mut Inode> {
        self.inodes.get_mut(&ino).map(Arc::make_mut)
    }

    pub(crate) fn pages(&self, ino: Ino) -> Option<&Pages> {
        match &self.get(ino)?.node {
            Node::File(pages) => Some(pages),
            _ => None,
        }
    }

    pub(crate) fn pages_mut(&mut self, ino: Ino) -> Option<&mut Pages> {
        match &mut self.get_mut(ino)?.node {
            Node::File(pages) => Some(pages),
            _ => None,
        }
    }

    pub(crate) fn folder(&self, ino: Ino) -> Option<&Folder> {
        self.get(ino)?.folder()
    }

    fn folder_mut(&mut self, ino: Ino) -> Option<&mut Folder> {
        match &mut self.get_mut(ino)?.node {
            Node::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    pub(crate) fn insert(&mut self, ino: Ino, inode: Arc<Inode>) {
        self.inodes.insert(ino, inode);
    }

    pub(crate) fn remove(&mut self, ino: Ino) -> Option<Arc<Inode>> {
        self.inodes.remove(&ino)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Ino, &Inode)> {
        self.inodes.iter().map(|(ino, inode)| (*ino, &**inode))
    }

    pub(crate) fn len(&self) -> u64 {
        self.inodes.len() as u64
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(Ino) -> bool) {
        self.inodes.retain(|ino, _| keep(*ino));
    }

    /// Takes the step, at that time of the node's clock. What it is about may be gone for good, and is passed over.
    pub(crate) fn apply(&mut self, change: &Change, wall_ns: i64) {
        match change {
            Change::Create { ino, inode } => self.insert(*ino, inode.clone()),
            Change::Page { ino, index, content } => {
                self.with_pages(*ino, wall_ns, |pages| pages.set_page(*index, content.clone()));
            }
            Change::Size { ino, to, .. } => {
                self.with_pages(*ino, wall_ns, |pages| pages.set_size(*to));
            }
            Change::Allocate { ino, first, count } => {
                self.with_pages(*ino, wall_ns, |pages| {
                    (*first..first + count).for_each(|index| pages.set_aside(index));
                });
            }
            Change::Attributes { ino, about } => {
                if let Some(inode) = self.get_mut(*ino) {
                    (inode.about, inode.changed_ns) = (*about, wall_ns);
                }
            }
            Change::Add { folder, name, ino } => self.add(*folder, name, *ino, wall_ns),
            Change::Remove { folder, name, ino } => self.unname(*folder, name, *ino, wall_ns),
            Change::Move { from, to, ino, replaced } => {
                if let Some(replaced) = replaced {
                    self.unname(to.0, &to.1, *replaced, wall_ns);
                }
                // It keeps its links all along, so that it is never without a name.
                self.unname(from.0, &from.1, *ino, wall_ns);
                self.add(to.0, &to.1, *ino, wall_ns);
            }
        }
    }

    fn with_pages(&mut self, ino: Ino, wall_ns: i64, change: impl FnOnce(&mut Pages)) {
        if let Some(inode) = self.get_mut(ino)
            && let Node::File(pages) = &mut inode.node
        {
            change(pages);
            (inode.about.modified_ns, inode.changed_ns) = (wall_ns, wall_ns);
        }
    }

    fn add(&mut self, folder: Ino, name: &Name, ino: Ino, wall_ns: i64) {
        let Some(into) = self.folder_mut(folder) else { return };
        into.entries.insert(name.clone(), ino);
        self.touch(folder, wall_ns);
        let Some(inode) = self.get_mut(ino) else { return };
        inode.changed_ns = wall_ns;
        inode.links += inode.links_of_a_name();
        if let Node::Folder(child) = &mut inode.node {
            (child.parent, child.name) = (folder, name.clone());
            self.add_links(folder, 1);
        }
    }

    fn unname(&mut self, folder: Ino, name: &Name, ino: Ino, wall_ns: i64) {
        let Some(from) = self.folder_mut(folder) else { return };
        from.entries.remove(name);
        self.touch(folder, wall_ns);
        let Some(inode) = self.get_mut(ino) else { return };
        inode.changed_ns = wall_ns;
        inode.links = inode.links.saturating_sub(inode.links_of_a_name());
        if inode.is_folder() {
            self.add_links(folder, -1);
        }
    }

    fn touch(&mut self, folder: Ino, wall_ns: i64) {
        if let Some(inode) = self.get_mut(folder) {
            (inode.about.modified_ns, inode.changed_ns) = (wall_ns, wall_ns);
        }
    }

    fn add_links(&mut self, folder: Ino, links: i32) {
        if let Some(inode) = self.get_mut(folder) {
            inode.links = inode.links.saturating_add_signed(links);
        }
    }

    /// What can be reached from the root, in order of inodes.
    pub(crate) fn reachable(&self) -> alloc::collections::BTreeSet<Ino> {
        let mut seen = alloc::collections::BTreeSet::from([Ino::ROOT]);
        let mut next = alloc::vec![Ino::ROOT];
        while let Some(ino) = next.pop() {
            let entries = self.folder(ino).map(|folder| folder.entries.values());
            for child in entries.into_iter().flatten().filter(|child| self.get(**child).is_some()) {
                if seen.insert(*child) && self.folder(*child).is_some() {
                    next.push(*child);
                }
            }
        }
        seen
    }
}
