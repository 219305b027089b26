//! The network of a simulation, as pure values: no task, no waker, no clock, no global.
//!
//! So far there is the link between two nodes: what becomes of a packet, and when it arrives. Sockets,
//! and their faces in `sim`, are to stand on it.
//!
//! ```
//! use sim_choice::{Choices, Path, Seed, Strategy};
//! use sim_net::{Fate, Link};
//!
//! let mut choices = Choices::new();
//! choices.start(Seed(1), Strategy::Calm);
//! let link = Link { latency_ns: 1_000_000, jitter_ns: 500_000, loss_ppm: 10_000 };
//! // Calm: no loss, the least delay.
//! assert_eq!(link.send(5, Path::MAIN, &mut choices), Fate::Arrives { at_ns: 1_000_005 });
//! ```
#![no_std]
#![forbid(unsafe_code)]

mod link;

pub use link::{Fate, Link};
