//! The disk of a node, as a test sees it that makes it small, slow, faulty, or looks what is on it.

use super::Node;
use crate::{errno, point::Site};
use sim_fs::{Bound, Cx, Disk as Model, Ino, States};
pub use sim_fs::{
    Content, Device, Errno, Fault as DiskFault, FaultCount, Faults as DiskFaults, Rules, User,
    Verb, Volume,
};
use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, fs, io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::PermissionsExt,
    },
    panic::Location,
    path::{Path, PathBuf},
    time::Duration,
};

/// The disk of a node, which its crashes and restarts leave in place.
///
/// A new disk has a `/tmp` and else nothing, no faults, much room, and takes up to a millisecond for a sync. What a crash
/// may take of what was not synced is in [`Rules`]; the default is what Linux promises, and no more.
///
/// ```
/// use sim::{fs, node::{DiskFaults, Errno, Verb}, time::Duration};
///
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let disk = sim::node::current().disk();
/// disk.capacity(1 << 20);
/// assert_eq!(fs::write("/big", vec![1; 2 << 20]).await.unwrap_err().raw_os_error(), Some(28)); // ENOSPC
///
/// disk.fail_next(Verb::Rename, Errno::EIO);
/// assert_eq!(fs::rename("/big", "/small").await.unwrap_err().raw_os_error(), Some(5));
///
/// disk.faults("/data", DiskFaults { read_error_ppm: 10_000, ..DiskFaults::default() }); // 1 % of reads
/// println!("{}", disk.inspect());
/// # });
/// ```
#[derive(Clone, Debug)]
pub struct Disk {
    node: Node,
}

/// What was on a disk, with its settings: see [`Disk::snapshot`].
#[derive(Clone)]
pub struct Snapshot(Model);

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Snapshot").field(&self.0.tree()).finish()
    }
}

impl Disk {
    #[track_caller]
    fn with<R>(&self, f: impl FnOnce(&mut Model, &mut Cx<'_>) -> R) -> R {
        let (world, number) = (self.node.world(), self.node.inner.number);
        let result = world.ask_disk(number, Location::caller(), f).0;
        world.wake_lockers(number);
        result
    }

    // --- settings

    /// Room for so many bytes, in blocks of 4 KiB. It may be less than is used.
    #[track_caller]
    pub fn capacity(&self, bytes: u64) {
        self.with(|disk, _| disk.set_capacity(bytes));
    }

    /// Room for so many files and folders.
    #[track_caller]
    pub fn inode_limit(&self, inodes: u64) {
        self.with(|disk, _| disk.set_inode_limit(inodes));
    }

    /// So many open files at most, with three standard ones; 1,024 at first.
    #[track_caller]
    pub fn open_limit(&self, files: u32) {
        self.with(|disk, _| disk.set_open_limit(files));
    }

    /// Whether what would change it fails with `EROFS`.
    #[track_caller]
    pub fn read_only(&self, read_only: bool) {
        self.with(|disk, _| disk.set_read_only(read_only));
    }

    /// Who the programs of the node run as: user 1000 at first, to whom the disk belongs.
    #[track_caller]
    pub fn user(&self, user: User) {
        self.with(|disk, _| disk.set_user(user));
    }

    /// What crashes may leave from now on.
    #[track_caller]
    pub fn rules(&self, rules: Rules) {
        self.with(|disk, _| disk.set_rules(rules));
    }

    /// How much room there is.
    #[must_use]
    #[track_caller]
    pub fn volume(&self) -> Volume {
        self.with(|disk, _| disk.volume())
    }

    // --- faults

    /// How fast it is from now on.
    #[track_caller]
    pub fn device(&self, device: Device) {
        self.with(|disk, _| disk.set_device(device));
    }

    /// All that the device does takes so many times as long; 1 is as it was.
    #[track_caller]
    pub fn slow(&self, times: u32) {
        self.with(|disk, _| disk.slow(times));
    }

    /// The device does nothing for so long, from now on.
    #[track_caller]
    pub fn stall(&self, span: Duration) {
        let span_ns = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        self.with(|disk, cx| disk.stall(cx.now_ns.saturating_add(span_ns)));
    }

    /// The next operation of that kind fails so, wherever it is; several wait in line. An fsync that fails loses what it
    /// was to write.
    #[track_caller]
    pub fn fail_next(&self, verb: Verb, errno: Errno) {
        self.with(|disk, _| disk.fail_next(verb, errno));
    }

    /// How likely faults are at and below an absolute path, `/` being the whole disk; the longest path that fits counts.
    #[track_caller]
    pub fn faults(&self, path: impl AsRef<Path>, faults: DiskFaults) {
        let path = path.as_ref().as_os_str().as_bytes();
        self.with(|disk, _| disk.set_faults(path, faults));
    }

    /// No faults any more; what is bad already stays so.
    #[track_caller]
    pub fn clear_faults(&self) {
        self.with(|disk, _| disk.clear_faults());
    }

    /// How often that fault struck, and made a difference.
    #[must_use]
    #[track_caller]
    pub fn fault_count(&self, fault: DiskFault) -> FaultCount {
        self.with(|disk, _| disk.fault_count(fault))
    }

    /// An empty disk takes its place. What a process has open is bad from then on.
    #[track_caller]
    pub fn lose(&self) {
        self.swap(|disk| disk.become_empty());
    }

    // --- content

    /// The tree as text: each name, and below it each change that is not durable, with the place that made it.
    #[must_use]
    #[track_caller]
    pub fn inspect(&self) -> String {
        self.with(|disk, _| disk.tree())
    }

    /// How many changes are not durable: what a crash could take.
    #[must_use]
    #[track_caller]
    pub fn pending(&self) -> usize {
        self.with(|disk, _| disk.pending_count())
    }

    /// All that is on it as values, by absolute path, as programs see it.
    #[must_use]
    #[track_caller]
    pub fn contents(&self) -> BTreeMap<PathBuf, Content> {
        let contents = self.with(|disk, _| disk.contents());
        let path = |bytes| PathBuf::from(OsString::from_vec(bytes));
        contents.into_iter().map(|(bytes, content)| (path(bytes), content)).collect()
    }

    /// What is on it, what is pending, faults and settings. It costs little: all is shared until it changes.
    #[must_use]
    #[track_caller]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.with(|disk, _| disk.clone()))
    }

    /// Makes it what it was, or what another disk was. What a process has open is bad from then on.
    #[track_caller]
    pub fn restore(&self, snapshot: &Snapshot) {
        self.swap(|disk| {
            disk.restore(&snapshot.0);
            disk.kill();
        });
    }

    #[track_caller]
    fn swap(&self, f: impl FnOnce(&mut Model)) {
        self.with(|disk, _| f(disk));
        self.node.world().disk_was_swapped(self.node.inner.number);
    }

    /// Puts files on it, durable at once, by absolute paths; folders above are made.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a path that is not absolute or has `.` or `..` in it, `EEXIST` if there is something else of that
    /// name than a folder, `ENOTDIR` below what is none, `ENAMETOOLONG`.
    #[track_caller]
    pub fn load<P: AsRef<Path>>(
        &self,
        content: impl IntoIterator<Item = (P, Content)>,
    ) -> io::Result<()> {
        let content: Vec<(Vec<u8>, Content)> = content
            .into_iter()
            .map(|(path, content)| (path.as_ref().as_os_str().as_bytes().to_vec(), content))
            .collect();
        self.with(|disk, cx| disk.load(cx, content)).map_err(errno::error)
    }

    /// Puts the content of a folder of the machine below an absolute path, as [`load`](Disk::load) does: files, folders
    /// and symbolic links, with their permissions. It is read now, [outside](crate::outside) of the simulation, so that it
    /// has to be the same in each run.
    ///
    /// # Errors
    ///
    /// Those of the machine, and of [`load`](Disk::load).
    #[track_caller]
    pub fn load_host_folder(
        &self,
        host: impl AsRef<Path>,
        path: impl AsRef<Path>,
    ) -> io::Result<()> {
        let mut found = Vec::new();
        crate::outside(|| read_host(host.as_ref(), path.as_ref(), &mut found))?;
        self.load(found)
    }
}

/// In the order of names, as that of the machine is any.
fn read_host(from: &Path, to: &Path, found: &mut Vec<(PathBuf, Content)>) -> io::Result<()> {
    let about = fs::symlink_metadata(from)?;
    let mode = about.permissions().mode() & 0o7777;
    if about.is_symlink() {
        let target = fs::read_link(from)?.into_os_string().into_vec();
        found.push((to.to_path_buf(), Content::Symlink { target }));
    } else if about.is_file() {
        found.push((to.to_path_buf(), Content::File { mode, bytes: fs::read(from)? }));
    } else if about.is_dir() {
        if to != Path::new("/") {
            found.push((to.to_path_buf(), Content::Folder { mode }));
        }
        let mut names = fs::read_dir(from)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort();
        for name in names {
            read_host(&from.join(&name), &to.join(&name), found)?;
        }
    }
    Ok(())
}

impl Node {
    /// Its disk.
    pub fn disk(&self) -> Disk {
        Disk { node: self.clone() }
    }

    /// The states that a crash of now may leave, and the paths that reports are to name.
    pub(crate) fn crash_states(
        &self,
        bound: Bound,
        site: Site,
    ) -> (States, BTreeMap<Ino, Vec<u8>>) {
        let ask =
            |disk: &mut Model, cx: &mut Cx<'_>| (disk.crash_states(cx.now_ns, bound), disk.paths());
        self.world().ask_disk(self.inner.number, site, ask).0
    }

    /// A node that is called as this one, with that after it, and a number if there is such a one already.
    pub(crate) fn twin(&self, what: &str) -> super::NodeBuilder {
        let (world, name) = (self.world(), self.name());
        let names = (1..).map(|number: u32| match number {
            1 => format!("{name}-{what}"),
            number => format!("{name}-{what}-{number}"),
        });
        let free = names.into_iter().find(|name| world.find_node(name).is_err());
        super::node(free.expect("there are many numbers"))
    }

    /// Starts it again, on that disk.
    pub(crate) fn start_on(&self, disk: Model, site: Site) {
        let world = self.world();
        world.put_disk(self.inner.number, disk);
        world.restart_node(self.inner.number, site);
    }
}
