//! A folder: names in order, each with the inode that it means.

use crate::inode::Ino;
use alloc::{collections::BTreeMap, sync::Arc};

/// One component of a path: 1 to 255 bytes without `/` and NUL.
pub(crate) type Name = Arc<[u8]>;

#[derive(Clone)]
pub(crate) struct Folder {
    /// What `..` means; the root is its own parent.
    pub(crate) parent: Ino,
    /// Its name there. A folder has one name only.
    pub(crate) name: Name,
    pub(crate) entries: BTreeMap<Name, Ino>,
}

impl Folder {
    pub(crate) fn new(parent: Ino, name: Name) -> Folder {
        Folder { parent, name, entries: BTreeMap::new() }
    }
}
