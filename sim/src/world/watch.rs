//! What strategies are told of a run that they watch: who is about to do what, who goes on, who woke whom.
//!
//! In all other runs none of this is called; whether a run is watched does not change within it.

use super::{
    NONE, World,
    table::{Ready, Table, Woken},
};
use crate::{
    fnv::fnv,
    point::{Op, Site},
};
use sim_choice::{Announced, Candidates, Kind};

impl World {
    /// Keeps what the running task has announced where its [`Ready`] looks for it, and names its object.
    pub(super) fn tell_announced(&self, table: &mut Table) {
        let op = self.op.get();
        table.slots[self.running.slot() as usize].op = op;
        if self.is_searching() {
            self.tell_whole(table);
        }
        if let Some(Op { object: object @ 1.., origin: Some(origin), .. }) = op {
            self.choices.borrow_mut().name(object, || hash(origin));
        }
    }

    /// Picks one of the candidates, of which there is at least one, and tells that it goes on; `None` if the run is
    /// given up.
    pub(super) fn pick_watched(&self, kind: Kind, ready: &Ready<'_>) -> Option<u32> {
        let index = {
            let mut choices = self.choices.borrow_mut();
            let index = choices.pick(kind, self.running.path(), ready);
            choices.goes_on(ready.task(index), ready.announced(index));
            index
        };
        (!self.searching.get() || !self.is_given_up()).then_some(index)
    }

    /// Tells that a task begins a turn that was not picked among tasks of pools.
    pub(super) fn tell_local_turn(&self, slot: u32) {
        let number = self.table.borrow().slots[slot as usize].number;
        let mut choices = self.choices.borrow_mut();
        choices.goes_on(number, None);
        if let Some(search) = choices.search() {
            search.local_turn(number, self.running.get().number);
        }
    }

    /// Tells where a task was spawned.
    pub(super) fn tell_spawned(&self, number: u32, site: Site) {
        self.choices.borrow_mut().name_task(number, hash(site));
    }

    /// Tells that a task has ended, unless the run had before.
    pub(super) fn tell_ended(&self, number: u32) {
        if !self.stopping.get() || self.is_crashing() {
            self.choices.borrow_mut().ended(number);
        }
    }

    /// Tells that the task of a slot was woken, if it was.
    #[inline]
    pub(crate) fn tell_woken(&self, slot: u32, woken: &Woken) {
        if self.watching.get() && !matches!(woken, Woken::Nothing) {
            self.tell_cause(slot);
        }
    }

    /// Who runs has woken it, or the clock.
    #[cold]
    fn tell_cause(&self, slot: u32) {
        let number = self.table.borrow().slots[slot as usize].number;
        let running = self.running.get();
        let by = (running.slot != NONE && !self.firing.get()).then_some(running.number);
        self.choices.borrow_mut().woken(number, by);
    }
}

/// An operation as strategies see it.
pub(super) fn announced(op: Option<Op>) -> Option<Announced> {
    op.map(|Op { object, access, .. }| Announced { object, access })
}

/// A number for a place in the source: the same in every run, as an address is not.
pub(super) fn hash(site: Site) -> u64 {
    let place = u64::from(site.line()) << 32 | u64::from(site.column());
    fnv(site.file().bytes().chain(place.to_le_bytes()))
}
