//! Sockets under an exhaustive search: what is sent at one socket arrives at another, and no order is missed.

use sim::{Config, net::UnixDatagram, net::UnixStream};
use std::{collections::BTreeSet, sync::Mutex};

#[test]
fn both_orders_of_two_senders_are_run() {
    let seen = Mutex::new(BTreeSet::new());
    let report = sim::check(Config::new().exhaustive(true), || async {
        let server = UnixDatagram::bind("/run/server").unwrap();
        let senders = [1, 2].map(|number| {
            sim::spawn(async move {
                let socket = UnixDatagram::unbound().unwrap();
                socket.send_to(&[number], "/run/server").await.unwrap();
            })
        });
        let mut order = [0; 2];
        for place in &mut order {
            server.recv(std::slice::from_mut(place)).await.unwrap();
        }
        for sender in senders {
            sender.await.unwrap();
        }
        seen.lock().unwrap().insert(order);
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(report.exhaustive.unwrap().done);
    assert_eq!(seen.into_inner().unwrap(), BTreeSet::from([[1, 2], [2, 1]]));
}

/// A look at a socket races with what another task sends at its peer: both answers have to come up.
#[test]
fn a_look_before_and_after_what_is_sent() {
    let seen = Mutex::new(BTreeSet::new());
    let report = sim::check(Config::new().exhaustive(true), || async {
        let (one, two) = UnixStream::pair().unwrap();
        let sender = sim::spawn(async move {
            one.try_write(b"x").unwrap();
            one
        });
        seen.lock().unwrap().insert(two.try_read(&mut [0]).is_ok());
        sender.await.unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(report.exhaustive.unwrap().done);
    assert_eq!(seen.into_inner().unwrap(), BTreeSet::from([false, true]));
}
