//! A platform on which nothing is interposed: std's clocks and entropy are the machine's, and a contended lock
//! of std blocks the thread of the simulation.

use std::{fs::File, io::Read, sync::OnceLock, time::Instant};

/// Nothing.
pub const CATCHES: &[&str] = &[];

/// Does nothing here.
pub fn link() {}

/// Never, as far as is known.
pub fn in_thread_locals(_address: usize) -> bool {
    false
}

/// The machine's clock, in nanoseconds since it was first asked for.
pub fn real_monotonic_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

/// The machine's entropy.
///
/// # Panics
///
/// Panics if the machine has none to give.
pub fn real_entropy(buffer: &mut [u8]) {
    let result = File::open("/dev/urandom").and_then(|mut source| source.read_exact(buffer));
    if let Err(error) = result {
        panic!("failed to get entropy of the machine: {error}");
    }
}
