//! The wait-for graph: which task holds which lock or permits, and who waits for what.
//!
//! A hold belongs to its guard, wherever that goes; what is kept is who took it, and where. A wait is
//! kept once a poll for it was pending, so that what need not wait pays nothing for it.

mod channels;
mod leaks;
mod lock_class;
mod order;
mod picture;
mod report;
mod rings;
mod stuck;
mod torn;
mod ways_out;

pub(crate) use channels::Which;
pub(crate) use lock_class::{Order, Taken};
pub(crate) use order::How;

use super::{NONE, World};
use crate::{
    check::FailureKind,
    point::{Access, Object, Site},
};

/// Holds of one object that are kept one by one; more are only counted.
const HOLDS_KEPT: usize = 64;

/// What is taken at once: a lock, shared or not, or some permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Share {
    /// All of a lock.
    Whole,
    /// A lock that others may hold too.
    Part,
    /// So many permits.
    Permits(u32),
    /// The end of any task of a set.
    Member,
    /// Room in a channel.
    Room,
    /// A message of a channel.
    Message,
    /// The message of a channel for one.
    Reply,
}

impl Share {
    fn units(self) -> u32 {
        match self {
            Share::Permits(permits) => permits,
            _ => 1,
        }
    }

    /// Whether a wait for it says nothing by itself: servers wait for messages for ever.
    fn is_idle(self) -> bool {
        matches!(self, Share::Message | Share::Reply)
    }

    /// Whether it is something of a channel.
    fn is_of_channel(self) -> bool {
        matches!(self, Share::Room | Share::Message | Share::Reply)
    }

    /// How a wait for it is announced.
    fn access(self) -> Access {
        match self {
            Share::Part => Access::AcquireShared,
            Share::Whole | Share::Permits(_) => Access::Acquire,
            Share::Member => Access::Join,
            Share::Room => Access::Send,
            Share::Message | Share::Reply => Access::Receive,
        }
    }
}

/// One who took an object, as its guard remembers it: [`Taker::NOBODY`] outside of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Taker(u32);

impl Taker {
    pub(crate) const NOBODY: Taker = Taker(NONE);
}

/// What somebody took and has not given back.
#[derive(Clone, Copy)]
struct Hold {
    /// The task that took it.
    task: u32,
    share: Share,
    site: Site,
    /// Its guard keeps the object alive, so that it may have been given to any task.
    owned: bool,
}

impl Hold {
    fn is_lock(&self) -> bool {
        !matches!(self.share, Share::Permits(_))
    }
}

/// What is known of one object.
#[derive(Default)]
struct Place {
    /// Where it was created; `None` if it was never taken.
    origin: Option<Site>,
    /// The first hold apart from the others: most objects have one at a time.
    first: Option<Hold>,
    more: Vec<Hold>,
    /// Holds beyond [`HOLDS_KEPT`].
    uncounted: u32,
    /// How often it was taken, and how many wait for it.
    taken: u32,
    waiting: u32,
    /// Who was aborted while it held the lock, and had changed what it protects.
    torn: Option<Box<torn::Torn>>,
    /// Permits that will not come back.
    forgotten: Vec<Hold>,
    /// The tasks of a set.
    members: Vec<u32>,
    /// Permits were added or taken away.
    grows: bool,
    /// The tasks that used the ends of a channel last, and where, unless their keepers know.
    sender: Option<(u32, Site)>,
    receiver: Option<(u32, Site)>,
    /// Which channel's ends are those of this one, if it was made in this run.
    ends: Option<u32>,
}

impl Place {
    #[inline]
    fn take(&mut self, hold: Hold) {
        match self.first {
            None => self.first = Some(hold),
            Some(_) if self.more.len() < HOLDS_KEPT => self.more.push(hold),
            Some(_) => self.uncounted += hold.share.units(),
        }
    }

    /// Takes so many units out of the holds of `task` taken at `site`.
    #[inline]
    fn give_back(&mut self, task: u32, site: Site, mut units: u32) {
        let is_it = |hold: &Hold| hold.task == task && std::ptr::eq(hold.site, site);
        if let Some(hold) = &mut self.first
            && is_it(hold)
        {
            units -= subtract(hold, units);
            if hold.share.units() == 0 || hold.is_lock() {
                self.first = if self.more.is_empty() { None } else { self.next_hold() };
            }
        }
        if units > 0 {
            self.give_back_more(is_it, units);
        }
    }

    #[inline(never)]
    fn next_hold(&mut self) -> Option<Hold> {
        Some(self.more.remove(0))
    }

    #[cold]
    fn give_back_more(&mut self, is_it: impl Fn(&Hold) -> bool, mut units: u32) {
        self.more.retain_mut(|hold| {
            if units == 0 || !is_it(hold) {
                return true;
            }
            let is_lock = hold.is_lock();
            units -= subtract(hold, units);
            !is_lock && hold.share.units() > 0
        });
        self.uncounted = self.uncounted.saturating_sub(units);
    }

    fn holds(&self) -> impl Iterator<Item = &Hold> {
        self.first.iter().chain(&self.more)
    }
}

/// Takes at most so many units out of a hold; gives how many. A lock is one unit, and stays whole.
fn subtract(hold: &mut Hold, units: u32) -> u32 {
    match &mut hold.share {
        Share::Permits(permits) => {
            let taken = units.min(*permits);
            *permits -= taken;
            taken
        }
        _ => 1,
    }
}

/// Whom the end of a wait wakes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WaitWaker {
    /// What this waker's data is, which is only compared.
    By(*const ()),
    /// A thread that waits, so that nothing else can end the wait.
    Thread,
}

/// Somebody who waits for an object.
#[derive(Clone, Copy)]
struct Wait {
    task: u32,
    object: u32,
    share: Share,
    site: Site,
    origin: Site,
    /// The order in which the waits of a run began.
    since: u64,
    /// How often the object will have been taken when its turn has come, if nobody overtakes.
    turn: u32,
    waker: WaitWaker,
}

/// The holds and waits of a run.
#[derive(Default)]
pub(super) struct Graph {
    /// By the numbers of the objects.
    places: Vec<Place>,
    /// The ends of channels that have a receiver; others are free.
    channels: Vec<channels::Ends>,
    free_channels: Vec<u32>,
    waits: Vec<Option<Wait>>,
    free: Vec<u32>,
    began: u64,
    /// Waits that say nothing by themselves.
    idle: usize,
    /// How often others may take what somebody waits for.
    overtakes: u32,
    /// At which step each task sent something last.
    sent_by: Vec<u64>,
    aborters: Vec<ways_out::Aborter>,
    watch: stuck::Watch,
    orders: order::Orders,
}

impl Graph {
    /// Forgets the former run.
    pub(super) fn clear(&mut self, overtakes: u32) {
        self.overtakes = overtakes;
        self.places.clear();
        self.channels.clear();
        self.free_channels.clear();
        self.waits.clear();
        self.free.clear();
        (self.began, self.idle) = (0, 0);
        self.sent_by.clear();
        self.aborters.clear();
        self.watch.clear();
        self.orders.clear();
    }

    #[inline]
    fn place(&mut self, object: u32) -> &mut Place {
        let index = object as usize;
        if index >= self.places.len() {
            self.add_places(index);
        }
        &mut self.places[index]
    }

    #[cold]
    #[inline(never)]
    fn add_places(&mut self, last: usize) {
        self.places.resize_with(last + 1, Place::default);
    }

    /// The waits that have not ended, in the order in which they began.
    fn waits(&self) -> Vec<Wait> {
        let mut waits: Vec<Wait> = self.waits.iter().flatten().copied().collect();
        waits.sort_by_key(|wait| wait.since);
        waits
    }
}

impl World {
    /// The running task has taken a share of an object.
    #[inline]
    pub(crate) fn hold(&self, object: &Object, share: Share, site: Site, how: How) -> Taker {
        let taker = Taker(self.running.number());
        match share {
            Share::Permits(_) | Share::Member | Share::Room | Share::Message | Share::Reply => {
                let number = object.number_in(self);
                let mut graph = self.graph.borrow_mut();
                let place = graph.place(number);
                place.origin = Some(object.site());
                place.take(Hold { task: taker.0, share, site, owned: how.owned });
                place.taken += 1;
            }
            Share::Whole | Share::Part => {
                self.hold_lock(object, Hold { task: taker.0, share, site, owned: how.owned }, how);
            }
        }
        taker
    }

    /// As [`hold`](World::hold), for another.
    #[inline]
    pub(crate) fn hold_as(
        &self,
        object: &Object,
        taker: Taker,
        share: Share,
        site: Site,
        owned: bool,
    ) {
        let number = object.number_in(self);
        let mut graph = self.graph.borrow_mut();
        let place = graph.place(number);
        place.origin = Some(object.site());
        place.take(Hold { task: taker.0, share, site, owned });
    }

    /// So many units of what `taker` took at `site` are given back.
    #[inline]
    pub(crate) fn give_back(
        &self,
        object: &Object,
        taker: Taker,
        site: Site,
        units: u32,
        changed: bool,
    ) {
        let number = object.number_in(self);
        if changed && self.aborting.get() == self.running.number() {
            self.note_torn(number, taker, site);
        }
        let mut graph = self.graph.borrow_mut();
        if let Some(place) = graph.places.get_mut(number as usize) {
            place.give_back(taker.0, site, units);
        }
        graph.orders.give_back(number, taker.0);
    }

    /// Permits that `taker` took at `site` will not be given back.
    pub(crate) fn forget(&self, object: &Object, taker: Taker, site: Site, permits: u32) {
        let number = object.number_in(self);
        let mut graph = self.graph.borrow_mut();
        let place = graph.place(number);
        place.give_back(taker.0, site, permits);
        let share = Share::Permits(permits);
        let forgotten = Hold { task: taker.0, share, site, owned: false };
        if place.forgotten.len() < HOLDS_KEPT {
            place.forgotten.push(forgotten);
        }
    }

    /// Permits are added, or taken away: there are not always as many as at first.
    pub(crate) fn grow(&self, semaphore: &Object) {
        let number = semaphore.number_in(self);
        self.graph.borrow_mut().place(number).grows = true;
    }

    /// A task was spawned into a set.
    pub(crate) fn add_member(&self, set: &Object, task: u32) {
        let number = set.number_in(self);
        self.graph.borrow_mut().place(number).members.push(task);
    }

    /// The running task waits for a share of an object; gives the number of the wait.
    #[inline(always)]
    pub(crate) fn begin_wait(
        &self,
        object: &Object,
        share: Share,
        site: Site,
        waker: WaitWaker,
    ) -> u32 {
        let number = object.number_in(self);
        let mut graph = self.graph.borrow_mut();
        graph.began += 1;
        match share.is_idle() {
            true => graph.idle += 1,
            false => graph.watch.changed = true,
        }
        let turn = match share.is_of_channel() {
            true => 0,
            false => {
                let place = graph.place(number);
                place.waiting += 1;
                place.taken.saturating_add(place.waiting - 1)
            }
        };
        let wait = Wait {
            task: self.running.number(),
            object: number,
            share,
            site,
            origin: object.site(),
            since: graph.began,
            turn,
            waker,
        };
        match graph.free.pop() {
            Some(free) => {
                graph.waits[free as usize] = Some(wait);
                free
            }
            None => {
                graph.waits.push(Some(wait));
                graph.waits.len() as u32 - 1
            }
        }
    }

    /// A wait goes on, in the task that runs.
    pub(crate) fn go_on_waiting(&self, wait: u32, waker: WaitWaker) {
        let task = self.running.number();
        let mut graph = self.graph.borrow_mut();
        if let Some(Some(wait)) = graph.waits.get_mut(wait as usize) {
            (wait.task, wait.waker) = (task, waker);
            graph.watch.changed |= !wait.share.is_idle();
        }
    }

    /// A wait has ended, or was given up.
    pub(crate) fn end_wait(&self, wait: u32) {
        let mut graph = self.graph.borrow_mut();
        let Some(ended) = graph.waits.get_mut(wait as usize).and_then(Option::take) else { return };
        graph.free.push(wait);
        if ended.share.is_of_channel() {
            graph.idle -= usize::from(ended.share.is_idle());
            return;
        }
        let overtakes = graph.overtakes;
        let place = graph.place(ended.object);
        place.waiting = place.waiting.saturating_sub(1);
        if place.taken > ended.turn.saturating_add(overtakes) {
            drop(graph);
            self.report_unfair(&ended, overtakes);
        }
    }

    /// By places alone, so that many runs give one warning.
    #[cold]
    fn report_unfair(&self, wait: &Wait, overtakes: u32) {
        if self.stopping.get() || self.ambient.get() {
            return;
        }
        let who = match self.spawn_site(wait.task) {
            Some(site) if wait.task != 0 => format!("a task spawned at {site}"),
            _ => "main".to_string(),
        };
        let what = match self.given_name(wait.object) {
            Some(name) => format!("{name} (created at {})", wait.origin),
            None => format!("what was created at {}", wait.origin),
        };
        let message = format!(
            "{who} waited at {} for {what}, while others that came later took it more than {overtakes} times",
            wait.site
        );
        self.lint(FailureKind::UnfairWait, message, Some(wait.task));
    }
}
