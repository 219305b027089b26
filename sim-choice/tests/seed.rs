//! Seeds, paths and names of strategies, in text and out of it.

use sim_choice::{Path, Seed, Strategy};
use std::collections::BTreeSet;

#[test]
fn seeds_are_hexadecimal_or_decimal() {
    let check = |text: &str, expected: u64| assert_eq!(text.parse(), Ok(Seed(expected)), "{text}");
    check("0", 0);
    check("42", 42);
    check("0x2a", 42);
    check("0X2A", 42);
    check("0xffffffffffffffff", u64::MAX);
    check("18446744073709551615", u64::MAX);
}

#[test]
fn other_seeds_are_errors_that_keep_the_text() {
    for text in ["", "0x", "x2a", "+1", "0x+1", "-1", "1 ", "2a", "18446744073709551616"] {
        let error = text.parse::<Seed>().unwrap_err();
        assert_eq!(error.operand, text);
        assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
    }
}

#[test]
fn a_seed_survives_text() {
    for seed in (0..64).map(|bit| Seed(1 << bit)).chain([Seed(0), Seed(u64::MAX)]) {
        assert_eq!(seed.to_string().parse(), Ok(seed));
    }
}

#[test]
fn derived_seeds_are_all_different_also_those_of_neighbours() {
    let derived: BTreeSet<Seed> =
        (0..100).flat_map(|base| (0..1000).map(move |i| Seed(base).derive(i))).collect();
    assert_eq!(derived.len(), 100 * 1000);
}

#[test]
fn derived_seeds_are_mixed_well() {
    // The low bits are those of the series.
    for bit in 8..64 {
        let set = (0..10_000).filter(|&i| Seed(7).derive(i).0 >> bit & 1 == 1).count();
        assert!((4_700..5_300).contains(&set), "bit {bit} is set in {set} of 10000");
    }
}

#[test]
fn derived_seeds_of_one_base_are_one_series() {
    let series = |base| {
        let of = |i| Seed(base).derive(i).series();
        assert!((0..100).all(|i| of(i) == of(0)));
        of(0)
    };
    let all: BTreeSet<u8> = (0..1000).map(series).collect();
    assert!(all.len() > 240);
}

/// Tapes and reports of users depend on these.
#[test]
fn derived_seeds_and_paths_stay_the_same_for_ever() {
    assert_eq!(Seed(7).derive(0).to_string(), "0x7b1a022df1a32c24");
    assert_eq!(Path::MAIN.child(0).child(3).to_string(), "#371e1046");
}

#[test]
fn paths_in_text_are_those_of_children() {
    let check = |text: &str, expected: Path| assert_eq!(text.parse(), Ok(expected), "{text}");
    check("main", Path::MAIN);
    check("main/0", Path::MAIN.child(0));
    check("main/0/3", Path::MAIN.child(0).child(3));
    check("main/4294967295", Path::MAIN.child(u32::MAX));
    check("server@2/1", Path::root("server@2").child(1));
    check("#0012abcd", Path(0x12_abcd));
}

#[test]
fn other_paths_are_errors_that_keep_the_text() {
    for text in [
        "",
        "/",
        "main/",
        "ma in",
        "0main",
        "/main",
        "main/x",
        "main/01",
        "main/+1",
        "main//1",
        "#12",
        "#0012abcg",
        "#+012abc",
    ] {
        assert_eq!(text.parse::<Path>().unwrap_err().operand, text);
    }
}

#[test]
fn siblings_have_different_paths_and_relatives_nearly_always() {
    let children: BTreeSet<Path> = (0..100_000).map(|n| Path::MAIN.child(n)).collect();
    assert_eq!(children.len(), 100_000);
    let family: BTreeSet<Path> = (0..100)
        .flat_map(|n| (0..100).map(move |m| Path::MAIN.child(n).child(m)))
        .chain((0..100).map(|n| Path::MAIN.child(n)))
        .collect();
    assert!(family.len() >= 10_100 - 2);
}

#[test]
fn strategies_have_their_names() {
    for strategy in
        [Strategy::Random, Strategy::Sticky, Strategy::Pct, Strategy::Portfolio, Strategy::Calm]
    {
        assert_eq!(strategy.to_string().parse(), Ok(strategy));
    }
    assert_eq!("PCT".parse::<Strategy>().unwrap_err().operand, "PCT");
}
