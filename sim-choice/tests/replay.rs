//! Answering from tapes, also when the program has changed since.

mod model;

use sim_choice::{After, Choices, Kind, Lane, Path, Record, Seed, Strategy, Tape};
use std::{collections::BTreeMap, sync::Arc};

fn record(lane: Lane, child: u32, bound: u32, answer: u32) -> Record {
    Record { lane, kind: Kind::Other, who: Path::MAIN.child(child), bound, answer }
}

fn tape(records: Vec<Record>) -> Arc<Tape> {
    let names = (0..100).map(|child| (Path::MAIN.child(child), format!("main/{child}"))).collect();
    Arc::new(Tape { seed: Seed(1), strategy: Strategy::Random, records, names })
}

/// Asks what the records ask, in order, and gives the answers.
fn ask(choices: &mut Choices, questions: &[Record]) -> Vec<u32> {
    questions
        .iter()
        .map(|asked| choices.choose(asked.lane, asked.kind, asked.who, asked.bound))
        .collect()
}

fn replayed(tape: &Arc<Tape>) -> Choices {
    let mut choices = Choices::new();
    choices.start_with_prefix(tape.clone(), After::Calm);
    choices
}

/// Ten records of different tasks, with answers 1 to 10.
fn ten() -> Vec<Record> {
    (0..10).map(|i| record(Lane::Schedule, i, 20, i + 1)).collect()
}

#[test]
fn a_replay_is_the_run() {
    for strategy in [Strategy::Random, Strategy::Sticky, Strategy::Pct, Strategy::Calm] {
        let mut choices = Choices::new();
        for seed in 0..20 {
            let run = |choices: &mut Choices| {
                let order = model::run_steps(choices, &[10, 20, 30]);
                choices.choose(Lane::Net, Kind::Fault, Path::MAIN, 5);
                (order, choices.entropy_word(), choices.hash())
            };
            choices.start(Seed(seed), strategy);
            let first = run(&mut choices);
            let tape = Arc::new(choices.tape(BTreeMap::new()));
            for then in [After::Calm, After::Strategy(Seed(99))] {
                choices.start_with_prefix(tape.clone(), then);
                assert_eq!(run(&mut choices), first);
                assert_eq!((choices.records(), choices.seed()), (&tape.records[..], Seed(seed)));
                assert!(choices.divergence().is_none());
            }
        }
    }
}

#[test]
fn after_the_tape_all_is_calm_or_drawn() {
    let (head, long) = (ten(), vec![record(Lane::Net, 0, 1000, 0); 50]);
    let tape = tape(head.clone());
    let go_on = |then| {
        let mut choices = Choices::new();
        choices.start_with_prefix(tape.clone(), then);
        assert_eq!(ask(&mut choices, &head), (1..11).collect::<Vec<_>>());
        let answers = ask(&mut choices, &long);
        assert!(choices.divergence().is_none());
        answers
    };
    assert_eq!(go_on(After::Calm), [0; 50]);
    let drawn = go_on(After::Strategy(Seed(3)));
    assert_eq!(drawn, go_on(After::Strategy(Seed(3))));
    assert_ne!(drawn, go_on(After::Strategy(Seed(4))));
    assert!(drawn.iter().filter(|&&answer| answer != 0).count() > 40);
}

#[test]
fn a_start_forgets_the_tape() {
    let mut choices = replayed(&tape(ten()));
    ask(&mut choices, &[record(Lane::Schedule, 50, 2, 0)]);
    assert!(choices.divergence().is_some());
    choices.start(Seed(1), Strategy::Calm);
    assert!(choices.divergence().is_none());
    assert_eq!(ask(&mut choices, &ten()), [0; 10]);
}

#[test]
fn a_question_that_is_new_is_calm_and_the_rest_stays() {
    let mut choices = replayed(&tape(ten()));
    let mut questions = ten();
    questions.insert(4, record(Lane::Schedule, 50, 20, 0));
    assert_eq!(ask(&mut choices, &questions), [1, 2, 3, 4, 0, 5, 6, 7, 8, 9, 10]);
    let divergence = choices.divergence().unwrap();
    assert_eq!((divergence.index, divergence.asked.who), (4, Path::MAIN.child(50)));
    assert_eq!(
        divergence.to_string(),
        "choice 4: the tape has `schedule other main/4 of 20`, the run asks `schedule other main/50 of 20`",
    );
}

#[test]
fn a_question_that_is_gone_is_skipped() {
    let mut choices = replayed(&tape(ten()));
    let mut questions = ten();
    questions.drain(4..6);
    assert_eq!(ask(&mut choices, &questions), [1, 2, 3, 4, 7, 8, 9, 10]);
    assert_eq!(choices.divergence().unwrap().index, 4);
}

#[test]
fn what_was_skipped_to_is_used_up() {
    let records =
        [record(Lane::Net, 0, 9, 1), record(Lane::Net, 1, 9, 2), record(Lane::Net, 1, 9, 3)];
    let mut choices = replayed(&tape(records.to_vec()));
    assert_eq!(ask(&mut choices, &records[1..]), [2, 3]);
}

#[test]
fn another_bound_keeps_the_answer_if_it_fits() {
    let mut choices = replayed(&tape(ten()));
    let mut questions = ten();
    questions[3].bound = 5;
    questions[7].bound = 8;
    assert_eq!(ask(&mut choices, &questions), [1, 2, 3, 4, 5, 6, 7, 0, 9, 10]);
    let divergence = choices.divergence().unwrap();
    assert_eq!((divergence.index, divergence.expected.bound, divergence.asked.bound), (3, 20, 5));
}

#[test]
fn the_window_is_64_records_of_the_lane() {
    let answers = |gone: usize| {
        let mut records = vec![record(Lane::Schedule, 1, 2, 1); gone];
        // Those of other lanes do not count.
        records.extend(vec![record(Lane::Net, 1, 2, 1); 100]);
        records.push(record(Lane::Schedule, 2, 9, 8));
        ask(&mut replayed(&tape(records)), &[record(Lane::Schedule, 2, 9, 0)])
    };
    assert_eq!((answers(63), answers(64)), (vec![8], vec![0]));
}

#[test]
fn lanes_are_replayed_apart() {
    let mut records = ten();
    records.insert(5, record(Lane::Net, 0, 9, 5));
    let mut choices = replayed(&tape(records));
    let packets =
        [record(Lane::Net, 0, 9, 0), record(Lane::Net, 0, 9, 0), record(Lane::Net, 1, 9, 0)];
    assert_eq!(ask(&mut choices, &packets), [5, 0, 0]);
    assert_eq!(ask(&mut choices, &ten()), (1..11).collect::<Vec<_>>());
    assert!(choices.divergence().is_none());
}
