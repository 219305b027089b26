//! How connections end: each error, end and readiness as Linux 6.18 gave it on its loopback device.

mod harness;

use harness::net;
use sim_net::{Errno, How};

fn ok(text: &str) -> Result<String, Errno> {
    Ok(text.into())
}

#[test]
fn a_socket_without_connection() {
    let mut net = net();
    let id = net.socket(net.a);
    assert_eq!(net.poll(id), "out hup");
    assert_eq!(net.recv(id), Err(Errno::ENOTCONN));
    assert_eq!(net.send(id, b"x"), Err(Errno::EPIPE));
    assert_eq!(net.network.peer_addr(id), Err(Errno::ENOTCONN));
    assert_eq!(net.shutdown(id, How::Write), Err(Errno::ENOTCONN));
    assert_eq!(net.accept(id), Err(Errno::EINVAL));
    net.close(id).unwrap();
    assert_eq!(net.recv(id), Err(Errno::EBADF));
    assert_eq!(net.close(id), Err(Errno::EBADF));
}

#[test]
fn bytes_then_end() {
    let mut net = net();
    let (client, server) = net.pair();
    assert_eq!(net.poll(client), "out");
    assert_eq!(net.send(client, b"hello"), Ok(5));
    net.run();
    assert_eq!(net.woken(), [server]);
    assert_eq!(net.poll(server), "in out");
    net.close(client).unwrap();
    net.run();
    assert_eq!(net.woken(), [server]);
    assert_eq!(net.poll(server), "in out rdhup");
    assert_eq!(net.recv(server), ok("hello"));
    assert_eq!(net.recv(server), ok(""));
    assert_eq!(net.recv(server), ok(""));
}

#[test]
fn half_closed_both_ways() {
    let mut net = net();
    let (client, server) = net.pair();
    net.send(client, b"question").unwrap();
    assert_eq!(net.shutdown(client, How::Write), Ok(()));
    assert_eq!(net.poll(client), "out");
    assert_eq!(net.send(client, b"x"), Err(Errno::EPIPE));
    net.run();
    assert_eq!(net.recv(server), ok("question"));
    assert_eq!(net.recv(server), ok(""));
    assert_eq!(net.send(server, b"answer"), Ok(6));
    net.run();
    assert_eq!(net.recv(client), ok("answer"));
    assert_eq!(net.recv(client), Err(Errno::EAGAIN));
    assert_eq!(net.shutdown(server, How::Write), Ok(()));
    assert_eq!(net.poll(server), "in out hup rdhup");
    net.run();
    assert_eq!(net.recv(client), ok(""));
    assert_eq!(net.poll(client), "in out hup rdhup");
    assert_eq!(net.states(net.a), ["TIME_WAIT"]);
    assert_eq!(net.states(net.b), ["CLOSE"]);
    assert_eq!(net.network.peer_addr(client), Err(Errno::ENOTCONN));
    assert_eq!(net.shutdown(client, How::Both), Err(Errno::ENOTCONN));
}

#[test]
fn reading_shut_down_here_only() {
    let mut net = net();
    let (client, server) = net.pair();
    assert_eq!(net.shutdown(server, How::Read), Ok(()));
    assert_eq!(net.poll(server), "in out rdhup");
    assert_eq!(net.recv(server), ok(""));
    net.send(client, b"abc").unwrap();
    net.run();
    assert_eq!(net.recv(server), ok("abc"));
    assert_eq!(net.recv(server), ok(""));
    assert_eq!(net.send(server, b"x"), Ok(1));
}

#[test]
fn the_first_write_after_the_peers_close_succeeds() {
    let mut net = net();
    let (client, server) = net.pair();
    net.close(server).unwrap();
    net.run();
    assert_eq!(net.poll(client), "in out rdhup");
    assert_eq!(net.send(client, b"x"), Ok(1));
    net.run();
    assert_eq!(net.poll(client), "in out err hup rdhup");
    assert_eq!(net.recv(client), ok(""));
    assert_eq!(net.send(client, b"x"), Err(Errno::EPIPE));
    assert_eq!(net.network.take_error(client), Ok(None));
    assert_eq!(net.network.peer_addr(client), Err(Errno::ENOTCONN));
    assert_eq!(net.shutdown(client, How::Both), Err(Errno::ENOTCONN));
    assert_eq!(net.states(net.b), [""; 0]);
}

#[test]
fn close_with_unread_bytes_resets_and_what_came_can_be_read() {
    let mut net = net();
    let (client, server) = net.pair();
    net.send(client, b"xx").unwrap();
    net.send(server, b"yy").unwrap();
    net.run();
    net.close(server).unwrap();
    net.run();
    assert_eq!(net.poll(client), "in out err hup rdhup");
    assert_eq!(net.recv(client), ok("yy"));
    assert_eq!(net.recv(client), Err(Errno::ECONNRESET));
    assert_eq!(net.recv(client), ok(""));
    assert_eq!(net.send(client, b"x"), Err(Errno::EPIPE));
    assert_eq!(net.poll(client), "in out hup rdhup");
}

#[test]
fn a_reset_is_told_once_to_who_asks_first() {
    let mut net = net();
    let (client, server) = net.pair();
    net.network.set_linger(server, Some(0)).unwrap();
    net.close(server).unwrap();
    net.run();
    assert_eq!(net.network.take_error(client), Ok(Some(Errno::ECONNRESET)));
    assert_eq!(net.send(client, b"x"), Err(Errno::EPIPE));
    let (client, server) = net.pair();
    net.network.set_linger(server, Some(0)).unwrap();
    net.close(server).unwrap();
    net.run();
    assert_eq!(net.send(client, b"x"), Err(Errno::ECONNRESET));
    assert_eq!(net.recv(client), ok(""));
}

#[test]
fn who_has_shut_down_both_halves_refuses_what_comes() {
    let mut net = net();
    let (client, server) = net.pair();
    net.shutdown(client, How::Both).unwrap();
    net.run();
    assert_eq!(net.poll(client), "in out hup rdhup");
    assert_eq!(net.poll(server), "in out rdhup");
    assert_eq!(net.send(server, b"x"), Ok(1));
    net.run();
    assert_eq!(net.poll(client), "in out err hup rdhup");
    assert_eq!(net.recv(client), Err(Errno::ECONNRESET));
    assert_eq!(net.recv(client), ok(""));
    assert_eq!(net.send(client, b"x"), Err(Errno::EPIPE));
    assert_eq!(net.poll(server), "in out err hup rdhup");
    assert_eq!(net.recv(server), ok(""));
    assert_eq!(net.send(server, b"x"), Err(Errno::EPIPE));
}

#[test]
fn what_was_written_before_close_still_goes() {
    let mut net = net();
    let (client, server) = net.pair();
    let written = net.fill(client);
    net.close(client).unwrap();
    assert_eq!(net.recv(client), Err(Errno::EBADF));
    net.run();
    let mut read = 0;
    for _ in 0..10 {
        read += net.drain(server);
        net.run();
    }
    assert_eq!(read, written);
    assert_eq!(net.recv(server), ok(""));
    assert_eq!(net.states(net.a), ["FIN_WAIT2"]);
    net.close(server).unwrap();
    net.run();
    assert_eq!(net.states(net.a), ["TIME_WAIT"]);
    net.run_ns(60 * harness::SECOND);
    assert_eq!(net.states(net.a), [""; 0]);
    assert_eq!(net.states(net.b), [""; 0]);
}

#[test]
fn an_orphan_waits_a_minute_for_the_peers_end() {
    let mut net = net();
    let (client, server) = net.pair();
    net.close(client).unwrap();
    net.run();
    assert_eq!((net.states(net.a), net.states(net.b)), (vec!["FIN_WAIT2"], vec!["CLOSE_WAIT"]));
    net.run_ns(61 * harness::SECOND);
    assert_eq!(net.states(net.a), [""; 0]);
    net.close(server).unwrap();
    net.run();
    assert_eq!(net.states(net.b), [""; 0]);
}

#[test]
fn both_close_at_once() {
    let mut net = net();
    let (client, server) = net.pair();
    net.close(client).unwrap();
    net.close(server).unwrap();
    net.run();
    assert_eq!((net.states(net.a), net.states(net.b)), (vec!["TIME_WAIT"], vec!["TIME_WAIT"]));
}

#[test]
fn a_peer_that_crashed_is_silent_and_resets_once_it_is_back() {
    let mut net = net();
    let (client, server) = net.pair();
    net.network.crash(net.b);
    assert_eq!(net.recv(server), Err(Errno::EBADF));
    net.send(client, b"x").unwrap();
    net.run_ns(10 * harness::SECOND);
    assert_eq!(net.recv(client), Err(Errno::EAGAIN));
    net.network.restart(net.b);
    net.run_ns(20 * harness::SECOND);
    assert_eq!(net.recv(client), Err(Errno::ECONNRESET));
    assert_eq!(net.states(net.a), ["CLOSE"]);
}

#[test]
fn an_unanswered_write_is_given_up_after_fifteen_minutes() {
    let mut net = net();
    let (client, _) = net.pair();
    net.network.crash(net.b);
    net.send(client, b"x").unwrap();
    net.run_ns(924 * harness::SECOND);
    assert_eq!(net.recv(client), Err(Errno::EAGAIN));
    net.run_ns(4 * harness::SECOND);
    assert_eq!(net.poll(client), "in out err hup rdhup");
    assert_eq!(net.recv(client), Err(Errno::ETIMEDOUT));
    assert_eq!(net.recv(client), ok(""));
}

#[test]
fn a_listener_that_closes_resets_who_waits() {
    let mut net = net();
    let listener = net.listener(net.b, "0.0.0.0:80");
    let client = net.socket(net.a);
    net.connect(client, "10.0.0.2:80").unwrap_err();
    net.run();
    net.close(listener).unwrap();
    net.run();
    assert_eq!(net.recv(client), Err(Errno::ECONNRESET));
}
