//! What a node is to be, until it is started.

use super::Node;
use crate::{check::Outcome, context, world::Plan};
use std::{
    fmt, future::Future, net::IpAddr, ops::RangeInclusive, panic::Location, rc::Rc, sync::Arc,
};

/// Workers of a node, as of a run.
const WORKERS: u32 = 4;

/// A node that is not started; made by [`node`](super::node()).
#[must_use = "a node runs from `start` on"]
pub struct NodeBuilder {
    name: Arc<str>,
    ips: Vec<IpAddr>,
    workers: u32,
    open_files: Option<u32>,
    ports: Option<RangeInclusive<u16>>,
}

impl NodeBuilder {
    #[track_caller]
    pub(super) fn new(name: &str) -> NodeBuilder {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        assert!(
            name.bytes().all(known) && name.starts_with(|first: char| first.is_ascii_alphabetic()),
            "{name:?} cannot be the name of a node: it takes letters, digits, `-`, `_` and `.`, a letter first"
        );
        let (name, ips) = (name.into(), Vec::new());
        NodeBuilder { name, ips, workers: WORKERS, open_files: None, ports: None }
    }

    /// An address; a node may have several. One that is given none of a family gets one: from 192.168.0.1 and fd00::1 on.
    pub fn ip(mut self, ip: impl Into<IpAddr>) -> NodeBuilder {
        self.ips.push(ip.into());
        self
    }

    /// How many of its tasks may be in the middle of a poll at once: 4, unless this is called. 1 is a runtime of one
    /// thread.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[track_caller]
    pub fn workers(mut self, workers: usize) -> NodeBuilder {
        assert!(workers > 0, "a node has at least one worker");
        self.workers = u32::try_from(workers).unwrap_or(u32::MAX);
        self
    }

    /// How many sockets it may have open at once, as `ulimit -n` bounds them: 524,288, unless this is called. One more
    /// fails with `EMFILE`.
    ///
    /// ```
    /// use sim::net::UdpSocket;
    ///
    /// sim::runtime::Runtime::new().unwrap().block_on(async {
    ///     let node = sim::node("small").open_files(1).start(|| async {
    ///         let _first = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    ///         let error = UdpSocket::bind("0.0.0.0:0").await.unwrap_err();
    ///         assert_eq!(error.raw_os_error(), Some(24)); // EMFILE
    ///     });
    ///     node.join().await.unwrap();
    /// });
    /// ```
    pub fn open_files(mut self, sockets: u32) -> NodeBuilder {
        self.open_files = Some(sockets);
        self
    }

    /// The ports that it gives to sockets which ask for none, as Linux's `ip_local_port_range`: 32768 to 60999, unless this
    /// is called. When all are taken a connect fails with `EADDRNOTAVAIL`, a bind with `EADDRINUSE`.
    ///
    /// # Panics
    ///
    /// If the range has no ports, or the port 0.
    #[track_caller]
    pub fn ephemeral_ports(mut self, ports: RangeInclusive<u16>) -> NodeBuilder {
        assert!(!ports.is_empty() && !ports.contains(&0), "{ports:?} are no ports");
        self.ports = Some(ports);
        self
    }

    /// Starts it: a process that runs what the factory gives, and all that that spawns. When it ends the process does, and
    /// its other tasks vanish, as those of a `#[tokio::main]` do.
    ///
    /// The factory is called within the process, and again each time that the node is started again. What it captures
    /// outlives a crash, as nothing of a machine but its disk does: that is for the test's own books.
    ///
    /// # Panics
    ///
    /// If there is a node of that name, if another has one of the addresses, or if nobody can have it; outside of a
    /// simulation.
    #[track_caller]
    pub fn start<F, Fut>(self, factory: F) -> Node
    where
        F: Fn() -> Fut + Send + 'static,
        Fut: Future<Output: Outcome> + Send + 'static,
    {
        let site = Location::caller();
        let world = context::expect_world();
        let NodeBuilder { name, ips, workers, open_files, ports } = self;
        let plan = Plan {
            name: name.clone(),
            ips,
            workers,
            open_files,
            ports,
            factory: Rc::new(move || {
                let future = factory();
                Box::pin(async move { future.await.error() })
            }),
            site,
        };
        match world.start_node(plan) {
            Ok(number) => {
                let node = Node::new(&world, number);
                crate::point::point_alone(crate::point::Access::Spawn, site, None);
                node
            }
            Err(message) => panic!("failed to start the node {name:?}: {message}"),
        }
    }
}

impl fmt::Debug for NodeBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeBuilder").field("name", &self.name).finish_non_exhaustive()
    }
}
