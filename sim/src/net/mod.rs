//! Sockets, as `tokio::net`, on the simulation's network.
//!
//! The types have tokio's signatures; their errors have the kind and the number that Linux gives. What happens below is
//! a model of TCP, UDP, Unix sockets and names: a machine of its own for each node, links between them, virtual time.
//! What belongs to no node is on a machine called `main`. Loopback addresses are each machine's own.
//!
//! Each operation is a scheduling point, and who waits is named in reports of deadlocks with the addresses that it waits
//! at. A socket that is dropped is closed; one that is open at the end of a run is no leak.
//!
//! ```
//! use sim as tokio;
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
//!
//! sim::runtime::Runtime::new().unwrap().block_on(async {
//!     let listener = TcpListener::bind("127.0.0.1:7000").await.unwrap();
//!     let server = tokio::spawn(async move {
//!         let (mut stream, _) = listener.accept().await.unwrap();
//!         let (mut read, mut write) = stream.split();
//!         tokio::io::copy(&mut read, &mut write).await.unwrap()
//!     });
//!     let mut client = TcpStream::connect("127.0.0.1:7000").await.unwrap();
//!     client.write_all(b"hello").await.unwrap();
//!     client.shutdown().await.unwrap();
//!     let mut echo = String::new();
//!     client.read_to_string(&mut echo).await.unwrap();
//!     assert_eq!(echo, "hello");
//!     assert_eq!(server.await.unwrap(), 5);
//! });
//! ```
//!
//! # What is not there
//!
//! A simulated socket has no file descriptor and is nothing to the operating system. `AsRawFd`, `AsFd`, `FromRawFd` and
//! what is made of them (`socket2`, `TcpSocket::from_std_stream`) are absent: code that needs them does not compile.
//! `from_std` and `into_std` are there and always fail, with [`Unsupported`](std::io::ErrorKind::Unsupported), so that
//! programs compile that have them on some side path, and no real socket gets into a run.
//!
//! A socket belongs to its simulation, which stays on its thread: on another one its operations fail as after the end of
//! a runtime.

mod addr;
mod control;
mod endpoint;
mod flags;
mod foreign;
mod halves;
mod hosts;
mod links;
mod listing;
mod numbers;
mod readiness;
mod records;
mod rules;
mod stream;
pub mod tcp;
#[cfg(test)]
mod tests;
mod udp;
#[cfg(unix)]
pub mod unix;

#[doc(no_inline)]
pub use sim_net::{DnsError, DnsFaults, Latency, Link, Packet, Protocol, SocketLine, Verdict};

#[cfg(unix)]
pub use self::unix::{
    datagram::UnixDatagram, listener::UnixListener, socket::UnixSocket, stream::UnixStream,
};
pub use self::{
    addr::{ToSocketAddrs, lookup_host},
    control::{
        heal, hold, hold_oneway, partition, partition_oneway, release, release_oneway, repair,
        repair_oneway,
    },
    hosts::{Hosts, ToHosts},
    links::{IntoLatency, Links, default_link, link},
    listing::{InFlight, packets, sockets},
    records::{break_name, remove_record, set_dns_faults, set_record},
    rules::{Rule, rule},
    tcp::{listener::TcpListener, socket::TcpSocket, stream::TcpStream},
    udp::UdpSocket,
};
