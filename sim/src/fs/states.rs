//! Every state that a crash may leave, each with the recovery run on it.
//!
//! The states are those of a snapshot, so that the run may go on meanwhile. All recoveries run on one node of their own,
//! one after the other, each on a disk in its state.

use crate::{Outcome, node::Node};
pub use sim_fs::{Bound, Tears};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// On how many states a recovery was run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CrashStates {
    /// So many states, all different; the first is the one in which all survives.
    pub states: usize,
    /// Whether these are all that the rules allow, and the bound cut none off.
    pub complete: bool,
}

/// Runs `recovery` on every state, within the bound, that a crash of `node` right now may leave on its disk; the node
/// itself goes on. Faults are as the disk has them; those of a crash itself, as garbage, are not among the states.
///
/// A recovery is the main future of a node that is called as this one with `-states` after it. What it gives or panics
/// with counts as in [`join`](Node::join).
///
/// ```
/// use sim::{fs::{self, Bound}, node};
///
/// let report = sim::check(sim::Config::new().seeds(1), || async {
///     fs::write("/new", b"config").await.unwrap();
///     fs::File::open("/new").await.unwrap().sync_all().await.unwrap();
///     fs::rename("/new", "/config").await.unwrap();
///     let found = fs::crash_states(&node::current(), Bound::default(), || async {
///         // Neither name was synced; but where there is a file it is whole.
///         for name in ["/new", "/config"] {
///             assert!(fs::read(name).await.is_ok_and(|it| it == b"config") || !fs::try_exists(name).await.unwrap());
///         }
///     })
///     .await;
///     assert!(found.complete && found.states == 3, "{found:?}");
/// });
/// assert!(report.failure.is_none(), "{report}");
/// ```
///
/// # Panics
///
/// If a recovery fails: with its error, which state it was, and what is lost in it, by the places of the program that made
/// it. Outside of a simulation.
#[track_caller]
pub fn crash_states<F, Fut>(
    node: &Node,
    bound: Bound,
    recovery: F,
) -> impl Future<Output = CrashStates> + use<F, Fut>
where
    F: Fn() -> Fut + Send + 'static,
    Fut: Future<Output: Outcome> + Send + 'static,
{
    let (node, site) = (node.clone(), std::panic::Location::caller());
    async move {
        let (mut states, paths) = node.crash_states(bound, site);
        let begun = Arc::new(AtomicBool::new(false));
        let twin = node.twin("states").start({
            let begun = begun.clone();
            move || {
                let recovery = begun.load(Relaxed).then(&recovery);
                async move {
                    match recovery {
                        Some(recovery) => recovery.await.error().map_or(Ok(()), Err),
                        None => Ok(()),
                    }
                }
            }
        });
        // The node is made by a process that does nothing, as there is no disk without a node.
        let _ = twin.join().await;
        begun.store(true, Relaxed);
        while let Some(state) = states.next() {
            twin.start_on(state, site);
            if let Err(error) = twin.join().await {
                let lost = crate::world::tell_losses(node.name(), states.losses(), &paths);
                let number = states.count_so_far();
                panic!(
                    "the recovery failed on state {number} that a crash may leave: {error}{lost}"
                );
            }
        }
        CrashStates { states: states.count_so_far(), complete: states.is_complete() }
    }
}
