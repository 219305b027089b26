//! The queue of timers against a plain model, and the clocks' promises.

use proptest::prelude::*;
use sim_time::{Clock, Key, Timers};

#[derive(Clone, Debug)]
enum Step {
    Insert(u64),
    Cancel(usize),
    Pop(u64),
    Next,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u64..50).prop_map(Step::Insert),
        1 => (0u64..1 << 40).prop_map(Step::Insert),
        2 => (0usize..40).prop_map(Step::Cancel),
        3 => (0u64..60).prop_map(Step::Pop),
        1 => Just(Step::Next),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn timers_behave_as_a_sorted_list(steps in prop::collection::vec(step(), 0..200)) {
        let mut timers = Timers::new();
        // (time, order of insertion, key)
        let mut model: Vec<(u64, usize, Key)> = Vec::new();
        let mut keys = Vec::new();
        let mut now = 0;
        for (order, step) in steps.into_iter().enumerate() {
            match step {
                Step::Insert(after) => {
                    let key = timers.insert(now + after, order);
                    keys.push(key);
                    model.push((now + after, order, key));
                }
                Step::Cancel(which) if !keys.is_empty() => {
                    let key = keys[which % keys.len()];
                    let expected = model.iter().position(|timer| timer.2 == key).map(|at| model.remove(at).1);
                    prop_assert_eq!(timers.cancel(key), expected);
                }
                Step::Cancel(_) => {}
                Step::Pop(after) => {
                    now += after;
                    loop {
                        let first = model.iter().enumerate().filter(|(_, timer)| timer.0 <= now)
                            .min_by_key(|(_, timer)| (timer.0, timer.1)).map(|(at, _)| at);
                        let expected = first.map(|at| model.remove(at).1);
                        prop_assert_eq!(timers.pop_due(now), expected);
                        if expected.is_none() {
                            break;
                        }
                    }
                }
                Step::Next => {
                    prop_assert_eq!(timers.next(), model.iter().map(|timer| timer.0).min());
                }
            }
            prop_assert_eq!(timers.len(), model.len());
        }
    }

    #[test]
    fn a_monotonic_clock_never_goes_back(changes in prop::collection::vec((0u64..1_000_000, -900_000_000i32..2_000_000_000, any::<i32>()), 0..20)) {
        let mut clock = Clock::new(1_000_000_000_000_000_000);
        let (mut now, mut before) = (0, 0);
        for (passes, drift, jump) in changes {
            now += passes;
            prop_assert!(clock.monotonic_ns(now) >= before);
            before = clock.monotonic_ns(now);
            let wall = clock.wall_ns(now);
            clock.set_drift(drift, now);
            prop_assert_eq!((clock.monotonic_ns(now), clock.wall_ns(now)), (before, wall));
            clock.jump(i64::from(jump), now);
            prop_assert_eq!(clock.wall_ns(now), wall.wrapping_add_signed(i64::from(jump)));
        }
    }
}

#[test]
fn ties_keep_their_order_across_buckets() {
    let mut timers = Timers::new();
    for i in 0..1_000 {
        timers.insert(1 << 30, i);
        timers.insert((1 << 30) - 1 - i, 10_000 + i);
    }
    let popped: Vec<u64> = std::iter::from_fn(|| timers.pop_due(1 << 30)).collect();
    let early = (10_000..11_000).rev();
    assert_eq!(popped, early.chain(0..1_000).collect::<Vec<_>>());
}

#[test]
fn cancelled_timers_do_not_pile_up() {
    let mut timers = Timers::new();
    let mut least = None;
    for i in 0..100_000_u64 {
        let key = timers.insert(i + 3_600_000_000_000, i);
        assert_eq!(timers.cancel(key), Some(i));
        assert_eq!(timers.cancel(key), None);
        least = timers.next();
    }
    assert_eq!(least, None);
    assert!(timers.is_empty());
}
