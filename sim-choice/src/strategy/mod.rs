//! Which ready task runs: the strategies, and the one that a run uses.
//!
//! A strategy sees the ready tasks as numbers and gives the index of one. It is asked only when there are
//! two or more; a step without a choice does not count. The hot path is an enum and a match, no `dyn`.

mod calm;
mod pct;
mod portfolio;
mod random;
mod sticky;

use crate::{Announced, Seed, words::Words};
use alloc::string::String;
use core::{fmt, str::FromStr};

/// How the next task is picked. The seed alone fixes what a strategy does.
///
/// ```
/// use sim_choice::{Seed, Strategy};
///
/// assert_eq!("pct".parse(), Ok(Strategy::Pct));
/// assert_eq!(Strategy::default(), Strategy::Portfolio);
/// assert_ne!(Strategy::Portfolio.resolve(Seed(1)), Strategy::Portfolio);
/// assert_eq!(
///     "dfs".parse::<Strategy>().unwrap_err().to_string(),
///     "unknown strategy `dfs`: expected random, sticky, pct, portfolio or calm",
/// );
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// Each ready task is equally likely, at each step.
    Random,
    /// As random, but a running task is interrupted only now and then; how often is drawn per run.
    Sticky,
    /// Probabilistic concurrency testing: by priorities, which change at a few points of the run.
    Pct,
    /// One of random, sticky and pct, by the seed.
    #[default]
    Portfolio,
    /// The first candidate, and zero in all other lanes too.
    Calm,
}

impl Strategy {
    /// The name in text, one lowercase word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::Random => "random",
            Strategy::Sticky => "sticky",
            Strategy::Pct => "pct",
            Strategy::Portfolio => "portfolio",
            Strategy::Calm => "calm",
        }
    }

    /// The strategy that a run with this seed uses: this one, unless it is the portfolio.
    #[inline]
    #[must_use]
    pub const fn resolve(self, seed: Seed) -> Strategy {
        match self {
            Strategy::Portfolio => portfolio::resolve(seed),
            resolved => resolved,
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Strategy {
    type Err = ParseStrategyError;

    fn from_str(text: &str) -> Result<Strategy, ParseStrategyError> {
        match text {
            "random" => Ok(Strategy::Random),
            "sticky" => Ok(Strategy::Sticky),
            "pct" => Ok(Strategy::Pct),
            "portfolio" => Ok(Strategy::Portfolio),
            "calm" => Ok(Strategy::Calm),
            _ => Err(ParseStrategyError { operand: text.into() }),
        }
    }
}

/// The text names no strategy.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ParseStrategyError {
    /// The text.
    pub operand: String,
}

impl fmt::Display for ParseStrategyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unknown strategy `{}`: expected random, sticky, pct, portfolio or calm",
            self.operand
        )
    }
}

impl core::error::Error for ParseStrategyError {}

/// The tasks of which one may run now. Candidate 0 is the calm one.
pub trait Candidates {
    /// How many there are.
    fn len(&self) -> u32;

    /// The number of candidate `i` in order of spawning in this run, counting from 0 and dense.
    /// `i` is below [`len`](Candidates::len).
    fn task(&self, i: u32) -> u32;

    /// What candidate `i` does first when it runs, if it has announced that: a task whose poll has not begun
    /// has not.
    fn announced(&self, i: u32) -> Option<Announced> {
        let _ = i;
        None
    }

    /// Whether candidate 0 is the task that is running, so that any other pick is a preemption.
    fn is_current(&self) -> bool;

    /// Whether there are none.
    #[inline]
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The strategy of a run, resolved, with the tables of those that keep any from run to run.
pub(crate) struct Guide {
    pub(crate) resolved: Strategy,
    sticky: sticky::Sticky,
    pct: pct::Pct,
}

impl Guide {
    pub(crate) fn new() -> Guide {
        Guide { resolved: Strategy::Calm, sticky: sticky::Sticky::new(), pct: pct::Pct::new() }
    }

    #[inline]
    pub(crate) fn start(&mut self, seed: Seed, strategy: Strategy) {
        self.resolved = strategy.resolve(seed);
        match self.resolved {
            Strategy::Sticky => self.sticky.start(seed),
            Strategy::Pct => self.pct.start(seed),
            Strategy::Random | Strategy::Calm | Strategy::Portfolio => {}
        }
    }

    #[inline]
    pub(crate) fn spawned(&mut self, task: u32) {
        if self.resolved == Strategy::Pct {
            self.pct.spawned(task);
        }
    }

    /// Picks one of two or more candidates.
    #[inline]
    pub(crate) fn pick<C: Candidates>(&mut self, words: &mut Words, candidates: &C) -> u32 {
        match self.resolved {
            Strategy::Random => random::pick(words, candidates),
            Strategy::Sticky => self.sticky.pick(words, candidates),
            Strategy::Pct => self.pct.pick(candidates),
            Strategy::Calm => calm::pick(),
            Strategy::Portfolio => unreachable!("the portfolio is resolved when the run starts"),
        }
    }
}
