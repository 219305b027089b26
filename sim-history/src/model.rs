//! What an object does, if its calls come one after the other.

use alloc::vec::Vec;
use core::fmt::Debug;

/// The sequential specification of an object.
///
/// It has to be a function: no clock, no randomness, nothing that is not in the state.
///
/// ```
/// use sim_history::{check, History, Model, Verdict};
///
/// /// A bucket of ten tokens.
/// struct Bucket;
///
/// impl Model for Bucket {
///     type State = u32;
///     type Op = u32; // how many to take
///     type Ret = bool; // whether they were there
///     type Key = ();
///
///     fn start(&self) -> u32 {
///         10
///     }
///
///     fn step(&self, left: &u32, take: &u32, ret: &bool) -> Option<u32> {
///         match (left.checked_sub(*take), ret) {
///             (Some(left), true) => Some(left),
///             (None, false) => Some(*left),
///             _ => None,
///         }
///     }
///
///     fn step_unknown(&self, left: &u32, take: &u32) -> Vec<u32> {
///         left.checked_sub(*take).into_iter().collect()
///     }
/// }
///
/// let mut history = History::new();
/// let (a, b) = (history.invoke("ann", 8), history.invoke("bob", 8));
/// history.respond(b, true);
/// history.respond(a, true);
/// assert!(matches!(check(&Bucket, &history), Verdict::Illegal(_)));
/// ```
pub trait Model {
    /// What the object remembers.
    type State: Clone + Ord + Debug;
    /// What it can be asked.
    type Op: Debug;
    /// What it answers.
    type Ret: Debug;
    /// Names the parts of the object that do not know of each other.
    type Key: Ord;

    /// The state before the first call.
    fn start(&self) -> Self::State;

    /// The state after `op` answered `ret` in `state`; `None` if it cannot answer that there.
    fn step(&self, state: &Self::State, op: &Self::Op, ret: &Self::Ret) -> Option<Self::State>;

    /// All states that `op` may leave in `state` if nobody saw its answer.
    ///
    /// That it has not taken effect is tried anyway: `state` itself need not be among them. Every state that
    /// [`step`](Model::step) gives for some answer has to be, else a legal history may be called illegal.
    fn step_unknown(&self, state: &Self::State, op: &Self::Op) -> Vec<Self::State>;

    /// Whether `op` with this answer leaves every state as it is in which it is possible: a read, a swap that found
    /// something else, a take from an empty queue. False, which is the default, is never wrong; true for what only
    /// looks makes histories with many calls at once much faster to check.
    ///
    /// # Panics
    ///
    /// The check panics if [`step`](Model::step) gives another state where this says true.
    fn only_looks(&self, op: &Self::Op, ret: &Self::Ret) -> bool {
        let _ = (op, ret);
        false
    }

    /// The part of the object that `op` is about; `None`, which is the default, if it may be about all of it.
    ///
    /// Calls of different keys must not see each other's effects. If every call of a history has a key, the history is
    /// checked key by key, each from [`start`](Model::start): so much faster that it often decides whether there is
    /// an answer at all.
    fn key(&self, op: &Self::Op) -> Option<Self::Key> {
        let _ = op;
        None
    }
}

impl<M: Model> Model for &M {
    type State = M::State;
    type Op = M::Op;
    type Ret = M::Ret;
    type Key = M::Key;

    fn start(&self) -> M::State {
        (**self).start()
    }

    fn step(&self, state: &M::State, op: &M::Op, ret: &M::Ret) -> Option<M::State> {
        (**self).step(state, op, ret)
    }

    fn step_unknown(&self, state: &M::State, op: &M::Op) -> Vec<M::State> {
        (**self).step_unknown(state, op)
    }

    fn only_looks(&self, op: &M::Op, ret: &M::Ret) -> bool {
        (**self).only_looks(op, ret)
    }

    fn key(&self, op: &M::Op) -> Option<M::Key> {
        (**self).key(op)
    }
}
