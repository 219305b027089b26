//! The loop over seeds: run, run failures again to see that they are the same, report.
//!
//! Strategies that count learn from the first runs, see [`Profile`]; their seeds are fixed, so that whoever
//! runs one seed again learns the same first. A check of one run learns nothing.

use super::{
    Classes, Config, Failure, FailureKind, Level, Report,
    rerun::{rerun_line, write_out},
    runner::{Main, Ran, Source, Watch, empty_tape, on_thread, run_apart, run_once, shown},
    tally::Tally,
};
use crate::{
    faults::{self, FaultKind},
    point::Site,
    property::{Catalogue, Count},
    trace::Line,
    world::{Fault, World},
};
use sim_choice::{Profile, Seed};
use sim_sys::os;
use std::{
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

/// A failing run as the sweep saw it.
struct Found {
    index: u64,
    source: Source,
    ran: Ran,
}

/// One run in so many is watched for its class, beside those whose strategy watches anyway.
///
/// A run that is watched takes up to half as long again if it does nothing but switch; of one in so many nobody
/// notices it.
const WATCHED: u64 = 16;

/// How many runs a check begins with to learn from them; none if its strategy needs none, or if there is to be
/// no run but one.
fn lessons(config: &Config) -> u64 {
    let strategy = match config.single {
        Some(seed) if Profile::is_seed(seed) => return 0,
        Some(seed) => config.strategy.resolve(seed),
        None => config.strategy,
    };
    match strategy.counts() && config.seeds != 1 {
        true => Profile::RUNS,
        false => 0,
    }
}

/// All runs of a check.
pub(super) struct Sweep<'a> {
    config: &'a Config,
    main: Main<'a>,
    /// Where the check is called.
    site: Site,
    base: Seed,
    /// How many runs come first to learn from, and what they taught.
    lessons: u64,
    learning: Mutex<Profile>,
    profile: Arc<Profile>,
    next: AtomicU64,
    /// Where the indices that are taken now end.
    end: AtomicU64,
    runs: AtomicU64,
    steps: AtomicU64,
    /// The least index of a failing run so far.
    first: AtomicU64,
    found: Mutex<Vec<Found>>,
    tally: Mutex<Tally>,
    /// Index and class of runs that were watched.
    classes: Mutex<Vec<(u64, u64)>>,
    until_ns: Option<u64>,
}

/// Classes that are kept: 16 MiB.
const CLASSES: usize = 1 << 20;

/// A passing run that is to be done again on another thread: its index, its source, its hash.
type Recheck = (u64, Source, u64);

impl<'a> Sweep<'a> {
    pub(super) fn new(config: &'a Config, main: Main<'a>, site: Site) -> Sweep<'a> {
        let mut base = config.seed;
        if config.fresh {
            let mut bytes = [0; 8];
            os::real_entropy(&mut bytes);
            base = Seed(u64::from_le_bytes(bytes));
        }
        let deadline = |wall: Duration| os::real_monotonic_ns() + wall.as_nanos() as u64;
        Sweep {
            config,
            main,
            site,
            base,
            lessons: lessons(config),
            learning: Mutex::default(),
            profile: Arc::default(),
            next: AtomicU64::new(0),
            end: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            steps: AtomicU64::new(0),
            first: AtomicU64::new(u64::MAX),
            found: Mutex::default(),
            tally: Mutex::default(),
            classes: Mutex::default(),
            until_ns: config.wall.map(deadline),
        }
    }

    /// Runs all seeds, and makes the report.
    pub(super) fn report(mut self) -> Report {
        if self.lessons > 0 {
            self.end = AtomicU64::new(self.lessons);
            self.work();
            self.profile = Arc::new(self.learning.get_mut().unwrap().clone());
            if self.config.single.is_some() {
                self.forget_lessons();
            }
        }
        (self.next, self.end) = (AtomicU64::new(self.lessons), AtomicU64::new(u64::MAX));
        if self.config.jobs == 1 {
            self.work();
        } else {
            thread::scope(|scope| {
                (0..self.config.jobs).for_each(|_| drop(scope.spawn(|| self.work())));
            });
        }
        let mut found = self.found.into_inner().unwrap();
        found.sort_by_key(|found| found.index);
        let mut report = Report {
            runs: self.runs.into_inner(),
            steps: self.steps.into_inner(),
            ..Report::default()
        };
        let mut last = u64::MAX;
        if let Some(found) = found.into_iter().next() {
            last = found.index;
            report.runs =
                found.index + 1 - if self.config.single.is_some() { self.lessons } else { 0 };
            report.failure = Some(confirm(self.config, found, self.main));
        }
        let classes = self.classes.into_inner().unwrap();
        let counted = classes.iter().filter(|class| class.0 <= last).map(|class| class.1);
        report.classes = Classes::count(counted.collect());
        let mut told = self.tally.into_inner().unwrap().told();
        let crossed = told.judge_orders(&self.config.limits.lints);
        answer_for(self.config, self.site, &told.properties, &mut report);
        report.faults = faults::listed(&told.faults);
        report.warnings = told.texts();
        if self.config.single.is_none() {
            judge_faults(self.config, &mut report);
            judge_properties(self.config, self.base, &mut report);
            fail_whole(FailureKind::LockOrder, crossed, self.base, &mut report);
        }
        report
    }

    /// The runs before a single seed only repeat what was learned before it: what came of them was seen then.
    fn forget_lessons(&mut self) {
        (self.runs, self.steps) = (AtomicU64::new(0), AtomicU64::new(0));
        self.first = AtomicU64::new(u64::MAX);
        self.found.get_mut().unwrap().clear();
        *self.tally.get_mut().unwrap() = Tally::from(self.lessons);
        self.classes.get_mut().unwrap().clear();
    }

    /// Runs seeds, on one thread after the other, until none is left.
    fn work(&self) {
        while let Some(recheck) = on_thread(|| self.work_on_thread()) {
            // The thread cannot be used again.
            if let Some((index, source, hash)) = recheck {
                let ran = run_apart(self.config, &source, self.main);
                self.compare(index, source, hash, ran);
            }
        }
    }

    /// Runs seeds until none is left: `None`; or until the thread is used up, maybe with a
    /// passing run that is to be done again on another thread.
    fn work_on_thread(&self) -> Option<Option<Recheck>> {
        let world = Rc::new(World::new(self.config.limits.clone()));
        let mut result = None;
        while let Some((index, source)) = self.take() {
            os::clear_drew_entropy();
            let ran = run_once(&world, &source, self.main, self.watch(index));
            if index < self.lessons {
                self.learning.lock().unwrap().add(&world.choices.borrow());
            }
            self.runs.fetch_add(1, SeqCst);
            self.steps.fetch_add(ran.steps, SeqCst);
            let used_up = os::drew_entropy() || world.is_spoiled();
            let failed = ran.fault.is_some();
            let hash = ran.hash;
            self.note(index, source.clone(), ran);
            let recheck = !failed && self.rechecks(index);
            if used_up {
                result = Some(recheck.then_some((index, source, hash)));
                break;
            }
            if recheck {
                let again = run_once(&world, &source, self.main, Watch::Strategy);
                self.compare(index, source, hash, again);
            }
        }
        world.shut_down();
        result
    }

    /// The next run that is to be done.
    fn take(&self) -> Option<(u64, Source)> {
        let source = |seed| Source::Seed(seed, self.config.strategy, self.profile.clone());
        let index = self.next.fetch_add(1, SeqCst);
        if index > self.first.load(SeqCst) || index >= self.end.load(SeqCst) {
            return None;
        }
        if index < self.lessons {
            let failed = self.first.load(SeqCst) != u64::MAX && self.config.single.is_none();
            let any = self.config.single.unwrap_or(self.base.derive(0));
            return (!failed).then(|| (index, source(Profile::seed(any.series(), index))));
        }
        if let Some(seed) = self.config.single {
            return (index == self.lessons).then(|| (index, source(seed)));
        }
        let more = match self.until_ns {
            Some(until) => index == 0 || os::real_monotonic_ns() < until,
            None => index < self.config.seeds,
        };
        more.then(|| (index, source(self.base.derive(index))))
    }

    fn watch(&self, index: u64) -> Watch {
        if index < self.lessons {
            Watch::Learn
        } else if index.is_multiple_of(WATCHED)
            && self.config.seeds > 1
            && self.config.single.is_none()
        {
            Watch::Class
        } else {
            Watch::Strategy
        }
    }

    /// Whether a passing run is done again: one in so many. Not the only one of a check, which may be
    /// of a program that works once a process.
    fn rechecks(&self, index: u64) -> bool {
        let one = self.config.single.is_some() || self.config.seeds == 1;
        self.config.recheck != 0
            && index.is_multiple_of(self.config.recheck)
            && (!one || self.config.recheck == 1)
    }

    fn note(&self, index: u64, source: Source, mut ran: Ran) {
        let (told, failed) = (std::mem::take(&mut ran.told), ran.fault.is_some());
        self.tally.lock().unwrap().add(index, told, failed);
        if let Some(class) = ran.class {
            let mut classes = self.classes.lock().unwrap();
            if classes.len() < CLASSES {
                classes.push((index, class));
            }
        }
        if failed {
            self.first.fetch_min(index, SeqCst);
            self.found.lock().unwrap().push(Found { index, source, ran });
        }
    }

    /// A passing run that was done again has to be the same.
    fn compare(&self, index: u64, source: Source, hash: u64, mut again: Ran) {
        if again.hash == hash {
            return;
        }
        again.hash = hash; // of the first run: `confirm` finds the difference once more
        let fault = || Fault::of_check(FailureKind::Nondeterminism, String::new());
        again.fault.get_or_insert_with(fault);
        again.class = None; // The first run's counts.
        self.note(index, source, again);
    }
}

/// Puts those properties into the report that the check answers for.
pub(super) fn answer_for(config: &Config, site: Site, counts: &[Count], report: &mut Report) {
    report.properties = Catalogue::get().of_check(config.name.as_deref(), site, counts);
}

/// Looks at what the runs of a check did not come to, as the level of the lint says. One that failed has ended
/// before it could.
pub(super) fn judge_properties(config: &Config, base: Seed, report: &mut Report) {
    if report.failure.is_some() {
        return;
    }
    let missing: Vec<String> = report.properties.iter().filter_map(|it| it.missing()).collect();
    match config.limits.lints.level(FailureKind::UnreachedProperty) {
        _ if missing.is_empty() => {}
        Level::Allow => {}
        Level::Warn => report.warnings.extend(missing),
        Level::Deny => {
            let missing = Some(missing.join("\n  "));
            fail_whole(FailureKind::UnreachedProperty, missing, base, report);
        }
    }
}

/// A fault that was asked for and did nothing in any run is one that the test does not have. One that failed has ended
/// before it could.
pub(super) fn judge_faults(config: &Config, report: &mut Report) {
    let faults = &config.limits.faults;
    let kinds = faults.kinds();
    if kinds == 0 || report.failure.is_some() {
        return;
    }
    let counted = |kind| report.faults.iter().find(|count| count.kind == kind);
    let effect = |kind| counted(kind).is_some_and(|count| count.effective > 0);
    let (runs, mut idle) = (report.runs, Vec::new());
    for kind in FaultKind::ALL {
        if kinds & faults.named & 1 << kind as u32 != 0 && !effect(kind) {
            let injected = counted(kind).map_or(0, |count| count.injected);
            idle.push(format!(
                "the fault {kind} is configured, and had no effect in any of {runs} runs; it was injected {injected} times"
            ));
        }
    }
    let all = FaultKind::ALL.into_iter().filter(|kind| kinds & 1 << *kind as u32 != 0);
    if faults.named == 0 && !all.into_iter().any(effect) {
        idle.push(format!(
            "no fault had an effect in any of {runs} runs: they strike nodes, and the links between them"
        ));
    }
    report.warnings.extend(idle);
}

/// What is wrong with a check though none of its runs failed, if anything is.
pub(super) fn fail_whole(
    kind: FailureKind,
    message: Option<String>,
    base: Seed,
    report: &mut Report,
) {
    if let (Some(message), None) = (message, &report.failure) {
        let fault = Fault::of_check(kind, message);
        report.failure = Some(Failure::new(fault, empty_tape(base), "with all its seeds".into()));
    }
}

/// Runs a failing seed again, with the trace on: it has to fail the same way.
fn confirm(config: &Config, found: Found, main: Main<'_>) -> Failure {
    let source = found.source;
    let again = run_apart(config, &source, main);
    let same = again.hash == found.ran.hash;
    let rerun = match source {
        Source::Seed(seed, ..) => rerun_line(config, seed),
        Source::Tape(_) | Source::Search(_) => "with the same tape".into(),
    };
    let trace = shown(&again, config.trace);
    if same && let (Some(fault), Some(tape)) = (again.fault, again.tape) {
        let mut failure = Failure::new(fault, tape, rerun);
        failure.trace = trace;
        let end = format!("-{}.tape", failure.seed);
        failure.tape_file = write_out(config, &end, || failure.tape.to_string());
        return failure;
    }
    let third = run_apart(config, &source, main);
    let mut message = String::from("two runs of this seed differ; ");
    message.push_str(&first_difference(&again.trace, &third.trace));
    message.push_str(UNDECIDED);
    if let Some(fault) = found.ran.fault.filter(|fault| fault.kind != FailureKind::Nondeterminism) {
        message.push_str(&format!("\n  one of them failed: {:?}: {}", fault.kind, fault.message));
    }
    let tape = found.ran.tape.or(third.tape).expect("a run that is looked at keeps its tape");
    let fault = Fault::of_check(FailureKind::Nondeterminism, message);
    Failure::new(fault, tape, rerun)
}

/// The first event in which two traces differ.
fn first_difference(one: &[Line], other: &[Line]) -> String {
    let differs = |(a, b): &(&Line, &Line)| a.hash != b.hash || a.text != b.text;
    match one.iter().zip(other).position(|pair| differs(&pair)) {
        Some(at) => format!(
            "first at event {at}: {:?} in one, {:?} in the other",
            one[at].text, other[at].text
        ),
        None if one.len() != other.len() => {
            format!("one has {} events, the other {}", one.len(), other.len())
        }
        None => "the difference did not show again".into(),
    }
}

/// What it may come from, as none of it can be seen from here.
const UNDECIDED: &str = "\n  something decides that the seed does not: a static or a thread-local that an earlier run left \
                         changed, a real thread, an address, or a generator that seeds itself, as those of \
                         futures::select! and fastrand do";
