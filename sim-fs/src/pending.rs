//! What programs have done that the device does not have yet: a graph of changes.
//!
//! A crash leaves any set of changes that is closed under "needs". [`Rules`] says who needs whom, and where that is
//! promised.

use crate::{
    dir::Name,
    inode::{Change, Image, Ino},
    pages::{Page, page_of},
};
use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    vec::Vec,
};
use core::panic::Location;

/// What a file system promises about crashes beyond the sync calls.
///
/// A crash leaves any set of changes that is closed under "needs": that is what the file system promises, and all
/// of it. Who needs whom, and where that is promised:
///
/// | change | needs | because |
/// |---|---|---|
/// | any of an inode | its creation | an inode is initialised before it is used |
/// | page | nothing; the last cut of the file, if its block is new | a block is allocated in a transaction after the one that freed it |
/// | size | the former size; pages within whose blocks are new | one inode is one record of the journal; `data=ordered` (ext4(5)): data reach new blocks before the metadata that shows them. Inside a block that exists the size may come first, and zeros be read (fs/ext4/inode.c, `ext4_da_should_update_i_disksize`) |
/// | name added | its inode's creation, the folder's, the last change of the same name | no name dangles |
/// | name removed | the last change of the name, all names that the inode got before | name and link count change in one transaction, and the inode's count is one record |
/// | rename | the last changes of both names; if one is replaced, as for a removal | rename(2): a replaced name exists at all times |
/// | folder removed | all changes of names within | it has to be empty |
/// | folder renamed | the last rename of a folder | no cycles (the kernel takes `s_vfs_rename_mutex`) |
///
/// Nothing else: names of one folder are on their own, as are the pages of a file (Pillai et al., "All File Systems
/// Are Not Created Equal", OSDI 2014, table 1: what holds on ext4 does not on btrfs). fsync(2): the name of a file is
/// not made durable by its fsync, that takes one of the folder. The fields are what file systems give beyond that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// A new block has its data before the metadata that shows it is committed, and so is never seen torn: ext4's
    /// `data=ordered`, XFS, btrfs. Without it a size may grow before there are data.
    pub data_ordered: bool,
    /// All metadata reach the device in the order of the calls, in one journal, and any fsync commits all of them.
    pub one_journal: bool,
    /// A rename that replaces a file waits for the data of the new one: ext4's `auto_da_alloc`.
    pub replace_flushes: bool,
}

impl Rules {
    /// What programs on Linux may rely on: ordered data, and nothing about the order of names.
    pub const PROMISED: Rules =
        Rules { data_ordered: true, one_journal: false, replace_flushes: false };
    /// What ext4 does with its default mount options; programs that are right only here lose data elsewhere.
    pub const EXT4: Rules = Rules { data_ordered: true, one_journal: true, replace_flushes: true };
    /// What POSIX says: nothing but the sync calls.
    pub const POSIX: Rules =
        Rules { data_ordered: false, one_journal: false, replace_flushes: false };
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::PROMISED
    }
}

pub(crate) type OpId = u64;

/// More changes than this and the oldest half goes to the device, as under pressure of memory.
const MOST: usize = 1 << 16;
/// So many states of one page are kept; of more the last few are one.
const MOST_VERSIONS: usize = 4;

/// A change that is pending.
#[derive(Clone)]
pub(crate) struct Op {
    pub(crate) change: Change,
    pub(crate) needs: Vec<OpId>,
    pub(crate) wall_ns: i64,
    pub(crate) place: &'static Location<'static>,
    /// A sync is under way: it is what the device gets.
    frozen: bool,
    /// The device does something else with the page than it was told.
    pub(crate) instead: Option<Instead>,
}

/// What a faulty device does with the write of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Instead {
    /// Nothing.
    Nothing,
    /// It writes to that page of the file.
    To(u64),
}

#[derive(Clone, Default)]
pub(crate) struct Pending {
    first: OpId,
    ops: VecDeque<Option<Op>>,
    count: usize,
    inodes: BTreeMap<Ino, Tracks>,
    last_folder_move: Option<OpId>,
    last_metadata: Option<OpId>,
    /// Syncs under way: when they are done, and of what. In order of time.
    syncing: VecDeque<(u64, Vec<OpId>)>,
}

/// The pending changes of one inode. Numbers of changes that are pending no more may be among them.
#[derive(Clone, Default)]
struct Tracks {
    /// What an fsync of it covers.
    own: Vec<OpId>,
    create: Option<OpId>,
    size: Option<OpId>,
    cut: Option<OpId>,
    pages: BTreeMap<u64, Versions>,
    /// Of a folder: changes of names within, and the last one of each name.
    names: Vec<OpId>,
    last: BTreeMap<Name, OpId>,
    /// Changes that give it a name.
    named: Vec<OpId>,
}

#[derive(Clone, Default)]
struct Versions {
    ops: Vec<OpId>,
    /// The block is new.
    fresh: bool,
}

/// Who asks for a change, for the record of it.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) wall_ns: i64,
    pub(crate) place: &'static Location<'static>,
}

impl Pending {
    pub(crate) fn get(&self, id: OpId) -> Option<&Op> {
        self.ops.get(usize::try_from(id.checked_sub(self.first)?).ok()?)?.as_ref()
    }

    fn get_mut(&mut self, id: OpId) -> Option<&mut Op> {
        self.ops.get_mut(usize::try_from(id.checked_sub(self.first)?).ok()?)?.as_mut()
    }

    /// All that is pending, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (OpId, &Op)> {
        (self.first..).zip(&self.ops).filter_map(|(id, op)| Some((id, op.as_ref()?)))
    }

    /// Nothing is pending; numbers go on.
    pub(crate) fn restarted(&self) -> Pending {
        Pending { first: self.first + self.ops.len() as u64, ..Pending::default() }
    }

    pub(crate) fn len(&self) -> usize {
        self.count
    }

    fn live(&self, id: Option<OpId>) -> Option<OpId> {
        id.filter(|id| self.get(*id).is_some())
    }

    // --- new changes

    fn push(&mut self, change: Change, mut needs: Vec<OpId>, from: Origin, rules: Rules) -> OpId {
        let id = self.first + self.ops.len() as u64;
        if rules.one_journal && !matches!(change, Change::Page { .. }) {
            needs.extend(self.live(self.last_metadata));
            self.last_metadata = Some(id);
        }
        let Origin { wall_ns, place } = from;
        self.count += 1;
        self.ops.push_back(Some(Op {
            change,
            needs,
            wall_ns,
            place,
            frozen: false,
            instead: None,
        }));
        id
    }

    /// An inode comes to be.
    pub(crate) fn create(&mut self, ino: Ino, change: Change, from: Origin, rules: Rules) {
        let id = self.push(change, Vec::new(), from, rules);
        let tracks = self.inodes.entry(ino).or_default();
        tracks.create = Some(id);
        tracks.own.push(id);
    }

    /// Mode, owner or times are set, or blocks allocated.
    pub(crate) fn own(&mut self, ino: Ino, change: Change, from: Origin, rules: Rules) {
        let create = self.live(self.inodes.get(&ino).and_then(|tracks| tracks.create));
        let id = self.push(change, create.into_iter().collect(), from, rules);
        self.inodes.entry(ino).or_default().own.push(id);
    }

    /// A page gets a new content; `mapped` if it has a block as programs see it. Gives the change, and whether the
    /// block is new to the device.
    pub(crate) fn page(
        &mut self,
        ino: Ino,
        index: u64,
        content: Arc<Page>,
        mapped: bool,
        from: Origin,
    ) -> (OpId, bool) {
        let first = self.first;
        let tracks = self.inodes.entry(ino).or_default();
        let versions = tracks.pages.entry(index).or_default();
        let ops = &self.ops;
        versions.ops.retain(|id| {
            id.checked_sub(first)
                .and_then(|at| ops.get(usize::try_from(at).ok()?))
                .is_some_and(Option::is_some)
        });
        versions.fresh = !mapped || (versions.fresh && !versions.ops.is_empty());
        let fresh = versions.fresh;
        let last = versions.ops.last().copied().filter(|_| versions.ops.len() >= MOST_VERSIONS);
        let needs = [tracks.create, tracks.cut.filter(|_| fresh)];
        if let Some(id) = last
            && let Some(op) = self.get_mut(id)
            && !op.frozen
        {
            op.change = Change::Page { ino, index, content };
            (op.wall_ns, op.place) = (from.wall_ns, from.place);
            return (id, fresh);
        }
        let needs = needs.into_iter().filter_map(|id| self.live(id)).collect();
        // Pages are no metadata, so that the rules do not matter.
        let id = self.push(Change::Page { ino, index, content }, needs, from, Rules::PROMISED);
        let tracks = self.inodes.entry(ino).or_default();
        tracks.own.push(id);
        tracks.pages.entry(index).or_default().ops.push(id);
        (id, fresh)
    }

    /// A file becomes that long, from a former size; it needs the given pages.
    pub(crate) fn size(
        &mut self,
        ino: Ino,
        (was, to): (u64, u64),
        pages: &[OpId],
        from: Origin,
        rules: Rules,
    ) -> OpId {
        let tracks = self.inodes.entry(ino).or_default();
        let before = [tracks.create, tracks.size];
        let mut needs: Vec<OpId> = before.into_iter().filter_map(|id| self.live(id)).collect();
        if rules.data_ordered {
            needs.extend_from_slice(pages);
        }
        let cut = to < was;
        let id = self.push(Change::Size { ino, to, cut }, needs, from, rules);
        let tracks = self.inodes.entry(ino).or_default();
        tracks.own.push(id);
        tracks.size = Some(id);
        if cut {
            tracks.cut = Some(id);
            // What is written there from now on are other states of other blocks; the page that is cut in two is
            // written to at once, to zero its end.
            let _gone = tracks.pages.split_off(&page_of(to));
        }
        id
    }

    /// A name is added, removed or moved.
    pub(crate) fn names(&mut self, change: Change, from: Origin, rules: Rules, image: &Image) {
        let mut needs = Vec::new();
        let (touched, named) = match &change {
            Change::Add { folder, name, ino } => (alloc::vec![(*folder, name.clone())], Some(*ino)),
            Change::Remove { folder, name, ino } => {
                self.need_for_loss(*ino, &mut needs);
                (alloc::vec![(*folder, name.clone())], None)
            }
            Change::Move { from, to, ino, replaced } => {
                if let Some(replaced) = replaced {
                    self.need_for_loss(*replaced, &mut needs);
                    if rules.replace_flushes {
                        needs.extend(self.own_of(*ino, true));
                    }
                }
                (alloc::vec![from.clone(), to.clone()], Some(*ino))
            }
            _ => unreachable!("only changes of names are given here"),
        };
        for (folder, name) in &touched {
            if let Some(tracks) = self.inodes.get(folder) {
                needs.extend(tracks.create);
                needs.extend(tracks.last.get(name));
            }
        }
        let folder_moves =
            matches!(change, Change::Move { ino, .. } if image.folder(ino).is_some());
        if let Some(tracks) = named.and_then(|ino| self.inodes.get(&ino)) {
            needs.extend(tracks.create);
        }
        needs.extend(self.last_folder_move.filter(|_| folder_moves));
        needs.retain(|id| self.get(*id).is_some());
        needs.sort_unstable();
        needs.dedup();
        let id = self.push(change, needs, from, rules);
        if folder_moves {
            self.last_folder_move = Some(id);
        }
        for (folder, name) in touched {
            let tracks = self.inodes.entry(folder).or_default();
            if tracks.names.last() != Some(&id) {
                tracks.names.push(id);
            }
            tracks.last.insert(name, id);
        }
        if let Some(ino) = named {
            self.inodes.entry(ino).or_default().named.push(id);
        }
    }

    /// What has to be there before the inode loses a name for good.
    fn need_for_loss(&self, ino: Ino, needs: &mut Vec<OpId>) {
        if let Some(tracks) = self.inodes.get(&ino) {
            needs.extend(&tracks.named);
            needs.extend(tracks.last.values());
        }
    }

    // --- syncs

    /// What an fsync of the inode makes durable; of a fdatasync, `data_only`, no more than reading it takes.
    pub(crate) fn own_of(&self, ino: Ino, data_only: bool) -> Vec<OpId> {
        let Some(tracks) = self.inodes.get(&ino) else { return Vec::new() };
        let own = tracks.own.iter().chain(&tracks.names).copied();
        own.filter(|id| self.get(*id).is_some_and(|op| !data_only || !op.is_attributes())).collect()
    }

    /// All metadata there are: what a commit of a single journal has.
    pub(crate) fn metadata(&self) -> Vec<OpId> {
        let metadata = self.iter().filter(|(_, op)| !matches!(op.change, Change::Page { .. }));
        metadata.map(|(id, _)| id).collect()
    }

    pub(crate) fn all(&self) -> Vec<OpId> {
        self.iter().map(|(id, _)| id).collect()
    }

    /// These, and all that they need, in order.
    pub(crate) fn closure(&self, ids: Vec<OpId>) -> Vec<OpId> {
        if ids.iter().all(|id| self.get(*id).is_none_or(|op| op.is_alone())) {
            return ids;
        }
        let mut closed = BTreeSet::new();
        let mut next = ids;
        while let Some(id) = next.pop() {
            let Some(op) = self.get(id) else { continue };
            if !closed.insert(id) {
                continue;
            }
            next.extend(&op.needs);
            match op.change {
                Change::Page { ino, index, .. } => {
                    next.extend(self.versions(ino, index).iter().filter(|version| **version < id));
                }
                Change::Size { ino, to, cut: true } => {
                    next.extend(self.cut_off(ino, page_of(to)).filter(|page| *page < id));
                }
                _ => {}
            }
        }
        closed.into_iter().collect()
    }

    /// Writes of the pages from that one on. Those before a cut are done with once it is durable.
    fn cut_off(&self, ino: Ino, from: u64) -> impl Iterator<Item = OpId> {
        let own = self.inodes.get(&ino).into_iter().flat_map(|tracks| tracks.own.iter().copied());
        own.filter(move |id| {
            let op = self.get(*id);
            op.is_some_and(|op| matches!(op.change, Change::Page { index, .. } if index >= from))
        })
    }

    fn versions(&self, ino: Ino, index: u64) -> &[OpId] {
        let versions = self.inodes.get(&ino).and_then(|tracks| tracks.pages.get(&index));
        versions.map_or(&[], |versions| &versions.ops)
    }

    /// The device will have these at that time.
    pub(crate) fn start_sync(&mut self, ids: Vec<OpId>, done_ns: u64) {
        for id in &ids {
            if let Some(op) = self.get_mut(*id) {
                op.frozen = true;
            }
        }
        let later = self.syncing.back().map_or(0, |(last, _)| *last);
        self.syncing.push_back((done_ns.max(later), ids));
    }

    /// The changes of the next sync that is done by now.
    pub(crate) fn synced(&mut self, now_ns: u64) -> Option<Vec<OpId>> {
        self.syncing.pop_front_if(|(done_ns, _)| *done_ns <= now_ns).map(|(_, ids)| ids)
    }

    /// The oldest half, if there is too much.
    pub(crate) fn overflow(&self) -> Option<Vec<OpId>> {
        (self.count > MOST)
            .then(|| self.closure(self.iter().take(MOST / 2).map(|(id, _)| id).collect()))
    }

    /// The device has it, or never will.
    pub(crate) fn take(&mut self, id: OpId) -> Option<Op> {
        let at = usize::try_from(id.checked_sub(self.first)?).ok()?;
        let op = self.ops.get_mut(at)?.take()?;
        self.count -= 1;
        while self.ops.front().is_some_and(Option::is_none) {
            self.ops.pop_front();
            self.first += 1;
        }
        Some(op)
    }

    /// Forgets numbers that mean nothing any more.
    pub(crate) fn tidy(&mut self, inodes: impl IntoIterator<Item = Ino>) {
        for ino in inodes {
            let Some(mut tracks) = self.inodes.remove(&ino) else { continue };
            tracks.own.retain(|id| self.get(*id).is_some());
            tracks.names.retain(|id| self.get(*id).is_some());
            tracks.named.retain(|id| self.get(*id).is_some());
            if tracks.own.is_empty() {
                tracks.pages.clear();
            }
            if tracks.names.is_empty() {
                tracks.last.clear();
            }
            if !(tracks.own.is_empty() && tracks.names.is_empty() && tracks.named.is_empty()) {
                self.inodes.insert(ino, tracks);
            }
        }
    }

    /// Whether a pending change gives the inode a name.
    pub(crate) fn is_to_be_named(&self, ino: Ino) -> bool {
        let tracks = self.inodes.get(&ino);
        tracks.is_some_and(|tracks| tracks.named.iter().any(|id| self.get(*id).is_some()))
    }

    /// Forgets an inode that nobody can come to, now or after a crash.
    pub(crate) fn forget(&mut self, ino: Ino) {
        let Some(tracks) = self.inodes.remove(&ino) else { return };
        for id in tracks.own {
            self.take(id);
        }
    }

    /// The pages of these are lost when the device fails to write them: they are as good as clean.
    pub(crate) fn drop_pages(&mut self, ids: &[OpId]) {
        for id in ids {
            if self.get(*id).is_some_and(Op::is_page) {
                self.take(*id);
            }
        }
    }

    /// What the device will do instead of writing that page.
    pub(crate) fn set_instead(&mut self, id: OpId, instead: Instead) {
        if let Some(op) = self.get_mut(id) {
            op.instead = Some(instead);
        }
    }

    /// Whether the page differs from what the device has.
    pub(crate) fn is_dirty(&self, ino: Ino, index: u64) -> bool {
        self.versions(ino, index).iter().any(|id| self.get(*id).is_some())
    }

    /// Pages that a sync of these writes, in bytes.
    pub(crate) fn bytes(&self, ids: &[OpId]) -> u64 {
        let pages = ids.iter().filter(|id| self.get(**id).is_some_and(Op::is_page)).count();
        pages as u64 * crate::PAGE as u64
    }
}

impl Op {
    pub(crate) fn is_page(&self) -> bool {
        matches!(self.change, Change::Page { .. })
    }

    /// Whether a sync of it covers nothing else.
    fn is_alone(&self) -> bool {
        let more = matches!(self.change, Change::Page { .. } | Change::Size { cut: true, .. });
        self.needs.is_empty() && !more
    }

    fn is_attributes(&self) -> bool {
        matches!(self.change, Change::Attributes { .. })
    }

    /// The inodes whose lists have it.
    pub(crate) fn inodes(&self) -> Vec<Ino> {
        match &self.change {
            Change::Create { ino, .. }
            | Change::Page { ino, .. }
            | Change::Size { ino, .. }
            | Change::Allocate { ino, .. }
            | Change::Attributes { ino, .. } => alloc::vec![*ino],
            Change::Add { folder, ino, .. } | Change::Remove { folder, ino, .. } => {
                alloc::vec![*folder, *ino]
            }
            Change::Move { from, to, ino, replaced } => {
                let mut all = alloc::vec![from.0, to.0, *ino];
                all.extend(*replaced);
                all
            }
        }
    }
}

impl Op {
    /// What becomes of it on the device, which may be faulty.
    pub(crate) fn written(self) -> Option<Change> {
        match (self.instead, self.change) {
            (Some(Instead::Nothing), _) => None,
            (Some(Instead::To(index)), Change::Page { ino, content, .. }) => {
                Some(Change::Page { ino, index, content })
            }
            (_, change) => Some(change),
        }
    }
}
