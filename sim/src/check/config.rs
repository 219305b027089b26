//! How a test is run: seeds, strategy, limits, lints.

use super::{Level, Lints, env};
use crate::{faults::Faults, world::Limits};
use sim_choice::{Seed, Strategy};
use sim_sys::fiber::Patience;
use std::{fmt, time::Duration};

/// How [`check`](super::check) runs a test.
///
/// The methods can be chained. A mistake in one (an unknown strategy, zero seeds) is kept and
/// told when the check starts, with the operand and what is allowed.
///
/// ```
/// let report = sim::check(sim::Config::new().seeds(20), || async {
///     sim::time::sleep(std::time::Duration::from_secs(3600)).await;
/// });
/// assert_eq!(report.runs, 20);
/// assert!(report.failure.is_none());
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) name: Option<String>,
    pub(crate) seed: Seed,
    pub(crate) fresh: bool,
    /// Exactly this seed, one run.
    pub(crate) single: Option<Seed>,
    pub(crate) seeds: u64,
    pub(crate) strategy: Strategy,
    /// Of an exhaustive search: the bound on preemptions, and how many schedules are run at most.
    pub(crate) preemptions: Option<u32>,
    pub(crate) schedules: u64,
    pub(crate) limits: Limits,
    pub(crate) jobs: usize,
    pub(crate) recheck: u64,
    pub(crate) wall: Option<Duration>,
    pub(crate) tape: Option<std::path::PathBuf>,
    pub(crate) out: Option<std::path::PathBuf>,
    pub(crate) trace: bool,
    /// The environment has been applied, so that `SIM_SEED` runs a failure again.
    pub(crate) from_env: bool,
    pub(crate) error: Option<ConfigError>,
}

/// A setting that does not hold: what was given, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub(crate) String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Seeds of a test that does not say how many: well under a second for an ordinary test.
const SEEDS: u64 = 200;
/// One passing seed in so many is run twice.
const RECHECK: u64 = 64;
/// Steps of a run: a second or so of real time.
const MAX_STEPS: u64 = 10_000_000;
/// How often a wait may be overtaken by default.
const OVERTAKES: u32 = 1_000;
/// Steps without an idle moment: what a program does that waits for something at times, and much more.
const SPIN_LIMIT: u64 = 1_000_000;
/// Processor time without a scheduling point: only what hangs needs so much.
const POLL_LIMIT: Duration = Duration::from_secs(60);
/// What a poll may take before it is told: a thousand times what tokio advises.
const POLL_WARNING: Duration = Duration::from_secs(1);
/// Virtual time of a run: a hundred years. What never ends passes the limit of steps before.
const TIME_LIMIT: Duration = Duration::from_secs(100 * 365 * 86_400);
/// As tokio's worker threads have; only what is touched takes memory.
const STACK_SIZE: usize = 2 << 20;
/// What `#[tokio::main]` gives on a small machine.
const WORKERS: u32 = 4;

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Config {
    /// 200 seeds derived from the base seed 0, the default strategy, 4 workers, 100 virtual years,
    /// 10 million steps.
    pub fn new() -> Config {
        Config {
            name: None,
            seed: Seed(0),
            fresh: false,
            single: None,
            seeds: SEEDS,
            strategy: Strategy::default(),
            preemptions: None,
            schedules: u64::MAX,
            limits: Limits {
                workers: WORKERS,
                multi_thread: false,
                local: false,
                runtime_name: None,
                max_steps: MAX_STEPS,
                spin_limit: SPIN_LIMIT,
                overtakes: OVERTAKES,
                patience: Patience { slow: POLL_WARNING, limit: POLL_LIMIT },
                time_limit_ns: TIME_LIMIT.as_nanos() as u64,
                stack_size: STACK_SIZE,
                start_paused: false,
                stalls: false,
                faults: Faults::none(),
                lints: Lints::default(),
            },
            jobs: 1,
            recheck: RECHECK,
            wall: None,
            tape: None,
            out: None,
            trace: false,
            from_env: false,
            error: None,
        }
    }

    /// As [`new`](Config::new), changed by the `SIM_*` variables of the environment.
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `SIM_SEED` | one run, with exactly this seed (`0x2a` or `42`) |
    /// | `SIM_SEEDS` | how many seeds |
    /// | `SIM_FRESH=1` | a base seed from the machine, printed when a run fails |
    /// | `SIM_STRATEGY` | see [`strategy`](Config::strategy) |
    /// | `SIM_TAPE` | a file with a tape to replay |
    /// | `SIM_TIME` | go on with new seeds for so long in real time (`30s`, `10m`); at most so long with an exhaustive search |
    /// | `SIM_JOBS` | threads that run seeds |
    /// | `SIM_ALLOW`, `SIM_WARN`, `SIM_DENY` | lints, separated by commas, or `all` |
    /// | `SIM_FAULTS` | `none`, `moderate` or `swarm`, see [`faults`](Config::faults) |
    /// | `SIM_TRACE=1` | print the whole trace of a failing run |
    /// | `SIM_OUT` | a folder for reports as JSON, tapes of failures, and searches that were ended (default `target/sim`) |
    pub fn from_env() -> Config {
        Config::new().with_env()
    }

    pub(crate) fn with_env(mut self) -> Config {
        self.from_env = true;
        if let Err(error) = env::apply(&mut self, &|name| std::env::var(name).ok()) {
            self.error.get_or_insert(error);
        }
        self
    }

    /// The base seed, from which those of the runs derive. Default 0.
    pub fn seed(mut self, seed: u64) -> Config {
        self.seed = Seed(seed);
        self
    }

    /// Exactly one run, with exactly this seed: what a failure's last line names.
    pub fn only_seed(mut self, seed: u64) -> Config {
        self.single = Some(Seed(seed));
        self
    }

    /// How many runs, each with a seed of its own; at least 1. Default 200.
    pub fn seeds(mut self, seeds: u64) -> Config {
        self.seeds = seeds;
        if seeds == 0 {
            self.mistake("seeds: 0 runs would show nothing; allowed is 1 or more".into());
        }
        self
    }

    /// The strategy that picks among ready tasks:
    ///
    /// | name | who runs next |
    /// |---|---|
    /// | `random` | each ready task is equally likely |
    /// | `sticky` | as random, but a running task is rarely interrupted |
    /// | `pct` | the task of the highest priority; priorities change at a few points |
    /// | `pos` | the step of the highest priority; it is drawn anew for steps that race |
    /// | `urw` | a task is as likely as many steps it has still to take |
    /// | `surw` | as urw, over the steps on some objects only |
    /// | `lockstep` | all tasks go on until each stands before a step on some objects |
    /// | `portfolio` | one of these, by the seed: the default |
    /// | `calm` | first come, first served; no preemption: each run is the same |
    /// | `exhaustive` | see [`exhaustive`](Config::exhaustive) |
    ///
    /// `pct`, `urw`, `surw`, `lockstep` and `portfolio` count by what the first two runs of a check have shown.
    /// The seeds of those are the same in every check, so that a seed still reproduces its run alone: the two
    /// are repeated before it, unless its strategy needs them not. A check of one run ([`seeds`](Config::seeds))
    /// has nothing to count by and repeats nothing.
    pub fn strategy(mut self, name: &str) -> Config {
        match name.parse() {
            Ok(strategy) => self.strategy = strategy,
            Err(error) => self.mistake(format!("strategy: {error}")),
        }
        self
    }

    /// Runs every schedule of a small test, up to equivalence: of the schedules that differ only in the order of steps
    /// which do not touch each other one is run. A step goes from one scheduling point to the next.
    ///
    /// The choices of `select!`, of cancellation and the like are gone through too; time passes when nothing can go on,
    /// and each task has a worker, unless there is one worker for all. A failure is replayed by its tape: no seed
    /// names it. A search that is ended by `SIM_TIME` or by [`schedules`](Config::schedules) goes on from a file in
    /// `SIM_OUT` when the test is run again.
    ///
    /// Steps that touch each other by what is not of `sim` (an atomic of std, say) look independent: such races
    /// may be missed.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use sim::sync::Mutex;
    ///
    /// let report = sim::check(sim::Config::new().exhaustive(true), || async {
    ///     let count = Arc::new(Mutex::new(0));
    ///     let tasks = [0; 3].map(|_| {
    ///         let count = count.clone();
    ///         sim::spawn(async move { *count.lock().await += 1 })
    ///     });
    ///     for task in tasks {
    ///         task.await.unwrap();
    ///     }
    ///     assert_eq!(*count.lock().await, 3);
    /// });
    /// assert!(report.failure.is_none());
    /// assert_eq!(report.exhaustive.unwrap().to_string(), "all 6 classes explored");
    /// ```
    pub fn exhaustive(mut self, exhaustive: bool) -> Config {
        self.strategy = if exhaustive { Strategy::Exhaustive } else { Strategy::default() };
        self
    }

    /// Bounds an exhaustive search to schedules with at most so many preemptions: switches away from a task that
    /// could have gone on. Most bugs need one or two. Default: any number.
    pub fn preemptions(mut self, preemptions: u32) -> Config {
        self.preemptions = Some(preemptions);
        self
    }

    /// Ends an exhaustive search after so many schedules; the next check of the same test goes on from there.
    /// Default: any number.
    pub fn schedules(mut self, schedules: u64) -> Config {
        if schedules == 0 {
            self.mistake("schedules: 0 would show nothing; allowed is 1 or more".into());
        }
        self.schedules = schedules;
        self
    }

    /// How many tasks may be in the middle of a poll at once; 1 is tokio's current-thread runtime,
    /// whose tasks interleave only where a poll is pending. Default 4.
    pub fn workers(mut self, workers: usize) -> Config {
        match u32::try_from(workers) {
            Ok(workers @ 1..) => self.limits.workers = workers,
            _ => self.mistake(format!("workers: {workers} is out of range; allowed is 1 or more")),
        }
        self
    }

    /// One worker, as tokio's current-thread runtime has it.
    pub fn current_thread(self) -> Config {
        self.workers(1)
    }

    /// As tokio's multi-threaded runtime: the clock cannot be paused.
    pub fn multi_thread(mut self) -> Config {
        self.limits.multi_thread = true;
        self
    }

    /// One worker, as tokio's local runtime has it: it takes tasks that are not `Send`.
    pub fn local(mut self) -> Config {
        self.limits.local = true;
        self.workers(1)
    }

    /// The name that the runtime's handle gives.
    #[doc(hidden)]
    pub fn runtime_name(mut self, name: &str) -> Config {
        self.limits.runtime_name = Some(name.into());
        self
    }

    /// Virtual time after which a run fails with `TimeLimit`. Default 100 years.
    pub fn time_limit(mut self, limit: Duration) -> Config {
        self.limits.time_limit_ns = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        self
    }

    /// As [`time_limit`](Config::time_limit), from text such as `90s` or `1h`.
    #[doc(hidden)]
    pub fn time_limit_str(mut self, limit: &str) -> Config {
        match env::duration(limit) {
            Ok(limit) => self = self.time_limit(limit),
            Err(error) => self.mistake(format!("time_limit: {error}")),
        }
        self
    }

    /// Steps (polls and scheduling points) after which a run fails with `StepLimit`, or with `Livelock` if the
    /// last of them are more than [`spin_limit`](Config::spin_limit). The message names the tasks that took
    /// most of the last steps, and where. Default 10 million.
    pub fn max_steps(mut self, steps: u64) -> Config {
        self.limits.max_steps = steps;
        self
    }

    /// Steps in which the run was never idle, so that the clock did not go to a timer, after which tasks may be
    /// found to spin: as many for each of the tasks that do. Fewer than 100,000 count as so many. Default 1 million.
    ///
    /// They are if no timer is armed and they do nothing but yield, read and be polled for another 10,000 steps:
    /// then nothing will ever change, and the run fails with `Livelock`. The message names the tasks and where
    /// they spin. Tasks that take locks or send messages meanwhile may come to an end yet: they go on until
    /// [`max_steps`](Config::max_steps). So do those that look at the clock, which moves while they are busy.
    ///
    /// ```
    /// use sim::{FailureKind, task::yield_now};
    /// use std::sync::{Arc, atomic::{AtomicBool, Ordering::SeqCst}};
    ///
    /// let report = sim::check(sim::Config::new(), || async {
    ///     let ready = Arc::new(AtomicBool::new(false));
    ///     let task = sim::spawn(async move {
    ///         while !ready.load(SeqCst) {
    ///             yield_now().await; // Nobody sets it.
    ///         }
    ///     });
    ///     task.await.unwrap();
    /// });
    /// let failure = report.failure.unwrap();
    /// assert_eq!(failure.kind, FailureKind::Livelock);
    /// assert!(failure.message.contains("task main/0 (spawned at"));
    /// ```
    pub fn spin_limit(mut self, steps: u64) -> Config {
        self.limits.spin_limit = steps;
        self
    }

    /// Processor time that a task may take without coming to a scheduling point; then the run fails with
    /// `BlockedPoll`. It is there for loops that would hang for ever, such as one that waits for an atomic of
    /// std: nothing else depends on the machine. Default 60 s.
    ///
    /// The task is cut off in the middle of what it does, and what it holds is leaked. On platforms whose
    /// fibers cannot be cut off (all but Linux on x86_64 and aarch64) such a loop hangs.
    pub fn poll_limit(mut self, limit: Duration) -> Config {
        self.limits.patience.limit = limit;
        self
    }

    /// As [`poll_limit`](Config::poll_limit), from text such as `90s` or `1h`.
    #[doc(hidden)]
    pub fn poll_limit_str(mut self, limit: &str) -> Config {
        match env::duration(limit) {
            Ok(limit) => self = self.poll_limit(limit),
            Err(error) => self.mistake(format!("poll_limit: {error}")),
        }
        self
    }

    /// Processor time that a task may take without coming to a scheduling point; then the lint `blocked_poll` warns of
    /// it, with the last operation before and the place that it came to after. Default 1 s.
    ///
    /// How long it takes depends on the machine: so it is only told, also where the lint is denied, and nothing else
    /// of the run depends on it. On platforms other than Linux on x86_64 and aarch64 nothing is told.
    pub fn poll_warning(mut self, time: Duration) -> Config {
        self.limits.patience.slow = time;
        self
    }

    /// Bytes of the stack that each poll in flight and each thread runs on. Default 2 MiB.
    pub fn stack_size(mut self, bytes: usize) -> Config {
        self.limits.stack_size = bytes;
        self
    }

    /// Starts with the clock paused, as tokio's `start_paused`: it then moves only when nothing can run.
    pub fn start_paused(mut self, paused: bool) -> Config {
        self.limits.start_paused = paused;
        self
    }

    /// Lets the machine stand still now and then, until a timer that is waited for is due: so that any
    /// `timeout`, or sleep in a `select!`, may strike at any await of what it limits. Default no: a correct
    /// program may rely on a timeout of a second over work of a microsecond, and fails under it.
    ///
    /// ```
    /// use std::time::Duration;
    /// use sim::{sync::Mutex, time::timeout, task::yield_now};
    ///
    /// let test = || async {
    ///     let (from, to) = (Mutex::new(10), Mutex::new(0));
    ///     let transfer = async {
    ///         *from.lock().await -= 1;
    ///         yield_now().await;
    ///         *to.lock().await += 1;
    ///     };
    ///     let _ = timeout(Duration::from_secs(1), transfer).await;
    ///     assert_eq!(from.into_inner() + to.into_inner(), 10, "money was lost");
    /// };
    /// assert!(sim::check(sim::Config::new(), test).failure.is_none());
    /// assert!(sim::check(sim::Config::new().stalls(true), test).failure.is_some());
    /// ```
    pub fn stalls(mut self, stalls: bool) -> Config {
        self.limits.stalls = stalls;
        self
    }

    /// Which faults strike nodes and the links between them; see [`faults`](crate::faults). Default
    /// [`Faults::none`].
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let crashes = sim::Faults::none().crash(Duration::from_secs(5), Duration::from_secs(1));
    /// let report = sim::check(sim::Config::new().seeds(20).faults(crashes), || async {
    ///     let server = sim::node("server").start(|| std::future::pending::<()>());
    ///     sim::time::sleep(Duration::from_secs(60)).await;
    ///     sim::faults::stop();
    ///     assert!(server.is_running());
    /// });
    /// assert!(report.failure.is_none());
    /// assert!(report.faults[0].injected > 0, "{report}");
    /// ```
    pub fn faults(mut self, faults: Faults) -> Config {
        if let Some(mistake) = &faults.mistake {
            self.mistake(format!("faults: {mistake}"));
        }
        self.limits.faults = faults;
        self
    }

    /// As [`faults`](Config::faults), by the name of a preset.
    #[doc(hidden)]
    pub fn faults_named(self, name: &str) -> Config {
        match Faults::named(name) {
            Ok(faults) => self.faults(faults),
            Err(error) => {
                let mut config = self;
                config.mistake(format!("faults: {error}"));
                config
            }
        }
    }

    /// How often others may take a lock or permits while somebody waits who came before: the lint `unfair_wait` tells
    /// of waits that were overtaken more often. Default 1,000.
    ///
    /// tokio's locks and semaphores are fair, and never overtake. Those of std are not; there a loop that gives
    /// a lock back only to take it again keeps others out.
    pub fn overtakes(mut self, times: u32) -> Config {
        self.limits.overtakes = times;
        self
    }

    /// The level of a lint, or of `all`. A lint that warns says its finding in [`Report::warnings`](crate::Report::warnings); one that is
    /// denied fails the run.
    ///
    /// | lint | level | what is found |
    /// |---|---|---|
    /// | `swallowed_panic` | deny | a task panicked and nobody looked at its handle |
    /// | `ignored_panic` | warn | a task panicked and the `JoinError` that says so was dropped without a look |
    /// | `swallowed_error` | deny | a task returned an `Err` and nobody looked at its handle |
    /// | `escape` | deny | a thread, process, socket or file of the machine is reached for; see [`outside`](crate::outside) |
    /// | `nondeterminism` | deny | two runs of one seed differed |
    /// | `leaked_task` | warn | a task waits when main has ended, and holds a lock or permits |
    /// | `leaked_permit` | warn | a task waits for permits that were forgotten |
    /// | `leaked_receiver` | warn | a task waits for messages when main has ended, and who has the senders waits as well, for ever |
    /// | `aborted_guard` | warn | a task was aborted while it held a lock of [`sync`](crate::sync) whose value it had changed, and somebody took that lock later |
    /// | `starved_task` | warn | on a runtime with one worker a poll goes on for 64,000 steps and more while others are ready |
    /// | `unfair_wait` | warn | others took a lock or permits more than [`overtakes`](Config::overtakes) times while somebody waited who came before |
    /// | `blocked_poll` | warn | a sleep, park or receive of std's blocks a poll; a poll waits for a lock whose holder awaits or sleeps; a poll takes a second of processor time (never denied) |
    /// | `lock_order` | warn | two tasks that may overlap take two locks in both orders, in one run or in different runs |
    /// | `ignored_fault` | warn | a program goes on with a connection though it was told that a [fault](crate::faults) has reset it |
    /// | `unreached_property` | warn | no run came to what a property says that one should |
    ///
    /// Where a poll comes to no scheduling point within [`poll_limit`](Config::poll_limit) the run fails as
    /// `BlockedPoll` at any level.
    ///
    /// `aborted_guard` cannot know whether the change was whole when the task was aborted: where it always is, allow it.
    ///
    /// ```
    /// use sim::{Config, Level, sync::Mutex};
    /// use std::{sync::Arc, time::Duration};
    ///
    /// let config = Config::new().seeds(50).lint("aborted_guard", Level::Deny);
    /// let report = sim::check(config, || async {
    ///     let pair = Arc::new(Mutex::new((0, 0)));
    ///     let task = sim::spawn({
    ///         let pair = pair.clone();
    ///         async move {
    ///             let mut pair = pair.lock().await;
    ///             pair.0 += 1;
    ///             sim::time::sleep(Duration::from_secs(1)).await; // aborted here, the two differ
    ///             pair.1 += 1;
    ///         }
    ///     });
    ///     sim::time::sleep(Duration::from_millis(1)).await;
    ///     task.abort();
    ///     let _ = task.await;
    ///     drop(pair.lock().await);
    /// });
    /// assert_eq!(report.failure.unwrap().kind, sim::FailureKind::AbortedGuard);
    /// ```
    pub fn lint(mut self, name: &str, level: Level) -> Config {
        if let Err(error) = self.limits.lints.set(name, level) {
            self.mistake(format!("lint: {error}"));
        }
        self
    }

    /// Threads that run seeds, each a simulation of its own; at least 1. Default 1.
    pub fn jobs(mut self, jobs: usize) -> Config {
        self.jobs = jobs;
        if jobs == 0 {
            self.mistake("jobs: 0 threads run nothing; allowed is 1 or more".into());
        }
        self
    }

    /// One passing run in `n` is run twice, to see that it is the same; 0 is none. Default 64.
    pub fn recheck_every(mut self, n: u64) -> Config {
        self.recheck = n;
        self
    }

    /// A folder for the tapes of a named test's failures, and for searches that were ended. Default `target/sim`.
    pub fn out(mut self, folder: impl Into<std::path::PathBuf>) -> Config {
        self.out = Some(folder.into());
        self
    }

    /// The name of the test, for the line that runs a failure again.
    pub fn name(mut self, name: impl Into<String>) -> Config {
        self.name = Some(name.into());
        self
    }

    pub(crate) fn mistake(&mut self, message: String) {
        self.error.get_or_insert(ConfigError(message));
    }
}
