//! A stream of random words, seeded when the first is asked for.
//!
//! Seeding six ChaCha generators costs more than a whole run of an empty test, so a stream only notes its
//! seed at the start. Words are made 64 at a time; drawing one is a load and a comparison.

use crate::{Seed, mix::SplitMix};
use rand_chacha::{ChaCha8Core, rand_core::SeedableRng, rand_core::block::Generator};

const BLOCK: usize = 64;

pub(crate) struct Words {
    /// Index of the next unused word of the block; `BLOCK` when there is none.
    next: usize,
    /// Absent until the first word is drawn.
    core: Option<ChaCha8Core>,
    seed: u64,
    stream: u64,
    block: [u32; BLOCK],
}

impl Words {
    pub(crate) fn new(stream: u64) -> Words {
        Words { next: BLOCK, core: None, seed: 0, stream, block: [0; BLOCK] }
    }

    /// Begins the stream of `seed` anew.
    #[inline]
    pub(crate) fn start(&mut self, seed: u64) {
        self.next = BLOCK;
        self.core = None;
        self.seed = seed;
    }

    #[inline]
    pub(crate) fn word(&mut self) -> u32 {
        match self.block.get(self.next) {
            Some(&word) => {
                self.next += 1;
                word
            }
            None => self.refill(),
        }
    }

    /// A number below `bound`, which is not 0; each is equally likely.
    ///
    /// Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019: the high half of a
    /// product, drawn again in the rare case that the low half falls into the uneven rest.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let product = u64::from(self.word()) * u64::from(bound);
        if (product as u32) < bound {
            return self.below_evenly(bound, product);
        }
        (product >> 32) as u32
    }

    #[cold]
    #[inline(never)]
    fn below_evenly(&mut self, bound: u32, mut product: u64) -> u32 {
        let uneven = bound.wrapping_neg() % bound;
        while (product as u32) < uneven {
            product = u64::from(self.word()) * u64::from(bound);
        }
        (product >> 32) as u32
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) -> u32 {
        let (seed, stream) = (self.seed, self.stream);
        let core = self.core.get_or_insert_with(|| ChaCha8Core::from_seed(key(seed, stream)));
        core.generate(&mut self.block);
        self.next = 1;
        self.block[0]
    }
}

fn key(seed: u64, stream: u64) -> [u8; 32] {
    let mut source = SplitMix::new(seed, stream);
    let mut key = [0; 32];
    for part in key.chunks_exact_mut(8) {
        part.copy_from_slice(&source.next().to_le_bytes());
    }
    key
}

/// Random words for a part of the program under test that is to have its own, as a node is: what others draw does not
/// shift them.
pub struct Entropy(Words);

impl Entropy {
    /// The stream that `name`, a hash, has in the runs of `seed`.
    #[must_use]
    pub fn new(seed: Seed, name: u64) -> Entropy {
        let mut words = Words::new(name);
        words.start(seed.0);
        Entropy(words)
    }

    pub(crate) fn word(&mut self) -> u64 {
        let low = self.0.word();
        u64::from(low) | (u64::from(self.0.word()) << 32)
    }
}
