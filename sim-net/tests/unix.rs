//! Unix sockets as Linux has them. What is expected here was first seen on Linux 6.18.

mod wired;

use sim_net::{Credentials, Domain, Errno, HostId, How, Kind, Ready, SocketId, UnixAddress};
use wired::Wired;

const H0: HostId = HostId(0);

fn path(name: &str) -> UnixAddress {
    UnixAddress::Path(format!("/run/{name}").into_bytes())
}

fn stream(wired: &mut Wired) -> SocketId {
    wired.socket(H0, Domain::Unix, Kind::Stream).unwrap()
}

fn datagram(wired: &mut Wired) -> SocketId {
    wired.socket(H0, Domain::Unix, Kind::Datagram).unwrap()
}

fn datagram_at(wired: &mut Wired, name: &str) -> SocketId {
    let id = datagram(wired);
    wired.bind_unix(id, path(name)).unwrap();
    id
}

fn listener(wired: &mut Wired, name: &str, backlog: u32) -> SocketId {
    let id = stream(wired);
    wired.bind_unix(id, path(name)).unwrap();
    verb!(wired.listen(id, backlog)).unwrap();
    id
}

fn accept(wired: &mut Wired, id: SocketId) -> Result<SocketId, Errno> {
    verb!(wired.accept(id))
}

fn shutdown(wired: &mut Wired, id: SocketId, how: How) -> Result<(), Errno> {
    verb!(wired.shutdown(id, how))
}

fn connected(wired: &mut Wired, kind: Kind) -> (SocketId, SocketId) {
    wired.pair(H0, kind).unwrap()
}

/// Sends so many bytes at a time until there is no room: how many, in how many verbs.
fn fill(wired: &mut Wired, id: SocketId, size: usize) -> (usize, usize) {
    let (mut bytes, mut count) = (0, 0);
    loop {
        match wired.send(id, &vec![1; size]) {
            Ok(sent) => (bytes, count) = (bytes + sent, count + 1),
            Err(error) => {
                assert_eq!(error, Errno::EAGAIN);
                return (bytes, count);
            }
        }
    }
}

#[test]
fn a_path_is_found_refused_or_not_there() {
    let mut wired = Wired::calm(2);
    let listens = stream(&mut wired);
    wired.bind_unix(listens, path("l")).unwrap();
    let connect = |wired: &mut Wired, to: &UnixAddress| {
        let id = stream(wired);
        wired.connect_unix(id, to)
    };
    let refused = Err(Errno::ECONNREFUSED);
    assert_eq!(connect(&mut wired, &path("l")), refused, "it does not listen");
    verb!(wired.listen(listens, 4)).unwrap();
    assert_eq!(connect(&mut wired, &path("l")), Ok(()));
    assert_eq!(connect(&mut wired, &path("other")), Err(Errno::ENOENT));
    let other_kind = datagram(&mut wired);
    assert_eq!(wired.connect_unix(other_kind, &path("l")), Err(Errno::EPROTOTYPE));
    let other_host = wired.socket(HostId(1), Domain::Unix, Kind::Stream).unwrap();
    assert_eq!(wired.connect_unix(other_host, &path("l")), Err(Errno::ENOENT));

    wired.close(listens);
    assert_eq!(connect(&mut wired, &path("l")), refused, "the path stays");
    let again = stream(&mut wired);
    assert!(wired.has_unix_path(H0, b"/run/l"));
    assert_eq!(wired.bind_unix(again, path("l")), Err(Errno::EADDRINUSE));
    wired.unlink_unix(H0, b"/run/l");
    assert_eq!(connect(&mut wired, &path("l")), Err(Errno::ENOENT));
    assert_eq!(wired.bind_unix(again, path("l")), Ok(()));
    assert_eq!(wired.bind_unix(again, path("m")), Err(Errno::EINVAL));
}

#[test]
fn a_socket_whose_path_was_unlinked_leaves_the_next_ones_alone() {
    let mut wired = Wired::calm(1);
    let old = listener(&mut wired, "l", 1);
    wired.unlink_unix(H0, b"/run/l");
    listener(&mut wired, "l", 1);
    wired.close(old);
    let client = stream(&mut wired);
    assert_eq!(wired.connect_unix(client, &path("l")), Ok(()));
}

#[test]
fn an_abstract_name_goes_with_its_socket() {
    let mut wired = Wired::calm(1);
    let name = UnixAddress::Abstract(b"name".to_vec());
    let id = stream(&mut wired);
    wired.bind_unix(id, name.clone()).unwrap();
    verb!(wired.listen(id, 1)).unwrap();
    let client = stream(&mut wired);
    assert_eq!(wired.connect_unix(client, &name), Ok(()));
    assert_eq!(wired.unix_addresses(client), Ok((UnixAddress::Unnamed, Some(name.clone()))));
    wired.close(id);
    let client = stream(&mut wired);
    assert_eq!(wired.connect_unix(client, &name), Err(Errno::ECONNREFUSED));
    assert_eq!(wired.bind_unix(client, name), Ok(()));

    let any = stream(&mut wired);
    wired.bind_unix(any, UnixAddress::Unnamed).unwrap();
    assert_eq!(wired.unix_addresses(any).unwrap().0, UnixAddress::Abstract(b"00000".to_vec()));
    let long = stream(&mut wired);
    assert_eq!(wired.bind_unix(long, UnixAddress::Path(vec![b'x'; 109])), Err(Errno::EINVAL));
}

#[test]
fn a_backlog_holds_one_more_than_it_says() {
    let mut wired = Wired::calm(1);
    let listens = listener(&mut wired, "l", 1);
    let mut clients = Vec::new();
    for expected in [Ok(()), Ok(()), Err(Errno::EAGAIN)] {
        let id = stream(&mut wired);
        assert_eq!(wired.connect_unix(id, &path("l")), expected);
        clients.push(id);
    }
    assert_eq!(wired.ready(listens), Ready::READABLE);
    assert_eq!(wired.ready(clients[2]), Ready::WRITABLE | Ready::WRITE_CLOSED);
    assert_eq!(wired.send(clients[0], b"early"), Ok(5));
    let end = accept(&mut wired, listens).unwrap();
    assert_eq!(wired.recv(end).unwrap(), b"early");
    assert_eq!(wired.unix_addresses(end), Ok((path("l"), Some(UnixAddress::Unnamed))));
    assert_eq!(wired.unix_addresses(clients[0]), Ok((UnixAddress::Unnamed, Some(path("l")))));
    assert_eq!(wired.connect_unix(clients[0], &path("l")), Err(Errno::EISCONN));
    assert_eq!(wired.connect_unix(clients[2], &path("l")), Ok(()));
    let ends = [accept(&mut wired, listens), accept(&mut wired, listens)];
    assert!(ends.iter().all(Result::is_ok));
    assert_eq!(wired.connect_unix(listens, &path("l")), Err(Errno::EINVAL));
    assert_eq!(accept(&mut wired, listens), Err(Errno::EAGAIN));
    assert_eq!(accept(&mut wired, end), Err(Errno::EINVAL));
}

#[test]
fn who_was_not_accepted_is_reset() {
    let mut wired = Wired::calm(1);
    let listens = listener(&mut wired, "l", 4);
    let client = stream(&mut wired);
    wired.connect_unix(client, &path("l")).unwrap();
    wired.woken();
    wired.close(listens);
    assert!(wired.woken().contains(&client));
    assert_eq!(wired.recv(client), Err(Errno::ECONNRESET));
    assert_eq!(wired.recv(client).unwrap(), b"");
    assert_eq!(wired.send(client, b"x"), Err(Errno::EPIPE));
}

#[test]
fn a_listener_that_is_shut_down_refuses() {
    let mut wired = Wired::calm(1);
    let listens = listener(&mut wired, "l", 4);
    shutdown(&mut wired, listens, How::Both).unwrap();
    assert_eq!(accept(&mut wired, listens), Err(Errno::EAGAIN));
    let client = stream(&mut wired);
    assert_eq!(wired.connect_unix(client, &path("l")), Err(Errno::ECONNREFUSED));
    assert!(wired.ready(listens).has(Ready::READABLE | Ready::READ_CLOSED | Ready::WRITE_CLOSED));
}

#[test]
fn verbs_that_do_not_suit() {
    let mut wired = Wired::calm(1);
    let (idle, listens) = (stream(&mut wired), listener(&mut wired, "l", 1));
    let datagram = datagram(&mut wired);
    let mut buffer = [0; 1];
    assert_eq!(verb!(wired.listen(idle, 1)), Err(Errno::EINVAL), "it has no address");
    assert_eq!(wired.send(idle, b"x"), Err(Errno::ENOTCONN));
    assert_eq!(wired.recv(idle), Err(Errno::EINVAL));
    assert_eq!(wired.send(listens, b"x"), Err(Errno::ENOTCONN));
    assert_eq!(wired.recv_from_unix(listens, &mut buffer), Err(Errno::EINVAL));
    assert_eq!(wired.send(datagram, b"x"), Err(Errno::ENOTCONN));
    assert_eq!(wired.recv(datagram), Err(Errno::EAGAIN));
    assert_eq!(verb!(wired.listen(datagram, 1)), Err(Errno::EOPNOTSUPP));
    assert_eq!(wired.send_to_unix(idle, b"x", &path("l")), Err(Errno::EOPNOTSUPP));
    assert_eq!(wired.send_to_unix(datagram, b"x", &path("l")), Err(Errno::EPROTOTYPE));
    assert_eq!(shutdown(&mut wired, idle, How::Both), Ok(()));
    assert_eq!(wired.unix_addresses(idle), Ok((UnixAddress::Unnamed, None)));
}

#[test]
fn bytes_arrive_in_order_across_verbs() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Stream);
    for text in ["hello ", "", "world"] {
        assert_eq!(wired.send(a, text.as_bytes()), Ok(text.len()));
    }
    let mut seven = [0; 7];
    assert_eq!(verb!(wired.peek(b, &mut seven)), Ok(7));
    assert_eq!(&seven, b"hello w");
    assert_eq!(verb!(wired.recv(b, &mut seven)), Ok(7));
    assert_eq!(&seven, b"hello w");
    assert_eq!(wired.recv(b).unwrap(), b"orld");
    assert_eq!(wired.recv(b), Err(Errno::EAGAIN));
}

#[test]
fn a_stream_takes_what_linux_takes() {
    // (bytes at a time, bytes, verbs) until there is no room.
    let measured = [
        (1, 278, 278),
        (100, 27_800, 278),
        (300, 50_100, 167),
        (1_000, 93_000, 93),
        (2_000, 98_000, 49),
        (4_000, 176_000, 44),
        (10_000, 170_000, 17),
        (32_000, 224_000, 7),
        (40_000, 236_544, 6),
        (65_536, 233_152, 4),
        (100_000, 236_544, 3),
        (200_000, 236_544, 2),
        (1_000_000, 219_264, 1),
    ];
    for (size, bytes, verbs) in measured {
        let mut wired = Wired::calm(1);
        let (a, _) = connected(&mut wired, Kind::Stream);
        assert_eq!(fill(&mut wired, a, size), (bytes, verbs), "{size} at a time");
    }
}

#[test]
fn a_writer_is_woken_when_a_quarter_is_left() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Stream);
    fill(&mut wired, a, 1_000);
    wired.woken();
    let mut buffer = [0; 1_000];
    let mut reads = 0;
    while !wired.ready(a).has(Ready::WRITABLE) {
        assert_eq!(wired.woken(), []);
        assert_eq!(verb!(wired.recv(b, &mut buffer)), Ok(1_000));
        reads += 1;
    }
    assert_eq!((reads, wired.woken()), (70, vec![a]));
}

#[test]
fn a_piece_has_room_again_when_all_of_it_is_read() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Stream);
    fill(&mut wired, a, 1_000_000);
    let read = |wired: &mut Wired, len| {
        let mut buffer = vec![0; len];
        assert_eq!(verb!(wired.recv(b, &mut buffer)), Ok(len));
    };
    read(&mut wired, 1);
    assert_eq!(wired.send(a, &[0; 100]), Err(Errno::EAGAIN));
    read(&mut wired, 40_000);
    assert_eq!(wired.send(a, &[0; 100_000]), Ok(36_544));
}

#[test]
fn halves_are_shut_down() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Stream);
    wired.send(a, b"last").unwrap();
    shutdown(&mut wired, a, How::Write).unwrap();
    assert_eq!(wired.ready(a), Ready::WRITABLE);
    assert_eq!(wired.ready(b), Ready::READABLE | Ready::WRITABLE | Ready::READ_CLOSED);
    assert_eq!(wired.send(a, b"x"), Err(Errno::EPIPE));
    assert_eq!(wired.recv(b).unwrap(), b"last");
    assert_eq!(wired.recv(b).unwrap(), b"");
    wired.send(b, b"back").unwrap();
    assert_eq!(wired.recv(a).unwrap(), b"back");

    let (a, b) = connected(&mut wired, Kind::Stream);
    wired.send(b, b"old").unwrap();
    shutdown(&mut wired, a, How::Read).unwrap();
    assert_eq!(wired.recv(a).unwrap(), b"old");
    assert_eq!(wired.recv(a).unwrap(), b"");
    assert_eq!(wired.send(b, b"x"), Err(Errno::EPIPE));
    assert_eq!(wired.recv(b), Err(Errno::EAGAIN));
}

#[test]
fn a_peer_that_closes_with_something_unread_resets() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Stream);
    wired.send(a, b"unread").unwrap();
    wired.send(b, b"data").unwrap();
    wired.close(b);
    let all = Ready::READABLE | Ready::WRITABLE | Ready::READ_CLOSED | Ready::WRITE_CLOSED;
    assert_eq!(wired.ready(a), all | Ready::ERROR);
    assert_eq!(wired.send(a, b"x"), Err(Errno::EPIPE));
    assert_eq!(wired.recv(a).unwrap(), b"data");
    assert_eq!(wired.recv(a), Err(Errno::ECONNRESET));
    assert_eq!(wired.recv(a).unwrap(), b"");

    let (a, b) = connected(&mut wired, Kind::Stream);
    wired.close(b);
    assert_eq!(wired.ready(a), all);
    assert_eq!(wired.recv(a).unwrap(), b"");
    assert_eq!(wired.send(a, b"x"), Err(Errno::EPIPE));
    assert_eq!(wired.unix_addresses(a).unwrap().1, Some(UnixAddress::Unnamed));
}

#[test]
fn datagrams_keep_their_bounds_and_senders() {
    let mut wired = Wired::calm(1);
    let to = datagram_at(&mut wired, "to");
    let (from, nameless) = (datagram_at(&mut wired, "from"), datagram(&mut wired));
    for (id, text) in [(from, &b"hello"[..]), (nameless, b""), (from, b"next")] {
        assert_eq!(wired.send_to_unix(id, text, &path("to")), Ok(text.len()));
    }
    let mut two = [0; 2];
    assert_eq!(wired.peek_from_unix(to, &mut two), Ok((2, path("from"))));
    assert_eq!(wired.recv_from_unix(to, &mut two), Ok((2, path("from"))));
    assert_eq!(&two, b"he");
    assert_eq!(wired.recv_from_unix(to, &mut two), Ok((0, UnixAddress::Unnamed)));
    assert_eq!(wired.recv(to).unwrap(), b"next");
    assert_eq!(wired.send_to_unix(from, b"x", &path("none")), Err(Errno::ENOENT));
    wired.close(to);
    assert_eq!(wired.send_to_unix(from, b"x", &path("to")), Err(Errno::ECONNREFUSED));
}

#[test]
fn a_queue_takes_eleven_datagrams() {
    let mut wired = Wired::calm(1);
    let to = datagram_at(&mut wired, "to");
    let (from, other) = (datagram(&mut wired), datagram(&mut wired));
    wired.connect_unix(from, &path("to")).unwrap();
    assert_eq!(fill(&mut wired, from, 1), (11, 11));
    assert_eq!(wired.send_to_unix(other, b"x", &path("to")), Err(Errno::EAGAIN));
    assert_eq!((wired.ready(from), wired.ready(other)), (Ready::NONE, Ready::WRITABLE));
    wired.woken();
    wired.recv(to).unwrap();
    let woken = wired.woken();
    assert!(woken.contains(&from) && woken.contains(&other));
    assert_eq!(wired.ready(from), Ready::WRITABLE);
    assert_eq!(wired.send(from, b"x"), Ok(1));
}

#[test]
fn a_pair_is_held_by_its_buffers_alone() {
    for (size, count) in [(1, 278), (100, 278), (1_000, 93), (30_000, 7), (100_000, 3)] {
        let mut wired = Wired::calm(1);
        let (a, _) = connected(&mut wired, Kind::Datagram);
        assert_eq!(fill(&mut wired, a, size), (size * count, count), "{size} at a time");
    }
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Datagram);
    assert_eq!(wired.send(a, &[0; 212_961]), Err(Errno::EMSGSIZE));
    assert_eq!(wired.send(a, &[0; 212_960]), Ok(212_960));
    assert_eq!(wired.send(a, b"x"), Err(Errno::EAGAIN));
    assert_eq!(wired.recv(b).unwrap().len(), 65_536, "the rest is lost");
    assert_eq!(wired.send(a, b"x"), Ok(1));
}

#[test]
fn a_connected_datagram_socket_hears_its_peer_only() {
    let mut wired = Wired::calm(1);
    let [a, b, c] = ["a", "b", "c"].map(|name| datagram_at(&mut wired, name));
    wired.connect_unix(a, &path("b")).unwrap();
    assert_eq!(wired.send_to_unix(c, b"x", &path("a")), Err(Errno::EPERM));
    assert_eq!(wired.connect_unix(c, &path("a")), Err(Errno::EPERM));
    assert_eq!(wired.send_to_unix(b, b"from b", &path("a")), Ok(6));
    assert_eq!(wired.send_to_unix(a, b"from a", &path("c")), Ok(6));
    wired.close(b);
    assert_eq!(wired.recv(a).unwrap(), b"from b");
    assert_eq!(wired.send(a, b"x"), Err(Errno::ECONNREFUSED));
    assert_eq!(wired.send(a, b"x"), Err(Errno::ENOTCONN));
    wired.connect_unix(a, &path("c")).unwrap();
    assert_eq!(wired.unix_addresses(a), Ok((path("a"), Some(path("c")))));
    wired.connect_unix(a, &UnixAddress::Unnamed).unwrap();
    assert_eq!(wired.unix_addresses(a), Ok((path("a"), None)));
}

#[test]
fn who_connects_elsewhere_loses_what_had_come() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Datagram);
    datagram_at(&mut wired, "c");
    wired.send(b, b"lost").unwrap();
    wired.connect_unix(a, &path("c")).unwrap();
    assert_eq!(wired.recv(a), Err(Errno::EAGAIN));
    assert_eq!(wired.recv(b), Err(Errno::ECONNRESET));
}

#[test]
fn datagrams_are_shut_down() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Datagram);
    shutdown(&mut wired, a, How::Write).unwrap();
    assert_eq!(wired.send(a, b"x"), Err(Errno::EPIPE));
    assert_eq!(wired.recv(b), Err(Errno::EAGAIN));
    assert_eq!(wired.send(b, b"y"), Ok(1));
    shutdown(&mut wired, a, How::Read).unwrap();
    assert_eq!(wired.send(b, b"z"), Err(Errno::EPIPE));
    assert_eq!(wired.recv(a).unwrap(), b"y");
    assert_eq!(wired.recv(a), Err(Errno::EAGAIN));
}

#[test]
fn a_host_is_one_process() {
    let mut wired = Wired::calm(1);
    let listens = listener(&mut wired, "l", 1);
    let client = stream(&mut wired);
    let nobody = Credentials { pid: 0, uid: u32::MAX, gid: u32::MAX };
    assert_eq!(wired.peer_credentials(client), Ok(nobody));
    wired.connect_unix(client, &path("l")).unwrap();
    let end = accept(&mut wired, listens).unwrap();
    for id in [client, end] {
        assert_eq!(wired.peer_credentials(id), Ok(Credentials { pid: 1, uid: 0, gid: 0 }));
    }
}

#[test]
fn a_crash_leaves_paths_and_nothing_else() {
    let mut wired = Wired::calm(1);
    listener(&mut wired, "l", 4);
    let name = UnixAddress::Abstract(b"name".to_vec());
    let named = stream(&mut wired);
    wired.bind_unix(named, name.clone()).unwrap();
    let client = stream(&mut wired);
    wired.connect_unix(client, &path("l")).unwrap();
    wired.crash(H0);
    wired.restart(H0);
    assert_eq!(wired.send(client, b"x"), Err(Errno::EBADF));
    assert_eq!(wired.sockets(), []);
    let again = stream(&mut wired);
    assert_eq!(wired.bind_unix(again, path("l")), Err(Errno::EADDRINUSE));
    assert_eq!(wired.bind_unix(again, name), Ok(()));
}

#[test]
fn sockets_are_listed_for_people() {
    let mut wired = Wired::calm(1);
    listener(&mut wired, "l", 4);
    let client = stream(&mut wired);
    wired.connect_unix(client, &path("l")).unwrap();
    wired.send(client, b"hello").unwrap();
    let lines: Vec<String> = wired.sockets().iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "unix stream LISTEN /run/l",
            "unix stream ESTAB * -> /run/l",
            "unix stream ESTAB /run/l -> *, 5 bytes unread",
        ]
    );
}

#[test]
fn what_is_looked_at_first() {
    let mut wired = Wired::calm(1);
    let (a, b) = connected(&mut wired, Kind::Stream);
    // The path, and then whether the socket has one or is connected.
    wired.bind_unix(a, path("a")).unwrap();
    assert_eq!(wired.bind_unix(a, path("a")), Err(Errno::EADDRINUSE));
    assert_eq!(wired.bind_unix(a, path("other")), Err(Errno::EINVAL));
    assert_eq!(wired.connect_unix(b, &path("none")), Err(Errno::ENOENT));
    assert_eq!(wired.connect_unix(b, &path("a")), Err(Errno::ECONNREFUSED));
    // Nothing to read is nothing, however little is asked for.
    assert_eq!(verb!(wired.recv(b, &mut [])), Err(Errno::EAGAIN));
    wired.send(a, b"x").unwrap();
    assert_eq!(verb!(wired.recv(b, &mut [])), Ok(0));
    // Whether a datagram may be sent, and then to whom.
    let id = datagram(&mut wired);
    assert_eq!(wired.send(id, &[0; 212_961]), Err(Errno::EMSGSIZE));
    shutdown(&mut wired, id, How::Write).unwrap();
    assert_eq!(wired.send(id, b"x"), Err(Errno::EPIPE));
}

#[test]
fn a_quarter_is_not_less_than_a_quarter() {
    let mut wired = Wired::calm(1);
    let (a, _) = connected(&mut wired, Kind::Stream);
    // Together they take 53,248 of 212,992.
    for len in [1, 100] {
        wired.send(a, &vec![0; len]).unwrap();
        assert_eq!(wired.ready(a), Ready::WRITABLE);
    }
    wired.send(a, &[0; 50_000]).unwrap();
    assert_eq!(wired.ready(a), Ready::NONE);
}
