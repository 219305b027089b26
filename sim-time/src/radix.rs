//! A radix heap of times: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster algorithms for the shortest path problem",
//! JACM 1990.
//!
//! A time after `last` lies in the bucket of the highest bit in which it differs from `last`. When there is
//! nothing before that, the lowest bucket is split: its minimum becomes `last`, and its times move to lower
//! buckets, which were empty. Higher buckets need not change, as `last` has changed in lower bits only.
//! Each time moves down at most 64 times, and each move is a push.
//!
//! One thing is added: a bucket of a few is not split but sorted. It becomes the `front`, and its maximum
//! `last`, which saves the last and dearest moves.
//!
//! Equal times are always in one place, in order of insertion, as moving and sorting keep the order.

use alloc::{collections::VecDeque, vec::Vec};
use core::mem;

/// So many times are sorted at once.
const FEW: usize = 16;

/// A timer in the queue: when, and which. 16 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) time: u64,
    pub(crate) slot: u32,
    pub(crate) serial: u32,
}

const _: () = assert!(size_of::<Entry>() == 16);

pub(crate) struct Radix {
    last: u64,
    /// Times up to `last`, sorted.
    front: VecDeque<Entry>,
    /// Bucket `i` has those times whose highest bit that differs from `last` is bit `i`.
    buckets: [Vec<Entry>; 64],
    /// Bit `i`: bucket `i` is not empty.
    filled: u64,
    /// The bucket that is being split. Buckets keep their allocations by trading them with this one.
    split: Vec<Entry>,
}

impl Radix {
    pub(crate) fn new() -> Radix {
        Radix {
            last: 0,
            front: VecDeque::new(),
            buckets: [const { Vec::new() }; 64],
            filled: 0,
            split: Vec::new(),
        }
    }

    /// No time below this one can be inserted.
    #[inline]
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Inserts an entry whose time is not below `last`.
    #[inline]
    pub(crate) fn push(&mut self, entry: Entry) {
        debug_assert!(entry.time >= self.last, "a radix heap does not go back");
        let differs = entry.time ^ self.last;
        if differs == 0 {
            self.front.push_back(entry);
            return;
        }
        let bucket = differs.ilog2();
        self.buckets[bucket as usize].push(entry);
        self.filled |= 1 << bucket;
    }

    /// The earliest entry for which `live` holds; those for which it does not are dropped on the way, and
    /// `last` becomes its time or a little later one.
    #[inline]
    pub(crate) fn settle(&mut self, mut live: impl FnMut(&Entry) -> bool) -> Option<&Entry> {
        loop {
            while self.front.front().is_some_and(|entry| !live(entry)) {
                self.front.pop_front();
            }
            if !self.front.is_empty() {
                return self.front.front();
            }
            if self.filled == 0 {
                return None;
            }
            self.split_lowest(&mut live);
        }
    }

    /// Removes what [`settle`](Radix::settle) has returned.
    #[inline]
    pub(crate) fn pop(&mut self) {
        self.front.pop_front();
    }

    fn split_lowest(&mut self, live: &mut impl FnMut(&Entry) -> bool) {
        let bucket = self.filled.trailing_zeros();
        self.filled &= !(1 << bucket);
        mem::swap(&mut self.split, &mut self.buckets[bucket as usize]);
        let mut split = mem::take(&mut self.split);
        split.retain(live);
        if split.len() <= FEW {
            split.sort_by_key(|entry| entry.time);
            self.last = split.last().map_or(self.last, |entry| entry.time);
            self.front.extend(split.drain(..));
        } else {
            self.last = split.iter().map(|entry| entry.time).min().unwrap_or(self.last);
            split.drain(..).for_each(|entry| self.push(entry));
        }
        self.split = split;
    }

    /// How many entries [`rewind`](Radix::rewind) would move.
    pub(crate) fn ahead_of(&self, floor: u64) -> usize {
        let top = (self.last ^ floor).checked_ilog2().map_or(0, |bit| bit as usize);
        self.front.len() + self.buckets[..top].iter().map(Vec::len).sum::<usize>()
    }

    /// Moves `last` back to `floor`, which is not after any time here. What lies in buckets below the one of
    /// the old `last` now belongs there.
    ///
    /// That bucket is empty before: its times would have that bit and `last` would not, while `floor`,
    /// being lower than `last`, is the one that has not.
    pub(crate) fn rewind(&mut self, floor: u64) {
        debug_assert!(floor <= self.last, "rewinding goes back");
        let Some(top) = (self.last ^ floor).checked_ilog2() else { return };
        let (below, from) = self.buckets.split_at_mut(top as usize);
        let target = &mut from[0];
        debug_assert!(target.is_empty(), "no time is below the last one");
        for bucket in below {
            target.append(bucket);
        }
        self.filled &= !((1 << top) - 1);
        if !target.is_empty() {
            self.filled |= 1 << top;
        }
        self.last = floor;
        for _ in 0..self.front.len() {
            // Those equal to the floor go to the end of the front, all others out of it.
            let entry = self.front.pop_front().expect("so many are in front");
            self.push(entry);
        }
    }

    /// Drops all entries for which `live` does not hold.
    pub(crate) fn retain(&mut self, mut live: impl FnMut(&Entry) -> bool) {
        self.front.retain(&mut live);
        for bit in 0..64 {
            let bucket = &mut self.buckets[bit];
            bucket.retain(&mut live);
            if bucket.is_empty() {
                self.filled &= !(1 << bit);
            }
        }
    }

    /// Drops all entries and begins at 0 again. Keeps allocations.
    pub(crate) fn clear(&mut self) {
        self.front.clear();
        while self.filled != 0 {
            let bucket = self.filled.trailing_zeros();
            self.buckets[bucket as usize].clear();
            self.filled &= !(1 << bucket);
        }
        self.last = 0;
    }
}
