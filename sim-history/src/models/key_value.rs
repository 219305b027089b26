//! Values by key.

use crate::Model;
use alloc::{collections::BTreeMap, vec, vec::Vec};
use core::{fmt::Debug, marker::PhantomData};

/// Values by key; empty at first, checked key by key.
#[derive(Clone, Debug)]
pub struct KeyValue<K, V>(PhantomData<fn() -> (K, V)>);

impl<K, V> KeyValue<K, V> {
    /// A store without values.
    pub fn new() -> KeyValue<K, V> {
        KeyValue(PhantomData)
    }
}

impl<K, V> Default for KeyValue<K, V> {
    fn default() -> KeyValue<K, V> {
        KeyValue::new()
    }
}

/// What a [`KeyValue`] can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvOp<K, V> {
    /// Which value has the key? Answered by [`KvRet::Value`].
    Get(K),
    /// The key has this value from now on. Answered by [`KvRet::Done`].
    Put(K, V),
    /// The key has no value from now on, whether it had one or not. Answered by [`KvRet::Done`].
    Delete(K),
    /// If the key has the first value (`None`: has none), it has the second from now on. Answered by [`KvRet::Swapped`].
    Cas(K, Option<V>, V),
}

/// What a [`KeyValue`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvRet<V> {
    /// The value of the key, if it has one.
    Value(Option<V>),
    /// A change has been made.
    Done,
    /// Whether a compare and swap found what it expected.
    Swapped(bool),
}

impl<K: Clone + Ord + Debug, V: Clone + Ord + Debug> Model for KeyValue<K, V> {
    type State = BTreeMap<K, V>;
    type Op = KvOp<K, V>;
    type Ret = KvRet<V>;
    type Key = K;

    fn start(&self) -> Self::State {
        BTreeMap::new()
    }

    fn step(&self, state: &Self::State, op: &KvOp<K, V>, ret: &KvRet<V>) -> Option<Self::State> {
        let fits = match (op, ret) {
            (KvOp::Get(key), KvRet::Value(value)) => state.get(key) == value.as_ref(),
            (KvOp::Put(..) | KvOp::Delete(_), KvRet::Done) => true,
            (KvOp::Cas(key, old, _), KvRet::Swapped(swapped)) => {
                *swapped == (state.get(key) == old.as_ref())
            }
            _ => false,
        };
        fits.then(|| changed(state, op))
    }

    fn step_unknown(&self, state: &Self::State, op: &KvOp<K, V>) -> Vec<Self::State> {
        match op {
            KvOp::Get(_) => Vec::new(),
            _ => vec![changed(state, op)],
        }
    }

    fn only_looks(&self, op: &KvOp<K, V>, ret: &KvRet<V>) -> bool {
        matches!((op, ret), (KvOp::Get(_), _) | (_, KvRet::Swapped(false)))
    }

    fn key(&self, op: &KvOp<K, V>) -> Option<K> {
        let (KvOp::Get(key) | KvOp::Put(key, _) | KvOp::Delete(key) | KvOp::Cas(key, ..)) = op;
        Some(key.clone())
    }
}

/// What the operation makes of the state.
fn changed<K: Clone + Ord, V: Clone + Ord>(
    state: &BTreeMap<K, V>,
    op: &KvOp<K, V>,
) -> BTreeMap<K, V> {
    let mut state = state.clone();
    match op {
        KvOp::Put(key, value) => _ = state.insert(key.clone(), value.clone()),
        KvOp::Delete(key) => _ = state.remove(key),
        KvOp::Cas(key, old, new) if state.get(key) == old.as_ref() => {
            state.insert(key.clone(), new.clone());
        }
        KvOp::Get(_) | KvOp::Cas(..) => {}
    }
    state
}
