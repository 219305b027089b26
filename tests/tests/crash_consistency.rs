//! Classical crash-consistency bugs: what programs get wrong about fsync, rename and appends, as found in the wild by Pillai
//! et al. ("All File Systems Are Not Created Equal", OSDI 2014), Rebello et al. ("Can Applications Recover from fsync
//! Failures?", ATC 2020) and Zheng et al. ("Torturing Databases for Fun and Profit", OSDI 2014). Each has to be found
//! within its runs, and its corrected twin passes.
//!
//! `cargo test -p sim-tests --test crash_consistency -- --nocapture` prints in which run each was found.

use sim::{
    Config,
    node::{DiskFaults, NodeError},
    std::{
        fs::{self, File, OpenOptions},
        os::unix::fs::FileExt,
    },
};
use std::{
    future::Future,
    io::{self, Write},
};

const RUNS: u64 = 200;

/// Runs `write` on a node, whose power goes right after it, and then `read`, which is told whether `write` had come to its
/// end, and so acknowledged what it wrote.
async fn power_fails(
    prepare: fn() -> io::Result<()>,
    write: fn() -> io::Result<()>,
    read: fn(bool),
    faults: DiskFaults,
) {
    let (done, is_done) = sim::sync::watch::channel(false);
    let phase = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let node = sim::node("program").start(move || {
        let (done, phase) = (done.clone(), phase.clone());
        async move {
            match phase.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => {
                    prepare().unwrap();
                    for folder in ["/", "/tmp"] {
                        for entry in fs::read_dir(folder).unwrap() {
                            File::open(entry.unwrap().path()).unwrap().sync_all().unwrap();
                        }
                        File::open(folder).unwrap().sync_all().unwrap();
                    }
                }
                1 => {
                    done.send_replace(write().is_ok());
                    sim::node::current().crash();
                }
                _ => read(*done.borrow()),
            }
        }
    });
    node.join().await.unwrap();
    node.disk().faults("/", faults);
    node.restart();
    let _ = node.join().await;
    node.disk().clear_faults();
    node.restart();
    drop(is_done);
    if let Err(NodeError::Panicked(message)) = node.join().await {
        panic!("{message}");
    }
}

fn check<F: Future<Output = ()> + 'static>(
    program: impl Fn() -> F + Send + Sync + 'static,
) -> (u64, Option<String>) {
    let report = sim::check(Config::new().seeds(RUNS), program);
    (report.runs, report.failure.map(|failure| failure.message))
}

/// A program of two forms, and what is looked at after the power failed.
struct Case {
    name: &'static str,
    prepare: fn() -> io::Result<()>,
    broken: fn() -> io::Result<()>,
    corrected: fn() -> io::Result<()>,
    read: fn(bool),
    faults: DiskFaults,
}

impl Case {
    fn check(self) {
        let Case { name, prepare, broken, corrected, read, faults } = self;
        let (runs, message) = check(move || power_fails(prepare, broken, read, faults));
        let message = message.unwrap_or_else(|| panic!("{name}: not found in {runs} runs"));
        println!("{name}: run {runs}: {}", message.lines().next().unwrap_or_default());
        let (_, message) = check(move || power_fails(prepare, corrected, read, faults));
        assert_eq!(message, None, "{name}, corrected");
    }
}

const OLD: &[u8] = &[1; 3000];
const NEW: &[u8] = &[2; 3000];

fn nothing() -> io::Result<()> {
    Ok(())
}

fn old_file() -> io::Result<()> {
    fs::write("/config", OLD)
}

fn sync_root() -> io::Result<()> {
    File::open("/")?.sync_all()
}

fn replace(sync_file: bool, sync_folder: bool) -> io::Result<()> {
    let mut file = File::create("/config.new")?;
    file.write_all(NEW)?;
    if sync_file {
        file.sync_all()?;
    }
    fs::rename("/config.new", "/config")?;
    if sync_folder { sync_root() } else { Ok(()) }
}

/// Either version, whole; the new one if it was acknowledged.
fn old_or_new(acknowledged: bool) {
    let found = fs::read("/config").expect("the file is there");
    assert!(found == NEW || found == OLD, "neither the old nor the new content");
    assert!(found == NEW || !acknowledged, "the new content was acknowledged and is gone");
}

#[test]
fn a_file_is_overwritten_in_place() {
    Case {
        name: "overwritten in place",
        prepare: old_file,
        broken: || {
            let file = OpenOptions::new().write(true).open("/config")?;
            file.write_all_at(NEW, 0)?;
            Err(io::Error::other("the power fails within the sync"))
        },
        corrected: || replace(true, true),
        read: old_or_new,
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn a_file_is_truncated_and_written() {
    Case {
        name: "truncated and written",
        prepare: old_file,
        broken: || fs::write("/config", NEW),
        corrected: || replace(true, true),
        read: old_or_new,
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn a_rename_replaces_a_file_by_one_that_was_not_synced() {
    Case {
        name: "replaced without a sync of the file",
        prepare: old_file,
        broken: || replace(false, true),
        corrected: || replace(true, true),
        read: old_or_new,
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn a_rename_is_not_made_durable() {
    Case {
        name: "replaced without a sync of the folder",
        prepare: old_file,
        broken: || replace(true, false),
        corrected: || replace(true, true),
        read: old_or_new,
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn a_new_file_is_synced_and_its_name_is_not() {
    fn make(sync_folder: bool) -> io::Result<()> {
        let mut file = File::create("/made")?;
        file.write_all(NEW)?;
        file.sync_all()?;
        if sync_folder { sync_root() } else { Ok(()) }
    }
    Case {
        name: "made without a sync of the folder",
        prepare: nothing,
        broken: || make(false),
        corrected: || make(true),
        read: |acknowledged| {
            assert!(
                !acknowledged || fs::read("/made").is_ok_and(|found| found == NEW),
                "it is gone"
            );
        },
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn folders_are_made_and_only_the_last_is_synced() {
    fn make(all: bool) -> io::Result<()> {
        fs::create_dir_all("/a/b")?;
        let file = File::create("/a/b/file")?;
        file.sync_all()?;
        File::open("/a/b")?.sync_all()?;
        if all {
            File::open("/a")?.sync_all()?;
            sync_root()?;
        }
        Ok(())
    }
    Case {
        name: "folders above not synced",
        prepare: nothing,
        broken: || make(false),
        corrected: || make(true),
        read: |acknowledged| {
            assert!(!acknowledged || fs::exists("/a/b/file").unwrap(), "it is gone");
        },
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn two_files_depend_on_each_other() {
    fn write(ordered: bool) -> io::Result<()> {
        let mut data = OpenOptions::new().append(true).open("/tmp/data")?;
        data.write_all(NEW)?;
        if ordered {
            data.sync_all()?;
        }
        // Says that the data are there.
        let index = OpenOptions::new().write(true).open("/tmp/index")?;
        index.write_all_at(b"1", 0)?;
        index.sync_all()
    }
    Case {
        name: "the index before the data",
        prepare: || {
            fs::write("/tmp/data", b"")?;
            fs::write("/tmp/index", b"0")
        },
        broken: || write(false),
        corrected: || write(true),
        read: |_| {
            if fs::read("/tmp/index").unwrap() == b"1" {
                assert!(fs::read("/tmp/data").unwrap() == NEW, "the index says there are data");
            }
        },
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn a_record_is_appended_without_a_checksum() {
    fn sum(bytes: &[u8]) -> u64 {
        // Not that of nothing but zeros, which is what a lost page holds.
        bytes.iter().fold(1, |sum: u64, byte| sum.wrapping_mul(31) + u64::from(*byte))
    }
    fn append(path: &str) -> io::Result<()> {
        let mut log = OpenOptions::new().append(true).open(path)?;
        log.write_all(&[NEW, &sum(NEW).to_le_bytes()].concat())?;
        Err(io::Error::other("the power fails within the sync"))
    }
    Case {
        name: "a torn record taken for a whole one",
        prepare: || {
            fs::write("/tmp/log", b"log")?;
            fs::write("/tmp/log.sums", b"log")
        },
        broken: || append("/tmp/log"),
        corrected: || append("/tmp/log.sums"),
        read: |_| {
            for (path, checks) in [("/tmp/log", false), ("/tmp/log.sums", true)] {
                let log = fs::read(path).unwrap();
                let Some((value, end)) = log[3..].split_at_checked(NEW.len()) else { continue };
                if end.len() == 8 && !(checks && end != sum(value).to_le_bytes()) {
                    assert!(value == NEW, "the record is torn");
                }
            }
        },
        faults: DiskFaults::default(),
    }
    .check();
}

#[test]
fn an_fsync_that_failed_is_tried_again() {
    fn write(again: bool) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open("/tmp/log")?;
        file.write_all(NEW)?;
        match file.sync_all() {
            Err(_) if again => file.sync_all(),
            done => done,
        }
    }
    Case {
        name: "fsync tried again",
        prepare: || fs::write("/tmp/log", b""),
        broken: || write(true),
        corrected: || write(false),
        read: |acknowledged| {
            assert!(!acknowledged || fs::read("/tmp/log").unwrap() == NEW, "it is gone");
        },
        faults: DiskFaults { sync_error_ppm: 300_000, ..DiskFaults::default() },
    }
    .check();
}

#[test]
fn a_short_write_is_taken_for_a_whole_one() {
    fn write(all: bool) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open("/tmp/log")?;
        match all {
            true => file.write_all(NEW)?,
            false => drop(file.write(NEW)?),
        }
        file.sync_all()
    }
    Case {
        name: "a short write",
        prepare: || fs::write("/tmp/log", b""),
        broken: || write(false),
        corrected: || write(true),
        read: |acknowledged| {
            assert!(!acknowledged || fs::read("/tmp/log").unwrap() == NEW, "not all is there");
        },
        faults: DiskFaults { short_write_ppm: 100_000, ..DiskFaults::default() },
    }
    .check();
}
