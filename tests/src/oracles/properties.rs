//! What a test states of a program: always, sometimes, never, after each step, in time.

use super::programs;
use sim as tokio;
use std::sync::{
    Arc, Mutex as StdMutex,
    atomic::{AtomicI64, AtomicU32, Ordering::SeqCst},
};
use tokio::{
    spawn,
    sync::{Mutex, mpsc, oneshot},
    task::{JoinSet, yield_now},
    time::{Duration, sleep, timeout},
};

programs! {
    more_than_allowed: Assertion [
        "the always property \"no more than two at once\" does not hold, at {allowed always}", "3 at once",
    ];
    two_leaders: Assertion ["the unreachable property \"two leaders\" was reached, at {leaders unreachable}"];
    money_in_between: Assertion [
        "the invariant \"money is kept\" does not hold: there are 90",
    ];
    torn_by_cancellation: Assertion [
        "the invariant \"both or none\" does not hold: paid 1, shipped 0",
    ];
    no_progress_after_the_outage: Assertion [
        "\"requests are served again\" has not come about within 30s", "task main/0 (spawned at {outage server})",
        "waits at {outage wait}", "receive",
    ];
    no_answer: Assertion [
        "\"an answer\" has not come about within 5s", "task main waits at {answer within}",
    ];
}

/// Looks for room, and takes it later.
async fn more_than_allowed<const FIXED: bool>() {
    let running = Arc::new(AtomicU32::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..4 {
        let running = running.clone();
        callers.spawn(async move {
            if FIXED {
                let take = |n: u32| (n < 2).then_some(n + 1);
                while running.fetch_update(SeqCst, SeqCst, take).is_err() {
                    sleep(Duration::from_millis(1)).await;
                }
            } else {
                while running.load(SeqCst) >= 2 {
                    sleep(Duration::from_millis(1)).await;
                }
                yield_now().await;
                running.fetch_add(1, SeqCst);
            }
            let inside = running.load(SeqCst);
            sim::assert_always!(inside <= 2, "no more than two at once", "{inside} at once"); // allowed always
            sleep(Duration::from_millis(5)).await;
            running.fetch_sub(1, SeqCst);
        });
    }
    callers.join_all().await;
}

/// Each asks who leads, hears nobody, and leads.
async fn two_leaders<const FIXED: bool>() {
    let leader = Arc::new(Mutex::new(None::<u32>));
    let leading = Arc::new(AtomicU32::new(0));
    let mut nodes = JoinSet::new();
    for node in 0..2 {
        let (leader, leading) = (leader.clone(), leading.clone());
        nodes.spawn(async move {
            if FIXED {
                let mut leader = leader.lock().await;
                if leader.is_some() {
                    return;
                }
                *leader = Some(node);
            } else {
                if leader.lock().await.is_some() {
                    return;
                }
                *leader.lock().await = Some(node);
            }
            if leading.fetch_add(1, SeqCst) > 0 {
                sim::assert_unreachable!("two leaders"); // leaders unreachable
            }
        });
    }
    nodes.join_all().await;
}

/// Half of a transfer can be seen.
async fn money_in_between<const FIXED: bool>() {
    let accounts = Arc::new([AtomicI64::new(100), AtomicI64::new(0)]);
    let watched = accounts.clone();
    let _kept = sim::invariant("money is kept", move || {
        let sum: i64 = watched.iter().map(|account| account.load(SeqCst)).sum();
        if sum == 100 { Ok(()) } else { Err(format!("there are {sum}")) }
    });
    let transfer = spawn(async move {
        accounts[0].fetch_sub(10, SeqCst);
        if !FIXED {
            yield_now().await;
        }
        accounts[1].fetch_add(10, SeqCst);
    });
    transfer.await.unwrap();
}

/// The holder of the lock is cancelled half way, and the next finds what it left.
async fn torn_by_cancellation<const FIXED: bool>() {
    let order = Arc::new(Mutex::new((0, 0)));
    let watched = order.clone();
    let _whole = sim::invariant("both or none", move || match watched.try_lock() {
        Ok(order) if order.0 != order.1 => Err(format!("paid {}, shipped {}", order.0, order.1)),
        _ => Ok(()),
    });
    let place = async {
        let mut order = order.lock().await;
        if FIXED {
            sleep(Duration::from_secs(5)).await;
            *order = (order.0 + 1, order.1 + 1);
        } else {
            order.0 += 1;
            sleep(Duration::from_secs(5)).await;
            order.1 += 1;
        }
    };
    assert!(timeout(Duration::from_secs(1), place).await.is_err());
    yield_now().await;
}

/// What was asked during the outage is lost, and the client waits for it before it asks again.
async fn no_progress_after_the_outage<const FIXED: bool>() {
    let down = Arc::new(StdMutex::new(true));
    let served = Arc::new(AtomicU32::new(0));
    let (requests, mut inbox) = mpsc::channel::<oneshot::Sender<()>>(1);
    let (down2, served2) = (down.clone(), served.clone());
    let serve = async move {
        loop {
            let request = inbox.recv().await; // outage wait
            let Some(reply) = request else { return };
            match *down2.lock().unwrap() {
                true => std::mem::forget(reply), // nobody will ever say so
                false => {
                    served2.fetch_add(1, SeqCst);
                    let _ = reply.send(());
                }
            }
        }
    };
    spawn(serve); // outage server
    spawn(async move {
        loop {
            let (reply, answer) = oneshot::channel();
            requests.send(reply).await.unwrap();
            match FIXED {
                true => drop(timeout(Duration::from_secs(1), answer).await),
                false => drop(answer.await),
            }
            sleep(Duration::from_secs(1)).await;
        }
    });
    sleep(Duration::from_secs(10)).await;
    *down.lock().unwrap() = false;
    let limit = Duration::from_secs(30);
    sim::eventually(limit, "requests are served again", move || served.load(SeqCst) > 0).await;
}

async fn no_answer<const FIXED: bool>() {
    let (reply, answer) = oneshot::channel::<u32>();
    let mut reply = Some(reply);
    if FIXED {
        reply.take().unwrap().send(1).unwrap();
    }
    let answer = sim::within(Duration::from_secs(5), "an answer", answer);
    assert_eq!(answer.await, Ok(1)); // answer within
}
