//! Random numbers of the program under test, decided by the run's seed.

use crate::context;
use rand::{TryRng, rand_core::Infallible};

/// The generator of the current run; made by [`rng`].
///
/// It implements rand's `Rng`, whose methods are those of any generator.
#[derive(Clone, Debug, Default)]
pub struct SimRng(());

/// The generator of the current run: the same numbers whenever its seed is run.
///
/// std's entropy, and so `rand::rng()`, comes from the seed as well where the platform allows; this
/// one does everywhere.
///
/// # Panics
///
/// Its methods panic outside of a simulation.
///
/// ```
/// use rand::RngExt;
///
/// let roll = || async { assert!(sim::rand::rng().random_range(1..=6) <= 6) };
/// assert!(sim::check(sim::Config::new().seeds(10), roll).failure.is_none());
/// ```
pub fn rng() -> SimRng {
    SimRng(())
}

impl TryRng for SimRng {
    type Error = Infallible;

    #[track_caller]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|word| word as u32)
    }

    #[track_caller]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(context::expect_world().entropy_word())
    }

    #[track_caller]
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        context::expect_world().fill_entropy(bytes);
        Ok(())
    }
}
