//! Bytes on their way between a task and the thread that reads or writes for it.

use crate::{io::ReadBuf, point::Site, std::fs::File};
use std::io;

#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    /// So many of them were given out.
    given: usize,
}

impl Buffer {
    pub(super) fn is_empty(&self) -> bool {
        self.given == self.bytes.len()
    }

    /// Gives out what fits.
    pub(super) fn give(&mut self, to: &mut ReadBuf<'_>) {
        let count = (self.bytes.len() - self.given).min(to.remaining());
        to.put_slice(&self.bytes[self.given..self.given + count]);
        self.given += count;
        if self.is_empty() {
            self.clear();
        }
    }

    /// Takes in what is to be written, up to `most` bytes: how many.
    pub(super) fn take_in<'a>(
        &mut self,
        parts: impl Iterator<Item = &'a [u8]>,
        most: usize,
    ) -> usize {
        for part in parts {
            let room = most - self.bytes.len();
            self.bytes.extend_from_slice(&part[..part.len().min(room)]);
        }
        self.bytes.len()
    }

    /// Reads up to `most` bytes into it, which has none.
    pub(super) fn fill(&mut self, file: &File, most: usize, site: Site) -> io::Result<usize> {
        self.bytes.resize(most, 0);
        let read = file.read_at_site(&mut self.bytes, site);
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        read
    }

    /// Writes all of it, at once: how that went, and when the device is done.
    pub(super) fn empty_into(&mut self, file: &File, site: Site) -> (io::Result<()>, u64) {
        let written = file.write_now(&self.bytes, site);
        self.clear();
        written
    }

    /// Forgets what was read and not given out: how far the file's offset is behind that, as a seek.
    pub(super) fn forget(&mut self) -> i64 {
        let ahead = self.bytes.len() - self.given;
        self.clear();
        -i64::try_from(ahead).expect("buffers are small")
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.given = 0;
    }
}
