//! The write-ahead log: each mistake is found within the default seeds, and the corrected store survives.

use sim::{Config, FailureKind};
use sim_examples::wal;

fn found<F: Future<Output = ()>>(words: &str, broken: fn() -> F) {
    let report = sim::check(Config::new(), broken);
    let text = report.to_string();
    let failure = report.failure.unwrap_or_else(|| panic!("not found: {text}"));
    println!("found in run {}: {}", report.runs, failure.message);
    assert_eq!(failure.kind, FailureKind::Panic, "{text}");
    assert!(failure.message.contains(words), "{text}");
}

const LOST: &str = "was acknowledged, and ";

#[test]
fn acknowledged_before_the_sync() {
    found(LOST, wal::acknowledges_before_sync);
}

#[test]
fn renamed_without_a_sync_of_the_folder() {
    found(LOST, wal::forgets_folder_sync);
}

#[test]
fn records_without_a_checksum() {
    found("nobody wrote what is there", wal::has_no_checksum);
}

#[test]
fn a_sync_that_failed_is_tried_again() {
    found(LOST, wal::retries_sync);
}

#[test]
fn the_log_is_deleted_too_early() {
    found(LOST, wal::deletes_log_early);
}

/// `SIM_SEEDS=2500 cargo test --release -p sim-examples --test wal survives` is 10,000 crashes and more.
#[test]
fn the_corrected_store_survives() {
    let report = sim::check(Config::from_env(), wal::corrected);
    assert!(report.failure.is_none(), "{report}");
}
