//! The text form of tapes: what is written is read, what is wrong is named.

mod model;

use sim_choice::{Choices, Kind, Lane, Path, Record, Seed, Strategy, Tape};
use std::collections::BTreeMap;

#[test]
fn a_run_survives_text() {
    let mut choices = Choices::new();
    choices.start(Seed(9), Strategy::Random);
    model::run_steps(&mut choices, &[5, 5, 5]);
    for (&lane, &kind) in Lane::ALL.iter().cycle().zip(Kind::ALL) {
        choices.choose(lane, kind, Path::MAIN.child(1), 10);
        choices.choose(lane, kind, Path::MAIN.child(2), u32::MAX);
    }
    let name = |path: Path, name: &str| (path, name.to_owned());
    let names = BTreeMap::from([name(Path::MAIN, "main"), name(Path::MAIN.child(1), "main/1")]);
    let tape = choices.tape(names);
    assert!(tape.choices() > 20);
    assert_eq!(tape.to_string().parse(), Ok(tape));
}

#[test]
fn every_kind_and_lane_has_its_name() {
    for &lane in Lane::ALL {
        assert_eq!(Lane::from_name(lane.name()), Some(lane));
    }
    for &kind in Kind::ALL {
        assert_eq!(Kind::from_name(kind.name()), Some(kind));
    }
}

#[test]
fn counts_are_of_choices_that_are_not_calm() {
    let record = |lane, kind, answer| Record { lane, kind, who: Path::MAIN, bound: 4, answer };
    let records = vec![
        record(Lane::Schedule, Kind::Next, 0),
        record(Lane::Schedule, Kind::Next, 1),
        record(Lane::Schedule, Kind::Preempt, 0),
        record(Lane::Schedule, Kind::Preempt, 3),
        record(Lane::Schedule, Kind::LocalNext, 2),
        record(Lane::Net, Kind::Fault, 0),
        record(Lane::Disk, Kind::Fault, 1),
        record(Lane::Net, Kind::Latency, 1),
    ];
    let tape = Tape { seed: Seed(0), strategy: Strategy::Pct, records, names: BTreeMap::new() };
    assert_eq!(
        (tape.choices(), tape.context_switches(), tape.preemptions(), tape.faults()),
        (8, 2, 1, 1)
    );
}

#[test]
fn an_empty_tape_is_its_head() {
    let text = "sim tape 1\nseed 0x0\nstrategy calm\n";
    assert_eq!(text.parse::<Tape>().unwrap().to_string(), text);
}

#[test]
fn bad_tapes_are_errors_with_line_and_reason() {
    let check = |text: &str, expected: &str| {
        assert_eq!(text.parse::<Tape>().unwrap_err().to_string(), expected, "{text}")
    };
    check("", "line 1: expected `sim tape 1`, found ``");
    check("sim tape 2\n", "line 1: expected `sim tape 1`, found `sim tape 2`");
    check("sim tape 1 \n", "line 1: expected `sim tape 1`, found `sim tape 1 `");
    check("sim tape 1\n", "line 2: expected `seed ...`, found ``");
    check("sim tape 1\nstrategy pct\n", "line 2: expected `seed ...`, found `strategy pct`");
    check(
        "sim tape 1\nseed 4x\n",
        "line 2: invalid seed `4x`: a seed is a 64-bit number, decimal (42) or hexadecimal (0x2a)",
    );
    check("sim tape 1\nseed 1\n", "line 3: expected `strategy ...`, found ``");
    check(
        "sim tape 1\nseed 1\nnet next main 2 1\n",
        "line 3: expected `strategy ...`, found `net next main 2 1`",
    );
    check(
        "sim tape 1\nseed 1\nstrategy best\n",
        "line 3: unknown strategy `best`: expected random, sticky, pct, pos, urw, surw, lockstep, portfolio, calm or exhaustive",
    );
}

#[test]
fn bad_records_are_errors_with_line_and_reason() {
    let check = |record: &str, expected: &str| {
        let text = format!("sim tape 1\nseed 1\nstrategy pct\nnet fault main 2 1\n{record}\n");
        assert_eq!(text.parse::<Tape>().unwrap_err().to_string(), format!("line 5: {expected}"));
    };
    let missing =
        |what| format!("the {what} is missing: a record is `lane kind path bound answer`");
    check("", &missing("lane"));
    check("net", &missing("kind"));
    check("net fault", &missing("path"));
    check("net fault main", &missing("bound"));
    check("net fault main 2", &missing("answer"));
    check("net  fault main 2 1", &missing("kind"));
    check("net fault main 2 1 ", "unexpected `` after the answer");
    check("net fault main 2 1 0", "unexpected `0` after the answer");
    check(
        "nets fault main 2 1",
        "unknown lane `nets`: expected schedule, time, net, disk, entropy, input, cancel, fault",
    );
    check(
        "net falt main 2 1",
        "unknown kind `falt`: expected next, preempt, localnext, branch, cancel, stepcost, stall, word, fault, latency, other",
    );
    check(
        "net fault m:in 2 1",
        "invalid path `m:in`: a path is `main`, `main/0/3`, such a path of a node, or a hash of eight digits, `#0012abcd`",
    );
    check("net fault main x 1", "invalid number `x`: expected 0 to 4294967295");
    check("net fault main 2 -1", "invalid number `-1`: expected 0 to 4294967295");
    check("net fault main 2 01", "invalid number `01`: expected 0 to 4294967295");
    check("net fault main 4294967296 1", "invalid number `4294967296`: expected 0 to 4294967295");
    check("net fault main 1 0", "bound 1 is too low: a choice has at least 2 answers");
    check("net fault main 0 0", "bound 0 is too low: a choice has at least 2 answers");
    check("net fault main 2 2", "answer 2 is not below its bound 2");
}
