//! Attempts at a fair lock, as an exhaustive search has to know them: an attempt that waits is the same as one
//! that comes after the release it would wait for.

use crate::{
    context,
    point::{Access, Object, Site, point_told},
    world::Attempted,
};

/// An attempt that has been announced. Dropped before it is granted, it leaves the queue.
pub(super) struct Attempt<'a> {
    /// The lock, if a search wants to know.
    told: Option<&'a Object>,
}

impl<'a> Attempt<'a> {
    /// Announces that the lock is about to be taken.
    #[inline]
    pub(super) fn announce(object: &'a Object, site: Site) -> Attempt<'a> {
        let told = point_told(object, Access::Acquire, site).then_some(object);
        if let Some(object) = told {
            context::searching(|world| world.tell_attempt(Attempted::Lock(object), site));
        }
        Attempt { told }
    }

    /// It was granted.
    #[inline]
    pub(super) fn granted(mut self) {
        if let Some(object) = self.told.take() {
            context::searching(|world| world.tell_granted(Attempted::Lock(object)));
        }
    }
}

impl Drop for Attempt<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(object) = self.told.take() {
            context::searching(|world| world.tell_change(object));
        }
    }
}
