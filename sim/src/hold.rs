//! How locks and semaphores tell the wait-for graph what is taken, given back and waited for.

pub(crate) use crate::world::{How, Share, Taker, Which};
use crate::{
    context,
    point::{Object, Site},
    world::{WaitWaker, World},
};
use pin_project::{pin_project, pinned_drop};
use std::{
    future::Future,
    num::NonZero,
    pin::Pin,
    task::{Context, Poll, Waker},
};

impl Object {
    /// The running task has taken a share of the object.
    #[inline]
    pub(crate) fn hold(&self, share: Share, site: Site) -> Taker {
        let mut taker = Taker::NOBODY;
        let how = How { owned: false, tried: false };
        context::within(|world| taker = world.hold(self, share, site, how));
        taker
    }

    /// As [`hold`](Object::hold), with a guard that keeps the object alive and may go to any task.
    #[inline]
    pub(crate) fn hold_owned(&self, share: Share, site: Site) -> Taker {
        let mut taker = Taker::NOBODY;
        let how = How { owned: true, tried: false };
        context::within(|world| taker = world.hold(self, share, site, how));
        taker
    }

    /// As [`hold`](Object::hold), of what was got without waiting.
    #[inline]
    pub(crate) fn hold_tried(&self, share: Share, site: Site, owned: bool) -> Taker {
        let mut taker = Taker::NOBODY;
        let how = How { owned, tried: true };
        context::within(|world| taker = world.hold(self, share, site, how));
        taker
    }

    /// A share is now held by who has taken something there before.
    pub(crate) fn hold_as(&self, taker: Taker, share: Share, site: Site, owned: bool) {
        if taker != Taker::NOBODY {
            context::within_or_at_end(|world| world.hold_as(self, taker, share, site, owned));
        }
    }

    /// So many units of what was taken at `site` are given back; a lock is one.
    #[inline]
    pub(crate) fn give_back(&self, taker: Taker, site: Site, units: u32) {
        if taker != Taker::NOBODY {
            context::within_or_at_end(|world| world.give_back(self, taker, site, units, false));
        }
    }

    /// A lock is given back, and whether what it protects may have been changed.
    #[inline]
    pub(crate) fn give_back_lock(&self, taker: Taker, site: Site, changed: bool) {
        if taker != Taker::NOBODY {
            context::within_or_at_end(|world| world.give_back(self, taker, site, 1, changed));
        }
    }

    /// Permits that were taken at `site` will not be given back.
    pub(crate) fn forget(&self, taker: Taker, site: Site, permits: u32) {
        if taker != Taker::NOBODY {
            context::within_or_at_end(|world| world.forget(self, taker, site, permits));
        }
    }

    /// Permits are added, or taken away.
    pub(crate) fn grow(&self) {
        context::within(|world| world.grow(self));
    }

    /// A task was spawned into the set.
    pub(crate) fn add_member(&self, task: u32) {
        context::within(|world| world.add_member(self, task));
    }

    /// The running task has made a channel: its first sender, and its receiver.
    pub(crate) fn open_channel(&self) -> (End, End) {
        let mut ends = (End::UNKNOWN, End::UNKNOWN);
        context::within(|world| {
            let (sender, receiver) = world.open_channel(self);
            ends = (End::of(world, sender), End::of(world, receiver));
        });
        ends
    }

    /// The running task has made another sender.
    pub(crate) fn add_sender(&self) -> End {
        let mut end = End::UNKNOWN;
        context::within(|world| {
            if let Some(sender) = world.add_sender(self) {
                end = End::of(world, sender);
            }
        });
        end
    }

    /// An end is gone.
    #[inline]
    pub(crate) fn remove_end(&self, end: &End) {
        context::within_or_at_end(|world| {
            if let Some(which) = end.which(world) {
                world.remove_end(self, which);
            }
        });
    }

    /// Senders may come back of which nothing is known.
    pub(crate) fn lose_senders(&self) {
        context::within(|world| world.lose_senders(self));
    }

    /// Room was reserved, which may be given back without a message.
    pub(crate) fn reserve_room(&self) {
        context::within(|world| world.reserve_room(self));
    }

    /// Notes that the running task waits as a thread does, until what this gives is dropped.
    pub(crate) fn block(&self, share: Share, site: Site) -> Blocking {
        let mut place = None;
        context::within(|world| {
            place = place_of(world, world.begin_wait(self, share, site, WaitWaker::Thread));
        });
        Blocking { place }
    }

    /// Notes that whoever polls `future` waits for a share of the object while it is pending.
    pub(crate) fn waiting<F: Future>(&self, share: Share, site: Site, future: F) -> Waiting<'_, F> {
        Waiting { future, object: self, share, site, place: None }
    }
}

/// Which end of its channel an end is, in the run that made it.
pub(crate) struct End {
    /// 0 if it is not known.
    run: u64,
    which: Which,
}

impl End {
    const UNKNOWN: End = End { run: 0, which: Which::NONE };

    fn of(world: &World, which: Which) -> End {
        End { run: world.run(), which }
    }

    #[inline]
    pub(crate) fn which(&self, world: &World) -> Option<Which> {
        (self.run == world.run()).then_some(self.which)
    }
}

/// A wait of a future that is polled by hand, until it is dropped.
#[derive(Default)]
pub(crate) struct Polled {
    place: Option<Place>,
}

impl Polled {
    /// Notes what a poll gave.
    #[inline]
    pub(crate) fn note(
        &mut self,
        object: &Object,
        share: Share,
        site: Site,
        pending: bool,
        waker: &Waker,
    ) {
        match pending {
            true => note(object, share, site, &mut self.place, waker),
            false => end(&mut self.place),
        }
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        end(&mut self.place);
    }
}

/// The run and the number of a wait in it; the run is never 0.
type Place = (NonZero<u64>, u32);

#[inline]
fn end(place: &mut Option<Place>) {
    if let Some(place) = place.take() {
        end_place(place);
    }
}

fn end_place((run, wait): Place) {
    context::within_or_at_end(|world| {
        if world.run() == run.get() {
            world.end_wait(wait);
        }
    });
}

/// Somebody waits as a thread does.
pub(crate) struct Blocking {
    place: Option<Place>,
}

impl Drop for Blocking {
    fn drop(&mut self) {
        end(&mut self.place);
    }
}

/// A future that waits for an object.
#[pin_project(PinnedDrop)]
pub(crate) struct Waiting<'a, F> {
    #[pin]
    future: F,
    object: &'a Object,
    share: Share,
    site: Site,
    place: Option<Place>,
}

impl<F: Future> Future for Waiting<'_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.future.poll(cx) {
            Poll::Ready(output) => {
                end(this.place);
                Poll::Ready(output)
            }
            Poll::Pending => {
                note(this.object, *this.share, this.site, this.place, cx.waker());
                Poll::Pending
            }
        }
    }
}

/// Notes that the running task waits, or goes on to.
fn note(object: &Object, share: Share, site: Site, place: &mut Option<Place>, waker: &Waker) {
    context::within(|world| {
        let waker = WaitWaker::By(waker.data());
        match *place {
            Some((run, wait)) if run.get() == world.run() => world.go_on_waiting(wait, waker),
            _ => *place = place_of(world, world.begin_wait(object, share, site, waker)),
        }
    });
}

fn place_of(world: &World, wait: u32) -> Option<Place> {
    NonZero::new(world.run()).map(|run| (run, wait))
}

#[pinned_drop]
impl<F> PinnedDrop for Waiting<'_, F> {
    fn drop(self: Pin<&mut Self>) {
        end(self.project().place);
    }
}
