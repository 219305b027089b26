//! Recording the calls of a test, and checking that they are linearizable.
//!
//! A [`Recorder`] notes when each call begins and what comes back. At the end a [`Model`] says whether the object that
//! was called can be one that does one call after the other; if not, the test fails with the shortest part of the
//! history that shows it. Any number of replicas, caches and retries may be behind the calls.
//!
//! ```
//! use sim::{
//!     history::{Recorder, models::{Register, RegisterOp::*, RegisterRet::*}},
//!     task::{self, JoinSet},
//! };
//! use std::sync::{Arc, atomic::{AtomicU32, Ordering::SeqCst}};
//!
//! // Two copies of a number; a write changes one after the other, and each client reads its own.
//! let report = sim::check(sim::Config::new(), || async {
//!     let copies: Arc<[AtomicU32; 2]> = Arc::default();
//!     let history = Recorder::new();
//!     let mut clients = JoinSet::new();
//!     for client in 0..2 {
//!         let (copies, history) = (copies.clone(), history.clone());
//!         clients.spawn(async move {
//!             let write = async {
//!                 for copy in copies.iter() {
//!                     copy.store(client + 1, SeqCst);
//!                     task::yield_now().await;
//!                 }
//!                 Written
//!             };
//!             history.call(client, Write(client + 1), write).await;
//!             let read = async { Value(copies[client as usize].load(SeqCst)) };
//!             history.call(client, Read, read).await;
//!         });
//!     }
//!     clients.join_all().await;
//!     history.check(Register::new(0));
//! });
//! let failure = report.failure.expect("the copies are not one register");
//! assert!(failure.message.contains("not linearizable"), "{failure}");
//! ```
//!
//! Histories that come from elsewhere are made with [`History`], and decided by [`check`] or a [`Checker`]; how that
//! works, and what it costs, is told by the crate `sim-history`, whose items these are.

use crate::{check::FailureKind, context};
pub use sim_history::{
    Call, CallId, Checker, End, Event, History, Illegal, Model, Verdict, check, models,
};
use std::{
    fmt,
    future::Future,
    panic::Location,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Records calls while they take place.
///
/// Clones record into the same history. It can be used outside of a simulation as well, by many threads; what is
/// recorded there differs from run to run.
///
/// Recording is no scheduling point: the schedules of a test are the same with and without it.
pub struct Recorder<Op, Ret> {
    history: Arc<Mutex<History<Op, Ret>>>,
    /// Where times are counted from outside of a simulation.
    start: std::time::Instant,
}

/// What the caller knows of a call that came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<Ret> {
    /// It took effect, and this was its answer.
    Returned(Ret),
    /// It may have taken effect, may still do so, or never: a timeout, a connection that was lost.
    Unknown,
    /// It did not take effect, and will not: a request that was refused.
    Never,
}

/// What a future gives that stands for a call: the answer itself, or a `Result`, of which every error is taken for
/// [`Seen::Unknown`]. An elapsed [`timeout`](crate::time::timeout) is such an error.
pub trait Answer<Ret> {
    /// What the caller knows then.
    fn seen(&self) -> Seen<Ret>;
}

impl<Ret: Clone> Answer<Ret> for Ret {
    fn seen(&self) -> Seen<Ret> {
        Seen::Returned(self.clone())
    }
}

impl<Ret: Clone, E> Answer<Ret> for Result<Ret, E> {
    fn seen(&self) -> Seen<Ret> {
        self.as_ref().map_or(Seen::Unknown, |ret| Seen::Returned(ret.clone()))
    }
}

impl<Op, Ret> Recorder<Op, Ret> {
    /// A recorder that has recorded nothing.
    #[allow(clippy::new_without_default)] // a recorder is shared, and a default would look like a value
    pub fn new() -> Recorder<Op, Ret> {
        Recorder { history: Arc::default(), start: std::time::Instant::now() }
    }

    /// Does what `future` does, as the call of `op` by `client`: it begins when it is polled first, and ends when
    /// `future` does.
    ///
    /// If `future` gives an error, panics or is dropped before it ends, the call stays open: it may have taken effect, may
    /// still do so, or never. So both `timeout(limit, history.call(…))` and `history.call(…, timeout(limit, …))`
    /// are right.
    ///
    /// ```
    /// use sim::{history::{Recorder, models::{Counter, CounterOp, CounterRet}}, time::timeout};
    /// use std::{future, time::Duration};
    ///
    /// # sim::runtime::Runtime::new().unwrap().block_on(async {
    /// let history = Recorder::new();
    /// let lost = timeout(Duration::from_secs(1), future::pending::<CounterRet>());
    /// assert!(history.call("ann", CounterOp::Add(1), lost).await.is_err());
    /// // It was counted all the same.
    /// history.call("ann", CounterOp::Get, async { CounterRet::Value(1) }).await;
    /// history.check(Counter);
    /// # });
    /// ```
    pub async fn call<T: Answer<Ret>>(
        &self,
        client: impl ToString,
        op: Op,
        future: impl Future<Output = T>,
    ) -> T {
        self.call_as(client, op, future, T::seen).await
    }

    /// As [`call`](Recorder::call), with the task that runs as the client: `main`, or `main/0` for the first that it
    /// spawned. Outside of a simulation it is the thread's name.
    pub async fn call_here<T: Answer<Ret>>(&self, op: Op, future: impl Future<Output = T>) -> T {
        self.call(here(), op, future).await
    }

    /// As [`call`](Recorder::call), where `seen` tells what the caller knows when `future` has ended: for results of
    /// other types, and errors that say that nothing was done.
    ///
    /// ```
    /// use sim::history::{Recorder, Seen, models::{KeyValue, KvOp, KvRet}};
    ///
    /// #[derive(Debug)]
    /// enum Error {
    ///     Refused,
    ///     Lost,
    /// }
    ///
    /// async fn put(key: &str, value: u32) -> Result<(), Error> {
    ///     Err(if value > 9 { Error::Refused } else { Error::Lost })
    /// }
    ///
    /// # sim::runtime::Runtime::new().unwrap().block_on(async {
    /// let history = Recorder::new();
    /// let result = history.call_as("ann", KvOp::Put("x", 10), put("x", 10), |result| match result {
    ///     Ok(()) => Seen::Returned(KvRet::Done),
    ///     Err(Error::Refused) => Seen::Never,
    ///     Err(Error::Lost) => Seen::Unknown,
    /// });
    /// assert!(result.await.is_err());
    /// history.check(KeyValue::new());
    /// # });
    /// ```
    pub async fn call_as<T>(
        &self,
        client: impl ToString,
        op: Op,
        future: impl Future<Output = T>,
        seen: impl FnOnce(&T) -> Seen<Ret>,
    ) -> T {
        // The call is named before the lock is taken: what names it may be anything.
        let client = client.to_string();
        let call = self.now().invoke(client, op);
        let output = future.await;
        match seen(&output) {
            Seen::Returned(ret) => self.now().respond(call, ret),
            Seen::Never => self.now().never(call),
            Seen::Unknown => {}
        }
        output
    }

    /// Checks what has been recorded so far, with the budget of [`Checker::new`].
    ///
    /// If it is not linearizable a run fails as [`FailureKind::Assertion`], with the report
    /// of [`Illegal`]: the shortest part of the history that no order of its calls explains. So it does if the budget did
    /// not suffice: a test that decided nothing has not passed. [`verdict`](Recorder::verdict) leaves it to the caller.
    ///
    /// # Panics
    ///
    /// Outside of a simulation, where a run would fail.
    #[track_caller]
    pub fn check<M: Model<Op = Op, Ret = Ret>>(&self, model: M) {
        let site = Location::caller();
        let message = match self.verdict(&Checker::new(), model) {
            Verdict::Ok => return,
            Verdict::Illegal(illegal) => format!("the history checked at {site} is {illegal}"),
            Verdict::Unknown { steps } => format!(
                "the history checked at {site} is undecided: {steps} steps did not suffice to say whether it is \
                 linearizable; give the checker a greater budget, or make fewer calls at once"
            ),
        };
        match context::running() {
            Some(world) => {
                world.fail(FailureKind::Assertion, message);
                world.leave();
            }
            None => panic!("{message}"),
        }
    }

    /// What the checker says of that which has been recorded so far.
    pub fn verdict<M: Model<Op = Op, Ret = Ret>>(&self, checker: &Checker, model: M) -> Verdict {
        checker.check(&model, &self.lock())
    }

    /// What has been recorded so far.
    pub fn history(&self) -> History<Op, Ret>
    where
        Op: Clone,
        Ret: Clone,
    {
        self.lock().clone()
    }

    /// The history, at the present time.
    fn now(&self) -> MutexGuard<'_, History<Op, Ret>> {
        let now = match context::running() {
            Some(world) => Duration::from_nanos(world.now_ns()),
            None => self.start.elapsed(),
        };
        let mut history = self.lock();
        history.advance_to(now);
        history
    }

    /// No scheduling point comes while it is held.
    fn lock(&self) -> MutexGuard<'_, History<Op, Ret>> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Op, Ret> Clone for Recorder<Op, Ret> {
    fn clone(&self) -> Recorder<Op, Ret> {
        Recorder { history: self.history.clone(), start: self.start }
    }
}

impl<Op, Ret> fmt::Debug for Recorder<Op, Ret> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("calls", &self.lock().calls().len()).finish()
    }
}

/// What the running task or thread is called.
fn here() -> String {
    match context::running() {
        Some(world) => world.task_path(world.current_id().unwrap_or(0)),
        None => std::thread::current().name().unwrap_or("a thread").to_string(),
    }
}
