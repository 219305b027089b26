//! The loop over seeds: run, run failures again to see that they are the same, report.
//!
//! Runs take place on threads of their own. std seeds its hash maps once a thread, so a thread on
//! which a run drew entropy is not used for another: the next run would see the former's keys.
//!
//! Strategies that count learn from the first runs, see [`Profile`]; their seeds are fixed, so that whoever
//! runs one seed again learns the same first. A check of one run learns nothing.

use super::{
    Classes, Config, Failure, FailureKind, Level, Outcome, Report, exhaustive, hook,
    tally::{Tally, Told},
};
use crate::{
    context::{self, poll_blocking},
    fnv::fnv,
    point::Site,
    property::{Catalogue, Count},
    trace::{self, Line, Trace},
    world::{Fault, MAIN_POOL, World},
};
use sim_choice::{After, Choices, Profile, Seed, Strategy, Tape};
use sim_sys::os;
use std::{
    any::Any,
    collections::BTreeMap,
    future::Future,
    panic::{Location, resume_unwind},
    path::PathBuf,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

/// Lines of the trace that a report shows.
const SHOWN: usize = 12;

/// What decides a run.
#[derive(Clone)]
pub(super) enum Source {
    Seed(Seed, Strategy, Arc<Profile>),
    Tape(Arc<Tape>),
    /// An exhaustive search, which the world's choices have; entropy comes from the seed.
    Search(Seed),
}

/// Whether anything besides the program looks at a run. It makes no difference to the run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Watch {
    /// Only if the strategy does.
    Strategy,
    /// For the class of the run.
    Class,
    /// For a profile.
    Learn,
    /// For a trace.
    Trace,
}

impl Source {
    fn start(&self, choices: &mut Choices) {
        match self {
            Source::Seed(seed, strategy, profile) => {
                choices.set_profile(profile.clone());
                choices.start(*seed, *strategy);
            }
            Source::Tape(tape) => choices.start_with_prefix(tape.clone(), After::Calm),
            Source::Search(seed) => choices.start_search(*seed),
        }
    }

    fn start_watched(&self, choices: &mut Choices, watch: Watch) {
        self.start(choices);
        match watch {
            Watch::Learn => choices.learn(),
            Watch::Class => choices.watch(),
            Watch::Strategy | Watch::Trace => {}
        }
    }
}

/// What one run gave.
pub(super) struct Ran {
    pub(super) fault: Option<Fault>,
    pub(super) hash: u64,
    /// If the run was watched.
    class: Option<u64>,
    pub(super) steps: u64,
    pub(super) told: Told,
    /// Only of a run that is looked at, or that failed.
    pub(super) tape: Option<Tape>,
    trace: Vec<Line>,
    pub(super) divergence: Option<String>,
    /// By task number, of a run that is looked at.
    task_names: Vec<String>,
}

/// Runs `test` under many seeds, until one fails or all have passed.
///
/// Each run calls `test` for a new future and drives it, and all that it spawns, on one thread
/// with a virtual clock; everything that could go otherwise is decided by the run's seed. The same
/// configuration gives the same report, always.
///
/// A run fails if the future panics or returns an error, if nothing can go on, if a task panics and
/// nobody looks at its handle, if a limit is passed, or if two runs of its seed differ.
///
/// ```
/// use std::sync::Arc;
/// use sim::sync::Mutex;
///
/// // Reads, then writes: another task may come between.
/// let report = sim::check(sim::Config::new().seeds(100), || async {
///     let count = Arc::new(Mutex::new(0));
///     let tasks = [count.clone(), count.clone()].map(|count| {
///         sim::spawn(async move {
///             let seen = *count.lock().await;
///             *count.lock().await = seen + 1;
///         })
///     });
///     for task in tasks {
///         task.await.unwrap();
///     }
///     assert_eq!(*count.lock().await, 2, "an update was lost");
/// });
/// let failure = report.failure.expect("one of the seeds finds it");
/// assert!(failure.message.contains("an update was lost"));
/// ```
///
/// # Panics
///
/// Does not; a wrong configuration, or a check within a simulation, is a failure of the kind
/// [`FailureKind::Setup`].
#[track_caller]
pub fn check<F, Fut>(config: Config, test: F) -> Report
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let site = Location::caller();
    let run = |world: &Rc<World>| run_main(world, &test, site);
    let mut report = match setup(&config) {
        Err(message) => setup_failure(message),
        Ok(None) if exhaustive::is_search(&config) => {
            exhaustive::search(&exhaustive::widen(config.clone()), &run, site)
        }
        Ok(None) => Sweep::new(&config, &run, site).report(),
        Ok(Some(tape)) => replay_tape(&config, tape, &run),
    };
    report.name.clone_from(&config.name);
    write_out(&config, ".jsonl", || report.to_json() + "\n");
    report
}

/// Runs `test` with the choices of `tape`, then calmly.
///
/// Settings are as [`Config::new`] has them; for others see [`replay_with`]. A tape of another test, or of one
/// that has changed, diverges: the report's warnings say at which choice first.
///
/// ```
/// # let test = || async {};
/// # let text = "sim tape 1\nseed 0x2a\nstrategy random\n";
/// let tape: sim::Tape = text.parse().unwrap();
/// let report = sim::replay(&tape, test);
/// assert_eq!(report.runs, 1);
/// ```
#[track_caller]
pub fn replay<F, Fut>(tape: &Tape, test: F) -> Report
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    replay_with(Config::new(), tape, test)
}

/// As [`replay`], with the settings that the tape was made under: workers, limits, stalls and the like are
/// no choices, and not on the tape.
///
/// ```
/// # let test = || async {};
/// let config = sim::Config::new().current_thread();
/// let report = sim::check(config.clone(), test);
/// if let Some(failure) = report.failure {
///     sim::replay_with(config, &failure.tape, test);
/// }
/// ```
#[track_caller]
pub fn replay_with<F, Fut>(config: Config, tape: &Tape, test: F) -> Report
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let site = Location::caller();
    match setup(&config) {
        Err(message) => setup_failure(message),
        Ok(_) => replay_tape(&config, tape.clone(), &|world| run_main(world, &test, site)),
    }
}

/// Runs a `#[sim::test]`: panics with the report if it fails.
#[doc(hidden)]
#[track_caller]
pub fn run_test<F, Fut>(config: Config, test: F)
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = check(config.with_env(), test);
    match &report.failure {
        Some(failure) => {
            eprintln!("{report}");
            // No second message: the line that runs it again stays the last.
            resume_unwind(Box::new(format!("{:?}: {}", failure.kind, failure.message)));
        }
        None if report.exhaustive.is_some() => eprintln!("{report}"),
        None => report.warnings.iter().for_each(|warning| eprintln!("warning: {warning}")),
    }
}

/// The configuration of the test of that path: its base seed comes from the path.
#[doc(hidden)]
pub fn config_for(path: &str) -> Config {
    Config::new().seed(fnv(path.bytes())).name(path)
}

/// Applies what only counts at the start; gives the tape to replay, if one is named.
fn setup(config: &Config) -> Result<Option<Tape>, String> {
    hook::install();
    os::link();
    Catalogue::get();
    if context::is_driving() {
        return Err(
            "a simulation cannot start within another: call sim::check outside of it".into()
        );
    }
    if let Some(error) = &config.error {
        return Err(error.to_string());
    }
    let Some(path) = &config.tape else { return Ok(None) };
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("SIM_TAPE: failed to read {path:?}: {error}"))?;
    text.parse().map(Some).map_err(|error| format!("SIM_TAPE: {path:?}: {error}"))
}

fn setup_failure(message: String) -> Report {
    let fault = Fault::of_check(FailureKind::Setup, message);
    let failure = Failure::new(fault, empty_tape(Seed(0)), "after the setting is corrected".into());
    Report { failure: Some(failure), ..Report::default() }
}

/// Of a failure that is not one run's.
fn empty_tape(seed: Seed) -> Tape {
    Tape { seed, strategy: Strategy::Calm, records: Vec::new(), names: BTreeMap::new() }
}

/// The main thread of a run.
fn run_main<F, Fut>(world: &Rc<World>, test: &F, site: Site)
where
    F: Fn() -> Fut,
    Fut: Future<Output: Outcome>,
{
    let finished = world.drive(MAIN_POOL, site, || {
        let output = poll_blocking(world, test(), site);
        if let Some(error) = output.error() {
            world.fail(FailureKind::Error, error);
        }
    });
    // A panic of the test is in the run's fault by now.
    drop(finished);
}

pub(super) type Main<'a> = &'a (dyn Fn(&Rc<World>) + Sync);

/// Does one run in `world`, which must not be spoiled.
pub(super) fn run_once(world: &Rc<World>, source: &Source, main: Main<'_>, watch: Watch) -> Ran {
    let traced = watch == Watch::Trace;
    world.begin(|choices| source.start_watched(choices, watch));
    world.set_tracing(traced);
    *world.trace.borrow_mut() = traced.then(Trace::default);
    match traced {
        true => trace::recording(|| main(world)),
        false => main(world),
    }
    world.set_tracing(false);
    let fault = world.take_fault();
    let choices = world.choices.borrow();
    let tape = (fault.is_some() || traced).then(|| Tape {
        seed: choices.seed(),
        strategy: match source {
            Source::Seed(..) | Source::Search(_) => choices.strategy(),
            Source::Tape(tape) => tape.strategy,
        },
        records: choices.records().to_vec(),
        names: world.names(),
    });
    Ran {
        fault,
        hash: choices.hash(),
        class: choices.class(),
        steps: world.steps(),
        told: Told { warnings: world.warnings.take(), properties: world.properties.take() },
        tape,
        trace: world.trace.borrow_mut().take().unwrap_or_default().lines,
        divergence: choices.divergence().map(|divergence| divergence.to_string()),
        task_names: if traced { world.task_names() } else { Vec::new() },
    }
}

/// Does one run on a thread of its own.
pub(super) fn run_apart(config: &Config, source: &Source, main: Main<'_>) -> Ran {
    on_thread(|| {
        let world = Rc::new(World::new(config.limits.clone()));
        let ran = run_once(&world, source, main, Watch::Trace);
        world.shut_down();
        ran
    })
}

/// Runs `f` on a new thread. A panic there is one of ours, and is passed on.
pub(super) fn on_thread<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    thread::scope(|scope| {
        let builder = thread::Builder::new().name(thread::current().name().unwrap_or("sim").into());
        let handle = builder.spawn_scoped(scope, f).expect("the system gives another thread");
        handle.join().unwrap_or_else(|payload: Box<dyn Any + Send>| resume_unwind(payload))
    })
}

fn replay_tape(config: &Config, tape: Tape, main: Main<'_>) -> Report {
    let config = &match tape.strategy {
        Strategy::Exhaustive => exhaustive::widen(config.clone()),
        _ => config.clone(),
    };
    let tape = Arc::new(tape);
    let ran = run_apart(config, &Source::Tape(tape), main);
    let trace = shown(&ran, config.trace);
    let mut report =
        Report { runs: 1, steps: ran.steps, warnings: ran.told.warnings, ..Report::default() };
    if let Some(divergence) = &ran.divergence {
        report.warnings.push(format!("the tape does not fit the run: {divergence}"));
    }
    report.failure = ran.fault.map(|fault| {
        let tape = ran.tape.expect("a run that is looked at keeps its tape");
        let mut failure = Failure::new(fault, tape, "with the same tape".into());
        failure.trace = trace;
        failure
    });
    report
}

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
struct Sweep<'a> {
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
    fn new(config: &'a Config, main: Main<'a>, site: Site) -> Sweep<'a> {
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
    fn report(mut self) -> Report {
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
        let told = self.tally.into_inner().unwrap().told();
        report.warnings = told.warnings;
        answer_for(self.config, self.site, &told.properties, &mut report);
        if self.config.single.is_none() {
            judge_properties(self.config, self.base, &mut report);
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
            let fault = Fault::of_check(FailureKind::UnreachedProperty, missing.join("\n  "));
            let tape = empty_tape(base);
            report.failure = Some(Failure::new(fault, tape, "with all its seeds".into()));
        }
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

/// The end of a trace as lines, or all of it.
pub(super) fn shown(ran: &Ran, all: bool) -> Vec<String> {
    let trace = &ran.trace;
    let from = if all { 0 } else { trace.len().saturating_sub(SHOWN) };
    let line = |line: &Line| {
        let task = match line.task {
            u32::MAX => "-",
            number => ran.task_names.get(number as usize).map_or("?", |name| name),
        };
        format!("{:>12?} {task}: {}", Duration::from_nanos(line.at_ns), line.text)
    };
    trace[from..].iter().map(line).collect()
}

/// The line that runs a failing seed again.
fn rerun_line(config: &Config, seed: Seed) -> String {
    let strategy = match std::env::var("SIM_STRATEGY") {
        Ok(strategy) if !strategy.is_empty() => format!(" SIM_STRATEGY={strategy}"),
        _ => String::new(),
    };
    // A check of one run learns nothing before it.
    let (one, seeds) = match config.seeds {
        1 => (" SIM_SEEDS=1", ".seeds(1)"),
        _ => ("", ""),
    };
    match (&config.name, config.from_env) {
        (None, false) => format!("sim::check(sim::Config::new().only_seed({seed}){seeds}, ..)"),
        _ => rerun(config, &format!("SIM_SEED={seed}{one}{strategy}")),
    }
}

/// The command that runs a named test, or this program, again with those variables.
pub(super) fn rerun(config: &Config, variables: &str) -> String {
    let Some(name) = &config.name else {
        let command: Vec<String> = std::env::args().collect();
        return format!("{variables} {}", command.join(" "));
    };
    // libtest's names leave out the crate's.
    let test = name.split_once("::").map_or(&**name, |(_, test)| test);
    let package = match std::env::var("CARGO_PKG_NAME") {
        Ok(package) => format!(" -p {package}"),
        Err(_) => String::new(),
    };
    format!("{variables} cargo test{package} {test} -- --exact")
}

/// Writes a file that is called as the test, if it has a name, and gives its path.
pub(super) fn write_out(config: &Config, end: &str, text: impl Fn() -> String) -> Option<PathBuf> {
    let name = config.name.as_ref()?;
    let folder = out(config)?;
    let path = folder.join(format!("{}{end}", name.replace("::", "-")));
    // A file that cannot be written takes nothing from the report: the seed is enough.
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, text()));
    written.ok().map(|()| path)
}

/// The folder for tapes and the like.
pub(super) fn out(config: &Config) -> Option<PathBuf> {
    config.out.clone().or_else(default_out)
}

/// `target/sim`, of the target folder that the test was built in; that of a doc test is not known.
fn default_out() -> Option<PathBuf> {
    let test = std::env::current_exe().ok()?;
    let of_cargo = matches!(test.parent()?.file_name()?.to_str()?, "deps" | "examples");
    Some(test.ancestors().nth(3)?.join("sim")).filter(|_| of_cargo)
}

/// The simulation behind runtimes outside of one: its seed is `SIM_SEED`, else it is calm.
pub(crate) fn ambient_world() -> Rc<World> {
    hook::install();
    os::link();
    let config = Config::from_env();
    if let Some(error) = &config.error {
        panic!("{error}");
    }
    let world = Rc::new(World::new(config.limits.clone()));
    world.ambient.set(true);
    world.begin(|choices| match config.single {
        Some(seed) => choices.start(seed, config.strategy),
        None => choices.start(Seed(0), Strategy::Calm),
    });
    world
}
