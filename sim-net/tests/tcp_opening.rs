//! How connections begin, or do not.

mod harness;

use harness::{MS, SECOND, at, net};
use sim_net::{Errno, Flag, How};

#[test]
fn a_connection_is_made_by_three_segments() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    let client = net.socket(net.a);
    assert_eq!(net.connect(client, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
    assert_eq!(net.connect(client, "10.0.0.2:80"), Err(Errno::EALREADY));
    assert_eq!(net.poll(client), "");
    assert_eq!(net.send(client, b"x"), Err(Errno::EAGAIN));
    assert_eq!(net.accept(listener), Err(Errno::EAGAIN));
    net.run();
    assert_eq!(net.woken(), [listener, client]);
    assert_eq!(net.poll(client), "out");
    assert_eq!(net.poll(listener), "in");
    assert_eq!(net.network.take_error(client), Ok(None));
    let server = net.accept(listener).unwrap();
    assert_eq!(net.poll(listener), "");
    assert_eq!(net.network.local_addr(client), Ok(at("10.0.0.1:32768")));
    assert_eq!(net.network.peer_addr(client), Ok(at("10.0.0.2:80")));
    assert_eq!(net.network.local_addr(server), Ok(at("10.0.0.2:80")));
    assert_eq!(net.network.peer_addr(server), Ok(at("10.0.0.1:32768")));
    assert_eq!(net.connect(client, "10.0.0.2:80"), Ok(()));
    assert_eq!(net.connect(client, "10.0.0.2:80"), Err(Errno::EISCONN));
}

#[test]
fn nobody_listens() {
    let mut net = net();
    let client = net.socket(net.a);
    net.connect(client, "10.0.0.2:80").unwrap_err();
    net.run();
    assert_eq!(net.poll(client), "in out err hup rdhup");
    assert_eq!(net.connect(client, "10.0.0.2:80"), Err(Errno::ECONNREFUSED));
    assert_eq!(net.poll(client), "out hup");
    assert_eq!(net.connect(client, "10.0.0.2:80"), Err(Errno::EINPROGRESS));
}

#[test]
fn nobody_is_there() {
    for to in ["10.0.0.2:80", "10.0.0.99:80", "192.0.2.1:80"] {
        let mut net = net();
        net.network.crash(net.b);
        let client = net.socket(net.a);
        net.connect(client, to).unwrap_err();
        net.run_ns(126 * SECOND);
        assert_eq!(net.poll(client), "", "{to}");
        net.run_ns(SECOND);
        assert_eq!(net.network.take_error(client), Ok(Some(Errno::ETIMEDOUT)), "{to}");
    }
}

#[test]
fn a_host_that_comes_back_is_reached_by_a_retry() {
    let mut net = net();
    net.network.crash(net.b);
    let client = net.socket(net.a);
    net.connect(client, "10.0.0.2:80").unwrap_err();
    net.run_ns(2 * SECOND);
    net.network.restart(net.b);
    net.listener(net.b, "0.0.0.0:80");
    net.run_ns(2 * SECOND);
    assert_eq!(net.poll(client), "out");
}

#[test]
fn addresses_that_cannot_be_connected_to() {
    let check = |to: &str, error| {
        let mut net = net();
        let id = net.socket(net.a);
        assert_eq!(net.connect(id, to), Err(error), "{to}");
    };
    check("255.255.255.255:80", Errno::ENETUNREACH);
    check("224.0.0.1:80", Errno::ENETUNREACH);
    check("[::1]:80", Errno::EAFNOSUPPORT);
    let mut net = net();
    let id = net.socket6(net.a);
    assert_eq!(net.connect(id, "10.0.0.2:80"), Err(Errno::EINVAL));
    net.network.set_flag(id, Flag::OnlyV6, true).unwrap();
    assert_eq!(net.connect(id, "[::ffff:10.0.0.2]:80"), Err(Errno::ENETUNREACH));
    let id = net.socket(net.a);
    net.bind(id, "127.0.0.1:0").unwrap();
    assert_eq!(net.connect(id, "10.0.0.2:80"), Err(Errno::EINVAL));
}

#[test]
fn the_unspecified_address_is_loopback_and_loopback_is_ones_own() {
    let check = |listens: &str, to: &str, from: &str| {
        let mut net = net();
        let listener = net.listener(net.a, listens);
        let client = if at(to).is_ipv4() { net.socket(net.a) } else { net.socket6(net.a) };
        net.connect(client, to).unwrap_err();
        net.run();
        assert_eq!(net.poll(client), "out", "{listens} {to}");
        assert_eq!(net.network.local_addr(client).unwrap().ip(), at(from).ip());
        net.accept(listener).unwrap();
    };
    check("0.0.0.0:80", "0.0.0.0:80", "127.0.0.1:0");
    check("127.0.0.1:80", "127.0.0.1:80", "127.0.0.1:0");
    check("0.0.0.0:80", "127.1.2.3:80", "127.0.0.1:0");
    check("0.0.0.0:80", "10.0.0.1:80", "10.0.0.1:0");
    check("[::]:80", "[::]:80", "[::1]:0");
    check("[::]:80", "127.0.0.1:80", "127.0.0.1:0");
    check("[::]:80", "[::ffff:127.0.0.1]:80", "[::ffff:127.0.0.1]:0");
}

#[test]
fn a_listener_of_both_families_sees_mapped_addresses() {
    let mut net = net();
    let listener = net.listener(net.b, "[::]:80");
    let (_, server) = net.pair_by(listener, "10.0.0.2:80");
    assert_eq!(net.network.local_addr(server), Ok(at("[::ffff:10.0.0.2]:80")));
    assert_eq!(net.network.peer_addr(server), Ok(at("[::ffff:10.0.0.1]:32768")));
    let (client, server) = net.pair_by(listener, "[fd00::2]:80");
    assert_eq!(net.network.peer_addr(client), Ok(at("[fd00::2]:80")));
    assert_eq!(net.network.peer_addr(server), net.network.local_addr(client));
}

#[test]
fn one_more_than_the_backlog_is_connected_and_the_rest_try_again() {
    let mut net = net();
    let listener = net.socket(net.b);
    net.bind(listener, "0.0.0.0:80").unwrap();
    net.listen(listener, 1).unwrap();
    let clients: Vec<_> = (0..4).map(|_| net.socket(net.a)).collect();
    for client in &clients {
        net.connect(*client, "10.0.0.2:80").unwrap_err();
        net.run_ns(10 * MS);
    }
    let connected = |net: &harness::Net| clients.iter().filter(|c| net.poll(**c) == "out").count();
    assert_eq!(connected(&net), 2);
    net.run_ns(10 * SECOND);
    assert_eq!(connected(&net), 2);
    net.accept(listener).unwrap();
    net.accept(listener).unwrap();
    assert_eq!(net.accept(listener), Err(Errno::EAGAIN));
    net.run_ns(20 * SECOND);
    assert_eq!(connected(&net), 4);
}

#[test]
fn a_connection_reset_before_it_was_accepted_is_accepted() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    let client = net.socket(net.a);
    net.connect(client, "10.0.0.2:80").unwrap_err();
    net.run();
    net.network.set_linger(client, Some(0)).unwrap();
    net.close(client).unwrap();
    net.run();
    let server = net.accept(listener).unwrap();
    assert_eq!(net.recv(server), Err(Errno::ECONNRESET));
}

#[test]
fn a_socket_connects_to_itself() {
    let mut net = net();
    let id = net.socket(net.a);
    net.bind(id, "127.0.0.1:4000").unwrap();
    net.connect(id, "127.0.0.1:4000").unwrap_err();
    net.run();
    assert_eq!(net.poll(id), "out");
    net.send(id, b"me").unwrap();
    net.run();
    assert_eq!(net.recv(id), Ok("me".into()));
}

#[test]
fn a_listener_that_is_shut_down_listens_no_more() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    assert_eq!(net.shutdown(listener, How::Write), Ok(()));
    assert_eq!(net.connect(listener, "10.0.0.1:1"), Err(Errno::EISCONN));
    assert_eq!(net.shutdown(listener, How::Read), Ok(()));
    assert_eq!(net.poll(listener), "out hup");
    assert_eq!(net.accept(listener), Err(Errno::EINVAL));
    assert_eq!(net.listen(listener, 1), Ok(()));
    assert_eq!(net.recv(listener), Err(Errno::ENOTCONN));
    assert_eq!(net.send(listener, b"x"), Err(Errno::EPIPE));
}

#[test]
fn a_peer_that_forgot_answers_with_a_reset() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    let bound = net.socket(net.a);
    net.bind(bound, "10.0.0.1:5000").unwrap();
    net.connect(bound, "10.0.0.2:80").unwrap_err();
    net.run();
    let server = net.accept(listener).unwrap();
    // The client's host restarts, and the same addresses connect again: the old connection is in the way, until the
    // answer to what it knows resets it.
    net.network.crash(net.a);
    net.network.restart(net.a);
    let bound = net.socket(net.a);
    net.bind(bound, "10.0.0.1:5000").unwrap();
    net.connect(bound, "10.0.0.2:80").unwrap_err();
    net.run_ns(10 * MS);
    assert_eq!(net.recv(server), Err(Errno::ECONNRESET));
    assert_eq!(net.poll(bound), "");
    net.run_ns(2 * SECOND);
    assert_eq!(net.poll(bound), "out");
    assert!(net.accept(listener).is_ok());
}
