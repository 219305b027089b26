//! How bytes get from one end to the other.

mod harness;

use harness::{MS, Net, SECOND, net, net_with};
use sim_choice::{Seed, Strategy};
use sim_net::{Body, Errno, Flag, Number, Verdict};
use std::{cell::Cell, rc::Rc};

/// Counts the packets that are sent, and loses those of these numbers, from 1.
fn counted(net: &mut Net, lost: &'static [u64]) -> Rc<Cell<u64>> {
    let count = Rc::new(Cell::new(0));
    let counts = Rc::clone(&count);
    net.network.add_rule(move |packet| {
        assert!(matches!(packet.body, Body::Tcp(_)));
        counts.set(counts.get() + 1);
        if lost.contains(&counts.get()) { Verdict::Drop } else { Verdict::Pass }
    });
    count
}

#[test]
fn peek_leaves_what_it_shows() {
    let mut net = net();
    let (client, server) = net.pair();
    net.send(client, b"abc").unwrap();
    net.run();
    for _ in 0..2 {
        let mut buffer = [0; 2];
        assert_eq!(net.with(|network, cx| network.peek(cx, server, &mut buffer)), Ok(2));
        assert_eq!(&buffer, b"ab");
    }
    assert_eq!(net.recv(server), Ok("abc".into()));
    assert_eq!(net.recv(server), Err(Errno::EAGAIN));
}

#[test]
fn an_answer_carries_the_acknowledgement() {
    let mut net = net();
    let (client, server) = net.pair();
    let count = counted(&mut net, &[]);
    for _ in 0..100 {
        for (from, to) in [(client, server), (server, client)] {
            net.send(from, b"ping").unwrap();
            net.run_ns(2 * MS);
            assert_eq!(net.recv(to), Ok("ping".into()));
        }
    }
    net.run();
    // Each message, and the first and the last acknowledgement.
    assert!((200..=203).contains(&count.get()), "{}", count.get());
}

#[test]
fn a_lost_segment_is_sent_again_after_200_ms() {
    let mut net = net();
    let (client, server) = net.pair();
    counted(&mut net, &[1]);
    net.send(client, b"x").unwrap();
    net.run_ns(200 * MS);
    assert_eq!(net.recv(server), Err(Errno::EAGAIN));
    net.run_ns(10 * MS);
    assert_eq!(net.recv(server), Ok("x".into()));
}

#[test]
fn a_hole_is_filled_at_once_where_more_has_come() {
    let mut net = net();
    let (client, server) = net.pair();
    net.network.set_flag(client, Flag::NoDelay, true).unwrap();
    counted(&mut net, &[1]);
    for text in ["1", "2", "3", "4", "5"] {
        net.send(client, text.as_bytes()).unwrap();
    }
    net.run_ns(2 * MS);
    assert_eq!(net.recv(server), Err(Errno::EAGAIN), "what comes ahead is kept back");
    net.run_ns(2 * MS);
    assert_eq!(net.recv(server), Ok("12345".into()));
}

#[test]
fn a_lost_end_is_told_again() {
    let mut net = net();
    let (client, server) = net.pair();
    counted(&mut net, &[1, 2]);
    net.close(client).unwrap();
    net.run_ns(300 * MS);
    assert_eq!(net.recv(server), Err(Errno::EAGAIN));
    net.run();
    assert_eq!(net.recv(server), Ok(String::new()));
}

#[test]
fn partial_io_is_a_fault_that_bites() {
    let messages = |on| {
        let mut net = net_with(Seed(3), Strategy::Random);
        net.network.set_partial_io(on);
        let (client, server) = net.pair();
        let (mut short_writes, mut short_reads) = (0, 0);
        for _ in 0..100 {
            let sent = net.send(client, &[b'x'; 4_000]).unwrap();
            net.run();
            let got = net.recv(server).unwrap().len();
            let rest = net.drain(server);
            assert_eq!(got + rest, sent);
            assert!(sent == 4_000 || (1..=999).contains(&sent));
            short_writes += u32::from(sent < 4_000);
            short_reads += u32::from(rest > 0);
        }
        (short_writes, short_reads)
    };
    assert_eq!(messages(false), (0, 0));
    let (short_writes, short_reads) = messages(true);
    assert!(short_writes > 20 && short_reads > 20, "{short_writes} {short_reads}");
}

#[test]
fn the_addresses_of_a_connection_in_time_wait_connect_again() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    for round in 0..3 {
        let client = net.socket(net.a);
        net.network.set_flag(client, Flag::ReuseAddr, true).unwrap();
        net.bind(client, "10.0.0.1:5000").unwrap();
        net.connect(client, "10.0.0.2:80").unwrap_err();
        net.run();
        assert_eq!(net.poll(client), "out", "round {round}");
        let server = net.accept(listener).unwrap();
        net.send(client, &[b'x'; 1_000]).unwrap();
        net.run();
        assert_eq!(net.drain(server), 1_000);
        // Who closes first waits.
        net.close(server).unwrap();
        net.run();
        net.close(client).unwrap();
        net.run();
        assert_eq!(net.states(net.b), ["LISTEN", "TIME_WAIT"]);
    }
}

#[test]
fn buffers_as_getsockopt_has_them() {
    let mut net = net();
    let (client, _) = net.pair();
    let fresh = net.socket(net.a);
    assert_eq!(net.network.number(fresh, Number::SendBuffer), Ok(16_384));
    assert_eq!(net.network.number(client, Number::SendBuffer), Ok(87_040));
    assert_eq!(net.network.number(client, Number::RecvBuffer), Ok(131_072));
}

#[test]
fn a_listing_tells_what_waits() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    let client = net.socket(net.a);
    net.connect(client, "10.0.0.2:80").unwrap_err();
    net.run();
    net.send(client, b"hello").unwrap();
    net.run_ns(1);
    let lines =
        |net: &Net| net.network.sockets().iter().map(ToString::to_string).collect::<Vec<_>>();
    let expected = [
        "tcp ESTABLISHED 10.0.0.1:32768 -> 10.0.0.2:80, 5 bytes not acknowledged",
        "tcp LISTEN 0.0.0.0:80, 1 not accepted",
        "tcp ESTABLISHED 10.0.0.2:80 -> 10.0.0.1:32768",
    ];
    assert_eq!(lines(&net), expected);
    net.run_ns(SECOND);
    net.close(client).unwrap();
    net.accept(listener).unwrap();
    net.run();
    assert!(
        lines(&net)[2].starts_with("tcp FIN_WAIT2") || lines(&net)[0].starts_with("tcp FIN_WAIT2")
    );
}

#[test]
fn ten_thousand_connections() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    net.listen(listener, 4_096).unwrap();
    let mut servers = Vec::new();
    let mut clients = Vec::new();
    for _ in 0..10 {
        for _ in 0..1_000 {
            let client = net.socket(net.a);
            net.connect(client, "10.0.0.2:80").unwrap_err();
            clients.push(client);
        }
        net.run_ns(10 * MS);
        servers.extend(std::iter::from_fn(|| net.accept(listener).ok()));
    }
    assert_eq!(servers.len(), 10_000);
    for client in clients {
        net.send(client, b"x").unwrap();
        net.close(client).unwrap();
    }
    net.run();
    for server in servers {
        assert_eq!(net.drain(server), 1);
        net.close(server).unwrap();
    }
    net.run();
    assert_eq!(net.states(net.b), ["LISTEN"]);
}
