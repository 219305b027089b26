//! Histories of concurrent calls, and whether they are linearizable.
//!
//! A [`History`] says which client called what when, and what came back. It is *linearizable* if each call can be
//! given one moment between its invocation and its response such that the calls, one after the other in the order of
//! these moments, do what a [`Model`] of the object says. That is what users of a register, a queue or a lock
//! mean by "it works", however many copies, caches and retries there are behind it.
//!
//! ```
//! use sim_history::{check, models::{Register, RegisterOp::*, RegisterRet::*}, History, Verdict};
//!
//! let mut history = History::new();
//! let write = history.invoke("ann", Write(1));
//! let early = history.invoke("bob", Read);
//! history.respond(early, Value(1)); // The write may have taken effect already.
//! let late = history.invoke("bob", Read);
//! history.respond(late, Value(0)); // But then it must not be taken back.
//! history.respond(write, Written);
//!
//! let Verdict::Illegal(illegal) = check(&Register::new(0), &history) else { panic!() };
//! assert_eq!(illegal.call, late);
//! assert!(illegal.to_string().contains("Value(0)"), "{illegal}");
//! ```
//!
//! # How it works
//!
//! The search of Wing and Gong tries the calls that may come first, one after the other, and goes back where none fits;
//! Lowe's memo keeps it from trying a set of calls that led to the same state before, and calls that
//! [only look](Model::only_looks) are put in order where they fit, and nowhere else. Histories are checked key by
//! key where the model has keys, because linearizability is local. Of an illegal history the shortest prefix that is
//! illegal is told, with the longest order that could be found, and what each call that would be next met.
//!
//! [`Checker::sequentially_consistent`] asks the weaker question whether any order explains what each client saw.
//!
//! A call that has no response may have taken effect at any moment after its invocation, or never.
//!
//! | file | idea |
//! |---|---|
//! | `history.rs` | who called what when |
//! | `model.rs` | what the object does, one call after the other |
//! | `models/` | register, key-value, queue, stack, set, lock, counter |
//! | `checker.rs` | the verdict: keys, budget, the shortest illegal prefix |
//! | `search.rs` | is there an order? |
//! | `events.rs`, `mask.rs` | what the search walks over, and what it has put in order |
//! | `draw.rs` | an illegal history as text |
//!
//! # Limits
//!
//! The question is NP-complete (Gibbons, Korach 1997): a history with many calls at once, or many without response,
//! may cost more than the budget, and the verdict is [`Verdict::Unknown`] then. The memo keeps every state
//! that it has seen, at most as many as the budget has steps.
//!
//! # Sources
//!
//! - Herlihy, Wing: Linearizability: a correctness condition for concurrent objects. TOPLAS 12(3), 1990.
//! - Lamport: How to make a multiprocessor computer that correctly executes multiprocess programs. IEEE TC 28(9), 1979.
//! - Wing, Gong: Testing and verifying concurrent objects. JPDC 17, 1993.
//! - Lowe: Testing for linearizability. Concurrency and Computation: Practice and Experience 29(4), 2017.
//! - Horn, Kroening: Faster linearizability checking via P-compositionality. FORTE 2015.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod checker;
mod draw;
mod events;
mod history;
mod mask;
mod model;
pub mod models;
mod search;

pub use checker::{Checker, Illegal, Verdict, check};
pub use history::{Call, CallId, End, Event, History};
pub use model::Model;
