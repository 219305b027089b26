//! What is open and what is on its way, for a person in trouble.

use crate::context;
use sim_net::{Packet, SocketLine};
use std::fmt;

/// A packet on its way; shown as one line.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct InFlight {
    /// The packet.
    pub packet: Packet,
    /// The name of the machine that sent it.
    pub from: String,
    /// The name of the machine that it goes to.
    pub to: String,
    /// When it arrives, in nanoseconds since the start of the run; none if it is [held](super::hold).
    pub arrives_ns: Option<u64>,
    text: String,
}

impl fmt::Display for InFlight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The packets on their way and those that are held, in the order in which they were sent.
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// for packet in sim::net::packets() {
///     eprintln!("{packet}");
/// }
/// # });
/// ```
#[track_caller]
pub fn packets() -> Vec<InFlight> {
    context::expect_world().network(|network, _| {
        let all = network.packets().into_iter();
        all.map(|underway| InFlight {
            packet: underway.packet.clone(),
            from: underway.from_name.into(),
            to: underway.to_name.into(),
            arrives_ns: underway.arrives_ns,
            text: underway.to_string(),
        })
        .collect()
    })
}

/// The open sockets of all machines, as ss(8) lists them.
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let socket = sim::net::UdpSocket::bind("127.0.0.1:53").await.unwrap();
/// assert_eq!(sim::net::sockets()[0].to_string(), "udp UNCONN 127.0.0.1:53");
/// # });
/// ```
#[track_caller]
pub fn sockets() -> Vec<SocketLine> {
    context::expect_world().network(|network, _| network.sockets())
}
