//! `select!`, with tokio's grammar; the branch that is polled first is a choice of the simulation.

/// Waits for several futures at once: the first that is ready runs its handler, and the others are
/// dropped.
///
/// Grammar and semantics are those of `tokio::select!`: `biased;`, `pattern = future, if condition =>
/// handler`, `else => handler`, at most 64 branches. Without `biased;` the branch that is polled
/// first is a choice of the run's seed.
///
/// # Panics
///
/// Panics if all branches are disabled and there is no `else`.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use std::time::Duration;
/// let winner = sim::select! {
///     _ = sim::time::sleep(Duration::from_secs(1)) => "quick",
///     _ = sim::time::sleep(Duration::from_secs(2)) => "slow",
/// };
/// assert_eq!(winner, "quick");
/// # });
/// ```
#[macro_export]
macro_rules! select {
    ($($tokens:tt)*) => {
        $crate::__private::select_internal! { ($crate) $($tokens)* }
    };
}
