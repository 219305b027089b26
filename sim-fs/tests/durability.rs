//! What a crash leaves, by example: written, synced and named are three things.

use sim_choice::{Choices, Path, Seed, Strategy};
use sim_fs::{Bound, Content, Cx, Disk, Open, PAGE, Result, Rules, Tears};
use std::collections::{BTreeMap, BTreeSet};

fn calm() -> Choices {
    Choices::new()
}

fn on<T>(choices: &mut Choices, verb: impl FnOnce(&mut Cx<'_>) -> T) -> T {
    verb(&mut Cx::new(0, Path::MAIN, choices))
}

/// Runs the program on an empty disk of those rules and gives all that a crash may leave, as text.
fn left_by(
    rules: Rules,
    tears: Tears,
    program: impl FnOnce(&mut Disk, &mut Cx<'_>) -> Result<()>,
) -> BTreeSet<String> {
    let (mut disk, mut choices) = (Disk::new(), calm());
    disk.set_rules(rules);
    on(&mut choices, |cx| program(&mut disk, cx)).unwrap();
    let mut states = disk.crash_states(0, Bound { tears, ..Bound::default() });
    let all: Vec<String> = states.by_ref().map(|state| text(&state.contents())).collect();
    assert!(states.is_complete());
    let different: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(different.len(), all.len(), "each state comes once");
    different
}

/// "/a=hello /b/ /c>target": files with the first byte of each run of equal ones and how many there are.
fn text(contents: &BTreeMap<Vec<u8>, Content>) -> String {
    let shown = contents.iter().map(|(path, content)| {
        let path = path.escape_ascii();
        match content {
            Content::File { bytes, .. } => format!("{path}={}", runs(bytes)),
            Content::Folder { .. } => format!("{path}/"),
            Content::Symlink { target } => format!("{path}>{}", target.escape_ascii()),
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn runs(bytes: &[u8]) -> String {
    let runs = bytes.chunk_by(|a, b| a == b);
    let shown = runs.map(|run| match (run[0], run.len()) {
        (0, len) => format!("0x{len}"),
        (byte, 1) => char::from(byte).to_string(),
        (byte, len) => format!("{}x{len}", char::from(byte)),
    });
    shown.collect::<Vec<_>>().join("")
}

fn states(expected: &[&str]) -> BTreeSet<String> {
    expected.iter().map(|state| (*state).to_owned()).collect()
}

fn create(disk: &mut Disk, cx: &mut Cx<'_>, path: &str, data: &[u8]) -> Result<sim_fs::Fd> {
    let fd = disk.open(cx, path.as_bytes(), Open::CREATE)?;
    disk.write(cx, fd, data)?;
    Ok(fd)
}

fn sync_folder(disk: &mut Disk, cx: &mut Cx<'_>, path: &str) -> Result<()> {
    let fd = disk.open(cx, path.as_bytes(), Open::READ)?;
    disk.fsync(cx, fd)?;
    disk.close(fd)
}

#[test]
fn a_new_file_that_nobody_synced_may_be_whole_empty_or_gone() {
    let left =
        left_by(Rules::PROMISED, Tears::All, |disk, cx| create(disk, cx, "/a", b"hello").map(drop));
    assert_eq!(left, states(&["/a=hello".replace("hello", &runs(b"hello")).as_str(), "/a=", ""]));
}

#[test]
fn a_synced_file_takes_a_synced_folder_to_be_found() {
    let synced_file = |disk: &mut Disk, cx: &mut Cx<'_>| {
        let fd = create(disk, cx, "/a", b"data")?;
        disk.fsync(cx, fd)
    };
    assert_eq!(left_by(Rules::PROMISED, Tears::All, synced_file), states(&["/a=data", ""]));
    // In ext4's one journal the name comes along.
    assert_eq!(left_by(Rules::EXT4, Tears::All, synced_file), states(&["/a=data"]));
    let both = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
        synced_file(disk, cx)?;
        sync_folder(disk, cx, "/")
    });
    assert_eq!(both, states(&["/a=data"]));
    let folder_only = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
        create(disk, cx, "/a", b"data")?;
        sync_folder(disk, cx, "/")
    });
    assert_eq!(folder_only, states(&["/a=data", "/a="]));
}

fn replace(disk: &mut Disk, cx: &mut Cx<'_>, sync_first: bool) -> Result<()> {
    create(disk, cx, "/a", b"old")?;
    disk.sync(cx);
    let fd = create(disk, cx, "/t", b"new")?;
    if sync_first {
        disk.fsync(cx, fd)?;
    }
    disk.rename(cx, b"/t", b"/a", false)
}

#[test]
fn rename_is_one_step_and_does_not_wait_for_data() {
    let replaced =
        |rules, sync_first| left_by(rules, Tears::All, |disk, cx| replace(disk, cx, sync_first));
    assert_eq!(replaced(Rules::PROMISED, true), states(&["/a=new", "/a=old /t=new", "/a=old"]));
    // The classical loss: a file of no bytes under the name.
    assert!(replaced(Rules::PROMISED, false).contains("/a="));
    // auto_da_alloc hides it.
    assert!(!replaced(Rules::EXT4, false).contains("/a="));
}

#[test]
fn an_overwritten_page_is_torn_between_sectors() {
    let left = left_by(Rules::PROMISED, Tears::Prefixes, |disk, cx| {
        let fd = create(disk, cx, "/a", &[b'o'; PAGE])?;
        disk.sync(cx);
        disk.pwrite(cx, fd, 0, &[b'n'; PAGE]).map(drop)
    });
    let mut expected = states(&["/a=ox4096", "/a=nx4096"]);
    expected.extend((1..8).map(|n| format!("/a=nx{}ox{}", n * 512, (8 - n) * 512)));
    assert_eq!(left, expected);
}

#[test]
fn a_new_block_is_never_torn_where_data_are_ordered() {
    let grow = |disk: &mut Disk, cx: &mut Cx<'_>| {
        let fd = create(disk, cx, "/a", &[b'o'; PAGE])?;
        disk.sync(cx);
        disk.pwrite(cx, fd, PAGE as u64, &[b'n'; PAGE]).map(drop)
    };
    assert_eq!(
        left_by(Rules::PROMISED, Tears::All, grow),
        states(&["/a=ox4096", "/a=ox4096nx4096"])
    );
    // POSIX promises nothing: the size may come without the data, or with some.
    let posix = left_by(Rules::POSIX, Tears::Prefixes, grow);
    assert!(posix.contains("/a=ox40960x4096"));
    assert!(posix.contains("/a=ox4096nx5120x3584"));
}

#[test]
fn zeros_may_be_read_where_a_file_grew_within_its_last_block() {
    let left = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
        let fd = create(disk, cx, "/a", b"ab")?;
        disk.sync(cx);
        disk.write(cx, fd, b"cd").map(drop)
    });
    assert_eq!(left, states(&["/a=ab", "/a=abcd", "/a=ab0x2"]));
}

#[test]
fn names_of_one_folder_are_on_their_own() {
    let three = |disk: &mut Disk, cx: &mut Cx<'_>| {
        for path in [b"/a", b"/b", b"/c"] {
            disk.mkdir(cx, path, 0o777)?;
        }
        Ok(())
    };
    assert_eq!(left_by(Rules::PROMISED, Tears::All, three).len(), 8);
    assert_eq!(left_by(Rules::EXT4, Tears::All, three).len(), 4);
}

#[test]
fn a_link_is_there_before_the_other_name_goes() {
    let left = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
        create(disk, cx, "/a", b"x")?;
        disk.sync(cx);
        disk.link(cx, b"/a", b"/b")?;
        disk.unlink(cx, b"/a")
    });
    assert_eq!(left, states(&["/a=x", "/a=x /b=x", "/b=x"]));
}

#[test]
fn a_folder_is_removed_after_what_was_in_it_is_elsewhere() {
    let left = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
        disk.mkdir(cx, b"/d", 0o777)?;
        create(disk, cx, "/d/a", b"x")?;
        disk.sync(cx);
        disk.rename(cx, b"/d/a", b"/a", false)?;
        disk.rmdir(cx, b"/d")
    });
    assert_eq!(left, states(&["/d/ /d/a=x", "/a=x /d/", "/a=x"]));
}

#[test]
fn a_cut_comes_before_what_is_written_after_it() {
    let left = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
        let fd = create(disk, cx, "/a", &[b'o'; 2 * PAGE])?;
        disk.sync(cx);
        disk.ftruncate(cx, fd, 0)?;
        disk.pwrite(cx, fd, PAGE as u64, &[b'n'; PAGE]).map(drop)
    });
    assert_eq!(left, states(&["/a=ox8192", "/a=", "/a=0x4096nx4096"]));
}

#[test]
fn synchronous_writes_are_durable_on_return_and_fdatasync_leaves_the_mode() {
    for (sync, dsync) in [(true, false), (false, true)] {
        let left = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
            let fd = create(disk, cx, "/a", b"")?;
            sync_folder(disk, cx, "/")?;
            disk.close(fd)?;
            let fd = disk.open(cx, b"/a", Open { sync, dsync, ..Open::CREATE })?;
            disk.write(cx, fd, b"kept").map(drop)
        });
        assert_eq!(left, states(&["/a=kept"]), "sync: {sync}");
    }
    let (mut disk, mut choices) = (Disk::new(), calm());
    let modes = on(&mut choices, |cx| {
        let fd = create(&mut disk, cx, "/a", b"x")?;
        disk.sync(cx);
        disk.fchmod(cx, fd, 0o400)?;
        disk.fdatasync(cx, fd)?;
        let after_data = disk.crash_states(0, Bound::default()).count();
        disk.fsync(cx, fd)?;
        Ok::<_, sim_fs::Errno>((after_data, disk.crash_states(0, Bound::default()).count()))
    });
    assert_eq!(modes, Ok((2, 1)));
}

#[test]
fn what_an_fsync_covers_is_durable_when_it_is_done_and_not_before() {
    let (mut disk, mut choices) = (Disk::new(), calm());
    disk.set_device(sim_fs::Device::USUAL);
    let done_ns = on(&mut choices, |cx| {
        let fd = create(&mut disk, cx, "/a", b"data").unwrap();
        sync_folder(&mut disk, cx, "/").unwrap();
        disk.fsync(cx, fd).unwrap();
        cx.done_ns
    });
    assert!(done_ns >= 5_000_000, "{done_ns}");
    let count = |at_ns| disk.crash_states(at_ns, Bound::default()).count();
    assert!(count(done_ns - 1) > 1);
    assert_eq!(count(done_ns), 1);
}

#[test]
fn an_open_file_without_a_name_is_gone_after_a_crash_and_its_space_free() {
    let (mut disk, mut choices) = (Disk::new(), calm());
    on(&mut choices, |cx| {
        let free = disk.volume().free;
        let fd = create(&mut disk, cx, "/a", b"data").unwrap();
        disk.unlink(cx, b"/a").unwrap();
        let mut bytes = [0; 4];
        assert_eq!(disk.pread(cx, fd, 0, &mut bytes), Ok(4));
        assert_eq!(disk.volume().free, free - 1);
        let mut other = disk.clone();
        disk.crash(cx);
        assert_eq!(disk.volume().free, free);
        other.close(fd).unwrap();
        assert_eq!(other.volume().free, free);
    });
}

#[test]
fn a_calm_crash_loses_nothing_and_a_killed_program_neither() {
    let (mut disk, mut choices) = (Disk::new(), calm());
    on(&mut choices, |cx| {
        create(&mut disk, cx, "/a", b"data").unwrap();
        disk.mkdir(cx, b"/d", 0o777).unwrap();
        let before = text(&disk.contents());
        let mut killed = disk.clone();
        killed.kill();
        assert_eq!((text(&killed.contents()), killed.open_count()), (before.clone(), 0));
        assert!(killed.pending_count() > 0);
        let crash = disk.crash(cx);
        assert_eq!((text(&disk.contents()), disk.open_count()), (before, 0));
        assert!(crash.pending > 0 && crash.losses.is_empty());
    });
}

#[test]
fn a_crash_keeps_everything_about_once_in_ten_times() {
    let mut choices = Choices::new();
    let whole = (0..500).filter(|seed| {
        choices.start(Seed(*seed), Strategy::Random);
        let mut disk = Disk::new();
        on(&mut choices, |cx| {
            for name in 0..20 {
                disk.mkdir(cx, format!("/{name}").as_bytes(), 0o777).unwrap();
            }
            disk.crash(cx).losses.is_empty()
        })
    });
    let whole = whole.count();
    assert!((30..80).contains(&whole), "{whole} of 500");
}

#[test]
fn folders_that_change_places_are_never_lost() {
    let left = left_by(Rules::PROMISED, Tears::All, |disk, cx| {
        disk.mkdir(cx, b"/a", 0o777)?;
        disk.mkdir(cx, b"/b", 0o777)?;
        disk.sync(cx);
        disk.rename(cx, b"/a", b"/b/a", false)?;
        disk.rename(cx, b"/b/a", b"/c", false)?;
        disk.rename(cx, b"/b", b"/c/b", false)
    });
    assert_eq!(left, states(&["/a/ /b/", "/b/ /b/a/", "/b/ /c/", "/c/ /c/b/"]));
}
