//! Cancellation and stalls as choices: they strike everywhere, are replayed, and are not there unless asked for.

use sim::{
    Config, cancel_sweep,
    sync::{Notify, Semaphore, mpsc},
    task::yield_now,
    time::{Duration, Instant, sleep, timeout},
};
use std::{
    collections::{BTreeSet, VecDeque},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

/// Takes so many steps, with an await after each; how many were taken is in `steps`.
async fn walk(steps: &Mutex<u32>, count: u32) {
    for _ in 0..count {
        *steps.lock().unwrap() += 1;
        yield_now().await;
    }
    *steps.lock().unwrap() += 1;
}

#[test]
fn each_await_is_struck_and_none() {
    let seen = Mutex::new(BTreeSet::new());
    let report = sim::check(Config::new().seeds(500), || async {
        let steps = Mutex::new(0);
        let output = cancel_sweep(walk(&steps, 8)).await;
        seen.lock().unwrap().insert((*steps.lock().unwrap(), output.is_some()));
    });
    assert!(report.failure.is_none(), "{report}");
    let wanted: BTreeSet<_> = (0..=8).map(|at| (at, false)).chain([(9, true)]).collect();
    assert_eq!(seen.into_inner().unwrap(), wanted);
}

#[test]
fn calm_runs_cancel_nothing() {
    let report = sim::check(Config::new().seeds(1).strategy("calm"), || async {
        let steps = Mutex::new(0);
        assert_eq!(cancel_sweep(walk(&steps, 100)).await, Some(()));
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn outside_of_a_simulation_nothing_is_cancelled() {
    let mut cx = Context::from_waker(Waker::noop());
    let future = pin!(cancel_sweep(async { 3 }));
    assert_eq!(future.poll(&mut cx), Poll::Ready(Some(3)));
}

/// A lock that is handed over to who waits longest. If that one is dropped before it goes on, the lock is lost.
#[derive(Default)]
struct Handed {
    state: Mutex<(bool, VecDeque<Arc<Notify>>)>,
    /// Hands the lock on when a waiter that has got it is dropped.
    careful: bool,
}

struct Waiting<'a>(&'a Handed, Arc<Notify>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let queued = state.1.len();
        state.1.retain(|other| !Arc::ptr_eq(other, &self.1));
        let has_got_it = state.1.len() == queued;
        drop(state);
        if has_got_it && self.0.careful {
            self.0.unlock();
        }
    }
}

impl Handed {
    async fn lock(&self) {
        let turn = {
            let mut state = self.state.lock().unwrap();
            if !std::mem::replace(&mut state.0, true) {
                return;
            }
            let turn = Arc::new(Notify::new());
            state.1.push_back(turn.clone());
            turn
        };
        let waiting = Waiting(self, turn.clone());
        turn.notified().await;
        std::mem::forget(waiting);
    }

    fn unlock(&self) {
        let next = {
            let mut state = self.state.lock().unwrap();
            let next = state.1.pop_front();
            state.0 = next.is_some();
            next
        };
        if let Some(next) = next {
            next.notify_one();
        }
    }
}

async fn hand_over(careful: bool) {
    let lock = Arc::new(Handed { careful, ..Handed::default() });
    let tasks: Vec<_> = (0..3)
        .map(|nth| {
            let lock = lock.clone();
            sim::spawn(async move {
                let turn = async {
                    lock.lock().await;
                    yield_now().await;
                };
                let got = match nth {
                    0 => cancel_sweep(turn).await.is_some(),
                    _ => {
                        turn.await;
                        true
                    }
                };
                if got {
                    lock.unlock();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// The one that is dropped while it holds the lock is another bug, which `careful` does not mend: here it may
/// only be dropped while it waits.
async fn hand_over_while_waiting(careful: bool) {
    let lock = Arc::new(Handed { careful, ..Handed::default() });
    let holder = {
        let lock = lock.clone();
        sim::spawn(async move {
            lock.lock().await;
            yield_now().await;
            lock.unlock();
        })
    };
    if cancel_sweep(lock.lock()).await.is_some() {
        lock.unlock();
    }
    holder.await.unwrap();
    timeout(Duration::from_secs(60), lock.lock()).await.expect("the lock was lost");
}

#[test]
fn a_lock_that_is_lost_with_its_waiter() {
    let report = sim::check(Config::new().seeds(2_000), || hand_over_while_waiting(false));
    let failure = report.failure.expect("a waiter is dropped between its turn and its poll");
    assert!(failure.message.contains("the lock was lost"), "{failure}");
    let again = sim::replay(&failure.tape, || hand_over_while_waiting(false)).failure.unwrap();
    assert_eq!((again.message, again.tape.records), (failure.message, failure.tape.records));
    let report = sim::check(Config::new().seeds(2_000), || hand_over_while_waiting(true));
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn a_lock_that_is_kept_by_who_is_dropped() {
    let report = sim::check(Config::new().seeds(2_000), || hand_over(true));
    assert_eq!(
        report.failure.expect("it is dropped while it holds").kind,
        sim::FailureKind::Deadlock
    );
}

/// tokio's own primitives are cancel safe.
#[test]
fn semaphores_and_channels_lose_nothing() {
    let report = sim::check(Config::new().seeds(2_000).stalls(true), || async {
        let permits = Arc::new(Semaphore::new(1));
        let (sender, mut inbox) = mpsc::channel(1);
        let tasks: Vec<_> = (0..3)
            .map(|nth| {
                let (permits, sender) = (permits.clone(), sender.clone());
                sim::spawn(async move {
                    let sent = cancel_sweep(async {
                        let _permit = permits.acquire().await.unwrap();
                        yield_now().await;
                        sender.send(nth).await.unwrap();
                    });
                    sent.await.is_some()
                })
            })
            .collect();
        drop(sender);
        let mut received = 0;
        loop {
            match timeout(Duration::from_millis(1), inbox.recv()).await {
                Ok(Some(_)) => received += 1,
                Ok(None) => break,
                Err(_) => {}
            }
        }
        let mut sent = 0;
        for task in tasks {
            sent += u32::from(task.await.unwrap());
        }
        // One may be dropped right after it has sent.
        assert!(sent <= received);
        assert_eq!(permits.available_permits(), 1);
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn stalls_make_timeouts_strike_at_each_await() {
    let seen = Mutex::new(BTreeSet::new());
    let test = || async {
        let steps = Mutex::new(0);
        let before = Instant::now();
        let output = timeout(Duration::from_secs(5), walk(&steps, 4)).await;
        assert_eq!(output.is_err(), before.elapsed() >= Duration::from_secs(5));
        seen.lock().unwrap().insert((*steps.lock().unwrap(), output.is_ok()));
    };
    assert!(sim::check(Config::new(), test).failure.is_none());
    assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), BTreeSet::from([(5, true)]));
    assert!(sim::check(Config::new().seeds(500).stalls(true), test).failure.is_none());
    let wanted: BTreeSet<_> = (1..=4).map(|at| (at, false)).chain([(5, true)]).collect();
    assert_eq!(seen.into_inner().unwrap(), wanted);
}

/// Where everything is late, what is due first still comes first.
#[test]
fn stalls_keep_the_order_of_time() {
    let report = sim::check(Config::new().seeds(500).stalls(true), || async {
        let start = Instant::now();
        let naps = [30, 10, 20].map(|ms| {
            sim::spawn(async move {
                sleep(Duration::from_millis(ms)).await;
                start.elapsed()
            })
        });
        for (nap, ms) in naps.into_iter().zip([30, 10, 20]) {
            assert!(nap.await.unwrap() >= Duration::from_millis(ms));
        }
    });
    assert!(report.failure.is_none(), "{report}");
}
