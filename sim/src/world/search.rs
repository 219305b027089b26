//! What an exhaustive search is told of its runs, beside what all strategies that watch are told.

use super::{Home, NONE, World, table::Table, watch::hash};
use crate::point::{Object, Site};
use sim_choice::{Announced, Search, exhaustive::Effect};

/// What a task attempts.
#[derive(Clone, Copy)]
pub(crate) enum Attempted<'a> {
    /// To take a fair lock.
    Lock(&'a Object),
    /// To join the task of that number.
    Task(u32),
}

impl World {
    /// Whether the run is one of an exhaustive search.
    #[inline]
    pub(crate) fn is_searching(&self) -> bool {
        self.searching.get()
    }

    /// Tells the search, if there is one, of what the running task does, whose number it is given.
    fn tell_search(&self, tell: impl FnOnce(&mut Search, u32)) {
        let running = self.running.get();
        if self.searching.get()
            && !self.stopping.get()
            && running.slot != NONE
            && let Some(search) = self.choices.borrow_mut().search()
        {
            tell(search, running.number);
        }
    }

    /// The number of an object that is being made.
    pub(crate) fn make_object(&self) -> u32 {
        let object = self.next_object();
        self.tell_search(|search, _| search.made(object));
        object
    }

    fn attempted(&self, what: Attempted<'_>) -> (u32, Effect) {
        match what {
            Attempted::Lock(object) => (object.number_in(self), Effect::Queue),
            Attempted::Task(number) => (Announced::of_task(number), Effect::QueueShared),
        }
    }

    /// The running task, which has announced that it takes a fair lock or joins a task, does so now.
    #[cold]
    pub(crate) fn tell_attempt(&self, what: Attempted<'_>, site: Site) {
        let (object, effect) = self.attempted(what);
        self.tell_search(|search, task| search.attempt(task, object, effect, hash(site)));
    }

    /// It has got it.
    #[cold]
    pub(crate) fn tell_granted(&self, what: Attempted<'_>) {
        let (object, effect) = self.attempted(what);
        self.tell_search(|search, task| search.granted(task, object, effect));
    }

    /// The running task changes an object without having announced it.
    #[cold]
    pub(crate) fn tell_change(&self, object: &Object) {
        let object = object.number_in(self);
        self.tell_search(|search, _| search.changes(object));
    }

    /// The running task waits within libc, or lets others go on that do.
    pub(super) fn tell_libc(&self) {
        self.tell_search(|search, _| search.enters_libc());
    }

    /// Nothing can go on, and the clock moves.
    pub(super) fn tell_quiet(&self) {
        if self.searching.get()
            && let Some(search) = self.choices.borrow_mut().search()
        {
            search.quiet();
        }
    }

    /// The main task ends, and the run with it.
    pub(super) fn tell_main_ended(&self) {
        if self.searching.get() && !self.stopping.get() {
            let mut table = self.table.borrow_mut();
            let candidates = table.choice(None);
            if let Some(search) = self.choices.borrow_mut().search() {
                search.main_ended(&candidates);
            }
        }
    }

    /// Tells the search whether a poll of the running task is one step, as its pool has one worker.
    pub(super) fn tell_whole(&self, table: &Table) {
        let slot = &table.slots[self.running.slot() as usize];
        let pool = match slot.home {
            Home::Pool(pool) => pool,
            Home::Local(_) => self.pool.get(),
        };
        let whole = table.pools.get(pool as usize).is_some_and(|pool| pool.workers == 1);
        if let Some(search) = self.choices.borrow_mut().search() {
            search.set_whole(whole);
        }
    }

    /// The run is over: what is taken down is no part of it.
    pub(super) fn tell_end(&self) {
        if self.searching.get()
            && let Some(search) = self.choices.borrow_mut().search()
        {
            search.end();
        }
    }

    /// Ends the run if the search gives it up; whether it does.
    pub(super) fn is_given_up(&self) -> bool {
        let stop = self.choices.borrow_mut().search().and_then(|search| search.stop());
        if stop.is_some() {
            self.set_stopping(true);
        }
        stop.is_some()
    }
}
