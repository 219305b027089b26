//! Power: every planted bug is found within a budget of runs, whatever the base seed, and what is
//! found is found again from its seed and from its tape.

use sim::{Config, Failure};
use sim_tests::{
    STRATEGIES,
    again::check_again,
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
            check_again(bug.name, bug.main, &failure);
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
