//! Many objects of a kind, by name.

use crate::Model;
use alloc::{collections::BTreeMap, vec::Vec};
use core::{fmt::Debug, marker::PhantomData};

/// One object for each name, checked name by name. Operations are pairs of a name and what it is asked.
///
/// ```
/// use sim_history::{check, models::{Each, Lock, LockOp::*}, History, Verdict};
///
/// let mut history = History::new();
/// let a = history.invoke("ann", ("door", Acquire("ann")));
/// let b = history.invoke("bob", ("gate", Acquire("bob")));
/// history.respond(a, true);
/// history.respond(b, true);
/// assert_eq!(check(&Each::new(Lock::new()), &history), Verdict::Ok);
/// ```
#[derive(Clone, Debug)]
pub struct Each<N, M> {
    model: M,
    names: PhantomData<fn() -> N>,
}

impl<N, M> Each<N, M> {
    /// For each name what `model` says.
    pub fn new(model: M) -> Each<N, M> {
        Each { model, names: PhantomData }
    }
}

impl<N: Clone + Ord + Debug, M: Model> Model for Each<N, M> {
    type State = BTreeMap<N, M::State>;
    type Op = (N, M::Op);
    type Ret = M::Ret;
    type Key = N;

    fn start(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(
        &self,
        state: &Self::State,
        (name, op): &Self::Op,
        ret: &M::Ret,
    ) -> Option<Self::State> {
        let after = match state.get(name) {
            Some(object) => self.model.step(object, op, ret),
            None => self.model.step(&self.model.start(), op, ret),
        };
        match after? {
            // What only looks makes no object.
            object if !state.contains_key(name) && object == self.model.start() => {
                Some(state.clone())
            }
            object => Some(with(state, name, object)),
        }
    }

    fn step_unknown(&self, state: &Self::State, (name, op): &Self::Op) -> Vec<Self::State> {
        let states = match state.get(name) {
            Some(object) => self.model.step_unknown(object, op),
            None => self.model.step_unknown(&self.model.start(), op),
        };
        states.into_iter().map(|object| with(state, name, object)).collect()
    }

    fn only_looks(&self, (_, op): &Self::Op, ret: &M::Ret) -> bool {
        self.model.only_looks(op, ret)
    }

    fn key(&self, (name, _): &Self::Op) -> Option<Self::Key> {
        Some(name.clone())
    }
}

/// The state with another object of that name.
fn with<N: Clone + Ord, S: Clone>(state: &BTreeMap<N, S>, name: &N, object: S) -> BTreeMap<N, S> {
    let mut state = state.clone();
    state.insert(name.clone(), object);
    state
}
