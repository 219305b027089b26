//! Names beside those of machines, and what befalls those who ask for names.

use super::hosts::{control, expect_control};
use sim_net::{DnsError, DnsFaults};
use std::{net::IpAddr, panic::Location};

/// Gives a name these addresses, in place of what it had, also if it is a machine's. Without addresses nobody has it.
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use std::net::Ipv4Addr;
///
/// sim::net::set_record("db.example", &[Ipv4Addr::LOCALHOST.into()]);
/// let mut found = sim::net::lookup_host("db.example:5432").await.unwrap();
/// assert_eq!(found.next(), Some(([127, 0, 0, 1], 5432).into()));
/// # });
/// ```
#[track_caller]
pub fn set_record(name: &str, addresses: &[IpAddr]) {
    let world = expect_control(Location::caller());
    world.network(|network, cx| network.set_record(cx, name, addresses));
}

/// Ends what [`set_record`] began: the name is a machine's again, or nobody's.
///
/// # Panics
///
/// Outside a simulation.
#[track_caller]
pub fn remove_record(name: &str) {
    let world = expect_control(Location::caller());
    world.network(|network, cx| network.remove_record(cx, name));
}

/// Lets a name fail from now on; with `None` it resolves again.
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// sim::net::break_name("main", Some(sim::net::DnsError::Again));
/// let error = sim::net::lookup_host("main:80").await.map(drop).unwrap_err();
/// assert!(error.to_string().contains("Temporary failure in name resolution"));
/// sim::net::break_name("main", None);
/// assert!(sim::net::lookup_host("main:80").await.is_ok());
/// # });
/// ```
#[track_caller]
pub fn break_name(name: &str, error: Option<DnsError>) {
    let world = expect_control(Location::caller());
    world.network(|network, _| network.break_name(name, error));
}

/// Sets what befalls those who ask for names: failures, and answers from before a change.
///
/// # Panics
///
/// Outside a simulation, and if a ratio is more than 1,000,000 in a million.
#[track_caller]
pub fn set_dns_faults(faults: DnsFaults) {
    let world = expect_control(Location::caller());
    control(&world, |network, _| network.set_dns_faults(faults));
}
