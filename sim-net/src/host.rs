//! The machines of the network: names, addresses, and whether they are up.

use crate::{Network, ports::Ports};
use alloc::{string::String, vec::Vec};
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host of a [`Network`]; they count from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct HostId(pub u32);

/// Why a host cannot be added.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HostError {
    /// Another host has that name.
    NameTaken(String),
    /// Another host has that address.
    AddressTaken(IpAddr),
    /// A host cannot have that address: unspecified, loopback, broadcast or multicast.
    NoHostAddress(IpAddr),
}

pub(crate) struct Host {
    pub(crate) name: String,
    /// IPv4 first.
    pub(crate) addresses: Vec<IpAddr>,
    pub(crate) up: bool,
    /// Sockets that are open, and how many may be.
    pub(crate) open: u32,
    pub(crate) open_limit: u32,
    pub(crate) ports: Ports,
}

/// Linux's usual limit of open files of a process: getrlimit(2), RLIMIT_NOFILE; systemd's default.
const OPEN_LIMIT: u32 = 524_288;

impl Network {
    /// Adds a host. Where `addresses` has none of a family it gets 10.128.x.y, fd00::x:y by its number.
    ///
    /// # Errors
    ///
    /// [`HostError`], which names what is wrong.
    pub fn add_host(&mut self, name: &str, addresses: &[IpAddr]) -> Result<HostId, HostError> {
        let id = HostId(u32::try_from(self.hosts.len()).expect("fewer hosts than numbers"));
        if self.names.contains_key(name) {
            return Err(HostError::NameTaken(name.into()));
        }
        let mut all: Vec<IpAddr> = addresses.to_vec();
        for address in &all {
            self.check_host_address(*address)?;
        }
        let number = id.0 + 1;
        if !all.iter().any(IpAddr::is_ipv4) {
            all.push(self.free_address(number, |n| Ipv4Addr::from_bits(0x0a80_0000 | n).into()));
        }
        if !all.iter().any(IpAddr::is_ipv6) {
            let v6 = |n| Ipv6Addr::from_bits(0xfd00 << 112 | u128::from(n)).into();
            all.push(self.free_address(number, v6));
        }
        all.sort_by_key(IpAddr::is_ipv6);
        for address in &all {
            self.by_address.insert(*address, id);
        }
        self.names.insert(name.into(), id);
        self.hosts.push(Host {
            name: name.into(),
            addresses: all,
            up: true,
            open: 0,
            open_limit: OPEN_LIMIT,
            ports: Ports::default(),
        });
        Ok(id)
    }

    fn check_host_address(&self, address: IpAddr) -> Result<(), HostError> {
        let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
        if address.is_unspecified() || address.is_loopback() || address.is_multicast() || broadcast
        {
            return Err(HostError::NoHostAddress(address));
        }
        match self.by_address.get(&address) {
            Some(_) => Err(HostError::AddressTaken(address)),
            None => Ok(()),
        }
    }

    fn free_address(&self, from: u32, address: impl Fn(u32) -> IpAddr) -> IpAddr {
        let mut tried = (from..).map(address);
        tried.find(|address| !self.by_address.contains_key(address)).expect("there are enough")
    }

    /// The host of that name.
    #[must_use]
    pub fn host(&self, name: &str) -> Option<HostId> {
        self.names.get(name).copied()
    }

    /// The host that has that address; a loopback address is everybody's own, and so nobody's.
    #[must_use]
    pub fn host_at(&self, address: IpAddr) -> Option<HostId> {
        self.by_address.get(&address.to_canonical()).copied()
    }

    /// How many sockets the host may have open: getrlimit(2), `RLIMIT_NOFILE`. More give `EMFILE`. At first 524,288.
    pub fn set_open_limit(&mut self, host: HostId, sockets: u32) {
        self.hosts[host.0 as usize].open_limit = sockets;
    }

    /// Which ports the host gives for port 0, and to sockets that connect unbound: ip(7), `ip_local_port_range`. At first
    /// 32768 to 60999.
    ///
    /// # Panics
    ///
    /// If there are none in it, or port 0 is.
    pub fn set_ephemeral_ports(&mut self, host: HostId, ports: core::ops::RangeInclusive<u16>) {
        assert!(!ports.is_empty() && !ports.contains(&0), "{ports:?} are no ports");
        self.hosts[host.0 as usize].ports.set_ephemeral(ports);
    }

    /// How many there are; the next has that number.
    #[must_use]
    pub fn count_hosts(&self) -> u32 {
        self.hosts.len() as u32
    }

    /// Its name.
    #[must_use]
    pub fn name(&self, host: HostId) -> &str {
        &self.hosts[host.0 as usize].name
    }

    /// Its addresses, those of IPv4 first.
    #[must_use]
    pub fn addresses(&self, host: HostId) -> &[IpAddr] {
        &self.hosts[host.0 as usize].addresses
    }
}
