//! Power: which programs of the laboratory the strategies make fail, and in how few runs.

#[allow(unreachable_pub, dead_code)]
mod lab;

use sim_choice::{Choices, Seed, Strategy};
use std::sync::Arc;

/// The mean over twenty base seeds, each of which has to find it.
fn mean(program: &lab::Program, strategy: Strategy) -> u64 {
    let search = |base| {
        lab::runs_to_fail(program, strategy, Seed(base), 10_000)
            .unwrap_or_else(|| panic!("{} is not found by {strategy} of base {base}", program.name))
    };
    (1000..1020).map(search).sum::<u64>() / 20
}

#[test]
fn the_portfolio_finds_every_program() {
    for program in lab::programs::all() {
        let mean = mean(&program, Strategy::Portfolio);
        assert!(mean < 150, "{}: {mean} runs", program.name);
    }
}

/// What a random walk never finds, and published strategies in 42, 130, 26 and 454 runs.
#[test]
fn the_portfolio_finds_what_needs_uniformity() {
    for (name, bound) in
        [("reorder_10", 42), ("twostage_20", 130), ("philosophers_7", 26), ("twostage_100", 454)]
    {
        let programs = lab::programs::all();
        let program = programs.iter().find(|program| program.name == name).expect("there is one");
        let mean = mean(program, Strategy::Portfolio);
        assert!(mean < bound, "{name}: {mean} runs");
    }
}

#[test]
fn urw_is_uniform_where_a_random_walk_is_not() {
    let programs = lab::programs::all();
    let uneven = programs.iter().find(|program| program.name == "uneven").expect("there is one");
    assert!(mean(uneven, Strategy::Urw) < 40);
    assert_eq!(lab::runs_to_fail(uneven, Strategy::Random, Seed(1), 1000), None);
}

/// A task that spins does not go on for ever while the one that it waits for is held back.
#[test]
fn nobody_is_held_back_for_ever() {
    let program = lab::programs::spinning();
    let all = [Strategy::Pct, Strategy::Pos, Strategy::Urw, Strategy::Surw, Strategy::Lockstep];
    for strategy in all {
        for base in 0..20 {
            let mut choices = Choices::new();
            let Ok(profile) = lab::profile(&program, strategy, Seed(base)) else { continue };
            choices.set_profile(Arc::new(profile));
            for i in 0..150 {
                choices.start(Seed(base).derive(i), strategy);
                let (_, steps) = lab::run(&program, &mut choices);
                assert!(steps < 3_000, "{strategy} of base {base}, {i}: {steps} steps");
            }
        }
    }
}
