//! Test inputs from proptest strategies, drawn through the tape.

use crate::context;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// A value of `strategy`, decided by the run's seed, recorded on its tape, and so the same on replay.
///
/// # Panics
///
/// Panics outside of a simulation, and if the strategy rejects too many values.
///
/// ```
/// use proptest::prelude::*;
///
/// let report = sim::check(sim::Config::new().seeds(50), || async {
///     let input = sim::any(prop::collection::vec(0u8..10, 1..5));
///     assert!(input.len() < 5 && input.iter().all(|byte| *byte < 10));
/// });
/// assert!(report.failure.is_none());
/// ```
#[track_caller]
pub fn any<S: Strategy>(strategy: S) -> S::Value {
    let world = context::expect_world();
    let mut seed = [0; 32];
    // Two choices of the input lane; the rest of the generator's seed stays zero.
    for word in seed.chunks_exact_mut(4).take(2) {
        word.copy_from_slice(&world.choose_word().to_le_bytes());
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    match strategy.new_tree(&mut runner) {
        Ok(tree) => tree.current(),
        Err(reason) => panic!("the strategy gave no value: {reason}"),
    }
}
