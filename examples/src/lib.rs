//! Programs with a bug beside their corrected twins, written against tokio's paths.
//!
//! Each binary shows `sim` finding the bug, replaying it from its seed, and passing the corrected
//! program: `cargo run --bin bank`.

pub mod bank;
pub mod busy_loop;
pub mod forgotten_error;
pub mod gossip;
pub mod kept_lock;
pub mod last_item;
pub mod philosophers;
pub mod replicated;
pub mod show;
pub mod stale_read;
pub mod throttle;
pub mod wal;
