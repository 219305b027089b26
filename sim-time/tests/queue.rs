//! The queue where its parts meet: looking ahead of the clock, many early timers, sweeps, reuse.

use proptest::prelude::*;
use sim_time::{Key, Timers};
use std::collections::BTreeMap;

/// One step of a random use. Distances are drawn as powers of two, so that all buckets are met.
#[derive(Clone, Debug)]
enum Step {
    /// So many timers at the same distance from the clock, as it goes on.
    Insert {
        count: u8,
        bits: u8,
        spread: u8,
    },
    /// A time that has passed.
    InsertLate,
    Cancel(prop::sample::Index),
    CancelAllBut(u8),
    Next,
    /// To the next timer.
    PopOne,
    Pop {
        bits: u8,
    },
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u8..60, 0u8..44, 0u8..8).prop_map(|(count, bits, spread)| Step::Insert { count, bits, spread }),
        1 => Just(Step::InsertLate),
        4 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        1 => (0u8..20).prop_map(Step::CancelAllBut),
        5 => Just(Step::Next),
        4 => Just(Step::PopOne),
        3 => (0u8..44).prop_map(|bits| Step::Pop { bits }),
        1 => Just(Step::Clear),
    ]
}

#[derive(Default)]
struct Pair {
    timers: Timers<u64>,
    /// By time and order of insertion.
    model: BTreeMap<(u64, u64), Key>,
    keys: Vec<(Key, (u64, u64))>,
    now: u64,
    fired: u64,
    order: u64,
}

impl Pair {
    fn insert(&mut self, at: u64) {
        self.order += 1;
        let place = (at.max(self.fired), self.order);
        let key = self.timers.insert(at, self.order);
        self.model.insert(place, key);
        self.keys.push((key, place));
    }

    fn cancel(&mut self, (key, place): (Key, (u64, u64))) {
        let expected = self.model.remove(&place).map(|_| place.1);
        assert_eq!(self.timers.get_mut(key).copied(), expected);
        assert_eq!(self.timers.cancel(key), expected);
        assert_eq!(self.timers.cancel(key), None);
    }

    fn pop(&mut self) -> bool {
        let expected = self
            .model
            .first_key_value()
            .map(|(&place, _)| place)
            .filter(|place| place.0 <= self.now);
        assert_eq!(self.timers.pop_due(self.now), expected.map(|place| place.1));
        let Some(place) = expected else { return false };
        let key = self.model.remove(&place).expect("it is the first");
        self.fired = place.0;
        assert_eq!(self.timers.get_mut(key), None);
        true
    }

    fn first(&self) -> Option<u64> {
        self.model.first_key_value().map(|(&(time, _), _)| time)
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Insert { count, bits, spread } => {
                for i in 0..u64::from(count) {
                    self.insert(self.now + (1 << bits) + i * u64::from(spread));
                }
            }
            Step::InsertLate => self.insert(self.now / 2),
            Step::Cancel(index) if !self.keys.is_empty() => self.cancel(*index.get(&self.keys)),
            Step::Cancel(_) => {}
            Step::CancelAllBut(kept) => {
                for key in self.keys.split_off(self.keys.len().min(usize::from(kept))) {
                    self.cancel(key);
                }
            }
            Step::Next => assert_eq!(self.timers.next(), self.first()),
            Step::PopOne => {
                self.now = self.now.max(self.first().unwrap_or(0));
                self.pop();
            }
            Step::Pop { bits } => {
                self.now += 1 << bits;
                while self.pop() {}
            }
            Step::Clear => {
                self.timers.clear();
                self.model.clear();
                (self.now, self.fired) = (0, 0);
                // The keys stay: all are stale now.
            }
        }
        assert_eq!(self.timers.len(), self.model.len());
        assert_eq!(self.timers.is_empty(), self.model.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn any_use_agrees_with_an_ordered_map(steps in prop::collection::vec(step(), 0..150)) {
        let mut pair = Pair::default();
        steps.into_iter().for_each(|step| pair.apply(step));
        pair.now = u64::MAX;
        while pair.pop() {}
        prop_assert!(pair.timers.is_empty());
    }
}

#[test]
fn looking_ahead_does_not_hold_back_earlier_timers() {
    let mut timers = Timers::new();
    timers.insert(100, "late");
    assert_eq!(timers.next(), Some(100));
    timers.insert(50, "early");
    timers.insert(50, "early too");
    assert_eq!(timers.next(), Some(50));
    assert_eq!(timers.pop_due(49), None);
    let popped: Vec<_> = std::iter::from_fn(|| timers.pop_due(100)).collect();
    assert_eq!(popped, ["early", "early too", "late"]);
}

#[test]
fn ties_hold_across_a_rewind() {
    let mut timers = Timers::new();
    timers.insert(1 << 40, 0);
    for i in 1..200 {
        timers.next();
        timers.insert(1000 - i % 2, i);
    }
    let popped: Vec<u64> = std::iter::from_fn(|| timers.pop_due(1 << 40)).collect();
    let odd = (1..200).step_by(2);
    assert_eq!(popped, odd.chain((2..200).step_by(2)).chain([0]).collect::<Vec<_>>());
}

#[test]
fn a_time_that_has_passed_is_due_now_after_what_was_due() {
    let mut timers = Timers::new();
    timers.insert(10, "first");
    timers.insert(10, "second");
    assert_eq!(timers.pop_due(10), Some("first"));
    timers.insert(3, "passed");
    assert_eq!(timers.next(), Some(10));
    assert_eq!((timers.pop_due(10), timers.pop_due(10)), (Some("second"), Some("passed")));
}

#[test]
fn keys_of_a_former_run_stay_stale() {
    let mut timers = Timers::new();
    let former = timers.insert(5, 'a');
    timers.clear();
    let key = timers.insert(5, 'b');
    assert_ne!(former, key);
    assert_eq!(timers.cancel(former), None);
    assert_eq!(timers.cancel(key), Some('b'));
}

#[test]
fn the_ends_of_time_are_usable() {
    let mut timers = Timers::new();
    timers.insert(u64::MAX, "end");
    timers.insert(0, "start");
    assert_eq!(timers.pop_due(0), Some("start"));
    assert_eq!(timers.pop_due(u64::MAX - 1), None);
    assert_eq!(timers.pop_due(u64::MAX), Some("end"));
}
