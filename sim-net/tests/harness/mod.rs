//! Two hosts and a clock: what the tests of TCP step through.
#![allow(dead_code, reason = "each test uses a part of it")]

use sim_choice::{Choices, Path, Seed, Strategy};
use sim_net::{Cx, Domain, Errno, Flag, HostId, How, Kind, Link, Network, Ready, Result, SocketId};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

pub(crate) const MS: u64 = 1_000_000;
pub(crate) const SECOND: u64 = 1_000 * MS;

pub(crate) struct Net {
    pub(crate) network: Network,
    pub(crate) choices: Choices,
    pub(crate) now_ns: u64,
    pub(crate) a: HostId,
    pub(crate) b: HostId,
}

pub(crate) fn net() -> Net {
    net_with(Seed(7), Strategy::Calm)
}

pub(crate) fn net_with(seed: Seed, strategy: Strategy) -> Net {
    let mut network = Network::new();
    network.set_default_link(Link::constant(MS)).unwrap();
    let a = network.add_host("a", &[ip(1)]).unwrap();
    let b = network.add_host("b", &[ip(2)]).unwrap();
    let mut choices = Choices::new();
    choices.start(seed, strategy);
    Net { network, choices, now_ns: 0, a, b }
}

pub(crate) fn ip(last: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, last).into()
}

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

impl Net {
    pub(crate) fn with<R>(&mut self, verb: impl FnOnce(&mut Network, &mut Cx<'_>) -> R) -> R {
        let mut cx = Cx { now_ns: self.now_ns, who: Path::MAIN, choices: &mut self.choices };
        verb(&mut self.network, &mut cx)
    }

    /// Lets the next event take place, and all that are due then; whether there was one.
    pub(crate) fn step(&mut self) -> bool {
        let Some(next) = self.network.next() else { return false };
        self.now_ns = self.now_ns.max(next);
        self.with(|network, cx| network.advance(cx));
        true
    }

    /// Lets all take place that does so within that time.
    pub(crate) fn run_ns(&mut self, ns: u64) {
        let until = self.now_ns + ns;
        while self.network.next().is_some_and(|next| next <= until) {
            self.step();
        }
        self.now_ns = until;
        self.with(|network, cx| network.advance(cx));
    }

    /// A second.
    pub(crate) fn run(&mut self) {
        self.run_ns(SECOND);
    }

    pub(crate) fn socket(&mut self, host: HostId) -> SocketId {
        self.network.socket(host, Domain::V4, Kind::Stream).unwrap()
    }

    pub(crate) fn socket6(&mut self, host: HostId) -> SocketId {
        self.network.socket(host, Domain::V6, Kind::Stream).unwrap()
    }

    pub(crate) fn bind(&mut self, id: SocketId, to: &str) -> Result<()> {
        self.with(|network, cx| network.bind(cx, id, at(to)))
    }

    pub(crate) fn listen(&mut self, id: SocketId, backlog: u32) -> Result<()> {
        self.with(|network, cx| network.listen(cx, id, backlog))
    }

    /// A socket that listens there, with `SO_REUSEADDR`.
    pub(crate) fn listener(&mut self, host: HostId, address: &str) -> SocketId {
        let id = match at(address).is_ipv4() {
            true => self.socket(host),
            false => self.socket6(host),
        };
        self.network.set_flag(id, Flag::ReuseAddr, true).unwrap();
        self.bind(id, address).unwrap();
        self.listen(id, 128).unwrap();
        id
    }

    pub(crate) fn connect(&mut self, id: SocketId, to: &str) -> Result<()> {
        self.with(|network, cx| network.connect(cx, id, at(to)))
    }

    pub(crate) fn accept(&mut self, id: SocketId) -> Result<SocketId> {
        self.with(|network, cx| network.accept(cx, id))
    }

    pub(crate) fn send(&mut self, id: SocketId, bytes: &[u8]) -> Result<usize> {
        self.with(|network, cx| network.send(cx, id, bytes))
    }

    /// Sends until it would block, or fails; how many bytes.
    pub(crate) fn fill(&mut self, id: SocketId) -> usize {
        let mut sent = 0;
        while let Ok(count) = self.send(id, &[b'x'; 4_096]) {
            sent += count;
        }
        sent
    }

    pub(crate) fn recv(&mut self, id: SocketId) -> std::result::Result<String, Errno> {
        let mut buffer = [0; 65_536];
        let count = self.with(|network, cx| network.recv(cx, id, &mut buffer))?;
        Ok(String::from_utf8_lossy(&buffer[..count]).into_owned())
    }

    /// Receives until it would block, or ends; how many bytes.
    pub(crate) fn drain(&mut self, id: SocketId) -> usize {
        let mut received = 0;
        while let Ok(text) = self.recv(id)
            && !text.is_empty()
        {
            received += text.len();
        }
        received
    }

    pub(crate) fn shutdown(&mut self, id: SocketId, how: How) -> Result<()> {
        self.with(|network, cx| network.shutdown(cx, id, how))
    }

    pub(crate) fn close(&mut self, id: SocketId) -> Result<()> {
        self.with(|network, cx| network.close(cx, id))
    }

    /// The two ends of a connection of `a` to `b`: client, server.
    pub(crate) fn pair(&mut self) -> (SocketId, SocketId) {
        let listener = self.listener(self.b, "0.0.0.0:80");
        let pair = self.pair_by(listener, "10.0.0.2:80");
        self.close(listener).unwrap();
        pair
    }

    /// The same, by that listener.
    pub(crate) fn pair_by(&mut self, listener: SocketId, address: &str) -> (SocketId, SocketId) {
        let client = match at(address).is_ipv4() {
            true => self.socket(self.a),
            false => self.socket6(self.a),
        };
        assert_eq!(self.connect(client, address), Err(Errno::EINPROGRESS));
        self.run_ns(100 * MS);
        let server = self.accept(listener).unwrap();
        self.woken();
        (client, server)
    }

    /// Whose readiness may have changed, each once, in order of their numbers.
    pub(crate) fn woken(&mut self) -> Vec<SocketId> {
        let mut woken = Vec::new();
        self.network.take_woken(&mut woken);
        woken.sort();
        woken.dedup();
        woken
    }

    /// As epoll's letters: in, out, err, hup, rdhup.
    pub(crate) fn poll(&self, id: SocketId) -> String {
        let ready = self.network.ready(id);
        let names = [
            (Ready::READABLE, "in"),
            (Ready::WRITABLE, "out"),
            (Ready::ERROR, "err"),
            (Ready::WRITE_CLOSED, "hup"),
            (Ready::READ_CLOSED, "rdhup"),
        ];
        let set: Vec<&str> = names.iter().filter(|(r, _)| ready.has(*r)).map(|(_, n)| *n).collect();
        set.join(" ")
    }

    /// The states of all sockets and connections of a host, in the order of the table.
    pub(crate) fn states(&self, host: HostId) -> Vec<&'static str> {
        let all = self.network.sockets();
        all.iter().filter(|line| line.host == host).map(|line| line.state).collect()
    }
}
