//! A set of calls, and its short form for the memo.

use alloc::{boxed::Box, vec, vec::Vec};

/// Which calls have been put in order.
#[derive(Clone, Debug)]
pub(crate) struct Mask {
    words: Vec<u64>,
}

/// A mask without the full words that it begins with and the empty ones that it ends with: calls that are far apart
/// in time are seldom out of order, and so few words are left of a long history.
pub(crate) type Short = (usize, Box<[u64]>);

impl Mask {
    /// No call of `len`.
    pub(crate) fn new(len: usize) -> Mask {
        Mask { words: vec![0; len.div_ceil(64)] }
    }

    pub(crate) fn insert(&mut self, call: usize) {
        self.words[call / 64] |= 1 << (call % 64);
    }

    pub(crate) fn remove(&mut self, call: usize) {
        self.words[call / 64] &= !(1 << (call % 64));
    }

    pub(crate) fn contains(&self, call: usize) -> bool {
        self.words[call / 64] & (1 << (call % 64)) != 0
    }

    pub(crate) fn short(&self) -> Short {
        let full = self.words.iter().take_while(|word| **word == u64::MAX).count();
        let rest = &self.words[full..];
        let used = rest.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        (full, rest[..used].into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_sets_have_different_short_forms() {
        let set = |calls: &[usize]| {
            let mut mask = Mask::new(200);
            calls.iter().for_each(|call| mask.insert(*call));
            mask.short()
        };
        let first: Vec<usize> = (0..64).collect();
        let second: Vec<usize> = (64..128).collect();
        assert_eq!(set(&[]), (0, [].into()));
        assert_eq!(set(&first), (1, [].into()));
        assert_eq!(set(&second), (0, [0, u64::MAX].into()));
        assert_eq!(set(&[3]), (0, [8].into()));
        let mut mask = Mask::new(200);
        mask.insert(199);
        assert_eq!(mask.short().1.len(), 4);
        mask.remove(199);
        assert_eq!(mask.short(), set(&[]));
    }
}
