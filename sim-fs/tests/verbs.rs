//! What the differential test does not reach: limits, mounts, orders, times, and the rest of what a program sees.

use sim_choice::{Choices, Path, Seed, Strategy};
use sim_fs::{Content, Cx, Disk, Errno, Fd, Flock, Open, Seek, User};

fn with<T>(test: impl FnOnce(&mut Disk, &mut Cx<'_>) -> T) -> T {
    let (mut disk, mut choices) = (Disk::new(), Choices::new());
    test(&mut disk, &mut Cx::new(0, Path::MAIN, &mut choices))
}

#[test]
fn a_number_that_is_not_open_is_bad() {
    with(|disk, cx| {
        let fd = Fd(999);
        let bad = Errno::EBADF;
        assert_eq!(disk.read(cx, fd, &mut [0]), Err(bad));
        assert_eq!(disk.pread(cx, fd, 0, &mut [0]), Err(bad));
        assert_eq!(disk.write(cx, fd, b"x"), Err(bad));
        assert_eq!(disk.fsync(cx, fd), Err(bad));
        assert_eq!(disk.fdatasync(cx, fd), Err(bad));
        assert_eq!(disk.fstat(cx, fd), Err(bad));
        assert_eq!(disk.seek(cx, fd, Seek::Start(0)), Err(bad));
        assert_eq!(disk.dup(fd), Err(bad));
        assert_eq!(disk.close(fd), Err(bad));
        assert_eq!(disk.flock(fd, Flock::Shared), Err(bad));
        assert_eq!(disk.readdir(cx, fd), Err(bad));
        assert_eq!(disk.ftruncate(cx, fd, 0), Err(bad));
    });
}

#[test]
fn numbers_are_few_and_the_lowest_free_one_comes_next() {
    with(|disk, cx| {
        disk.set_open_limit(6);
        let fds: Vec<Fd> = (0..3).map(|_| disk.open(cx, b"/a", Open::CREATE).unwrap()).collect();
        assert_eq!(fds, [Fd(3), Fd(4), Fd(5)]);
        assert_eq!(disk.open(cx, b"/new", Open::CREATE), Err(Errno::EMFILE));
        assert_eq!(disk.stat(cx, b"/new"), Err(Errno::ENOENT), "nothing was made");
        assert_eq!(disk.dup(Fd(3)), Err(Errno::EMFILE));
        disk.close(Fd(4)).unwrap();
        assert_eq!(disk.dup(Fd(3)), Ok(Fd(4)));
    });
}

#[test]
fn the_root_cannot_be_left_removed_or_renamed() {
    with(|disk, cx| {
        disk.mkdir(cx, b"/d", 0o777).unwrap();
        assert_eq!(disk.realpath(cx, b"/../../d/../.."), Ok(b"/".to_vec()));
        assert_eq!(disk.rmdir(cx, b"/"), Err(Errno::EBUSY));
        assert_eq!(disk.unlink(cx, b"/"), Err(Errno::EISDIR));
        assert_eq!(disk.rename(cx, b"/", b"/d/x", false), Err(Errno::EBUSY));
        assert_eq!(disk.rename(cx, b"/d", b"/", false), Err(Errno::EBUSY));
        assert_eq!(disk.mkdir(cx, b"/", 0o777), Err(Errno::EEXIST));
    });
}

#[test]
fn nothing_goes_across_a_mount_point() {
    with(|disk, cx| {
        disk.mkdir(cx, b"/m", 0o777).unwrap();
        disk.mount(b"/m").unwrap();
        disk.open(cx, b"/a", Open::CREATE).unwrap();
        assert_eq!(disk.rename(cx, b"/a", b"/m/a", false), Err(Errno::EXDEV));
        assert_eq!(disk.link(cx, b"/a", b"/m/a"), Err(Errno::EXDEV));
        assert_eq!(disk.rmdir(cx, b"/m"), Err(Errno::EBUSY));
        disk.open(cx, b"/m/b", Open::CREATE).unwrap();
        assert_eq!(disk.rename(cx, b"/m/b", b"/m/c", false), Ok(()));
        let devices = [&b"/"[..], b"/m", b"/m/c"].map(|path| disk.stat(cx, path).unwrap().device);
        assert_eq!(devices, [1, 2, 2]);
    });
}

#[test]
fn a_read_only_disk_is_read() {
    with(|disk, cx| {
        let fd = disk.open(cx, b"/a", Open::CREATE).unwrap();
        disk.write(cx, fd, b"x").unwrap();
        disk.set_read_only(true);
        let error = Errno::EROFS;
        assert_eq!(disk.pread(cx, fd, 0, &mut [0]), Ok(1));
        assert!(disk.open(cx, b"/a", Open::READ).is_ok());
        assert_eq!(disk.open(cx, b"/a", Open { write: true, ..Open::READ }), Err(error));
        assert_eq!(disk.open(cx, b"/new", Open::CREATE), Err(error));
        assert_eq!(disk.mkdir(cx, b"/d", 0o777), Err(error));
        assert_eq!(disk.unlink(cx, b"/a"), Err(error));
        assert_eq!(disk.rename(cx, b"/a", b"/b", false), Err(error));
        assert_eq!(disk.chmod(cx, b"/a", 0), Err(error));
    });
}

#[test]
fn forty_symbolic_links_are_followed_and_no_more() {
    with(|disk, cx| {
        disk.mkdir(cx, b"/0", 0o777).unwrap();
        for n in 1..=41 {
            let (target, path) = (format!("{}", n - 1), format!("/{n}"));
            disk.symlink(cx, target.as_bytes(), path.as_bytes()).unwrap();
        }
        assert_eq!(disk.realpath(cx, b"/40"), Ok(b"/0".to_vec()));
        assert_eq!(disk.stat(cx, b"/41"), Err(Errno::ELOOP));
        assert_eq!(disk.open(cx, b"/41", Open::READ), Err(Errno::ELOOP));
    });
}

#[test]
fn a_current_folder_can_be_moved_and_removed() {
    with(|disk, cx| {
        disk.mkdir(cx, b"/a", 0o777).unwrap();
        disk.mkdir(cx, b"/a/b", 0o777).unwrap();
        disk.chdir(cx, b"/a/b").unwrap();
        disk.rename(cx, b"/a", b"/c", false).unwrap();
        assert_eq!(disk.cwd(), Ok(b"/c/b".to_vec()));
        disk.rmdir(cx, b"../b").unwrap();
        assert_eq!(disk.cwd(), Err(Errno::ENOENT));
        assert_eq!(disk.open(cx, b"x", Open::CREATE), Err(Errno::ENOENT));
        assert_eq!(disk.chdir(cx, b"/nowhere"), Err(Errno::ENOENT));
        disk.chdir(cx, b"/").unwrap();
        assert_eq!(disk.cwd(), Ok(b"/".to_vec()));
    });
}

#[test]
fn a_user_may_what_the_mode_says_and_root_all() {
    with(|disk, cx| {
        disk.umask(0);
        let fd = disk.open(cx, b"/a", Open { mode: 0o400, ..Open::CREATE }).unwrap();
        assert_eq!(disk.write(cx, fd, b"x"), Ok(1), "who made it may write to it all the same");
        assert_eq!(disk.open(cx, b"/a", Open::CREATE), Err(Errno::EACCES));
        disk.mkdir(cx, b"/d", 0o500).unwrap();
        assert_eq!(disk.mkdir(cx, b"/d/x", 0o777), Err(Errno::EACCES));
        disk.set_user(User { uid: 1001, gid: 1001 });
        assert_eq!(disk.open(cx, b"/a", Open::READ), Err(Errno::EACCES));
        assert_eq!(disk.stat(cx, b"/d/x"), Err(Errno::EACCES));
        assert_eq!(disk.chmod(cx, b"/a", 0o777), Err(Errno::EPERM));
        disk.set_user(User { uid: 0, gid: 0 });
        assert!(disk.open(cx, b"/a", Open::CREATE).is_ok());
        assert_eq!(disk.chown(cx, b"/a", (Some(7), None), true), Ok(()));
        assert_eq!(disk.stat(cx, b"/a").unwrap().uid, 7);
    });
}

#[test]
fn direct_reads_and_writes_are_of_whole_sectors() {
    with(|disk, cx| {
        let fd = disk.open(cx, b"/a", Open { direct: true, ..Open::CREATE }).unwrap();
        assert_eq!(disk.pwrite(cx, fd, 0, &[1; 100]), Err(Errno::EINVAL));
        assert_eq!(disk.pwrite(cx, fd, 100, &[1; 512]), Err(Errno::EINVAL));
        assert_eq!(disk.pwrite(cx, fd, 512, &[1; 512]), Ok(512));
        let mut bytes = [9; 1024];
        assert_eq!(disk.pread(cx, fd, 0, &mut bytes), Ok(1024));
        assert_eq!((bytes[0], bytes[512]), (0, 1));
    });
}

fn listed(disk: &mut Disk, choices: &mut Choices) -> String {
    let mut cx = Cx::new(0, Path::MAIN, choices);
    let fd = disk.open(&mut cx, b"/", Open::READ).unwrap();
    let mut names = String::new();
    while let Some(entry) = disk.readdir(&mut cx, fd).unwrap() {
        names += std::str::from_utf8(&entry.name).unwrap();
    }
    names
}

#[test]
fn the_order_of_names_is_a_choice_and_calm_is_by_name() {
    let (mut disk, mut choices) = (Disk::new(), Choices::new());
    for name in ["b", "d", "a", "c"] {
        let path = format!("/{name}");
        disk.mkdir(&mut Cx::new(0, Path::MAIN, &mut choices), path.as_bytes(), 0o777).unwrap();
    }
    assert_eq!(listed(&mut disk, &mut choices), "abcd");
    let seen: std::collections::BTreeSet<String> = (0..200)
        .map(|seed| {
            choices.start(Seed(seed), Strategy::Random);
            listed(&mut disk, &mut choices)
        })
        .collect();
    assert!(seen.contains("bdac"), "as they were made");
    assert!(seen.len() > 10, "{seen:?}");
}

#[test]
fn times_are_the_nodes() {
    let (mut disk, mut choices) = (Disk::new(), Choices::new());
    let mut at = |wall_ns: i64, verb: &dyn Fn(&mut Disk, &mut Cx<'_>)| {
        let mut cx = Cx { wall_ns, ..Cx::new(0, Path::MAIN, &mut choices) };
        verb(&mut disk, &mut cx);
        let stat = disk.stat(&mut cx, b"/a").unwrap();
        (stat.accessed_ns, stat.modified_ns, stat.changed_ns, stat.born_ns)
    };
    let fd = Fd(3);
    let made = at(10, &|disk, cx| assert_eq!(disk.open(cx, b"/a", Open::CREATE), Ok(fd)));
    assert_eq!(made, (10, 10, 10, 10));
    let written = at(20, &|disk, cx| assert_eq!(disk.write(cx, fd, b"x"), Ok(1)));
    assert_eq!(written, (10, 20, 20, 10));
    let read = at(30, &|disk, cx| assert_eq!(disk.pread(cx, fd, 0, &mut [0]), Ok(1)));
    assert_eq!(read, (30, 20, 20, 10));
    let again = at(40, &|disk, cx| assert_eq!(disk.pread(cx, fd, 0, &mut [0]), Ok(1)));
    assert_eq!(again, (30, 20, 20, 10), "relatime");
    let set = at(50, &|disk, cx| disk.futimes(cx, fd, (Some(-1), None)).unwrap());
    assert_eq!(set, (-1, 20, 50, 10));
}

#[test]
fn a_lock_belongs_to_the_open_file_and_is_told_when_it_is_given_back() {
    with(|disk, cx| {
        let [one, other] = [0, 1].map(|_| disk.open(cx, b"/a", Open::CREATE).unwrap());
        let copy = disk.dup(one).unwrap();
        assert_eq!(disk.flock(one, Flock::Exclusive), Ok(()));
        assert_eq!(disk.flock(copy, Flock::Exclusive), Ok(()));
        assert_eq!(disk.flock(other, Flock::Shared), Err(Errno::EAGAIN));
        disk.close(one).unwrap();
        let mut told = Vec::new();
        disk.take_unlocked(&mut told);
        assert_eq!(told, [], "the copy still has it");
        disk.close(copy).unwrap();
        disk.take_unlocked(&mut told);
        assert_eq!(told, [disk.fstat(cx, other).unwrap().ino]);
        assert_eq!(disk.flock(other, Flock::Shared), Ok(()));
    });
}

#[test]
fn starting_content_is_durable_and_a_snapshot_stays_as_it_was() {
    with(|disk, cx| {
        let file = |bytes: &[u8]| Content::File { mode: 0o644, bytes: bytes.to_vec() };
        disk.load(cx, [("/etc/conf", file(b"x = 1")), ("/data", Content::Folder { mode: 0o700 })])
            .unwrap();
        assert_eq!(disk.pending_count(), 0);
        assert_eq!(disk.load(cx, [("/etc/conf", file(b""))]), Err(Errno::EEXIST));
        assert_eq!(disk.load(cx, [("etc", file(b""))]), Err(Errno::EINVAL));
        let snapshot = disk.clone();
        let before = disk.contents();
        assert_eq!(before[&b"/etc/conf"[..]], file(b"x = 1"));
        disk.unlink(cx, b"/etc/conf").unwrap();
        disk.truncate(cx, b"/data", 0).unwrap_err();
        assert_ne!(disk.contents(), before);
        assert_eq!(snapshot.contents(), before);
        disk.restore(&snapshot);
        assert_eq!(disk.contents(), before);
    });
}

#[test]
fn the_tree_tells_what_is_only_cached_and_who_wrote_it() {
    with(|disk, cx| {
        let fd = disk.open(cx, b"/old", Open::CREATE).unwrap();
        disk.sync(cx);
        let line = cx.place.line();
        disk.write(cx, fd, &[1; 10_000]).unwrap();
        disk.rename(cx, b"/old", b"/new", false).unwrap();
        let here = format!("tests/verbs.rs:{line}:");
        let tree = disk.tree();
        for part in
            ["new  file, 10000 bytes", "pages 0 to 2 only cached", "size 10000", "old  gone"]
        {
            assert!(tree.contains(part), "{part}: {tree}");
        }
        assert_eq!(tree.matches(&here).count(), 4, "{tree}");
    });
}

#[test]
fn very_many_changes_push_the_oldest_to_the_device() {
    with(|disk, cx| {
        let fd = disk.open(cx, b"/a", Open::CREATE).unwrap();
        for n in 0..70_000u64 {
            disk.pwrite(cx, fd, n * 4096, b"x").unwrap();
        }
        assert!(disk.pending_count() <= 1 << 16, "{}", disk.pending_count());
        let free = disk.volume().free;
        disk.crash(cx);
        assert_eq!(
            (disk.stat(cx, b"/a").unwrap().size, disk.volume().free),
            (69_999 * 4096 + 1, free)
        );
    });
}

#[test]
fn a_copy_moves_both_offsets() {
    with(|disk, cx| {
        let from = disk.open(cx, b"/a", Open::CREATE).unwrap();
        let to = disk.open(cx, b"/b", Open::CREATE).unwrap();
        disk.write(cx, from, b"hello").unwrap();
        disk.seek(cx, from, Seek::Start(1)).unwrap();
        assert_eq!(disk.copy(cx, from, to, 3), Ok(3));
        assert_eq!(disk.copy(cx, from, to, 3), Ok(1));
        assert_eq!(disk.copy(cx, from, to, 3), Ok(0));
        let mut bytes = [0; 8];
        assert_eq!(disk.pread(cx, to, 0, &mut bytes), Ok(4));
        assert_eq!(&bytes[..4], b"ello");
    });
}
