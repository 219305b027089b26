//! Waking tasks that wait, without a value.

use super::guard::opaque;
use crate::point::{Access, Object, Site, point};
use pin_project::pin_project;
use sim_sys::owned::{Lend, Owned};
use std::{
    convert::Infallible,
    future::Future,
    marker::PhantomPinned,
    panic::Location,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::{self as real, futures as waits};

/// Wakes one task or all that wait; one notification is kept for the next that waits.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let notify = sim::sync::Notify::new();
/// notify.notify_one();
/// notify.notified().await; // the kept notification
/// # });
/// ```
pub struct Notify {
    object: Object,
    inner: real::Notify,
}

crate::faces::nameable!([] Notify, |this| this.object);

impl Notify {
    /// Nothing notified.
    #[track_caller]
    pub fn new() -> Notify {
        Notify { object: Object::made(Location::caller()), inner: real::Notify::new() }
    }

    /// Nothing notified, for statics.
    #[track_caller]
    pub const fn const_new() -> Notify {
        Notify { object: Object::new(Location::caller()), inner: real::Notify::const_new() }
    }

    /// Waits for a notification. Cancel safe: one that was for this waiter goes to the next.
    #[track_caller]
    pub fn notified(&self) -> Notified<'_> {
        let site = Location::caller();
        // From here on it gets what `notify_waiters` sends: that others come before matters.
        point(&self.object, Access::Wait, site);
        Notified { object: &self.object, site, announced: false, inner: self.inner.notified() }
    }

    /// As [`notified`](Notify::notified), with a future that keeps this alive.
    #[track_caller]
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        let site = Location::caller();
        point(&self.object, Access::Wait, site);
        let inner = Owned::lend(self, |notify: &Notify| {
            Ok::<_, Infallible>(Box::pin(notify.inner.notified()))
        });
        let inner = inner.unwrap_or_else(|never| match never {});
        OwnedNotified { site, announced: false, inner, _pinned: PhantomPinned }
    }

    /// Wakes the task that waits longest, or keeps the notification for the next that waits.
    #[track_caller]
    pub fn notify_one(&self) {
        point(&self.object, Access::Notify, Location::caller());
        self.inner.notify_one();
    }

    /// Wakes the task that came last, or keeps the notification for the next that waits.
    #[track_caller]
    pub fn notify_last(&self) {
        point(&self.object, Access::Notify, Location::caller());
        self.inner.notify_last();
    }

    /// Wakes all that wait now; keeps nothing.
    #[track_caller]
    pub fn notify_waiters(&self) {
        point(&self.object, Access::Notify, Location::caller());
        self.inner.notify_waiters();
    }
}

impl Default for Notify {
    #[track_caller]
    fn default() -> Notify {
        Notify::new()
    }
}

opaque!([] Notify, "Notify");

/// Waits for a notification; made by [`Notify::notified`].
///
/// It gets what `notify_waiters` sends from the moment it is made, and what `notify_one` sends from
/// its first poll, or [`enable`](Notified::enable), on.
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Notified<'a> {
    object: &'a Object,
    site: Site,
    announced: bool,
    #[pin]
    inner: waits::Notified<'a>,
}

impl Notified<'_> {
    /// Registers as waiting, as a poll would; true if it has been notified.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        announce(this.announced, this.object, this.site);
        this.inner.enable()
    }
}

fn announce(announced: &mut bool, object: &Object, site: Site) {
    if !std::mem::replace(announced, true) {
        point(object, Access::Wait, site);
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        announce(this.announced, this.object, this.site);
        this.inner.poll(cx)
    }
}

opaque!(['a] Notified<'a>, "Notified");

struct Waiting;

impl Lend for Waiting {
    type Owner = Notify;
    type Guard<'a> = Pin<Box<waits::Notified<'a>>>;
}

/// As [`Notified`], but keeps the [`Notify`] alive; made by [`Notify::notified_owned`].
#[pin_project]
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct OwnedNotified {
    site: Site,
    announced: bool,
    inner: Owned<Waiting>,
    // What waits lies in a box, and could be moved; tokio's own may not be.
    #[pin]
    _pinned: PhantomPinned,
}

impl OwnedNotified {
    /// Registers as waiting, as a poll would; true if it has been notified.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        self.waiting().with_mut(|inner| inner.as_mut().enable())
    }

    /// What waits, once that has been announced.
    fn waiting(self: Pin<&mut Self>) -> &mut Owned<Waiting> {
        let this = self.project();
        announce(this.announced, &this.inner.owner().object, this.site);
        this.inner
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.waiting().with_mut(|inner| inner.as_mut().poll(cx))
    }
}

opaque!([] OwnedNotified, "OwnedNotified");
