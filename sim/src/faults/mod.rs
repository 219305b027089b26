//! Chaos: faults that strike the nodes of a run and the links between them, by the run's seed.
//!
//! [`Faults`] says which, and how hard; [`Config::faults`](crate::Config::faults), `#[sim::test(faults = "swarm")]` or
//! `SIM_FAULTS` switches them on. They begin when the first node beside `main` starts, and everything about them is a
//! choice of the run: a seed, or a tape, has the same faults at the same times.
//!
//! A test of a system that is to survive faults has two phases: first everything may happen, and nothing but safety is
//! asserted; then [`stop`] ends the faults and heals what they did, and the test demands progress.
//!
//! ```
//! use sim::{Config, Faults, net::UdpSocket, time::{Duration, sleep, timeout}};
//!
//! let report = sim::check(Config::new().seeds(20).faults(Faults::swarm()), || async {
//!     let _server = sim::node("server").start(|| async {
//!         let socket = UdpSocket::bind("0.0.0.0:53").await?;
//!         let mut question = [0; 16];
//!         loop {
//!             let (len, from) = socket.recv_from(&mut question).await?;
//!             socket.send_to(&question[..len], from).await?;
//!         }
//!         #[allow(unreachable_code)]
//!         Ok::<(), std::io::Error>(())
//!     });
//!     let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
//!     sleep(Duration::from_secs(10)).await;
//!     sim::faults::stop();
//!     sim::within(Duration::from_secs(5), "an answer after the faults", async {
//!         let mut answer = [0; 16];
//!         loop {
//!             // The server may not be up again yet.
//!             let _ = socket.send_to(b"question", "server:53").await;
//!             if timeout(Duration::from_millis(100), socket.recv(&mut answer)).await.is_ok() {
//!                 break;
//!             }
//!         }
//!     })
//!     .await;
//! });
//! assert!(report.failure.is_none(), "{report}");
//! ```
//!
//! # How it works
//!
//! What befalls packets is drawn for each, where it is sent or arrives. What strikes now and then (crashes, pauses,
//! partitions, clogs, jumps of clocks) has a time of its own, after which it is drawn whether it strikes, whom and for how
//! long. The longer a run lasts, the rarer they become, so that some hundred are in each tenfold of time, and an idle day
//! costs nothing. That a fault may strike keeps no run alive: a test in which nothing else would ever happen is a
//! deadlock. What is injured heals first.
//!
//! Each run counts how often each kind was injected, and had an effect: see [`Report::faults`](crate::Report::faults). A
//! kind that a setter has set and that had no effect in any run of a check is a warning; so is a preset of which nothing
//! had any.
//!
//! Faults of the test's own hand (`net::partition`, `node.crash()`) are the test's to end: `stop` leaves them.

mod buggify;
mod kind;
mod plan;

pub use buggify::Ratio;
pub(crate) use kind::{Counts, add, listed};
pub use kind::{FaultCount, FaultKind};
pub use plan::{Faults, Split};

use crate::{
    context,
    point::{Access, point_alone},
};
use std::panic::Location;

/// Ends all faults and heals what they did: links pass again, what was held arrives, nodes that crashed start again and
/// those that were paused go on, drifting clocks go right. Clocks that were set wrong stay so. Nothing strikes until
/// [`resume`]. What the test did itself (partitions, crashes, links) stays as it is.
///
/// # Panics
///
/// Where no task or thread of a simulation runs.
#[track_caller]
pub fn stop() {
    let site = Location::caller();
    let world = context::expect_world();
    assert!(world.is_running(), "only a task or a thread of the simulation can stop faults");
    point_alone(Access::Write, site, None);
    world.stop_faults();
}

/// Lets faults strike again, after [`stop`].
///
/// # Panics
///
/// Where no task or thread of a simulation runs.
#[track_caller]
pub fn resume() {
    let site = Location::caller();
    let world = context::expect_world();
    assert!(world.is_running(), "only a task or a thread of the simulation can resume faults");
    point_alone(Access::Write, site, None);
    world.resume_faults();
}
