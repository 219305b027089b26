//! One value.

use crate::Model;
use alloc::{vec, vec::Vec};
use core::fmt::Debug;

/// A value that can be read, written, and compared and swapped.
#[derive(Clone, Debug)]
pub struct Register<V> {
    start: V,
}

impl<V> Register<V> {
    /// A register that holds `start` at first.
    pub fn new(start: V) -> Register<V> {
        Register { start }
    }
}

/// What a [`Register`] can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterOp<V> {
    /// What does it hold? Answered by [`RegisterRet::Value`].
    Read,
    /// From now on it holds this. Answered by [`RegisterRet::Written`].
    Write(V),
    /// If it holds the first, it holds the second from now on. Answered by [`RegisterRet::Swapped`].
    Cas(V, V),
}

/// What a [`Register`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegisterRet<V> {
    /// What it holds.
    Value(V),
    /// A write has been done.
    Written,
    /// Whether a compare and swap found what it expected.
    Swapped(bool),
}

impl<V: Clone + Ord + Debug> Model for Register<V> {
    type State = V;
    type Op = RegisterOp<V>;
    type Ret = RegisterRet<V>;
    type Key = ();

    fn start(&self) -> V {
        self.start.clone()
    }

    fn step(&self, state: &V, op: &RegisterOp<V>, ret: &RegisterRet<V>) -> Option<V> {
        match (op, ret) {
            (RegisterOp::Read, RegisterRet::Value(value)) if value == state => Some(state.clone()),
            (RegisterOp::Write(value), RegisterRet::Written) => Some(value.clone()),
            (RegisterOp::Cas(old, new), RegisterRet::Swapped(true)) if old == state => {
                Some(new.clone())
            }
            (RegisterOp::Cas(old, _), RegisterRet::Swapped(false)) if old != state => {
                Some(state.clone())
            }
            _ => None,
        }
    }

    fn step_unknown(&self, state: &V, op: &RegisterOp<V>) -> Vec<V> {
        match op {
            RegisterOp::Write(value) => vec![value.clone()],
            RegisterOp::Cas(old, new) if old == state => vec![new.clone()],
            _ => Vec::new(),
        }
    }

    fn only_looks(&self, op: &RegisterOp<V>, ret: &RegisterRet<V>) -> bool {
        matches!((op, ret), (RegisterOp::Read, _) | (_, RegisterRet::Swapped(false)))
    }
}
