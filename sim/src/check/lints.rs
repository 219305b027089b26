//! Lints and their levels, as in rustc: a finding is ignored, printed, or fails the run.

use super::FailureKind;

/// What a finding of a lint does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing.
    Allow,
    /// It is printed, and counted in the report.
    Warn,
    /// It fails the run.
    Deny,
}

/// Name, kind of failure, level by default.
const LINTS: [(&str, FailureKind, Level); 9] = [
    ("swallowed_panic", FailureKind::SwallowedPanic, Level::Deny),
    ("swallowed_error", FailureKind::SwallowedError, Level::Deny),
    ("escape", FailureKind::Escape, Level::Deny),
    ("nondeterminism", FailureKind::Nondeterminism, Level::Deny),
    ("leaked_task", FailureKind::LeakedTask, Level::Warn),
    ("leaked_permit", FailureKind::LeakedPermit, Level::Warn),
    ("blocked_poll", FailureKind::BlockedPoll, Level::Warn),
    ("lock_order", FailureKind::LockOrder, Level::Warn),
    ("ignored_fault", FailureKind::IgnoredFault, Level::Warn),
];

/// The level of each lint.
#[derive(Clone, Debug)]
pub(crate) struct Lints([Level; LINTS.len()]);

impl Default for Lints {
    fn default() -> Lints {
        Lints(LINTS.map(|lint| lint.2))
    }
}

impl Lints {
    /// The level of what ends in `kind`; what is no lint always fails.
    pub(crate) fn level(&self, kind: FailureKind) -> Level {
        let lint = LINTS.iter().position(|lint| lint.1 == kind);
        lint.map_or(Level::Deny, |lint| self.0[lint])
    }

    /// Sets the lint `name`, or all of them.
    pub(crate) fn set(&mut self, name: &str, level: Level) -> Result<(), String> {
        if name == "all" {
            self.0 = [level; LINTS.len()];
            return Ok(());
        }
        match LINTS.iter().position(|lint| lint.0 == name) {
            Some(lint) => {
                self.0[lint] = level;
                Ok(())
            }
            None => Err(format!("{name:?} is not the name of a lint: {}", names())),
        }
    }
}

fn names() -> String {
    let names: Vec<&str> = LINTS.iter().map(|lint| lint.0).collect();
    format!("they are {}, and all", names.join(", "))
}
