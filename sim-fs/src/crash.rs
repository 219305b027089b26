//! What a crash leaves: of the changes that are pending any set that is closed under "needs", pages torn between
//! sectors.
//!
//! One function goes through the changes and asks what becomes of each. A crash answers by choices, `states.rs`
//! goes through all answers.

use crate::{
    Cx, Disk,
    faults::Fault,
    inode::{Change, Image, Ino},
    pages::{PAGE, SECTOR, torn},
    pending::{Op, OpId},
};
use alloc::{collections::BTreeSet, sync::Arc, vec::Vec};
use core::panic::Location;

/// What becomes of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// Of a page that had a block: the sectors of these bits are as they were.
    Torn(u8),
}

/// A change of which a crash left nothing, or not all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loss {
    /// What it was: `create`, `page`, `size`, `allocate`, `attributes`, `add name`, `remove name` or `rename`.
    pub what: &'static str,
    /// The inode that it was about.
    pub ino: Ino,
    /// Of a page: its number.
    pub page: Option<u64>,
    /// Of a page some sectors were written: a bit for each of the eight that was not.
    pub torn: Option<u8>,
    /// Where in the program it was made.
    pub place: &'static Location<'static>,
}

/// What a crash did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Crash {
    /// How many changes were pending.
    pub pending: usize,
    /// Those that were lost or torn, in the order in which they were made.
    pub losses: Vec<Loss>,
    /// The disk is new and empty.
    pub disk_lost: bool,
}

/// What is left on the device.
pub(crate) struct Remains {
    pub(crate) image: Image,
    pub(crate) losses: Vec<Loss>,
}

/// How much of what is pending a crash tends to leave.
enum Mood {
    /// Most of it: one change in eight goes.
    Most,
    /// Half of it.
    Half,
    /// A little.
    Little,
    /// What came before that change.
    Before(OpId),
}

impl Disk {
    /// Power fails: the node's program ends, its files are closed, and what was not durable survives or not.
    ///
    /// One time in ten, and in calm, all of it survives. Otherwise each change has its own fate within the
    /// [rules](crate::Rules). The disk has then what the device has; who reads it sees nothing else.
    pub fn crash(&mut self, cx: &mut Cx<'_>) -> Crash {
        cx.done_ns = cx.now_ns;
        self.settle(cx.now_ns);
        let faults = self.faults.at(b"/");
        let pending = self.pending.len();
        if cx.strikes(faults.lost_disk_ppm) {
            let effective = self.cached.len() > 1 || self.durable.len() > 1;
            self.faults.note(Fault::LostDisk, effective);
            self.become_empty();
            return Crash { pending, losses: Vec::new(), disk_lost: true };
        }
        let remains = self.draw(cx);
        let Remains { mut image, losses } = remains;
        let torn: Vec<Loss> = losses.iter().filter(|loss| loss.torn.is_some()).copied().collect();
        for loss in torn {
            self.faults.note(Fault::Torn, true);
            self.spoil(cx, faults.garbage_ppm, &mut image, loss);
        }
        self.become_image(image);
        Crash { pending, losses, disk_lost: false }
    }

    /// The program ends without the machine: all that it has written is still there, cached or not. Its files are
    /// closed and its locks given back.
    pub fn kill(&mut self) {
        let opened: Vec<Ino> = self.process.opened_inodes().collect();
        self.process = self.process.restarted();
        for ino in opened {
            self.free_if_unused(ino);
        }
    }

    /// Starts over with an empty disk: what a machine has whose disk was replaced. Settings, faults and counts stay.
    pub fn become_empty(&mut self) {
        let mut image = Image::default();
        if let Some(root) = Disk::new().cached.get(Ino::ROOT) {
            let mut root = root.clone();
            (root.about.uid, root.about.gid) = (self.process.user.uid, self.process.user.gid);
            image.insert(Ino::ROOT, Arc::new(root));
        }
        self.faults.new_medium();
        self.become_image(image);
    }

    /// The node starts with that on its device.
    pub(crate) fn become_image(&mut self, image: Image) {
        self.space.used = image.iter().map(|(_, inode)| inode.blocks()).sum();
        self.cached = image.clone();
        self.durable = image;
        self.pending = self.pending.restarted();
        self.process = self.process.restarted();
        self.locks = crate::lock::Locks::default();
        self.write_errors.clear();
        self.queue.clear();
        self.planned_sync_error = None;
        self.cold_until = self.last_ino();
        self.warm.clear();
    }

    fn draw(&self, cx: &mut Cx<'_>) -> Remains {
        // 0 is calm: everything survives.
        let mood = match cx.which(10) {
            0 => return self.remains(&mut |_, _| Fate::Kept),
            1..=3 => Mood::Most,
            4..=6 => Mood::Half,
            7 => Mood::Little,
            _ => {
                let count = u32::try_from(self.pending.len()).unwrap_or(u32::MAX - 1);
                // The mildest cut comes after the last one.
                let kept = count - cx.which(count + 1);
                let cut = self.pending.iter().nth(kept as usize);
                Mood::Before(cut.map_or(OpId::MAX, |(id, _)| id))
            }
        };
        self.remains(&mut |id, can_tear| {
            let (kept, of) = match mood {
                Mood::Before(cut) if id < cut => return Fate::Kept,
                Mood::Before(_) => return Fate::Lost,
                Mood::Most => (14, 16),
                Mood::Half => (4, 8),
                Mood::Little => (2, 16),
            };
            match cx.which(of) {
                answer if answer < kept => Fate::Kept,
                answer if can_tear && (answer - kept).is_multiple_of(2) => {
                    Fate::torn(cx.which(256))
                }
                _ => Fate::Lost,
            }
        })
    }

    /// What the device has after each change had its fate, in order. Asked is only of changes whose needs are met;
    /// `true` if the page may be torn.
    pub(crate) fn remains(&self, fate: &mut dyn FnMut(OpId, bool) -> Fate) -> Remains {
        let mut image = self.durable.clone();
        let mut losses = Vec::new();
        let mut lost: BTreeSet<OpId> = BTreeSet::new();
        let mut files: BTreeSet<Ino> = BTreeSet::new();
        for (id, op) in self.pending.iter() {
            let possible = op.needs.iter().all(|need| !lost.contains(need));
            let fate = if possible { fate(id, self.can_tear(&image, op)) } else { Fate::Lost };
            match fate {
                Fate::Kept => image.apply(&op.change, op.wall_ns),
                Fate::Lost => {
                    lost.insert(id);
                }
                Fate::Torn(sectors) => tear(&mut image, op, sectors),
            }
            if fate != Fate::Kept {
                losses.push(op.loss(fate));
            }
            if let Change::Page { ino, .. } | Change::Size { ino, .. } = op.change {
                files.insert(ino);
            }
        }
        for ino in files {
            if let Some(pages) = image.pages_mut(ino) {
                pages.trim();
            }
        }
        // What fsck(8), or the journal's list of orphans, would find.
        let reachable = image.reachable();
        if reachable.len() as u64 != image.len() {
            image.retain(|ino| reachable.contains(&ino));
        }
        Remains { image, losses }
    }

    /// A page that overwrites a block may be written in part. What goes to a new block is not seen before all of it
    /// is there, if data are ordered.
    fn can_tear(&self, image: &Image, op: &Op) -> bool {
        let Change::Page { ino, index, .. } = &op.change else { return false };
        !self.rules.data_ordered
            || image.pages(*ino).is_some_and(|pages| pages.page(*index).is_some())
    }

    /// Some of the sectors that were not written hold garbage.
    fn spoil(&mut self, cx: &mut Cx<'_>, ppm: u32, image: &mut Image, loss: Loss) {
        let (Some(index), Some(sectors)) = (loss.page, loss.torn) else { return };
        for sector in (0..PAGE / SECTOR).filter(|sector| sectors & (1 << sector) != 0) {
            if !cx.strikes(ppm) {
                continue;
            }
            let word = cx.which(u32::MAX).to_le_bytes();
            let Some(pages) = image.pages_mut(loss.ino) else { return };
            let Some(page) = pages.page(index) else { return };
            let mut page = page.clone();
            let bytes = &mut Arc::make_mut(&mut page)[sector * SECTOR..(sector + 1) * SECTOR];
            let mut differs = false;
            for (byte, garbage) in bytes.iter_mut().zip(word.iter().cycle()) {
                differs |= *byte != *garbage;
                *byte = *garbage;
            }
            pages.set_page(index, page);
            pages.trim();
            self.faults.note(Fault::Garbage, differs);
        }
    }
}

impl Fate {
    /// Torn as the bits say; with none of them, or all, it is not.
    pub(crate) fn torn(lost_sectors: u32) -> Fate {
        match u8::try_from(lost_sectors) {
            Ok(0) => Fate::Kept,
            Ok(sectors) if sectors != u8::MAX => Fate::Torn(sectors),
            _ => Fate::Lost,
        }
    }
}

fn tear(image: &mut Image, op: &Op, sectors: u8) {
    let Change::Page { ino, index, content } = &op.change else { return };
    let Some(pages) = image.pages(*ino) else { return };
    let content = torn(&pages.content(*index), content, sectors);
    image.apply(&Change::Page { ino: *ino, index: *index, content }, op.wall_ns);
}

impl Op {
    fn loss(&self, fate: Fate) -> Loss {
        let (ino, page) = match &self.change {
            Change::Page { ino, index, .. } => (*ino, Some(*index)),
            Change::Create { ino, .. }
            | Change::Size { ino, .. }
            | Change::Allocate { ino, .. }
            | Change::Attributes { ino, .. }
            | Change::Add { ino, .. }
            | Change::Remove { ino, .. }
            | Change::Move { ino, .. } => (*ino, None),
        };
        let torn = if let Fate::Torn(sectors) = fate { Some(sectors) } else { None };
        Loss { what: self.what(), ino, page, torn, place: self.place }
    }

    pub(crate) fn what(&self) -> &'static str {
        match self.change {
            Change::Create { .. } => "create",
            Change::Page { .. } => "page",
            Change::Size { .. } => "size",
            Change::Allocate { .. } => "allocate",
            Change::Attributes { .. } => "attributes",
            Change::Add { .. } => "add name",
            Change::Remove { .. } => "remove name",
            Change::Move { .. } => "rename",
        }
    }
}
