//! The disk as one value: what programs see, what the device has, what lies between, and who has what open.

use crate::{
    Cx, Device, Errno, Result, Rules, User,
    dir::Folder,
    faults::Injection,
    inode::{About, Change, Image, Ino, Inode, Node},
    lock::Locks,
    open::Process,
    pending::{OpId, Origin, Pending},
    sync::WriteErrors,
};
use alloc::{collections::BTreeSet, sync::Arc};

/// The filesystem of one node, and the open files of the program that runs there. See the [crate].
///
/// A clone is a snapshot: pages, folders and inodes are shared until one of the two changes.
#[derive(Clone)]
pub struct Disk {
    /// What programs see.
    pub(crate) cached: Image,
    /// What the device has.
    pub(crate) durable: Image,
    pub(crate) pending: Pending,
    pub(crate) rules: Rules,
    pub(crate) space: Space,
    pub(crate) process: Process,
    pub(crate) locks: Locks,
    pub(crate) queue: crate::device::Queue,
    pub(crate) faults: Injection,
    pub(crate) planned_sync_error: Option<Errno>,
    pub(crate) write_errors: WriteErrors,
    pub(crate) read_only: bool,
    /// Inodes up to this one have not been read since the node started, if they are not in `warm`.
    pub(crate) cold_until: Ino,
    pub(crate) warm: BTreeSet<Ino>,
    next_ino: u64,
    next_device: u32,
}

/// How much there is room for.
#[derive(Clone, Copy)]
pub(crate) struct Space {
    /// Blocks of 4 KiB.
    pub(crate) blocks: u64,
    pub(crate) used: u64,
    pub(crate) inodes: u64,
}

impl Disk {
    /// An empty disk: a root folder that belongs to user 1000, who the program runs as; no latency, no faults, room for
    /// 2^32 blocks of 4 KiB and as many files, and [`Rules::PROMISED`].
    #[must_use]
    pub fn new() -> Disk {
        let user = User { uid: 1000, gid: 1000 };
        let about = About { mode: 0o755, uid: 1000, gid: 1000, accessed_ns: 0, modified_ns: 0 };
        let mut root = Inode {
            node: Node::Folder(Folder::new(Ino::ROOT, Arc::from(&b""[..]))),
            links: 2,
            device: 1,
            about,
            born_ns: 0,
            changed_ns: 0,
        };
        root.about = about;
        let mut cached = Image::default();
        cached.insert(Ino::ROOT, Arc::new(root));
        Disk {
            durable: cached.clone(),
            cached,
            pending: Pending::default(),
            rules: Rules::default(),
            space: Space { blocks: 1 << 32, used: 1, inodes: 1 << 32 },
            process: Process::new(user),
            locks: Locks::default(),
            queue: crate::device::Queue::new(Device::INSTANT),
            faults: Injection::default(),
            planned_sync_error: None,
            write_errors: WriteErrors::default(),
            read_only: false,
            cold_until: Ino(0),
            warm: BTreeSet::new(),
            next_ino: Ino::ROOT.0 + 1,
            next_device: 2,
        }
    }

    /// What the file system promises about crashes from now on.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Room for so many bytes, in blocks of 4 KiB: one for each page that is written, and for each folder. It may be
    /// less than what is used; then there is no space until something is removed.
    pub fn set_capacity(&mut self, bytes: u64) {
        self.space.blocks = bytes / crate::PAGE as u64;
    }

    /// Room for so many files and folders.
    pub fn set_inode_limit(&mut self, inodes: u64) {
        self.space.inodes = inodes;
    }

    /// Whether what would change the disk fails with `EROFS`.
    pub fn set_read_only(&mut self, read_only: bool) {
        self.read_only = read_only;
    }

    /// Makes what is there that of a snapshot, faults and counts included.
    pub fn restore(&mut self, snapshot: &Disk) {
        self.clone_from(snapshot);
    }

    // --- changes

    pub(crate) fn new_ino(&mut self) -> Ino {
        self.next_ino += 1;
        Ino(self.next_ino - 1)
    }

    pub(crate) fn last_ino(&self) -> Ino {
        Ino(self.next_ino - 1)
    }

    pub(crate) fn new_device(&mut self) -> u32 {
        self.next_device += 1;
        self.next_device - 1
    }

    /// What an inode of the program's user starts as.
    pub(crate) fn new_inode(&self, cx: &Cx<'_>, folder: Ino, node: Node, mode: u32) -> Inode {
        let User { uid, gid } = self.process.user;
        let wall_ns = cx.wall_ns;
        Inode {
            node,
            links: 0,
            device: self.device(folder),
            about: About { mode, uid, gid, accessed_ns: wall_ns, modified_ns: wall_ns },
            born_ns: wall_ns,
            changed_ns: wall_ns,
        }
    }

    pub(crate) fn device(&self, ino: Ino) -> u32 {
        self.cached.get(ino).map_or(1, |inode| inode.device)
    }

    /// A new inode with its first name.
    pub(crate) fn create(
        &mut self,
        cx: &mut Cx<'_>,
        (folder, name): (Ino, &[u8]),
        inode: Inode,
    ) -> Result<Ino> {
        let blocks = inode.blocks();
        self.may_create(cx, folder, name)?;
        if self.cached.len() >= self.space.inodes || !self.has_room(blocks) {
            return Err(Errno::ENOSPC);
        }
        let ino = self.new_ino();
        let change = Change::Create { ino, inode: Arc::new(inode) };
        self.cached.apply(&change, cx.wall_ns);
        self.pending.create(ino, change, origin(cx), self.rules);
        self.space.used += blocks;
        self.change_names(cx, Change::Add { folder, name: name.into(), ino });
        Ok(ino)
    }

    pub(crate) fn has_room(&self, blocks: u64) -> bool {
        self.space.used + blocks <= self.space.blocks
    }

    /// Changes names, as programs see them and, in time, on the device.
    pub(crate) fn change_names(&mut self, cx: &Cx<'_>, change: Change) {
        self.cached.apply(&change, cx.wall_ns);
        self.pending.names(change, origin(cx), self.rules, &self.cached);
        self.relieve();
    }

    /// Changes an inode's metadata.
    pub(crate) fn change_own(&mut self, cx: &Cx<'_>, ino: Ino, change: Change) {
        self.cached.apply(&change, cx.wall_ns);
        self.pending.own(ino, change, origin(cx), self.rules);
    }

    /// Frees an inode that has no name and is not open.
    pub(crate) fn free_if_unused(&mut self, ino: Ino) {
        let unnamed = self.cached.get(ino).is_some_and(|inode| inode.links == 0);
        if !unnamed || self.process.is_open(ino) {
            return;
        }
        if let Some(inode) = self.cached.remove(ino) {
            self.space.used -= inode.blocks();
        }
        self.write_errors.forget(ino);
        self.warm.remove(&ino);
        self.retire(ino);
    }

    /// Forgets an inode that is gone for programs, and that no crash can bring back.
    fn retire(&mut self, ino: Ino) {
        let named = self.durable.get(ino).is_some_and(|inode| inode.links > 0);
        if named || self.pending.is_to_be_named(ino) || self.cached.get(ino).is_some() {
            return;
        }
        self.pending.forget(ino);
        self.durable.remove(ino);
    }

    // --- the device

    /// Finishes the syncs that are done by now.
    pub(crate) fn settle(&mut self, now_ns: u64) {
        while let Some(ids) = self.pending.synced(now_ns) {
            self.write_back(&ids);
        }
    }

    /// Lets the device have the oldest changes, if there are very many.
    pub(crate) fn relieve(&mut self) {
        if let Some(ids) = self.pending.overflow() {
            self.write_back(&ids);
        }
    }

    /// The device has these now.
    pub(crate) fn write_back(&mut self, ids: &[OpId]) {
        let mut touched = BTreeSet::new();
        for id in ids {
            let Some(op) = self.pending.take(*id) else { continue };
            let wall_ns = op.wall_ns;
            touched.extend(op.inodes());
            if let Some(change) = op.written() {
                self.durable.apply(&change, wall_ns);
            }
        }
        self.pending.tidy(touched.iter().copied());
        for ino in touched {
            if self.cached.get(ino).is_none() {
                self.retire(ino);
            }
        }
    }
}

impl Default for Disk {
    fn default() -> Disk {
        Disk::new()
    }
}

pub(crate) fn origin(cx: &Cx<'_>) -> Origin {
    Origin { wall_ns: cx.wall_ns, place: cx.place }
}
