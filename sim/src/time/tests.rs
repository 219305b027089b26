//! What tokio's published tests do not ask, or what is otherwise here.

use super::{Duration, Instant, advance, interval, pause, sleep, sleep_until, timeout};
use crate::runtime::Builder;
use std::{
    future::{Future, pending, poll_fn},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake, Waker},
};

fn run<F: Future>(future: F) -> F::Output {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(future)
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counter(AtomicU32);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn counter() -> (Arc<Counter>, Waker) {
    let counter = Arc::new(Counter::default());
    (counter.clone(), counter.into())
}

#[test]
fn deadlines_are_exact() {
    run(async {
        let start = Instant::now();
        sleep(Duration::from_nanos(1)).await;
        assert_eq!(start.elapsed(), Duration::from_nanos(1));
        let late = timeout(Duration::from_nanos(1_500_001), pending::<()>()).await;
        assert!(late.is_err());
        assert_eq!(start.elapsed(), Duration::from_nanos(1_500_002));
    });
}

#[test]
fn timers_of_one_instant_fire_in_the_order_of_their_polls() {
    run(async {
        let order = Arc::new(std::sync::Mutex::new(Vec::new()));
        let at = Instant::now() + Duration::from_millis(3);
        let tasks: Vec<_> = (0..5)
            .map(|number| {
                let order = order.clone();
                crate::spawn(async move {
                    sleep_until(at).await;
                    order.lock().unwrap().push(number);
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
    });
}

#[test]
fn reset_wakes_who_waited_at_the_new_deadline() {
    run(async {
        let (woken, waker) = counter();
        let start = Instant::now();
        let mut nap = Box::pin(sleep(Duration::from_secs(1)));
        assert!(nap.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        nap.as_mut().reset(start + Duration::from_secs(3));
        advance(Duration::from_secs(2)).await;
        assert_eq!(woken.0.load(SeqCst), 0);
        assert!(!nap.is_elapsed());
        advance(Duration::from_secs(1)).await;
        assert_eq!(woken.0.load(SeqCst), 1);
        assert!(nap.is_elapsed());
    });
}

#[test]
fn reset_to_the_past_wakes_at_once() {
    run(async {
        let (woken, waker) = counter();
        let mut nap = Box::pin(sleep(Duration::from_secs(1)));
        assert!(nap.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        nap.as_mut().reset(Instant::now());
        assert_eq!(woken.0.load(SeqCst), 1);
        assert!(nap.is_elapsed());
    });
}

#[test]
fn only_the_last_waker_is_woken() {
    run(async {
        let ((first, old), (second, new)) = (counter(), counter());
        let mut nap = Box::pin(sleep(Duration::from_secs(1)));
        for waker in [&old, &new] {
            assert!(nap.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        }
        advance(Duration::from_secs(1)).await;
        assert_eq!(first.0.load(SeqCst), 0);
        assert_eq!(second.0.load(SeqCst), 1);
    });
}

#[test]
fn a_dropped_sleep_wakes_nobody() {
    run(async {
        let (woken, waker) = counter();
        let mut nap = Box::pin(sleep(Duration::from_secs(1)));
        assert!(nap.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        drop(nap);
        advance(Duration::from_secs(2)).await;
        assert_eq!(woken.0.load(SeqCst), 0);
        assert_eq!(Arc::strong_count(&woken), 2);
    });
}

#[test]
fn a_lost_tick_of_an_interval_is_not_armed() {
    run(async {
        let (woken, waker) = counter();
        let mut ticks = interval(Duration::from_secs(1));
        assert!(ticks.poll_tick(&mut Context::from_waker(&waker)).is_ready());
        advance(Duration::from_secs(1)).await;
        assert_eq!(woken.0.load(SeqCst), 0);
    });
}

/// Takes the whole budget at each poll and then is pending; the waker wakes it again at once.
async fn greedy() {
    poll_fn(|cx| {
        while crate::task::coop::poll_proceed(cx).map(|coop| coop.made_progress()).is_ready() {}
        Poll::<()>::Pending
    })
    .await;
}

#[test]
fn a_greedy_future_does_not_hide_its_timeout() {
    run(async {
        let mut limited = Box::pin(timeout(Duration::from_millis(1), greedy()));
        let first = poll_fn(|cx| Poll::Ready(Pin::new(&mut limited).poll(cx))).await;
        assert!(first.is_pending());
        advance(Duration::from_millis(1)).await;
        assert!(limited.await.is_err());
    });
}

#[test]
fn the_far_future_is_thirty_years_away() {
    run(async {
        let start = Instant::now();
        assert_eq!(sleep(Duration::MAX).deadline(), start + super::FAR_FUTURE);
        let endless = timeout(Duration::MAX, async { 1 });
        assert_eq!(endless.await, Ok(1));
    });
}

#[test]
#[should_panic(expected = "time is already frozen")]
fn pausing_twice() {
    run(async { pause() });
}

#[test]
fn futures_may_change_threads() {
    fn check<T: Send + Sync>(_: impl FnOnce() -> T) {}
    check(|| sleep(Duration::ZERO));
    check(|| timeout(Duration::ZERO, async {}));
    check(|| advance(Duration::ZERO));
    check(|| interval(Duration::from_secs(1)));
}
