//! What the oracles say of programs with a mistake, with the names and places that a user needs; and that they say
//! nothing of corrected twins and of legal programs that come close to a mistake.

use sim::{Config, FailureKind, Level, Report};
use sim_tests::{
    again::check_again_with,
    oracles::{ORDERED, Program, broken, legal, says},
};
use std::{collections::BTreeMap, time::Duration};

/// Runs in which a mistake has to be found.
const RUNS: u64 = 2_000;
/// Runs in which nothing may be found. `cargo run --release -p sim-tests --example oracles` has 5,000 of them.
const QUIET_RUNS: u64 = 1_000;

/// The report has to say all that is expected of it.
fn check_words(program: &Program, report: &Report) {
    let text = report.to_string();
    for expected in program.says {
        assert!(says(&text, expected), "{}: {expected:?} is not in {text}", program.name);
    }
}

fn check_mistake(program: &Program) {
    let mut settings = (program.settings)(Config::new().seeds(RUNS));
    if program.is_warning() {
        let report = sim::check(settings.clone(), program.broken);
        assert!(report.failure.is_none(), "{}: {report}", program.name);
        check_words(program, &report);
        settings = settings.lint("all", Level::Deny);
    }
    let report = sim::check(settings.clone(), program.broken);
    let Some(failure) = &report.failure else { panic!("{}: {report}", program.name) };
    assert_eq!(failure.kind, program.kind, "{}: {report}", program.name);
    // It ends a check, not one of its runs, and names what comes first.
    if program.kind != FailureKind::UnreachedProperty {
        check_words(program, &report);
        check_again_with(&settings, program.name, program.broken, failure);
    }
}

#[test]
fn mistakes_are_told_with_names_and_places() {
    broken().for_each(check_mistake);
}

#[test]
fn corrected_programs_pass() {
    for program in broken() {
        let report = program.check_corrected(QUIET_RUNS);
        assert!(report.failure.is_none(), "{}: {report}", program.name);
        assert_eq!(report.runs, QUIET_RUNS, "{}", program.name);
    }
}

#[test]
fn legal_programs_pass() {
    for (name, main) in legal() {
        let report = sim::check(Config::new().seeds(QUIET_RUNS), main);
        assert!(report.failure.is_none(), "{name}: {report}");
        assert_eq!(report.runs, QUIET_RUNS, "{name}");
    }
}

#[test]
fn each_oracle_has_programs() {
    use FailureKind::*;
    let mut kinds = BTreeMap::new();
    for program in broken() {
        *kinds.entry(format!("{:?}", program.kind)).or_insert(0) += 1;
    }
    for kind in [
        Deadlock,
        LockOrder,
        SwallowedPanic,
        SwallowedError,
        LeakedTask,
        LeakedPermit,
        Livelock,
        BlockedPoll,
        Escape,
        Assertion,
        UnreachedProperty,
    ] {
        assert!(kinds.contains_key(&format!("{kind:?}")), "{kind:?} is not in {kinds:?}");
    }
    assert!(kinds.values().sum::<u32>() >= 40, "{kinds:?}");
    assert!(legal().count() >= 20);
}

#[test]
fn locks_that_cannot_be_waited_for_in_a_circle_are_left_alone() {
    for (name, main) in ORDERED {
        let report = sim::check(Config::new().seeds(RUNS), *main);
        assert!(report.failure.is_none(), "{name}: {report}");
        assert_eq!(report.warnings, [""; 0], "{name}");
    }
}

/// A task that was spawned after those of the cycle might have their handles: nothing is said, until the run
/// comes to its limit.
#[test]
fn cycles_that_somebody_might_end_are_told_at_the_limit() {
    let report = sim::check(Config::new().time_limit(Duration::from_secs(1_000)), || async {
        let locks = [0, 1].map(sim::sync::Mutex::new);
        let locks = std::sync::Arc::new(locks);
        let [one, two] = [0, 1].map(|first| {
            let locks = locks.clone();
            sim::spawn(async move {
                let _first = locks[first].lock().await;
                sim::time::sleep(Duration::from_millis(1)).await;
                let _second = locks[1 - first].lock().await;
            })
        });
        sim::spawn(async {
            loop {
                sim::time::sleep(Duration::from_secs(1)).await;
            }
        });
        one.await.unwrap();
        two.await.unwrap();
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Deadlock, "{failure}");
    assert!(failure.message.contains("cycle: main/0 -> main/1 -> main/0"), "{failure}");
    assert!(failure.message.contains("has not ended within 1000s of virtual time"), "{failure}");
    assert!(failure.at >= Duration::from_secs(999), "{failure}");
}
