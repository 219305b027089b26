//! The ids of tasks: they count from the start of the run.

use crate::context;
use std::fmt;

/// Names a task among those of its run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Id(pub(crate) u32);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of the task that runs.
///
/// # Panics
///
/// Panics outside of a task, also in the future given to `block_on`.
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// The id of the task that runs, if one does.
pub fn try_id() -> Option<Id> {
    context::world().and_then(|world| world.current_id()).map(Id)
}
