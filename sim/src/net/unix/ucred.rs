//! Who is at the other end.

use super::{gid_t, pid_t, uid_t};

/// The process at the other end of a Unix stream, as it was when the connection was made.
///
/// All nodes run as the user of the test; within a simulation there is one process.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct UCred {
    pub(super) pid: Option<pid_t>,
    pub(super) uid: uid_t,
    pub(super) gid: gid_t,
}

impl UCred {
    /// Its user.
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// Its group.
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// Its number.
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}
