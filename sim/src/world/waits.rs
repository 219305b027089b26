//! Those who wait as threads do: in the queue of a lock of std's kind, for a token, for an end.
//!
//! A thread waits in the table, as in any `block_on`. A task in the middle of a poll cannot: its fiber
//! waits and its worker stays taken, as when a futex holds a real one. [`Waiter`] names either.

use super::{Action, Header, Running, World, blocked::Cause, table::Suspended};
use crate::{context, point::Site};
use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Wake, Waker},
};

/// One who waits, or is about to.
#[derive(Clone)]
pub(crate) struct Waiter(Arc<Place>);

struct Place {
    header: Arc<Header>,
    /// Tells the waits of a run apart.
    ticket: u64,
    /// In the middle of a poll: the fiber waits, not the thread.
    polling: bool,
    /// What it waits for has been given to it.
    chosen: AtomicBool,
}

/// A fiber that waits in the middle of a poll.
pub(super) struct Held {
    ticket: u64,
    pub(super) slot: u32,
    pub(super) fiber: u32,
}

impl PartialEq for Waiter {
    fn eq(&self, other: &Waiter) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Waiter {
    pub(crate) fn wake(&self) {
        context::wake_waiter(&self.0.header, self);
    }

    /// Gives it what it waits for, and wakes it.
    pub(crate) fn choose(&self) {
        self.0.chosen.store(true, Relaxed);
        self.wake();
    }

    /// Whether it has been given what it waits for.
    pub(crate) fn is_chosen(&self) -> bool {
        self.0.chosen.load(Relaxed)
    }

    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }
}

impl Wake for Place {
    fn wake(self: Arc<Self>) {
        Waiter(self).wake();
    }
}

impl World {
    /// A name for the code that runs, under which it can wait and be woken.
    pub(crate) fn waiter(self: &Rc<Self>) -> Waiter {
        if self.is_unwound() && !self.is_crashing() {
            // A destructor of what is unwound at the end of the run waits for what nobody will do.
            self.desert();
        }
        let running = self.running();
        let ticket = self.next_ticket();
        let header = self.table.borrow().slots[running.slot as usize].header.clone();
        let header = header.expect("what runs has a header");
        let (polling, chosen) = (!self.may_block(), AtomicBool::new(false));
        Waiter(Arc::new(Place { header, ticket, polling, chosen }))
    }

    /// Waits until the waiter is woken, at `deadline_ns` at the latest, or for nothing.
    pub(crate) fn wait_as(self: &Rc<Self>, waiter: &Waiter, deadline_ns: Option<u64>, site: Site) {
        let timer =
            deadline_ns.map(|at| self.timer_insert(at, Action::Wake(waiter.waker(), Some(site))));
        if waiter.0.polling {
            self.held.borrow_mut().push(Held {
                ticket: waiter.0.ticket,
                slot: self.running().slot,
                fiber: self.fiber.get(),
            });
            // The test itself is the main thread of a program of threads.
            let blocking = match self.running().thread {
                true => None,
                false => self.begin_blocking(Cause::of(self.op.get().map(|op| op.access))),
            };
            self.block();
            self.end_blocking(blocking);
        } else {
            self.park(site);
        }
        if let Some(timer) = timer {
            self.timer_cancel(timer);
        }
    }

    /// Waits until the waiter is woken, or for nothing, as for a device: that is no finding, as reads and writes of small
    /// files in the middle of a poll are usual, and short.
    pub(super) fn wait_at_device(self: &Rc<Self>, waiter: &Waiter, site: Site) {
        if waiter.0.polling {
            let Running { slot, .. } = self.running();
            let (ticket, fiber) = (waiter.0.ticket, self.fiber.get());
            self.held.borrow_mut().push(Held { ticket, slot, fiber });
            self.block();
        } else {
            self.park(site);
        }
    }

    /// The code that runs goes to the end of what is ready.
    pub(crate) fn requeue(self: &Rc<Self>, site: Site) {
        if self.is_stopping() {
            return;
        }
        if !self.may_block() {
            return self.give_way(site);
        }
        let waiter = self.waiter();
        self.quietly(|| waiter.wake());
        self.wait_as(&waiter, None, site);
    }

    /// Lets a waiter go on.
    pub(crate) fn wake_waiter(&self, waiter: &Waiter) {
        let place = &waiter.0;
        if !place.polling {
            return self.wake(place.header.slot, place.header.generation);
        }
        let held = {
            let mut held = self.held.borrow_mut();
            let at = held.iter().position(|held| held.ticket == place.ticket);
            at.map(|at| held.swap_remove(at))
        };
        if let Some(Held { slot, fiber, .. }) = held {
            self.table.borrow_mut().suspend(Suspended { slot, fiber });
        }
    }

    /// What the waiters were woken for is gone before they ran: they wait again, without having run.
    pub(crate) fn hold_again<'a>(&self, waiters: impl Iterator<Item = &'a Waiter>) {
        let mut table = self.table.borrow_mut();
        // Most wait in one pool, that of threads.
        let mut swept = None;
        for Waiter(place) in waiters {
            if !place.polling {
                if let Some(pool) = table.unmark(place.header.slot, place.header.generation)
                    && swept != Some(pool)
                    && let Some(former) = swept.replace(pool)
                {
                    table.sweep(former);
                }
                continue;
            }
            let slot = place.header.slot;
            let Some(Suspended { slot, fiber }) = table.unsuspend(slot) else { continue };
            self.held.borrow_mut().push(Held { ticket: place.ticket, slot, fiber });
        }
        if let Some(pool) = swept {
            table.sweep(pool);
        }
    }
}
