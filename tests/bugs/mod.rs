//! The small concurrency bugs of this field, ported: from benchmarks, papers, and issue trackers.
//!
//! Each program is the mistake alone, in words and code of our own, with its source, its class, how it
//! fails, and what a scheduler has to do to show it. [`PORTED`] lists all. Where the correction is short
//! it stands beside the mistake, and has to pass under every schedule.

use crate::Main;
use sim::{
    FailureKind,
    std::{
        sync::{Mutex, MutexGuard},
        thread,
    },
    task::JoinHandle,
};
use std::{fmt, panic::resume_unwind, sync::PoisonError};

mod asyncio;
mod go_order;
mod goker;
mod lock_free;
mod page;
mod papers;
mod races;
mod sctbench;
mod tokio;

pub use page::page;

/// A bug of another project, ported.
#[derive(Clone, Copy)]
pub struct Ported {
    /// What went wrong in it, or what its benchmark calls it.
    pub name: &'static str,
    /// The file of this folder that holds it.
    pub family: &'static str,
    /// The benchmark, paper or issue it comes from.
    pub source: &'static str,
    /// Whether it is made of threads, and not of tasks.
    pub of_threads: bool,
    /// The mistake.
    pub class: Class,
    /// The least number of times that a running task has to be interrupted where it could have gone on.
    /// None is needed if the order in which tasks start or wake is enough.
    pub preemptions: usize,
    /// Whether a task or a future has to be cancelled.
    pub cancellation: bool,
    /// How a run fails that shows the bug.
    pub kind: FailureKind,
    /// What the failure's message holds.
    pub words: &'static str,
    /// Starts the program.
    pub main: fn() -> Main,
    /// Starts the corrected program.
    pub fixed: Option<fn() -> Main>,
}

impl Ported {
    /// Whether another task has to come between two operations of one poll. A runtime with one worker,
    /// and a simulation that switches only where a poll is pending, never shows such a bug.
    pub fn needs_switch_in_poll(&self) -> bool {
        self.preemptions > 0
    }

    /// Why it is not found, or not always, if it is one of [`UNSEEN`] or [`SELDOM`].
    pub fn missed(&self) -> Option<&'static str> {
        let mut missed = UNSEEN.iter().chain(SELDOM);
        missed.find(|(name, _)| *name == self.name).map(|(_, reason)| *reason)
    }
}

/// Classes of mistakes, after Lu et al., *Learning from Mistakes* (ASPLOS 2008), and what async adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Steps that belong together are interleaved with another's.
    Atomicity,
    /// One thing is taken to happen before another, and need not.
    Order,
    /// Accesses to plain memory that nothing orders.
    DataRace,
    /// Some wait for each other.
    Deadlock,
    /// A signal comes when nobody listens, or goes to the wrong one.
    LostWakeup,
    /// What was dropped in the middle leaves something half done.
    Cancellation,
    /// A failure that nobody looks at.
    Swallowed,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Class::Atomicity => "atomicity",
            Class::Order => "order",
            Class::DataRace => "data race",
            Class::Deadlock => "deadlock",
            Class::LostWakeup => "lost wakeup",
            Class::Cancellation => "cancellation",
            Class::Swallowed => "swallowed",
        })
    }
}

/// Programs whose bug no schedule of today shows, and why.
pub const UNSEEN: &[(&str, &str)] = &[
    ("store_buffer", "atomics take place one after the other, whatever their order"),
    ("message_passed_relaxed", "atomics take place one after the other, whatever their order"),
];

/// Programs that the default strategy does not find within 10,000 runs from each base seed, and why.
pub const SELDOM: &[(&str, &str)] = &[
    ("safestack", "it takes three threads and five preemptions at the right steps"),
    ("reused_node", "a thread has to wait between two steps while another pops, pops and pushes"),
];

/// All programs, family by family.
pub const PORTED: &[&[Ported]] = &[
    sctbench::PORTED,
    lock_free::PORTED,
    races::PORTED,
    papers::PORTED,
    goker::PORTED,
    go_order::PORTED,
    tokio::PORTED,
    asyncio::PORTED,
];

/// All programs.
pub fn ported() -> impl Iterator<Item = &'static Ported> {
    PORTED.iter().copied().flatten()
}

/// What starts a program: one of threads runs on the main thread of the run.
macro_rules! start {
    (tasks $program:expr) => {
        || Box::pin($program())
    };
    (threads $program:expr) => {
        || Box::pin(async { $program() })
    };
}

/// Lists the programs of a family:
///
/// ```text
/// "family";
/// name: tasks(function) fixed(function),
///     Class, preemptions 1 and cancellation, Kind "words of the message", "source";
/// ```
macro_rules! family {
    ($family:literal; $($name:ident: $how:ident($program:expr) $(fixed($fixed:expr))?,
        $class:ident, preemptions $preemptions:literal $(and $cancellation:ident)?,
        $kind:ident $words:literal, $source:literal;)*) => {
        /// The programs of this family.
        pub(super) const PORTED: &[$crate::ported::Ported] = &[$($crate::ported::Ported {
            name: stringify!($name),
            family: $family,
            source: $source,
            of_threads: matches!(stringify!($how).as_bytes(), b"threads"),
            class: $crate::ported::Class::$class,
            preemptions: $preemptions,
            cancellation: {
                let words: &[&str] = &[$(stringify!($cancellation))?];
                !words.is_empty()
            },
            kind: sim::FailureKind::$kind,
            words: $words,
            main: $crate::ported::start!($how $program),
            fixed: {
                let fixed: &[fn() -> $crate::Main] = &[$($crate::ported::start!($how $fixed))?];
                fixed.first().copied()
            },
        }),*];
    };
}

use {family, start};

/// Waits for tasks, and passes their panics on.
async fn join_all<T: 'static>(tasks: impl IntoIterator<Item = JoinHandle<T>>) -> Vec<T> {
    let mut outputs = Vec::new();
    for task in tasks {
        outputs.push(task.await.unwrap());
    }
    outputs
}

/// Runs each body in a thread of its own, and passes their panics on, of the first first.
#[track_caller]
fn in_threads(bodies: &[&(dyn Fn() + Sync)]) {
    thread::scope(|scope| {
        let threads: Vec<_> = bodies.iter().map(|body| scope.spawn(body)).collect();
        for thread in threads {
            if let Err(panic) = thread.join() {
                resume_unwind(panic);
            }
        }
    });
}

/// Locks; that another thread panicked is told by its own panic.
#[track_caller]
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
