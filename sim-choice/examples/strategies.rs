//! Prints how many runs each strategy takes to make each program of the laboratory fail, in markdown: the
//! mean over those of the base seeds that found it, and how many did not.
//!
//! `cargo run --release -p sim-choice --example strategies [BASES [LIMIT]]`

#[path = "../tests/lab/mod.rs"]
#[allow(unreachable_pub, dead_code)]
mod lab;

use sim_choice::{Seed, Strategy};

const STRATEGIES: [Strategy; 8] = [
    Strategy::Random,
    Strategy::Sticky,
    Strategy::Pct,
    Strategy::Pos,
    Strategy::Urw,
    Strategy::Surw,
    Strategy::Lockstep,
    Strategy::Portfolio,
];

fn main() {
    let number = |nth, default| {
        std::env::args().nth(nth).map_or(default, |text| text.parse().expect("a number"))
    };
    let (bases, limit) = (number(1, 20), number(2, 10_000));
    print!("| program |");
    STRATEGIES.iter().for_each(|strategy| print!(" {strategy} |"));
    println!("\n|---|{}", "--:|".repeat(STRATEGIES.len()));
    for program in lab::programs::all() {
        print!("| {} |", program.name);
        for strategy in STRATEGIES {
            let search = |base| lab::runs_to_fail(&program, strategy, Seed(base), limit);
            let found: Vec<u64> = (0..bases).filter_map(search).collect();
            let missed = bases - found.len() as u64;
            match found.len() as u64 {
                0 => print!(" 0/{bases} |"),
                count => print!(" {:.1}", found.iter().sum::<u64>() as f64 / count as f64),
            }
            if missed > 0 && missed < bases {
                print!(" ({missed} missed)");
            }
            if missed < bases {
                print!(" |");
            }
        }
        println!();
    }
}
