//! What all guards have: the release, which announces itself.
//! And what the ends of a channel have in common.

pub(super) use crate::faces::{cell_faces, faces, lock_faces, opaque, transparent};
use crate::{
    hold::{Share, Taker},
    point::{Access, Object, Site, point},
};
use std::sync::Arc;

/// Announces the release of an object when dropped. It stands before the guard proper in a struct, so
/// that it is dropped first: others may run while the lock still is held.
pub(super) struct Release<'a> {
    pub(super) object: &'a Object,
    pub(super) site: Site,
    taker: Taker,
    /// The value may have been changed through the guard.
    pub(super) changed: bool,
}

impl<'a> Release<'a> {
    /// The running task has taken `share` of the object.
    #[inline]
    pub(super) fn new(object: &'a Object, share: Share, site: Site) -> Release<'a> {
        Release { object, site, taker: object.hold(share, site), changed: false }
    }

    /// As [`new`](Release::new), without having waited.
    #[inline]
    pub(super) fn tried(object: &'a Object, share: Share, site: Site) -> Release<'a> {
        let taker = object.hold_tried(share, site, false);
        Release { object, site, taker, changed: false }
    }

    /// What was taken whole is only shared from now on.
    pub(super) fn downgrade(&mut self) {
        self.object.give_back(self.taker, self.site, 1);
        self.object.hold_as(self.taker, Share::Part, self.site, false);
    }
}

impl Drop for Release<'_> {
    fn drop(&mut self) {
        point(self.object, Access::Release, self.site);
        self.object.give_back_lock(self.taker, self.site, self.changed);
    }
}

/// A lock that can be announced.
pub(super) trait Announced {
    fn object(&self) -> &Object;
}

/// As [`Release`], for a guard that keeps its lock alive.
pub(super) struct OwnedRelease<L: Announced + ?Sized> {
    pub(super) lock: Arc<L>,
    pub(super) site: Site,
    taker: Taker,
    /// The value may have been changed through the guard.
    pub(super) changed: bool,
}

impl<L: Announced + ?Sized> OwnedRelease<L> {
    /// The running task has taken `share` of the lock.
    pub(super) fn new(lock: Arc<L>, share: Share, site: Site) -> OwnedRelease<L> {
        let taker = lock.object().hold_owned(share, site);
        OwnedRelease { lock, site, taker, changed: false }
    }

    /// As [`new`](OwnedRelease::new), without having waited.
    pub(super) fn tried(lock: Arc<L>, share: Share, site: Site) -> OwnedRelease<L> {
        let taker = lock.object().hold_tried(share, site, true);
        OwnedRelease { lock, site, taker, changed: false }
    }

    /// What was taken whole is only shared from now on.
    pub(super) fn downgrade(&mut self) {
        let object = self.lock.object();
        object.give_back(self.taker, self.site, 1);
        object.hold_as(self.taker, Share::Part, self.site, true);
    }
}

impl<L: Announced + ?Sized> Drop for OwnedRelease<L> {
    fn drop(&mut self) {
        point(self.lock.object(), Access::Release, self.site);
        self.lock.object().give_back_lock(self.taker, self.site, self.changed);
    }
}

/// A channel, as its ends announce it.
pub(super) struct Channel {
    pub(super) object: Object,
    /// Where it was made: named by what does not know where it is called, such as a drop.
    pub(super) site: Site,
}

impl Channel {
    pub(super) fn new(site: Site) -> Channel {
        Channel { object: Object::made(site), site }
    }

    /// Announces that an end, or the last of its kind, is about to go.
    pub(super) fn leave(&self) {
        point(&self.object, Access::Close, self.site);
    }

    /// Announces that room is about to be given back.
    pub(super) fn release(&self) {
        point(&self.object, Access::Release, self.site);
    }
}
