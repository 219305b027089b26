//! A number that is added to.

use crate::Model;
use alloc::{vec, vec::Vec};

/// A number; zero at first. It wraps around.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counter;

/// What a [`Counter`] can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterOp {
    /// Add this. Answered by [`CounterRet::Done`].
    Add(i64),
    /// Add this. Answered by [`CounterRet::Value`] with what it was before.
    FetchAdd(i64),
    /// How much is it? Answered by [`CounterRet::Value`].
    Get,
}

/// What a [`Counter`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CounterRet {
    /// It has been added.
    Done,
    /// How much it is, or was.
    Value(i64),
}

impl Model for Counter {
    type State = i64;
    type Op = CounterOp;
    type Ret = CounterRet;
    type Key = ();

    fn start(&self) -> i64 {
        0
    }

    fn step(&self, state: &i64, op: &CounterOp, ret: &CounterRet) -> Option<i64> {
        match (op, ret) {
            (CounterOp::Add(by), CounterRet::Done) => Some(state.wrapping_add(*by)),
            (CounterOp::FetchAdd(by), CounterRet::Value(was)) if was == state => {
                Some(state.wrapping_add(*by))
            }
            (CounterOp::Get, CounterRet::Value(is)) if is == state => Some(*state),
            _ => None,
        }
    }

    fn step_unknown(&self, state: &i64, op: &CounterOp) -> Vec<i64> {
        match op {
            CounterOp::Add(by) | CounterOp::FetchAdd(by) => vec![state.wrapping_add(*by)],
            CounterOp::Get => Vec::new(),
        }
    }

    fn only_looks(&self, op: &CounterOp, _: &CounterRet) -> bool {
        matches!(op, CounterOp::Get)
    }
}
