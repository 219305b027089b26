//! The filesystem model, next to a plain map in memory, which is the limit. `cargo bench --bench disk` runs it.

use divan::{
    Bencher, black_box,
    counter::{BytesCount, ItemsCount},
};
use sim_choice::{Choices, Path, Seed, Strategy};
use sim_fs::{Cx, Disk, Fd, Open};
use std::collections::BTreeMap;

const TIMES: u64 = 1_000;
const MANY: u64 = 100_000;

fn main() {
    divan::main();
}

fn disk() -> (Disk, Choices) {
    let mut choices = Choices::new();
    choices.start(Seed(1), Strategy::Random);
    (Disk::new(), choices)
}

/// Appends of 100 bytes, each followed by an fsync.
#[divan::bench]
fn append_and_fsync(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = disk();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    let fd = disk.open(&mut cx, b"/log", Open::CREATE).unwrap();
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        disk.ftruncate(&mut cx, fd, 0).unwrap();
        for n in 0..TIMES {
            disk.pwrite(&mut cx, fd, n * 100, &[7; 100]).unwrap();
            disk.fsync(&mut cx, fd).unwrap();
        }
    });
}

/// Appends of 100 bytes that nobody syncs.
#[divan::bench]
fn append(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = disk();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    let fd = disk.open(&mut cx, b"/log", Open::CREATE).unwrap();
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        disk.ftruncate(&mut cx, fd, 0).unwrap();
        for n in 0..TIMES {
            disk.pwrite(&mut cx, fd, n * 100, &[7; 100]).unwrap();
        }
        disk.fsync(&mut cx, fd).unwrap();
    });
}

/// The limit of the two: the bytes go to the end of a vector in a map.
#[divan::bench]
fn append_to_a_map(bencher: Bencher<'_, '_>) {
    let mut map: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::from([(b"/log".to_vec(), Vec::new())]);
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        map.get_mut(&b"/log"[..]).unwrap().clear();
        for _ in 0..TIMES {
            map.get_mut(black_box(&b"/log"[..])).unwrap().extend_from_slice(&[7; 100]);
        }
    });
}

const CHUNK: usize = 1 << 20;

fn sequential(disk: &mut Disk, cx: &mut Cx<'_>, fd: Fd, data: &[u8]) {
    for n in 0..16 {
        disk.pwrite(cx, fd, n * CHUNK as u64, data).unwrap();
    }
}

/// 16 MiB in chunks of 1 MiB, and an fsync.
#[divan::bench]
fn write_large(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = disk();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    let fd = disk.open(&mut cx, b"/large", Open::CREATE).unwrap();
    let data = vec![7; CHUNK];
    bencher.counter(BytesCount::new(16 * CHUNK)).bench_local(|| {
        sequential(&mut disk, &mut cx, fd, &data);
        disk.fsync(&mut cx, fd).unwrap();
    });
}

/// The same, read.
#[divan::bench]
fn read_large(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = disk();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    let fd = disk.open(&mut cx, b"/large", Open::CREATE).unwrap();
    let mut data = vec![7; CHUNK];
    sequential(&mut disk, &mut cx, fd, &data);
    bencher.counter(BytesCount::new(16 * CHUNK)).bench_local(|| {
        for n in 0..16 {
            disk.pread(&mut cx, fd, n * CHUNK as u64, &mut data).unwrap();
        }
    });
}

/// The limit of the two: memory is copied.
#[divan::bench]
fn copy_large(bencher: Bencher<'_, '_>) {
    let (data, mut into) = (vec![7; CHUNK], vec![0; 16 * CHUNK]);
    bencher.counter(BytesCount::new(16 * CHUNK)).bench_local(|| {
        for part in into.chunks_mut(CHUNK) {
            part.copy_from_slice(black_box(&data));
        }
    });
}

fn name(n: u64) -> Vec<u8> {
    format!("/{n}").into_bytes()
}

fn full() -> (Disk, Choices) {
    let (mut disk, mut choices) = disk();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    for n in 0..MANY {
        let fd = disk.open(&mut cx, &name(n), Open::CREATE).unwrap();
        disk.close(fd).unwrap();
    }
    disk.sync(&mut cx);
    (disk, choices)
}

/// 100,000 files are made in one folder, and synced.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn make_100_000_files(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| full().0.pending_count());
}

/// The limit: that many names in a map.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn make_100_000_names_in_a_map(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
        (0..MANY).map(|n| (name(n), Vec::<u8>::new())).collect::<BTreeMap<_, _>>().len()
    });
}

/// stat of files in a folder of 100,000.
#[divan::bench]
fn stat_among_100_000(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = full();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        for n in 0..TIMES {
            black_box(disk.stat(&mut cx, &name(n * 97)).unwrap());
        }
    });
}

/// A file is made and removed in a folder of 100,000, and the folder synced.
#[divan::bench]
fn replace_among_100_000(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = full();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    let folder = disk.open(&mut cx, b"/", Open::READ).unwrap();
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        for _ in 0..TIMES {
            let fd = disk.open(&mut cx, b"/new", Open::CREATE).unwrap();
            disk.close(fd).unwrap();
            disk.unlink(&mut cx, b"/new").unwrap();
            disk.fsync(&mut cx, folder).unwrap();
        }
    });
}

/// All names of a folder of 100,000.
#[divan::bench]
fn list_100_000(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = full();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    let folder = disk.open(&mut cx, b"/", Open::READ).unwrap();
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
        disk.rewinddir(folder).unwrap();
        while let Some(entry) = disk.readdir(&mut cx, folder).unwrap() {
            black_box(entry);
        }
    });
}

/// A crash of a small disk with twenty changes pending, and its clone.
#[divan::bench]
fn crash(bencher: Bencher<'_, '_>) {
    let (mut disk, mut choices) = disk();
    let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    for n in 0..5 {
        let fd = disk.open(&mut cx, &name(n), Open::CREATE).unwrap();
        disk.write(&mut cx, fd, &[7; 5000]).unwrap();
    }
    bencher.bench_local(|| disk.clone().crash(&mut cx));
}

/// One calm run of a program; `sim` counts its steps, and no seed is tried twice.
fn run<F: Future<Output = ()> + 'static>(program: fn() -> F) {
    let config = sim::Config::new().seeds(1).strategy("calm");
    let report = sim::check(config, program);
    assert!(report.failure.is_none(), "{report}");
}

/// As `append_and_fsync`, by std's face in a run.
#[divan::bench]
fn append_and_fsync_by_std(bencher: Bencher<'_, '_>) {
    use std::io::Write;
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        run(|| async {
            let mut file = sim::std::fs::File::create("/log").unwrap();
            for _ in 0..TIMES {
                file.write_all(&[7; 100]).unwrap();
                file.sync_data().unwrap();
            }
        });
    });
}

/// As `append_and_fsync`, by tokio's face, which takes a thread for each.
#[divan::bench]
fn append_and_fsync_by_tokio(bencher: Bencher<'_, '_>) {
    use sim::io::AsyncWriteExt;
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        run(|| async {
            let mut file = sim::fs::File::create("/log").await.unwrap();
            for _ in 0..TIMES {
                file.write_all(&[7; 100]).await.unwrap();
                file.sync_data().await.unwrap();
            }
        });
    });
}

/// 64 MiB in pieces of 64 KiB, by std's face.
#[divan::bench]
fn write_large_by_std(bencher: Bencher<'_, '_>) {
    use std::io::Write;
    bencher.counter(BytesCount::new(64_u64 << 20)).bench_local(|| {
        run(|| async {
            let mut file = sim::std::fs::File::create("/large").unwrap();
            for _ in 0..1_024 {
                file.write_all(&[7; 64 << 10]).unwrap();
            }
            file.sync_all().unwrap();
        });
    });
}

/// 100,000 files of 100 bytes, by std's face.
#[divan::bench(sample_count = 5)]
fn many_files_by_std(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(MANY)).bench_local(|| {
        run(|| async {
            for n in 0..MANY {
                sim::std::fs::write(format!("/{n}"), [7; 100]).unwrap();
            }
        });
    });
}
