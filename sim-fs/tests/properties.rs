//! Crash rules as properties of random programs: what was synced is there, nothing appears that was never written,
//! every state that a crash draws is among all states.

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};
use sim_choice::{Choices, Path, Seed, Strategy as Schedule};
use sim_fs::{Bound, Content, Cx, Disk, Ino, Open, PAGE, Rules, Tears};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy, Debug)]
enum Act {
    Write { path: usize, offset: u64, len: usize },
    Cut { path: usize, size: u64 },
    Sync { path: usize, data_only: bool },
    SyncFolder(usize),
    Unlink(usize),
    Link(usize, usize),
    Rename(usize, usize),
    MakeFolder(usize),
    RemoveFolder(usize),
    MoveFolder(usize, usize),
}

const PATHS: [&str; 6] = ["/a", "/b", "/d/a", "/d/b", "/e/a", "/d/f/a"];
const FOLDERS: [&str; 5] = ["/", "/d", "/e", "/d/f", "/e/f"];

fn act() -> impl Strategy<Value = Act> {
    let path = || 0..PATHS.len();
    let folder = || 0..FOLDERS.len();
    let offset = || prop_oneof![0..10u64, 0..3 * PAGE as u64];
    let len = prop_oneof![1..10usize, 1..2 * PAGE];
    prop_oneof![
        5 => (path(), offset(), len).prop_map(|(path, offset, len)| Act::Write { path, offset, len }),
        1 => (path(), offset()).prop_map(|(path, size)| Act::Cut { path, size }),
        3 => (path(), any::<bool>()).prop_map(|(path, data_only)| Act::Sync { path, data_only }),
        3 => folder().prop_map(Act::SyncFolder),
        1 => path().prop_map(Act::Unlink),
        1 => (path(), path()).prop_map(|(a, b)| Act::Link(a, b)),
        2 => (path(), path()).prop_map(|(a, b)| Act::Rename(a, b)),
        2 => folder().prop_map(Act::MakeFolder),
        1 => folder().prop_map(Act::RemoveFolder),
        1 => (folder(), folder()).prop_map(|(a, b)| Act::MoveFolder(a, b)),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    prop_oneof![Just(Rules::PROMISED), Just(Rules::EXT4), Just(Rules::POSIX)]
}

/// A program as it runs, and what is known about it.
struct Run {
    disk: Disk,
    choices: Choices,
    /// What is known of the names on the device: none if something changed since the folder's sync.
    known: BTreeMap<(Ino, String), Option<Ino>>,
    /// Contents that were synced and have not changed since.
    synced: BTreeMap<Ino, Vec<u8>>,
    /// All bytes that were ever at an offset, a bit for each, and all sizes.
    bytes: BTreeMap<Ino, Vec<[u128; 2]>>,
    sizes: BTreeMap<Ino, BTreeSet<u64>>,
    named: BTreeSet<(Ino, String, Ino)>,
    writes: u8,
}

impl Run {
    fn new(rules: Rules) -> Run {
        let mut disk = Disk::new();
        disk.set_rules(rules);
        let mut run = Run {
            disk,
            choices: Choices::new(),
            known: BTreeMap::new(),
            synced: BTreeMap::new(),
            bytes: BTreeMap::new(),
            sizes: BTreeMap::new(),
            named: BTreeSet::new(),
            writes: 0,
        };
        for folder in ["/d", "/e"] {
            run.on(|disk, cx| disk.mkdir(cx, folder.as_bytes(), 0o777)).unwrap();
        }
        run.on(|disk, cx| disk.sync(cx));
        run.note_names();
        run
    }

    fn on<T>(&mut self, verb: impl FnOnce(&mut Disk, &mut Cx<'_>) -> T) -> T {
        verb(&mut self.disk, &mut Cx::new(0, Path::MAIN, &mut self.choices))
    }

    fn ino(&mut self, path: &str) -> Option<Ino> {
        self.on(|disk, cx| disk.lstat(cx, path.as_bytes())).ok().map(|stat| stat.ino)
    }

    /// The folder's inode and the last name.
    fn place(&mut self, path: &str) -> Option<(Ino, String)> {
        let (folder, name) = path.rsplit_once('/')?;
        Some((self.ino(if folder.is_empty() { "/" } else { folder })?, name.to_owned()))
    }

    fn forget(&mut self, path: &str) {
        if let Some(place) = self.place(path) {
            self.known.remove(&place);
        }
    }

    fn names(&mut self, folder: &str) -> BTreeMap<String, Ino> {
        self.on(|disk, cx| {
            let mut names = BTreeMap::new();
            let fd = disk.open(cx, folder.as_bytes(), Open::READ).unwrap();
            while let Some(entry) = disk.readdir(cx, fd).unwrap() {
                names.insert(String::from_utf8(entry.name.to_vec()).unwrap(), entry.ino);
            }
            disk.close(fd).unwrap();
            names
        })
    }

    fn note_names(&mut self) {
        for folder in FOLDERS {
            let Some(ino) = self.ino(folder) else { continue };
            for (name, child) in self.names(folder) {
                self.named.insert((ino, name, child));
            }
        }
    }

    fn note_content(&mut self, path: &str) {
        let Some(ino) = self.ino(path) else { return };
        let bytes = self.read(path).unwrap();
        self.sizes.entry(ino).or_insert_with(|| BTreeSet::from([0])).insert(bytes.len() as u64);
        let all = self.bytes.entry(ino).or_default();
        all.resize(all.len().max(bytes.len()), [0; 2]);
        for (seen, byte) in all.iter_mut().zip(bytes) {
            seen[usize::from(byte / 128)] |= 1 << (byte % 128);
        }
        self.synced.remove(&ino);
    }

    fn read(&mut self, path: &str) -> Option<Vec<u8>> {
        match self.disk.contents().remove(path.as_bytes()) {
            Some(Content::File { bytes, .. }) => Some(bytes),
            _ => None,
        }
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Write { path, offset, len } => {
                let path = PATHS[path];
                self.writes = self.writes % 250 + 1;
                let data = vec![self.writes; len];
                if self.ino(path).is_none() {
                    self.forget(path);
                }
                let _ = self.on(|disk, cx| {
                    let fd = disk.open(cx, path.as_bytes(), Open::CREATE)?;
                    disk.pwrite(cx, fd, offset, &data)?;
                    disk.close(fd)
                });
                self.note_content(path);
            }
            Act::Cut { path, size } => {
                let path = PATHS[path];
                if self.on(|disk, cx| disk.truncate(cx, path.as_bytes(), size)).is_ok() {
                    self.note_content(path);
                }
            }
            Act::Sync { path, data_only } => {
                let path = PATHS[path];
                let synced = self.on(|disk, cx| {
                    let fd = disk.open(cx, path.as_bytes(), Open::READ)?;
                    if data_only {
                        disk.fdatasync(cx, fd)?
                    } else {
                        disk.fsync(cx, fd)?
                    }
                    disk.close(fd)
                });
                if let (Ok(()), Some(ino)) = (synced, self.ino(path))
                    && let Some(bytes) = self.read(path)
                {
                    self.synced.insert(ino, bytes);
                }
            }
            Act::SyncFolder(folder) => self.sync_folder(FOLDERS[folder]),
            Act::Unlink(path) => {
                self.forget(PATHS[path]);
                let _ = self.on(|disk, cx| disk.unlink(cx, PATHS[path].as_bytes()));
            }
            Act::Link(old, new) => {
                self.forget(PATHS[new]);
                let _ =
                    self.on(|disk, cx| disk.link(cx, PATHS[old].as_bytes(), PATHS[new].as_bytes()));
            }
            Act::Rename(old, new) => self.rename(PATHS[old], PATHS[new]),
            Act::MoveFolder(old, new) => self.rename(FOLDERS[old], FOLDERS[new]),
            Act::MakeFolder(folder) => {
                self.forget(FOLDERS[folder]);
                let _ = self.on(|disk, cx| disk.mkdir(cx, FOLDERS[folder].as_bytes(), 0o777));
            }
            Act::RemoveFolder(folder) => {
                self.forget(FOLDERS[folder]);
                let _ = self.on(|disk, cx| disk.rmdir(cx, FOLDERS[folder].as_bytes()));
            }
        }
        self.note_names();
    }

    fn rename(&mut self, old: &str, new: &str) {
        self.forget(old);
        self.forget(new);
        let _ = self.on(|disk, cx| disk.rename(cx, old.as_bytes(), new.as_bytes(), false));
    }

    fn sync_folder(&mut self, folder: &str) {
        let Some(ino) = self.ino(folder) else { return };
        self.on(|disk, cx| {
            let fd = disk.open(cx, folder.as_bytes(), Open::READ).unwrap();
            disk.fsync(cx, fd).unwrap();
            disk.close(fd).unwrap();
        });
        let names = self.names(folder);
        for name in ["a", "b", "d", "e", "f"] {
            self.known.insert((ino, name.to_owned()), names.get(name).copied());
        }
    }

    /// Whether the disk after a crash is one that this program may leave.
    fn check(&self, state: &mut Disk) -> Result<(), TestCaseError> {
        let mut choices = Choices::new();
        let mut cx = Cx::new(0, Path::MAIN, &mut choices);
        let mut links: BTreeMap<Ino, u32> = BTreeMap::new();
        let contents = state.contents();
        let mut inodes = BTreeMap::from([("/".to_owned(), Ino::ROOT)]);
        for path in contents.keys() {
            let path = String::from_utf8(path.clone()).unwrap();
            inodes.insert(path.clone(), state.lstat(&mut cx, path.as_bytes()).unwrap().ino);
        }
        for (path, content) in &contents {
            let path = std::str::from_utf8(path).unwrap();
            let (folder, name) = path.rsplit_once('/').unwrap();
            let (folder, ino) =
                (inodes[if folder.is_empty() { "/" } else { folder }], inodes[path]);
            *links.entry(ino).or_default() += 1;
            prop_assert!(
                self.named.contains(&(folder, name.to_owned(), ino)),
                "{path} never meant {ino:?}"
            );
            let Content::File { bytes, .. } = content else { continue };
            if let Some(synced) = self.synced.get(&ino) {
                prop_assert!(bytes == synced, "{path} was synced, and differs");
            }
            let size = bytes.len() as u64;
            prop_assert!(self.sizes[&ino].contains(&size), "{path} never had {size} bytes");
            let ever = &self.bytes[&ino];
            for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte != 0) {
                let seen = ever[at][usize::from(byte / 128)] & (1 << (byte % 128));
                prop_assert!(seen != 0, "{path} never had {byte} at {at}");
            }
        }
        for ((folder, name), expected) in &self.known {
            let Some((path, _)) = inodes.iter().find(|(_, ino)| *ino == folder) else { continue };
            let path = format!("{}/{name}", if path == "/" { "" } else { path });
            prop_assert_eq!(inodes.get(&path), expected.as_ref(), "{} was synced", path);
        }
        for (path, ino) in &inodes {
            let stat = state.lstat(&mut cx, path.as_bytes()).unwrap();
            let names = links.get(ino).copied().unwrap_or(0);
            match stat.kind {
                sim_fs::FileType::File => prop_assert_eq!(stat.links, names, "{}", path),
                _ => prop_assert!(stat.links >= 2 && names <= 1, "{}: {:?}", path, stat),
            }
        }
        Ok(())
    }
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]))
}

#[test]
fn what_was_synced_is_there_and_nothing_else_than_was_written() {
    let program = (rules(), vec(act(), 1..30), 0..u64::MAX);
    let run = |(rules, acts, seed): (Rules, Vec<Act>, u64)| {
        let mut run = Run::new(rules);
        acts.into_iter().for_each(|act| run.act(act));
        let mut choices = Choices::new();
        for n in 0..6 {
            choices.start(Seed(seed.wrapping_add(n)), Schedule::Random);
            let mut state = run.disk.clone();
            state.crash(&mut Cx::new(0, Path::MAIN, &mut choices));
            run.check(&mut state)?;
        }
        Ok(())
    };
    runner(300).run(&program, run).unwrap();
}

#[test]
fn all_changes_together_are_what_programs_see() {
    let program = (rules(), vec(act(), 1..40));
    let run = |(rules, acts): (Rules, Vec<Act>)| {
        let mut run = Run::new(rules);
        acts.into_iter().for_each(|act| run.act(act));
        let before = run.disk.contents();
        let free = run.disk.volume().free;
        run.on(|disk, cx| disk.crash(cx));
        prop_assert_eq!(&before, &run.disk.contents());
        prop_assert_eq!(free, run.disk.volume().free);
        Ok(())
    };
    runner(300).run(&program, run).unwrap();
}

#[test]
fn every_drawn_state_is_among_all_states() {
    let program = (rules(), vec(act(), 1..12), vec(act(), 1..4), 0..u64::MAX);
    let run = |(rules, before, acts, seed): (Rules, Vec<Act>, Vec<Act>, u64)| {
        let mut run = Run::new(rules);
        before.into_iter().for_each(|act| run.act(act));
        run.on(|disk, cx| disk.sync(cx));
        acts.into_iter().for_each(|act| run.act(act));
        // More than one torn page is more than this; such programs are passed over.
        let bound = Bound { states: 300, tears: Tears::All, ..Bound::default() };
        let mut states = run.disk.crash_states(0, bound);
        let mut all = BTreeSet::new();
        for mut state in states.by_ref() {
            run.check(&mut state)?;
            all.insert(format!("{:?}", state.contents()));
        }
        if !states.is_complete() {
            return Ok(());
        }
        let mut choices = Choices::new();
        for n in 0..10 {
            choices.start(Seed(seed.wrapping_add(n)), Schedule::Random);
            let mut state = run.disk.clone();
            state.crash(&mut Cx::new(0, Path::MAIN, &mut choices));
            let drawn = format!("{:?}", state.contents());
            prop_assert!(all.contains(&drawn), "drawn, and not enumerated: {}", state.tree());
        }
        Ok(())
    };
    runner(25).run(&program, run).unwrap();
}
