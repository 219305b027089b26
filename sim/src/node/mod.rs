//! Nodes: machines, each with a process that crashes, restarts, pauses and stops apart from the others.
//!
//! [`node`] makes one, from a name and a factory: a closure that gives the main future of the process each time that it
//! is started. A node has tasks, workers, entropy, a [clock](Clock) and addresses of its own. The test itself is the
//! node `main`, which can do none of these.
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicU32, Ordering::SeqCst}};
//! use sim::time::{Duration, sleep};
//!
//! let report = sim::check(sim::Config::new().seeds(20), || async {
//!     let starts = Arc::new(AtomicU32::new(0));
//!     let server = sim::node("server").ip([10, 0, 0, 1]).start({
//!         let starts = starts.clone();
//!         move || {
//!             let starts = starts.clone();
//!             async move {
//!                 starts.fetch_add(1, SeqCst);
//!                 loop {
//!                     sleep(Duration::from_secs(1)).await;
//!                 }
//!             }
//!         }
//!     });
//!     sleep(Duration::from_secs(10)).await;
//!     server.crash();
//!     assert!(!server.is_running());
//!     server.restart();
//!     sleep(Duration::from_secs(10)).await;
//!     assert_eq!(starts.load(SeqCst), 2);
//! });
//! assert!(report.failure.is_none(), "{report}");
//! ```
//!
//! # What a crash does
//!
//! It takes place between two steps of the run. No task of the process is polled again; polls in flight and threads are
//! unwound, tasks that wait are dropped. That runs destructors, which a crash of a machine does not: for the memory's
//! sake, and so that locks which the node shares with the test are given back. They are no part of the story: no
//! operation of theirs lets others run, what they spawn is cancelled, and what they panic with or leave behind is no
//! finding. Handles that others have of tasks of the process give a [`JoinError`](crate::task::JoinError) of a task that
//! was cancelled. The same happens, in place of a runtime's shutdown, where a process ends because its main future does,
//! or by a signal; and to all nodes when the test ends.
//!
//! # Limits
//!
//! - A thread that waits within libc (`std::thread::sleep`, a contended lock of std) cannot be unwound. It vanishes as
//!   well, but what it owns is leaked.
//! - A destructor that panics while a poll in flight is unwound aborts the process, as in Rust it does: the run fails.
//!   A destructor of a task that waits may panic.
//! - A `std::sync::Mutex` that is shared with the test is poisoned if a poll in flight held it.
//! - An exhaustive search does not know what a crash or a pause depends on: with nodes it may miss schedules.

mod builder;
mod clock;
mod disk;
mod error;

pub use builder::NodeBuilder;
pub use clock::{Clock, Shift};
pub use disk::{
    Content, Device, Disk, DiskFault, DiskFaults, Errno, FaultCount, Rules, Snapshot, User, Verb,
    Volume,
};
pub use error::{NodeError, UnknownNode};

use crate::{
    context,
    point::{Access, Site, point_alone},
    signal::unix::SignalKind,
    world::{MAIN_NODE, Remote, World},
};
use std::{
    fmt,
    future::{Future, poll_fn},
    net::IpAddr,
    panic::Location,
    rc::Rc,
    sync::Arc,
};

/// Begins a node called `name`, which is letters, digits, `-`, `_` and `.`, a letter first: names resolve as hosts do.
///
/// It runs from [`start`](NodeBuilder::start) on.
///
/// # Panics
///
/// If it is no such name.
///
/// ```
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let server = sim::node("server").start(|| async {});
///     assert_eq!(server.join().await, Ok(()));
/// });
/// ```
#[track_caller]
pub fn node(name: impl AsRef<str>) -> NodeBuilder {
    NodeBuilder::new(name.as_ref())
}

/// The node of the code that runs: `main` in the test itself.
///
/// # Panics
///
/// Outside of a simulation.
///
/// ```
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     assert_eq!(sim::node::current().name(), "main");
///     let server = sim::node("server").start(|| async {
///         assert_eq!(sim::node::current().name(), "server");
///     });
///     server.join().await.unwrap();
/// });
/// ```
#[track_caller]
pub fn current() -> Node {
    let world = context::expect_world();
    Node::new(&world, world.current_node())
}

/// The node of that name.
///
/// # Errors
///
/// If there is none, with the names that there are.
///
/// # Panics
///
/// Outside of a simulation.
///
/// ```
/// sim::runtime::Runtime::new().unwrap().block_on(async {
///     let _server = sim::node("server").start(|| async {});
///     assert_eq!(sim::node::get("server").unwrap().name(), "server");
///     let error = sim::node::get("sever").unwrap_err();
///     assert_eq!(
///         error.to_string(),
///         "no node is called \"sever\" (did you mean \"server\"?): there are main, server"
///     );
/// });
/// ```
#[track_caller]
pub fn get(name: &str) -> Result<Node, UnknownNode> {
    let world = context::expect_world();
    match world.find_node(name) {
        Ok(number) => Ok(Node::new(&world, number)),
        Err(known) => Err(UnknownNode::new(name, &known)),
    }
}

/// A node: a cheap handle, which may be cloned and sent to any task of the run.
///
/// A process that panics or fails, and that nobody [joins](Node::join), fails the run as a swallowed panic or error: when
/// the last handle of the node is gone, and at the latest at the end of the run.
#[derive(Clone)]
pub struct Node {
    inner: Arc<Inner>,
}

struct Inner {
    remote: Arc<Remote>,
    run: u64,
    number: u32,
    name: Arc<str>,
    ips: Arc<[IpAddr]>,
}

impl Node {
    fn new(world: &World, number: u32) -> Node {
        world.hold_node(number);
        let inner = Inner {
            remote: world.remote().clone(),
            run: world.run(),
            number,
            name: world.node_name(number),
            ips: world.node_ips(number),
        };
        Node { inner: Arc::new(inner) }
    }

    /// Its simulation, whose run has to be the one that the node is of.
    #[track_caller]
    fn world(&self) -> Rc<World> {
        let world = context::find(&self.inner.remote).filter(|it| it.run() == self.inner.run);
        world.unwrap_or_else(|| panic!("the run of the node {:?} is over", self.inner.name))
    }

    /// As [`world`](Node::world), to do something to a node that is not the test.
    #[track_caller]
    fn act(&self, what: &str, access: Access, site: Site) -> Rc<World> {
        let world = self.world();
        assert!(
            self.inner.number != MAIN_NODE,
            "the node \"main\" is the test itself, which nobody can {what}"
        );
        assert!(
            world.is_running() || world.is_stopping(),
            "only a task or a thread of the simulation can {what} a node"
        );
        point_alone(access, site, None);
        world
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Its first IPv4 address.
    pub fn ip(&self) -> IpAddr {
        let v4 = self.inner.ips.iter().find(|ip| ip.is_ipv4());
        *v4.or(self.inner.ips.first()).expect("a node has addresses")
    }

    /// All its addresses: those that it was given, then one of each family that was missing.
    pub fn ips(&self) -> &[IpAddr] {
        &self.inner.ips
    }

    /// Crashes it, as when the machine loses its power: see [What a crash does](self#what-a-crash-does). Nothing if it
    /// is not running.
    ///
    /// A task that crashes its own node never returns from this.
    ///
    /// # Panics
    ///
    /// If it is `main`; where no task or thread of the simulation runs; from the node itself in a destructor that a
    /// panic runs.
    #[track_caller]
    pub fn crash(&self) {
        let site = Location::caller();
        self.act("crash", Access::Abort, site).crash_node(self.inner.number, site);
    }

    /// Starts it again, with the same factory: a new process, that knows nothing of the former. A node that is running,
    /// or paused, crashes before, as madsim's `restart` and turmoil's `bounce` have it.
    ///
    /// # Panics
    ///
    /// As [`crash`](Node::crash).
    #[track_caller]
    pub fn restart(&self) {
        let site = Location::caller();
        self.act("restart", Access::Spawn, site).restart_node(self.inner.number, site);
    }

    /// Pauses it, as a collection of garbage or a virtual machine that stalls does: none of its tasks and threads goes
    /// on, from wherever they stand. Its clock does, so that timers which come due meanwhile are seen late. Nothing if it
    /// is not running, or paused already.
    ///
    /// A task that pauses its own node returns from this once another resumes it.
    ///
    /// # Panics
    ///
    /// If it is `main`; where no task or thread of the simulation runs.
    #[track_caller]
    pub fn pause(&self) {
        let site = Location::caller();
        self.act("pause", Access::Write, site).pause_node(self.inner.number, site);
    }

    /// Lets it go on after a pause. Nothing if it is not paused.
    ///
    /// # Panics
    ///
    /// As [`pause`](Node::pause).
    #[track_caller]
    pub fn resume(&self) {
        let site = Location::caller();
        self.act("resume", Access::Notify, site).resume_node(self.inner.number, site);
    }

    /// Asks it to stop, as an operator does: sends SIGTERM, or SIGINT if its process listens to that alone. A process
    /// that listens to neither ends at once.
    ///
    /// It does not wait: [`join`](Node::join) does.
    ///
    /// # Panics
    ///
    /// As [`pause`](Node::pause).
    ///
    /// ```
    /// let report = sim::check(sim::Config::new().seeds(20), || async {
    ///     let server = sim::node("server").start(|| async {
    ///         sim::signal::ctrl_c().await.unwrap();
    ///         // Writes to its disk what is left.
    ///     });
    ///     sim::time::sleep(std::time::Duration::from_secs(1)).await;
    ///     server.shutdown();
    ///     assert_eq!(server.join().await, Ok(()));
    /// });
    /// assert!(report.failure.is_none(), "{report}");
    /// ```
    #[track_caller]
    pub fn shutdown(&self) {
        let world = self.world();
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        let listens = |kind: SignalKind| world.listens(self.inner.number, kind.as_raw_value());
        match listens(interrupt) && !listens(terminate) {
            true => self.signal(interrupt),
            false => self.signal(terminate),
        }
    }

    /// Sends a signal to its process. One that does not listen to it ends, unless it is one of those that do nothing by
    /// themselves (signal(7)). Nothing if it is not running.
    ///
    /// # Panics
    ///
    /// As [`pause`](Node::pause); a test may send itself signals that it listens to.
    #[track_caller]
    pub fn signal(&self, kind: SignalKind) {
        let (site, number, signal) = (Location::caller(), self.inner.number, kind.as_raw_value());
        let world = match number == MAIN_NODE && self.world().listens(number, signal) {
            true => self.world(),
            false => self.act("end by a signal", Access::Notify, site),
        };
        world.send_signal(number, signal, site);
    }

    /// Whether it has a process; it may be paused.
    pub fn is_running(&self) -> bool {
        self.world().node_is_running(self.inner.number)
    }

    /// Whether it is paused.
    pub fn is_paused(&self) -> bool {
        self.world().node_is_paused(self.inner.number)
    }

    /// Waits until its process of now ends, and gives how; at once if it has ended.
    ///
    /// # Errors
    ///
    /// If the main future panicked or gave an error, and if the node crashed or was ended by a signal.
    #[track_caller]
    pub fn join(&self) -> impl Future<Output = Result<(), NodeError>> + Send + use<> {
        let (node, site) = (self.clone(), Location::caller());
        let incarnation = self.world().incarnation(self.inner.number);
        async move {
            poll_fn(|cx| {
                point_alone(Access::Join, site, None);
                node.world().poll_node_end(node.inner.number, incarnation, cx.waker())
            })
            .await
        }
    }

    /// Its clock.
    pub fn clock(&self) -> Clock {
        Clock::new(self.clone())
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(world) = context::find(&self.remote).filter(|world| world.run() == self.run) {
            world.release_node(self.number);
        }
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node").field("name", &self.name()).field("ips", &self.ips()).finish()
    }
}
