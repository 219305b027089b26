//! The content of a disk as plain values: to start with, and to compare.

use crate::{
    Cx, Disk, Errno, Result,
    dir::{Folder, Name},
    inode::{About, Change, Ino, Inode, Node},
    pages::{PAGE, Page, Pages},
};
use alloc::{collections::BTreeMap, sync::Arc, vec::Vec};

/// A file, folder or symbolic link as a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// A regular file.
    File {
        /// Permission bits.
        mode: u32,
        /// All of it, holes as zeros.
        bytes: Vec<u8>,
    },
    /// A folder.
    Folder {
        /// Permission bits.
        mode: u32,
    },
    /// A symbolic link.
    Symlink {
        /// What it says.
        target: Vec<u8>,
    },
}

impl Disk {
    /// Puts files on the disk, durable at once, by absolute paths; folders above are made, with mode 0o755. What has
    /// been pending becomes durable too.
    ///
    /// # Errors
    ///
    /// `EINVAL` for a path that is not absolute or has `.` or `..` in it, `EEXIST` if there is something else of that
    /// name than a folder, `ENOTDIR` below what is none, `ENAMETOOLONG`.
    pub fn load<P: AsRef<[u8]>>(
        &mut self,
        cx: &mut Cx<'_>,
        content: impl IntoIterator<Item = (P, Content)>,
    ) -> Result<()> {
        let ids = self.pending.all();
        self.write_back(&ids);
        for (path, content) in content {
            self.put(cx, path.as_ref(), content)?;
        }
        Ok(())
    }

    fn put(&mut self, cx: &Cx<'_>, path: &[u8], content: Content) -> Result<()> {
        let rest = path.strip_prefix(b"/").ok_or(Errno::EINVAL)?;
        let mut names = rest.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).peekable();
        let mut folder = Ino::ROOT;
        while let Some(name) = names.next() {
            if name == b"." || name == b".." || name.contains(&0) {
                return Err(Errno::EINVAL);
            }
            let found = self.entry(folder, name)?;
            let is_last = names.peek().is_none();
            folder = match (found, is_last) {
                (Some(ino), false) => ino,
                (Some(ino), true) => return self.put_over(ino, &content),
                (None, false) => self.put_new(cx, folder, name, &Content::Folder { mode: 0o755 }),
                (None, true) => self.put_new(cx, folder, name, &content),
            };
        }
        Ok(())
    }

    fn put_over(&mut self, ino: Ino, content: &Content) -> Result<()> {
        let Content::Folder { mode } = content else { return Err(Errno::EEXIST) };
        if self.cached.folder(ino).is_none() {
            return Err(Errno::EEXIST);
        }
        for image in [&mut self.cached, &mut self.durable] {
            if let Some(inode) = image.get_mut(ino) {
                inode.about.mode = mode & 0o7777;
            }
        }
        Ok(())
    }

    fn put_new(&mut self, cx: &Cx<'_>, folder: Ino, name: &[u8], content: &Content) -> Ino {
        let name = Name::from(name);
        let (mode, node) = match content {
            Content::File { mode, bytes } => (*mode, Node::File(pages_of(bytes))),
            Content::Folder { mode } => (*mode, Node::Folder(Folder::new(folder, name.clone()))),
            Content::Symlink { target } => (0o777, Node::Symlink(target.as_slice().into())),
        };
        let inode: Inode = self.new_inode(cx, folder, node, mode & 0o7777);
        self.space.used += inode.blocks();
        let ino = self.new_ino();
        let create = Change::Create { ino, inode: Arc::new(inode) };
        for change in [create, Change::Add { folder, name, ino }] {
            self.cached.apply(&change, cx.wall_ns);
            self.durable.apply(&change, cx.wall_ns);
        }
        ino
    }

    /// All that is on the disk, as programs see it, by absolute path; the root is not among it. A sparse file takes
    /// as much memory as it is long.
    #[must_use]
    pub fn contents(&self) -> BTreeMap<Vec<u8>, Content> {
        let mut all = BTreeMap::new();
        let mut folders = alloc::vec![(Vec::new(), Ino::ROOT)];
        while let Some((path, ino)) = folders.pop() {
            let entries = self.cached.folder(ino).map(|folder| &folder.entries);
            for (name, child) in entries.into_iter().flatten() {
                let path = [&path[..], b"/", name].concat();
                let Some(Inode { node, about: About { mode, .. }, .. }) = self.cached.get(*child)
                else {
                    continue;
                };
                let mode = *mode;
                let content = match node {
                    Node::File(pages) => Content::File { mode, bytes: bytes_of(pages) },
                    Node::Folder(_) => {
                        folders.push((path.clone(), *child));
                        Content::Folder { mode }
                    }
                    Node::Symlink(target) => Content::Symlink { target: target.to_vec() },
                };
                all.insert(path, content);
            }
        }
        all
    }
}

/// The bytes as pages; those of zeros alone are holes.
fn pages_of(bytes: &[u8]) -> Pages {
    let mut pages = Pages::default();
    for (index, part) in (0..).zip(bytes.chunks(PAGE)) {
        if part.iter().any(|byte| *byte != 0) {
            let mut page: Page = [0; PAGE];
            page[..part.len()].copy_from_slice(part);
            pages.set_page(index, Arc::new(page));
        }
    }
    pages.set_size(bytes.len() as u64);
    pages
}

fn bytes_of(pages: &Pages) -> Vec<u8> {
    let mut bytes = alloc::vec![0; usize::try_from(pages.size).unwrap_or(0)];
    pages.read(0, &mut bytes);
    bytes
}
