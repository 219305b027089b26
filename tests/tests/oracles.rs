//! Deadlocks are named, with their cycles and places; corrected twins and legal programs that look like
//! deadlocks are left alone.

use sim::{Config, FailureKind, Level};
use sim_tests::{
    again::check_again,
    oracles::{
        ORDERED, WAITS, all, both_orders, lock_that_is_kept, permit_that_is_forgotten,
        server_without_a_lock, with_places,
    },
};
use std::time::Duration;

/// Runs until a deadlock has to be found, and in which nothing must be found in other programs.
const RUNS: u64 = 2_000;

#[test]
fn deadlocks_are_told_with_cycles_and_places() {
    for program in all() {
        let report = sim::check(Config::new().seeds(RUNS), program.broken);
        let failure = report.failure.unwrap_or_else(|| panic!("{} passed", program.name));
        assert_eq!(failure.kind, FailureKind::Deadlock, "{}: {failure}", program.name);
        for expected in program.says {
            let expected = with_places(expected);
            assert!(
                failure.message.contains(&expected),
                "{}: {expected:?} is not in {failure}",
                program.name
            );
        }
        check_again(program.name, program.broken, &failure);
    }
}

#[test]
fn corrected_programs_pass() {
    for program in all() {
        let report = sim::check(Config::new().seeds(RUNS), program.corrected);
        assert!(report.failure.is_none(), "{}: {report}", program.name);
        assert_eq!(report.runs, RUNS, "{}", program.name);
    }
}

#[test]
fn legal_programs_pass() {
    for (name, main) in WAITS {
        let report = sim::check(Config::new().seeds(RUNS), *main);
        assert!(report.failure.is_none(), "{name}: {report}");
        assert_eq!(report.runs, RUNS, "{name}");
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

#[test]
fn locks_in_both_orders_are_told_without_a_deadlock() {
    let report = sim::check(Config::new().strategy("calm").seeds(1), both_orders);
    assert!(report.failure.is_none(), "{report}");
    let [warning] = &report.warnings[..] else { panic!("{:?}", report.warnings) };
    for expected in [
        "two locks are taken in both orders",
        "a task spawned at {both one}",
        "at {both one first}",
        "at {both one second}",
        "a task spawned at {both two}",
        "at {both two first}",
        "at {both two second}",
    ] {
        let expected = with_places(expected);
        assert!(warning.contains(&expected), "{expected:?} is not in {warning}");
    }
    let config = Config::new().strategy("calm").seeds(1).lint("lock_order", Level::Deny);
    let failure = sim::check(config, both_orders).failure.unwrap();
    assert_eq!(failure.kind, FailureKind::LockOrder, "{failure}");
}

#[test]
fn locks_that_cannot_be_waited_for_in_a_circle_are_left_alone() {
    for (name, main) in ORDERED {
        let report = sim::check(Config::new().seeds(RUNS), *main);
        assert!(report.failure.is_none(), "{name}: {report}");
        assert_eq!(report.warnings, [""; 0], "{name}");
    }
}

#[test]
fn locks_and_permits_that_are_kept_for_ever_are_told() {
    let kept = sim::check(Config::new().seeds(RUNS), lock_that_is_kept);
    let lost = sim::check(Config::new().seeds(RUNS), permit_that_is_forgotten);
    let expected = [
        (kept, ["spawned at {kept task}", "created at {kept lock}", "taken at {kept taken}"]),
        (lost, ["waits at {lost wait}", "created at {lost slots}", "taken at {lost taken}"]),
    ];
    for (report, places) in expected {
        assert!(report.failure.is_none(), "{report}");
        let [warning] = &report.warnings[..] else { panic!("{:?}", report.warnings) };
        for place in places {
            let place = with_places(place);
            assert!(warning.contains(&place), "{place:?} is not in {warning}");
        }
    }
    let config = || Config::new().lint("all", Level::Deny);
    let failure = sim::check(config(), lock_that_is_kept).failure.unwrap();
    assert_eq!(failure.kind, FailureKind::LeakedTask, "{failure}");
    let failure = sim::check(config(), permit_that_is_forgotten).failure.unwrap();
    assert_eq!(failure.kind, FailureKind::LeakedPermit, "{failure}");
    let report = sim::check(config().seeds(RUNS), server_without_a_lock);
    assert!(report.failure.is_none(), "{report}");
}
