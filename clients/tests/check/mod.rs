//! What programs with clients are held to.

use sim::{Config, Report};
use std::future::Future;

const SEEDS: u64 = 30;

/// Runs `main` under many seeds, which all have to pass, without a word.
#[track_caller]
pub(crate) fn passes<Fut: Future<Output = ()>>(main: impl Fn() -> Fut + Sync) -> Report {
    let report = sim::check(Config::new().seeds(SEEDS), main);
    assert!(report.failure.is_none(), "{report}");
    assert!(report.warnings.is_empty(), "{report}");
    report
}
