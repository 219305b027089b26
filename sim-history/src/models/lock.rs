//! At most one owner.

use crate::Model;
use alloc::{vec, vec::Vec};
use core::{fmt::Debug, marker::PhantomData};

/// A lock, or a lease without end; free at first. Its owner cannot take it again.
///
/// Many locks by name are [`Each`](crate::models::Each) of this.
#[derive(Clone, Debug)]
pub struct Lock<O>(PhantomData<fn() -> O>);

impl<O> Lock<O> {
    /// A free lock.
    pub fn new() -> Lock<O> {
        Lock(PhantomData)
    }
}

impl<O> Default for Lock<O> {
    fn default() -> Lock<O> {
        Lock::new()
    }
}

/// What a [`Lock`] can be asked, and by whom. The answer says whether it did so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockOp<O> {
    /// Wait until it is free, and take it. The answer is true.
    Acquire(O),
    /// Take it if it is free.
    TryAcquire(O),
    /// Give it back. The answer is false if it was not this one's.
    Release(O),
}

impl<O: Clone + Ord + Debug> Model for Lock<O> {
    type State = Option<O>;
    type Op = LockOp<O>;
    type Ret = bool;
    type Key = ();

    fn start(&self) -> Option<O> {
        None
    }

    fn step(&self, state: &Option<O>, op: &LockOp<O>, ret: &bool) -> Option<Option<O>> {
        match changed(state, op) {
            Some(after) => ret.then_some(after),
            None if *ret || matches!(op, LockOp::Acquire(_)) => None,
            None => Some(state.clone()),
        }
    }

    fn step_unknown(&self, state: &Option<O>, op: &LockOp<O>) -> Vec<Option<O>> {
        changed(state, op).map_or(Vec::new(), |after| vec![after])
    }

    fn only_looks(&self, _: &LockOp<O>, ret: &bool) -> bool {
        !ret
    }
}

/// Who holds it if the operation does what it is to do; `None` if it cannot.
fn changed<O: Clone + Eq>(state: &Option<O>, op: &LockOp<O>) -> Option<Option<O>> {
    match op {
        LockOp::Acquire(owner) | LockOp::TryAcquire(owner) => {
            state.is_none().then(|| Some(owner.clone()))
        }
        LockOp::Release(owner) => (state.as_ref() == Some(owner)).then_some(None),
    }
}
