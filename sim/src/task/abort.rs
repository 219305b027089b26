//! A handle that can only abort.

use super::Id;
use crate::{
    point::{Access, Site, point_of_task},
    world::{Asked, Header, is_finished, world_of},
};
use std::{fmt, panic::Location, sync::Arc};

/// Aborts a task, from wherever.
pub struct AbortHandle {
    header: Arc<Header>,
    /// Where it was made.
    site: Site,
}

impl Clone for AbortHandle {
    fn clone(&self) -> AbortHandle {
        AbortHandle::new(self.header.clone(), self.site)
    }
}

impl Drop for AbortHandle {
    fn drop(&mut self) {
        if let Some(world) = world_of(&self.header) {
            world.remove_aborter(self.header.number, self.site);
        }
    }
}

impl AbortHandle {
    pub(crate) fn new(header: Arc<Header>, site: Site) -> AbortHandle {
        if let Some(world) = world_of(&header) {
            world.add_aborter(header.number, site);
        }
        AbortHandle { header, site }
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
