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
const LINTS: [(&str, FailureKind, Level); 15] = [
    ("swallowed_panic", FailureKind::SwallowedPanic, Level::Deny),
    // A kind may have several lints; the first is the one of findings that name none.
    ("ignored_panic", FailureKind::SwallowedPanic, Level::Warn),
    ("swallowed_error", FailureKind::SwallowedError, Level::Deny),
    ("escape", FailureKind::Escape, Level::Deny),
    ("nondeterminism", FailureKind::Nondeterminism, Level::Deny),
    ("leaked_task", FailureKind::LeakedTask, Level::Warn),
    ("leaked_permit", FailureKind::LeakedPermit, Level::Warn),
    ("leaked_receiver", FailureKind::LeakedReceiver, Level::Warn),
    ("aborted_guard", FailureKind::AbortedGuard, Level::Warn),
    ("starved_task", FailureKind::StarvedTask, Level::Warn),
    ("unfair_wait", FailureKind::UnfairWait, Level::Warn),
    ("blocked_poll", FailureKind::BlockedPoll, Level::Warn),
    ("lock_order", FailureKind::LockOrder, Level::Warn),
    ("ignored_fault", FailureKind::IgnoredFault, Level::Warn),
    ("unreached_property", FailureKind::UnreachedProperty, Level::Warn),
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

    /// The level of the lint `name`.
    pub(crate) fn level_of(&self, name: &str) -> Level {
        let lint = LINTS.iter().position(|lint| lint.0 == name);
        self.0[lint.expect("the simulation knows its own lints")]
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
            None => {
                let wrong = name.to_lowercase().replace('-', "_");
                let near = suggest(&wrong, LINTS.iter().map(|lint| lint.0).chain(["all"]));
                Err(format!("{name:?} is not the name of a lint{near}: {}", names()))
            }
        }
    }
}

fn names() -> String {
    let names: Vec<&str> = LINTS.iter().map(|lint| lint.0).collect();
    format!("they are {}, and all", names.join(", "))
}

/// What of that which is known a wrong name may be meant for; `#[sim::test]` suggests likewise.
pub(crate) fn suggest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known.map(|name| (distance(wrong, name), name)).min();
    match near {
        Some((far, name)) if far <= 2.max(wrong.len() / 3).min(wrong.len().saturating_sub(1)) => {
            format!(" (did you mean {name:?}?)")
        }
        _ => String::new(),
    }
}

/// Levenshtein's distance: how many letters have to be changed, added or taken away.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: Result<(), &str>) {
        let result = Lints::default().set(name, Level::Allow);
        match (result, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(start)) => assert!(error.starts_with(start), "{error}"),
            (result, expected) => panic!("{name}: {result:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn unknown_names_are_told_with_the_nearest_known_one() {
        check("swallowed_error", Ok(()));
        check("all", Ok(()));
        check(
            "swallowed-errors",
            Err(
                "\"swallowed-errors\" is not the name of a lint (did you mean \"swallowed_error\"?): they are",
            ),
        );
        check(
            "leaked_tusk",
            Err("\"leaked_tusk\" is not the name of a lint (did you mean \"leaked_task\"?)"),
        );
        check("al", Err("\"al\" is not the name of a lint (did you mean \"all\"?)"));
        check("banana", Err("\"banana\" is not the name of a lint: they are swallowed_panic,"));
        check("", Err("\"\" is not the name of a lint: they are"));
    }
}
