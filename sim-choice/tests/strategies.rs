//! What the strategies promise, on small models.

mod model;

use sim_choice::{Choices, Kind, Path, Profile, Seed, Strategy};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const ALL: [Strategy; 8] = [
    Strategy::Random,
    Strategy::Sticky,
    Strategy::Pct,
    Strategy::Pos,
    Strategy::Urw,
    Strategy::Surw,
    Strategy::Lockstep,
    Strategy::Portfolio,
];

fn started(seed: u64, strategy: Strategy) -> Choices {
    let mut choices = Choices::new();
    choices.start(Seed(seed), strategy);
    choices
}

/// Seeds until the order of steps is bad, at most 10,000.
fn seeds_until(strategy: Strategy, steps: &[u32], bad: impl Fn(&[u32]) -> bool) -> usize {
    let mut seeds = (0..10_000).map(|i| Seed(3).derive(i));
    let found =
        seeds.position(|seed| bad(&model::run_steps(&mut started(seed.0, strategy), steps)));
    found.expect("the bad order is found")
}

fn position(order: &[u32], task: u32, nth: usize) -> usize {
    order
        .iter()
        .enumerate()
        .filter(|(_, other)| **other == task)
        .nth(nth)
        .expect("the task has so many steps")
        .0
}

/// Not of PCT, which changes priorities at a few steps of a longer run than this.
#[test]
fn all_orders_of_a_small_model_come_up() {
    for strategy in [Strategy::Random, Strategy::Sticky, Strategy::Portfolio] {
        let run = |seed| model::run_steps(&mut started(seed, strategy), &[2, 2, 1]);
        let orders: BTreeSet<_> = (0..5000).map(run).collect();
        assert_eq!(orders.len(), 30, "{strategy}: 5! / (2! 2! 1!)");
    }
}

#[test]
fn random_picks_evenly() {
    let mut counts = BTreeMap::new();
    for seed in 0..6000 {
        *counts
            .entry(model::run_steps(&mut started(seed, Strategy::Random), &[1, 1, 1]))
            .or_insert(0_i32) += 1;
    }
    assert_eq!(counts.len(), 6);
    assert!(counts.values().all(|count| (count - 1000).abs() < 160), "{counts:?}");
}

/// Preemptions are counted in long runs of two tasks.
#[test]
fn sticky_interrupts_as_rarely_as_it_drew() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let mut choices = started(seed, Strategy::Sticky);
        let asked = 20_000;
        let ready = model::Ready { tasks: vec![0, 1], current: true };
        let preemptions: u32 =
            (0..asked).map(|_| choices.pick(Kind::Preempt, Path::MAIN, &ready)).sum();
        let one_in = (asked + preemptions / 2) / preemptions;
        let power =
            (1..=6).find(|power| ((1 << power) * 3 / 4..(1 << power) * 3 / 2).contains(&one_in));
        seen.insert(power.unwrap_or_else(|| panic!("1 in {one_in} is none of 1/2 to 1/64")));
    }
    assert_eq!(seen.len(), 6);
}

/// Depth 2, as in the paper's figure 1: the second task's only step comes between two steps of the first.
#[test]
fn pct_finds_an_order_of_depth_2() {
    let between = |order: &[u32]| {
        (position(order, 0, 3)..position(order, 0, 4)).contains(&position(order, 1, 0))
    };
    assert!(seeds_until(Strategy::Pct, &[10, 1], between) < 300);
}

/// One task has ended before any other begins: hopeless for a random walk, only a matter of priorities for PCT.
#[test]
fn pct_finds_an_order_of_depth_1_far_apart() {
    let steps = [40, 40, 40, 40];
    let apart = |order: &[u32]| position(order, 2, 39) == 39;
    assert!(seeds_until(Strategy::Pct, &steps, apart) < 50);
    let random = (0..200)
        .filter(|&seed| apart(&model::run_steps(&mut started(seed, Strategy::Random), &steps)))
        .count();
    assert_eq!(random, 0);
}

/// One of the tasks has to act for the others to stop spinning, whatever is known of them: nothing, or that the
/// others take many steps.
#[test]
fn no_strategy_starves_a_task_that_others_spin_on() {
    let spin = |choices: &mut Choices, what: &str| {
        let (mut done, mut steps) = (false, 0);
        model::run(choices, 4, |task| {
            steps += 1;
            assert!(steps < 400_000, "{what}: starved");
            done |= task == 2;
            task != 2 && !done
        });
    };
    let mut profile = Profile::new();
    let mut choices = Choices::new();
    for i in 0..Profile::RUNS {
        choices.start(Profile::seed(0, i), Strategy::Random);
        choices.learn();
        model::run_steps(&mut choices, &[1, 3000, 1, 3000]);
        profile.add(&choices);
    }
    let profile = Arc::new(profile);
    for strategy in ALL {
        for seed in 0..100 {
            spin(&mut started(seed, strategy), &format!("{strategy} of {seed}"));
            choices.set_profile(profile.clone());
            choices.start(Seed(seed), strategy);
            spin(&mut choices, &format!("{strategy} of {seed}, with a profile"));
        }
    }
}

/// Each order of the steps of two tasks is as likely, where a random walk prefers those that end the short
/// task early.
#[test]
fn urw_picks_orders_evenly() {
    let steps = [1, 5];
    let mut profile = Profile::new();
    let mut choices = Choices::new();
    choices.start(Seed(1), Strategy::Random);
    choices.learn();
    model::run_steps(&mut choices, &steps);
    profile.add(&choices);
    choices.set_profile(Arc::new(profile));
    let mut counts = [0_i32; 6];
    for seed in 0..6000 {
        choices.start(Seed(seed), Strategy::Urw);
        let order = model::run_steps(&mut choices, &steps);
        counts[position(&order, 0, 0)] += 1;
    }
    assert!(counts.iter().all(|count| (count - 1000).abs() < 160), "{counts:?}");
}

#[test]
fn pct_gives_a_task_that_was_not_announced_the_same_priority() {
    let ready = model::Ready { tasks: vec![7, 3, 5], current: false };
    for seed in 0..50 {
        let (mut told, mut untold) = (started(seed, Strategy::Pct), started(seed, Strategy::Pct));
        (0..8).for_each(|task| told.spawned(task, None));
        let pick =
            |choices: &mut Choices| [(); 20].map(|()| choices.pick(Kind::Next, Path::MAIN, &ready));
        assert_eq!(pick(&mut told), pick(&mut untold));
    }
}

#[test]
fn the_portfolio_is_fixed_by_the_seed_and_has_all() {
    let mut counts = BTreeMap::new();
    for seed in (0..3000).map(Seed) {
        let resolved = Strategy::Portfolio.resolve(seed);
        *counts.entry(resolved.name()).or_insert(0_i32) += 1;
        let (mut by_portfolio, mut by_name) =
            (started(seed.0, Strategy::Portfolio), started(seed.0, resolved));
        assert_eq!(by_portfolio.strategy_name(), resolved.name());
        assert_eq!(
            model::run_steps(&mut by_portfolio, &[5, 5]),
            model::run_steps(&mut by_name, &[5, 5])
        );
        assert_eq!(by_portfolio.hash(), by_name.hash());
    }
    let names = ["lockstep", "pct", "pos", "random", "sticky", "surw", "urw"];
    assert_eq!(counts.keys().copied().collect::<Vec<_>>(), names);
    assert!(counts.values().all(|&count| count > 120), "each has a sixteenth: {counts:?}");
}
