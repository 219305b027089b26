//! What a few runs have shown of a program: how many steps each task takes, its descendants' among them, on
//! which objects, and how many choices a run has.
//!
//! Strategies that count need it. It is learned in the first [`Profile::RUNS`] runs of a check, whose seeds
//! follow from the [series](Seed::series) that every seed of the check names: whoever runs one seed again makes
//! the same profile first, and so the run is a function of the program and the seed alone. Tasks are known by their paths and objects by where they were created, as
//! numbers depend on the schedule.

use crate::{Choices, Kind, Lane, Path, Seed, Strategy};
use alloc::{collections::BTreeMap, vec, vec::Vec};

/// Touches that a profile keeps: a program with more is too large for its counts to mean much.
const TOUCHES: usize = 1 << 16;
/// Above all `i` of ordinary runs.
const LESSON: u64 = 0x00e5_6c65_7373_6f6e;

/// A set of objects whose steps are counted together; see [`Profile::groups`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Group(pub(crate) u64);

impl Group {
    /// All objects that two tasks have touched.
    pub(crate) const ALL: Group = Group(0);
}

/// Steps of a program's tasks, counted over some runs.
///
/// ```
/// use sim_choice::{Choices, Profile, Strategy};
///
/// let mut profile = Profile::new();
/// let mut choices = Choices::new();
/// for i in 0..Profile::RUNS {
///     choices.start(Profile::seed(7, i), Strategy::Urw);
///     choices.learn();
///     // the program runs
///     profile.add(&choices);
/// }
/// assert!(Profile::is_seed(Profile::seed(7, 0)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Profile {
    runs: u64,
    /// Choices of who runs, in all runs together; so with the steps below.
    choices: u64,
    /// Own steps of all tasks, and how many tasks there were.
    own: (u64, u64),
    /// Steps of a task and all its descendants.
    steps: BTreeMap<Path, u64>,
    touches: BTreeMap<(Group, Path), u64>,
    groups: Vec<Group>,
}

impl Profile {
    /// How many runs a profile is made of.
    pub const RUNS: u64 = 2;

    /// Nothing known.
    #[must_use]
    pub fn new() -> Profile {
        Profile::default()
    }

    /// The seed of the `i`th run that the profile of a series is made of.
    #[must_use]
    pub const fn seed(series: u8, i: u64) -> Seed {
        Seed::of_series(series, LESSON + i)
    }

    /// Whether a profile is made of the run with this seed; then nothing has been learned before it.
    #[must_use]
    pub const fn is_seed(seed: Seed) -> bool {
        Profile::lesson(seed).is_some()
    }

    /// How that run goes: by chance, and so that most tasks are in the middle of what they do at once.
    pub(crate) const fn lesson(seed: Seed) -> Option<Strategy> {
        let mut i = 0;
        while i < Profile::RUNS {
            if Profile::seed(seed.series(), i).0 == seed.0 {
                return Some(if i == 0 { Strategy::Lockstep } else { Strategy::Random });
            }
            i += 1;
        }
        None
    }

    /// Adds a run that has [learned](Choices::learn).
    pub fn add(&mut self, run: &Choices) {
        let history = run.history();
        let tasks = history.tasks();
        self.runs += 1;
        let picks = run.records().iter().filter(|record| {
            record.lane == Lane::Schedule && matches!(record.kind, Kind::Next | Kind::Preempt)
        });
        self.choices += picks.count() as u64;

        // A child's number is above its parent's: backwards, each is whole when it is added to its parent.
        let mut steps: Vec<u64> = tasks.iter().map(|task| u64::from(task.steps)).collect();
        self.own.0 += steps.iter().sum::<u64>();
        self.own.1 += steps.len() as u64;
        let mut touches: Vec<BTreeMap<Group, u64>> = vec![BTreeMap::new(); tasks.len()];
        for (&(task, object), &count) in history.touches() {
            let object = history.object(object);
            if object.shared && object.origin != 0 {
                let groups = [Group::ALL, Group(object.origin), Group(object.name)];
                // An object that is the only one of its origin is a group once, not twice.
                let apart = if history.siblings(object.origin) > 1 { 3 } else { 2 };
                for &group in &groups[..apart] {
                    *touches[task as usize].entry(group).or_insert(0) += u64::from(count);
                }
            }
        }
        for (number, task) in tasks.iter().enumerate().rev() {
            *self.steps.entry(task.path).or_insert(0) += steps[number];
            let groups = core::mem::take(&mut touches[number]);
            for (&group, &count) in &groups {
                if self.touches.len() < TOUCHES {
                    *self.touches.entry((group, task.path)).or_insert(0) += count;
                }
            }
            if let Some(parent) = task.parent {
                steps[parent as usize] += steps[number];
                for (group, count) in groups {
                    *touches[parent as usize].entry(group).or_insert(0) += count;
                }
            }
        }
        self.groups = self.touches.keys().map(|key| key.0).filter(|&g| g != Group::ALL).collect();
        self.groups.dedup();
    }

    /// Choices of who runs in a run, rounded up; 0 if nothing is known.
    pub(crate) fn length(&self) -> u64 {
        self.choices.div_ceil(self.runs.max(1))
    }

    /// The steps that a task and its descendants will take, at least 1.
    pub(crate) fn steps(&self, path: Path) -> u64 {
        match self.steps.get(&path) {
            Some(&steps) => steps.div_ceil(self.runs).max(1),
            None => self.own.0.div_ceil(self.own.1.max(1)).max(1),
        }
    }

    /// The steps on objects of the group that a task and its descendants will take.
    pub(crate) fn touches(&self, group: Group, path: Path) -> u64 {
        self.touches.get(&(group, path)).map_or(0, |touches| touches.div_ceil(self.runs))
    }

    /// Objects that two tasks have touched: each alone, and those that were created at one place together.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }
}
