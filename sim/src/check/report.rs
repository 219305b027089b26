//! What a check tells: how many runs, and the first failure with all that is needed to act on it.

use crate::world::Fault;
use sim_choice::{Seed, Tape};
use std::{fmt, time::Duration};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FailureKind {
    /// The test's own future panicked.
    Panic,
    /// The test returned an error.
    Error,
    /// Nothing can go on any more, and no timer is armed.
    Deadlock,
    /// Virtual time does not move while tasks spin.
    Livelock,
    /// A task panicked and nobody looked at its handle.
    SwallowedPanic,
    /// A task returned an error and nobody looked at its handle.
    SwallowedError,
    /// A task outlived the test and held a lock or permit.
    LeakedTask,
    /// A permit that can never be given back.
    LeakedPermit,
    /// A poll that blocked its worker.
    BlockedPoll,
    /// Two locks were taken in both orders.
    LockOrder,
    /// The program reached out of the simulation.
    Escape,
    /// A property of the test did not hold.
    Assertion,
    /// An injected fault was ignored.
    IgnoredFault,
    /// Two tasks accessed a [`Shared`](crate::std::cell::Shared) value, and nothing orders them.
    DataRace,
    /// Two runs of one seed differed.
    Nondeterminism,
    /// The run took more virtual time than allowed.
    TimeLimit,
    /// The run took more steps than allowed.
    StepLimit,
    /// A stack overflowed.
    StackOverflow,
    /// The program aborted: by a call, or by a panic while another unwound.
    Abort,
    /// The simulation could not start: a setting, a tape or the place of the call is wrong.
    Setup,
}

/// The first failure of a check.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failure {
    /// The seed of the run that failed; it alone reproduces the run.
    pub seed: Seed,
    /// What went wrong.
    pub kind: FailureKind,
    /// The panic's message, or what the oracle has to say.
    pub message: String,
    /// Virtual time since the start of the run.
    pub at: Duration,
    /// The task that failed, by its spawn path, such as `main/2`.
    pub task: Option<String>,
    /// Where that task was spawned: file, line and column.
    pub spawned_at: Option<String>,
    /// All choices of the run.
    pub tape: Tape,
    /// The fewest choices that still fail the same way, if they were looked for.
    pub minimal: Option<Tape>,
    /// The strategy of the run.
    pub strategy: String,
    pub(crate) trace: Vec<String>,
    pub(crate) rerun: String,
}

/// What a check did and found.
///
/// Printing it shows what failed, when, in which task, and last the line that runs it again.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Runs, the failing one included.
    pub runs: u64,
    /// Steps (polls and scheduling points) of all runs.
    pub steps: u64,
    /// The first failure, in the order of the seeds.
    pub failure: Option<Failure>,
    /// Findings of lints that only warn, each once.
    pub warnings: Vec<String>,
}

/// How a test's output tells whether it passed.
///
/// Implemented for `()`, for `!`, and for `Result<(), E>` with any `E: Debug`.
pub trait Outcome {
    /// The error, as text.
    fn error(self) -> Option<String>;
}

impl Outcome for () {
    fn error(self) -> Option<String> {
        None
    }
}

/// A test that ends in `panic!` or in a loop returns the type `!`, which stable Rust only names by
/// way of a function's output.
#[doc(hidden)]
#[allow(unnameable_types)]
pub trait Returns {
    #[doc(hidden)]
    type Output;
}

impl<T> Returns for fn() -> T {
    type Output = T;
}

impl Outcome for <fn() -> ! as Returns>::Output {
    fn error(self) -> Option<String> {
        match self {}
    }
}

impl<T: Outcome, E: fmt::Debug> Outcome for Result<T, E> {
    fn error(self) -> Option<String> {
        match self {
            Ok(value) => value.error(),
            Err(error) => Some(format!("{error:?}")),
        }
    }
}

impl Failure {
    pub(crate) fn new(fault: Fault, tape: Tape, rerun: String) -> Failure {
        Failure {
            seed: tape.seed,
            kind: fault.kind,
            message: fault.message,
            at: Duration::from_nanos(fault.at_ns),
            task: fault.task,
            spawned_at: fault.spawned_at,
            strategy: tape.strategy.to_string(),
            tape,
            minimal: None,
            trace: Vec::new(),
            rerun,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        match &self.failure {
            None => write!(f, "passed {} runs, {} steps", self.runs, self.steps),
            Some(failure) => {
                writeln!(f, "failed in run {}", self.runs)?;
                write!(f, "{failure}")
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}: {}", self.kind, self.message)?;
        write!(f, "  at {:?} of virtual time", self.at)?;
        if let Some(task) = &self.task {
            write!(f, ", in task {task}")?;
        }
        if let (Some(site), Some(_)) =
            (&self.spawned_at, self.task.as_ref().filter(|task| *task != "main"))
        {
            write!(f, ", spawned at {site}")?;
        }
        writeln!(f)?;
        writeln!(
            f,
            "  seed {}, strategy {}: {} choices, {} context switches, {} preemptions",
            self.seed,
            self.strategy,
            self.tape.choices(),
            self.tape.context_switches(),
            self.tape.preemptions(),
        )?;
        if !self.trace.is_empty() {
            writeln!(f, "  the last events:")?;
            for line in &self.trace {
                writeln!(f, "    {line}")?;
            }
        }
        write!(f, "run it again: {}", self.rerun)
    }
}
