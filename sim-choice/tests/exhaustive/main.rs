//! The exhaustive search against theory and against brute force.

mod brute;
mod machine;
mod programs;

use brute::{All, Schedule, enumerate};
use machine::{Driver, Op, Outcome, Program, run};
use sim_choice::exhaustive::{Candidate, Effect, Explorer, Limits, Progress};
use std::collections::BTreeSet;

/// An explorer beside the schedule that it makes.
struct Watched {
    explorer: Explorer,
    schedule: Schedule,
    /// Where glances are made, if it is not told which attempts do nothing but wait. Those are made at place 1.
    glances: Option<u64>,
}

impl Driver for Watched {
    fn spawned(&mut self, task: u32, parent: Option<u32>) {
        self.explorer.spawned(task, parent);
        self.schedule.spawned(task, parent);
    }

    fn pick(&mut self, candidates: &[Candidate], current: Option<u32>) -> Option<usize> {
        let index = self.explorer.pick(candidates, current).ok()?;
        self.schedule.begin(candidates[index].task);
        Some(index)
    }

    fn touch(&mut self, object: u64, effect: Effect) {
        self.explorer.touch(object, effect);
        self.schedule.touch(object, effect);
    }

    fn attempt(&mut self, object: u64, effect: Effect, glance: bool) {
        match self.glances {
            Some(place) => self.explorer.attempt(object, effect, if glance { place } else { 1 }),
            None => self.explorer.touch(object, if glance { Effect::Write } else { effect }),
        }
        self.schedule.attempt(object, effect, glance);
    }

    fn granted(&mut self, object: u64, effect: Effect) {
        self.explorer.granted(object, effect);
        self.schedule.granted(object, effect);
    }

    fn choose(&mut self, bound: u32) -> u32 {
        let answer = self.explorer.choose(bound);
        self.schedule.chose(answer);
        answer
    }

    fn woke(&mut self, task: u32) {
        self.explorer.woke(task);
        self.schedule.woke(task);
    }

    fn ended(&mut self) {
        self.explorer.ended();
        self.schedule.ended();
    }

    fn waits(&mut self, task: u32, object: u64, effect: Effect) {
        self.explorer.waits(task, object, effect);
    }

    fn left(&mut self, candidate: Candidate) {
        self.explorer.left(candidate);
    }
}

/// Searches a program through; what its runs gave, and how far it came. No class is run twice.
fn search(
    program: &Program,
    limits: Limits,
    glances: Option<u64>,
) -> (BTreeSet<Outcome>, Progress) {
    let (explorer, schedule) = (Explorer::new(limits), Schedule::default());
    let mut driver = Watched { explorer, schedule, glances };
    let (mut outcomes, mut classes) = (BTreeSet::new(), BTreeSet::new());
    while driver.explorer.begin() {
        let outcome = run(program, &mut driver);
        assert_eq!(driver.explorer.mismatch(), None, "the machine is deterministic");
        let class = driver.schedule.class();
        if outcome.is_some() && glances.is_none() && limits.preemptions.is_none() {
            assert!(classes.insert(class), "a class is run twice: {program:?}");
        }
        outcomes.extend(outcome);
        driver.explorer.finish();
    }
    (outcomes, driver.explorer.progress())
}

fn explore(program: &Program, limits: Limits) -> (BTreeSet<Outcome>, Progress) {
    search(program, limits, None)
}

/// Does the next run of a search.
fn drive(program: &Program, explorer: &mut Explorer) -> Option<Outcome> {
    let own = std::mem::replace(explorer, Explorer::new(Limits::default()));
    let mut driver = Watched { explorer: own, schedule: Schedule::default(), glances: None };
    let outcome = run(program, &mut driver);
    *explorer = driver.explorer;
    outcome
}

fn tasks<const N: usize>(tasks: [&[Op]; N]) -> Program {
    programs::program(tasks.iter().map(|task| task.to_vec()).collect())
}

/// The search runs each of so many classes once, and brute force finds as many.
#[track_caller]
fn check(program: &Program, classes: u64) {
    let (outcomes, progress) = explore(program, Limits::default());
    assert_eq!((progress.classes, progress.runs), (classes, classes), "{progress:?}");
    if let Some(All { outcomes: all, classes: found, .. }) = enumerate(program, None, 20_000) {
        assert_eq!(found.len() as u64, classes);
        assert_eq!(outcomes, all);
    }
}

const LOCKED: &[Op] = &[Op::Lock(0), Op::Add(0), Op::Unlock(0)];
const TAKEN: &[Op] = &[Op::Take(0), Op::Add(0), Op::Give(0)];
const TWICE: &[Op] = &[Op::Lock(0), Op::Unlock(0), Op::Lock(0), Op::Unlock(0)];

#[test]
fn two_tasks_with_two_increments_have_6_classes() {
    check(&tasks([&[Op::Add(0), Op::Add(0)]; 2]), 6);
}

#[test]
fn three_tasks_with_one_lock_have_6_classes() {
    check(&tasks([LOCKED; 3]), 6);
    check(&tasks([TAKEN; 3]), 6);
}

#[test]
fn three_tasks_that_lock_twice_have_90_classes() {
    check(&tasks([TWICE; 3]), 90);
    check(&tasks([&[Op::Take(0), Op::Give(0), Op::Take(0), Op::Give(0)]; 3]), 90);
}

#[test]
fn four_tasks_with_one_lock_have_24_classes() {
    check(&tasks([LOCKED; 4]), 24);
    check(&tasks([TAKEN; 4]), 24);
}

#[test]
fn three_independent_tasks_have_1_class() {
    check(&tasks([&[Op::Add(0), Op::Add(0)], &[Op::Add(1)], &[Op::Lock(0), Op::Unlock(0)]]), 1);
}

#[test]
fn two_independent_pairs_have_4_classes() {
    check(&tasks([&[Op::Add(0)], &[Op::Add(0)], &[Op::Add(1)], &[Op::Add(1)]]), 4);
}

#[test]
fn a_deadlock_of_two_locks_is_found() {
    let ab = [Op::Take(0), Op::Take(1), Op::Give(1), Op::Give(0)];
    let ba = [Op::Take(1), Op::Take(0), Op::Give(0), Op::Give(1)];
    check(&tasks([&ab, &ba]), 3);
}

/// How many random programs: `SIM_PROGRAMS`, else as many as a test may take time for.
fn programs(otherwise: u64) -> u64 {
    std::env::var("SIM_PROGRAMS").map_or(otherwise, |number| number.parse().unwrap())
}

/// How many schedules brute force may look at.
fn most() -> u64 {
    if cfg!(debug_assertions) { 400 } else { 20_000 }
}

#[test]
fn random_programs_have_the_classes_and_outcomes_of_brute_force() {
    let (mut compared, mut classes, mut runs) = (0, 0, 0);
    let programs = programs(500);
    for seed in 0..programs {
        let program = programs::random(seed);
        let Some(all) = enumerate(&program, None, most()) else { continue };
        let (outcomes, progress) = explore(&program, Limits::default());
        assert_eq!(outcomes, all.outcomes, "seed {seed}: {program:?} {progress:?}");
        let found = all.classes.len() as u64;
        // Whether a task that was granted a lock got to know before the run ended is no difference to the search.
        let same = progress.classes == found || program.main_ends && progress.classes < found;
        assert!(same, "seed {seed}: {found} classes: {program:?} {progress:?}");
        compared += 1;
        classes += progress.classes;
        runs += progress.runs;
    }
    println!("{compared} programs, {classes} classes, {runs} runs");
    assert!(compared > programs / 4);
}

#[test]
fn attempts_that_do_more_than_wait_lose_no_outcome() {
    let (mut sure, mut doubtful) = (0, 0);
    for seed in 0..programs(300) {
        let program = programs::random(seed);
        let Some(all) = enumerate(&program, None, most()) else { continue };
        let (outcomes, progress) = search(&program, Limits::default(), Some(2));
        assert_eq!(outcomes, all.outcomes, "seed {seed}: {program:?}");
        sure += all.classes.len();
        doubtful += progress.classes;
    }
    println!("{sure} classes, {doubtful} for who does not know which attempts only wait");
}

/// Who waits here and glances there is found out where a glance has to wait: then the search begins anew.
#[test]
fn a_place_that_was_trusted_wrongly_begins_the_search_anew() {
    let glance = [Op::Load(0), Op::Unless(2, 2), Op::Glance(0, 1), Op::Unlock(0)];
    let program = tasks([LOCKED, LOCKED, &glance]);
    let (outcomes, progress) = search(&program, Limits::default(), Some(1));
    assert_eq!(outcomes, enumerate(&program, None, 1_000_000).unwrap().outcomes);
    assert!(progress.runs > progress.classes, "{progress:?}");
}

#[test]
fn within_a_bound_on_preemptions_random_programs_have_the_outcomes_of_brute_force() {
    for seed in 0..programs(200) {
        for bound in 0..3 {
            let program = programs::random(seed);
            let Some(all) = enumerate(&program, Some(bound), most()) else { continue };
            let limits = Limits { preemptions: Some(bound), ..Limits::default() };
            let (outcomes, progress) = explore(&program, limits);
            let what = || format!("seed {seed}, bound {bound}: {program:?} {progress:?}");
            assert_eq!(outcomes, all.outcomes, "{}", what());
        }
    }
}

/// A search that is written and read again after each run gives the same runs.
#[test]
fn a_search_goes_on_from_its_checkpoint() {
    for (seed, preemptions) in (0..60).flat_map(|seed| [(seed, None), (seed, Some(1))]) {
        let program = programs::random(seed);
        let limits = Limits { preemptions, ..Limits::default() };
        let (mut straight, mut resumed) = (Explorer::new(limits), Explorer::new(limits));
        for _ in 0..40 {
            resumed = resumed.to_string().parse().unwrap();
            assert_eq!(resumed.to_string(), straight.to_string());
            assert_eq!(resumed.progress(), straight.progress());
            if !straight.begin() {
                break;
            }
            assert!(resumed.begin());
            assert_eq!(drive(&program, &mut resumed), drive(&program, &mut straight));
            straight.finish();
            resumed.finish();
        }
    }
}

#[test]
fn a_checkpoint_that_is_wrong_is_refused_with_its_line() {
    let mut explorer = Explorer::new(Limits::default());
    let program = tasks([&[Op::Add(0), Op::Choose(2), Op::Lock(0)], LOCKED]);
    for _ in 0..3 {
        assert!(explorer.begin());
        drive(&program, &mut explorer);
        explorer.finish();
    }
    let text = explorer.to_string();
    let lines: Vec<&str> = text.lines().collect();
    let check = |number: usize, line: &str, reason: &str| {
        let mut lines = lines.clone();
        lines[number - 1] = line;
        let error = lines.join("\n").parse::<Explorer>().unwrap_err();
        assert_eq!((error.line, error.reason.contains(reason)), (number, true), "{error}");
    };
    check(1, "sim search 2", "is not");
    check(2, "limits -", "missing");
    check(2, "limits - 10 9", "too many");
    check(3, "counts 1 2 3 4 +5", "no number");
    check(4, "step 0 - - -", "of no frame");
    check(4, "frames 0 -", "of no frame");
    for (number, line) in lines.iter().enumerate().filter(|line| line.1.starts_with("step")) {
        check(number + 1, "step 0 x1 - -", "no access");
        check(number + 1, "step 0 - 2/2 -", "below its bound");
        check(number + 1, "step 0 - - x", "flag");
        check(number + 1, &line.replace("step", "stop"), "not known");
    }
    let short = lines[..lines.len() - 1].join("\n").parse::<Explorer>().unwrap_err();
    assert_eq!((short.line, &*short.reason), (lines.len(), "the end is missing"));
}

#[test]
fn a_program_that_is_not_the_same_is_noticed() {
    let mut explorer = Explorer::new(Limits::default());
    let once = tasks([&[Op::Add(0), Op::Add(1)], &[Op::Add(1)]]);
    let then = tasks([&[Op::Add(2), Op::Add(1)], &[Op::Add(1)]]);
    assert!(explorer.begin());
    assert!(drive(&once, &mut explorer).is_some());
    explorer.finish();
    assert!(explorer.begin());
    assert!(drive(&then, &mut explorer).is_none());
    let mismatch = explorer.mismatch().unwrap();
    let text = mismatch.to_string();
    assert!(text.contains("was not as before: it did something else"), "{text}");
}

/// Loads in a loop until another task has stored.
#[test]
fn a_task_that_spins_is_cut() {
    let mut spin = vec![Op::Load(0), Op::Yield];
    spin.extend([Op::Load(0); 60]);
    let program = tasks([&spin, &[Op::Store(0, 1)]]);
    let limits = Limits { depth: 20, ..Limits::default() };
    let (_, progress) = explore(&program, limits);
    assert!(progress.done && progress.cut > 0, "{progress:?}");
    assert!(progress.to_string().starts_with("bound reached: "), "{progress}");
}
