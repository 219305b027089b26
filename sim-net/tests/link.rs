//! A link's promises: bounds of the delay, the ratio of loss, calm.

use sim_choice::{Choices, Path, Seed, Strategy};
use sim_net::{Fate, Link};

fn fates(link: Link, strategy: Strategy, count: u64) -> Vec<Fate> {
    let mut choices = Choices::new();
    choices.start(Seed(7), strategy);
    (0..count).map(|now| link.send(now, Path::MAIN, &mut choices)).collect()
}

#[test]
fn packets_take_between_the_least_and_the_most() {
    let link = Link { latency_ns: 1_000, jitter_ns: 50, loss_ppm: 0 };
    let delays: Vec<u64> = (0..10_000)
        .zip(fates(link, Strategy::Random, 10_000))
        .map(|(now, fate)| match fate {
            Fate::Arrives { at_ns } => at_ns - now,
            Fate::Lost => panic!("no packet may be lost"),
        })
        .collect();
    assert_eq!(delays.iter().min(), Some(&1_000));
    assert_eq!(delays.iter().max(), Some(&1_050));
}

#[test]
fn so_many_are_lost_as_is_asked() {
    let lost = |loss_ppm| {
        let link = Link { latency_ns: 0, jitter_ns: 0, loss_ppm };
        fates(link, Strategy::Random, 100_000).iter().filter(|fate| **fate == Fate::Lost).count()
    };
    assert_eq!(lost(0), 0);
    assert!((28_000..32_000).contains(&lost(300_000)));
    assert_eq!(lost(1_000_000), 100_000);
}

#[test]
fn calm_is_quick_and_loses_nothing() {
    let link = Link { latency_ns: 10, jitter_ns: 1_000, loss_ppm: 300_000 };
    let expected: Vec<Fate> = (0..100).map(|now| Fate::Arrives { at_ns: now + 10 }).collect();
    assert_eq!(fates(link, Strategy::Calm, 100), expected);
}
