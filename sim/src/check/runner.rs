//! What users call to check a test, and one run of it.
//!
//! Runs take place on threads of their own. std seeds its hash maps once a thread, so a thread on
//! which a run drew entropy is not used for another: the next run would see the former's keys.

use super::{
    Config, Failure, FailureKind, Outcome, Report, exhaustive, hook, rerun::write_out,
    sweep::Sweep, tally::Told,
};
use crate::{
    context::{self, poll_blocking},
    faults,
    fnv::fnv,
    point::Site,
    property::Catalogue,
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
    rc::Rc,
    sync::Arc,
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
    pub(super) class: Option<u64>,
    pub(super) steps: u64,
    pub(super) told: Told,
    /// Only of a run that is looked at, or that failed.
    pub(super) tape: Option<Tape>,
    pub(super) trace: Vec<Line>,
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
pub(super) fn empty_tape(seed: Seed) -> Tape {
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
        told: Told {
            warnings: world.warnings.take(),
            properties: world.properties.take(),
            faults: world.fault_counts(),
            orders: world.lock_orders(),
            ..Told::default()
        },
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
    let mut report = Report {
        runs: 1,
        steps: ran.steps,
        faults: faults::listed(&ran.told.faults),
        ..Report::default()
    };
    report.warnings = ran.told.texts();
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
