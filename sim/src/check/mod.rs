//! Running a test under many seeds, and telling what failed.

mod config;
mod env;
mod exhaustive;
mod hook;
mod json;
mod lints;
mod orders;
mod report;
mod rerun;
mod runner;
mod sweep;
mod tally;

pub use config::{Config, ConfigError};
pub use lints::Level;
pub use report::{Classes, Failure, FailureKind, Outcome, Report};
pub use runner::{check, replay, replay_with};

pub(crate) use lints::{Lints, suggest};
pub(crate) use runner::ambient_world;
pub use runner::{config_for, run_test};
