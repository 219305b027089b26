//! For people: the tree as text, with what is durable and what is only cached, and where it was written.

use crate::{
    Disk, Ino,
    inode::{Change, Node},
    meta::FileType,
    pending::Op,
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

impl Disk {
    /// How many changes are pending: what a crash may take.
    #[must_use]
    pub fn pending_count(&self) -> usize {
        self.pending.len()
    }

    /// An absolute path of each inode that has a name, as programs see them: of several the first.
    #[must_use]
    pub fn paths(&self) -> BTreeMap<Ino, Vec<u8>> {
        let mut paths = BTreeMap::from([(Ino::ROOT, Vec::from(b"/"))]);
        let mut folders = Vec::from([(Vec::new(), Ino::ROOT)]);
        while let Some((path, ino)) = folders.pop() {
            let entries = self.cached.folder(ino).map(|folder| &folder.entries);
            for (name, child) in entries.into_iter().flatten() {
                let path = [&path[..], b"/", name].concat();
                if self.cached.folder(*child).is_some() {
                    folders.push((path.clone(), *child));
                }
                paths.entry(*child).or_insert(path);
            }
        }
        paths
    }

    /// The tree as text, a line for each name and, below it, for each change of it that is not durable.
    ///
    /// ```
    /// use sim_choice::{Choices, Path};
    /// use sim_fs::{Cx, Disk, Open};
    ///
    /// let (mut disk, mut choices) = (Disk::new(), Choices::new());
    /// let mut cx = Cx::new(0, Path::MAIN, &mut choices);
    /// let fd = disk.open(&mut cx, b"/log", Open::CREATE)?;
    /// disk.write(&mut cx, fd, b"record")?;
    /// disk.fsync(&mut cx, fd)?;
    /// let tree = disk.tree();
    /// assert!(tree.starts_with("/\nlog  file, 6 bytes\n    name only cached: "), "{tree}");
    /// # Ok::<(), sim_fs::Errno>(())
    /// ```
    #[must_use]
    pub fn tree(&self) -> String {
        let mut names: BTreeMap<(Ino, &[u8]), Vec<&Op>> = BTreeMap::new();
        let mut own: BTreeMap<Ino, Vec<&Op>> = BTreeMap::new();
        for (_, op) in self.pending.iter() {
            match &op.change {
                Change::Add { folder, name, .. } | Change::Remove { folder, name, .. } => {
                    names.entry((*folder, name)).or_default().push(op);
                }
                Change::Move { from, to, .. } => {
                    names.entry((from.0, &from.1)).or_default().push(op);
                    names.entry((to.0, &to.1)).or_default().push(op);
                }
                Change::Create { ino, .. }
                | Change::Page { ino, .. }
                | Change::Size { ino, .. }
                | Change::Allocate { ino, .. }
                | Change::Attributes { ino, .. } => own.entry(*ino).or_default().push(op),
            }
        }
        let mut text = String::from("/\n");
        self.write_folder(&mut text, Ino::ROOT, 0, &names, &own);
        text
    }

    fn write_folder(
        &self,
        text: &mut String,
        ino: Ino,
        depth: usize,
        names: &BTreeMap<(Ino, &[u8]), Vec<&Op>>,
        own: &BTreeMap<Ino, Vec<&Op>>,
    ) {
        let Some(folder) = self.cached.folder(ino) else { return };
        let indent = "  ".repeat(depth);
        for (name, child) in &folder.entries {
            let Some(inode) = self.cached.get(*child) else { continue };
            let shown = String::from_utf8_lossy(name);
            let about = match &inode.node {
                Node::File(pages) => format!("file, {} bytes", pages.size),
                Node::Folder(_) => FileType::Folder.to_string(),
                Node::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
            };
            *text += &format!("{indent}{shown}  {about}\n");
            for op in names.get(&(ino, &**name)).into_iter().flatten() {
                *text += &format!("{indent}    name only cached: {}\n", op.place);
            }
            for line in own.get(child).map(|ops| lines(ops)).into_iter().flatten() {
                *text += &format!("{indent}    {line}\n");
            }
            self.write_folder(text, *child, depth + 1, names, own);
        }
        let gone = names.range((ino, &b""[..])..).take_while(|((folder, _), _)| *folder == ino);
        for ((_, name), ops) in gone.filter(|((_, name), _)| !folder.entries.contains_key(*name)) {
            let shown = String::from_utf8_lossy(name);
            if let Some(last) = ops.last() {
                *text += &format!(
                    "{indent}{shown}  gone, {} only cached: {}\n",
                    last.what(),
                    last.place
                );
            }
        }
    }
}

/// What is pending of one inode; pages that follow each other, from one place, are one line.
fn lines(ops: &[&Op]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut run: Option<(u64, u64, &Op)> = None;
    let tell = |(first, last, op): (u64, u64, &Op)| match first == last {
        true => format!("page {first} only cached: {}", op.place),
        false => format!("pages {first} to {last} only cached: {}", op.place),
    };
    for op in ops {
        if let Change::Page { index, .. } = op.change {
            run = Some(match run {
                Some((first, last, from)) if index == last + 1 && from.place == op.place => {
                    (first, index, from)
                }
                former => {
                    lines.extend(former.map(tell));
                    (index, index, op)
                }
            });
            continue;
        }
        let line = match &op.change {
            Change::Size { to, .. } => format!("size {to} only cached: {}", op.place),
            _ => format!("{} only cached: {}", op.what(), op.place),
        };
        lines.push(line);
    }
    lines.extend(run.map(tell));
    lines
}

impl core::fmt::Display for FileType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            FileType::File => "file",
            FileType::Folder => "folder",
            FileType::Symlink => "symbolic link",
        })
    }
}
