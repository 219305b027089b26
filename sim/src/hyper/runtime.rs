//! Tasks and time, as hyper asks for them.

use crate::{
    task,
    time::{self, Duration},
};
use hyper::rt;
use pin_project::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

/// Runs hyper's background work (the streams of HTTP/2, the connections of a pool) as tasks called `hyper` of the node
/// that asks.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use hyper::rt::Executor as _;
///
/// let (sender, receiver) = sim::sync::oneshot::channel();
/// sim::hyper::Executor.execute(async move { sender.send("done").unwrap() });
/// assert_eq!(receiver.await, Ok("done"));
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Executor;

impl<F> rt::Executor<F> for Executor
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    #[track_caller]
    fn execute(&self, future: F) {
        let spawned = task::Builder::new().name("hyper").spawn(future);
        drop(spawned.expect("a task can always be spawned"));
    }
}

/// The clock of the node that asks, in virtual time. hyper's timeouts (of headers, keep-alive, idle connections) need it.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use hyper::rt::Timer as _;
/// use sim::{hyper::Timer, time::Duration};
///
/// let start = Timer.now();
/// Timer.sleep(Duration::from_secs(60)).await;
/// assert!(Timer.now() - start >= Duration::from_secs(60));
/// # });
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Timer;

impl rt::Timer for Timer {
    #[track_caller]
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Sleep { sleep: time::sleep(duration) })
    }

    #[track_caller]
    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(Sleep { sleep: time::sleep_until(deadline.into()) })
    }

    fn now(&self) -> Instant {
        time::Instant::now().into_std()
    }

    fn reset(&self, sleep: &mut Pin<Box<dyn rt::Sleep>>, new_deadline: Instant) {
        match sleep.as_mut().downcast_mut_pin::<Sleep>() {
            Some(ours) => ours.project().sleep.reset(new_deadline.into()),
            None => *sleep = self.sleep_until(new_deadline),
        }
    }
}

/// hyper's trait belongs to hyper, the future to `sim::time`.
#[pin_project]
struct Sleep {
    #[pin]
    sleep: time::Sleep,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().sleep.poll(cx)
    }
}

impl rt::Sleep for Sleep {}
