//! The content of a file: pages of 4 KiB that are shared until written, and holes, which read as zeros.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Bytes of a page, which is also a block of the filesystem.
pub const PAGE: usize = 4096;
/// Bytes of a sector, the unit that a device writes whole or not at all.
pub const SECTOR: usize = 512;
/// The largest size of a file: ext4's with extents and blocks of 4 KiB, 2^32 - 1 blocks.
pub const MAX_SIZE: u64 = ((1 << 32) - 1) * PAGE as u64;

pub(crate) type Page = [u8; PAGE];

/// A file's pages by number. Whatever lies beyond the size is zero in the cached image; see [`Pages::trim`] for the
/// durable one.
#[derive(Clone, Default)]
pub(crate) struct Pages {
    pub(crate) size: u64,
    map: BTreeMap<u64, Arc<Page>>,
    /// Blocks that fallocate(2) has set aside: they count, and read as holes until they are written.
    set_aside: BTreeSet<u64>,
}

/// The page that holds that byte.
pub(crate) fn page_of(offset: u64) -> u64 {
    offset / PAGE as u64
}

/// Where in its page that byte is.
pub(crate) fn within(offset: u64) -> usize {
    usize::try_from(offset % PAGE as u64).expect("less than a page")
}

/// How many pages hold so many bytes.
pub(crate) fn pages_for(bytes: u64) -> u64 {
    bytes.div_ceil(PAGE as u64)
}

impl Pages {
    /// How many blocks are allocated.
    pub(crate) fn blocks(&self) -> u64 {
        (self.map.len() + self.set_aside.len()) as u64
    }

    pub(crate) fn page(&self, index: u64) -> Option<&Arc<Page>> {
        self.map.get(&index)
    }

    pub(crate) fn set_page(&mut self, index: u64, content: Arc<Page>) {
        self.map.insert(index, content);
        self.set_aside.remove(&index);
    }

    /// Whether a write of the page takes no block.
    pub(crate) fn has_block(&self, index: u64) -> bool {
        self.map.contains_key(&index) || self.set_aside.contains(&index)
    }

    /// Gives a hole a block.
    pub(crate) fn set_aside(&mut self, index: u64) {
        if !self.map.contains_key(&index) {
            self.set_aside.insert(index);
        }
    }

    /// How many pages of a range have blocks.
    pub(crate) fn blocks_in(&self, range: core::ops::Range<u64>) -> u64 {
        (self.map.range(range.clone()).count() + self.set_aside.range(range).count()) as u64
    }

    /// The content of the page as it is, or of a hole.
    pub(crate) fn content(&self, index: u64) -> Arc<Page> {
        self.map.get(&index).cloned().unwrap_or_else(zeros)
    }

    /// Copies what is there from that offset on: how many bytes.
    pub(crate) fn read(&self, offset: u64, into: &mut [u8]) -> usize {
        let left = self.size.saturating_sub(offset);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(into.len());
        let mut done = 0;
        while done < count {
            let at = offset + done as u64;
            let start = within(at);
            let part = (PAGE - start).min(count - done);
            let into = &mut into[done..done + part];
            match self.map.get(&page_of(at)) {
                Some(page) => into.copy_from_slice(&page[start..start + part]),
                None => into.fill(0),
            }
            done += part;
        }
        count
    }

    /// Makes the file that long; what is cut off is gone, also if it grows again.
    pub(crate) fn set_size(&mut self, size: u64) {
        if size < self.size {
            self.size = size;
            self.trim();
        }
        self.size = size;
    }

    /// Gives up what lies beyond the size. A page may have reached a device whose file was not made longer in time.
    pub(crate) fn trim(&mut self) {
        let _beyond = self.map.split_off(&pages_for(self.size));
        let _beyond = self.set_aside.split_off(&pages_for(self.size));
        let tail = within(self.size);
        if tail == 0 {
            return;
        }
        if let Some(page) = self.map.get_mut(&page_of(self.size))
            && page[tail..].iter().any(|byte| *byte != 0)
        {
            Arc::make_mut(page)[tail..].fill(0);
        }
    }

    /// The first offset from `offset` on that holds data, none if there is only a hole up to the end.
    pub(crate) fn next_data(&self, offset: u64) -> Option<u64> {
        let index = self.map.range(page_of(offset)..).next()?.0;
        Some(offset.max(index * PAGE as u64)).filter(|found| *found < self.size)
    }

    /// The first offset from `offset` on that is in a hole; the end of the file is one.
    pub(crate) fn next_hole(&self, offset: u64) -> u64 {
        let mut index = page_of(offset);
        while self.map.contains_key(&index) {
            index += 1;
        }
        (index * PAGE as u64).max(offset).min(self.size)
    }
}

/// A page of zeros.
pub(crate) fn zeros() -> Arc<Page> {
    Arc::new([0; PAGE])
}

/// The old page with those of its sectors replaced whose bit of `lost` is not set.
pub(crate) fn torn(old: &Page, new: &Page, lost: u8) -> Arc<Page> {
    let mut page = Arc::new(*old);
    let into = Arc::make_mut(&mut page);
    for sector in (0..PAGE / SECTOR).filter(|sector| lost & (1 << sector) == 0) {
        let range = sector * SECTOR..(sector + 1) * SECTOR;
        into[range.clone()].copy_from_slice(&new[range]);
    }
    page
}
