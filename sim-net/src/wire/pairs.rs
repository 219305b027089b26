//! A set of ordered pairs of hosts: by the first a row of bits, as long as the largest second in it.

use crate::HostId;
use alloc::vec::Vec;

#[derive(Default)]
pub(super) struct Pairs {
    rows: Vec<Vec<u64>>,
    len: usize,
}

impl Pairs {
    #[inline]
    pub(super) fn has(&self, from: HostId, to: HostId) -> bool {
        if self.len == 0 {
            return false;
        }
        let word = self.rows.get(from.0 as usize).and_then(|row| row.get(to.0 as usize / 64));
        word.is_some_and(|word| word & 1 << (to.0 % 64) != 0)
    }

    pub(super) fn insert(&mut self, from: HostId, to: HostId) {
        if self.has(from, to) {
            return;
        }
        let (from, word) = (from.0 as usize, to.0 as usize / 64);
        if self.rows.len() <= from {
            self.rows.resize_with(from + 1, Vec::new);
        }
        let row = &mut self.rows[from];
        if row.len() <= word {
            row.resize(word + 1, 0);
        }
        row[word] |= 1 << (to.0 % 64);
        self.len += 1;
    }

    /// Whether it was there.
    pub(super) fn remove(&mut self, from: HostId, to: HostId) -> bool {
        let there = self.has(from, to);
        if there {
            self.rows[from.0 as usize][to.0 as usize / 64] &= !(1 << (to.0 % 64));
            self.len -= 1;
        }
        there
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.len = 0;
    }
}
