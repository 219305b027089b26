//! How an interposed function asks the hooks of its thread.

use crate::{
    fiber,
    os::{HOOKS, Hooks, OUTSIDE},
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
    hooked() && !is_outside()
}

/// Whether this thread has hooks: they give entropy, also to who is outside.
#[inline]
pub(super) fn hooked() -> bool {
    HOOKS.try_with(Cell::get).ok().flatten().is_some()
}

#[inline]
fn is_outside() -> bool {
    OUTSIDE.try_with(Cell::get).unwrap_or(false)
}

/// Asks the hooks of this thread; `None` if it has none, or is outside.
#[inline]
pub(super) fn ask<R>(question: impl FnOnce(&dyn Hooks) -> R) -> Option<R> {
    try_ask(question).map(|answer| answer.unwrap_or_else(|_| panicked()))
}

/// As [`ask`], also of who is outside.
#[inline]
pub(super) fn ask_anyway<R>(question: impl FnOnce(&dyn Hooks) -> R) -> Option<R> {
    ask_hooks(question).map(|answer| answer.unwrap_or_else(|_| panicked()))
}

/// As [`ask`]; an error if the hook panics.
#[inline]
pub(super) fn try_ask<R>(question: impl FnOnce(&dyn Hooks) -> R) -> Option<thread::Result<R>> {
    if is_outside() {
        return None;
    }
    ask_hooks(question)
}

#[inline]
fn ask_hooks<R>(question: impl FnOnce(&dyn Hooks) -> R) -> Option<thread::Result<R>> {
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
