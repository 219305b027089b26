//! What every run keeps to, whatever its strategy.

mod model;

use sim_choice::{After, Choices, Kind, Lane, Path, Seed, Strategy};
use std::{collections::BTreeMap, sync::Arc};

const ALL: [Strategy; 9] = [
    Strategy::Random,
    Strategy::Sticky,
    Strategy::Pct,
    Strategy::Pos,
    Strategy::Urw,
    Strategy::Surw,
    Strategy::Lockstep,
    Strategy::Portfolio,
    Strategy::Calm,
];

fn started(seed: u64, strategy: Strategy) -> Choices {
    let mut choices = Choices::new();
    choices.start(Seed(seed), strategy);
    choices
}

/// A run that asks in all lanes.
fn mixed_run(choices: &mut Choices) -> u64 {
    let order = model::run_steps(choices, &[20, 20, 20]);
    for task in order {
        choices.choose(Lane::Net, Kind::Latency, Path::MAIN.child(task), 1000);
        choices.choose(Lane::Time, Kind::StepCost, Path::MAIN, 7);
        choices.event(u64::from(task));
        choices.entropy_word();
    }
    choices.hash()
}

#[test]
fn the_same_seed_is_the_same_run_also_on_used_choices() {
    for strategy in ALL {
        let mut used = Choices::new();
        for seed in 0..50 {
            used.start(Seed(seed), strategy);
            let hash = mixed_run(&mut used);
            let mut fresh = started(seed, strategy);
            assert_eq!((hash, used.records()), (mixed_run(&mut fresh), fresh.records()));
        }
    }
}

#[test]
fn another_seed_is_another_run() {
    for strategy in [Strategy::Random, Strategy::Sticky, Strategy::Pct, Strategy::Portfolio] {
        let hashes: std::collections::BTreeSet<u64> =
            (0..500).map(|seed| mixed_run(&mut started(seed, strategy))).collect();
        assert_eq!(hashes.len(), 500);
    }
}

#[test]
fn calm_is_zero_everywhere() {
    let mut choices = started(5, Strategy::Calm);
    let order = model::run_steps(&mut choices, &[3, 3, 3]);
    assert_eq!(order, [0, 0, 0, 1, 1, 1, 2, 2, 2]);
    for &lane in Lane::ALL {
        assert_eq!(choices.choose(lane, Kind::Other, Path::MAIN, 1000), 0);
    }
    assert!(choices.records().iter().all(|record| record.answer == 0));
    assert_eq!(choices.records().len(), 6 + Lane::ALL.len());
}

#[test]
fn entropy_comes_from_the_seed_in_calm_runs_too() {
    let words = |strategy, seed| {
        [(); 3].map(|()| started(seed, strategy)).map(|mut choices| choices.entropy_word())
    };
    assert_eq!(words(Strategy::Calm, 1), words(Strategy::Random, 1));
    assert_ne!(words(Strategy::Calm, 1), words(Strategy::Calm, 2));
    let mut choices = started(1, Strategy::Calm);
    assert_ne!(choices.entropy_word(), choices.entropy_word());
    assert_eq!(choices.records(), []);
}

#[test]
fn entropy_bytes_are_those_of_words() {
    let (mut words, mut bytes) = (started(3, Strategy::Calm), started(3, Strategy::Calm));
    let (first, second) = (words.entropy_word().to_le_bytes(), words.entropy_word().to_le_bytes());
    let mut buffer = [0; 11];
    bytes.fill_entropy(&mut buffer);
    assert_eq!((&buffer[..8], &buffer[8..]), (&first[..], &second[..3]));
    assert_eq!(words.hash(), bytes.hash());
}

#[test]
fn the_hash_covers_all_that_is_asked_and_happens() {
    let ask = |lane, kind, who, bound| {
        let mut choices = started(1, Strategy::Calm);
        choices.choose(lane, kind, who, bound);
        choices.hash()
    };
    let event = |value| {
        let mut choices = started(1, Strategy::Calm);
        choices.event(value);
        choices.hash()
    };
    let mut entropy = started(1, Strategy::Calm);
    entropy.entropy_word();
    let hashes = [
        started(1, Strategy::Calm).hash(),
        started(2, Strategy::Calm).hash(),
        ask(Lane::Net, Kind::Fault, Path::MAIN, 2),
        ask(Lane::Disk, Kind::Fault, Path::MAIN, 2),
        ask(Lane::Net, Kind::Other, Path::MAIN, 2),
        ask(Lane::Net, Kind::Fault, Path::MAIN.child(0), 2),
        ask(Lane::Net, Kind::Fault, Path::MAIN, 3),
        event(0),
        event(1),
        entropy.hash(),
    ];
    assert_eq!(std::collections::BTreeSet::from(hashes).len(), hashes.len());
}

#[test]
fn drawing_more_in_one_lane_does_not_change_another() {
    for strategy in [Strategy::Random, Strategy::Sticky, Strategy::Pct] {
        for seed in 0..50 {
            let mut quiet = started(seed, strategy);
            let mut busy = started(seed, strategy);
            for draws in 0..100 {
                busy.choose(Lane::Net, Kind::Latency, Path::MAIN, 2 + draws);
                busy.choose(Lane::Entropy, Kind::Other, Path::MAIN, 2);
            }
            assert_eq!(
                model::run_steps(&mut quiet, &[9, 9, 9]),
                model::run_steps(&mut busy, &[9, 9, 9])
            );
            assert_eq!(quiet.entropy_word(), busy.entropy_word());
        }
    }
}

#[test]
fn lanes_and_seeds_draw_different_words() {
    let words = |lane, seed| {
        let mut choices = started(seed, Strategy::Random);
        [(); 4].map(|()| choices.choose(lane, Kind::Other, Path::MAIN, u32::MAX))
    };
    let drawn: Vec<_> =
        (0..64).flat_map(|seed| Lane::ALL.iter().map(move |&lane| words(lane, seed))).collect();
    assert_eq!(std::collections::BTreeSet::from_iter(&drawn).len(), drawn.len());
}

#[test]
fn one_answer_is_no_choice() {
    for strategy in ALL {
        let mut choices = started(1, strategy);
        let before = choices.hash();
        choices.spawned(0, None);
        assert_eq!(choices.choose(Lane::Net, Kind::Fault, Path::MAIN, 0), 0);
        assert_eq!(choices.choose(Lane::Net, Kind::Fault, Path::MAIN, 1), 0);
        let alone = model::Ready { tasks: vec![0], current: true };
        assert_eq!(choices.pick(Kind::Preempt, Path::MAIN, &alone), 0);
        assert_eq!((choices.records(), choices.hash()), (&[][..], before));
    }
}

#[test]
fn all_answers_are_equally_likely() {
    for bound in [2_u32, 3, 6, 10, 100] {
        let mut choices = started(11, Strategy::Random);
        let mut counts = vec![0_i64; bound as usize];
        for _ in 0..1000 * bound {
            counts[choices.choose(Lane::Input, Kind::Word, Path::MAIN, bound) as usize] += 1;
        }
        // Five standard deviations of about 32 each.
        assert!(counts.iter().all(|count| (count - 1000).abs() < 160), "{bound}: {counts:?}");
    }
}

/// A third of all words must be drawn again for this bound; a plain multiplication would favour every other
/// answer, and so the lower of two neighbours.
#[test]
fn a_bound_that_does_not_divide_the_words_is_even_too() {
    let bound = 3 << 30;
    let mut choices = started(12, Strategy::Random);
    let thirds =
        (0..30_000).map(|_| choices.choose(Lane::Input, Kind::Word, Path::MAIN, bound) % 3);
    let mut counts = [0_i64; 3];
    thirds.for_each(|third| counts[third as usize] += 1);
    assert!(counts.iter().all(|count| (count - 10_000).abs() < 500), "{counts:?}");
}

#[test]
fn what_is_rare_is_so_at_a_rate_of_its_run() {
    let mut rates = std::collections::BTreeSet::new();
    for seed in 0..200 {
        let mut choices = started(seed, Strategy::Random);
        let ask =
            |choices: &mut Choices| choices.now_and_then(Lane::Cancel, Kind::Cancel, Path::MAIN);
        let count = (0..6400).filter(|_| ask(&mut choices)).count();
        assert!((50..=3400).contains(&count), "{count}");
        rates.insert((6400 / count).ilog2());
        let tape = Arc::new(choices.tape(BTreeMap::new()));
        let mut again = Choices::new();
        again.start_with_prefix(tape, After::Calm);
        assert_eq!((0..6400).filter(|_| ask(&mut again)).count(), count);
        assert!(!ask(&mut again), "the tape has ended");
    }
    assert!(rates.len() >= 5, "{rates:?}");
    let mut calm = started(1, Strategy::Calm);
    assert!((0..100).all(|_| !calm.now_and_then(Lane::Cancel, Kind::Cancel, Path::MAIN)));
}

/// So often in a million, never where it is never, and on the tape as yes or no.
#[test]
fn chances() {
    let count = |seed, ppm| {
        let mut choices = started(seed, Strategy::Random);
        let yes = (0..10_000)
            .filter(|_| choices.chance(Lane::Fault, Kind::Fault, Path::MAIN, ppm))
            .count();
        let told = choices.records().iter().filter(|record| record.answer == 1).count();
        assert!(choices.records().iter().all(|record| record.bound == 2));
        (yes, told)
    };
    assert_eq!((count(1, 0), count(1, 1_000_000)), ((0, 0), (10_000, 0)));
    let (yes, told) = count(1, 100_000);
    assert!((900..1_100).contains(&yes), "{yes}");
    assert_eq!(yes, told);
    let mut calm = started(1, Strategy::Calm);
    assert!((0..100).all(|_| !calm.chance(Lane::Fault, Kind::Fault, Path::MAIN, 999_999)));
}
