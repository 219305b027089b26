//! Programs with one mistake each, and what the oracle whose matter it is has to say of it; their corrected
//! twins; and legal programs that look like a mistake for a while.
//!
//! A file for each kind of mistake. Places are named by marks, comments at the end of a line: `{mark}` in an
//! expectation stands for the file and the line of that mark.

use crate::Main;
use sim::{
    Config, FailureKind, Level, Report,
    sync::Mutex,
    time::{Duration, sleep},
};
use std::sync::Arc;

mod channels;
mod close_calls;
mod histories;
mod joins;
mod leaks;
mod livelocks;
mod locks;
mod orders;
mod polls;
mod properties;
mod semaphores;
mod swallowed;
mod unreached;
mod waits;

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

impl Program {
    /// Whether findings of its kind are only printed, if nobody says otherwise.
    pub fn is_warning(&self) -> bool {
        use FailureKind::{LeakedPermit, LeakedTask, LockOrder, UnreachedProperty};
        matches!(self.kind, LeakedPermit | LeakedTask | LockOrder | UnreachedProperty)
    }

    /// Runs the program without the mistake. If a finding would only be printed, all lints fail here.
    pub fn check_corrected(&self, runs: u64) -> Report {
        let settings = (self.settings)(Config::new().seeds(runs));
        match self.is_warning() {
            true => sim::check(settings.lint("all", Level::Deny), self.corrected),
            false => sim::check(settings, self.corrected),
        }
    }
}

/// A program without a mistake: its name, and what starts it.
pub type Legal = (&'static str, fn() -> Main);

/// All programs with a mistake.
pub fn broken() -> impl Iterator<Item = &'static Program> {
    FILES.iter().flat_map(|file| file.programs)
}

/// All programs without one.
pub fn legal() -> impl Iterator<Item = Legal> {
    [waits::LEGAL, orders::LEGAL, leaks::LEGAL, close_calls::LEGAL].into_iter().flatten().copied()
}

/// Those whose locks cannot be waited for in a circle, whatever their order.
pub const ORDERED: &[Legal] = orders::LEGAL;

/// A file of this folder that has programs with a mistake.
struct File {
    /// As reports call it.
    name: &'static str,
    text: &'static str,
    programs: &'static [Program],
}

macro_rules! files {
    ($($file:ident),*) => {
        const FILES: &[File] = &[$(File {
            name: $file::FILE,
            text: include_str!(concat!(stringify!($file), ".rs")),
            programs: $file::PROGRAMS,
        }),*];
    };
}

files!(
    locks, semaphores, channels, joins, orders, swallowed, leaks, livelocks, polls, properties,
    unreached, histories
);

/// The place of the line that ends in a mark, as reports write it.
///
/// # Panics
///
/// Panics if there is not one such line.
#[must_use]
pub fn place(mark: &str) -> String {
    let comment = format!("// {mark}");
    let mut found = Vec::new();
    for File { name, text, .. } in FILES {
        let lines = text.lines().enumerate().filter(|line| line.1.ends_with(&comment));
        found.extend(lines.map(|line| format!("{name}:{}", line.0 + 1)));
    }
    assert_eq!(found.len(), 1, "{mark}: {found:?}");
    found.remove(0)
}

/// Whether a report says what is expected, in which `{mark}` is the place of that mark: its file and line, since the
/// columns of a report are left out.
///
/// # Panics
///
/// Panics if a mark is not one line.
#[must_use]
pub fn says(report: &str, expected: &str) -> bool {
    without_columns(report).contains(&with_places(expected))
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

/// `src/lib.rs:3:14` becomes `src/lib.rs:3`.
fn without_columns(report: &str) -> String {
    let mut pieces = report.split(".rs:");
    let mut text = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let digits =
            |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (line, rest) = piece.split_at(digits(piece));
        let column = rest.strip_prefix(':').map_or(0, digits);
        let rest = if column > 0 { &rest[1 + column..] } else { rest };
        text.push_str(".rs:");
        text.push_str(line);
        text.push_str(rest);
    }
    text
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
macro_rules! legal_programs {
    ($($name:ident,)*) => {
        pub(super) const LEGAL: &[$crate::oracles::Legal] =
            &[$((stringify!($name), || Box::pin($name()))),*];
    };
}

use {legal_programs, programs, settings};

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
