//! What a check tells: how many runs, and the first failure with all that is needed to act on it.

use crate::{PropertyCount, faults::FaultCount, world::Fault};
use sim_choice::{Seed, Tape, exhaustive::Progress};
use std::{fmt, path::PathBuf, time::Duration};

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
    /// A task outlived the test and waits for messages that only tasks could send which wait themselves.
    LeakedReceiver,
    /// A task was aborted while it held a lock whose value it had changed.
    AbortedGuard,
    /// A poll that does not end keeps ready tasks of its runtime from running.
    StarvedTask,
    /// Others took again and again what somebody waited for.
    UnfairWait,
    /// A poll that blocked its worker.
    BlockedPoll,
    /// Two locks were taken in both orders.
    LockOrder,
    /// The program reached out of the simulation.
    Escape,
    /// A property of the test did not hold.
    Assertion,
    /// No run of a check came to what a property says that one should.
    UnreachedProperty,
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
    /// The file that the tape was written to, for `SIM_TAPE`; only that of a check with a name is.
    pub tape_file: Option<PathBuf>,
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
    /// The name of the test, if it has one.
    pub name: Option<String>,
    /// Runs, the failing one included.
    pub runs: u64,
    /// Steps (polls and scheduling points) of all runs.
    pub steps: u64,
    /// The first failure, in the order of the seeds.
    pub failure: Option<Failure>,
    /// Findings of lints that only warn, each once.
    pub warnings: Vec<String>,
    /// How different the runs were.
    pub classes: Classes,
    /// The properties that the check answers for, in the order of their names, with what its runs counted.
    pub properties: Vec<PropertyCount>,
    /// The faults that its runs had, the failing one included; see [`faults`](crate::faults).
    pub faults: Vec<FaultCount>,
    /// Of an exhaustive search: how far it came.
    pub exhaustive: Option<Progress>,
}

/// How many different runs there were, and how likely the next is to be new: when to stop.
///
/// Two runs that differ only in the order of steps which do not touch each other are of one class (a
/// Mazurkiewicz trace). Runs are counted whose class is known: one in sixteen at least, and all whose strategy
/// looks at them anyway. What a program draws at random makes no class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Classes {
    /// Runs whose class is known.
    pub runs: u64,
    /// Different classes among them.
    pub distinct: u64,
    /// Good and Turing's estimate of how likely the next run is to be of a class that was not seen, in
    /// thousandths: the share of the runs that are the only ones of their class (I. J. Good, "The population
    /// frequencies of species and the estimation of population parameters", Biometrika 1953).
    pub unseen_per_mille: u64,
}

impl Classes {
    pub(crate) fn count(mut classes: Vec<u64>) -> Classes {
        classes.sort_unstable();
        let groups = || classes.chunk_by(|one, other| one == other);
        let single = groups().filter(|group| group.len() == 1).count() as u64;
        let runs = classes.len() as u64;
        Classes {
            runs,
            distinct: groups().count() as u64,
            unseen_per_mille: (1000 * single).checked_div(runs).unwrap_or(0),
        }
    }
}

impl fmt::Display for Classes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Classes { runs, distinct, unseen_per_mille } = *self;
        let (whole, tenth) = (unseen_per_mille / 10, unseen_per_mille % 10);
        write!(
            f,
            "{distinct} different schedules in {runs} runs looked at; the next is new with {whole}.{tenth} %"
        )
    }
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
            tape_file: None,
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
        if !self.faults.is_empty() {
            write!(f, "faults, injected and with effect:")?;
            for (nth, FaultCount { kind, injected, effective }) in self.faults.iter().enumerate() {
                let comma = if nth > 0 { "," } else { "" };
                write!(f, "{comma} {kind} {injected}/{effective}")?;
            }
            writeln!(f)?;
        }
        match &self.failure {
            None => {
                write!(f, "passed {} runs, {} steps", self.runs, self.steps)?;
                if let Some(progress) = &self.exhaustive {
                    return write!(f, "; {progress}");
                }
                match self.classes.runs {
                    0 => Ok(()),
                    _ => write!(f, "; {}", self.classes),
                }
            }
            Some(failure) => {
                write!(f, "failed in run {}", self.runs)?;
                match &self.exhaustive {
                    Some(progress) => writeln!(f, ", {} classes explored", progress.classes)?,
                    None => writeln!(f)?,
                }
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

#[cfg(test)]
mod tests {
    use super::Classes;

    #[test]
    fn classes_that_were_seen_once_are_the_estimate() {
        let classes = Classes::count(vec![7, 1, 7, 2, 7, 3, 3, 9]);
        assert_eq!((classes.runs, classes.distinct, classes.unseen_per_mille), (8, 5, 375));
        assert_eq!(
            classes.to_string(),
            "5 different schedules in 8 runs looked at; the next is new with 37.5 %"
        );
        assert_eq!(Classes::count(Vec::new()), Classes::default());
    }
}
