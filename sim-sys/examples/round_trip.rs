//! What it costs to resume a fiber that suspends itself at once:
//! `cargo run --release -p sim-sys --example round_trip`.

use sim_sys::fiber::{Fiber, Outcome, Stack, suspend};
use std::time::Instant;

const TRIPS: u32 = 50_000_000;

fn main() {
    let stack = Stack::new(64 << 10).expect("there is memory for a stack");
    let mut fiber = Fiber::new(stack, || {
        loop {
            suspend();
        }
    });
    let start = Instant::now();
    for _ in 0..TRIPS {
        assert_eq!(fiber.resume(), Outcome::Suspended);
    }
    println!("{:.2} ns", start.elapsed().as_nanos() as f64 / f64::from(TRIPS));
}
