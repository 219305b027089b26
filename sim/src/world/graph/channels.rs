//! Who has the ends of a channel: needed to know who could end the wait for a message, or for room.
//!
//! An end is a value that may go anywhere, and nobody is told when it moves. So its *keeper* is who used it last, if
//! nobody else uses it as well; a task that was spawned after the last use may have been given it. An end that nobody
//! has used is with who made it or a task that was spawned since, unless its maker has sent something since,
//! which it may have been part of. What was handed on in another way, in a std mutex say, is not seen: a
//! cycle through channels is only told once it has stood for a while.

use super::{Graph, Object, Site, World};
use crate::point::Access;

/// Senders of one channel that are known one by one; of more nothing is said.
const SENDERS_KEPT: usize = 64;

/// One end of a channel, as it knows itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Which {
    Receiver,
    /// By its place among the senders.
    Sender(u32),
}

/// Who has an end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Has {
    /// Nobody: it was dropped.
    Gone,
    /// The maker, or a task that was spawned since.
    Made,
    /// Who uses it, or a task that was spawned since.
    Used,
    /// Several use it.
    Shared,
}

/// What is known of one end.
#[derive(Clone, Copy)]
pub(super) struct Keeper {
    pub(super) has: Has,
    /// Who made it, or used it last.
    pub(super) task: u32,
    /// Where that was.
    pub(super) site: Site,
    /// How many tasks had been spawned by then.
    pub(super) spawned: u32,
    /// The step at which it was made.
    made: u64,
}

impl Keeper {
    fn made_by(task: u32, site: Site, spawned: u32, step: u64) -> Keeper {
        Keeper { has: Has::Made, task, site, spawned, made: step }
    }

    #[inline]
    fn used_by(&mut self, task: u32, site: Site, spawned: u32) {
        self.has = match self.has {
            Has::Made => Has::Used,
            // It was given to a task that was spawned since.
            Has::Used if task == self.task || task >= self.spawned => Has::Used,
            _ => Has::Shared,
        };
        (self.task, self.site, self.spawned) = (task, site, spawned);
    }
}

/// The ends of a channel that was made in this run.
pub(super) struct Ends {
    pub(super) receiver: Keeper,
    /// The first sender apart from the others: most channels have one.
    first: Keeper,
    more: Vec<Keeper>,
    free: Vec<u32>,
    /// Not all that can send are known.
    pub(super) others_send: bool,
    /// Room was reserved, which may be given back.
    pub(super) reserves: bool,
}

impl Ends {
    /// The senders that there are.
    pub(super) fn senders(&self) -> impl Iterator<Item = &Keeper> + Clone {
        let all = std::iter::once(&self.first).chain(&self.more);
        all.filter(|keeper| keeper.has != Has::Gone)
    }

    fn sender(&mut self, nth: u32) -> Option<&mut Keeper> {
        match nth {
            0 => Some(&mut self.first),
            nth => self.more.get_mut(nth as usize - 1),
        }
    }
}

impl Graph {
    /// Whether who made an end has sent something since, of which the end may have been part.
    pub(super) fn may_be_sent(&self, keeper: &Keeper) -> bool {
        let last = self.sent_by.get(keeper.task as usize).copied().unwrap_or_default();
        keeper.has == Has::Made && last >= keeper.made
    }

    /// The ends of a channel, if all that is to be known of them is known.
    pub(super) fn ends(&self, channel: u32) -> Option<&Ends> {
        self.places.get(channel as usize)?.ends.as_deref()
    }

    /// A task sends something.
    #[inline]
    fn note_sent(&mut self, task: u32, step: u64) {
        match self.sent_by.get_mut(task as usize) {
            Some(last) => *last = step,
            None => self.note_first_sent(task, step),
        }
    }

    #[cold]
    fn note_first_sent(&mut self, task: u32, step: u64) {
        if task != super::NONE {
            self.sent_by.resize(task as usize + 1, 0);
            self.sent_by[task as usize] = step;
        }
    }
}

impl World {
    /// The running task has made a channel, with one sender.
    pub(crate) fn open_channel(&self, channel: &Object) {
        let (number, task) = (channel.number_in(self), self.running.number());
        let spawned = self.table.borrow().spawned;
        let mut graph = self.graph.borrow_mut();
        let made = Keeper::made_by(task, channel.site(), spawned, self.pulse.get());
        graph.place(number).ends = Some(Box::new(Ends {
            receiver: made,
            first: made,
            more: Vec::new(),
            free: Vec::new(),
            others_send: false,
            reserves: false,
        }));
    }

    /// The running task has made another sender; `None` if that cannot be known.
    pub(crate) fn add_sender(&self, channel: &Object) -> Option<Which> {
        let (number, task) = (channel.number_in(self), self.running.number());
        let spawned = self.table.borrow().spawned;
        let mut graph = self.graph.borrow_mut();
        let made = Keeper::made_by(task, channel.site(), spawned, self.pulse.get());
        let ends = graph.places.get_mut(number as usize)?.ends.as_mut()?;
        if let Some(free) = ends.free.pop() {
            *ends.sender(free)? = made;
            return Some(Which::Sender(free));
        }
        if ends.more.len() == SENDERS_KEPT {
            ends.others_send = true;
            return None;
        }
        ends.more.push(made);
        Some(Which::Sender(ends.more.len() as u32))
    }

    /// A sender is gone.
    pub(crate) fn remove_sender(&self, channel: &Object, nth: u32) {
        let number = channel.number_in(self);
        let mut graph = self.graph.borrow_mut();
        let place = graph.places.get_mut(number as usize);
        if let Some(ends) = place.and_then(|place| place.ends.as_mut())
            && let Some(keeper) = ends.sender(nth)
        {
            keeper.has = Has::Gone;
            ends.free.push(nth);
        }
    }

    /// The receiver is gone: nobody waits any more.
    pub(crate) fn remove_receiver(&self, channel: &Object) {
        let number = channel.number_in(self);
        if let Some(place) = self.graph.borrow_mut().places.get_mut(number as usize) {
            place.ends = None;
        }
    }

    /// Senders may come back of which nothing is known: from weak ones, or with room that was reserved.
    pub(crate) fn lose_senders(&self, channel: &Object) {
        let number = channel.number_in(self);
        if let Some(ends) = &mut self.graph.borrow_mut().place(number).ends {
            ends.others_send = true;
        }
    }

    /// Room was reserved, which may be given back without a message.
    pub(crate) fn reserve_room(&self, channel: &Object) {
        let number = channel.number_in(self);
        if let Some(ends) = &mut self.graph.borrow_mut().place(number).ends {
            ends.reserves = true;
        }
    }

    /// The running task uses some end of a channel, nobody knows which.
    #[inline]
    pub(crate) fn use_end(&self, channel: u32, end: Access, site: Site) {
        let task = self.running.number();
        let mut graph = self.graph.borrow_mut();
        let place = graph.place(channel);
        match end {
            Access::Send => {
                place.sender = Some((task, site));
                graph.note_sent(task, self.pulse.get());
            }
            _ => place.receiver = Some((task, site)),
        }
    }

    /// The running task uses this end of a channel.
    #[inline]
    pub(crate) fn use_this_end(
        &self,
        channel: u32,
        which: Option<Which>,
        access: Access,
        site: Site,
    ) {
        let spawned = self.table.borrow().spawned;
        let task = self.running.number();
        let mut graph = self.graph.borrow_mut();
        let place = graph.place(channel);
        if let (Some(ends), Some(which)) = (&mut place.ends, which) {
            let keeper = match which {
                Which::Receiver => Some(&mut ends.receiver),
                Which::Sender(nth) => ends.sender(nth),
            };
            if let Some(keeper) = keeper {
                keeper.used_by(task, site, spawned);
            }
        }
        match access {
            Access::Send => {
                place.sender = Some((task, site));
                graph.note_sent(task, self.pulse.get());
            }
            Access::Receive => place.receiver = Some((task, site)),
            _ => {}
        }
    }
}
