//! Making things durable: fsync(2), fdatasync(2), sync(2).
//!
//! A sync takes what is pending at the call; the device has it when the sync is done, `cx.done_ns`, and not before.

use crate::{
    Cx, Disk, Errno, Faults, Fd, Result, Verb,
    faults::Fault,
    inode::{Change, Ino},
    pages::pages_for,
    pending::{Instead, OpId},
};
use alloc::{collections::BTreeMap, vec::Vec};

/// Errors of writing back, per inode: each open file is told of each once (errseq_t of lib/errseq.c).
#[derive(Clone, Default)]
pub(crate) struct WriteErrors {
    counts: BTreeMap<Ino, (u32, bool)>,
}

impl WriteErrors {
    /// What a file that is opened now was told of: an error that nobody has seen yet is still for it.
    pub(crate) fn sample(&self, ino: Ino) -> u32 {
        self.counts.get(&ino).map_or(0, |(count, seen)| if *seen { *count } else { count - 1 })
    }

    fn raise(&mut self, ino: Ino) {
        let entry = self.counts.entry(ino).or_insert((0, true));
        *entry = (entry.0 + 1, false);
    }

    /// How many there were; they are seen now.
    fn take(&mut self, ino: Ino) -> u32 {
        self.counts.get_mut(&ino).map_or(0, |(count, seen)| {
            *seen = true;
            *count
        })
    }

    pub(crate) fn forget(&mut self, ino: Ino) {
        self.counts.remove(&ino);
    }

    pub(crate) fn clear(&mut self) {
        self.counts.clear();
    }
}

impl Disk {
    /// Makes the content, size and metadata of a file durable, or the names in a folder: fsync(2). The name of a file
    /// takes the fsync of its folder.
    ///
    /// # Errors
    ///
    /// `EBADF`; `EIO` by a fault: what was to be written is lost.
    pub fn fsync(&mut self, cx: &mut Cx<'_>, fd: Fd) -> Result<()> {
        self.sync_file(cx, fd, false)
    }

    /// Makes the content and size of a file durable, not its times and mode: fdatasync(2).
    ///
    /// # Errors
    ///
    /// As [`fsync`](Disk::fsync).
    pub fn fdatasync(&mut self, cx: &mut Cx<'_>, fd: Fd) -> Result<()> {
        self.sync_file(cx, fd, true)
    }

    fn sync_file(&mut self, cx: &mut Cx<'_>, fd: Fd, data_only: bool) -> Result<()> {
        self.planned_sync_error = None;
        self.begin(cx, Verb::Sync)?;
        let ino = self.open_file(fd)?.ino;
        let ops = self.pending.own_of(ino, data_only);
        self.sync_now(cx, fd, ops)
    }

    /// Makes everything durable: sync(2).
    pub fn sync(&mut self, cx: &mut Cx<'_>) {
        cx.done_ns = cx.now_ns;
        self.settle(cx.now_ns);
        let ops = self.pending.all();
        self.flush(cx, ops);
    }

    /// Makes these durable, for an open file.
    pub(crate) fn sync_now(&mut self, cx: &mut Cx<'_>, fd: Fd, ops: Vec<OpId>) -> Result<()> {
        let file = self.open_file(fd)?;
        let (ino, seen) = (file.ino, file.errors_seen);
        let faults = self.faults_at(&file.path);
        let mut ops = ops;
        if self.rules.one_journal && !ops.is_empty() {
            ops.extend(self.pending.metadata());
        }
        let ops = self.pending.closure(ops);
        self.may_stall(cx, &faults);
        let planned = self.planned_sync_error.take();
        if planned.is_some() || cx.strikes(faults.sync_error_ppm) {
            self.fail_sync(ino, &ops, planned.is_none());
            self.queue.sync(cx, 0);
        } else {
            self.misbehave(cx, &faults, &ops);
            self.flush(cx, ops);
        }
        let count = self.write_errors.take(ino);
        self.open_file_mut(fd)?.errors_seen = count;
        if count > seen { Err(planned.unwrap_or(Errno::EIO)) } else { Ok(()) }
    }

    fn flush(&mut self, cx: &mut Cx<'_>, ops: Vec<OpId>) {
        let bytes = self.pending.bytes(&ops);
        self.queue.sync(cx, bytes);
        if cx.done_ns <= cx.now_ns {
            self.write_back(&ops);
        } else {
            self.pending.start_sync(ops, cx.done_ns);
        }
    }

    /// The pages are clean, as if they had been written. The metadata goes its way: the journal is elsewhere.
    fn fail_sync(&mut self, ino: Ino, ops: &[OpId], by_chance: bool) {
        self.pending.drop_pages(ops);
        self.pending.tidy([ino]);
        self.write_errors.raise(ino);
        // One that was asked for is counted where that was.
        if by_chance {
            self.faults.note(Fault::SyncError, true);
        }
    }

    /// The device may lose one of the pages, or write it elsewhere.
    fn misbehave(&mut self, cx: &mut Cx<'_>, faults: &Faults, ops: &[OpId]) {
        if faults.phantom_write_ppm == 0 && faults.misdirected_write_ppm == 0 {
            return;
        }
        let is_page = |id: &&OpId| self.pending.get(**id).is_some_and(crate::pending::Op::is_page);
        let pages: Vec<OpId> = ops.iter().filter(is_page).copied().collect();
        let Some(&last) = pages.last() else { return };
        if cx.strikes(faults.phantom_write_ppm) {
            let id = pages[cx.which(u32::try_from(pages.len()).unwrap_or(u32::MAX)) as usize];
            self.redirect(id, Instead::Nothing, Fault::PhantomWrite);
        }
        if cx.strikes(faults.misdirected_write_ppm)
            && let Some(Change::Page { ino, .. }) = self.pending.get(last).map(|op| &op.change)
        {
            let ino = *ino;
            let id = pages[cx.which(u32::try_from(pages.len()).unwrap_or(u32::MAX)) as usize];
            let size = self.cached.pages(ino).map_or(0, |pages| pages.size);
            let to = cx.which(u32::try_from(pages_for(size)).unwrap_or(u32::MAX));
            self.redirect(id, Instead::To(to.into()), Fault::MisdirectedWrite);
        }
    }

    fn redirect(&mut self, id: OpId, instead: Instead, fault: Fault) {
        let Some(Change::Page { ino, index, content }) =
            self.pending.get(id).map(|op| op.change.clone())
        else {
            return;
        };
        let durable = self.durable.pages(ino);
        let on_device = |index: u64| durable.map(|pages| pages.content(index));
        let loses = on_device(index).is_none_or(|former| former != content);
        let effective = match instead {
            Instead::Nothing => loses,
            Instead::To(to) => to != index && loses,
        };
        self.pending.set_instead(id, instead);
        self.faults.note(fault, effective);
    }
}
