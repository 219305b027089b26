//! How an interposed function asks the hooks of its thread.

use crate::{
    fiber,
    os::{HOOKS, Hooks},
};
use std::{
    cell::Cell,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    thread,
};

/// Whether a simulation answers on this thread.
#[inline]
pub(super) fn answered() -> bool {
    HOOKS.try_with(Cell::get).ok().flatten().is_some()
}

/// Asks the hooks of this thread; `None` if it has none.
#[inline]
pub(super) fn ask<R>(question: impl FnOnce(&dyn Hooks) -> R) -> Option<R> {
    try_ask(question).map(|answer| answer.unwrap_or_else(|_| panicked()))
}

/// As [`ask`]; an error if the hook panics.
#[inline]
pub(super) fn try_ask<R>(question: impl FnOnce(&dyn Hooks) -> R) -> Option<thread::Result<R>> {
    let hooks = HOOKS.try_with(Cell::get).ok().flatten()?;
    // SAFETY: the pointer came from `Rc::into_raw`, and the cell holds a count of it. The hooks get
    // one more for the time of the call, since `install` may take the cell's out meanwhile: a hook
    // may suspend the fiber that asks.
    let hooks = unsafe {
        Rc::increment_strong_count(hooks);
        Rc::from_raw(hooks)
    };
    let answer = || catch_unwind(AssertUnwindSafe(|| question(&*hooks)));
    Some(fiber::within_c(answer))
}

/// A panic cannot go on through C's calling convention. What it says has been printed.
#[cold]
fn panicked() -> ! {
    let _ = writeln!(std::io::stderr(), "a hook of the simulation panicked");
    super::thread::abort()
}
