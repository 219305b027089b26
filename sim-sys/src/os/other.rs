//! A platform on which nothing is interposed: std's clocks and entropy are the machine's.

use std::time::Instant;

/// Nothing.
pub const CATCHES: &[&str] = &[];

/// Does nothing here.
pub fn link() {}

/// Never, as far as is known.
pub fn in_thread_locals(_address: usize) -> bool {
    false
}

/// The machine's clock.
pub fn real_monotonic_ns() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// The machine's entropy.
pub fn real_entropy(buffer: &mut [u8]) {
    use std::hash::{BuildHasher, Hasher, RandomState};
    for chunk in buffer.chunks_mut(8) {
        let word = RandomState::new().build_hasher().finish().to_le_bytes();
        chunk.copy_from_slice(&word[..chunk.len()]);
    }
}
