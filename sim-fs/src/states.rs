//! All states that a crash may leave, within a bound: those that lose least come first, and each comes once.
//!
//! It goes through all answers to the questions that a crash asks (`crash.rs`), in rounds: first nothing is lost, then
//! one change and what needs it, then two. States are equal if what the pending changes touch is equal, whichever of
//! the changes survived.

use crate::{
    Disk,
    crash::{Fate, Loss, Remains},
    dir::Name,
    inode::{Change, Image, Ino},
    pages::Page,
    pending::OpId,
};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    vec::Vec,
};

/// How far to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// So many states at most.
    pub states: usize,
    /// So many changes are lost or torn at most, not counting those that need a lost one.
    pub losses: usize,
    /// How pages are torn.
    pub tears: Tears,
}

impl Default for Bound {
    /// Ten thousand states, any number of losses, pages torn at one place.
    fn default() -> Bound {
        Bound { states: 10_000, losses: usize::MAX, tears: Tears::Prefixes }
    }
}

/// Which of the ways in which a page may be torn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tears {
    /// None: a page is written whole or not at all.
    None,
    /// Its first sectors were written, one to seven.
    Prefixes,
    /// Any of its sectors were written: 254 ways a page.
    All,
}

impl Tears {
    /// Answers beyond kept and lost.
    fn count(self) -> u32 {
        match self {
            Tears::None => 0,
            Tears::Prefixes => 7,
            Tears::All => 254,
        }
    }

    fn fate(self, answer: u32) -> Fate {
        match (self, answer) {
            (_, 0) => Fate::Kept,
            (_, 1) => Fate::Lost,
            (Tears::Prefixes, answer) => Fate::torn((0xff << (9 - answer)) & 0xff),
            (_, answer) => Fate::torn(answer - 1),
        }
    }
}

/// The states of a disk after a crash: see [`Disk::crash_states`].
pub struct States {
    base: Disk,
    bound: Bound,
    touched: BTreeSet<(Ino, Part)>,
    seen: BTreeSet<BTreeMap<(Ino, Part), Value>>,
    /// The answers of the next run, each with how many there are.
    script: Vec<(u32, u32)>,
    /// How many changes are lost in this round.
    round: usize,
    /// Whether the round has lost that many.
    round_is_full: bool,
    /// What is lost in the state that was given last.
    losses: Vec<Loss>,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// There may be more.
    NotYet,
    /// All were given.
    All,
    /// The bound was reached.
    Bound,
}

/// A part of an inode that pending changes touch.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    About,
    Times,
    Page(u64),
    Name(Name),
}

/// What a part is in a state.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Value {
    About { size: u64, links: u32, mode: u32, uid: u32, gid: u32 },
    Times(i64, i64),
    Page(Option<Arc<Page>>, bool),
    Name(Option<Ino>),
}

impl Disk {
    /// Every state that a crash at this time may leave, within the bound, each once. The first is the one in which all
    /// survives. Each is a disk on which recovery can be run; garbage and other faults are not among them.
    ///
    /// ```
    /// use sim_choice::{Choices, Path};
    /// use sim_fs::{Bound, Cx, Disk, Open};
    ///
    /// let (mut disk, mut choices) = (Disk::new(), Choices::new());
    /// let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    /// let fd = disk.open(&mut cx, b"/log", Open::CREATE)?;
    /// disk.write(&mut cx, fd, b"record")?;
    /// disk.fsync(&mut cx, fd)?; // The file, not its name.
    /// let states: Vec<Disk> = disk.crash_states(0, Bound::default()).collect();
    /// let sizes: Vec<Option<u64>> = states
    ///     .into_iter()
    ///     .map(|mut state| state.stat(&mut cx, b"/log").ok().map(|stat| stat.size))
    ///     .collect();
    /// assert_eq!(sizes, [Some(6), None]);
    /// # Ok::<(), sim_fs::Errno>(())
    /// ```
    #[must_use]
    pub fn crash_states(&self, now_ns: u64, bound: Bound) -> States {
        let mut base = self.clone();
        base.settle(now_ns);
        let touched = base.pending.iter().flat_map(|(_, op)| touched(&op.change)).collect();
        States {
            base,
            bound,
            touched,
            seen: BTreeSet::new(),
            script: Vec::new(),
            round: 0,
            round_is_full: false,
            losses: Vec::new(),
            end: End::NotYet,
        }
    }
}

impl States {
    /// Whether all states were given: false while there may be more, and if the bound cut them off.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == End::All
    }

    /// How many states were given.
    #[must_use]
    pub fn count_so_far(&self) -> usize {
        self.seen.len()
    }

    /// What is lost or torn in the state that was given last.
    #[must_use]
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// One run by the script: what it leaves, and whether it lost as many changes as the round asks for.
    fn run(&mut self) -> (Remains, bool) {
        let (round, tears) = (self.round, self.bound.tears);
        let script = &mut self.script;
        let (mut asked, mut losses) = (0, 0);
        let mut fate = |_: OpId, can_tear: bool| {
            if losses == round {
                return Fate::Kept;
            }
            if asked == script.len() {
                script.push((0, 2 + if can_tear { tears.count() } else { 0 }));
            }
            let fate = tears.fate(script[asked].0);
            asked += 1;
            losses += usize::from(fate != Fate::Kept);
            fate
        };
        let remains = self.base.remains(&mut fate);
        (remains, losses == round)
    }

    /// The next script of the round, or of the next round.
    fn advance(&mut self) {
        while let Some((answer, of)) = self.script.pop() {
            if answer + 1 < of {
                self.script.push((answer + 1, of));
                return;
            }
        }
        if !self.round_is_full {
            self.end = End::All;
        } else if self.round >= self.bound.losses {
            self.end = End::Bound;
        }
        self.round += 1;
        self.round_is_full = false;
    }

    fn key(&self, image: &Image) -> BTreeMap<(Ino, Part), Value> {
        let values = self
            .touched
            .iter()
            .filter_map(|(ino, part)| Some(((*ino, part.clone()), value(image, *ino, part)?)));
        values.collect()
    }
}

impl Iterator for States {
    type Item = Disk;

    fn next(&mut self) -> Option<Disk> {
        while self.end == End::NotYet {
            if self.seen.len() >= self.bound.states {
                self.end = End::Bound;
                break;
            }
            let (Remains { image, losses }, full) = self.run();
            self.round_is_full |= full;
            self.advance();
            if full && self.seen.insert(self.key(&image)) {
                self.losses = losses;
                let mut disk = self.base.clone();
                disk.become_image(image);
                return Some(disk);
            }
        }
        None
    }
}

fn touched(change: &Change) -> Vec<(Ino, Part)> {
    let about = |ino: &Ino| (*ino, Part::About);
    let name = |folder: &Ino, name: &Name| (*folder, Part::Name(name.clone()));
    match change {
        Change::Create { ino, .. } | Change::Size { ino, .. } => alloc::vec![about(ino)],
        Change::Attributes { ino, .. } => alloc::vec![about(ino), (*ino, Part::Times)],
        Change::Page { ino, index, .. } => alloc::vec![(*ino, Part::Page(*index))],
        Change::Allocate { ino, first, count } => {
            (*first..first + count).map(|index| (*ino, Part::Page(index))).collect()
        }
        Change::Add { folder, name: added, ino } => alloc::vec![about(ino), name(folder, added)],
        Change::Remove { folder, name: removed, ino } => {
            alloc::vec![about(ino), name(folder, removed)]
        }
        Change::Move { from, to, ino, replaced } => {
            let mut parts = alloc::vec![about(ino), name(&from.0, &from.1), name(&to.0, &to.1)];
            parts.extend(replaced.as_ref().map(about));
            parts
        }
    }
}

fn value(image: &Image, ino: Ino, part: &Part) -> Option<Value> {
    let inode = image.get(ino)?;
    let about = inode.about;
    Some(match part {
        Part::About => Value::About {
            size: image.pages(ino).map_or(0, |pages| pages.size),
            links: inode.links,
            mode: about.mode,
            uid: about.uid,
            gid: about.gid,
        },
        Part::Times => Value::Times(about.accessed_ns, about.modified_ns),
        Part::Page(index) => {
            let pages = image.pages(ino)?;
            Value::Page(pages.page(*index).cloned(), pages.has_block(*index))
        }
        Part::Name(name) => Value::Name(inode.folder()?.entries.get(name).copied()),
    })
}
