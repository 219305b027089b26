//! The nodes of a run: machines with a process each, that crash, restart, pause and stop.
//!
//! ```text
//!            start                 its main future ends, or a signal
//!   (new) ─────────▶ running ──────────────────────────────────────▶ ended
//!                    │  ▲  │ crash                                     │
//!              pause │  │  └─────────────────▶ crashed                 │
//!                    ▼  │ resume                 │ restart             │ restart
//!                   paused            running ◀──┴─────────────────────┘
//! ```
//!
//! Node 0 is the test itself, `main`. A run with no other node has an empty list here, and pays nothing but the branch
//! on `nodes_on`. Which node runs is a property of the slot of the task that runs. How the tasks of a process vanish
//! is in `vanish.rs`, what happens to it before in `processes.rs`.

use super::{NONE, World, signals::Line};
use crate::{check::FailureKind, faults::FaultKind, node::NodeError, point::Site};
use sim_choice::Entropy;
use sim_time::Clock;
use std::{
    cell::Cell,
    collections::BTreeMap,
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::RangeInclusive,
    panic::Location,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::Waker,
};

/// The node that is the test.
pub(crate) const MAIN_NODE: u32 = 0;
/// The parent, in the lineage, of the main task of a process.
pub(super) const ROOT: u32 = u32::MAX - 1;
/// Slots keep the number in 16 bits.
pub(super) const NODES: usize = 1 << 16;

/// Faults that show on the wall clock.
const WALL: [FaultKind; 3] = [FaultKind::ClockSkew, FaultKind::ClockJump, FaultKind::ClockDrift];

/// How a process ended.
pub(crate) type End = Result<(), NodeError>;

/// Makes the main future of a process, which gives its error as text.
pub(crate) type Factory = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = Option<String>>>>>;

/// What a node is to be.
pub(crate) struct Plan {
    pub(crate) name: Arc<str>,
    pub(crate) ips: Vec<IpAddr>,
    pub(crate) workers: u32,
    pub(crate) open_files: Option<u32>,
    pub(crate) ports: Option<RangeInclusive<u16>>,
    pub(crate) factory: Factory,
    pub(crate) site: Site,
}

/// The nodes of a run.
#[derive(Default)]
pub(super) struct Nodes {
    pub(super) list: Vec<State>,
    pub(super) by_name: BTreeMap<Arc<str>, u32>,
    by_ip: BTreeMap<IpAddr, u32>,
    /// Addresses given so far to nodes that named none.
    given: u32,
    /// What the trees of tasks are called, one for each process.
    pub(super) roots: Vec<String>,
}

/// One node.
pub(super) struct State {
    pub(super) name: Arc<str>,
    pub(super) ips: Arc<[IpAddr]>,
    pub(super) workers: u32,
    /// Limits of its sockets that are not the usual ones.
    pub(super) open_files: Option<u32>,
    pub(super) ports: Option<RangeInclusive<u16>>,
    /// A fault has crashed it, and starts it again.
    pub(super) fault_restarts: bool,
    /// Faults that have changed its clock since it was last looked at, as bits.
    pub(super) clock_hit: Cell<u32>,
    /// `None` for main.
    pub(super) factory: Option<Factory>,
    pub(super) site: Site,
    pub(super) running: bool,
    pub(super) paused: bool,
    /// Counts the processes; 1 is the first.
    pub(super) incarnation: u32,
    /// The pools of the process, the runtime that it was started in first.
    pub(super) pools: Vec<u32>,
    pub(super) threads: u32,
    pub(super) clock: Clock,
    pub(super) entropy: Option<Box<Entropy>>,
    /// How the processes ended, and whether anybody has looked.
    pub(super) ends: Vec<(End, bool)>,
    pub(super) joiners: Vec<Waker>,
    /// Handles of the node that the program has.
    pub(super) handles: u32,
    pub(super) signals: BTreeMap<i32, Line>,
}

impl Nodes {
    /// The nodes, main among them.
    pub(super) fn with_main(&mut self) -> &mut Nodes {
        if self.list.is_empty() {
            let v4 = Ipv4Addr::new(192, 168, 255, 254);
            let v6 = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0xffff, 0xffff);
            let ips = [v4.into(), v6.into()];
            let mut main = State::new("main".into(), ips.into(), 0, None, Location::caller());
            (main.running, main.incarnation) = (true, 1);
            self.add(main);
        }
        self
    }

    pub(super) fn add(&mut self, state: State) -> u32 {
        let node = self.list.len() as u32;
        self.by_name.insert(state.name.clone(), node);
        self.by_ip.extend(state.ips.iter().map(|&ip| (ip, node)));
        self.list.push(state);
        node
    }

    /// The addresses of a new node: those that it names, and one of each family that is missing there.
    pub(super) fn addresses(&mut self, ips: &[IpAddr]) -> Result<Vec<IpAddr>, String> {
        for (at, ip) in ips.iter().enumerate() {
            if ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() {
                return Err(format!("{ip} is no address that a node can have"));
            }
            if ips[..at].contains(ip) {
                return Err(format!("the address {ip} is given twice"));
            }
            if let Some(&other) = self.by_ip.get(ip) {
                let other = &self.list[other as usize].name;
                return Err(format!("{ip} is already an address of the node {other:?}"));
            }
        }
        let mut all = ips.to_vec();
        let (v4, v6) = (ips.iter().any(IpAddr::is_ipv4), ips.iter().any(IpAddr::is_ipv6));
        if v4 && v6 {
            return Ok(all);
        }
        let new = loop {
            self.given += 1;
            let [_, _, high, low] = self.given.to_be_bytes();
            let new: [IpAddr; 2] = [
                Ipv4Addr::new(192, 168, high, low).into(),
                Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, self.given as u16).into(),
            ];
            let is_free = |ip: &IpAddr| !self.by_ip.contains_key(ip) && !ips.contains(ip);
            // The last byte of an address of a host is neither 0 nor 255.
            if !matches!(low, 0 | 255) && (v4 || is_free(&new[0])) && (v6 || is_free(&new[1])) {
                break new;
            }
        };
        all.extend((!v4).then_some(new[0]));
        all.extend((!v6).then_some(new[1]));
        Ok(all)
    }
}

impl State {
    pub(super) fn new(
        name: Arc<str>,
        ips: Arc<[IpAddr]>,
        workers: u32,
        factory: Option<Factory>,
        site: Site,
    ) -> State {
        State {
            name,
            ips,
            workers,
            open_files: None,
            ports: None,
            fault_restarts: false,
            clock_hit: Cell::new(0),
            factory,
            site,
            running: false,
            paused: false,
            incarnation: 0,
            pools: Vec::new(),
            threads: NONE,
            clock: Clock::new(super::EPOCH_NS),
            entropy: None,
            ends: Vec::new(),
            joiners: Vec::new(),
            handles: 0,
            signals: BTreeMap::new(),
        }
    }

    pub(super) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    /// The pools of its process.
    pub(super) fn all_pools(&self) -> Vec<u32> {
        self.pools.iter().copied().chain([self.threads]).collect()
    }

    /// Failures of its processes that nobody has looked at.
    fn unseen(&self) -> impl Iterator<Item = (FailureKind, String)> {
        self.ends.iter().filter(|end| !end.1).filter_map(|(end, _)| {
            let (kind, what, message) = match end {
                Err(NodeError::Failed(message)) => (FailureKind::SwallowedError, "failed", message),
                Err(NodeError::Panicked(message)) => {
                    (FailureKind::SwallowedPanic, "panicked", message)
                }
                _ => return None,
            };
            let (name, site) = (&self.name, self.site);
            Some((kind, format!("node {name}, started at {site}, {what}: {message}")))
        })
    }
}

// --- what a node has

impl World {
    /// The node of the code that runs.
    pub(crate) fn current_node(&self) -> u32 {
        if !self.nodes_on.get() {
            return MAIN_NODE;
        }
        if self.is_crashing() {
            return self.crashing.get();
        }
        match self.running.slot() {
            NONE => MAIN_NODE,
            slot => u32::from(self.table.borrow().slots[slot as usize].node),
        }
    }

    /// Virtual nanoseconds since the start of the run, on the clock of the node that runs.
    #[inline]
    pub(crate) fn local_ns(&self) -> u64 {
        if self.nodes_on.get() {
            self.local_clock(&[FaultKind::ClockDrift], |clock, now| clock.monotonic_ns(now))
        } else {
            self.now.get()
        }
    }

    /// When the clock of the node that runs shows that time.
    #[inline]
    pub(super) fn when_ns(&self, local_ns: u64) -> u64 {
        if self.nodes_on.get() {
            self.local_clock(&[FaultKind::ClockDrift], |clock, _| clock.when_ns(local_ns))
        } else {
            local_ns
        }
    }

    /// The wall clock of the node that runs.
    pub(super) fn wall_ns(&self) -> u64 {
        match self.nodes_on.get() {
            true => self.local_clock(&WALL, |clock, now| clock.wall_ns(now)),
            false => super::EPOCH_NS + self.now.get(),
        }
    }

    #[cold]
    fn local_clock(&self, hit: &[FaultKind], ask: impl FnOnce(&Clock, u64) -> u64) -> u64 {
        let node = self.current_node();
        let state = &self.nodes.borrow().list[node as usize];
        if state.clock_hit.get() != 0 {
            self.clock_is_read(&state.clock_hit, hit);
        }
        ask(&state.clock, self.now.get())
    }

    /// How many files its process may have open, and which ports it gives, if that is not as usual.
    pub(super) fn node_limits(&self, node: u32) -> (Option<u32>, Option<RangeInclusive<u16>>) {
        let nodes = self.nodes.borrow();
        let state = &nodes.list[node as usize];
        (state.open_files, state.ports.clone())
    }

    /// Changes the clock of a node.
    pub(crate) fn change_clock(&self, node: u32, change: impl FnOnce(&mut Clock, u64)) {
        let now = self.now.get();
        let (former, clock) = {
            let mut nodes = self.nodes.borrow_mut();
            let clock = &mut nodes.with_main().list[node as usize].clock;
            let former = clock.clone();
            change(clock, now);
            (former, clock.clone())
        };
        self.nodes_on.set(true);
        // What was due at a time of the clock is due when it shows that.
        let moved = |at| clock.when_ns(former.monotonic_ns(at)).max(now);
        self.timers.borrow_mut().retime(node, moved);
        self.set_due();
    }

    /// A random word from the stream of the node that runs.
    pub(crate) fn entropy_word(&self) -> u64 {
        let node = self.current_node();
        if node == MAIN_NODE {
            return self.choices.borrow_mut().entropy_word();
        }
        let (mut nodes, mut choices) = (self.nodes.borrow_mut(), self.choices.borrow_mut());
        let state = &mut nodes.list[node as usize];
        let seed = choices.seed();
        let stream = state.entropy.get_or_insert_with(|| {
            let bytes = state.name.bytes().chain(state.incarnation.to_le_bytes());
            Box::new(Entropy::new(seed, crate::fnv::fnv(bytes)))
        });
        choices.entropy_word_of(stream)
    }

    /// Random bytes from it.
    pub(crate) fn fill_entropy(&self, buffer: &mut [u8]) {
        if self.current_node() == MAIN_NODE {
            return self.choices.borrow_mut().fill_entropy(buffer);
        }
        for part in buffer.chunks_mut(8) {
            part.copy_from_slice(&self.entropy_word().to_le_bytes()[..part.len()]);
        }
    }

    /// The pool of the threads of the node that has the pool `pool`.
    pub(super) fn threads_of(&self, pool: u32) -> u32 {
        if !self.nodes_on.get() {
            return super::THREADS;
        }
        let node = self.table.borrow().pools[pool as usize].node;
        match u32::from(node) {
            MAIN_NODE => super::THREADS,
            node => self.nodes.borrow().list[node as usize].threads,
        }
    }

    /// A pool of workers for a runtime that the running code makes.
    pub(crate) fn add_runtime_pool(&self, workers: u32) -> u32 {
        let node = self.current_node();
        let mut table = self.table.borrow_mut();
        let pool = table.add_pool(workers);
        if node != MAIN_NODE {
            table.pools[pool as usize].node = node as u16;
            self.nodes.borrow_mut().list[node as usize].pools.push(pool);
        }
        pool
    }

    pub(crate) fn node_name(&self, node: u32) -> Arc<str> {
        self.nodes.borrow_mut().with_main().list[node as usize].name.clone()
    }

    /// How many there are, main among them.
    pub(crate) fn count_nodes(&self) -> u32 {
        self.nodes.borrow_mut().with_main().list.len() as u32
    }

    /// Those of a node, of both families.
    pub(crate) fn node_ips(&self, node: u32) -> Arc<[IpAddr]> {
        self.nodes.borrow_mut().with_main().list[node as usize].ips.clone()
    }

    /// The number of the node's process, which counts from 1: what belongs to a former one is dead.
    pub(crate) fn incarnation(&self, node: u32) -> u32 {
        self.nodes.borrow_mut().with_main().list[node as usize].incarnation
    }

    pub(crate) fn node_is_running(&self, node: u32) -> bool {
        self.nodes.borrow_mut().with_main().list[node as usize].running
    }

    pub(crate) fn node_is_paused(&self, node: u32) -> bool {
        self.nodes.borrow_mut().with_main().list[node as usize].paused
    }

    /// The node of that name, or the names that there are.
    pub(crate) fn find_node(&self, name: &str) -> Result<u32, Vec<Arc<str>>> {
        let mut nodes = self.nodes.borrow_mut();
        let nodes = nodes.with_main();
        nodes.by_name.get(name).copied().ok_or_else(|| nodes.by_name.keys().cloned().collect())
    }

    /// What the tree of tasks of a process is called.
    pub(super) fn root_name(&self, root: u32) -> String {
        self.nodes.borrow().roots.get(root as usize).cloned().unwrap_or_default()
    }

    /// Whether such a finding is of no account while a node vanishes: on a machine the destructors would not run. What a
    /// task has panicked with before still counts, unless it is a crash.
    #[cold]
    pub(super) fn ends_with_its_node(&self, kind: FailureKind) -> bool {
        match kind {
            FailureKind::SwallowedPanic | FailureKind::SwallowedError => self.crash_hides.get(),
            FailureKind::Abort
            | FailureKind::BlockedPoll
            | FailureKind::Deadlock
            | FailureKind::Escape
            | FailureKind::Setup
            | FailureKind::StackOverflow => false,
            _ => true,
        }
    }

    /// Whether a process vanishes: what runs are its destructors, which are to reach nobody.
    #[inline]
    pub(crate) fn is_crashing(&self) -> bool {
        self.crashing.get() != NONE
    }
}

// --- what is told of nodes

impl World {
    /// The program has another handle of a node.
    pub(crate) fn hold_node(&self, node: u32) {
        self.nodes.borrow_mut().with_main().list[node as usize].handles += 1;
    }

    /// It has one less.
    pub(crate) fn release_node(&self, node: u32) {
        if let Some(state) = self.nodes.borrow_mut().list.get_mut(node as usize) {
            state.handles -= 1;
        }
        self.report_if_forgotten(node);
    }

    /// A failure of a node's process that nobody can look at any more fails the run.
    pub(super) fn report_if_forgotten(&self, node: u32) {
        if self.is_stopping() {
            return;
        }
        let unseen: Vec<_> = {
            let mut nodes = self.nodes.borrow_mut();
            let Some(state) = nodes.list.get_mut(node as usize) else { return };
            if state.handles > 0 {
                return;
            }
            let unseen = state.unseen().collect();
            state.ends.iter_mut().for_each(|end| end.1 = true);
            unseen
        };
        for (kind, message) in unseen {
            self.lint(kind, format!("nobody joined {message}"), None);
        }
    }

    /// Main has ended: failures of processes that nobody has looked at fail the run.
    pub(super) fn report_unjoined_nodes(&self) {
        if self.is_stopping() || !self.nodes_on.get() {
            return;
        }
        let unseen: Vec<_> = self.nodes.borrow().list.iter().flat_map(State::unseen).collect();
        for (kind, message) in unseen {
            self.lint(kind, format!("nobody joined {message}"), None);
        }
    }

    /// What went wrong, with the processes that had failed before: most likely it comes from that.
    pub(super) fn with_ended_nodes(&self, mut message: String) -> String {
        if let (true, Ok(nodes)) = (self.nodes_on.get(), self.nodes.try_borrow()) {
            for (_, failure) in nodes.list.iter().flat_map(State::unseen) {
                if !message.contains(&failure) {
                    message.push_str("\n  before, ");
                    message.push_str(&failure);
                }
            }
        }
        message
    }

    /// Which nodes cannot do what is waited for.
    pub(super) fn tell_nodes(&self, message: &mut String) {
        for State { name, running, paused, ends, .. } in &self.nodes.borrow().list {
            let state = match (running, paused) {
                (true, false) => continue,
                (true, true) => "is paused",
                (false, _) if ends.last().is_some_and(|end| end.0 == Err(NodeError::Crashed)) => {
                    "has crashed"
                }
                (false, _) => "has ended",
            };
            message.push_str(&format!("\n  node {name} {state}"));
        }
    }

    /// The run is over: all processes vanish.
    pub(super) fn end_all_nodes(self: &Rc<Self>) {
        if self.nodes.borrow().list.is_empty() {
            return;
        }
        let count = self.nodes.borrow().list.len() as u32;
        for node in 1..count {
            if self.nodes.borrow().list[node as usize].running && !self.spoiled.get() {
                self.vanish(node, false, false);
            }
        }
        self.clear_nodes();
    }

    /// Forgets the nodes of a run. What factories have captured is dropped outside of the borrow.
    pub(super) fn clear_nodes(&self) {
        if self.nodes.borrow().list.is_empty() {
            self.nodes.borrow_mut().roots.clear();
            return;
        }
        let former = self.nodes.take();
        // Reports name tasks when the run is over.
        self.nodes.borrow_mut().roots.clone_from(&former.roots);
        self.nodes_on.set(false);
        self.errand.set(None);
        let _ = super::tasks::drop_caught(former);
    }
}
