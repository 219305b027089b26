//! The operations on a `Disk`.

use crate::{Answer, Value, act::Act};
use sim_choice::{Choices, Path, Seed, Strategy};
use sim_fs::{Access, Cx, Disk, Errno, Fd, FileType, Flock, Open, Seek, Stat, User};
use std::collections::BTreeMap;

pub(crate) struct Model {
    disk: Disk,
    choices: Choices,
    files: Vec<Fd>,
    ext4: bool,
}

const BASE: &[u8] = b"/r/w";

impl Model {
    pub(crate) fn new(root: bool, ext4: bool) -> Model {
        let (mut disk, mut choices) = (Disk::new(), Choices::new());
        choices.start(Seed(1), Strategy::Calm);
        let mut cx = Cx::new(0, Path::MAIN, &mut choices);
        if root {
            disk.set_user(User { uid: 0, gid: 0 });
        }
        disk.mkdir(&mut cx, b"/r", 0o755).unwrap();
        disk.mkdir(&mut cx, BASE, 0o755).unwrap();
        disk.chdir(&mut cx, BASE).unwrap();
        Model { disk, choices, files: Vec::new(), ext4 }
    }

    pub(crate) fn run(&mut self, act: &Act) -> Answer {
        self.answer(act).map_err(|errno| errno.0)
    }

    fn answer(&mut self, act: &Act) -> Result<Value, Errno> {
        let ext4 = self.ext4;
        // The host cannot be asked about a number that is not open without unsafe code.
        let files = &self.files;
        let fd = |file: &usize| files.get(*file).copied().ok_or(Errno::EBADF);
        let disk = &mut self.disk;
        let cx = &mut Cx::new(0, Path::MAIN, &mut self.choices);
        let done = |()| Value::Done;
        Ok(match act {
            Act::Open { path, flags, mode } => {
                let fd = disk.open(cx, path, Open::from_raw(*flags, *mode))?;
                self.files.push(fd);
                Value::Done
            }
            Act::Close(file) => {
                disk.close(fd(file)?).map(done)?;
                self.files.remove(*file);
                Value::Done
            }
            Act::Dup(file) => {
                let fd = disk.dup(fd(file)?)?;
                self.files.push(fd);
                Value::Done
            }
            Act::Read { file, len } => {
                let mut bytes = vec![0; *len];
                let count = disk.read(cx, fd(file)?, &mut bytes)?;
                bytes.truncate(count);
                Value::Bytes(bytes)
            }
            Act::PRead { file, offset, len } => {
                let mut bytes = vec![0; *len];
                let count = disk.pread(cx, fd(file)?, *offset, &mut bytes)?;
                bytes.truncate(count);
                Value::Bytes(bytes)
            }
            Act::Write { file, byte, len } => {
                Value::Number(disk.write(cx, fd(file)?, &vec![*byte; *len])? as u64)
            }
            Act::PWrite { file, offset, byte, len } => {
                Value::Number(disk.pwrite(cx, fd(file)?, *offset, &vec![*byte; *len])? as u64)
            }
            // Offsets of folders mean something to each file system alone.
            Act::Seek { file, .. } if disk.fstat(cx, fd(file)?)?.kind == FileType::Folder => {
                Value::Done
            }
            Act::Seek { file, whence, offset } => {
                let at = offset.unsigned_abs();
                Value::Number(disk.seek(
                    cx,
                    fd(file)?,
                    match whence {
                        0 => Seek::Start(at),
                        1 => Seek::Current(*offset),
                        2 => Seek::End(*offset),
                        3 => Seek::Data(at),
                        _ => Seek::Hole(at),
                    },
                )?)
            }
            Act::FTruncate { file, size } => disk.ftruncate(cx, fd(file)?, *size).map(done)?,
            Act::Truncate { path, size } => disk.truncate(cx, path, *size).map(done)?,
            Act::FAllocate { file, offset, len, keep_size } => {
                disk.fallocate(cx, fd(file)?, (*offset, *len), *keep_size).map(done)?
            }
            Act::FStat(file) => stat(disk.fstat(cx, fd(file)?)?, ext4),
            Act::Stat(path) => stat(disk.stat(cx, path)?, ext4),
            Act::LStat(path) => stat(disk.lstat(cx, path)?, ext4),
            Act::ChMod { path, mode } => disk.chmod(cx, path, *mode).map(done)?,
            Act::Access { path, bits } => disk.access(cx, path, Access(*bits)).map(done)?,
            Act::MkDir { path, mode } => disk.mkdir(cx, path, *mode).map(done)?,
            Act::RmDir(path) => disk.rmdir(cx, path).map(done)?,
            Act::Unlink(path) => disk.unlink(cx, path).map(done)?,
            Act::Link(old, new) => disk.link(cx, old, new).map(done)?,
            Act::Symlink(target, path) => disk.symlink(cx, target, path).map(done)?,
            Act::ReadLink(path) => Value::Bytes(disk.readlink(cx, path)?),
            Act::Rename { old, new, no_replace } => {
                disk.rename(cx, old, new, *no_replace).map(done)?
            }
            Act::ReadDir(path) => Value::Names(names(disk, cx, path)?),
            Act::RealPath(path) => {
                let path = disk.realpath(cx, path)?;
                Value::Bytes(path.strip_prefix(b"/r").unwrap_or(&path).to_vec())
            }
            Act::Flock { file, what } => {
                let what = match what {
                    0 => Flock::Shared,
                    1 => Flock::Exclusive,
                    _ => Flock::Unlock,
                };
                disk.flock(fd(file)?, what).map(done)?
            }
        })
    }

    pub(crate) fn tree(&mut self) -> BTreeMap<Vec<u8>, Answer> {
        // Root may look at everything, as does who removes the real folder.
        self.disk.set_user(User { uid: 0, gid: 0 });
        let mut tree = BTreeMap::new();
        let mut folders = vec![b"/r".to_vec()];
        while let Some(folder) = folders.pop() {
            let cx = &mut Cx::new(0, Path::MAIN, &mut self.choices);
            for (name, kind) in names(&mut self.disk, cx, &folder).unwrap() {
                let path = [&folder[..], b"/", &name].concat();
                let short = path[b"/r/".len()..].to_vec();
                let cx = &mut Cx::new(0, Path::MAIN, &mut self.choices);
                let about = self.disk.lstat(cx, &path).unwrap();
                if kind == FileType::Folder.bits() {
                    folders.push(path);
                } else if kind == FileType::Symlink.bits() {
                    let target = self.disk.readlink(cx, &path).unwrap();
                    tree.insert([&short, &b" target"[..]].concat(), Ok(Value::Bytes(target)));
                } else if about.size < 1 << 21 {
                    let mut bytes = vec![0; usize::try_from(about.size).unwrap()];
                    let fd = self.disk.open(cx, &path, Open::READ).unwrap();
                    self.disk.pread(cx, fd, 0, &mut bytes).unwrap();
                    self.disk.close(fd).unwrap();
                    tree.insert([&short, &b" content"[..]].concat(), Ok(Value::Bytes(bytes)));
                }
                tree.insert(short, Ok(stat(about, self.ext4)));
            }
        }
        tree
    }
}

fn stat(stat: Stat, ext4: bool) -> Value {
    let folder = stat.kind == FileType::Folder;
    Value::Stat {
        kind: stat.kind.bits(),
        permissions: stat.permissions,
        links: (ext4 || !folder).then_some(stat.links.into()),
        size: (!folder).then_some(stat.size),
    }
}

fn names(disk: &mut Disk, cx: &mut Cx<'_>, path: &[u8]) -> Result<Vec<(Vec<u8>, u32)>, Errno> {
    let fd = disk.open(cx, path, Open { directory: true, ..Open::READ })?;
    let mut names = Vec::new();
    let end = loop {
        match disk.readdir(cx, fd) {
            Ok(Some(entry)) => names.push((entry.name.to_vec(), entry.kind.bits())),
            Ok(None) => break Ok(()),
            Err(errno) => break Err(errno),
        }
    };
    disk.close(fd)?;
    names.sort();
    end.map(|()| names)
}
