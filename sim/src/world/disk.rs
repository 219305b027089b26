//! The disks of a run, one a node: who asks them, who waits for them, and what a crash leaves.
//!
//! `sim-fs` knows neither tasks nor time. Here each of its verbs is given the clock and the choices, and who called
//! goes on when the device is done. A disk is made when it is first asked for and outlives the processes of its node.
//! What belongs to a process, its open files above all, is dead for the next one: the *boot* tells them apart.
//!
//! A run that never comes here pays a branch where a process ends.

use super::{Action, NONE, Waiter, World};
use crate::{
    errno,
    point::{Access, Op, Site},
};
use sim_fs::{Content, Cx, Device, Disk, Errno, Loss};
use std::{
    collections::BTreeMap,
    io,
    panic::Location,
    rc::Rc,
    sync::{Arc, Mutex},
};

/// What a new disk is like: a sync takes up to a millisecond, as flash does; nothing else takes time. Zero, which is
/// calm, is none.
const FRESH: Device = Device { sync_jitter_ns: 1_000_000, ..Device::INSTANT };

/// Losses of a crash that a report tells.
const LOSSES_TOLD: usize = 16;

/// A write that goes on in the background, and that a process finishes before it ends; done, it is gone.
pub(crate) type Job = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A disk, and the process that has it.
struct Seat {
    disk: Disk,
    /// Counts the processes that had it.
    boot: u32,
    /// The number of its object.
    object: u32,
    /// Those who wait for the lock of some file.
    lockers: Vec<Waiter>,
    /// By when they were begun.
    jobs: BTreeMap<u64, Job>,
    /// What the last crash took, for reports.
    losses: String,
}

/// The disks, by the numbers of their nodes.
#[derive(Default)]
pub(super) struct Disks {
    seats: Vec<Option<Box<Seat>>>,
    /// The number that all disks have in an exhaustive search.
    object: Option<u32>,
}

impl Disks {
    fn seat(&mut self, world: &World, node: u32) -> &mut Seat {
        let index = node as usize;
        if index >= self.seats.len() {
            self.seats.resize_with(index + 1, || None);
        }
        self.seats[index].get_or_insert_with(|| {
            let (lockers, jobs) = (Vec::new(), BTreeMap::new());
            let (boot, object, losses) = (0, world.next_object(), String::new());
            Box::new(Seat { disk: fresh(), boot, object, lockers, jobs, losses })
        })
    }

    fn known(&mut self, node: u32) -> Option<&mut Seat> {
        self.seats.get_mut(node as usize)?.as_deref_mut()
    }
}

/// A disk as a machine has it whose system has just been installed: with a `/tmp`.
pub(crate) fn fresh() -> Disk {
    let mut disk = Disk::new();
    disk.set_device(FRESH);
    let mut choices = sim_choice::Choices::new();
    let mut cx = Cx::new(0, sim_choice::Path::MAIN, &mut choices);
    let folder = ("/tmp", Content::Folder { mode: 0o1777 });
    disk.load(&mut cx, [folder]).expect("an empty disk takes a folder");
    disk
}

impl World {
    /// Lets `f` ask the disk of a node, at once; and when the device is done.
    pub(crate) fn ask_disk<R>(
        &self,
        node: u32,
        place: Site,
        f: impl FnOnce(&mut Disk, &mut Cx<'_>) -> R,
    ) -> (R, u64) {
        let wall_ns = self.wall_ns().cast_signed();
        let mut disks = self.disks.borrow_mut();
        let seat = disks.get_or_insert_default().seat(self, node);
        let mut choices = self.choices.borrow_mut();
        let (now_ns, who) = (self.now.get(), self.running.path());
        let mut cx = Cx { now_ns, wall_ns, who, place, done_ns: now_ns, choices: &mut choices };
        let result = f(&mut seat.disk, &mut cx);
        (result, cx.done_ns)
    }

    /// A verb of the process that runs: announces itself, asks, and goes on when the device is done.
    pub(crate) fn disk_verb<R>(
        self: &Rc<Self>,
        of: (u32, Option<u32>),
        access: Access,
        place: Site,
        verb: impl FnOnce(&mut Disk, &mut Cx<'_>) -> sim_fs::Result<R>,
    ) -> io::Result<R> {
        self.disk_point(of.0, access, place);
        let (result, done_ns) = self.disk_verb_now(of, place, verb);
        self.wait_for_disk(done_ns, place);
        result
    }

    /// As [`disk_verb`](World::disk_verb), at once; and when the device is done.
    pub(crate) fn disk_verb_now<R>(
        &self,
        (node, boot): (u32, Option<u32>),
        place: Site,
        verb: impl FnOnce(&mut Disk, &mut Cx<'_>) -> sim_fs::Result<R>,
    ) -> (io::Result<R>, u64) {
        if self.has_no_power() {
            return (Err(errno::error(Errno::EIO)), 0);
        }
        if boot.is_some_and(|boot| boot != self.disk_boot(node)) {
            return (Err(errno::error(Errno::EBADF)), 0);
        }
        let (result, done_ns) = self.ask_disk(node, place, verb);
        (result.map_err(errno::error), done_ns)
    }

    /// Announces an access; another task may run before this returns.
    pub(crate) fn disk_point(&self, node: u32, access: Access, site: Site) {
        crate::context::point(|world| {
            const DISK: Site = Location::caller();
            let object = match world.is_searching() {
                true => {
                    let mut disks = world.disks.borrow_mut();
                    let disks = disks.get_or_insert_default();
                    *disks.object.get_or_insert_with(|| world.next_object())
                }
                false => world.disks.borrow_mut().get_or_insert_default().seat(world, node).object,
            };
            Op { object, access, site, origin: Some(DISK) }
        });
    }

    /// Whether what runs are destructors of a process whose machine has lost its power: they reach no disk.
    fn has_no_power(&self) -> bool {
        self.is_crashing() && self.crash_hides.get()
    }

    /// Which process has the disk.
    pub(crate) fn disk_boot(&self, node: u32) -> u32 {
        self.disks.borrow_mut().get_or_insert_default().seat(self, node).boot
    }

    /// Waits until the device is done.
    pub(crate) fn wait_for_disk(self: &Rc<Self>, done_ns: u64, site: Site) {
        if done_ns <= self.now.get() || self.is_stopping() || !self.is_running() {
            return;
        }
        let waiter = self.waiter();
        if self.step_ns.get().is_none() {
            self.draw_step_cost();
        }
        // The device's time is that of the simulation, whatever the node's clock says.
        self.due.set(self.due.get().min(done_ns));
        let action = Action::Wake(waiter.waker(), Some(site));
        let key = self.timers.borrow_mut().insert_of(NONE, done_ns, action);
        while self.now.get() < done_ns && !self.is_stopping() {
            self.wait_at_device(&waiter, site);
        }
        self.timer_cancel(key);
    }

    // --- locks

    /// Wakes those who wait for the lock of a file, if one was given back.
    pub(crate) fn wake_lockers(&self, node: u32) {
        let lockers = {
            let mut disks = self.disks.borrow_mut();
            let Some(seat) = disks.as_deref_mut().and_then(|disks| disks.known(node)) else {
                return;
            };
            let mut unlocked = Vec::new();
            seat.disk.take_unlocked(&mut unlocked);
            if unlocked.is_empty() {
                return;
            }
            std::mem::take(&mut seat.lockers)
        };
        lockers.iter().for_each(Waiter::wake);
    }

    /// Waits until the lock of some file of the node has been given back.
    pub(crate) fn wait_for_lock_of_file(self: &Rc<Self>, node: u32, site: Site) {
        let waiter = self.waiter();
        self.disks
            .borrow_mut()
            .get_or_insert_default()
            .seat(self, node)
            .lockers
            .push(waiter.clone());
        self.wait_as(&waiter, None, site);
    }

    // --- what ends

    /// A write is under way that the process of the node finishes before it ends.
    pub(crate) fn begin_job(&self, node: u32, job: Job) {
        let ticket = self.next_ticket();
        let mut disks = self.disks.borrow_mut();
        let jobs = &mut disks.get_or_insert_default().seat(self, node).jobs;
        jobs.retain(|_, job| job.try_lock().is_ok_and(|job| job.is_some()));
        jobs.insert(ticket, job);
    }

    /// The power of a node is gone, before its tasks vanish.
    pub(super) fn disk_of_crashed(&self, node: u32, site: Option<Site>) {
        if self.disks.borrow_mut().as_deref_mut().is_none_or(|disks| disks.known(node).is_none()) {
            return;
        }
        const NOBODY: Site = Location::caller();
        let (paths, _) =
            self.ask_disk(node, site.unwrap_or(NOBODY), |disk, _| match disk.pending_count() {
                0 => BTreeMap::new(),
                _ => disk.paths(),
            });
        let (crash, _) = self.ask_disk(node, site.unwrap_or(NOBODY), |disk, cx| disk.crash(cx));
        let name = self.node_name(node);
        let lost = match crash.disk_lost {
            true => format!("\n  node {name} came back with an empty disk"),
            false => tell_losses(&name, &crash.losses, &paths),
        };
        let jobs = self.end_boot(node, Some(lost));
        drop(jobs);
    }

    /// A process has ended by itself, after its tasks have vanished: what it has written is in the page cache.
    pub(super) fn disk_of_ended(&self, node: u32) {
        if self.disks.borrow_mut().as_deref_mut().is_none_or(|disks| disks.known(node).is_none()) {
            return;
        }
        loop {
            let job = {
                let mut disks = self.disks.borrow_mut();
                disks.get_or_insert_default().seat(self, node).jobs.pop_first()
            };
            let Some((_, job)) = job else { break };
            let job = job.lock().ok().and_then(|mut job| job.take());
            if let Some(job) = job {
                self.as_nobody(job);
            }
        }
        const NOBODY: Site = Location::caller();
        self.ask_disk(node, NOBODY, |disk, _| disk.kill());
        let jobs = self.end_boot(node, None);
        drop(jobs);
    }

    /// The next process has its own files, locks and writes; losses are told until a crash has others.
    fn end_boot(&self, node: u32, losses: Option<String>) -> BTreeMap<u64, Job> {
        if let (true, Some(losses)) = (self.tracing.get(), &losses) {
            for line in losses.lines().filter(|line| !line.is_empty()) {
                self.trace_text(line.trim_start());
            }
        }
        let mut disks = self.disks.borrow_mut();
        let seat = disks.get_or_insert_default().seat(self, node);
        seat.boot += 1;
        seat.losses = losses.unwrap_or_else(|| std::mem::take(&mut seat.losses));
        // Whoever waited is gone with the process.
        seat.lockers.clear();
        std::mem::take(&mut seat.jobs)
    }

    /// Forgets the disks of the former run.
    pub(super) fn clear_disks(&self) {
        let former = self.disks.take();
        drop(former);
    }

    /// A message with what the last crash of each disk took.
    pub(super) fn with_losses(&self, mut message: String) -> String {
        if let Ok(disks) = self.disks.try_borrow() {
            let seats = disks.iter().flat_map(|disks| disks.seats.iter().flatten());
            for seat in seats {
                if !message.contains(&seat.losses) {
                    message.push_str(&seat.losses);
                }
            }
        }
        message
    }

    /// The disk of a node is another now: what is open on it is bad.
    pub(crate) fn disk_was_swapped(&self, node: u32) {
        let mut disks = self.disks.borrow_mut();
        disks.get_or_insert_default().seat(self, node).boot += 1;
    }

    /// Gives a node that disk instead of its own.
    pub(crate) fn put_disk(&self, node: u32, disk: Disk) {
        let mut disks = self.disks.borrow_mut();
        disks.get_or_insert_default().seat(self, node).disk = disk;
    }
}

/// What a crash took, a line each.
pub(crate) fn tell_losses(
    node: &str,
    losses: &[Loss],
    paths: &BTreeMap<sim_fs::Ino, Vec<u8>>,
) -> String {
    let mut text = String::new();
    for Loss { what, ino, page, torn, place } in losses.iter().take(LOSSES_TOLD) {
        let path = paths.get(ino).map_or_else(
            || format!("inode {}", ino.0),
            |path| String::from_utf8_lossy(path).into_owned(),
        );
        let what = match page {
            Some(page) => format!("page {page}"),
            None => (*what).to_string(),
        };
        let fate = if torn.is_some() { "torn" } else { "lost" };
        text += &format!(
            "\n  node {node} {fate} in its crash: {what} of {path}, at {place}, not synced"
        );
    }
    if losses.len() > LOSSES_TOLD {
        text += &format!("\n  and {} more", losses.len() - LOSSES_TOLD);
    }
    text
}
