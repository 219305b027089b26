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

/// One end of a channel, as it knows itself: among all channels, and among its senders.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Which {
    channel: u32,
    /// Its place among the senders, or [`RECEIVER`].
    nth: u32,
}

impl Which {
    /// An end of which nothing is known.
    pub(crate) const NONE: Which = Which { channel: u32::MAX, nth: u32::MAX };
}

/// Which end the receiver is.
const RECEIVER: u32 = u32::MAX;
/// No sender that is known.
const NO_SENDER: u32 = u32::MAX - 1;

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
    /// The channel; 0 once its receiver is gone.
    object: u32,
    /// The sender that sent last, and whether the receiver received last of what is known of the receiving end; else
    /// the channel's [`Place`] knows.
    sent: u32,
    received: bool,
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

    #[inline]
    fn keeper(&self, nth: u32) -> Option<&Keeper> {
        match nth {
            RECEIVER => Some(&self.receiver),
            0 => Some(&self.first),
            nth => self.more.get(nth as usize - 1),
        }
    }

    #[inline]
    fn keeper_mut(&mut self, nth: u32) -> Option<&mut Keeper> {
        match nth {
            RECEIVER => Some(&mut self.receiver),
            0 => Some(&mut self.first),
            nth => self.more.get_mut(nth as usize - 1),
        }
    }

    /// Who used an end last, if its keeper knows.
    fn user(&self, end: Access) -> Option<(u32, Site)> {
        let nth = match end {
            Access::Send => self.sent,
            _ if self.received => RECEIVER,
            _ => NO_SENDER,
        };
        self.keeper(nth).map(|keeper| (keeper.task, keeper.site))
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
        let nth = self.places.get(channel as usize)?.ends?;
        self.channels.get(nth as usize)
    }

    fn ends_mut(&mut self, channel: u32) -> Option<&mut Ends> {
        let nth = self.places.get(channel as usize)?.ends?;
        self.channels.get_mut(nth as usize)
    }

    /// Who used an end of a channel last, and where.
    pub(super) fn user(&self, channel: u32, end: Access) -> Option<(u32, Site)> {
        let known = self.ends(channel).and_then(|ends| ends.user(end));
        known.or_else(|| {
            let place = self.places.get(channel as usize)?;
            if end == Access::Send { place.sender } else { place.receiver }
        })
    }

    /// What the keeper knows of who used an end last is kept apart from it from now on.
    #[cold]
    fn part(&mut self, channel: u32, nth: u32) {
        let Some(ends) = self.ends_mut(channel) else { return };
        let (end, last) = match nth {
            RECEIVER => (Access::Receive, ends.received),
            nth => (Access::Send, ends.sent == nth),
        };
        let user = ends.user(end).filter(|_| last);
        if user.is_some() {
            match nth {
                RECEIVER => ends.received = false,
                _ => ends.sent = NO_SENDER,
            }
            let place = self.place(channel);
            match nth {
                RECEIVER => place.receiver = user,
                _ => place.sender = user,
            }
        }
    }

    /// The ends of a channel, and which of them one is, while there is a receiver.
    #[inline]
    fn ends_of(&mut self, channel: u32, which: Which) -> Option<(&mut Ends, u32)> {
        let ends = self.channels.get_mut(which.channel as usize)?;
        (ends.object == channel).then_some((ends, which.nth))
    }

    /// An end is used, but nothing goes through it.
    #[cold]
    fn use_otherwise(&mut self, channel: u32, nth: u32, user: (u32, Site), spawned: u32) {
        self.part(channel, nth);
        if let Some(keeper) = self.ends_mut(channel).and_then(|ends| ends.keeper_mut(nth)) {
            keeper.used_by(user.0, user.1, spawned);
        }
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
    /// The running task has made a channel: its sender, and its receiver.
    pub(crate) fn open_channel(&self, channel: &Object) -> (Which, Which) {
        let (object, task) = (channel.number_in(self), self.running.number());
        let spawned = self.table.borrow().spawned;
        let mut graph = self.graph.borrow_mut();
        let made = Keeper::made_by(task, channel.site(), spawned, self.pulse.get());
        let ends = Ends {
            object,
            sent: NO_SENDER,
            received: false,
            receiver: made,
            first: made,
            more: Vec::new(),
            free: Vec::new(),
            others_send: false,
            reserves: false,
        };
        let nth = match graph.free_channels.pop() {
            Some(free) => {
                graph.channels[free as usize] = ends;
                free
            }
            None => {
                graph.channels.push(ends);
                graph.channels.len() as u32 - 1
            }
        };
        graph.place(object).ends = Some(nth);
        (Which { channel: nth, nth: 0 }, Which { channel: nth, nth: RECEIVER })
    }

    /// The running task has made another sender; `None` if that cannot be known.
    pub(crate) fn add_sender(&self, channel: &Object) -> Option<Which> {
        let (number, task) = (channel.number_in(self), self.running.number());
        let spawned = self.table.borrow().spawned;
        let mut graph = self.graph.borrow_mut();
        let made = Keeper::made_by(task, channel.site(), spawned, self.pulse.get());
        let channel = graph.places.get(number as usize)?.ends?;
        let ends = graph.ends_mut(number)?;
        if let Some(nth) = ends.free.pop() {
            *ends.keeper_mut(nth)? = made;
            return Some(Which { channel, nth });
        }
        if ends.more.len() == SENDERS_KEPT {
            ends.others_send = true;
            return None;
        }
        ends.more.push(made);
        Some(Which { channel, nth: ends.more.len() as u32 })
    }

    /// An end is gone. Without the receiver nobody waits any more.
    pub(crate) fn remove_end(&self, channel: &Object, which: Which) {
        let number = channel.number_in(self);
        let mut graph = self.graph.borrow_mut();
        graph.part(number, which.nth);
        let Some((ends, nth)) = graph.ends_of(number, which) else { return };
        if nth == RECEIVER {
            ends.object = 0;
            let sent = ends.sent;
            graph.part(number, sent);
            graph.place(number).ends = None;
            graph.free_channels.push(which.channel);
        } else if let Some(keeper) = ends.keeper_mut(nth) {
            keeper.has = Has::Gone;
            ends.free.push(nth);
        }
    }

    /// Senders may come back of which nothing is known: from weak ones, or with room that was reserved.
    pub(crate) fn lose_senders(&self, channel: &Object) {
        let number = channel.number_in(self);
        if let Some(ends) = self.graph.borrow_mut().ends_mut(number) {
            ends.others_send = true;
        }
    }

    /// Room was reserved, which may be given back without a message.
    pub(crate) fn reserve_room(&self, channel: &Object) {
        let number = channel.number_in(self);
        if let Some(ends) = self.graph.borrow_mut().ends_mut(number) {
            ends.reserves = true;
        }
    }

    /// The running task uses some end of a channel, nobody knows which.
    #[inline]
    pub(crate) fn use_end(&self, channel: u32, end: Access, site: Site) {
        let task = self.running.number();
        let mut graph = self.graph.borrow_mut();
        match end {
            Access::Send => {
                if let Some(ends) = graph.ends_mut(channel) {
                    ends.sent = NO_SENDER;
                }
                graph.place(channel).sender = Some((task, site));
                graph.note_sent(task, self.pulse.get());
            }
            _ => graph.place(channel).receiver = Some((task, site)),
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
        let ends = which.and_then(|which| graph.ends_of(channel, which));
        let Some((ends, nth)) = ends else {
            drop(graph);
            return self.use_unknown_end(channel, access, site);
        };
        match access {
            Access::Send => ends.sent = nth,
            Access::Receive => ends.received = true,
            _ => return graph.use_otherwise(channel, nth, (task, site), spawned),
        }
        if let Some(keeper) = ends.keeper_mut(nth) {
            keeper.used_by(task, site, spawned);
        }
        if access == Access::Send {
            graph.note_sent(task, self.pulse.get());
        }
    }

    /// As [`use_this_end`](World::use_this_end), of an end that is not known.
    #[cold]
    fn use_unknown_end(&self, channel: u32, access: Access, site: Site) {
        if matches!(access, Access::Send | Access::Receive) {
            self.use_end(channel, access, site);
        }
    }
}
