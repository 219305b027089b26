//! The loop over schedules: each class of equivalent ones is run once, until one fails or none is left.
//!
//! The search is a value, [`Explorer`], which the world of each run asks and tells. A search that is ended by a budget
//! is written into a file, from which the next check of the same test goes on.

use super::{
    Config, Failure, FailureKind, Report,
    rerun::{out, rerun, write_out},
    runner::{Main, Ran, Source, Watch, on_thread, run_apart, run_once, shown},
    sweep::{answer_for, fail_whole, judge_properties},
    tally::Told,
};
use crate::{
    point::Site,
    world::{Fault, World},
};
use sim_choice::{
    Record, Strategy, Tape,
    exhaustive::{Explorer, Limits},
};
use sim_sys::os;
use std::{fs, path::PathBuf, rc::Rc, sync::Arc};

/// As many workers as there are tasks, unless there is one: a schedule that is left out for want of a worker
/// would be one that the search has to know.
pub(super) fn widen(mut config: Config) -> Config {
    if config.limits.workers > 1 {
        config.limits.workers = u32::MAX;
    }
    config
}

/// All schedules of a test.
pub(super) fn search(config: &Config, main: Main<'_>, site: Site) -> Report {
    let deadline = |wall: std::time::Duration| os::real_monotonic_ns() + wall.as_nanos() as u64;
    let (explorer, resumed) = match resume(config) {
        Some(explorer) => (explorer, true),
        None => (Explorer::new(limits(config)), false),
    };
    let mut search = Searching {
        config,
        main,
        until_ns: config.wall.map(deadline),
        resumed,
        whole: !resumed,
        told: Told::default(),
        last: Vec::new(),
        report: Report::default(),
        narrowed: false,
    };
    let mut explorer = Some(explorer);
    while let Some(going_on) = explorer.take() {
        // A run that drew entropy, or that could not be taken down, has spoiled its thread.
        let (at, over) = on_thread(|| search.work(going_on));
        match over {
            true => search.end(&at, site),
            false => explorer = Some(at),
        }
    }
    search.report
}

fn limits(config: &Config) -> Limits {
    let depth = usize::try_from(config.limits.max_steps).unwrap_or(usize::MAX);
    let preemptions = config.preemptions;
    Limits { preemptions, depth: depth.min(Limits::default().depth) }
}

/// Where the search of a named test is kept.
fn checkpoint(config: &Config) -> Option<PathBuf> {
    let name = config.name.as_ref()?;
    Some(out(config)?.join(format!("{}.search", name.replace("::", "-"))))
}

/// The search that was ended by a budget, if it had the same limits.
fn resume(config: &Config) -> Option<Explorer> {
    let text = fs::read_to_string(checkpoint(config)?).ok()?;
    let explorer: Explorer = text.parse().ok()?;
    (explorer.limits() == limits(config)).then_some(explorer)
}

/// A search under way.
struct Searching<'a> {
    config: &'a Config,
    main: Main<'a>,
    until_ns: Option<u64>,
    /// It goes on from a file, and nothing has been run yet.
    resumed: bool,
    /// It began here, so that what its runs told is told of all.
    whole: bool,
    told: Told,
    /// The answers of the run before.
    last: Vec<Record>,
    report: Report,
    narrowed: bool,
}

impl Searching<'_> {
    /// Does runs until the search is over, or until the thread is used up; which of them.
    fn work(&mut self, explorer: Explorer) -> (Explorer, bool) {
        let world = Rc::new(World::new(self.config.limits.clone()));
        world.choices.borrow_mut().give_explorer(explorer);
        let source = Source::Search(self.config.seed);
        let over = loop {
            if !self.goes_on() || !begin(&world) {
                break true;
            }
            os::clear_drew_entropy();
            let ran = run_once(&world, &source, self.main, Watch::Strategy);
            if self.judge(&world, ran) {
                break true;
            }
            if os::drew_entropy() || world.is_spoiled() {
                break false;
            }
        };
        let explorer = world.choices.borrow_mut().take_explorer();
        world.shut_down();
        (explorer.unwrap_or_else(|| Explorer::new(limits(self.config))), over)
    }

    /// Whether the budget lasts.
    fn goes_on(&self) -> bool {
        let in_time = self.until_ns.is_none_or(|until| os::real_monotonic_ns() < until);
        self.report.runs == 0 || in_time && self.report.runs < self.config.schedules
    }

    /// Looks at what a run gave; whether the search is over.
    fn judge(&mut self, world: &Rc<World>, mut ran: Ran) -> bool {
        self.report.runs += 1;
        self.report.steps += ran.steps;
        self.told.add(std::mem::take(&mut ran.told));
        let records = world.choices.borrow().records().to_vec();
        let mut choices = world.choices.borrow_mut();
        let search = choices.search().expect("the run was one of a search");
        self.narrowed |= search.narrowed() > 0;
        let stop = search.stop();
        search.explorer().finish();
        let mismatch = search.explorer().mismatch().map(ToString::to_string);
        if let Some(mismatch) = mismatch {
            if std::mem::take(&mut self.resumed) {
                let changed =
                    "the program has changed since its search was written down: it begins anew";
                self.report.warnings.push(changed.into());
                self.whole = true;
                choices.give_explorer(Explorer::new(limits(self.config)));
                return false;
            }
            let tape = choices.tape(world.names());
            let message = format!("{mismatch}; {}", self.difference(&tape));
            drop(choices);
            self.fail(Fault::of_check(FailureKind::Nondeterminism, message), tape, Vec::new());
            return true;
        }
        self.resumed = false;
        self.last = records;
        drop(choices);
        // What is given up may fail in being taken down, which says nothing.
        match (stop, ran.fault, ran.tape) {
            (None, Some(fault), Some(tape)) => {
                self.confirm(fault, ran.hash, tape);
                true
            }
            _ => false,
        }
    }

    /// The first answer in which this run differs from the one before, as far as both were to be the same.
    fn difference(&self, tape: &Tape) -> String {
        let asked = |record: &Record| {
            let who =
                tape.names.get(&record.who).cloned().unwrap_or_else(|| record.who.to_string());
            format!("`{}` of {} answers in task {who}", record.kind, record.bound)
        };
        let question = |record: &Record| (record.lane, record.kind, record.who, record.bound);
        let pairs = self.last.iter().zip(&tape.records);
        match pairs.clone().position(|(one, other)| question(one) != question(other)) {
            Some(at) => format!(
                "choice {at} was {} in the run before, and is {} now",
                asked(&self.last[at]),
                asked(&tape.records[at])
            ),
            None => "the choices before it were the same".into(),
        }
    }

    /// A schedule fails: its tape has to fail in the same way.
    fn confirm(&mut self, fault: Fault, hash: u64, tape: Tape) {
        let again = run_apart(self.config, &Source::Tape(Arc::new(tape.clone())), self.main);
        let trace = shown(&again, self.config.trace);
        if again.hash == hash
            && let Some(fault) = again.fault
        {
            return self.fail(fault, tape, trace);
        }
        let mut message = String::from("a schedule failed, and did not when it was run again; ");
        message.push_str(again.divergence.as_deref().unwrap_or("its choices were the same"));
        message.push_str(&format!("\n  it failed with {:?}: {}", fault.kind, fault.message));
        self.fail(Fault::of_check(FailureKind::Nondeterminism, message), tape, trace);
    }

    fn fail(&mut self, fault: Fault, tape: Tape, trace: Vec<String>) {
        let mut failure = Failure::new(fault, tape, String::new());
        failure.trace = trace;
        let text = failure.tape.to_string();
        failure.tape_file = write_out(self.config, "-exhaustive.tape", || text.clone());
        failure.rerun = match &failure.tape_file {
            Some(file) => rerun(self.config, &format!("SIM_TAPE={}", file.display())),
            None => "sim::replay(&failure.tape, ..)".into(),
        };
        self.report.failure = Some(failure);
    }

    /// The search has come to its end, or to that of its budget.
    fn end(&mut self, explorer: &Explorer, site: Site) {
        let progress = explorer.progress();
        let mut told = std::mem::take(&mut self.told);
        let crossed = told.judge_orders(&self.config.limits.lints);
        answer_for(self.config, site, &told.properties, &mut self.report);
        self.report.faults = crate::faults::listed(&told.faults);
        self.report.warnings.splice(0..0, told.texts());
        if progress.done && self.whole {
            judge_properties(self.config, self.config.seed, &mut self.report);
        }
        fail_whole(FailureKind::LockOrder, crossed, self.config.seed, &mut self.report);
        self.report.exhaustive = Some(progress);
        if self.narrowed {
            let message = "questions with more than 256 answers, such as sim::any asks, were not gone through: \
                           they had the smallest";
            self.report.warnings.push(message.into());
        }
        let Some(file) = checkpoint(self.config) else { return };
        // A search that cannot be written is begun anew.
        let _ = match explorer.progress().done || self.report.failure.is_some() {
            true => fs::remove_file(file),
            false => file
                .parent()
                .map_or(Ok(()), fs::create_dir_all)
                .and_then(|()| fs::write(file, explorer.to_string())),
        };
    }
}

fn begin(world: &Rc<World>) -> bool {
    world.choices.borrow_mut().explorer().is_some_and(Explorer::begin)
}

/// Whether a check is a search.
pub(super) fn is_search(config: &Config) -> bool {
    config.strategy == Strategy::Exhaustive && config.single.is_none()
}
