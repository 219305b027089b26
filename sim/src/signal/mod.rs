//! Signals, as processes of nodes get them.
//!
//! Names, signatures and semantics are those of `tokio::signal`. A signal comes from
//! [`Node::shutdown`](crate::node::Node::shutdown) and [`Node::signal`](crate::node::Node::signal), never from the machine.
//!
//! ```
//! let report = sim::check(sim::Config::new().seeds(20), || async {
//!     let server = sim::node("server").start(|| async {
//!         sim::signal::ctrl_c().await
//!     });
//!     sim::time::sleep(std::time::Duration::from_secs(5)).await;
//!     server.shutdown();
//!     assert_eq!(server.join().await, Ok(()));
//! });
//! assert!(report.failure.is_none(), "{report}");
//! ```

pub mod unix;

use std::io;
use unix::SignalKind;

/// Waits for the next SIGINT of the node that runs, from the first poll on. From then on that signal does not end the
/// process any more.
///
/// # Errors
///
/// None; tokio's signature.
///
/// # Panics
///
/// Outside of a simulation.
pub async fn ctrl_c() -> io::Result<()> {
    unix::signal(SignalKind::interrupt())?.recv().await;
    Ok(())
}

/// The name of a signal.
pub(crate) fn name(signal: i32) -> String {
    let name = match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        29 => "SIGIO",
        other => return format!("signal {other}"),
    };
    name.into()
}
