//! The ported bugs: each is found, fails as it should, needs what it is said to need, and is found again
//! from its seed and from its tape; and each correction passes.

use sim::{Config, Failure};
use sim_tests::{
    again::check_again,
    ported::{self, Ported, page, ported},
};

/// Runs until a bug has to be found.
const BUDGET: u64 = 10_000;
/// Base seeds, so that no bug is found by luck.
const BASES: u64 = 5;
/// Runs of each corrected program.
const RUNS: u64 = 2_000;

#[test]
fn each_bug_is_found_by_the_default_strategy() {
    for bug in ported().filter(|bug| bug.missed().is_none()) {
        for base in 0..BASES {
            let failure = find(bug, Config::new().seed(base));
            check_again(bug.name, bug.main, &failure);
        }
    }
}

/// What is missed today, with the reason. A program that fails here is found now, and leaves the list.
#[test]
fn unseen_bugs_are_missed() {
    for (name, reason) in ported::UNSEEN {
        let bug = ported().find(|bug| bug.name == *name).expect(name);
        let report = sim::check(Config::new().seeds(RUNS), bug.main);
        assert!(report.failure.is_none(), "{name} ({reason}) is found now: {report}");
    }
}

/// A search of these may end without a failure; a failure has to be the one that is meant.
#[test]
fn what_is_seldom_found_is_what_is_meant() {
    for (name, _reason) in ported::SELDOM {
        let bug = ported().find(|bug| bug.name == *name).expect(name);
        let report = sim::check(Config::new().seeds(500).recheck_every(0), bug.main);
        if let Some(failure) = report.failure {
            check_kind(bug, &failure);
        }
    }
}

/// One worker switches only where a poll is pending.
#[test]
fn only_what_needs_no_preemption_is_found_on_one_worker() {
    for bug in ported().filter(|bug| !bug.of_threads && bug.missed().is_none()) {
        let config = Config::new().current_thread();
        if bug.needs_switch_in_poll() {
            let report = sim::check(config.seeds(RUNS), bug.main);
            assert!(report.failure.is_none(), "{}: {report}", bug.name);
        } else {
            find(bug, config);
        }
    }
}

#[test]
fn corrected_programs_pass() {
    for bug in ported() {
        let Some(fixed) = bug.fixed else { continue };
        let report = sim::check(Config::new().seeds(RUNS), fixed);
        assert!(report.failure.is_none(), "{}: {report}", bug.name);
        assert_eq!(report.runs, RUNS, "{}", bug.name);
        assert_eq!(report.warnings, [""; 0], "{}", bug.name);
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = ported().map(|bug| bug.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

/// `cargo run -p sim-tests --example table -- --page > docs/bugs.md` writes it.
#[test]
fn the_page_lists_all() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/bugs.md");
    let written = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    assert!(written == page(), "docs/bugs.md is not up to date: write it again as told above");
}

/// The first failure, which has to come within the budget and to be the one that is meant.
fn find(bug: &Ported, config: Config) -> Failure {
    let report = sim::check(config.clone().seeds(BUDGET).recheck_every(0), bug.main);
    let Some(failure) = report.failure else {
        panic!("{} was not found: {config:?}", bug.name);
    };
    check_kind(bug, &failure);
    failure
}

fn check_kind(bug: &Ported, failure: &Failure) {
    assert_eq!(failure.kind, bug.kind, "{}: {failure}", bug.name);
    assert!(failure.message.contains(bug.words), "{}: {failure}", bug.name);
    assert!(failure.tape.preemptions() >= bug.preemptions, "{}: {failure}", bug.name);
}
