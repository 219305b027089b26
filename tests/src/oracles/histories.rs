//! Calls whose answers no object that does one after the other could have given.

use super::programs;
use sim as tokio;
use sim::history::{
    Recorder,
    models::{
        Counter, CounterOp, CounterRet, KeyValue, KvOp, KvRet, Lock, LockOp, Queue, QueueOp,
        QueueRet, Register, RegisterOp, RegisterRet, Set, SetOp, SetRet,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use tokio::{
    sync::Mutex,
    task::{JoinSet, yield_now},
    time::{Duration, sleep, timeout},
};

programs! {
    read_of_a_copy: Assertion [
        "the history checked at {copy check} is not linearizable", "Read → Value(0) of reader",
        "(the first 4 events are the shortest illegal prefix)", "writer", "stale",
    ];
    item_taken_twice: Assertion [
        "the history checked at {taken check} is not linearizable", "Dequeue → Item(Some(7))",
        "(the first 8 events are the shortest illegal prefix)",
    ];
    lease_that_ran_out: Assertion [
        "the history checked at {lease check} is not linearizable", "Acquire(\"bob\") → true of bob",
        "Acquire(\"ann\") → true", "(the first 4 events are the shortest illegal prefix)",
    ];
    count_that_loses: Assertion [
        "the history checked at {count check} is not linearizable", "Get → Value(1) of main",
        "(the first 6 events are the shortest illegal prefix)", "Add(1)",
    ];
    write_that_comes_back: Assertion [
        "the history checked at {back check} is not linearizable", "Get(\"x\")", "Put(\"x\", 1) → no answer",
        "(the first 7 events are the shortest illegal prefix)",
    ];
    added_by_both: Assertion [
        "the history checked at {added check} is not linearizable", "Insert(3)", "(the first 4 events are the shortest illegal prefix)",
    ];
}

/// Writes go to the original, reads to a copy that comes later.
async fn read_of_a_copy<const FIXED: bool>() {
    let (original, copy) = (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)));
    let history = Recorder::new();
    let write = async {
        *original.lock().await = 5;
        RegisterRet::Written
    };
    history.call("writer", RegisterOp::Write(5), write).await;
    let read = async {
        RegisterRet::Value(match FIXED {
            true => *original.lock().await,
            false => *copy.lock().await,
        })
    };
    history.call("reader", RegisterOp::Read, read).await;
    *copy.lock().await = *original.lock().await;
    history.check(Register::new(0)); // copy check
}

/// Looks at the front, and takes it later.
async fn item_taken_twice<const FIXED: bool>() {
    let queue = Arc::new(Mutex::new(VecDeque::from([])));
    let history = Recorder::new();
    for item in [7, 8] {
        let put = async {
            queue.lock().await.push_back(item);
            QueueRet::Done
        };
        history.call("producer", QueueOp::Enqueue(item), put).await;
    }
    let mut consumers = JoinSet::new();
    for consumer in ["ann", "bob"] {
        let (queue, history) = (queue.clone(), history.clone());
        consumers.spawn(async move {
            let take = async {
                if FIXED {
                    return QueueRet::Item(queue.lock().await.pop_front());
                }
                let front = queue.lock().await.front().copied();
                yield_now().await;
                queue.lock().await.pop_front();
                QueueRet::Item(front)
            };
            history.call(consumer, QueueOp::Dequeue, take).await;
        });
    }
    consumers.join_all().await;
    history.check(Queue::new()); // taken check
}

/// A lease ends when its time is over; its owner has not noticed.
async fn lease_that_ran_out<const FIXED: bool>() {
    let owner = Arc::new(Mutex::new(None::<(&str, tokio::time::Instant)>));
    let history = Recorder::new();
    let acquire = async |name: &'static str| loop {
        let now = tokio::time::Instant::now();
        let mut owner = owner.lock().await;
        match *owner {
            Some((_, until)) if now < until || FIXED => {}
            _ => {
                *owner = Some((name, now + Duration::from_secs(1)));
                return true;
            }
        }
        drop(owner);
        sleep(Duration::from_millis(100)).await;
    };
    let release = async |name: &'static str| {
        let mut owner = owner.lock().await;
        let own = owner.is_some_and(|(owner, _)| owner == name);
        if own {
            *owner = None;
        }
        own
    };
    let ann = async {
        history.call("ann", LockOp::Acquire("ann"), acquire("ann")).await;
        sleep(Duration::from_secs(3)).await; // slow work under the lease
        history.call("ann", LockOp::Release("ann"), release("ann")).await;
    };
    let bob = async {
        sleep(Duration::from_millis(500)).await;
        history.call("bob", LockOp::Acquire("bob"), acquire("bob")).await;
    };
    tokio::join!(ann, bob);
    history.check(Lock::new()); // lease check
}

/// Reads, then writes: one of two increments is lost.
async fn count_that_loses<const FIXED: bool>() {
    let count = Arc::new(Mutex::new(0));
    let history = Recorder::new();
    let mut adders = JoinSet::new();
    for adder in ["ann", "bob"] {
        let (count, history) = (count.clone(), history.clone());
        adders.spawn(async move {
            let add = async {
                if FIXED {
                    *count.lock().await += 1;
                } else {
                    let seen = *count.lock().await;
                    *count.lock().await = seen + 1;
                }
                CounterRet::Done
            };
            history.call(adder, CounterOp::Add(1), add).await;
        });
    }
    adders.join_all().await;
    let get = async { CounterRet::Value(*count.lock().await) };
    history.call_here(CounterOp::Get, get).await;
    history.check(Counter); // count check
}

/// A write whose caller gave up takes effect, is overwritten, and takes effect again by a retry of the network.
async fn write_that_comes_back<const FIXED: bool>() {
    let store = Arc::new(Mutex::new(BTreeMap::new()));
    let history = Recorder::new();
    let slow = async {
        store.lock().await.insert("x", 1);
        let late = store.clone();
        tokio::spawn(async move {
            sleep(Duration::from_secs(3)).await;
            if !FIXED {
                late.lock().await.insert("x", 1);
            }
        });
        sleep(Duration::from_secs(5)).await;
        KvRet::Done
    };
    let put = timeout(Duration::from_secs(1), slow);
    assert!(history.call("ann", KvOp::Put("x", 1), put).await.is_err());
    let put = async {
        store.lock().await.insert("x", 2);
        KvRet::Done
    };
    let get = async || KvRet::Value(store.lock().await.get("x").copied());
    history.call("bob", KvOp::Get("x"), get()).await;
    history.call("bob", KvOp::Put("x", 2), put).await;
    sleep(Duration::from_secs(10)).await;
    history.call("bob", KvOp::Get("x"), get()).await;
    history.check(KeyValue::new()); // back check
}

/// Both find the set without it, and both say that it is theirs.
async fn added_by_both<const FIXED: bool>() {
    let set = Arc::new(Mutex::new(BTreeSet::new()));
    let history = Recorder::new();
    let mut adders = JoinSet::new();
    for adder in ["ann", "bob"] {
        let (set, history) = (set.clone(), history.clone());
        adders.spawn(async move {
            let insert = async {
                if FIXED {
                    return SetRet::Did(set.lock().await.insert(3));
                }
                let new = !set.lock().await.contains(&3);
                set.lock().await.insert(3);
                SetRet::Did(new)
            };
            history.call(adder, SetOp::Insert(3), insert).await;
        });
    }
    adders.join_all().await;
    history.check(Set::new()); // added check
}
