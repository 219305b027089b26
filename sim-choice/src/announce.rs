//! What tasks announce before they do it: strategies tell by it which steps depend on each other.

/// A step that a task is about to take.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Announced {
    /// The object's number in this run, counting from 1; 0 is none. A task is an object too, see
    /// [`of_task`](Announced::of_task).
    pub object: u32,
    /// What the step does to it.
    pub access: Access,
}

impl Announced {
    /// The bit of object numbers that are those of tasks.
    pub const TASK: u32 = 1 << 31;

    /// The object that stands for a task: what is done to the task itself, such as a join or an abort.
    #[must_use]
    pub const fn of_task(task: u32) -> u32 {
        Announced::TASK | task
    }

    /// Whether the order of the two steps may matter: they are on one object, and one of them changes it.
    ///
    /// ```
    /// use sim_choice::{Access, Announced};
    ///
    /// let step = |object, access| Announced { object, access };
    /// assert!(step(1, Access::Read).conflicts(step(1, Access::Write)));
    /// assert!(!step(1, Access::Read).conflicts(step(1, Access::Read)));
    /// assert!(!step(1, Access::Write).conflicts(step(2, Access::Write)));
    /// ```
    #[inline]
    #[must_use]
    pub const fn conflicts(self, other: Announced) -> bool {
        self.object != 0
            && self.object == other.object
            && !(self.access.only_looks() && other.access.only_looks())
    }
}

/// What an operation does to its object; strategies and oracles tell dependent steps by it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Access {
    /// Takes a lock exclusively, or takes permits.
    Acquire,
    /// Takes a lock shared.
    AcquireShared,
    /// Gives back a lock or permits.
    Release,
    /// Looks at the state without changing it.
    Read,
    /// Changes the state.
    Write,
    /// Puts a message into a channel.
    Send,
    /// Takes a message out of a channel, or waits for one.
    Receive,
    /// Wakes who waits.
    Notify,
    /// Waits to be woken.
    Wait,
    /// Closes a channel or a semaphore.
    Close,
    /// Starts a task.
    Spawn,
    /// Waits for a task to end.
    Join,
    /// Asks a task to end.
    Abort,
    /// Lets others run.
    Yield,
    /// Waits within libc: a lock, a condition variable, a park or a sleep of std.
    Libc,
}

impl Access {
    /// Whether two steps of this kind on one object may change places.
    #[inline]
    #[must_use]
    pub const fn only_looks(self) -> bool {
        matches!(self, Access::Read | Access::AcquireShared)
    }

    /// The operation as a report names it.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Access::Acquire => "acquire",
            Access::AcquireShared => "acquire shared",
            Access::Release => "release",
            Access::Read => "read",
            Access::Write => "write",
            Access::Send => "send",
            Access::Receive => "receive",
            Access::Notify => "notify",
            Access::Wait => "wait",
            Access::Close => "close",
            Access::Spawn => "spawn",
            Access::Join => "join",
            Access::Abort => "abort",
            Access::Yield => "yield",
            Access::Libc => "wait for a lock, a park or a sleep of std",
        }
    }
}
