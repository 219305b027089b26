//! Peers that say nothing: keep-alive, time-outs, closed windows, and what is quiet.

mod harness;

use harness::{MS, Net, SECOND, net};
use sim_net::{Errno, Flag, KeepAlive, Number, SocketId};

fn cut(net: &mut Net) {
    let (a, b) = (net.a, net.b);
    net.network.partition(&[a], &[b]).unwrap();
}

fn heal(net: &mut Net) {
    let (a, b) = (net.a, net.b);
    net.network.repair(&[a], &[b]).unwrap();
}

#[test]
fn an_idle_connection_costs_nothing() {
    let mut net = net();
    let (client, server) = net.pair();
    net.send(client, b"x").unwrap();
    net.run();
    net.recv(server).unwrap();
    net.run();
    assert_eq!(net.network.next(), None);
    assert!(net.network.is_quiet());
}

#[test]
fn bytes_written_while_cut_arrive_after() {
    let mut net = net();
    let (client, server) = net.pair();
    cut(&mut net);
    net.send(client, b"hello").unwrap();
    net.run_ns(100 * SECOND);
    assert_eq!(net.recv(server), Err(Errno::EAGAIN));
    heal(&mut net);
    net.run_ns(120 * SECOND);
    assert_eq!(net.recv(server), Ok("hello".into()));
}

#[test]
fn keep_alive_finds_who_is_gone() {
    let mut net = net();
    let (client, _) = net.pair();
    let keep_alive = KeepAlive { idle_ns: 10 * SECOND, interval_ns: SECOND, count: 3 };
    net.network.set_keep_alive(client, keep_alive).unwrap();
    net.network.set_flag(client, Flag::KeepAlive, true).unwrap();
    net.run_ns(3_600 * SECOND);
    assert_eq!(net.poll(client), "out");
    assert!(net.network.is_quiet(), "it was answered");
    net.network.crash(net.b);
    assert!(!net.network.is_quiet());
    net.run_ns(2 * SECOND);
    assert_eq!(net.poll(client), "out");
    net.run_ns(12 * SECOND);
    assert_eq!(net.recv(client), Err(Errno::ETIMEDOUT));
    assert_eq!(net.network.next(), None);
}

#[test]
fn keep_alive_finds_who_has_forgotten() {
    let mut net = net();
    let (client, _) = net.pair();
    net.network.set_flag(client, Flag::KeepAlive, true).unwrap();
    net.network.crash(net.b);
    net.network.restart(net.b);
    net.run_ns(7_199 * SECOND);
    assert_eq!(net.poll(client), "out");
    net.run_ns(2 * SECOND);
    assert_eq!(net.recv(client), Err(Errno::ECONNRESET));
}

#[test]
fn keep_alive_of_nothing_is_refused() {
    let mut net = net();
    let id = net.socket(net.a);
    let usual = net.network.keep_alive(id).unwrap();
    assert_eq!((usual.idle_ns, usual.count), (7_200 * SECOND, 9));
    let none = KeepAlive { count: 0, ..usual };
    assert_eq!(net.network.set_keep_alive(id, none), Err(Errno::EINVAL));
}

#[test]
fn the_users_timeout_ends_what_is_not_answered() {
    let mut net = net();
    let (client, _) = net.pair();
    net.network.set_user_timeout(client, 5 * SECOND).unwrap();
    net.network.crash(net.b);
    net.send(client, b"x").unwrap();
    net.run_ns(4_900 * MS);
    assert_eq!(net.recv(client), Err(Errno::EAGAIN));
    net.run_ns(200 * MS);
    assert_eq!(net.recv(client), Err(Errno::ETIMEDOUT));
}

/// A client that has filled what the server does not read.
fn full(net: &mut Net) -> (SocketId, SocketId, usize) {
    let (client, server) = net.pair();
    let mut written = 0;
    for _ in 0..10 {
        written += net.fill(client);
        net.run();
    }
    assert_eq!(net.fill(client), 0);
    net.woken();
    (client, server, written)
}

#[test]
fn a_peer_that_never_reads_stops_the_writer() {
    let mut net = net();
    let (client, server, written) = full(&mut net);
    assert_eq!(written, 65_536 + 43_520);
    assert_eq!(net.poll(client), "");
    net.run_ns(3_600 * SECOND);
    assert_eq!(net.poll(client), "", "probes are answered: it goes on");
    assert!(net.network.is_quiet());
    assert_eq!(net.woken(), []);
    let mut read = 0;
    while read < written {
        read += net.drain(server);
        net.run_ns(10 * MS);
    }
    assert_eq!((read, net.poll(client).as_str()), (written, "out"));
    assert_eq!(net.woken(), [client, server]);
}

#[test]
fn a_window_whose_opening_was_lost_is_asked_for() {
    let mut net = net();
    let (_, server, written) = full(&mut net);
    cut(&mut net);
    let mut read = net.drain(server);
    net.run_ns(10 * MS);
    heal(&mut net);
    assert!(!net.network.is_quiet());
    for _ in 0..10 {
        net.run_ns(SECOND);
        read += net.drain(server);
    }
    assert_eq!(read, written);
}

#[test]
fn a_writer_to_a_closed_window_learns_of_a_crash() {
    let mut net = net();
    let (client, _, _) = full(&mut net);
    net.run_ns(60 * SECOND);
    net.network.crash(net.b);
    net.run_ns(3_600 * SECOND);
    assert_eq!(net.send(client, b"x"), Err(Errno::ETIMEDOUT));
}

#[test]
fn an_orphan_whose_peer_never_reads_ends() {
    let mut net = net();
    let (client, server, _) = full(&mut net);
    net.close(client).unwrap();
    net.run_ns(3_600 * SECOND);
    assert_eq!(net.states(net.a), [""; 0]);
    assert_eq!(net.states(net.b), ["ESTABLISHED"]);
    assert!(net.drain(server) > 0);
}

#[test]
fn buffers_bound_what_is_taken() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    net.network.set_number(listener, Number::RecvBuffer, 4_096).unwrap();
    let (client, server) = net.pair_by(listener, "10.0.0.2:80");
    net.network.set_number(client, Number::SendBuffer, 10_000).unwrap();
    assert_eq!(net.send(client, &[0; 100_000]), Ok(10_000));
    assert_eq!(net.send(client, &[0; 100_000]), Err(Errno::EAGAIN));
    net.run();
    assert_eq!(net.recv(server).unwrap().len(), 4_096);
    assert_eq!(net.network.number(server, Number::RecvBuffer), Ok(8_192));
}

#[test]
fn writable_again_when_a_third_is_free() {
    let mut net = net();
    let (client, server) = net.pair();
    net.fill(client);
    assert_eq!(net.poll(client), "");
    net.woken();
    net.run();
    assert_eq!(net.woken(), [client, server]);
    assert_eq!(net.poll(client), "out");
}

#[test]
fn a_small_segment_waits_for_the_one_before_unless_nodelay() {
    let check = |nodelay, expected: &str| {
        let mut net = net();
        let (client, server) = net.pair();
        net.network.set_flag(client, Flag::NoDelay, nodelay).unwrap();
        for text in ["a", "b", "c"] {
            net.send(client, text.as_bytes()).unwrap();
        }
        net.run_ns(MS);
        assert_eq!(net.recv(server), Ok(expected.into()));
        net.run();
        let rest = net.recv(server).unwrap_or_default();
        assert_eq!(expected.to_owned() + &rest, "abc");
    };
    check(false, "a");
    check(true, "abc");
}
