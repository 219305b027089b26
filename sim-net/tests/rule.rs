//! Rules of the user's own, and what they do beside links.

mod wired;

use sim_net::{Fault, Link, RuleId, Verdict};
use std::{cell::RefCell, rc::Rc};
use wired::Wired;

type Rule = Box<dyn FnMut(&sim_net::Packet) -> Verdict>;

/// Sends "a", "b", "c" under those rules; what arrives, and when.
fn under(rules: Vec<Rule>) -> (Vec<(u64, String)>, Wired) {
    let mut wired = Wired::calm(2).all_links(Link::constant(1_000));
    let (from, _) = wired.udp_at(0);
    let (to, address) = wired.udp_at(1);
    for rule in rules {
        wired.add_rule(rule);
    }
    for text in ["a", "b", "c"] {
        wired.send_to(from, text.as_bytes(), address).unwrap();
    }
    let mut got = Vec::new();
    while let Some(at) = wired.next() {
        wired.run_until(at);
        for bytes in wired.recv_all(to) {
            got.push((at, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    (got, wired)
}

fn on(text: &'static str, verdict: Verdict) -> Rule {
    Box::new(
        move |packet| {
            if packet.payload() == text.as_bytes() { verdict } else { Verdict::Pass }
        },
    )
}

fn check(rules: Vec<Rule>, expected: &[(u64, &str)], faults: &[(Fault, u64)]) {
    let (got, wired) = under(rules);
    let got: Vec<(u64, &str)> = got.iter().map(|(at, text)| (*at, text.as_str())).collect();
    assert_eq!(got, expected);
    for fault in Fault::ALL {
        let count = faults.iter().find(|(of, _)| of == fault).map_or(0, |(_, count)| *count);
        assert_eq!(wired.faults(*fault), (count, count), "{fault:?}");
    }
}

#[test]
fn each_verdict_does_what_it_says() {
    let all = [(1_000, "a"), (1_000, "b"), (1_000, "c")];
    check(vec![on("b", Verdict::Pass)], &all, &[]);
    check(vec![on("b", Verdict::Drop)], &[all[0], all[2]], &[(Fault::Loss, 1)]);
    check(
        vec![on("b", Verdict::Delay(50))],
        &[all[0], all[2], (1_050, "b")],
        &[(Fault::Delay, 1), (Fault::Reordering, 1)],
    );
    check(
        vec![on("b", Verdict::Duplicate)],
        &[all[0], all[1], all[1], all[2]],
        &[(Fault::Duplication, 1)],
    );
    // Calm turns the first bit.
    check(
        vec![on("b", Verdict::Corrupt)],
        &[all[0], (1_000, "c"), all[2]],
        &[(Fault::Corruption, 1)],
    );
}

#[test]
fn rules_add_up_until_one_drops() {
    check(
        vec![on("b", Verdict::Delay(1)), on("b", Verdict::Duplicate), on("b", Verdict::Delay(2))],
        &[(1_000, "a"), (1_000, "c"), (1_003, "b"), (1_003, "b")],
        &[(Fault::Delay, 2), (Fault::Duplication, 1), (Fault::Reordering, 2)],
    );
}

#[test]
fn rules_are_asked_in_order_and_none_after_a_drop() {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let rule = |name: &'static str, verdict: Verdict| -> Rule {
        let asked = Rc::clone(&asked);
        Box::new(move |_| {
            asked.borrow_mut().push(name);
            verdict
        })
    };
    under(vec![
        rule("first", Verdict::Pass),
        rule("second", Verdict::Drop),
        rule("third", Verdict::Pass),
    ]);
    assert_eq!(*asked.borrow(), ["first", "second"].repeat(3));
}

#[test]
fn a_rule_ends_when_it_is_removed() {
    let mut wired = Wired::calm(2);
    let (from, _) = wired.udp_at(0);
    let (to, address) = wired.udp_at(1);
    let rule = wired.add_rule(|_| Verdict::Drop);
    assert_eq!(rule, RuleId(1));
    wired.send_to(from, b"lost", address).unwrap();
    assert!(wired.remove_rule(rule).is_some());
    assert!(wired.remove_rule(rule).is_none());
    wired.send_to(from, b"arrives", address).unwrap();
    wired.run();
    assert_eq!(wired.recv_all(to), [b"arrives"]);
}

#[test]
fn a_rule_sees_who_sends_what_to_whom() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mut wired = Wired::calm(2);
    let (from, source) = wired.udp_at(0);
    let (_, address) = wired.udp_at(1);
    let log = Rc::clone(&seen);
    wired.add_rule(move |packet| {
        log.borrow_mut().push((packet.number, packet.from, packet.to, packet.payload().to_vec()));
        Verdict::Pass
    });
    wired.now_ns = 5;
    wired.send_to(from, b"x", address).unwrap();
    wired.send_to(from, b"y", address).unwrap();
    let expected = [(1, source, address, b"x".to_vec()), (2, source, address, b"y".to_vec())];
    assert_eq!(*seen.borrow(), expected);
    let listed: Vec<String> = wired.packets().iter().map(ToString::to_string).collect();
    assert_eq!(
        listed,
        [
            "udp #1 h0 10.128.0.1:32768 -> h1 10.128.0.2:32768, 1 bytes, sent at 0.000000005 s, arrives at 0.000050005 s",
            "udp #2 h0 10.128.0.1:32768 -> h1 10.128.0.2:32768, 1 bytes, sent at 0.000000005 s, arrives at 0.000050005 s",
        ]
    );
}
