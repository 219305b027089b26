//! Last in, first out.

use crate::Model;
use alloc::{vec, vec::Vec};
use core::{fmt::Debug, marker::PhantomData};

/// A stack without bound: last in, first out; empty at first.
#[derive(Clone, Debug)]
pub struct Stack<V>(PhantomData<fn() -> V>);

impl<V> Stack<V> {
    /// An empty stack.
    pub fn new() -> Stack<V> {
        Stack(PhantomData)
    }
}

impl<V> Default for Stack<V> {
    fn default() -> Stack<V> {
        Stack::new()
    }
}

/// What a [`Stack`] can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackOp<V> {
    /// Put this on top. Answered by [`StackRet::Done`].
    Push(V),
    /// Take the top. Answered by [`StackRet::Item`], with `None` only if it is empty.
    Pop,
}

/// What a [`Stack`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackRet<V> {
    /// An item has been put in.
    Done,
    /// The item that was on top.
    Item(Option<V>),
}

impl<V: Clone + Ord + Debug> Model for Stack<V> {
    type State = Vec<V>;
    type Op = StackOp<V>;
    type Ret = StackRet<V>;
    type Key = ();

    fn start(&self) -> Vec<V> {
        Vec::new()
    }

    fn step(&self, state: &Vec<V>, op: &StackOp<V>, ret: &StackRet<V>) -> Option<Vec<V>> {
        let fits = match (op, ret) {
            (StackOp::Push(_), StackRet::Done) => true,
            (StackOp::Pop, StackRet::Item(item)) => state.last() == item.as_ref(),
            _ => false,
        };
        fits.then(|| changed(state, op))
    }

    fn step_unknown(&self, state: &Vec<V>, op: &StackOp<V>) -> Vec<Vec<V>> {
        vec![changed(state, op)]
    }

    fn only_looks(&self, _: &StackOp<V>, ret: &StackRet<V>) -> bool {
        matches!(ret, StackRet::Item(None))
    }
}

/// What the operation makes of the state.
fn changed<V: Clone>(state: &[V], op: &StackOp<V>) -> Vec<V> {
    let mut state = state.to_vec();
    match op {
        StackOp::Push(item) => state.push(item.clone()),
        StackOp::Pop => _ = state.pop(),
    }
    state
}
