//! Each program for learners: the bug is found, and the corrected program passes.

use sim::{Config, FailureKind, Outcome};
use sim_clients::{redis_counter, redis_lock, retried_order};
use std::future::Future;

fn found<B, C>(words: &str, broken: fn() -> B, corrected: fn() -> C)
where
    B: Future<Output: Outcome>,
    C: Future<Output: Outcome>,
{
    let config = Config::new().seeds(100);
    let report = sim::check(config.clone(), broken);
    let text = report.to_string();
    assert_eq!(report.failure.map(|failure| failure.kind), Some(FailureKind::Panic), "{text}");
    assert!(text.contains(words), "{text}");
    let report = sim::check(config, corrected);
    assert!(report.failure.is_none(), "{report}");
    assert!(report.warnings.is_empty(), "{report}");
}

#[test]
fn visits_that_do_not_count() {
    found("visits are missing", redis_counter::broken, redis_counter::corrected);
}

#[test]
fn lock_that_two_have() {
    found("changes are lost", redis_lock::broken, redis_lock::corrected);
}

#[test]
fn orders_that_are_taken_twice() {
    found("not one order each", retried_order::broken, retried_order::corrected);
}
