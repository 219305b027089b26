//! The way out: a call on the machine, from within a simulation.

use crate::context;

/// Runs `f` on the machine rather than in the simulation: for what a test needs of the outside, such as a file of
/// expected results, a folder for its output, or a process.
///
/// Files, processes, real threads and sockets are then no finding of the lint `escape`, clocks and sleeps are the
/// machine's, and a wait blocks for real. Meanwhile no other task runs, virtual time stands still, and what `f` calls of `sim`
/// is no scheduling point. Entropy still comes from the seed: std keeps what it draws for its hash maps.
///
/// **It breaks determinism** where what `f` gives differs from run to run: what is read must be the same each time,
/// and what is written must not be read back. A run that turns out different fails as `Nondeterminism`, if it is
/// one of those that are run twice.
///
/// Outside of a simulation it only calls `f`.
///
/// ```
/// let report = sim::check(sim::Config::new().seeds(10), || async {
///     let manifest = sim::outside(|| std::fs::read_to_string("Cargo.toml")).unwrap();
///     assert!(manifest.contains("[package]"));
/// });
/// assert!(report.failure.is_none(), "{report}");
/// ```
///
/// # Panics
///
/// With the panic of `f`. Where `f` would wait for a task of the simulation it panics, or hangs: nothing else runs.
pub fn outside<R>(f: impl FnOnce() -> R) -> R {
    match context::running() {
        Some(world) => world.outside(f),
        None => f(),
    }
}
