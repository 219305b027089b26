//! Values that are in or not.

use crate::Model;
use alloc::{collections::BTreeSet, vec, vec::Vec};
use core::{fmt::Debug, marker::PhantomData};

/// A set; empty at first. It is checked value by value, unless all values are asked for at once.
#[derive(Clone, Debug)]
pub struct Set<V>(PhantomData<fn() -> V>);

impl<V> Set<V> {
    /// An empty set.
    pub fn new() -> Set<V> {
        Set(PhantomData)
    }
}

impl<V> Default for Set<V> {
    fn default() -> Set<V> {
        Set::new()
    }
}

/// What a [`Set`] can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetOp<V> {
    /// Put it in. Answered by [`SetRet::Did`]: true if it was not in.
    Insert(V),
    /// Take it out. Answered by [`SetRet::Did`]: true if it was in.
    Remove(V),
    /// Is it in? Answered by [`SetRet::Did`].
    Contains(V),
    /// What is in? Answered by [`SetRet::All`].
    All,
}

/// What a [`Set`] answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetRet<V> {
    /// Whether it changed the set, or found the value.
    Did(bool),
    /// All that is in.
    All(BTreeSet<V>),
}

impl<V: Clone + Ord + Debug> Model for Set<V> {
    type State = BTreeSet<V>;
    type Op = SetOp<V>;
    type Ret = SetRet<V>;
    type Key = V;

    fn start(&self) -> BTreeSet<V> {
        BTreeSet::new()
    }

    fn step(&self, state: &BTreeSet<V>, op: &SetOp<V>, ret: &SetRet<V>) -> Option<BTreeSet<V>> {
        let fits = match (op, ret) {
            (SetOp::Insert(value), SetRet::Did(did)) => state.contains(value) != *did,
            (SetOp::Remove(value) | SetOp::Contains(value), SetRet::Did(did)) => {
                state.contains(value) == *did
            }
            (SetOp::All, SetRet::All(all)) => state == all,
            _ => false,
        };
        fits.then(|| changed(state, op))
    }

    fn step_unknown(&self, state: &BTreeSet<V>, op: &SetOp<V>) -> Vec<BTreeSet<V>> {
        match op {
            SetOp::Insert(_) | SetOp::Remove(_) => vec![changed(state, op)],
            SetOp::Contains(_) | SetOp::All => Vec::new(),
        }
    }

    fn only_looks(&self, op: &SetOp<V>, ret: &SetRet<V>) -> bool {
        matches!((op, ret), (SetOp::Contains(_) | SetOp::All, _) | (_, SetRet::Did(false)))
    }

    fn key(&self, op: &SetOp<V>) -> Option<V> {
        match op {
            SetOp::Insert(value) | SetOp::Remove(value) | SetOp::Contains(value) => {
                Some(value.clone())
            }
            SetOp::All => None,
        }
    }
}

/// What the operation makes of the state.
fn changed<V: Clone + Ord>(state: &BTreeSet<V>, op: &SetOp<V>) -> BTreeSet<V> {
    let mut state = state.clone();
    match op {
        SetOp::Insert(value) => _ = state.insert(value.clone()),
        SetOp::Remove(value) => _ = state.remove(value),
        SetOp::Contains(_) | SetOp::All => {}
    }
    state
}
