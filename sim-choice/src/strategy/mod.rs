//! Which ready task runs: the strategies, and the one that a run uses.
//!
//! A strategy sees the ready tasks as numbers and gives the index of one. It is asked only when there are
//! two or more; a step without a choice does not count. The hot path is an enum and a match, no `dyn`.

mod calm;
mod lockstep;
mod pct;
mod portfolio;
mod pos;
mod random;
mod sticky;
mod subset;
mod surw;
mod urw;

use crate::{Announced, Profile, Seed, history::History, words::Words};
use alloc::{string::String, sync::Arc};
use core::{fmt, str::FromStr};

/// How the next task is picked. The seed fixes what a strategy does, with the [`Profile`] for those that
/// [count](Strategy::counts).
///
/// ```
/// use sim_choice::{Seed, Strategy};
///
/// assert_eq!("pct".parse(), Ok(Strategy::Pct));
/// assert_eq!(Strategy::default(), Strategy::Portfolio);
/// assert_ne!(Strategy::Portfolio.resolve(Seed(1)), Strategy::Portfolio);
/// assert_eq!(
///     "dfs".parse::<Strategy>().unwrap_err().to_string(),
///     "unknown strategy `dfs`: expected random, sticky, pct, pos, urw, surw, lockstep, portfolio, calm or exhaustive",
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
    /// Partial order sampling: by priorities of single steps, drawn anew for those that race with what ran.
    Pos,
    /// Uniform random walk: a task is as likely as many steps it has still to take.
    Urw,
    /// Selectively uniform random walk: as urw, over the steps on some objects only.
    Surw,
    /// All tasks go on until each stands before a step on some objects; then one takes it.
    Lockstep,
    /// One of the others but calm, by the seed.
    #[default]
    Portfolio,
    /// The first candidate, and zero in all other lanes too.
    Calm,
    /// Every schedule up to equivalence: what runs next is decided by an [`Explorer`](crate::exhaustive::Explorer).
    /// Without one it is calm.
    Exhaustive,
}

impl Strategy {
    /// The name in text, one lowercase word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Strategy::Random => "random",
            Strategy::Sticky => "sticky",
            Strategy::Pct => "pct",
            Strategy::Pos => "pos",
            Strategy::Urw => "urw",
            Strategy::Surw => "surw",
            Strategy::Lockstep => "lockstep",
            Strategy::Portfolio => "portfolio",
            Strategy::Calm => "calm",
            Strategy::Exhaustive => "exhaustive",
        }
    }

    /// The strategy that a run with this seed uses: this one, unless it is the portfolio, or the run is one
    /// from which a profile is made.
    #[inline]
    #[must_use]
    pub const fn resolve(self, seed: Seed) -> Strategy {
        match (self, Profile::lesson(seed)) {
            (strategy, Some(lesson)) if strategy.counts() => lesson,
            (Strategy::Portfolio, _) => portfolio::resolve(seed),
            (resolved, _) => resolved,
        }
    }

    /// Whether the strategy, or any that it resolves to, does better with a [`Profile`].
    #[must_use]
    pub const fn counts(self) -> bool {
        use Strategy::{Calm, Exhaustive, Pos, Random, Sticky};
        !matches!(self, Random | Sticky | Pos | Calm | Exhaustive)
    }

    /// Whether a run with this strategy, resolved, has to be told of what happens in it.
    pub(crate) const fn watches(self) -> bool {
        matches!(self, Strategy::Pos | Strategy::Urw | Strategy::Surw | Strategy::Lockstep)
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
            "pos" => Ok(Strategy::Pos),
            "urw" => Ok(Strategy::Urw),
            "surw" => Ok(Strategy::Surw),
            "lockstep" => Ok(Strategy::Lockstep),
            "portfolio" => Ok(Strategy::Portfolio),
            "calm" => Ok(Strategy::Calm),
            "exhaustive" => Ok(Strategy::Exhaustive),
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
            "unknown strategy `{}`: expected random, sticky, pct, pos, urw, surw, lockstep, portfolio, calm or exhaustive",
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

    /// Whether candidate `i` begins a turn, for which it was started or woken; else it goes on in the middle of one.
    fn begins_turn(&self, i: u32) -> bool {
        let _ = i;
        true
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
    pos: pos::Pos,
    urw: urw::Urw,
    surw: surw::Surw,
    lockstep: lockstep::Lockstep,
    profile: Arc<Profile>,
}

impl Guide {
    pub(crate) fn new() -> Guide {
        Guide {
            resolved: Strategy::Calm,
            sticky: sticky::Sticky::new(),
            pct: pct::Pct::new(),
            pos: pos::Pos::new(),
            urw: urw::Urw::new(),
            surw: surw::Surw::new(),
            lockstep: lockstep::Lockstep::new(),
            profile: Arc::default(),
        }
    }

    /// What is known of the program, until something else is.
    pub(crate) fn set_profile(&mut self, profile: Arc<Profile>) {
        self.profile = profile;
    }

    #[inline]
    pub(crate) fn start(&mut self, seed: Seed, strategy: Strategy) {
        self.resolved = strategy.resolve(seed);
        match self.resolved {
            Strategy::Sticky => self.sticky.start(seed),
            Strategy::Pct => self.pct.start(seed, self.profile.length()),
            Strategy::Pos => self.pos.start(),
            Strategy::Urw => self.urw.start(),
            Strategy::Surw => {
                self.urw.start();
                self.surw.start(seed, &self.profile);
            }
            Strategy::Lockstep => {
                self.urw.start();
                self.lockstep.start(seed, &self.profile);
            }
            Strategy::Random | Strategy::Calm | Strategy::Portfolio | Strategy::Exhaustive => {}
        }
    }

    #[inline]
    pub(crate) fn spawned(&mut self, words: &mut Words, task: u32, history: &History) {
        match self.resolved {
            Strategy::Pct => self.pct.spawned(task),
            Strategy::Urw | Strategy::Lockstep => self.urw.spawned(history, &self.profile),
            Strategy::Surw => {
                self.urw.spawned(history, &self.profile);
                self.surw.spawned(words, history, &self.profile);
            }
            _ => {}
        }
    }

    /// A task takes a step; only told of in a run that is watched.
    pub(crate) fn goes_on(&mut self, task: u32, step: Option<Announced>, history: &History) {
        match self.resolved {
            Strategy::Pos => self.pos.goes_on(task, step),
            Strategy::Urw => self.urw.goes_on(task),
            Strategy::Surw => {
                self.urw.goes_on(task);
                self.surw.goes_on(task, step, history);
            }
            Strategy::Lockstep => {
                self.urw.goes_on(task);
                self.lockstep.goes_on(task, step, history);
            }
            _ => {}
        }
    }

    /// A task has ended; only told of in a run that is watched.
    pub(crate) fn ended(&mut self, task: u32) {
        if self.resolved == Strategy::Surw {
            self.surw.ended(task);
        }
    }

    /// Picks one of two or more candidates.
    #[inline]
    pub(crate) fn pick<C: Candidates>(
        &mut self,
        words: &mut Words,
        candidates: &C,
        history: &History,
    ) -> u32 {
        match self.resolved {
            Strategy::Random => random::pick(words, candidates),
            Strategy::Sticky => self.sticky.pick(words, candidates),
            Strategy::Pct => self.pct.pick(candidates),
            Strategy::Pos => self.pos.pick(words, candidates),
            Strategy::Urw => self.urw.pick(words, candidates),
            Strategy::Surw => self.surw.pick(words, candidates, history, &self.urw),
            Strategy::Lockstep => self.lockstep.pick(words, candidates, history, &self.urw),
            Strategy::Calm | Strategy::Exhaustive => calm::pick(),
            Strategy::Portfolio => unreachable!("the portfolio is resolved when the run starts"),
        }
    }
}
