//! What the disks of nodes keep over crashes, restarts and ends, and what programs see of them.

use sim::{
    Config, FailureKind,
    fs::{self, Bound, File, OpenOptions},
    io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt},
    node::{Content, Device, DiskFault, DiskFaults, Errno, Rules, Verb},
    std::{fs as std_fs, os::unix::fs::FileExt},
    time::{Duration, Instant, sleep},
};
use std::{
    collections::BTreeSet,
    io::{SeekFrom, Write},
    sync::{Arc, Mutex},
};

fn passes<Fut: Future<Output = ()> + 'static>(
    seeds: u64,
    test: impl Fn() -> Fut + Send + Sync + 'static,
) {
    let report = sim::check(Config::new().seeds(seeds), test);
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn what_was_synced_with_its_name_survives_each_crash() {
    passes(200, || async {
        let server = sim::node("server").start(|| async {
            if fs::try_exists("/data/log").await.unwrap() {
                assert_eq!(fs::read("/data/log").await.unwrap(), b"record");
                return;
            }
            fs::create_dir_all("/data").await.unwrap();
            let mut log = File::create("/data/new").await.unwrap();
            log.write_all(b"record").await.unwrap();
            log.sync_all().await.unwrap();
            fs::rename("/data/new", "/data/log").await.unwrap();
            for folder in ["/data", "/"] {
                File::open(folder).await.unwrap().sync_all().await.unwrap();
            }
            sim::node::current().crash();
        });
        let _ = server.join().await;
        server.restart();
        assert_eq!(server.join().await, Ok(()));
    });
}

#[test]
fn what_was_not_synced_is_lost_in_some_crashes_and_told_with_its_place() {
    let report = sim::check(Config::new().seeds(200), || async {
        let server = sim::node("server").start(|| async {
            if fs::try_exists("/log").await.unwrap() {
                assert_eq!(fs::read("/log").await.unwrap(), b"record");
                return;
            }
            std_fs::write("/log", b"record").unwrap();
            sim::node::current().crash();
        });
        for _ in 0..2 {
            let _ = server.join().await;
            server.restart();
        }
        let _ = server.join().await.map_err(|error| panic!("{error}"));
    });
    let failure = report.failure.expect("the content is lost and the name is not");
    assert_eq!(failure.kind, FailureKind::Panic);
    assert!(
        failure.message.contains("lost in its crash: size of /log, at tests/tests/disk.rs:"),
        "{failure}"
    );
}

#[test]
fn a_process_that_ends_by_itself_loses_nothing() {
    passes(100, || async {
        let server = sim::node("server").start(|| async {
            if let Ok(text) = fs::read("/log").await {
                assert_eq!(text, b"all of it");
                return;
            }
            let mut log = File::create("/log").await.unwrap();
            // Without a flush: tokio's runtime finishes writes before it ends.
            log.write_all(b"all of it").await.unwrap();
        });
        assert_eq!(server.join().await, Ok(()));
        server.restart();
        assert_eq!(server.join().await, Ok(()));
        assert_eq!(server.disk().contents().len(), 2);
    });
}

#[test]
fn a_write_without_a_flush_may_not_be_seen_yet() {
    let sizes = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = sizes.clone();
    passes(100, move || {
        let seen = seen.clone();
        async move {
            let mut file = File::create("/file").await.unwrap();
            file.write_all(b"text").await.unwrap();
            let size = std_fs::metadata("/file").unwrap().len();
            seen.lock().unwrap().insert(size);
            file.flush().await.unwrap();
            assert_eq!(fs::metadata("/file").await.unwrap().len(), 4);
        }
    });
    assert_eq!(*sizes.lock().unwrap(), BTreeSet::from([0, 4]));
}

#[test]
fn a_failed_write_is_told_by_the_next_call() {
    passes(20, || async {
        let mut file = File::create("/file").await.unwrap();
        sim::node::current().disk().fail_next(Verb::Write, Errno::EIO);
        assert_eq!(file.write(b"text").await.unwrap(), 4);
        assert!(file.write(b"more").await.is_err());
        assert_eq!(file.write(b"more").await.unwrap(), 4);
        file.flush().await.unwrap();
        assert_eq!(fs::read("/file").await.unwrap(), b"more");
    });
}

#[test]
fn seeks_count_what_was_read_ahead() {
    passes(20, || async {
        fs::write("/file", b"0123456789").await.unwrap();
        let mut file = OpenOptions::new().read(true).write(true).open("/file").await.unwrap();
        let mut three = [0; 3];
        file.read_exact(&mut three).await.unwrap();
        assert_eq!(file.seek(SeekFrom::Current(1)).await.unwrap(), 4);
        file.write_all(b"x").await.unwrap();
        file.seek(SeekFrom::End(-2)).await.unwrap();
        let mut rest = String::new();
        file.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "89");
        assert_eq!(fs::read("/file").await.unwrap(), b"0123x56789");
    });
}

#[test]
fn files_of_a_former_process_are_dead() {
    passes(20, || async {
        let kept = Arc::new(Mutex::new(None));
        let server = sim::node("server").start({
            let kept = kept.clone();
            move || {
                let kept = kept.clone();
                async move {
                    let file = std_fs::File::create("/file").unwrap();
                    kept.lock().unwrap().get_or_insert(file);
                }
            }
        });
        server.join().await.unwrap();
        server.restart();
        server.join().await.unwrap();
        let error = kept.lock().unwrap().as_ref().unwrap().write_at(b"x", 0).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::EBADF.0));
    });
}

#[test]
fn destructors_of_a_crashed_process_reach_no_disk() {
    struct Writes;
    impl Drop for Writes {
        fn drop(&mut self) {
            let _ = std_fs::write("/too-late", b"");
        }
    }
    passes(20, || async {
        let server = sim::node("server").start(|| async {
            let _writes = Writes;
            std::future::pending::<()>().await;
        });
        sleep(Duration::from_millis(1)).await;
        server.crash();
        assert!(!server.disk().inspect().contains("too-late"));
        let graceful = sim::node("graceful").start(|| async {
            let _writes = Writes;
        });
        graceful.join().await.unwrap();
        assert!(graceful.disk().inspect().contains("too-late"));
    });
}

#[test]
fn nodes_have_disks_of_their_own() {
    passes(20, || async {
        fs::write("/file", b"main").await.unwrap();
        let server = sim::node("server").start(|| async {
            assert!(!fs::try_exists("/file").await.unwrap());
        });
        server.join().await.unwrap();
    });
}

#[test]
fn locks_of_files_wait_for_each_other() {
    passes(100, || async {
        fs::write("/count", [0]).await.unwrap();
        let threads: Vec<_> = (0..3)
            .map(|_| {
                sim::task::spawn_blocking(|| {
                    let mut options = std_fs::OpenOptions::new();
                    let file = options.read(true).write(true).open("/count").unwrap();
                    file.lock().unwrap();
                    let mut count = [0];
                    file.read_at(&mut count, 0).unwrap();
                    file.write_at(&[count[0] + 1], 0).unwrap();
                })
            })
            .collect();
        for thread in threads {
            thread.await.unwrap();
        }
        assert_eq!(fs::read("/count").await.unwrap(), [3]);
    });
}

#[test]
fn a_lock_that_nobody_gives_back_is_a_deadlock() {
    let report = sim::check(Config::new().seeds(1), || async {
        let (one, other) =
            (std_fs::File::create("/lock").unwrap(), std_fs::File::open("/lock").unwrap());
        one.lock().unwrap();
        assert!(other.try_lock().is_err());
        other.lock().unwrap();
    });
    assert_eq!(report.failure.unwrap().kind, FailureKind::Deadlock);
}

#[test]
fn a_slow_disk_takes_virtual_time() {
    passes(10, || async {
        let device = Device { sync_ns: 5_000_000, ..Device::INSTANT };
        let disk = sim::node::current().disk();
        disk.device(device);
        let file = File::create("/file").await.unwrap();
        let start = Instant::now();
        file.sync_all().await.unwrap();
        let first = start.elapsed();
        assert!(first >= Duration::from_millis(5));
        disk.slow(100);
        file.sync_all().await.unwrap();
        assert!(start.elapsed() - first >= Duration::from_millis(500));
        disk.slow(1);
        disk.stall(Duration::from_secs(60));
        file.sync_all().await.unwrap();
        assert!(start.elapsed() >= Duration::from_secs(60));
    });
}

#[test]
fn a_disk_can_be_lost_and_brought_back() {
    passes(10, || async {
        let disk = sim::node::current().disk();
        fs::write("/file", b"1").await.unwrap();
        let open = std_fs::File::open("/file").unwrap();
        let snapshot = disk.snapshot();
        disk.lose();
        assert!(!fs::try_exists("/file").await.unwrap());
        assert_eq!(open.metadata().unwrap_err().raw_os_error(), Some(Errno::EBADF.0));
        disk.restore(&snapshot);
        assert_eq!(fs::read("/file").await.unwrap(), b"1");
    });
}

#[test]
fn folders_of_the_machine_are_loaded() {
    passes(2, || async {
        let disk = sim::node::current().disk();
        disk.load_host_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/src"), "/src").unwrap();
        assert!(fs::read_to_string("/src/lib.rs").await.unwrap().contains("//!"));
        disk.load([("/etc/conf", Content::File { mode: 0o600, bytes: b"x".to_vec() })]).unwrap();
        assert_eq!(disk.pending(), 0);
        assert_eq!(fs::read("/etc/conf").await.unwrap(), b"x");
    });
}

#[test]
fn a_recovery_runs_on_every_state_and_the_bad_one_is_told() {
    let report = sim::check(Config::new().seeds(1), || async {
        sim::node::current().disk().rules(Rules::POSIX);
        let mut log = std_fs::File::create("/log").unwrap();
        log.write_all(b"record").unwrap();
        fs::crash_states(&sim::node::current(), Bound::default(), || async {
            let text = fs::read("/log").await.unwrap_or_default();
            assert!(text.is_empty() || text == b"record", "half of it: {text:?}");
        })
        .await;
    });
    let failure = report.failure.expect("zeros where the page is lost and the size is not");
    assert!(failure.message.contains("on state "), "{failure}");
    assert!(failure.message.contains("tests/tests/disk.rs:"), "{failure}");
}

#[test]
fn unix_sockets_have_names_on_the_disk() {
    use sim::net::{UnixListener, UnixStream};
    use std::os::unix::fs::FileTypeExt;
    passes(10, || async {
        let listener = UnixListener::bind("/socket").unwrap();
        assert!(fs::metadata("/socket").await.unwrap().file_type().is_socket());
        UnixStream::connect("/socket").await.unwrap();
        drop(listener);
        assert!(UnixListener::bind("/socket").is_err(), "its name is still there");
        fs::remove_file("/socket").await.unwrap();
        UnixListener::bind("/socket").unwrap();
    });
}

/// A fault, what it is set by, and a program that gives whether it has struck.
fn strikes(faults: DiskFaults, kind: DiskFault, program: fn() -> bool) {
    let struck = Arc::new(Mutex::new((0, 0)));
    let counted = struck.clone();
    passes(30, move || {
        let counted = counted.clone();
        async move {
            let disk = sim::node::current().disk();
            disk.faults("/", faults);
            let seen = program();
            let count = disk.fault_count(kind);
            // A canary sings if, and only if, the fault really bites.
            assert_eq!(seen, count.injected > 0, "{kind:?}: {count:?}");
            let mut counted = counted.lock().unwrap();
            *counted = (counted.0 + u32::from(seen), counted.1 + 1);
        }
    });
    let (seen, runs) = *struck.lock().unwrap();
    assert!(seen > 0 && seen < runs, "{kind:?} struck in {seen} of {runs} runs");
}

const HALF: u32 = 500_000;

#[test]
fn each_fault_of_reads_and_writes_bites() {
    let none = DiskFaults::default();
    strikes(DiskFaults { write_error_ppm: HALF, ..none }, DiskFault::WriteError, || {
        let written = std_fs::File::create("/file").unwrap().write(b"x");
        written.is_err_and(|it| it.raw_os_error() == Some(5))
    });
    strikes(DiskFaults { no_space_ppm: HALF, ..none }, DiskFault::NoSpace, || {
        let file = std_fs::File::create("/file");
        let written = file.and_then(|mut file| file.write(b"x"));
        written.is_err_and(|it| it.raw_os_error() == Some(28))
    });
    strikes(DiskFaults { short_write_ppm: HALF, ..none }, DiskFault::ShortWrite, || {
        std_fs::File::create("/file").unwrap().write(&[1; 100]).unwrap() < 100
    });
    strikes(DiskFaults { sync_error_ppm: HALF, ..none }, DiskFault::SyncError, || {
        let mut file = std_fs::File::create("/file").unwrap();
        file.write_all(b"x").unwrap();
        file.sync_all().is_err()
    });
    strikes(DiskFaults { read_error_ppm: HALF, ..none }, DiskFault::ReadError, || {
        std_fs::write("/file", [1; 100]).unwrap();
        std_fs::File::open("/file").unwrap().read_at(&mut [0; 100], 0).is_err()
    });
    strikes(DiskFaults { short_read_ppm: HALF, ..none }, DiskFault::ShortRead, || {
        std_fs::write("/file", [1; 100]).unwrap();
        std_fs::File::open("/file").unwrap().read_at(&mut [0; 100], 0).unwrap() < 100
    });
}
