//! Who runs right now, and what it announced last.
//!
//! Each field is a cell of its own: written and read back field by field, within a few instructions of
//! each other, they are forwarded in the processor; as one value of mixed sizes they are not, and
//! each switch would wait for that twice.

use crate::point::{Access, Op, Site};
use sim_choice::Path;
use std::cell::Cell;

/// The task or thread that runs right now.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    pub(crate) slot: u32,
    pub(crate) number: u32,
    pub(crate) path: Path,
    /// A thread, which has a fiber of its own, rather than a task.
    pub(crate) thread: bool,
    /// In the middle of a poll, so that it may not block.
    pub(crate) polling: bool,
}

/// Holds a [`Running`].
pub(super) struct RunningCell {
    slot: Cell<u32>,
    number: Cell<u32>,
    path: Cell<Path>,
    thread: Cell<bool>,
    polling: Cell<bool>,
}

impl RunningCell {
    pub(super) fn new(running: Running) -> RunningCell {
        RunningCell {
            slot: Cell::new(running.slot),
            number: Cell::new(running.number),
            path: Cell::new(running.path),
            thread: Cell::new(running.thread),
            polling: Cell::new(running.polling),
        }
    }

    /// The path alone.
    #[inline]
    pub(super) fn path(&self) -> Path {
        self.path.get()
    }

    /// The slot alone.
    #[inline]
    pub(super) fn slot(&self) -> u32 {
        self.slot.get()
    }

    /// The number alone.
    #[inline]
    pub(super) fn number(&self) -> u32 {
        self.number.get()
    }

    #[inline]
    pub(super) fn get(&self) -> Running {
        Running {
            slot: self.slot.get(),
            number: self.number.get(),
            path: self.path.get(),
            thread: self.thread.get(),
            polling: self.polling.get(),
        }
    }

    #[inline]
    pub(super) fn set(&self, running: Running) {
        self.slot.set(running.slot);
        self.number.set(running.number);
        self.path.set(running.path);
        self.thread.set(running.thread);
        self.polling.set(running.polling);
    }

    #[inline]
    pub(super) fn replace(&self, running: Running) -> Running {
        let former = self.get();
        self.set(running);
        former
    }
}

/// Holds the last [`Op`], if there is one.
pub(super) struct OpCell {
    object: Cell<u32>,
    access: Cell<Access>,
    site: Cell<Option<Site>>,
    origin: Cell<Option<Site>>,
}

impl OpCell {
    pub(super) fn new() -> OpCell {
        OpCell {
            object: Cell::new(0),
            access: Cell::new(Access::Yield),
            site: Cell::new(None),
            origin: Cell::new(None),
        }
    }

    #[inline]
    pub(super) fn get(&self) -> Option<Op> {
        self.site.get().map(|site| Op {
            object: self.object.get(),
            access: self.access.get(),
            site,
            origin: self.origin.get(),
        })
    }

    #[inline]
    pub(super) fn set(&self, op: Option<Op>) {
        self.site.set(op.map(|op| op.site));
        if let Some(op) = op {
            self.object.set(op.object);
            self.access.set(op.access);
            self.origin.set(op.origin);
        }
    }
}
