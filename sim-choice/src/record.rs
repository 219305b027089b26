//! What is asked, and how an answer is kept.

use crate::Path;
use core::fmt;

/// The names of an enum's values in text, both ways.
macro_rules! names {
    ($of:ident: $($value:ident = $name:literal),+ $(,)?) => {
        impl $of {
            /// All values, in order.
            pub const ALL: &[$of] = &[$($of::$value),+];

            /// The name in text, one lowercase word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $($of::$value => $name),+ }
            }

            /// The value of that name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<$of> {
                match name { $($name => Some($of::$value),)+ _ => None }
            }
        }

        impl fmt::Display for $of {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

/// A stream of questions that is independent of the others: each has its own generator and its own place
/// on a tape, so that one more packet does not shift the schedule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Lane {
    /// Which task runs.
    Schedule,
    /// How time passes.
    Time,
    /// What the network does.
    Net,
    /// What the disks do.
    Disk,
    /// Random numbers of the program, see [`Choices::entropy_word`](crate::Choices::entropy_word).
    Entropy,
    /// The test's inputs.
    Input,
    /// Which waiting operations are dropped.
    Cancel,
    /// Which faults strike whom, when and how hard. What befalls a packet on its way is the network's.
    Fault,
}

names!(Lane:
    Schedule = "schedule",
    Time = "time",
    Net = "net",
    Disk = "disk",
    Entropy = "entropy",
    Input = "input",
    Cancel = "cancel",
    Fault = "fault",
);

impl Lane {
    /// How many lanes there are.
    pub(crate) const COUNT: usize = Lane::ALL.len();
}

/// What is asked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// Which ready task runs, when none does. 0: the first.
    Next,
    /// Whether another task goes on at a scheduling point of a running one. 0: the running one does.
    Preempt,
    /// Which ready task of a local set runs. 0: the first.
    LocalNext,
    /// Which branch of a `select!` is polled first. 0: the first.
    Branch,
    /// Whether a waiting operation is dropped. 0: it is not.
    Cancel,
    /// How much time a step takes. 0: none.
    StepCost,
    /// Whether time passes in which nothing runs. 0: none does.
    Stall,
    /// A raw word of a test's input. 0: the smallest.
    Word,
    /// Whether, or which, fault occurs. 0: none.
    Fault,
    /// How long something is under way. 0: the least.
    Latency,
    /// Anything else. 0: the dull answer.
    Other,
}

names!(Kind:
    Next = "next",
    Preempt = "preempt",
    LocalNext = "localnext",
    Branch = "branch",
    Cancel = "cancel",
    StepCost = "stepcost",
    Stall = "stall",
    Word = "word",
    Fault = "fault",
    Latency = "latency",
    Other = "other",
);

/// One question and its answer, in 16 bytes. `bound` is at least 2 and `answer` is below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// The stream the question belongs to.
    pub lane: Lane,
    /// What was asked.
    pub kind: Kind,
    /// The task that asked.
    pub who: Path,
    /// How many answers there were.
    pub bound: u32,
    /// The answer; 0 is calm.
    pub answer: u32,
}

const _: () = assert!(size_of::<Record>() == 16);
