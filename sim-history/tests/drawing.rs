//! What people see of an illegal history.

use sim_history::{
    History, Verdict, check,
    models::{Register, RegisterOp::*, RegisterRet::*},
};
use std::time::Duration;

#[test]
fn a_stale_read() {
    let mut history = History::new();
    let at = |history: &mut History<_, _>, ms| history.advance_to(Duration::from_millis(ms));
    history.invoke("ann", Write(7));
    at(&mut history, 1);
    let write = history.invoke("bob", Write(1));
    let early = history.invoke("carol", Read);
    at(&mut history, 2);
    history.respond(early, Value(1));
    at(&mut history, 12);
    let late = history.invoke("carol", Read);
    history.respond(late, Value(0));
    history.respond(write, Written);
    let Verdict::Illegal(illegal) = check(&Register::new(0), &history) else { panic!() };
    assert_eq!(
        illegal.to_string(),
        "\
not linearizable: no order of the calls explains #3 Read → Value(0) of carol
(the first 6 events are the shortest illegal prefix)

        ann                        bob                            carol
  0ns   ┌ #0 Write(7) … no answer
  1ms   │                          ┌ #1 Write(1) … no answer yet
  1ms   │                          │                              ┌ #2 Read
  2ms   │                          │                              └ #2 → Value(1)
  12ms  │                          │                              ┌ #3 Read
  12ms  │                          │                              └ #3 → Value(0)  ◀ here

the longest order that fits, and the state after each call:
  0
  #1 Write(1) → no answer yet  1
  #2 Read → Value(1)           1
then, of the calls that could be next:
  #0 Write(7) → no answer: may have taken effect or not; neither helps
  #3 Read → Value(0): cannot answer this in state 1
"
    );
}

#[test]
fn of_a_long_history_the_end_is_drawn() {
    let mut history = History::new();
    let mut last = 0;
    for n in 1..=500 {
        let client = if n % 2 == 0 { "even" } else { "odd" };
        let write = history.invoke(client, Write(n));
        history.respond(write, Written);
        last = n;
    }
    let read = history.invoke("reader", Read);
    history.respond(read, Value(last - 1));
    let Verdict::Illegal(illegal) = check(&Register::new(0), &history) else { panic!() };
    let text = illegal.to_string();
    assert!(text.contains("… 962 events before"), "{text}");
    assert!(text.contains("… 460 calls before"), "{text}");
    assert!(text.contains("#500 Read → Value(499): cannot answer this in state 500"), "{text}");
    assert!(text.lines().count() < 100, "{text}");
}

/// Who gave up a call goes on in the same column; who has two open at once has two.
#[test]
fn columns() {
    let mut history = History::new();
    history.invoke("ann", Write(1));
    let second = history.invoke("ann", Write(2));
    let third = history.invoke("ann", Write(3));
    history.respond(second, Written);
    history.respond(third, Written);
    let read = history.invoke("bob", Read);
    history.respond(read, Value(0));
    let Verdict::Illegal(illegal) = check(&Register::new(0), &history) else { panic!() };
    let text = illegal.to_string();
    assert!(text.contains("sequentially consistent"), "{text}");
    let header = text.lines().nth(4).unwrap();
    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), ["ann", "ann", "bob"], "{text}");
}
