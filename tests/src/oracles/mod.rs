//! Programs with one mistake each, and what the oracle whose matter it is has to say of it; their corrected
//! twins; and legal programs that look like a mistake for a while.
//!
//! A file for each kind of mistake. Places are named by marks, comments at the end of a line: `{mark}` in an
//! expectation stands for the file and the line of that mark.

use crate::Main;
use sim::{
    Config, FailureKind,
    sync::Mutex,
    time::{Duration, sleep},
};
use std::sync::Arc;

mod channels;
mod joins;
mod leaks;
mod locks;
mod orders;
mod semaphores;
mod waits;

pub use leaks::{lock_that_is_kept, permit_that_is_forgotten, server_without_a_lock};
pub use orders::both_orders;

/// A program with a mistake.
#[derive(Clone, Copy)]
pub struct Program {
    /// What it does, in a word or three.
    pub name: &'static str,
    /// How a run fails that shows the mistake.
    pub kind: FailureKind,
    /// What the report has to say.
    pub says: &'static [&'static str],
    /// Changes the settings, of both.
    pub settings: fn(Config) -> Config,
    /// Starts the program.
    pub broken: fn() -> Main,
    /// The same without the mistake.
    pub corrected: fn() -> Main,
}

/// A program without a mistake: its name, and what starts it.
pub type Legal = (&'static str, fn() -> Main);

/// All programs with a mistake.
pub fn all() -> impl Iterator<Item = &'static Program> {
    let files = [locks::PROGRAMS, semaphores::PROGRAMS, channels::PROGRAMS, joins::PROGRAMS];
    files.into_iter().flatten()
}

/// Programs that wait in circles, or seem to, until something ends that.
pub const WAITS: &[Legal] = waits::LEGAL;

/// Programs whose locks cannot be waited for in a circle, whatever their order.
pub const ORDERED: &[Legal] = orders::LEGAL;

/// The files of this folder: how reports call them, and what is in them.
const FILES: &[(&str, &str)] = &[
    (locks::FILE, include_str!("locks.rs")),
    (semaphores::FILE, include_str!("semaphores.rs")),
    (channels::FILE, include_str!("channels.rs")),
    (joins::FILE, include_str!("joins.rs")),
    (leaks::FILE, include_str!("leaks.rs")),
    (orders::FILE, include_str!("orders.rs")),
];

/// The place of the line that ends in a mark, as reports write it.
///
/// # Panics
///
/// Panics if there is not one such line.
#[must_use]
pub fn place(mark: &str) -> String {
    let comment = format!("// {mark}");
    let mut found = Vec::new();
    for (file, text) in FILES {
        let lines = text.lines().enumerate().filter(|line| line.1.ends_with(&comment));
        found.extend(lines.map(|line| format!("{file}:{}", line.0 + 1)));
    }
    assert_eq!(found.len(), 1, "{mark}: {found:?}");
    found.remove(0)
}

/// An expectation with its marks replaced by places.
#[must_use]
pub fn with_places(expected: &str) -> String {
    let mut text = String::new();
    let mut rest = expected;
    while let Some((before, after)) = rest.split_once('{') {
        let (mark, after) = after.split_once('}').expect("a mark ends");
        text.push_str(before);
        text.push_str(&place(mark));
        rest = after;
    }
    text + rest
}

/// Lists the programs of a file, each a function that is generic over whether it is corrected:
///
/// ```text
/// name: Kind ["what the report says", "of {this mark}"];
/// name: Kind ["…"] with |config| config.max_steps(1_000);
/// ```
macro_rules! programs {
    ($($name:ident: $kind:ident [$($says:literal),* $(,)?] $(with $settings:expr)?;)*) => {
        pub(super) const FILE: &str = file!();

        /// The programs of this file.
        pub(super) const PROGRAMS: &[$crate::oracles::Program] = &[$($crate::oracles::Program {
            name: stringify!($name),
            kind: sim::FailureKind::$kind,
            says: &[$($says),*],
            settings: $crate::oracles::settings!($($settings)?),
            broken: || Box::pin($name::<false>()),
            corrected: || Box::pin($name::<true>()),
        }),*];
    };
}

macro_rules! settings {
    () => {
        |config| config
    };
    ($settings:expr) => {
        $settings
    };
}

/// Lists the legal programs of a file.
macro_rules! legal {
    ($($name:ident,)*) => {
        pub(super) const LEGAL: &[$crate::oracles::Legal] =
            &[$((stringify!($name), || Box::pin($name()))),*];
    };
}

use {legal, programs, settings};

/// Keeps the clock going, so that a deadlock is never one of all tasks.
fn heartbeat() {
    sim::spawn(async {
        loop {
            sleep(Duration::from_secs(7)).await;
        }
    });
}

fn two_locks() -> (Arc<Mutex<u32>>, Arc<Mutex<u32>>) {
    (Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0)))
}
