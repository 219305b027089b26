//! The checker against brute force: thousands of small random histories of each model.

use sim_history::{
    Call, CallId, Checker, End, History, Model, Verdict,
    models::{
        Counter, CounterOp, CounterRet, Each, KeyValue, KvOp, KvRet, Lock, LockOp, Queue, QueueOp,
        QueueRet, Register, RegisterOp, RegisterRet, Set, SetOp, SetRet, Stack, StackOp, StackRet,
    },
};
use std::{collections::BTreeSet, fmt::Debug, mem};

const HISTORIES: u64 = 4_000;
const CALLS: usize = 7;

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A model with all that it can be asked and all that it may answer.
struct Subject<M: Model> {
    model: M,
    ops: Vec<M::Op>,
    rets: Vec<M::Ret>,
}

/// A history in which each call takes effect at some moment on a real object that sometimes lies, or
/// answers as it would have done before. Some calls have no
/// response, whether they took effect or not, and a few are known not to have taken effect.
fn random_history<M>(subject: &Subject<M>, random: &mut Random) -> History<M::Op, M::Ret>
where
    M: Model<Op: Clone, Ret: Clone>,
{
    let mut history = History::new();
    let mut state = subject.model.start();
    let mut earlier = vec![state.clone()];
    let mut open: Vec<(CallId, M::Op, Option<M::Ret>)> = Vec::new();
    let calls = 2 + random.below(CALLS - 1);
    let lies = random.below(2) == 0;
    while history.calls().len() < calls || !open.is_empty() {
        if history.calls().len() < calls && (open.is_empty() || random.below(2) == 0) {
            let op = random.pick(&subject.ops);
            let id = history.invoke(random.below(3), op.clone());
            match random.below(20) {
                0 => history.never(id),
                _ => open.push((id, op, None)),
            }
            continue;
        }
        if open.is_empty() {
            break;
        }
        let at = random.below(open.len());
        match (&open[at].2, random.below(12)) {
            (_, 0) => drop(open.remove(at)), // never answered
            (None, _) => {
                let (_, op, ret) = &mut open[at];
                let fits = |ret: &M::Ret| subject.model.step(&state, op, ret);
                let answers: Vec<_> = subject.rets.iter().filter(|r| fits(r).is_some()).collect();
                match answers.get(random.below(answers.len().max(1))) {
                    None if random.below(4) == 0 => drop(open.remove(at)), // waits for ever
                    None => {}
                    Some(answer) => {
                        let stale = |ret: &&M::Ret| {
                            let then = &earlier[earlier.len() / 2];
                            subject.model.step(then, op, ret).is_some()
                        };
                        *ret = Some(match random.below(8) {
                            0 if lies => random.pick(&subject.rets),
                            1 | 2 if lies => {
                                subject.rets.iter().find(stale).unwrap_or(answer).clone()
                            }
                            _ => (*answer).clone(),
                        });
                        let after = fits(answer).expect("it fits");
                        earlier.push(mem::replace(&mut state, after));
                    }
                }
            }
            (Some(_), _) => {
                let (id, _, ret) = open.remove(at);
                history.respond(id, ret.expect("it took effect"));
            }
        }
    }
    history
}

/// Which order a call has to keep with those that returned before it began.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// With all of them.
    Time,
    /// With those of the same client.
    Program,
}

/// Whether the first `events` events have an order, by trying all of them.
fn brute_force<M: Model>(
    subject: &Subject<M>,
    history: &History<M::Op, M::Ret>,
    events: usize,
    keep: Keep,
) -> bool {
    let plain = |call: &'_ Call<M::Op, M::Ret>| match &call.end {
        End::Never(_) => false,
        _ => call.invoked.place < events,
    };
    let calls: Vec<_> = history.calls().iter().filter(|call| plain(call)).collect();
    has_order(subject, &calls, &subject.model.start(), events, keep)
}

/// Whether the rest has an order from the state on.
fn has_order<M: Model>(
    subject: &Subject<M>,
    rest: &[&Call<M::Op, M::Ret>],
    state: &M::State,
    events: usize,
    keep: Keep,
) -> bool {
    let returned = |call: &Call<M::Op, M::Ret>| match &call.end {
        End::Returned(event, _) if event.place < events => Some(event.place),
        _ => None,
    };
    if rest.iter().all(|call| returned(call).is_none()) {
        return true;
    }
    (0..rest.len()).any(|next| {
        let call = rest[next];
        let has_to_wait = rest.iter().any(|other| {
            returned(other).is_some_and(|at| at < call.invoked.place)
                && (keep == Keep::Time || other.client == call.client)
        });
        let mut others = rest.to_vec();
        others.remove(next);
        let rets = match &call.end {
            End::Returned(event, ret) if event.place < events => vec![ret],
            _ => subject.rets.iter().collect(),
        };
        let mut states =
            rets.into_iter().filter_map(|ret| subject.model.step(state, &call.op, ret));
        !has_to_wait && states.any(|state| has_order(subject, &others, &state, events, keep))
    })
}

/// Calls in an order are in it once, and none before one that returned before it began.
fn assert_order<Op: Debug, Ret: Debug>(history: &History<Op, Ret>, order: &[CallId]) {
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len());
    for (at, earlier) in order.iter().enumerate() {
        for later in &order[at + 1..] {
            if let End::Returned(event, _) = &history.calls()[later.0].end {
                let earlier = &history.calls()[earlier.0];
                assert!(event.place > earlier.invoked.place, "{order:?} of {history:?}");
            }
        }
    }
}

fn agrees<M>(subject: Subject<M>, seed: u64)
where
    M: Model<Op: Clone, Ret: Clone>,
{
    let mut random = Random(seed);
    let (mut legal, mut illegal, mut stale) = (0, 0, 0);
    for _ in 0..HISTORIES {
        let history = random_history(&subject, &mut random);
        let verdict = Checker::new().check(&subject.model, &history);
        let whole = Checker::new().whole().check(&subject.model, &history);
        let expected = brute_force(&subject, &history, history.events(), Keep::Time);
        let sequential = Checker::new().sequentially_consistent(&subject.model, &history);
        let expected_sequential =
            expected || brute_force(&subject, &history, history.events(), Keep::Program);
        assert_eq!(sequential, Some(expected_sequential), "{history:?}");
        stale += u64::from(expected_sequential && !expected);
        match (&verdict, &whole) {
            (Verdict::Ok, Verdict::Ok) => {
                assert!(expected, "called legal: {history:?}");
                legal += 1;
            }
            (Verdict::Illegal(report), Verdict::Illegal(of_whole)) => {
                assert!(!expected, "called illegal: {history:?}\n{report}");
                let shortest = (1..=history.events())
                    .find(|events| !brute_force(&subject, &history, *events, Keep::Time));
                assert_eq!(Some(report.events), shortest, "{report}");
                assert!(report.shortest);
                assert_eq!((report.call, report.events), (of_whole.call, of_whole.events));
                let End::Returned(last, _) = &history.calls()[report.call.0].end else {
                    panic!("{report}");
                };
                assert_eq!(last.place + 1, report.events);
                assert_order(&history, &report.order);
                illegal += 1;
            }
            _ => panic!("{verdict:?} by key, {whole:?} in whole: {history:?}"),
        }
    }
    // Both are tested, not one of them.
    assert!(legal > HISTORIES / 4, "{legal} legal histories");
    assert!(illegal > HISTORIES / 20, "{illegal} illegal histories");
    assert!(stale > HISTORIES / 400, "{stale} histories that are only sequentially consistent");
}

#[test]
fn register() {
    use RegisterOp::*;
    use RegisterRet::*;
    let ops = vec![Read, Read, Read, Write(1), Write(2), Cas(0, 1), Cas(1, 2), Cas(2, 0)];
    let rets = vec![Value(0), Value(1), Value(2), Written, Swapped(true), Swapped(false)];
    agrees(Subject { model: Register::new(0), ops, rets }, 1);
}

#[test]
fn key_value() {
    use KvOp::*;
    use KvRet::*;
    let mut ops = Vec::new();
    for key in ["x", "y"] {
        ops.extend([Get(key), Get(key), Put(key, 1), Put(key, 2), Delete(key)]);
        ops.extend([Cas(key, None, 1), Cas(key, Some(1), 2)]);
    }
    let rets =
        vec![Value(None), Value(Some(1)), Value(Some(2)), Done, Swapped(true), Swapped(false)];
    agrees(Subject { model: KeyValue::new(), ops, rets }, 2);
}

#[test]
fn queue() {
    use QueueOp::*;
    use QueueRet::*;
    let ops = vec![Enqueue(1), Enqueue(2), Enqueue(3), Dequeue, Dequeue, Dequeue];
    let rets = vec![Done, Item(None), Item(Some(1)), Item(Some(2)), Item(Some(3))];
    agrees(Subject { model: Queue::new(), ops, rets }, 3);
}

#[test]
fn stack() {
    use StackOp::*;
    use StackRet::*;
    let ops = vec![Push(1), Push(2), Push(3), Pop, Pop, Pop];
    let rets = vec![Done, Item(None), Item(Some(1)), Item(Some(2)), Item(Some(3))];
    agrees(Subject { model: Stack::new(), ops, rets }, 4);
}

#[test]
fn set() {
    use SetOp::*;
    use SetRet::*;
    let mut ops = Vec::new();
    for value in [1, 2] {
        ops.extend([Insert(value), Insert(value), Remove(value), Contains(value)]);
    }
    let mut rets = vec![Did(true), Did(false)];
    agrees(Subject { model: Set::new(), ops: ops.clone(), rets: rets.clone() }, 5);
    ops.extend([SetOp::All, SetOp::All]);
    rets.extend(
        [vec![], vec![1], vec![2], vec![1, 2]].map(|all| SetRet::All(all.into_iter().collect())),
    );
    agrees(Subject { model: Set::new(), ops, rets }, 6);
}

#[test]
fn lock() {
    use LockOp::*;
    let mut ops = Vec::new();
    for owner in ["a", "b"] {
        ops.extend([Acquire(owner), TryAcquire(owner), Release(owner), Release(owner)]);
    }
    agrees(Subject { model: Lock::new(), ops, rets: vec![true, false] }, 7);
}

#[test]
fn counter() {
    use CounterOp::*;
    use CounterRet::*;
    let ops = vec![Add(1), Add(2), FetchAdd(1), FetchAdd(-1), Get, Get];
    let rets = (-8..=14).map(Value).chain([Done]).collect();
    agrees(Subject { model: Counter, ops, rets }, 8);
}

#[test]
fn each() {
    use LockOp::*;
    let mut ops = Vec::new();
    for name in ["door", "gate"] {
        for owner in [1, 2] {
            ops.extend([(name, Acquire(owner)), (name, TryAcquire(owner)), (name, Release(owner))]);
        }
    }
    agrees(Subject { model: Each::new(Lock::new()), ops, rets: vec![true, false] }, 9);
}

/// A model of the user's own: a bag from which any item is taken, so that a call without answer may leave many states.
struct Bag;

#[derive(Clone, Debug)]
enum BagOp {
    Put(u8),
    Take,
    Least,
}

impl Model for Bag {
    type State = Vec<u8>; // in order
    type Op = BagOp;
    type Ret = Option<u8>;
    type Key = ();

    fn start(&self) -> Vec<u8> {
        vec![1, 2, 3]
    }

    fn step(&self, state: &Vec<u8>, op: &BagOp, ret: &Option<u8>) -> Option<Vec<u8>> {
        let mut state = state.clone();
        match (op, ret) {
            (BagOp::Least, least) if state.first() == least.as_ref() => {}
            (BagOp::Put(item), None) => state.push(*item),
            (BagOp::Take, Some(item)) => {
                state.remove(state.iter().position(|held| held == item)?);
            }
            _ => return None,
        }
        state.sort_unstable();
        Some(state)
    }

    fn step_unknown(&self, state: &Vec<u8>, op: &BagOp) -> Vec<Vec<u8>> {
        match op {
            BagOp::Put(_) => self.step(state, op, &None).into_iter().collect(),
            BagOp::Least => Vec::new(),
            BagOp::Take => {
                state.iter().filter_map(|item| self.step(state, op, &Some(*item))).collect()
            }
        }
    }
}

#[test]
fn bag() {
    let ops = vec![BagOp::Put(1), BagOp::Put(3), BagOp::Take, BagOp::Take, BagOp::Least];
    agrees(Subject { model: Bag, ops, rets: vec![None, Some(1), Some(2), Some(3)] }, 10);
}
