//! Prints in which run the oracles find each mistake, and that they find nothing in corrected and in legal programs:
//!
//! ```text
//! cargo run --release -p sim-tests --example oracles [RUNS]     5000, of each program without a mistake
//! ```

use sim::{Config, Level, Report};
use sim_tests::oracles::{broken, legal};
use std::{process::ExitCode, time::Instant};

fn main() -> ExitCode {
    let runs = std::env::args().nth(1).map_or(Ok(5_000), |runs| runs.parse());
    let Ok(runs) = runs else {
        eprintln!("error: the number of runs is to be a number");
        return ExitCode::FAILURE;
    };
    let begin = Instant::now();
    let mut wrong = 0;
    println!("{:<34} {:<18} {:>5}  corrected", "mistake", "kind", "run");
    for program in broken() {
        let mut settings = (program.settings)(Config::new().seeds(2_000));
        if program.is_warning() {
            settings = settings.lint("all", Level::Deny);
        }
        let report = sim::check(settings, program.broken);
        let kind = report.failure.as_ref().map(|failure| failure.kind);
        let found = if kind == Some(program.kind) { report.runs.to_string() } else { "?".into() };
        let corrected = program.check_corrected(runs);
        wrong += u32::from(kind != Some(program.kind)) + u32::from(corrected.failure.is_some());
        let kind = format!("{:?}", program.kind);
        println!("{:<34} {kind:<18} {found:>5}  {}", program.name, verdict(&corrected));
    }
    println!("\n{:<34} verdict", "legal");
    for (name, main) in legal() {
        let report = sim::check(Config::new().seeds(runs), main);
        wrong += u32::from(report.failure.is_some());
        println!("{name:<34} {}", verdict(&report));
    }
    let (mistakes, legal) = (broken().count(), legal().count());
    println!(
        "\n{mistakes} mistakes, {legal} legal programs, {wrong} wrong, {:.1?}",
        begin.elapsed()
    );
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn verdict(report: &Report) -> String {
    match &report.failure {
        None => format!("passed {} runs", report.runs),
        Some(failure) => {
            format!("run {} failed, {:?}: {}", report.runs, failure.kind, failure.message)
        }
    }
}
