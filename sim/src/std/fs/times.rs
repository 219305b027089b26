//! Times of files: virtual, as the node's wall clock shows them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Times to set: as std's.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileTimes {
    accessed: Option<SystemTime>,
    modified: Option<SystemTime>,
}

impl FileTimes {
    /// None of them is set.
    #[must_use]
    pub fn new() -> FileTimes {
        FileTimes::default()
    }

    /// Sets when the file was read last.
    #[must_use]
    pub fn set_accessed(self, time: SystemTime) -> FileTimes {
        FileTimes { accessed: Some(time), ..self }
    }

    /// Sets when it was written last.
    #[must_use]
    pub fn set_modified(self, time: SystemTime) -> FileTimes {
        FileTimes { modified: Some(time), ..self }
    }

    /// Nanoseconds since 1970.
    pub(super) fn ns(self) -> (Option<i64>, Option<i64>) {
        (self.accessed.map(ns_of), self.modified.map(ns_of))
    }
}

fn ns_of(time: SystemTime) -> i64 {
    let ns = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => ns(after),
        Err(before) => -ns(before.duration()),
    }
}

pub(super) fn time_of(ns: i64) -> SystemTime {
    let span = Duration::from_nanos(ns.unsigned_abs());
    if ns < 0 { UNIX_EPOCH - span } else { UNIX_EPOCH + span }
}
