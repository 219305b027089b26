//! Power: every planted bug is found within a budget of runs, whatever the base seed, and what is
//! found is found again from its seed and from its tape.

use sim::{Config, Failure};
use sim_tests::{
    STRATEGIES,
    bugs::{BUGS, Bug},
};

/// Runs until a bug has to be found.
const BUDGET: u64 = 2_000;
/// Base seeds, so that no bug is found by luck.
const BASES: u64 = 20;

#[test]
fn each_bug_is_found_by_the_default_strategy() {
    for bug in BUGS {
        for base in 0..BASES {
            let failure = find(bug, Config::new().seed(base));
            check_again(bug, &failure);
        }
    }
}

#[test]
fn each_bug_is_found_by_each_strategy() {
    for bug in BUGS {
        for strategy in STRATEGIES {
            for base in 100..100 + BASES {
                find(bug, Config::new().seed(base).strategy(strategy));
            }
        }
    }
}

/// The first failure, which has to come within the budget and to be of the expected kind.
fn find(bug: &Bug, config: Config) -> Failure {
    let report = sim::check(config.clone().seeds(BUDGET), bug.main);
    let Some(failure) = report.failure else {
        panic!("{} was not found: {config:?}", bug.name);
    };
    assert_eq!(failure.kind, bug.kind, "{}: {failure}", bug.name);
    assert!(report.runs <= BUDGET, "{}: {} runs", bug.name, report.runs);
    failure
}

/// The seed alone, and the tape alone, give the same failure.
fn check_again(bug: &Bug, failure: &Failure) {
    let seed = sim::check(Config::new().only_seed(failure.seed.0), bug.main);
    assert_eq!(seed.runs, 1, "{}", bug.name);
    let tape = sim::replay(&failure.tape, bug.main);
    assert_eq!(tape.warnings, [""; 0], "{}: the tape diverged", bug.name);
    for report in [seed, tape] {
        let again = report.failure.unwrap_or_else(|| panic!("{} passed: {failure}", bug.name));
        assert_eq!(again.kind, failure.kind, "{}", bug.name);
        assert_eq!(again.message, failure.message, "{}", bug.name);
        assert_eq!(again.at, failure.at, "{}", bug.name);
        assert_eq!(again.task, failure.task, "{}", bug.name);
        assert_eq!(again.seed, failure.seed, "{}", bug.name);
        assert_eq!(again.tape.records, failure.tape.records, "{}", bug.name);
    }
}
