//! First in, first out.

use crate::Model;
use alloc::{collections::VecDeque, vec, vec::Vec};
use core::{fmt::Debug, marker::PhantomData};

/// A queue without bound: first in, first out; empty at first.
#[derive(Clone, Debug)]
pub struct Queue<V>(PhantomData<fn() -> V>);

impl<V> Queue<V> {
    /// An empty queue.
    pub fn new() -> Queue<V> {
        Queue(PhantomData)
    }
}

impl<V> Default for Queue<V> {
    fn default() -> Queue<V> {
        Queue::new()
    }
}

/// What a [`Queue`] can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueOp<V> {
    /// Put this at the back. Answered by [`QueueRet::Done`].
    Enqueue(V),
    /// Take the front. Answered by [`QueueRet::Item`], with `None` only if it is empty.
    Dequeue,
}

/// What a [`Queue`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueRet<V> {
    /// An item has been put in.
    Done,
    /// The item that was at the front.
    Item(Option<V>),
}

impl<V: Clone + Ord + Debug> Model for Queue<V> {
    type State = VecDeque<V>;
    type Op = QueueOp<V>;
    type Ret = QueueRet<V>;
    type Key = ();

    fn start(&self) -> VecDeque<V> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<V>, op: &QueueOp<V>, ret: &QueueRet<V>) -> Option<VecDeque<V>> {
        let fits = match (op, ret) {
            (QueueOp::Enqueue(_), QueueRet::Done) => true,
            (QueueOp::Dequeue, QueueRet::Item(item)) => state.front() == item.as_ref(),
            _ => false,
        };
        fits.then(|| changed(state, op))
    }

    fn step_unknown(&self, state: &VecDeque<V>, op: &QueueOp<V>) -> Vec<VecDeque<V>> {
        vec![changed(state, op)]
    }

    fn only_looks(&self, _: &QueueOp<V>, ret: &QueueRet<V>) -> bool {
        matches!(ret, QueueRet::Item(None))
    }
}

/// What the operation makes of the state.
fn changed<V: Clone>(state: &VecDeque<V>, op: &QueueOp<V>) -> VecDeque<V> {
    let mut state = state.clone();
    match op {
        QueueOp::Enqueue(item) => state.push_back(item.clone()),
        QueueOp::Dequeue => _ = state.pop_front(),
    }
    state
}
