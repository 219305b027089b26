//! Histories whose verdict is known, written as text.
//!
//! `a+enq(1)` is an invocation by client a, `a-ok` the response to its last call, `a!` says that it never took effect.

use sim_history::{
    CallId, Checker, History, Model, Verdict, check,
    models::{
        Counter, CounterOp, CounterRet, Each, KeyValue, KvOp, KvRet, Lock, LockOp, Queue, QueueOp,
        QueueRet, Register, RegisterOp, RegisterRet, Set, SetOp, SetRet, Stack, StackOp, StackRet,
    },
};
use std::collections::BTreeMap;

/// What a test's event says.
enum Said<Op, Ret> {
    Call(Op),
    Answer(Ret),
    Never,
}
use Said::{Answer, Call, Never};

/// Who said what, in this order.
type Events<Op, Ret> = Vec<(&'static str, Said<Op, Ret>)>;

fn history<Op, Ret>(events: Events<Op, Ret>) -> History<Op, Ret> {
    let mut history = History::new();
    let mut last = BTreeMap::<&str, CallId>::new();
    for (client, said) in events {
        match said {
            Call(op) => _ = last.insert(client, history.invoke(client, op)),
            Answer(ret) => history.respond(last[client], ret),
            Never => history.never(last[client]),
        }
    }
    history
}

#[track_caller]
fn legal<M: Model>(model: M, events: Events<M::Op, M::Ret>) {
    match check(&model, &history(events)) {
        Verdict::Ok => {}
        verdict => panic!("{verdict:?}"),
    }
}

/// Illegal, and the prefix of so many events is the shortest.
#[track_caller]
fn illegal<M: Model>(model: M, events: usize, said: Events<M::Op, M::Ret>) {
    match check(&model, &history(said)) {
        Verdict::Illegal(illegal) => assert_eq!(illegal.events, events, "{illegal}"),
        verdict => panic!("{verdict:?}"),
    }
}

/// Herlihy and Wing 1990, figure 1: four histories of a queue; the first and the third are acceptable.
mod herlihy_wing {
    use super::*;
    use QueueOp::*;
    use QueueRet::*;

    fn enq(item: char) -> Said<QueueOp<char>, QueueRet<char>> {
        Call(Enqueue(item))
    }

    fn ok() -> Said<QueueOp<char>, QueueRet<char>> {
        Answer(Done)
    }

    fn deq() -> Said<QueueOp<char>, QueueRet<char>> {
        Call(Dequeue)
    }

    fn got(item: char) -> Said<QueueOp<char>, QueueRet<char>> {
        Answer(Item(Some(item)))
    }

    #[test]
    fn overlapping_enqueues_come_out_in_either_order() {
        legal(
            Queue::new(),
            vec![
                ("a", enq('x')),
                ("b", enq('y')),
                ("b", ok()),
                ("a", ok()),
                ("b", deq()),
                ("b", got('x')),
                ("a", deq()),
                ("a", got('y')),
                ("a", enq('z')),
            ],
        );
    }

    #[test]
    fn what_went_in_first_does_not_come_out_second() {
        illegal(
            Queue::new(),
            6,
            vec![
                ("a", enq('x')),
                ("a", ok()),
                ("b", enq('y')),
                ("a", deq()),
                ("b", ok()),
                ("a", got('y')),
            ],
        );
    }

    #[test]
    fn an_item_comes_out_before_its_enqueue_has_returned() {
        legal(Queue::new(), vec![("a", enq('x')), ("b", deq()), ("b", got('x'))]);
    }

    #[test]
    fn an_item_does_not_come_out_twice() {
        illegal(
            Queue::new(),
            8,
            vec![
                ("a", enq('x')),
                ("b", enq('y')),
                ("a", ok()),
                ("b", ok()),
                ("a", deq()),
                ("c", deq()),
                ("a", got('y')),
                ("c", got('y')),
            ],
        );
    }
}

/// Registers, as Lowe 2017 and the public checkers use them.
mod register {
    use super::*;
    use RegisterOp::*;
    use RegisterRet::*;

    #[test]
    fn a_read_sees_an_overlapping_write_or_not() {
        for seen in [0, 1] {
            legal(
                Register::new(0),
                vec![
                    ("a", Call(Write(1))),
                    ("b", Call(Read)),
                    ("b", Answer(Value(seen))),
                    ("a", Answer(Written)),
                ],
            );
        }
    }

    #[test]
    fn a_write_that_was_seen_is_not_unseen() {
        illegal(
            Register::new(0),
            5,
            vec![
                ("w", Call(Write(1))),
                ("b", Call(Read)),
                ("b", Answer(Value(1))),
                ("c", Call(Read)),
                ("c", Answer(Value(0))),
                ("w", Answer(Written)),
            ],
        );
    }

    #[test]
    fn a_read_after_a_write_is_not_stale() {
        illegal(
            Register::new(0),
            4,
            vec![
                ("a", Call(Write(1))),
                ("a", Answer(Written)),
                ("b", Call(Read)),
                ("b", Answer(Value(0))),
            ],
        );
    }

    #[test]
    fn a_write_without_answer_takes_effect_late() {
        legal(
            Register::new(0),
            vec![
                ("a", Call(Write(1))),
                ("b", Call(Read)),
                ("b", Answer(Value(0))),
                ("a", Call(Write(2))),
                ("a", Answer(Written)),
                ("b", Call(Read)),
                ("b", Answer(Value(2))),
                ("b", Call(Read)),
                ("b", Answer(Value(1))),
            ],
        );
    }

    #[test]
    fn a_write_without_answer_takes_effect_once() {
        illegal(
            Register::new(0),
            9,
            vec![
                ("a", Call(Write(1))),
                ("b", Call(Read)),
                ("b", Answer(Value(1))),
                ("c", Call(Write(2))),
                ("c", Answer(Written)),
                ("b", Call(Read)),
                ("b", Answer(Value(2))),
                ("b", Call(Read)),
                ("b", Answer(Value(1))),
            ],
        );
    }

    #[test]
    fn a_write_that_never_was_is_not_seen() {
        illegal(
            Register::new(0),
            4,
            vec![("a", Call(Write(1))), ("a", Never), ("b", Call(Read)), ("b", Answer(Value(1)))],
        );
    }

    #[test]
    fn one_of_two_swaps_wins() {
        let swaps = |second| {
            vec![
                ("a", Call(Cas(0, 1))),
                ("b", Call(Cas(0, 2))),
                ("a", Answer(Swapped(true))),
                ("b", Answer(Swapped(second))),
            ]
        };
        legal(Register::new(0), swaps(false));
        illegal(Register::new(0), 4, swaps(true));
    }

    /// The answer to the swap comes after the read, and rules out what the read saw: it is no part of the shortest
    /// prefix until it is there.
    #[test]
    fn a_later_answer_is_not_known_in_the_prefix() {
        illegal(
            Register::new(0),
            5,
            vec![
                ("a", Call(Cas(0, 1))),
                ("b", Call(Read)),
                ("b", Answer(Value(1))),
                ("c", Call(Read)),
                ("a", Answer(Swapped(false))),
                ("c", Answer(Value(1))),
            ],
        );
    }

    #[test]
    fn an_answer_of_the_wrong_kind_is_illegal() {
        illegal(Register::new(0), 2, vec![("a", Call(Read)), ("a", Answer(Written))]);
    }

    /// Reads that only one of many orders of the writes explains.
    #[test]
    fn writes_at_once_are_put_in_the_order_that_readers_saw() {
        let run = |seen: [i32; 3]| {
            let mut events = Vec::new();
            for (client, value) in [("a", 1), ("b", 2), ("c", 3)] {
                events.push((client, Call(Write(value))));
            }
            for value in seen {
                events.extend([("r", Call(Read)), ("r", Answer(Value(value)))]);
            }
            events.extend(["a", "b", "c"].map(|client| (client, Answer(Written))));
            events
        };
        legal(Register::new(0), run([2, 3, 1]));
        legal(Register::new(0), run([3, 1, 2]));
        illegal(Register::new(0), 9, run([2, 3, 2]));
    }
}

#[test]
fn keys_do_not_know_of_each_other() {
    use KvOp::*;
    use KvRet::*;
    let events = |x, y| {
        vec![
            ("a", Call(Put("x", 1))),
            ("b", Call(Put("y", 1))),
            ("a", Answer(Done)),
            ("b", Answer(Done)),
            ("a", Call(Get("y"))),
            ("b", Call(Get("x"))),
            ("a", Answer(Value(y))),
            ("b", Answer(Value(x))),
        ]
    };
    legal(KeyValue::new(), events(Some(1), Some(1)));
    illegal(KeyValue::new(), 8, events(None, Some(1)));
    // Of two keys that are illegal the one that is so first is told.
    illegal(KeyValue::new(), 7, events(None, None));
}

#[test]
fn a_deleted_key_does_not_come_back() {
    use KvOp::*;
    use KvRet::*;
    illegal(
        KeyValue::new(),
        6,
        vec![
            ("a", Call(Put("x", 1))),
            ("a", Answer(Done)),
            ("a", Call(Delete("x"))),
            ("a", Answer(Done)),
            ("a", Call(Cas("x", Some(1), 2))),
            ("a", Answer(Swapped(true))),
        ],
    );
}

#[test]
fn a_lock_has_one_owner() {
    use LockOp::*;
    let events = |released| {
        let mut events = vec![("a", Call(Acquire("a"))), ("a", Answer(true))];
        if released {
            events.push(("c", Call(Release("a"))));
        }
        events.extend([("b", Call(Acquire("b"))), ("b", Answer(true))]);
        events
    };
    illegal(Lock::new(), 4, events(false));
    legal(Lock::new(), events(true));
}

#[test]
fn a_stack_gives_the_last_first() {
    use StackOp::*;
    use StackRet::*;
    let events = |first, second| {
        vec![
            ("a", Call(Push(1))),
            ("a", Answer(Done)),
            ("a", Call(Push(2))),
            ("a", Answer(Done)),
            ("b", Call(Pop)),
            ("b", Answer(Item(Some(first)))),
            ("b", Call(Pop)),
            ("b", Answer(Item(Some(second)))),
        ]
    };
    legal(Stack::new(), events(2, 1));
    illegal(Stack::new(), 6, events(1, 2));
}

#[test]
fn a_counter_gives_each_number_once() {
    use CounterOp::*;
    use CounterRet::*;
    let events = |second| {
        vec![
            ("a", Call(FetchAdd(1))),
            ("b", Call(FetchAdd(1))),
            ("a", Answer(Value(0))),
            ("b", Answer(Value(second))),
        ]
    };
    legal(Counter, events(1));
    illegal(Counter, 4, events(0));
}

/// An element that was acknowledged is lost.
#[test]
fn a_set_keeps_what_was_put_in() {
    use SetOp::*;
    let events = |seen: &[i32]| {
        vec![
            ("a", Call(Insert(1))),
            ("a", Answer(SetRet::Did(true))),
            ("a", Call(Insert(2))),
            ("b", Call(All)),
            ("b", Answer(SetRet::All(seen.iter().copied().collect()))),
        ]
    };
    legal(Set::new(), events(&[1]));
    legal(Set::new(), events(&[1, 2]));
    illegal(Set::new(), 5, events(&[2]));
}

/// A thousand calls by ten clients, eight or so of them open at a time; and the same with one stale read near the end.
#[test]
fn a_thousand_calls_are_within_the_budget() {
    use RegisterOp::*;
    use RegisterRet::*;
    let run = |stale: bool| {
        let mut history = History::new();
        let (mut state, mut seed) = (0, 7_u64);
        let mut open: Vec<(CallId, RegisterRet<u64>)> = Vec::new();
        for n in 0..1_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let write = seed >> 62 == 0;
            let id = history.invoke(n % 10, if write { Write(n) } else { Read });
            let ret = match write {
                true => {
                    state = n;
                    Written
                }
                false if stale && n == 990 => Value(1),
                false => Value(state),
            };
            open.push((id, ret));
            if open.len() > 7 {
                let (id, ret) = open.remove((seed >> 40) as usize % open.len());
                history.respond(id, ret);
            }
        }
        for (id, ret) in open {
            history.respond(id, ret);
        }
        history
    };
    assert_eq!(check(&Register::new(0), &run(false)), Verdict::Ok);
    let Verdict::Illegal(illegal) = check(&Register::new(0), &run(true)) else {
        panic!("the stale read is not seen");
    };
    assert_eq!(illegal.call, CallId(990));
    assert!(illegal.shortest);
}

/// A key that takes the whole budget does not hide one that is illegal; but whether that is the shortest prefix is open.
#[test]
fn an_illegal_key_beside_one_that_is_unknown() {
    use CounterOp::*;
    use CounterRet::*;
    let mut history = History::new();
    for n in 0..20 {
        history.invoke(n, ("a", Add(1 << n)));
    }
    let below_zero = history.invoke("a", ("a", Get));
    history.respond(below_zero, Value(-1));
    let never_added = history.invoke("b", ("b", Get));
    history.respond(never_added, Value(1));
    let model = Each::new(Counter);
    let verdict = |budget| Checker::new().budget(budget).check(&model, &history);
    let Verdict::Illegal(illegal) = verdict(1_000) else { panic!("the illegal key is not seen") };
    assert_eq!((illegal.call, illegal.events, illegal.shortest), (never_added, 24, false));
    assert!(matches!(verdict(0), Verdict::Unknown { steps: 0 }));
}

/// Many writes without answer: all but the one that was read last are left out.
#[test]
fn writes_without_answer_do_not_multiply() {
    use RegisterOp::*;
    use RegisterRet::*;
    let run = |seen: [u32; 3]| {
        let mut history = History::new();
        for n in 0..60 {
            history.invoke(n, Write(n));
        }
        for seen in seen {
            let read = history.invoke("reader", Read);
            history.respond(read, Value(seen));
        }
        Checker::new().check(&Register::new(0), &history)
    };
    assert_eq!(run([7, 3, 41]), Verdict::Ok);
    let Verdict::Illegal(illegal) = run([7, 3, 7]) else { panic!("7 was written once") };
    assert_eq!((illegal.events, illegal.shortest), (66, true));
}

/// A model that says of a write that it only looks.
#[test]
#[should_panic(expected = "the model says that this only looks")]
fn a_wrong_promise_of_the_model_is_noticed() {
    struct Wrong;

    impl Model for Wrong {
        type State = u8;
        type Op = u8;
        type Ret = ();
        type Key = ();

        fn start(&self) -> u8 {
            0
        }

        fn step(&self, _: &u8, op: &u8, (): &()) -> Option<u8> {
            Some(*op)
        }

        fn step_unknown(&self, _: &u8, op: &u8) -> Vec<u8> {
            vec![*op]
        }

        fn only_looks(&self, _: &u8, (): &()) -> bool {
            true
        }
    }

    legal(Wrong, vec![("a", Call(1)), ("a", Answer(()))]);
}
