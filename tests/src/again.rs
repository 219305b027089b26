//! What a run found is found again: by its seed alone, and by its tape alone.

use crate::Main;
use sim::{Config, Failure};

/// Runs `main` from the seed and from the tape of `failure`, which the default strategy found.
///
/// # Panics
///
/// Panics if one of them does not end in the same failure.
pub fn check_again(name: &str, main: fn() -> Main, failure: &Failure) {
    check_again_with(&Config::new(), name, main, failure);
}

/// As [`check_again`], of a failure that was found with these settings.
///
/// # Panics
///
/// As [`check_again`].
pub fn check_again_with(settings: &Config, name: &str, main: fn() -> Main, failure: &Failure) {
    let seed = sim::check(settings.clone().only_seed(failure.seed.0), main);
    assert_eq!(seed.runs, 1, "{name}");
    let tape = sim::replay_with(settings.clone(), &failure.tape, main);
    assert_eq!(tape.warnings, [""; 0], "{name}: the tape diverged");
    for report in [seed, tape] {
        let again = report.failure.unwrap_or_else(|| panic!("{name} passed: {failure}"));
        assert_eq!(again.kind, failure.kind, "{name}");
        assert_eq!(again.message, failure.message, "{name}");
        assert_eq!(again.at, failure.at, "{name}");
        assert_eq!(again.task, failure.task, "{name}");
        assert_eq!(again.seed, failure.seed, "{name}");
        assert_eq!(again.tape.records, failure.tape.records, "{name}");
    }
}
