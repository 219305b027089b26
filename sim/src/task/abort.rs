//! A handle that can only abort.

use super::Id;
use crate::{
    point::{Access, point_of_task},
    world::{Asked, Header, is_finished, world_of},
};
use std::{fmt, panic::Location, sync::Arc};

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
    #[track_caller]
    pub fn abort(&self) {
        point_of_task(&self.header, Access::Abort, Location::caller());
        match world_of(&self.header) {
            Some(world) => world.abort(self.header.slot, self.header.generation),
            None => self.header.remote.push(&self.header, Asked::Abort),
        }
    }

    /// Whether the task has ended.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        point_of_task(&self.header, Access::Read, Location::caller());
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
