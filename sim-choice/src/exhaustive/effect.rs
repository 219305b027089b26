//! What a step does to an object, and which steps depend on each other.
//!
//! Two steps that do not depend on each other give the same state in either order, so only one order has to
//! be run. The finer this relation, the fewer runs; if it misses a dependence, runs are missed. Hence an object
//! whose kind the search does not know is read and written, and only locks are told apart.
//!
//! ```text
//!                 Read  Write  Queue  Take  Release
//!   Read           .      x      x     x      x        x  depends: both orders are run
//!   Write          x      x      x     x      x        .  does not
//!   Queue          x      x      x     -      .        >  comes before, but can never come after
//!   Take           x      x      -     x      <        -  never meet on one object
//!   Release        x      x      .     >      .        two shared ones of a kind do not depend either
//! ```
//!
//! *Queue* against *Release*: in a first-in first-out lock the order of the attempts alone decides who gets it
//! when. An attempt before the release waits, one after it is granted at once, and the state is the same. That a
//! granted lock comes after the releases it needed is told apart from the attempt, see
//! [`Explorer::granted`](super::Explorer::granted).

/// One access of a step to an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Touch {
    /// The object: the same number in all runs of a search.
    pub object: u64,
    /// What is done to it.
    pub effect: Effect,
}

/// What a step does to an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Effect {
    /// Looks at it: a load, a `try_lock` that failed.
    Read,
    /// Anything else that has no finer name: a store, a `try_lock` that succeeded, a message.
    Write,
    /// Takes a place in the queue of a fair lock, whether or not it is granted at once.
    Queue,
    /// As `Queue`, for a shared lock, or to wait for an end.
    QueueShared,
    /// Takes a lock that is free, and for which others compete: a task that waits for it takes no step.
    Take,
    /// As `Take`, for a shared lock.
    TakeShared,
    /// Gives an exclusive lock back, or ends what others wait for.
    Release,
    /// Gives a shared lock back.
    ReleaseShared,
}

impl Effect {
    /// Whether two steps of different tasks with these effects on one object have to be run in both orders.
    #[must_use]
    pub const fn depends_on(self, other: Effect) -> bool {
        use Effect::{Queue, QueueShared, Read, Release, ReleaseShared, Take, TakeShared, Write};
        match (self, other) {
            (Read, Read)
            | (QueueShared, QueueShared)
            | (TakeShared, TakeShared)
            | (Release | ReleaseShared, Queue | QueueShared | Take | TakeShared)
            | (Queue | QueueShared | Take | TakeShared, Release | ReleaseShared)
            | (Release | ReleaseShared, Release | ReleaseShared) => false,
            (
                Read | Write | Queue | QueueShared | Take | TakeShared | Release | ReleaseShared,
                _,
            ) => true,
        }
    }

    /// Whether the two depend on each other where it matters who waits: a bound on preemptions counts switches
    /// away from tasks that could have gone on.
    pub(super) const fn shows_to(self, other: Effect) -> bool {
        self.depends_on(other) || self.frees(other) || other.frees(self)
    }

    /// Whether `self`, earlier, is what makes `taken` possible: a release that it needed.
    pub(super) const fn frees(self, taken: Effect) -> bool {
        use Effect::{Queue, QueueShared, Release, ReleaseShared, Take, TakeShared};
        match taken {
            Take | Queue => matches!(self, Release | ReleaseShared),
            TakeShared | QueueShared => matches!(self, Release),
            _ => false,
        }
    }

    /// Whether a lock is held after it, so that the next one who takes it could have come first.
    pub(super) const fn takes(self) -> bool {
        matches!(self, Effect::Take | Effect::TakeShared | Effect::Write)
    }
}
