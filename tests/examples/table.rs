//! Prints how many runs each strategy takes to find each planted bug, as a table in markdown.
//!
//! `cargo run --release -p sim-tests --example table [PROGRAM ...]`

use sim::Config;
use sim_tests::{
    STRATEGIES,
    bugs::{BUGS, Bug},
    literature::LITERATURE,
};

/// Base seeds of each cell.
const BASES: u64 = 20;
/// Runs after which a search ends.
const LIMIT: u64 = 10_000;

fn main() {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let wanted: Vec<&str> = names.iter().map(|name| &**name).collect();
    println!("| program | strategy | found | mean | median | max |");
    println!("|---|---|--:|--:|--:|--:|");
    for bug in
        BUGS.iter().chain(LITERATURE).filter(|bug| wanted.is_empty() || wanted.contains(&bug.name))
    {
        for strategy in STRATEGIES {
            println!("{}", row(bug, strategy));
        }
    }
}

/// One row: of the searches that found the bug, how many runs they took.
fn row(bug: &Bug, strategy: &str) -> String {
    let mut runs: Vec<u64> =
        (0..BASES).filter_map(|base| runs_to_find(bug, strategy, base)).collect();
    runs.sort_unstable();
    let found = runs.len();
    let name = bug.name.replace('_', " ");
    let (Some(max), Some(median)) = (runs.last(), runs.get(found / 2)) else {
        return format!("| {name} | {strategy} | 0/{BASES} | | | |");
    };
    let mean = runs.iter().sum::<u64>() as f64 / found as f64;
    format!("| {name} | {strategy} | {found}/{BASES} | {mean:.1} | {median} | {max} |")
}

fn runs_to_find(bug: &Bug, strategy: &str, base: u64) -> Option<u64> {
    let config = Config::new().seed(base).seeds(LIMIT).strategy(strategy).recheck_every(0);
    let report = sim::check(config, bug.main);
    report.failure.map(|failure| {
        assert_eq!(failure.kind, bug.kind, "{}: {failure}", bug.name);
        report.runs
    })
}
