//! A handle that can only abort.

use super::Id;
use crate::world::{Asked, Header, is_finished, world_of};
use std::{fmt, sync::Arc};

/// Aborts a task, from wherever.
#[derive(Clone)]
pub struct AbortHandle {
    header: Arc<Header>,
}

impl AbortHandle {
    pub(crate) fn new(header: Arc<Header>) -> AbortHandle {
        AbortHandle { header }
    }

    /// Asks the task to end at its next await; one that has ended is not changed.
    pub fn abort(&self) {
        match world_of(&self.header) {
            Some(world) => world.abort(self.header.slot, self.header.generation),
            None => self.header.remote.push(&self.header, Asked::Abort),
        }
    }

    /// Whether the task has ended.
    pub fn is_finished(&self) -> bool {
        is_finished(&self.header)
    }

    /// The task.
    pub fn id(&self) -> Id {
        Id(self.header.number)
    }
}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id()).finish()
    }
}
