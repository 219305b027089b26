//! A recorded run: its seed, its strategy and every choice.

use crate::{Kind, Path, Record, Seed, Strategy};
use alloc::{collections::BTreeMap, string::String, vec::Vec};

/// All that is needed to run a run again, exactly.
///
/// The text form is one line per choice, made to be kept in a file and compared with `diff`:
///
/// ```
/// use sim_choice::Tape;
///
/// let text = "\
/// sim tape 1
/// seed 0x2a
/// strategy pct
/// schedule next main 3 1
/// net latency main/0 1000 0
/// schedule preempt main/0/3 2 1
/// ";
/// let tape: Tape = text.parse()?;
/// assert_eq!(tape.to_string(), text);
/// assert_eq!((tape.choices(), tape.context_switches(), tape.preemptions(), tape.faults()), (3, 2, 1, 0));
/// # Ok::<(), sim_choice::ParseTapeError>(())
/// ```
///
/// A line is: lane, kind, path of the task that asked, number of answers, answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tape {
    /// The seed of the run. Entropy comes from it in a replay too.
    pub seed: Seed,
    /// The strategy of the run, resolved: never [`Strategy::Portfolio`] if [`Choices`](crate::Choices)
    /// made the tape.
    pub strategy: Strategy,
    /// The choices in order of asking.
    pub records: Vec<Record>,
    /// The spawn paths in text, as far as known. One that is missing is written as its hash.
    pub names: BTreeMap<Path, String>,
}

impl Tape {
    /// How many choices there are.
    #[must_use]
    pub fn choices(&self) -> usize {
        self.records.len()
    }

    /// How often another task than the calm one was picked, where a poll had returned or in the middle of one.
    #[must_use]
    pub fn context_switches(&self) -> usize {
        self.count(|kind| matches!(kind, Kind::Next | Kind::Preempt))
    }

    /// How often a running task was interrupted.
    #[must_use]
    pub fn preemptions(&self) -> usize {
        self.count(|kind| kind == Kind::Preempt)
    }

    /// How many faults were injected.
    #[must_use]
    pub fn faults(&self) -> usize {
        self.count(|kind| kind == Kind::Fault)
    }

    fn count(&self, counted: impl Fn(Kind) -> bool) -> usize {
        self.records.iter().filter(|record| record.answer != 0 && counted(record.kind)).count()
    }
}
