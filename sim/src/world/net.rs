//! The network of a run: who asks it, who waits for its sockets, and when it is due.
//!
//! `sim-net` knows neither tasks nor wakers. Here each of its verbs is followed by what is due at once, those
//! whose sockets have changed are woken, and the world notes when it is to come back. That is a time of the run, and no
//! timer: timers are their nodes', and move with clocks that are set. Wakes that a verb brings about are its caller's,
//! and so scheduling points; wakes that time brings about are nobody's.
//!
//! A run that never comes here pays a branch at its beginning.

use super::{NOBODY, Running, World};
use crate::{
    check::FailureKind,
    io::{Interest, Ready},
    point::{Access, Op, Site},
};
use sim_net::{Cx, HostId, Network, SocketId, UnixAddress};
use std::{collections::BTreeMap, mem, panic::Location, task::Waker};

/// The half of a socket that somebody polls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    /// What comes in: data, connections.
    Read,
    /// What goes out, and whether a connection was made.
    Write,
}

impl Half {
    pub(crate) fn interest(self) -> Interest {
        match self {
            Half::Read => Interest::READABLE,
            Half::Write => Interest::WRITABLE,
        }
    }
}

/// Who waits for a socket, and what it is taken to be ready for.
///
/// As tokio's `ScheduledIo`, whose driver is told of changes only (epoll(7), edge-triggered): once ready, a socket is
/// taken to be so until an operation would have blocked. A writer so fills all of a buffer, of which a part has to be
/// free before there is said to be room again. Whoever polled a half last is woken, and everybody of the list.
struct Waiters {
    socket: SocketId,
    /// The number of its object, once somebody has waited, and what reports call it.
    object: u32,
    name: &'static str,
    ready: Ready,
    reader: Option<Waker>,
    writer: Option<Waker>,
    list: BTreeMap<u64, (Interest, Waker)>,
}

impl Waiters {
    fn new(socket: SocketId, ready: Ready) -> Waiters {
        let (reader, writer, list) = (None, None, BTreeMap::new());
        Waiters { socket, object: 0, name: "", ready, reader, writer, list }
    }

    /// The socket is not ready for this until something changes; an end stays.
    fn clear(&mut self, interest: Interest) {
        self.ready = self.ready - interest.mask().without_ends();
    }

    /// Takes those whom this readiness concerns.
    fn take(&mut self, ready: Ready, woken: &mut Vec<Waker>) {
        let concerns = |interest: Interest| !(ready & interest.mask()).is_empty();
        if concerns(Interest::READABLE) {
            woken.extend(self.reader.take());
        }
        if concerns(Interest::WRITABLE) {
            woken.extend(self.writer.take());
        }
        while let Some(ticket) =
            self.list.iter().find(|(_, waiter)| concerns(waiter.0)).map(|(ticket, _)| *ticket)
        {
            woken.extend(self.list.remove(&ticket).map(|(_, waker)| waker));
        }
    }
}

/// What a read comes back with at once: bytes, a connection, an end, an error.
const ANSWERS: sim_net::Ready = sim_net::Ready::READABLE
    .or(sim_net::Ready::READ_CLOSED)
    .or(sim_net::Ready::WRITE_CLOSED)
    .or(sim_net::Ready::ERROR);

/// The network, and who waits for it.
#[derive(Default)]
pub(super) struct Net {
    network: Network,
    /// By the places of the sockets.
    waiters: Vec<Option<Waiters>>,
    /// The number that all sockets have in an exhaustive search.
    object: Option<u32>,
    woken: Vec<SocketId>,
    /// Room for those who are woken.
    wakers: Vec<Waker>,
}

impl Net {
    fn waiters(&mut self, socket: SocketId) -> &mut Waiters {
        let index = socket.index() as usize;
        if index >= self.waiters.len() {
            self.waiters.resize_with(index + 1, || None);
        }
        let place = &mut self.waiters[index];
        if place.as_ref().is_none_or(|waiters| waiters.socket != socket) {
            *place = Some(Waiters::new(socket, self.network.ready(socket).into()));
        }
        place.as_mut().expect("it was put there")
    }

    fn known(&mut self, socket: SocketId) -> Option<&mut Waiters> {
        let place = self.waiters.get_mut(socket.index() as usize)?.as_mut();
        place.filter(|waiters| waiters.socket == socket)
    }

    /// What the socket is ready for; one that is gone for everything, so that whoever waits is told.
    fn ready(&mut self, socket: SocketId) -> Ready {
        if self.network.host_of(socket).is_err() {
            return Ready::ALL;
        }
        self.waiters(socket).ready
    }

    /// Lets happen what is due, and takes those whose sockets have changed; gives when more is due.
    fn settle(&mut self, cx: &mut Cx<'_>) -> (u64, Vec<Waker>) {
        let mut next_ns = self.next_ns();
        while next_ns <= cx.now_ns {
            self.network.advance(cx);
            next_ns = self.next_ns();
        }
        let mut wakers = mem::take(&mut self.wakers);
        let mut woken = mem::take(&mut self.woken);
        self.network.take_woken(&mut woken);
        for socket in woken.drain(..) {
            let ready = Ready::from(self.network.ready(socket));
            if let Some(waiters) = self.known(socket) {
                waiters.ready |= ready;
                waiters.take(ready, &mut wakers);
            }
        }
        self.woken = woken;
        (next_ns, wakers)
    }

    fn next_ns(&mut self) -> u64 {
        self.network.next().unwrap_or(u64::MAX)
    }
}

impl World {
    /// Whether the run has come to its network.
    pub(crate) fn has_network(&self) -> bool {
        self.net.borrow().is_some()
    }

    /// Lets `f` ask the network, and wakes those who waited for what it changed.
    pub(crate) fn network<R>(&self, f: impl FnOnce(&mut Network, &mut Cx<'_>) -> R) -> R {
        let (result, (next_ns, wakers), blind) = self.with_net(|net, cx| {
            let result = f(&mut net.network, cx);
            (result, net.settle(cx), net.network.any_blind())
        });
        self.network_comes_back(next_ns, wakers);
        if blind {
            self.tell_blind();
        }
        result
    }

    /// The network is to be called when it is due next, and not before; wakes those who waited.
    #[inline]
    fn network_comes_back(&self, next_ns: u64, mut wakers: Vec<Waker>) {
        self.set_network_due(next_ns);
        if wakers.capacity() == 0 {
            return;
        }
        wakers.drain(..).for_each(Waker::wake);
        if let Some(net) = self.net.borrow_mut().as_deref_mut() {
            net.wakers = wakers;
        }
    }

    /// A program that goes on with a connection, though it was told that that has ended, has not looked. It can be
    /// known of connections that a fault has reset: of those nothing more ever comes.
    #[cold]
    fn tell_blind(&self) {
        let sockets = self.with_net(|net, _| net.network.take_blind());
        for socket in sockets {
            let (local, peer) =
                self.net.borrow().as_deref().expect("it is there").addresses(socket);
            let peer = peer.unwrap_or_else(|| "its peer".into());
            let at = self.op.get().map_or(String::new(), |op| format!(", at {}", op.site));
            let number = self.running.get().number;
            let task = self.task_name(number);
            let message = format!(
                "task {task} goes on to read from or write to the connection from {local} to {peer}{at}, eight times \
                 after an error has told that it was reset, by a fault (lint ignored_fault)"
            );
            let key = format!("ignored fault{at}");
            self.lint_once(FailureKind::IgnoredFault, key, message, Some(number));
        }
    }

    /// Runs code of the user's that the network calls: nobody runs meanwhile, so that nothing in it is a point.
    pub(crate) fn as_nobody<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a World, Running);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.running.set(self.1);
            }
        }
        let _restore = Restore(self, self.running.replace(NOBODY));
        f()
    }

    fn with_net<R>(&self, f: impl FnOnce(&mut Net, &mut Cx<'_>) -> R) -> R {
        let mut net = self.net.borrow_mut();
        let mut choices = self.choices.borrow_mut();
        let mut cx = Cx { now_ns: self.now.get(), who: self.running.path(), choices: &mut choices };
        f(net.get_or_insert_default(), &mut cx)
    }

    /// The host of the task that runs: its node's. What belongs to no node is on that of main.
    pub(crate) fn running_host(&self) -> HostId {
        self.know_hosts();
        HostId(self.current_node())
    }

    /// Tells the network of the nodes that it has not been told of: hosts have the numbers of their nodes.
    pub(super) fn know_hosts(&self) {
        let mut net = self.net.borrow_mut();
        let network = &mut net.get_or_insert_default().network;
        for node in network.count_hosts()..self.count_nodes() {
            let host = network.add_host(&self.node_name(node), &self.node_ips(node));
            let host = host.expect("nodes have names and addresses of their own");
            let (open_files, ports) = self.node_limits(node);
            open_files.into_iter().for_each(|files| network.set_open_limit(host, files));
            ports.into_iter().for_each(|ports| network.set_ephemeral_ports(host, ports));
            if !self.node_is_running(node) {
                network.crash(host);
            }
        }
    }

    /// A process has started: its host is up.
    pub(super) fn network_of_started(&self, node: u32) {
        if self.net.borrow().is_some() {
            self.know_hosts();
            self.network(|network, _| network.restart(HostId(node)));
        }
    }

    /// A process has ended, before its tasks vanish. After a crash its sockets are gone without a word; else the kernel
    /// closes them.
    pub(super) fn network_of_ended(&self, node: u32, crashed: bool) {
        if self.net.borrow().is_some() {
            self.know_hosts();
            self.network(|network, cx| match crashed {
                true => network.crash(HostId(node)),
                false => network.close_all(cx, HostId(node)),
            });
        }
    }

    /// Whether nothing but faults, and the network's own questions, would ever happen again, and those change nothing.
    pub(super) fn network_is_quiet(&self) -> bool {
        let net = self.net.borrow();
        let nothing_comes = self.network_due.get() == u64::MAX
            || net.as_deref().is_some_and(|net| net.network.is_quiet());
        nothing_comes && self.timers.borrow().len() == self.fault_timers()
    }

    /// The time has come for which the network has asked.
    pub(super) fn network_is_due(&self) {
        let (next_ns, wakers) = self.with_net(Net::settle);
        self.network_comes_back(next_ns, wakers);
    }

    /// Forgets the network of the former run.
    pub(super) fn clear_network(&self) {
        let former = self.net.take();
        drop(former);
        self.network_due.set(u64::MAX);
    }

    // --- who waits

    /// What the socket is ready for.
    pub(crate) fn socket_ready(&self, socket: SocketId) -> Ready {
        self.net.borrow_mut().as_deref_mut().map_or(Ready::EMPTY, |net| net.ready(socket))
    }

    /// The socket is taken to be ready until that has been tried.
    pub(crate) fn assume_ready(&self, socket: SocketId, ready: Ready) {
        if let Some(net) = self.net.borrow_mut().as_deref_mut() {
            net.waiters(socket).ready |= ready;
        }
    }

    /// An operation would have blocked: the socket is not ready for it until something changes.
    pub(crate) fn socket_would_block(&self, socket: SocketId, interest: Interest) {
        if let Some(net) = self.net.borrow_mut().as_deref_mut() {
            net.waiters(socket).clear(interest);
        }
    }

    /// An operation did less than it could have: the next would block, unless something has come since.
    pub(crate) fn socket_is_spent(&self, socket: SocketId, half: Half) {
        if let Some(net) = self.net.borrow_mut().as_deref_mut() {
            let ready = Ready::from(net.network.ready(socket)) & half.interest().mask();
            if ready.is_empty() {
                net.waiters(socket).clear(half.interest());
            }
        }
    }

    /// Whether a half is taken to be ready, and if `looks` whether there is anything; else whoever polled it last is
    /// woken when it is. Reports call it by the number of its object and the name.
    pub(crate) fn poll_socket(
        &self,
        socket: SocketId,
        half: Half,
        looks: bool,
        waits: (u32, &'static str),
        waker: &Waker,
    ) -> bool {
        let former = {
            let mut net = self.net.borrow_mut();
            let net = net.get_or_insert_default();
            let mask = half.interest().mask();
            if !(net.ready(socket) & mask).is_empty() {
                let gone = net.network.host_of(socket).is_err();
                if !looks || gone || net.network.ready(socket).any_of(ANSWERS) {
                    return true;
                }
                net.waiters(socket).clear(half.interest());
            }
            let waiters = net.waiters(socket);
            (waiters.object, waiters.name) = waits;
            let place = match half {
                Half::Read => &mut waiters.reader,
                Half::Write => &mut waiters.writer,
            };
            match place {
                Some(former) if former.will_wake(waker) => None,
                _ => place.replace(waker.clone()),
            }
        };
        drop(former);
        false
    }

    /// One of several who are woken when the socket is ready for what interests them.
    pub(crate) fn wait_for_socket(
        &self,
        socket: SocketId,
        interest: Interest,
        ticket: &mut Option<u64>,
        waker: &Waker,
    ) {
        let ticket = *ticket.get_or_insert_with(|| self.next_ticket());
        let former = {
            let mut net = self.net.borrow_mut();
            let waiters = net.get_or_insert_default().waiters(socket);
            waiters.list.insert(ticket, (interest, waker.clone()))
        };
        drop(former);
    }

    /// The wait was given up.
    pub(crate) fn forget_wait(&self, socket: SocketId, ticket: u64) {
        let former = self.with_waiters(socket, |waiters| waiters.list.remove(&ticket));
        drop(former);
    }

    /// The socket is gone, and with it those who polled it.
    pub(crate) fn forget_socket(&self, socket: SocketId) {
        let waiters = self.with_waiters(socket, |waiters| {
            mem::replace(waiters, Waiters::new(socket, Ready::EMPTY))
        });
        drop(waiters);
    }

    fn with_waiters<R>(&self, socket: SocketId, f: impl FnOnce(&mut Waiters) -> R) -> Option<R> {
        self.net.borrow_mut().as_deref_mut()?.known(socket).map(f)
    }

    // --- names

    /// What is announced of sockets in an exhaustive search: one object for all of them.
    pub(crate) fn network_object(&self) -> (u32, Site) {
        const NETWORK: Site = Location::caller();
        let mut net = self.net.borrow_mut();
        let net = net.get_or_insert_default();
        (*net.object.get_or_insert_with(|| self.next_object()), NETWORK)
    }

    /// Somebody waits for a socket, by which report are to name the object.
    pub(crate) fn note_awaited(&self, object: u32, socket: SocketId, name: &'static str) {
        if let Some(net) = self.net.borrow_mut().as_deref_mut() {
            let waiters = net.waiters(socket);
            (waiters.object, waiters.name) = (object, name);
        }
    }

    /// What somebody who announced this waits for, if that is a socket.
    pub(super) fn socket_awaited(&self, op: &Op) -> Option<String> {
        if op.object == 0 {
            return None;
        }
        let net = self.net.borrow();
        let net = net.as_deref()?;
        let waiters = net.waiters.iter().flatten().find(|waiters| waiters.object == op.object)?;
        let (socket, kind) = (waiters.socket, waiters.name);
        let (local, peer) = net.addresses(socket);
        let origin = op.origin.unwrap_or(op.site);
        let what = match (op.access, peer) {
            (Access::Receive, Some(peer)) => format!("read from {peer}, at {local}"),
            (Access::Receive, None) => format!("receive or accept at {local}"),
            (Access::Send, Some(peer)) => format!("write to {peer}, at {local}"),
            (Access::Send, None) => format!("connect or send at {local}"),
            (_, Some(peer)) => format!("be ready, connected to {peer}, at {local}"),
            (_, None) => format!("be ready, at {local}"),
        };
        Some(format!("{}: {what} ({kind} socket, made at {origin})", op.site))
    }
}

impl Net {
    /// How often packets were held.
    pub(super) fn held(&self) -> u64 {
        self.fault_count(sim_net::Fault::Hold).injected
    }

    pub(super) fn fault_count(&self, fault: sim_net::Fault) -> sim_net::FaultCount {
        self.network.fault_count(fault)
    }

    /// A socket's address, and that of its peer, as text.
    fn addresses(&self, socket: SocketId) -> (String, Option<String>) {
        if let Ok((local, peer)) = self.network.unix_addresses(socket) {
            return (unix_text(&local), peer.as_ref().map(unix_text));
        }
        let local = self.network.local_addr(socket);
        let peer = self.network.peer_addr(socket);
        let none = || "no address".to_string();
        (local.map_or_else(|_| none(), |it| it.to_string()), peer.ok().map(|it| it.to_string()))
    }
}

fn unix_text(address: &UnixAddress) -> String {
    match address {
        UnixAddress::Unnamed => "a socket without a name".into(),
        UnixAddress::Path(path) => String::from_utf8_lossy(path).into_owned(),
        UnixAddress::Abstract(name) => format!("@{}", String::from_utf8_lossy(name)),
    }
}
