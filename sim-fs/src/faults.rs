//! Faults of a disk: how likely each is, below which folder, and how often it struck.
//!
//! Rates are parts of a million. A kind whose rate is zero draws nothing. Every kind is counted twice: as injected,
//! and as effective when it made a difference that a program can see, now or after a restart.

use crate::{Cx, Disk, Errno, Result, inode::Ino};
use alloc::{
    collections::{BTreeSet, VecDeque},
    vec::Vec,
};

/// A kind of fault of a disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A read failed with `EIO`.
    ReadError,
    /// A write failed with `EIO`.
    WriteError,
    /// An fsync failed with `EIO`: what was to be written is lost, and the next one succeeds.
    SyncError,
    /// There was no space, by chance.
    NoSpace,
    /// A read gave less than there was.
    ShortRead,
    /// A write took less than it was given.
    ShortWrite,
    /// A sector cannot be read until it is written again.
    LatentSector,
    /// A bit has turned.
    BitRot,
    /// A read gave another page.
    MisdirectedRead,
    /// A write went to another page.
    MisdirectedWrite,
    /// A write was reported done and was not.
    PhantomWrite,
    /// The device did nothing for a while.
    Stall,
    /// The disk came back empty after a crash.
    LostDisk,
    /// A sector that was being written in a crash holds garbage.
    Garbage,
    /// A crash kept of a page some sectors only.
    Torn,
    /// An operation failed as [`fail_next`](Disk::fail_next) asked.
    Planned,
}

impl Fault {
    const COUNT: usize = Fault::Planned as usize + 1;
}

/// How often a fault was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultCount {
    /// How often it was injected.
    pub injected: u64,
    /// How often that made a difference to what is seen, now or after a restart.
    pub effective: u64,
}

/// How likely each fault is, in parts of a million of the operations that it can strike. None is the default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Faults {
    /// A read fails with `EIO`.
    pub read_error_ppm: u32,
    /// A write fails with `EIO`; nothing is written.
    pub write_error_ppm: u32,
    /// An fsync fails with `EIO`. The pages are clean afterwards: the next fsync succeeds, the data are gone after a
    /// restart and there until then, as ext4 and XFS have it (Rebello et al., "Can Applications Recover from fsync
    /// Failures?", ATC 2020). Each open file is told once.
    pub sync_error_ppm: u32,
    /// What needs space finds none.
    pub no_space_ppm: u32,
    /// A read gives at least one byte, and less than there are.
    pub short_read_ppm: u32,
    /// A write takes at least one byte, and less than it is given.
    pub short_write_ppm: u32,
    /// A page that is read and not waiting to be written goes bad: `EIO`, until it is written whole.
    pub latent_sector_ppm: u32,
    /// A bit of a page that is read, and not waiting to be written, has turned for good.
    pub bit_rot_ppm: u32,
    /// A page that is read has the content of another page of the file, this once.
    pub misdirected_read_ppm: u32,
    /// A page that is synced goes to another page of the file; at most one at a time is under way. It shows after a
    /// restart, and to direct reads.
    pub misdirected_write_ppm: u32,
    /// A page that is synced is not written. It shows after a restart, and to direct reads.
    pub phantom_write_ppm: u32,
    /// A sync or transfer finds the device stalled.
    pub stall_ppm: u32,
    /// For how long, in nanoseconds.
    pub stall_ns: u64,
    /// A crash loses all that is on the disk.
    pub lost_disk_ppm: u32,
    /// Of the sectors that a crash loses of a page it keeps, how many of a million hold garbage.
    pub garbage_ppm: u32,
}

/// A kind of operation, for [`Disk::fail_next`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub enum Verb {
    /// Opening and making files.
    Open,
    /// Reading.
    Read,
    /// Writing.
    Write,
    /// Making files longer and shorter.
    Truncate,
    /// fsync and fdatasync.
    Sync,
    /// stat and what else asks for metadata.
    Stat,
    /// chmod, chown and utimes.
    Change,
    /// mkdir.
    MakeFolder,
    /// rmdir.
    RemoveFolder,
    /// Reading a folder.
    ReadFolder,
    /// link.
    Link,
    /// symlink.
    Symlink,
    /// unlink.
    Unlink,
    /// rename.
    Rename,
}

/// The faults of a disk, and what came of them.
#[derive(Clone, Default)]
pub(crate) struct Injection {
    rules: Vec<(Vec<u8>, Faults)>,
    planned: VecDeque<(Verb, Errno)>,
    counts: [FaultCount; Fault::COUNT],
    /// Pages that cannot be read.
    pub(crate) bad: BTreeSet<(Ino, u64)>,
}

impl Injection {
    pub(crate) fn note(&mut self, fault: Fault, effective: bool) {
        let count = &mut self.counts[fault as usize];
        count.injected += 1;
        count.effective += u64::from(effective);
    }

    pub(crate) fn took_effect(&mut self, fault: Fault) {
        self.counts[fault as usize].effective += 1;
    }

    /// What holds for that path: the rule of the longest prefix.
    pub(crate) fn at(&self, path: &[u8]) -> Faults {
        let rules = self.rules.iter().filter(|(prefix, _)| is_below(path, prefix));
        let longest = rules.max_by_key(|(prefix, _)| prefix.len());
        longest.map_or(Faults::default(), |(_, faults)| *faults)
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.rules.is_empty()
    }

    /// What a disk forgets that is replaced by a new one.
    pub(crate) fn new_medium(&mut self) {
        self.bad.clear();
    }
}

/// Whether the path is that folder or below it; all paths are below the root.
fn is_below(path: &[u8], prefix: &[u8]) -> bool {
    let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
}

impl Disk {
    /// Sets how likely faults are for files and folders at and below an absolute path; `/` is the whole disk. The
    /// longest path that fits a file counts.
    pub fn set_faults(&mut self, prefix: &[u8], faults: Faults) {
        self.faults.rules.retain(|(other, _)| other != prefix);
        if faults != Faults::default() || prefix != b"/" {
            self.faults.rules.push((prefix.to_vec(), faults));
        }
    }

    /// No faults any more; what is already bad stays so.
    pub fn clear_faults(&mut self) {
        self.faults.rules.clear();
        self.faults.planned.clear();
    }

    /// The next operation of that kind fails so. Several wait in line.
    pub fn fail_next(&mut self, verb: Verb, errno: Errno) {
        self.faults.planned.push_back((verb, errno));
        self.faults.counts[Fault::Planned as usize].injected += 1;
    }

    /// How often that fault was injected, and had an effect, since the start.
    #[must_use]
    pub fn fault_count(&self, fault: Fault) -> FaultCount {
        self.faults.counts[fault as usize]
    }

    /// Starts an operation: finishes syncs that are done, and fails if that was asked for.
    pub(crate) fn begin(&mut self, cx: &mut Cx<'_>, verb: Verb) -> Result<()> {
        cx.done_ns = cx.now_ns;
        self.settle(cx.now_ns);
        if self.faults.planned.is_empty() {
            return Ok(());
        }
        let planned = &mut self.faults.planned;
        let Some(at) = planned.iter().position(|(planned, _)| *planned == verb) else {
            return Ok(());
        };
        let (_, errno) = planned.remove(at).expect("it was just found");
        self.faults.took_effect(Fault::Planned);
        if verb != Verb::Sync {
            return Err(errno);
        }
        // A failed fsync does more than fail: see there.
        self.planned_sync_error = Some(errno);
        Ok(())
    }

    /// The faults that may strike a file of that path.
    pub(crate) fn faults_at(&self, path: &[u8]) -> Faults {
        match self.faults.is_quiet() {
            true => Faults::default(),
            false => self.faults.at(path),
        }
    }

    /// Fails with that error if the fault strikes.
    pub(crate) fn strike(
        &mut self,
        cx: &mut Cx<'_>,
        ppm: u32,
        fault: Fault,
        errno: Errno,
    ) -> Result<()> {
        if !cx.strikes(ppm) {
            return Ok(());
        }
        self.faults.note(fault, true);
        Err(errno)
    }

    /// The device stalls, if it does.
    pub(crate) fn may_stall(&mut self, cx: &mut Cx<'_>, faults: &Faults) {
        if cx.strikes(faults.stall_ppm) {
            self.queue.stall(cx.now_ns + faults.stall_ns);
            self.faults.note(Fault::Stall, faults.stall_ns > 0);
        }
    }
}
