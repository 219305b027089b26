//! Each example: the bug is found, of the expected kind, and the corrected program passes.

use sim::{Config, FailureKind, Level, Outcome, time::Duration};
use sim_examples::{
    bank, busy_loop, forgotten_error, gossip, kept_lock, last_item, philosophers, replicated,
    stale_read, throttle,
};
use std::future::Future;

fn found<B, C>(
    config: Config,
    kind: FailureKind,
    words: &str,
    broken: fn() -> B,
    corrected: fn() -> C,
) where
    B: Future<Output: Outcome>,
    C: Future<Output: Outcome>,
{
    let report = sim::check(config.clone(), broken);
    let text = report.to_string();
    assert_eq!(report.failure.map(|failure| failure.kind), Some(kind), "{text}");
    assert!(text.contains(words), "{text}");
    let report = sim::check(config, corrected);
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn money_that_is_lost() {
    found(
        Config::new(),
        FailureKind::Panic,
        "the bank's sum has changed",
        bank::broken,
        bank::corrected,
    );
}

#[test]
fn loop_that_keeps_its_worker() {
    let config = Config::new().poll_limit(Duration::from_millis(200));
    let words = "without a scheduling point";
    found(config, FailureKind::BlockedPoll, words, busy_loop::broken, busy_loop::corrected);
}

#[test]
fn error_that_nobody_looks_at() {
    let (broken, corrected) = (forgotten_error::broken, forgotten_error::corrected);
    found(Config::new(), FailureKind::SwallowedError, "the printer is busy", broken, corrected);
}

#[test]
fn lock_that_is_kept() {
    let config = Config::new().lint("leaked_task", Level::Deny);
    found(
        config,
        FailureKind::LeakedTask,
        "holds the lock",
        kept_lock::broken,
        kept_lock::corrected,
    );
}

#[test]
fn item_that_is_sold_twice() {
    let words = "the invariant \"no item is sold twice\" does not hold: -1 are left";
    found(Config::new(), FailureKind::Assertion, words, last_item::broken, last_item::corrected);
}

#[test]
fn forks_that_are_waited_for() {
    let (broken, corrected) = (philosophers::broken, philosophers::corrected);
    found(Config::new(), FailureKind::Deadlock, "cycle: ", broken, corrected);
}

#[test]
fn reads_that_are_stale() {
    let (broken, corrected) = (stale_read::broken, stale_read::corrected);
    found(Config::new(), FailureKind::Assertion, "is not linearizable", broken, corrected);
}

#[test]
fn calls_beyond_the_limit() {
    let config = Config::new().seeds(3);
    found(config, FailureKind::Error, "429", throttle::broken, throttle::corrected);
}

#[test]
fn reads_of_a_leader_that_was_cut_off() {
    let (broken, corrected) = (replicated::broken, replicated::corrected);
    found(Config::new(), FailureKind::Assertion, "is not linearizable", broken, corrected);
}

#[test]
fn machine_that_is_not_believed() {
    let config = Config::new().seeds(2);
    let words = "has not come about within 40s";
    found(config, FailureKind::Assertion, words, gossip::broken, gossip::corrected);
}
