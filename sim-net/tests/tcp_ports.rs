//! Ports: who may have which, and which is given.

mod harness;

use harness::{Net, SECOND, at, net};
use sim_net::{Domain, Errno, Flag, Kind, SocketId};

const NONE: &[Flag] = &[];
const ADDR: &[Flag] = &[Flag::ReuseAddr];
const PORT: &[Flag] = &[Flag::ReusePort];

fn bound(net: &mut Net, address: &str, flags: &[Flag]) -> Result<SocketId, Errno> {
    let domain = if at(address).is_ipv4() { Domain::V4 } else { Domain::V6 };
    let id = net.network.socket(net.a, domain, Kind::Stream)?;
    flags.iter().for_each(|flag| net.network.set_flag(id, *flag, true).unwrap());
    net.bind(id, address)?;
    Ok(id)
}

#[test]
fn two_that_listen() {
    // What `std` and `tokio` do: bind, then listen.
    let check = |first: &str, second: &str, flags: &[Flag], expected: Result<(), Errno>| {
        let mut net = net();
        let id = bound(&mut net, first, flags).unwrap();
        net.listen(id, 8).unwrap();
        let got = bound(&mut net, second, flags).and_then(|id| net.listen(id, 8));
        assert_eq!(got, expected, "{first} {second} {flags:?}");
    };
    let taken = Err(Errno::EADDRINUSE);
    check("127.0.0.1:80", "127.0.0.1:80", NONE, taken);
    check("127.0.0.1:80", "127.0.0.1:80", ADDR, taken);
    check("127.0.0.1:80", "127.0.0.1:80", PORT, Ok(()));
    check("127.0.0.1:80", "127.0.0.1:81", NONE, Ok(()));
    check("127.0.0.1:80", "10.0.0.1:80", NONE, Ok(()));
    check("0.0.0.0:80", "10.0.0.1:80", NONE, taken);
    check("0.0.0.0:80", "10.0.0.1:80", ADDR, taken);
    check("10.0.0.1:80", "0.0.0.0:80", ADDR, taken);
    check("[::]:80", "0.0.0.0:80", ADDR, taken);
    check("[::]:80", "10.0.0.1:80", ADDR, taken);
    check("[::]:80", "0.0.0.0:80", &[Flag::OnlyV6], Ok(()));
    check("[::1]:80", "127.0.0.1:80", NONE, Ok(()));
    check("[::ffff:127.0.0.1]:80", "127.0.0.1:80", NONE, taken);
}

#[test]
fn two_that_are_bound_and_one_of_them_listens() {
    let mut net = net();
    let first = bound(&mut net, "127.0.0.1:80", ADDR).unwrap();
    let second = bound(&mut net, "127.0.0.1:80", ADDR).unwrap();
    assert_eq!(net.listen(first, 8), Ok(()));
    assert_eq!(net.listen(second, 8), Err(Errno::EADDRINUSE));
    net.close(first).unwrap();
    assert_eq!(net.listen(second, 8), Ok(()));
}

#[test]
fn addresses_that_cannot_be_bound() {
    let check = |address: &str, error| {
        let mut net = net();
        assert_eq!(bound(&mut net, address, NONE), Err(error), "{address}");
    };
    check("10.0.0.2:80", Errno::EADDRNOTAVAIL);
    check("192.0.2.1:80", Errno::EADDRNOTAVAIL);
    let mut net = net();
    let v4 = net.socket(net.a);
    assert_eq!(net.bind(v4, "[::1]:80"), Err(Errno::EAFNOSUPPORT));
    let v6 = net.socket6(net.a);
    assert_eq!(net.bind(v6, "127.0.0.1:80"), Err(Errno::EINVAL));
    net.bind(v4, "127.0.0.1:80").unwrap();
    assert_eq!(net.bind(v4, "127.0.0.1:81"), Err(Errno::EINVAL));
    assert_eq!(net.network.local_addr(v6), Ok(at("[::]:0")));
}

#[test]
fn port_0_is_any_that_is_free() {
    let mut net = net();
    let mut ports = Vec::new();
    for _ in 0..100 {
        let id = bound(&mut net, "127.0.0.1:0", NONE).unwrap();
        ports.push(net.network.local_addr(id).unwrap().port());
    }
    assert!(ports.iter().all(|port| (32_768..=60_999).contains(port)));
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 100);
    let id = net.socket(net.a);
    net.listen(id, 1).unwrap();
    assert_ne!(net.network.local_addr(id).unwrap().port(), 0);
}

#[test]
fn a_port_of_time_wait_is_taken_unless_it_may_be_reused() {
    for (flags, expected) in [(NONE, Err(Errno::EADDRINUSE)), (ADDR, Ok(()))] {
        let mut net = net();
        let listener = bound(&mut net, "127.0.0.1:80", flags).unwrap();
        net.listen(listener, 8).unwrap();
        let client = net.socket(net.a);
        net.connect(client, "127.0.0.1:80").unwrap_err();
        net.run();
        let server = net.accept(listener).unwrap();
        for id in [server, client, listener] {
            net.close(id).unwrap();
            net.run();
        }
        assert_eq!(net.states(net.a), ["TIME_WAIT"]);
        assert_eq!(bound(&mut net, "127.0.0.1:80", flags).map(|_| ()), expected);
        net.run_ns(60 * SECOND);
        assert_eq!(bound(&mut net, "127.0.0.1:80", ADDR).map(|_| ()), Ok(()), "{flags:?}");
    }
}

#[test]
fn a_port_is_free_when_its_socket_is_closed() {
    let mut net = net();
    let id = bound(&mut net, "127.0.0.1:80", NONE).unwrap();
    net.close(id).unwrap();
    let id = bound(&mut net, "127.0.0.1:80", NONE).unwrap();
    net.network.crash(net.a);
    net.network.restart(net.a);
    assert_eq!(net.close(id), Err(Errno::EBADF));
    bound(&mut net, "127.0.0.1:80", NONE).unwrap();
}

#[test]
fn ports_to_connect_from_end() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    net.listen(listener, 4_096).unwrap();
    for _ in 0..28_232 {
        let id = net.socket(net.a);
        assert_eq!(net.connect(id, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
    }
    let id = net.socket(net.a);
    assert_eq!(net.connect(id, "10.0.0.2:80"), Err(Errno::EADDRNOTAVAIL));
    // To another place there are as many.
    assert_eq!(net.connect(id, "10.0.0.2:81"), Err(Errno::EINPROGRESS));
}

#[test]
fn those_that_share_a_port_share_the_connections() {
    let mut net = net();
    let listeners: Vec<SocketId> = (0..2)
        .map(|_| {
            let id = bound(&mut net, "10.0.0.1:80", PORT).unwrap();
            net.listen(id, 100).unwrap();
            id
        })
        .collect();
    for _ in 0..20 {
        let client = net.socket(net.b);
        net.connect(client, "10.0.0.1:80").unwrap_err();
    }
    net.run();
    for listener in listeners {
        assert!((0..20).map_while(|_| net.accept(listener).ok()).count() > 4);
    }
}

#[test]
fn who_is_bound_to_an_address_hears_before_who_is_bound_to_all() {
    let mut net = net();
    let all = net.listener(net.a, "[::]:81");
    let one = bound(&mut net, "10.0.0.1:80", PORT).unwrap();
    let any = bound(&mut net, "0.0.0.0:80", PORT).unwrap();
    net.listen(any, 8).unwrap();
    net.listen(one, 8).unwrap();
    for to in ["10.0.0.1:80", "127.0.0.1:80", "127.0.0.1:81"] {
        let client = net.socket(net.a);
        net.connect(client, to).unwrap_err();
        net.run();
    }
    for listener in [one, any, all] {
        assert!(net.accept(listener).is_ok());
        assert_eq!(net.accept(listener), Err(Errno::EAGAIN));
    }
}
