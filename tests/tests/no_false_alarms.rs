//! No false alarm: correct programs pass under every schedule that is tried, and without a warning.

use sim::Config;
use sim_tests::{
    STRATEGIES,
    correct::{CORRECT, Correct},
};

/// Runs of each program.
const RUNS: u64 = 2_000;
/// Runs of each program under one of the strategies that the default rotates.
const RUNS_EACH: u64 = 500;

#[test]
fn correct_programs_pass() {
    for program in CORRECT {
        check(program, Config::new(), RUNS);
    }
}

#[test]
fn correct_programs_pass_under_each_strategy() {
    for program in CORRECT {
        for strategy in STRATEGIES {
            check(program, Config::new().seed(1).strategy(strategy), RUNS_EACH);
        }
    }
}

#[test]
fn correct_programs_pass_on_a_current_thread_runtime() {
    for program in CORRECT {
        check(program, Config::new().seed(2).current_thread(), RUNS);
    }
}

#[test]
fn correct_programs_pass_when_calm() {
    for program in CORRECT {
        let report = sim::check(Config::new().strategy("calm").seeds(1), program.main);
        assert!(report.failure.is_none(), "{}: {report}", program.name);
    }
}

fn check(program: &Correct, config: Config, runs: u64) {
    let report = sim::check(config.seeds(runs), program.main);
    assert!(report.failure.is_none(), "{}: {report}", program.name);
    assert_eq!(report.runs, runs, "{}", program.name);
    assert_eq!(report.warnings, [""; 0], "{}", program.name);
}
