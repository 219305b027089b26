//! Choices: everything in a simulated run that could have gone otherwise.
//!
//! A run is a function from choices to a trace. Which ready task goes on, how long a packet takes, whether
//! a write survives: each is one question with a bounded answer, put to one [`Choices`].
//!
//! ```
//! use sim_choice::{Choices, Kind, Lane, Path, Seed, Strategy};
//!
//! let mut choices = Choices::new();
//! choices.start(Seed(42), Strategy::Random);
//! let latency_us = choices.choose(Lane::Net, Kind::Latency, Path::MAIN, 1000);
//! assert!(latency_us < 1000);
//!
//! choices.start(Seed(42), Strategy::Calm);
//! assert_eq!(choices.choose(Lane::Net, Kind::Latency, Path::MAIN, 1000), 0);
//! ```
//!
//! # How it works
//!
//! An answer comes from the recorded [`Tape`] while it lasts, then from the [`Seed`]'s [`Strategy`], or it
//! is zero. **Zero is calm**: go on with the running task, no fault, the least delay. So whatever asks must
//! number its answers with the dull one first.
//!
//! Questions have [lanes](Lane), each with a generator of its own (ChaCha8, seeded when it is first used),
//! so that one more packet does not shift the schedule. Questions of the schedule lane go through the
//! strategy, see [`Strategy`] for the list; all others are drawn evenly. Each answer is a 16 byte
//! [`Record`], and goes into a running hash: two runs with equal hashes made the same choices.
//!
//! | file | idea |
//! |---|---|
//! | `choices.rs` | the one place where questions are answered |
//! | `record.rs` | what is asked, and how an answer is kept |
//! | `words.rs`, `mix.rs` | random words, and the mixing of integers |
//! | `seed.rs`, `path.rs` | names of runs and of tasks |
//! | `announce.rs` | what a ready task is about to do |
//! | `history.rs` | what has happened in a run, and the class that it makes |
//! | `profile.rs` | what some runs have shown of a program |
//! | `strategy/` | which ready task runs |
//! | `exhaustive/`, `search.rs` | every schedule, up to equivalence, and a run of that search |
//! | `tape.rs`, `text.rs` | a recorded run, and its text form |
//! | `replay.rs` | answering from a tape |
//!
//! # Limits
//!
//! Paths are 32-bit hashes: in a run with tens of thousands of tasks two of them may share one. A shared
//! path costs precision when an edited program is replayed, never exactness when an unedited one is.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod announce;
mod choices;
pub mod exhaustive;
mod history;
mod mix;
mod path;
mod profile;
mod record;
mod replay;
mod search;
mod seed;
mod strategy;
mod tape;
mod text;
mod words;

pub use announce::{Access, Announced};
pub use choices::Choices;
pub use path::{ParsePathError, Path};
pub use profile::Profile;
pub use record::{Kind, Lane, Record};
pub use replay::{After, Divergence, Question};
pub use search::Search;
pub use seed::{ParseSeedError, Seed};
pub use strategy::{Candidates, ParseStrategyError, Strategy};
pub use tape::Tape;
pub use text::{ParseTapeError, Reason};
pub use words::Entropy;
