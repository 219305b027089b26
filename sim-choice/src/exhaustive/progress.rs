//! How far a search has come.

use core::fmt;

/// Counts of a search so far.
///
/// Its text is the line with which a search ends, such as "all 90 classes explored" or "bound reached: 12,345
/// classes, preemptions ≤ 2".
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Progress {
    /// Runs begun and finished.
    pub runs: u64,
    /// Classes of equivalent schedules among the runs that came to an end.
    pub classes: u64,
    /// Runs that were given up because all that could go on had been run already.
    pub asleep: u64,
    /// Runs that were given up because they had too many steps.
    pub cut: u64,
    /// Schedules that were not run because of the bound on preemptions.
    pub bounded: u64,
    /// The bound on preemptions.
    pub preemptions: Option<u32>,
    /// Nothing is left to be run within the bounds.
    pub done: bool,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = Thousands(self.classes);
        let noun = if self.classes == 1 { "class" } else { "classes" };
        if !self.done {
            return write!(f, "{classes} {noun} explored so far");
        }
        match (self.preemptions, self.cut) {
            (Some(bound), _) if self.bounded > 0 => {
                write!(f, "bound reached: {classes} {noun}, preemptions ≤ {bound}")?;
            }
            (_, 0) if self.classes == 1 => f.write_str("the only class explored")?,
            (_, 0) => write!(f, "all {classes} classes explored")?,
            (..) => write!(f, "bound reached: {classes} {noun}")?,
        }
        if self.cut > 0 {
            write!(f, ", {} runs cut for their length", Thousands(self.cut))?;
        }
        Ok(())
    }
}

/// A number with a comma between each three digits.
struct Thousands(u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 / 1000 {
            0 => write!(f, "{}", self.0),
            head => write!(f, "{},{:03}", Thousands(head), self.0 % 1000),
        }
    }
}
