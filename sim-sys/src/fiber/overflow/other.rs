//! A platform on which an overflow ends the process, at the guard below the stack, and nothing can be
//! interrupted.

use super::Pulse;

/// Does nothing here.
pub(super) fn install() {}

/// Does nothing here.
///
/// # Safety
///
/// As that of the other platforms.
pub(super) unsafe fn set_pulse(_: *const Pulse) -> *const Pulse {
    std::ptr::null()
}

/// A thread that cannot be interrupted.
#[derive(Debug)]
pub(super) struct Target;

impl Target {
    pub(super) fn this() -> Target {
        Target
    }

    pub(super) fn processor_time(&self) -> Option<std::time::Duration> {
        None
    }

    pub(super) fn interrupt(&self) {}
}
