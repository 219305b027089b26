//! Signals of nodes: who listens to which, and what one that nobody listens to does.
//!
//! As with tokio, signals that come before they are looked at are one, and who has listened once is never again ended
//! by that signal, as long as the process lives.

use super::World;
use crate::{node::NodeError, point::Site, trace::NodeEventKind};
use std::{
    rc::Rc,
    task::{Poll, Waker},
};

/// Numbers of signals that end no process by themselves (signal(7)): SIGCHLD, SIGCONT, SIGURG, SIGWINCH.
const HARMLESS: [i32; 4] = [17, 18, 23, 28];

/// One signal that a process listens to.
#[derive(Default)]
pub(super) struct Line {
    /// How often it came.
    came: u64,
    wakers: Vec<Waker>,
}

/// One who listens, and how much of it he has seen.
#[derive(Debug)]
pub(crate) struct Listener {
    node: u32,
    incarnation: u32,
    signal: i32,
    seen: u64,
}

impl World {
    /// The process that runs listens to a signal from now on.
    pub(crate) fn listen(&self, signal: i32) -> Listener {
        let node = self.current_node();
        let incarnation = self.incarnation(node);
        let mut nodes = self.nodes.borrow_mut();
        let line = nodes.list[node as usize].signals.entry(signal).or_default();
        Listener { node, incarnation, signal, seen: line.came }
    }

    /// Whether the signal has come since it was looked at last.
    pub(crate) fn poll_signal(&self, listener: &mut Listener, waker: &Waker) -> Poll<()> {
        let mut nodes = self.nodes.borrow_mut();
        let state = nodes.list.get_mut(listener.node as usize);
        let state = state.filter(|state| state.incarnation() == listener.incarnation);
        let Some(line) = state.and_then(|state| state.signals.get_mut(&listener.signal)) else {
            return Poll::Pending;
        };
        if line.came != listener.seen {
            listener.seen = line.came;
            return Poll::Ready(());
        }
        if !line.wakers.iter().any(|known| known.will_wake(waker)) {
            line.wakers.push(waker.clone());
        }
        Poll::Pending
    }

    /// Whether the process of a node listens to a signal.
    pub(crate) fn listens(&self, node: u32, signal: i32) -> bool {
        self.nodes
            .borrow()
            .list
            .get(node as usize)
            .is_some_and(|it| it.signals.contains_key(&signal))
    }

    /// Sends a signal to the process of a node; one that does not listen ends.
    pub(crate) fn send_signal(self: &Rc<Self>, node: u32, signal: i32, site: Site) {
        if self.is_stopping() || !self.node_is_running(node) {
            return;
        }
        let wakers = {
            let mut nodes = self.nodes.borrow_mut();
            nodes.list[node as usize].signals.get_mut(&signal).map(|line| {
                line.came += 1;
                std::mem::take(&mut line.wakers)
            })
        };
        self.node_event(node, NodeEventKind::Signal, Some(site));
        match wakers {
            Some(wakers) => wakers.into_iter().for_each(Waker::wake),
            None if HARMLESS.contains(&signal) => {}
            None => {
                let end = Err(NodeError::Terminated(crate::signal::name(signal)));
                self.end_process(node, end, Some(site), false);
            }
        }
    }
}
