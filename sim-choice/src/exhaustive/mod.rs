//! Exhaustive search: every schedule of a small program, up to equivalence, is run once.
//!
//! Two runs are equivalent if one is the other with neighbouring steps swapped that do not depend on each other
//! (Mazurkiewicz 1977); what a program computes is then the same. An [`Explorer`] drives runs one after the other:
//! it decides at each scheduling point who goes on, is told what each step did, and finds after each run which races
//! could have gone the other way. That is optimal dynamic partial order reduction with wakeup trees (Abdulla, Aronis,
//! Jonsson, Sagonas, Journal of the ACM 64(4), 2017); with a bound on preemptions it is the search of Coons, Musuvathi
//! and McKinley (OOPSLA 2013).
//!
//! ```
//! use sim_choice::exhaustive::{Candidate, Effect, Explorer, Limits};
//!
//! // Two tasks store into one cell: two classes of schedules.
//! let mut explorer = Explorer::new(Limits::default());
//! let mut last = Vec::new();
//! while explorer.begin() {
//!     explorer.spawned(0, None);
//!     explorer.spawned(1, None);
//!     let mut left = vec![0, 1];
//!     let mut stored = None;
//!     while !left.is_empty() {
//!         let candidates: Vec<_> = left.iter().map(|&task| Candidate::new(task)).collect();
//!         let Ok(index) = explorer.pick(&candidates, None) else { break };
//!         explorer.touch(7, Effect::Write);
//!         stored = Some(left.remove(index));
//!     }
//!     explorer.finish();
//!     last.push(stored);
//! }
//! assert_eq!(last, [Some(1), Some(0)]);
//! assert_eq!(explorer.progress().to_string(), "all 2 classes explored");
//! ```
//!
//! # How it works
//!
//! | file | idea |
//! |---|---|
//! | `effect.rs` | what a step does to an object, and which steps depend on each other |
//! | `attempts.rs` | whether an attempt at a lock depends on releases |
//! | `clock.rs`, `trace.rs` | the partial order of a run, and its races |
//! | `sleep.rs` | what was run already |
//! | `tree.rs` | what is still to be run |
//! | `frame.rs` | the states along a run |
//! | `explorer.rs` | the search |
//! | `hooks.rs` | what a run tells it |
//! | `races.rs` | what a run's races add to it |
//! | `progress.rs` | how far it has come |
//! | `checkpoint.rs` | a search as text |
//!
//! # Limits
//!
//! Tasks that share something that no step tells of (a `std` atomic, a cell behind an `Rc`) look independent, and
//! their orders are not all run. Steps of a task beyond [`Limits::depth`] are not run.

mod attempts;
mod checkpoint;
mod clock;
mod effect;
mod explorer;
mod frame;
mod hooks;
mod progress;
mod races;
mod sleep;
mod trace;
mod tree;

pub use checkpoint::ParseSearchError;
pub use effect::{Effect, Touch};
pub use explorer::{Explorer, Limits};
pub use hooks::{Candidate, Mismatch, Stop};
pub use progress::Progress;
