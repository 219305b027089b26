//! A canary for each kind of fault: a small program that notices it if, and only if, the fault bites.

use sim_choice::{Choices, Path, Seed, Strategy};
use sim_fs::{Cx, Device, Disk, Errno, Fault, FaultCount, Faults, Fd, Open, PAGE, Verb};

const ALWAYS: u32 = 1_000_000;

struct Program {
    disk: Disk,
    choices: Choices,
    now_ns: u64,
}

impl Program {
    fn new(faults: Faults) -> Program {
        let mut choices = Choices::new();
        choices.start(Seed(3), Strategy::Random);
        let mut disk = Disk::new();
        disk.set_faults(b"/", faults);
        Program { disk, choices, now_ns: 0 }
    }

    fn on<T>(&mut self, verb: impl FnOnce(&mut Disk, &mut Cx<'_>) -> T) -> T {
        let mut cx = Cx::new(self.now_ns, Path::MAIN, &mut self.choices);
        let answer = verb(&mut self.disk, &mut cx);
        self.now_ns = self.now_ns.max(cx.done_ns);
        answer
    }

    fn open(&mut self, how: Open) -> Fd {
        self.on(|disk, cx| disk.open(cx, b"/file", how)).unwrap()
    }

    fn pwrite(&mut self, fd: Fd, offset: u64, data: &[u8]) -> sim_fs::Result<usize> {
        self.on(|disk, cx| disk.pwrite(cx, fd, offset, data))
    }

    fn fsync(&mut self, fd: Fd) -> sim_fs::Result<()> {
        self.on(|disk, cx| disk.fsync(cx, fd))
    }

    fn read(&mut self, fd: Fd, len: usize) -> sim_fs::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        let count = self.on(|disk, cx| disk.pread(cx, fd, 0, &mut bytes))?;
        bytes.truncate(count);
        Ok(bytes)
    }

    fn set(&mut self, faults: Faults) {
        self.disk.set_faults(b"/", faults);
    }

    /// A file of three pages, `a`, `b` and `c`, all of it durable.
    fn file(&mut self) -> Fd {
        let faults = Faults::default();
        self.set(faults);
        let fd = self.open(Open::CREATE);
        for (at, byte) in (0..).zip(b"abc") {
            self.pwrite(fd, at * PAGE as u64, &[*byte; PAGE]).unwrap();
        }
        self.on(|disk, cx| disk.sync(cx));
        fd
    }

    fn restart(&mut self) -> Fd {
        self.on(|disk, cx| disk.crash(cx));
        self.open(Open::CREATE)
    }

    fn count(&self, fault: Fault) -> (u64, u64) {
        let FaultCount { injected, effective } = self.disk.fault_count(fault);
        (injected, effective)
    }
}

/// The three pages as they were written.
fn whole() -> Vec<u8> {
    [[b'a'; PAGE], [b'b'; PAGE], [b'c'; PAGE]].concat()
}

/// Runs the canary on a calm disk, where nothing may happen, and on one with the fault.
fn canary(faults: Faults, fault: Fault, bites: impl Fn(&mut Program, Faults) -> bool) {
    let mut calm = Program::new(Faults::default());
    assert!(!bites(&mut calm, Faults::default()), "{fault:?} without any");
    assert_eq!(calm.count(fault), (0, 0));
    let mut program = Program::new(faults);
    assert!(bites(&mut program, faults), "{fault:?} did not bite");
    let (injected, effective) = program.count(fault);
    assert!(injected > 0 && effective > 0, "{fault:?}: {injected} injected, {effective} effective");
}

#[test]
fn a_read_fails() {
    let faults = Faults { read_error_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::ReadError, |program, faults| {
        let fd = program.file();
        program.set(faults);
        program.read(fd, PAGE) == Err(Errno::EIO)
    });
}

#[test]
fn a_write_fails_and_writes_nothing() {
    let faults = Faults { write_error_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::WriteError, |program, faults| {
        let fd = program.file();
        program.set(faults);
        let failed = program.pwrite(fd, 0, b"a") == Err(Errno::EIO);
        assert_eq!(program.read(fd, 3 * PAGE), Ok(whole()));
        failed
    });
}

#[test]
fn an_fsync_fails_once_and_what_it_was_to_write_is_gone() {
    let faults = Faults { sync_error_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::SyncError, |program, faults| {
        let fd = program.file();
        let other = program.open(Open::READ);
        program.pwrite(fd, 0, &[b'n'; PAGE]).unwrap();
        program.set(faults);
        let failed = program.fsync(fd) == Err(Errno::EIO);
        program.set(Faults::default());
        // The retry succeeds, the cache has the data, the device does not.
        assert_eq!(program.fsync(fd), Ok(()));
        assert_eq!(program.read(fd, 1).unwrap(), b"n");
        // The other open file is told too, once.
        let told = program.fsync(other) == Err(Errno::EIO);
        assert_eq!(told, failed);
        assert_eq!(program.fsync(other), Ok(()));
        let fd = program.restart();
        let lost = program.read(fd, 1).unwrap() == b"a";
        assert_eq!(lost, failed);
        failed
    });
}

#[test]
fn there_is_no_space_by_chance_and_by_capacity() {
    let faults = Faults { no_space_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::NoSpace, |program, faults| {
        let fd = program.file();
        program.set(faults);
        program.pwrite(fd, 0, b"a") == Err(Errno::ENOSPC)
            && program.on(|disk, cx| disk.mkdir(cx, b"/d", 0o777)) == Err(Errno::ENOSPC)
    });
    let mut program = Program::new(Faults::default());
    let fd = program.file();
    // The root, three pages, and room for one more.
    program.disk.set_capacity(5 * PAGE as u64);
    assert_eq!(program.pwrite(fd, 3 * PAGE as u64, &[1; 2 * PAGE]), Ok(PAGE));
    assert_eq!(program.pwrite(fd, 4 * PAGE as u64, b"x"), Err(Errno::ENOSPC));
    assert_eq!(program.pwrite(fd, 0, &[b'o'; PAGE]), Ok(PAGE), "what has a block can be written");
    assert_eq!(program.on(|disk, cx| disk.mkdir(cx, b"/d", 0o777)), Err(Errno::ENOSPC));
    program.on(|disk, cx| disk.ftruncate(cx, fd, 0)).unwrap();
    assert_eq!(program.on(|disk, cx| disk.mkdir(cx, b"/d", 0o777)), Ok(()));
    assert_eq!(program.disk.volume().free, 3);
}

#[test]
fn reads_and_writes_are_short() {
    let faults = Faults { short_read_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::ShortRead, |program, faults| {
        let fd = program.file();
        program.set(faults);
        (1..PAGE).contains(&program.read(fd, PAGE).unwrap().len())
    });
    let faults = Faults { short_write_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::ShortWrite, |program, faults| {
        let fd = program.file();
        program.set(faults);
        (1..PAGE).contains(&program.pwrite(fd, 0, &[b'n'; PAGE]).unwrap())
    });
}

#[test]
fn a_bad_sector_stays_bad_until_it_is_written_whole() {
    let faults = Faults { latent_sector_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::LatentSector, |program, faults| {
        let fd = program.file();
        program.set(faults);
        let bad = program.read(fd, PAGE) == Err(Errno::EIO);
        program.set(Faults::default());
        assert_eq!(program.read(fd, PAGE).is_err(), bad);
        assert_eq!(program.pwrite(fd, 1, b"x").is_err(), bad, "the rest has to be read first");
        let fd = program.restart();
        assert_eq!(program.read(fd, PAGE).is_err(), bad);
        program.pwrite(fd, 0, &[b'n'; PAGE]).unwrap();
        assert_eq!(program.read(fd, 1).unwrap(), b"n");
        bad
    });
}

#[test]
fn a_bit_turns_for_good() {
    let faults = Faults { bit_rot_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::BitRot, |program, faults| {
        let fd = program.file();
        program.set(faults);
        let read = program.read(fd, 3 * PAGE).unwrap();
        program.set(Faults::default());
        let turned: u32 = read.iter().zip(whole()).map(|(a, b)| (a ^ b).count_ones()).sum();
        let fd = program.restart();
        assert_eq!(program.read(fd, 3 * PAGE).unwrap(), read);
        turned == 1
    });
}

#[test]
fn a_read_gives_another_page_once() {
    let faults = Faults { misdirected_read_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::MisdirectedRead, |program, faults| {
        let fd = program.file();
        program.set(faults);
        let wrong = (0..20).any(|_| matches!(program.read(fd, 1).unwrap()[..], [b'b' | b'c']));
        program.set(Faults::default());
        assert_eq!(program.read(fd, 3 * PAGE).unwrap(), whole());
        wrong
    });
}

#[test]
fn a_write_goes_to_another_page() {
    let faults = Faults { misdirected_write_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::MisdirectedWrite, |program, faults| {
        let fd = program.file();
        program.set(faults);
        for _ in 0..20 {
            program.pwrite(fd, 0, &[b'n'; PAGE]).unwrap();
            program.fsync(fd).unwrap();
        }
        assert_eq!(program.read(fd, 1).unwrap(), b"n", "the cache has it where it belongs");
        program.set(Faults::default());
        let fd = program.restart();
        program.read(fd, 3 * PAGE).unwrap()[PAGE..].contains(&b'n')
    });
}

#[test]
fn a_write_is_reported_done_and_was_not() {
    let faults = Faults { phantom_write_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::PhantomWrite, |program, faults| {
        let fd = program.file();
        program.set(faults);
        program.pwrite(fd, 0, &[b'n'; PAGE]).unwrap();
        program.fsync(fd).unwrap();
        assert_eq!(program.read(fd, 1).unwrap(), b"n");
        // A direct read goes to the device.
        let direct = program.open(Open { direct: true, ..Open::READ });
        let missed = program.read(direct, PAGE).unwrap()[0] == b'a';
        program.set(Faults::default());
        let fd = program.restart();
        assert_eq!(program.read(fd, 1).unwrap() == b"a", missed);
        missed
    });
}

#[test]
fn the_device_stalls_and_is_slow() {
    let faults = Faults { stall_ppm: ALWAYS, stall_ns: 1_000_000_000, ..Faults::default() };
    canary(faults, Fault::Stall, |program, faults| {
        let fd = program.file();
        program.set(faults);
        let before = program.now_ns;
        program.fsync(fd).unwrap();
        program.now_ns - before >= 1_000_000_000
    });
    let took = |times: u32, bytes: usize| {
        let mut program = Program::new(Faults::default());
        program.choices.start(Seed(0), Strategy::Calm);
        let fd = program.file();
        program.disk.set_device(Device::USUAL);
        program.disk.slow(times);
        program.pwrite(fd, 0, &vec![1; bytes]).unwrap();
        assert_eq!(program.now_ns, 0, "what is cached takes no time");
        program.fsync(fd).unwrap();
        program.now_ns
    };
    // An operation of 200 µs, 4 KiB at 50 MB/s, 5 ms for the sync.
    assert_eq!(took(1, 1), 200_000 + 81_920 + 5_000_000);
    assert_eq!(took(3, 1), 3 * took(1, 1));
    assert_eq!(took(1, 1 << 20) - took(1, 1), 255 * 81_920);
}

#[test]
fn a_disk_is_lost() {
    let faults = Faults { lost_disk_ppm: ALWAYS, ..Faults::default() };
    canary(faults, Fault::LostDisk, |program, faults| {
        program.file();
        program.set(faults);
        program.on(|disk, cx| disk.crash(cx));
        program.on(|disk, cx| disk.stat(cx, b"/file")) == Err(Errno::ENOENT)
    });
}

#[test]
fn a_crash_tears_pages_and_leaves_garbage() {
    let garbage = Faults { garbage_ppm: ALWAYS, ..Faults::default() };
    let seen = |faults: Faults| {
        let (mut torn, mut foreign) = (0, 0);
        for seed in 0..100 {
            let mut program = Program::new(Faults::default());
            program.choices.start(Seed(seed), Strategy::Random);
            let fd = program.file();
            program.pwrite(fd, 0, &[b'n'; PAGE]).unwrap();
            program.set(faults);
            let fd = program.restart();
            let page = program.read(fd, PAGE).unwrap();
            torn += u64::from(page.contains(&b'n') && page.iter().any(|byte| *byte != b'n'));
            foreign += u64::from(page.iter().any(|byte| !b"an".contains(byte)));
            assert!(program.count(Fault::Torn).1 <= 1);
        }
        (torn, foreign)
    };
    let (torn, foreign) = seen(Faults::default());
    assert!(torn > 10, "{torn}");
    assert_eq!(foreign, 0);
    let (_, foreign) = seen(garbage);
    assert!(foreign > 10, "{foreign}");
}

#[test]
fn what_is_planned_happens_next_and_once() {
    let mut program = Program::new(Faults::default());
    let fd = program.file();
    program.disk.fail_next(Verb::Rename, Errno::EDQUOT);
    program.disk.fail_next(Verb::Sync, Errno::EIO);
    let rename =
        |program: &mut Program| program.on(|disk, cx| disk.rename(cx, b"/file", b"/other", false));
    assert_eq!(program.count(Fault::Planned), (2, 0));
    assert_eq!(rename(&mut program), Err(Errno::EDQUOT));
    assert_eq!(rename(&mut program), Ok(()));
    assert_eq!(program.fsync(fd), Err(Errno::EIO));
    assert_eq!(program.fsync(fd), Ok(()));
    assert_eq!(program.count(Fault::Planned), (2, 2));
}

#[test]
fn the_longest_path_counts() {
    let mut program = Program::new(Faults::default());
    let failing = Faults { read_error_ppm: ALWAYS, ..Faults::default() };
    program.on(|disk, cx| disk.mkdir(cx, b"/d", 0o777)).unwrap();
    program.set(failing);
    program.disk.set_faults(b"/d", Faults::default());
    program.disk.set_faults(b"/d/bad", failing);
    let mut read = |path: &[u8]| {
        let fd = program.on(|disk, cx| disk.open(cx, path, Open::CREATE)).unwrap();
        program.pwrite(fd, 0, b"x").unwrap();
        program.read(fd, 1).is_ok()
    };
    let fine = [&b"/a"[..], b"/d/a", b"/d/bad", b"/d/badly"].map(&mut read);
    assert_eq!(fine, [false, true, false, true]);
}
