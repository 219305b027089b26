//! The life of a node's process: it starts, is paused and resumed, and ends.
//!
//! A process ends at the root, between two steps of the run: the fiber that asks for it gives way with an [`Errand`],
//! and is one of those that vanish if it is the node's own.

use super::{
    Home, NONE, Running, World,
    nodes::{End, Factory, MAIN_NODE, NODES, Nodes, Plan, ROOT, State},
    table::{Suspended, Target},
};
use crate::{
    node::NodeError,
    point::Site,
    trace::{Happened, NodeEvent, NodeEventKind},
};
use sim_choice::Path;
use std::{
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// What the root does for the fiber that gives way.
pub(super) struct Errand {
    node: u32,
    end: End,
    site: Option<Site>,
    /// The fiber belongs to the node, and ends with it.
    mine: bool,
    restart: bool,
}

impl World {
    /// Makes a node and starts its first process.
    pub(crate) fn start_node(self: &Rc<Self>, plan: Plan) -> Result<u32, String> {
        let node = {
            let mut nodes = self.nodes.borrow_mut();
            let nodes = nodes.with_main();
            if let Some(&former) = nodes.by_name.get(&plan.name) {
                let State { name, site, .. } = &nodes.list[former as usize];
                return Err(match former {
                    MAIN_NODE => "the node \"main\" is the test itself".to_string(),
                    _ => format!(
                        "the node {name:?} exists already, started at {site}: `restart` starts it again"
                    ),
                });
            }
            if nodes.list.len() == NODES {
                return Err(format!("a run has at most {NODES} nodes"));
            }
            let ips = nodes.addresses(&plan.ips)?.into();
            let factory = Some(plan.factory);
            let state = State::new(plan.name, ips, plan.workers, factory, plan.site);
            nodes.add(State { open_files: plan.open_files, ports: plan.ports, ..state })
        };
        self.nodes_on.set(true);
        self.faults_of_node(node);
        self.start_process(node, plan.site);
        Ok(node)
    }

    /// Starts a process on a node that has none.
    pub(super) fn start_process(self: &Rc<Self>, node: u32, site: Site) {
        let (pool, root, name, factory) = {
            let (mut nodes, mut table) = (self.nodes.borrow_mut(), self.table.borrow_mut());
            let Nodes { list, roots, .. } = &mut *nodes;
            let state = &mut list[node as usize];
            state.incarnation += 1;
            (state.running, state.paused, state.entropy) = (true, false, None);
            let pool = table.add_pool(state.workers);
            state.threads = table.add_pool(u32::MAX);
            for pool in [pool, state.threads] {
                table.pools[pool as usize].node = node as u16;
            }
            state.pools = vec![pool];
            let name = match state.incarnation {
                1 => state.name.to_string(),
                later => format!("{}@{later}", state.name),
            };
            roots.push(name.clone());
            let factory = state.factory.clone().expect("main is not started");
            (pool, roots.len() as u32 - 1, name, factory)
        };
        self.node_event(node, NodeEventKind::Start, Some(site));
        self.network_of_started(node);
        let home = Home::Pool(pool);
        let header = self.place_task(home, node as u16, site, Path::root(&name), (ROOT, root));
        let body = super::tasks::body_of(Process { node, factory, future: None }, &header);
        self.start_task(&header, body, home);
        self.detach(&header);
    }

    /// Crashes the process of a node, if it has one.
    pub(crate) fn crash_node(self: &Rc<Self>, node: u32, site: Site) {
        // One that a fault has crashed stays down now.
        self.nodes.borrow_mut().list[node as usize].fault_restarts = false;
        self.end_process(node, Err(NodeError::Crashed), Some(site), false);
    }

    /// Starts a node's process again; one that runs crashes before.
    pub(crate) fn restart_node(self: &Rc<Self>, node: u32, site: Site) {
        self.end_process(node, Err(NodeError::Crashed), Some(site), true);
    }

    /// Ends the process of a node, if it has one, and then starts another if it is to. Does not return to code of the
    /// process that ends.
    pub(super) fn end_process(
        self: &Rc<Self>,
        node: u32,
        end: End,
        site: Option<Site>,
        restart: bool,
    ) {
        if self.is_stopping() {
            return;
        }
        let runs = self.node_is_running(node);
        let mine = self.is_running() && self.current_node() == node;
        if runs {
            assert!(
                !mine || !std::thread::panicking(),
                "a node cannot end itself in a destructor that a panic runs"
            );
            let restart = restart && mine;
            self.errand.set(Some(Box::new(Errand { node, end, site, mine, restart })));
            // The root, which is switched to where a run ends, finds the errand.
            self.switch(Target::End);
        }
        if restart && !self.is_stopping() {
            self.start_process(node, site.expect("somebody restarts it"));
        }
    }

    /// At the root: does what the fiber that gave way asked for; whether the run goes on.
    #[cold]
    pub(super) fn run_errand(self: &Rc<Self>) -> bool {
        let Some(errand) = self.errand.take() else { return false };
        let Errand { node, end, site, mine, restart } = *errand;
        let asked = self.fiber.get();
        self.end_at_root(node, end, site, mine);
        if self.is_stopping() {
            return false;
        }
        if !mine {
            self.next_fiber.set(asked);
            return true;
        }
        if restart {
            self.start_process(node, site.expect("somebody restarts it"));
        }
        self.fiber.set(NONE);
        let target = self.next();
        self.aim(target);
        self.next_fiber.get() != NONE
    }

    pub(super) fn end_at_root(
        self: &Rc<Self>,
        node: u32,
        end: End,
        site: Option<Site>,
        mine: bool,
    ) {
        let crashed = end == Err(NodeError::Crashed);
        let kind = if crashed { NodeEventKind::Crash } else { NodeEventKind::End };
        self.node_event(node, kind, site);
        self.quietly(|| self.network_of_ended(node, crashed));
        if crashed {
            self.disk_of_crashed(node, site);
        }
        let (joiners, signals) = {
            let mut nodes = self.nodes.borrow_mut();
            let state = &mut nodes.list[node as usize];
            (state.running, state.paused) = (false, false);
            state.ends.push((end, false));
            (std::mem::take(&mut state.joiners), std::mem::take(&mut state.signals))
        };
        self.vanish(node, mine, crashed);
        if !crashed {
            self.disk_of_ended(node);
        }
        drop(signals);
        let nobody = joiners.is_empty();
        self.quietly(|| joiners.into_iter().for_each(Waker::wake));
        if nobody {
            self.report_if_forgotten(node);
        }
    }

    /// Pauses a process that runs. One that pauses itself stops here.
    pub(crate) fn pause_node(self: &Rc<Self>, node: u32, site: Site) {
        if self.pause_process(node, Some(site)) && self.is_running() && self.current_node() == node
        {
            let Running { slot, .. } = self.running();
            self.table.borrow_mut().suspend(Suspended { slot, fiber: self.fiber.get() });
            self.block();
        }
    }

    /// Nothing of a process that runs is picked any more; whether it was so before.
    pub(super) fn pause_process(&self, node: u32, site: Option<Site>) -> bool {
        {
            let mut nodes = self.nodes.borrow_mut();
            let state = &mut nodes.list[node as usize];
            if self.is_stopping() || !state.running || state.paused {
                return false;
            }
            state.paused = true;
            let mut table = self.table.borrow_mut();
            table.paused.push(node as u16);
            for &pool in state.pools.iter().chain([&state.threads]) {
                table.pools[pool as usize].open = 0;
            }
            for suspended in std::mem::take(&mut table.suspended) {
                table.suspend(suspended);
            }
        }
        self.node_event(node, NodeEventKind::Pause, site);
        true
    }

    /// Lets a paused process go on.
    pub(crate) fn resume_node(&self, node: u32, site: Site) {
        self.resume_process(node, Some(site));
    }

    /// As [`resume_node`](World::resume_node), by nobody.
    pub(super) fn resume_process(&self, node: u32, site: Option<Site>) {
        {
            let mut nodes = self.nodes.borrow_mut();
            let state = &mut nodes.list[node as usize];
            if self.is_stopping() || !state.paused {
                return;
            }
            state.paused = false;
            let mut table = self.table.borrow_mut();
            table.paused.retain(|&paused| paused != node as u16);
            for &pool in state.pools.iter().chain([&state.threads]) {
                let pool = &mut table.pools[pool as usize];
                pool.open = pool.workers;
            }
            for suspended in std::mem::take(&mut table.stopped) {
                table.suspend(suspended);
            }
        }
        self.node_event(node, NodeEventKind::Resume, site);
    }

    pub(super) fn node_event(&self, node: u32, kind: NodeEventKind, site: Option<Site>) {
        self.event(Happened::Node(node, NodeEvent { kind, site }));
    }

    /// How the process ended; else registers who is woken when it does.
    pub(crate) fn poll_node_end(&self, node: u32, incarnation: u32, waker: &Waker) -> Poll<End> {
        let mut nodes = self.nodes.borrow_mut();
        let Some(state) = nodes.list.get_mut(node as usize) else { return Poll::Pending };
        if let Some((end, seen)) = state.ends.get_mut(incarnation as usize - 1) {
            *seen = true;
            return Poll::Ready(end.clone());
        }
        if !state.joiners.iter().any(|joiner| joiner.will_wake(waker)) {
            state.joiners.push(waker.clone());
        }
        Poll::Pending
    }
}

/// The main future of a process, which the process ends with.
struct Process {
    node: u32,
    factory: Factory,
    future: Option<Pin<Box<dyn Future<Output = Option<String>>>>>,
}

impl Future for Process {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Process { node, factory, future } = self.get_mut();
        let polled = catch_unwind(AssertUnwindSafe(|| {
            future.get_or_insert_with(|| factory()).as_mut().poll(cx)
        }));
        let world = crate::context::expect_world();
        let end = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(None)) => Ok(()),
            Ok(Poll::Ready(Some(error))) => Err(NodeError::Failed(error)),
            Err(payload) if world.is_unwinding(&*payload) => resume_unwind(payload),
            Err(payload) => Err(NodeError::Panicked(world.panic_message(&*payload))),
        };
        // It goes as it would at the end of a program, before all else vanishes.
        let _ = super::tasks::drop_caught(future.take());
        // It returns only if the run is over.
        world.end_process(*node, end, None, false);
        Poll::Ready(())
    }
}
