//! Mixing of integers: the finalizer of SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom
//! number generators", OOPSLA 2014; constants of Stafford's variant 13), and the folded multiplication
//! by which wyhash and its kin absorb a word.

/// 2^64 divided by the golden ratio, made odd: the increment of SplitMix64.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads every bit of `word` over all bits. A bijection; `mix(0)` is 0.
#[inline]
pub(crate) const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Multiplies to 128 bits and folds the halves. Zero if either is zero.
#[inline]
pub(crate) const fn fold(left: u64, right: u64) -> u64 {
    let product = (left as u128) * (right as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

/// A SplitMix64 generator, for the few words that set up a run (keys, parameters of strategies,
/// priorities): it costs nothing to seed.
#[derive(Clone, Debug)]
pub(crate) struct SplitMix(u64);

impl SplitMix {
    /// The generator number `stream` of `seed`.
    pub(crate) const fn new(seed: u64, stream: u64) -> SplitMix {
        SplitMix(mix(mix(seed ^ GOLDEN).wrapping_add(mix(!stream))))
    }

    /// The word that [`next`](SplitMix::next) will give.
    pub(crate) const fn peek(&self) -> u64 {
        mix(self.0.wrapping_add(GOLDEN))
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        let word = self.peek();
        self.0 = self.0.wrapping_add(GOLDEN);
        word
    }

    /// A number below `bound`. The bias is below `bound` / 2^64: too little to matter here.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }
}
