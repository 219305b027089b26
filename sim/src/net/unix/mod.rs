//! Unix sockets: what `sim::net` has of them beyond its sockets.
//!
//! Their paths are names within a node, and begin anew with each run: nothing of the machine's disk is looked at or
//! changed, and `std::fs::remove_file` does not remove them.

mod addr;
pub(super) mod datagram;
pub(super) mod listener;
pub(super) mod socket;
mod split;
pub(super) mod stream;
mod ucred;

pub use addr::SocketAddr;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use ucred::UCred;

/// A number of a group.
#[allow(non_camel_case_types)]
pub type gid_t = u32;
/// A number of a process.
#[allow(non_camel_case_types)]
pub type pid_t = i32;
/// A number of a user.
#[allow(non_camel_case_types)]
pub type uid_t = u32;
