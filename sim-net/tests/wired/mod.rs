//! A network, its choices and its clock, for tests that feed verbs and read values.

#![allow(dead_code, reason = "each test file needs a part")]

use sim_choice::{Choices, Seed, Strategy};
use sim_net::{Domain, Errno, Fault, HostId, Kind, Link, Network, SocketId};
use std::{
    net::{IpAddr, SocketAddr},
    ops::{Deref, DerefMut},
};

pub(crate) struct Wired {
    pub(crate) net: Network,
    pub(crate) choices: Choices,
    pub(crate) now_ns: u64,
    buffer: Vec<u8>,
}

impl Deref for Wired {
    type Target = Network;
    fn deref(&self) -> &Network {
        &self.net
    }
}

impl DerefMut for Wired {
    fn deref_mut(&mut self) -> &mut Network {
        &mut self.net
    }
}

/// Calls a verb that asks the choices.
#[macro_export]
macro_rules! verb {
    ($wired:ident . $verb:ident ( $($argument:expr),* $(,)? )) => {{
        let wired = $wired.itself();
        #[allow(unused_mut, reason = "some verbs only read the time")]
        let mut cx = sim_net::Cx { now_ns: wired.now_ns, who: sim_choice::Path::MAIN, choices: &mut wired.choices };
        wired.net.$verb(&mut cx, $($argument),*)
    }};
}

impl Wired {
    /// For the macro, which is given a network or a reference to one.
    pub(crate) fn itself(&mut self) -> &mut Wired {
        self
    }

    /// So many hosts, and choices by that strategy and seed.
    pub(crate) fn with(hosts: u32, strategy: Strategy, seed: u64) -> Wired {
        let mut net = Network::new();
        for number in 0..hosts {
            net.add_host(&format!("h{number}"), &[]).unwrap();
        }
        let mut choices = Choices::new();
        choices.start(Seed(seed), strategy);
        Wired { net, choices, now_ns: 0, buffer: Vec::new() }
    }

    pub(crate) fn calm(hosts: u32) -> Wired {
        Wired::with(hosts, Strategy::Calm, 1)
    }

    pub(crate) fn random(hosts: u32) -> Wired {
        Wired::with(hosts, Strategy::Random, 7)
    }

    pub(crate) fn all_links(mut self, link: Link) -> Wired {
        self.net.set_default_link(link).unwrap();
        self
    }

    pub(crate) fn v4(&self, host: u32) -> IpAddr {
        self.net.addresses(HostId(host))[0]
    }

    pub(crate) fn v6(&self, host: u32) -> IpAddr {
        self.net.addresses(HostId(host))[1]
    }

    /// A UDP socket of IPv4, not bound.
    pub(crate) fn udp(&mut self, host: u32) -> SocketId {
        self.net.socket(HostId(host), Domain::V4, Kind::Datagram).unwrap()
    }

    /// A UDP socket at the host's IPv4 address, and where that is.
    pub(crate) fn udp_at(&mut self, host: u32) -> (SocketId, SocketAddr) {
        let id = self.udp(host);
        let ip = self.v4(host);
        self.bind(id, SocketAddr::new(ip, 0)).unwrap();
        (id, self.net.local_addr(id).unwrap())
    }

    pub(crate) fn bind(&mut self, id: SocketId, address: SocketAddr) -> Result<(), Errno> {
        let wired = self;
        verb!(wired.bind(id, address))
    }

    pub(crate) fn connect(&mut self, id: SocketId, to: SocketAddr) -> Result<(), Errno> {
        let wired = self;
        verb!(wired.connect(id, to))
    }

    pub(crate) fn send(&mut self, id: SocketId, bytes: &[u8]) -> Result<usize, Errno> {
        let wired = self;
        verb!(wired.send(id, bytes))
    }

    pub(crate) fn send_to(
        &mut self,
        id: SocketId,
        bytes: &[u8],
        to: SocketAddr,
    ) -> Result<usize, Errno> {
        let wired = self;
        verb!(wired.send_to(id, bytes, to))
    }

    /// The next datagram, or bytes of a stream.
    pub(crate) fn recv(&mut self, id: SocketId) -> Result<Vec<u8>, Errno> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.resize(65_536, 0);
        let wired = self;
        let len = verb!(wired.recv(id, &mut buffer));
        let bytes = len.map(|len| buffer[..len].to_vec());
        wired.buffer = buffer;
        bytes
    }

    /// All datagrams that are there.
    pub(crate) fn recv_all(&mut self, id: SocketId) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.recv(id).ok()).collect()
    }

    pub(crate) fn close(&mut self, id: SocketId) {
        let wired = self;
        verb!(wired.close(id)).unwrap();
    }

    pub(crate) fn release(&mut self, a: &[HostId], b: &[HostId]) {
        let wired = self;
        verb!(wired.release(a, b)).unwrap();
    }

    /// Lets everything happen that is due until then.
    pub(crate) fn run_until(&mut self, until_ns: u64) {
        while let Some(at) = self.net.next().filter(|at| *at <= until_ns) {
            self.now_ns = self.now_ns.max(at);
            let wired = &mut *self;
            verb!(wired.advance());
        }
        self.now_ns = self.now_ns.max(until_ns);
    }

    /// Lets everything happen that is on its way.
    pub(crate) fn run(&mut self) {
        while let Some(at) = self.net.next() {
            self.run_until(at);
        }
    }

    pub(crate) fn woken(&mut self) -> Vec<SocketId> {
        let mut woken = Vec::new();
        self.net.take_woken(&mut woken);
        woken
    }

    /// How often that fault was injected, and had an effect.
    pub(crate) fn faults(&self, fault: Fault) -> (u64, u64) {
        let count = self.net.fault_count(fault);
        (count.injected, count.effective)
    }
}
