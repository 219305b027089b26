//! Prints how many schedules an exhaustive search runs, beside how many there are up to equivalence, and what
//! loom 0.7 needs: `cargo run --release -p sim-tests --example exhaustive`.

use sim::Config;
use sim_tests::exhaustive::{PROGRAMS, Program};

fn main() {
    println!("{:<34} {:>7} {:>10} {:>7} {:>9}", "program", "classes", "executions", "loom", "time");
    for &Program { name, classes, loom, run } in PROGRAMS {
        let begin = std::time::Instant::now();
        let report = run(Config::new().exhaustive(true));
        let took = begin.elapsed();
        println!("{name:<34} {classes:>7} {:>10} {loom:>7} {took:>9.2?}", report.runs);
        if let Some(failure) = report.failure {
            println!("{failure}");
        }
    }
}
