//! The whole text of reports, for each kind of failure, as a user sees it. A report that has changed fails here; if it
//! is to be so, `INSTA_UPDATE=always cargo test -p sim-tests --test reports` writes it anew, and its difference
//! is part of the change.
//!
//! All runs are calm, so that the texts change with what reports say, and not with what strategies draw.

use sim::{Config, Level, Outcome, Report};
use sim_tests::reports;
use std::future::Future;

/// One calm run.
fn calm() -> Config {
    Config::new().strategy("calm").seeds(1)
}

/// Fails if the text of the report is not that of the snapshot.
fn check<F, Fut>(name: &str, config: Config, test: F) -> Report
where
    F: Fn() -> Fut + Sync,
    Fut: Future<Output: Outcome>,
{
    let report = sim::check(config, test);
    compare(name, &report.to_string());
    report
}

fn compare(name: &str, text: &str) {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    assert!(!text.contains(here) && !text.contains(" /"), "a path of this machine: {text}");
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn panic() {
    check("panic", calm(), reports::panic);
}

#[test]
fn panic_of_a_task_that_main_unwraps() {
    check("panic_of_a_task", calm(), reports::panic_of_a_task);
}

#[test]
fn error() {
    check("error", calm(), reports::error);
}

#[test]
fn deadlock() {
    check("deadlock", calm(), reports::deadlock);
}

#[test]
fn deadlock_of_some_beside_others() {
    check("deadlock_of_some", calm(), reports::deadlock_of_some);
}

#[test]
fn livelock() {
    check("livelock", calm().spin_limit(100_000), reports::livelock);
}

#[test]
fn swallowed_panic() {
    check("swallowed_panic", calm(), reports::swallowed_panic);
}

#[test]
fn ignored_panic() {
    check("ignored_panic", calm().lint("ignored_panic", Level::Deny), reports::ignored_panic);
}

#[test]
fn swallowed_error_for_people_and_for_programs() {
    let report = check("swallowed_error", calm(), reports::swallowed_error);
    compare("swallowed_error_json", &report.to_json());
}

#[test]
fn warnings_of_what_leaks() {
    check("leaked", calm(), reports::leaked);
}

#[test]
fn leaked_task() {
    check("leaked_task", calm().lint("leaked_task", Level::Deny), reports::leaked);
}

#[test]
fn leaked_permit() {
    check("leaked_permit", calm().lint("leaked_permit", Level::Deny), reports::leaked);
}

#[test]
fn lock_order() {
    check("lock_order", calm().lint("lock_order", Level::Deny), reports::lock_order);
}

#[test]
fn blocked_poll() {
    let config = calm().poll_limit(std::time::Duration::from_millis(100));
    check("blocked_poll", config, reports::blocked_poll);
}

#[test]
fn escape() {
    check("escape", calm(), reports::escape);
}

#[test]
fn property() {
    check("property", calm(), reports::property);
}

#[test]
fn invariant() {
    check("invariant", calm(), reports::invariant);
}

#[test]
fn late() {
    check("late", calm(), reports::late);
}

#[test]
fn history() {
    check("history", calm(), reports::history);
}

#[test]
fn unreached_property() {
    check("unreached_property", calm().lint("unreached_property", Level::Deny), reports::unreached);
}

#[test]
fn data_race() {
    check("data_race", calm(), reports::data_race);
}

#[test]
fn time_limit() {
    check("time_limit", calm().time_limit(std::time::Duration::from_secs(60)), reports::no_end);
}

#[test]
fn step_limit() {
    check("step_limit", calm().max_steps(1_000), reports::no_end);
}

#[test]
fn stack_overflow() {
    check("stack_overflow", calm().stack_size(100_000), reports::stack_overflow);
}

#[test]
fn abort() {
    check("abort", calm(), reports::abort);
}

#[test]
fn setup() {
    check("setup", calm().lint("leaked_tusk", Level::Deny), async || {});
}

#[test]
fn passed() {
    check("passed", Config::new().strategy("calm").seeds(3), async || {});
}
