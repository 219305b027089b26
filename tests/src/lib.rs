//! Programs that the tests share: some with a bug that only some schedules show, some without.
//!
//! They are written as for tokio, with `use sim as tokio` the only difference, so that what is found
//! or left alone here would be in a program of a user.

pub mod again;
pub mod bugs;
pub mod correct;
pub mod exhaustive;
pub mod marks;
pub mod oracles;
#[path = "../bugs/mod.rs"]
pub mod ported;
pub mod properties;
pub mod reports;

use std::{future::Future, pin::Pin};

/// A program's future: it stays on the thread of its run.
pub type Main = Pin<Box<dyn Future<Output = ()>>>;

/// What the strategies of the tests are called.
pub const STRATEGIES: [&str; 8] =
    ["random", "sticky", "pct", "pos", "urw", "surw", "lockstep", "portfolio"];
