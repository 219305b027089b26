//! Whom a control function means: nodes by name, by address, and sets of them.

use crate::{
    context,
    node::Node,
    point::{Access, Op, Site},
    world::World,
};
use sim_net::{Cx, HostId, Network};
use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    rc::Rc,
};

/// What names machines: a node, its name, one of its addresses, and slices, arrays and vectors of these.
///
/// What belongs to no node is on the machine `"main"`.
pub trait ToHosts {
    /// Adds the machines to the set.
    fn add_to(&self, hosts: &mut Hosts<'_>);
}

/// A set of machines that is being made; see [`ToHosts`].
pub struct Hosts<'a> {
    network: &'a Network,
    found: Vec<HostId>,
    /// What was wrong first.
    mistake: Option<String>,
}

impl Hosts<'_> {
    /// Adds the machine of that name. If there is none the control function panics.
    pub fn add_name(&mut self, name: &str) {
        match self.network.host(name) {
            Some(host) => self.add(host),
            None => self.fail(format!("there is no machine named {name:?}")),
        }
    }

    /// Adds the machine that has the address. If there is none the control function panics.
    pub fn add_address(&mut self, address: IpAddr) {
        match self.network.host_at(address) {
            Some(host) => self.add(host),
            None => self.fail(format!("no machine has the address {address}")),
        }
    }

    fn add(&mut self, host: HostId) {
        if !self.found.contains(&host) {
            self.found.push(host);
        }
    }

    fn fail(&mut self, what: String) {
        let hosts = (0..self.network.count_hosts()).map(HostId);
        let names: Vec<String> = hosts.map(|it| format!("{:?}", self.network.name(it))).collect();
        self.mistake.get_or_insert_with(|| format!("{what}; there are {}", names.join(", ")));
    }
}

impl std::fmt::Debug for Hosts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.found.iter().map(|host| self.network.name(*host));
        f.debug_list().entries(names).finish()
    }
}

impl ToHosts for str {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        hosts.add_name(self);
    }
}

impl ToHosts for String {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        hosts.add_name(self);
    }
}

impl ToHosts for Node {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        hosts.add_name(self.name());
    }
}

impl ToHosts for IpAddr {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        hosts.add_address(*self);
    }
}

impl ToHosts for Ipv4Addr {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        hosts.add_address((*self).into());
    }
}

impl ToHosts for Ipv6Addr {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        hosts.add_address((*self).into());
    }
}

impl<T: ToHosts> ToHosts for [T] {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        self.iter().for_each(|each| each.add_to(hosts));
    }
}

impl<T: ToHosts, const N: usize> ToHosts for [T; N] {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        self[..].add_to(hosts);
    }
}

impl<T: ToHosts> ToHosts for Vec<T> {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        self[..].add_to(hosts);
    }
}

impl<T: ToHosts + ?Sized> ToHosts for &T {
    fn add_to(&self, hosts: &mut Hosts<'_>) {
        (**self).add_to(hosts);
    }
}

/// The simulation of a control function, which is a scheduling point: it changes what others come upon.
#[track_caller]
pub(super) fn expect_control(site: Site) -> Rc<World> {
    let world = context::expect_world();
    world.running_host();
    context::point(|world| {
        let (object, origin) = world.network_object();
        Op { object, access: Access::Write, site, origin: Some(origin) }
    });
    world
}

/// The machines that are meant.
#[track_caller]
pub(super) fn found(world: &World, hosts: impl ToHosts) -> Vec<HostId> {
    let (found, mistake) = world.network(|network, _| {
        let mut set = Hosts { network, found: Vec::new(), mistake: None };
        hosts.add_to(&mut set);
        (set.found, set.mistake)
    });
    match mistake {
        None => found,
        Some(mistake) => panic!("{mistake}"),
    }
}

/// Asks the network to do something to links; panics with what it says is wrong.
#[track_caller]
pub(super) fn control<R>(
    world: &World,
    f: impl FnOnce(&mut Network, &mut Cx<'_>) -> Result<R, sim_net::LinkError>,
) -> R {
    let result = world.network(|network, cx| f(network, cx).map_err(|error| told(network, error)));
    match result {
        Ok(value) => value,
        Err(message) => panic!("{message}"),
    }
}

/// As the error says it, with names.
fn told(network: &Network, error: sim_net::LinkError) -> String {
    match error {
        sim_net::LinkError::WithItself(host) => {
            let name = network.name(host);
            format!("{name:?} is on both sides, and there is no link from a machine to itself")
        }
        other => other.to_string(),
    }
}
