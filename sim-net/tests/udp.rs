//! UDP as Linux has it. What is expected here was first seen on Linux 6.18.

mod wired;

use sim_net::{Domain, Errno, Flag, HostId, How, Kind, Link, Network, Ready, SocketId};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use wired::Wired;

const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const ANY6: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const HERE6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);
const H0: HostId = HostId(0);

fn mapped(ip: IpAddr) -> IpAddr {
    let IpAddr::V4(v4) = ip else { panic!("of IPv4") };
    v4.to_ipv6_mapped().into()
}

fn socket(wired: &mut Wired, domain: Domain, flags: &[Flag]) -> SocketId {
    let id = wired.socket(H0, domain, Kind::Datagram).unwrap();
    flags.iter().for_each(|flag| wired.set_flag(id, *flag, true).unwrap());
    id
}

fn domain(ip: IpAddr) -> Domain {
    if ip.is_ipv4() { Domain::V4 } else { Domain::V6 }
}

fn local(net: &Network, id: SocketId) -> SocketAddr {
    net.local_addr(id).unwrap()
}

#[test]
fn two_sockets_of_a_port_stand_in_each_others_way() {
    let check = |first: (IpAddr, &[Flag]),
                 second: (IpAddr, &[Flag]),
                 expected: Result<(), Errno>| {
        for (one, two) in [(first, second), (second, first)] {
            let mut wired = Wired::calm(1);
            let a = socket(&mut wired, domain(one.0), one.1);
            let b = socket(&mut wired, domain(two.0), two.1);
            wired.bind(a, SocketAddr::new(one.0, 7)).unwrap();
            assert_eq!(wired.bind(b, SocketAddr::new(two.0, 7)), expected, "{one:?} then {two:?}");
        }
    };
    let (used, own) = (Err(Errno::EADDRINUSE), Wired::calm(1).v4(0));
    let (reuse, share): (&[Flag], &[Flag]) = (&[Flag::ReuseAddr], &[Flag::ReusePort]);
    check((HERE, &[]), (HERE, &[]), used);
    check((ANY, &[]), (HERE, &[]), used);
    check((HERE, &[]), (own, &[]), Ok(()));
    check((ANY6, &[]), (HERE, &[]), used);
    check((ANY6, &[]), (ANY, &[]), used);
    check((HERE6, &[]), (ANY, &[]), Ok(()));
    check((ANY6, &[Flag::OnlyV6]), (ANY, &[]), Ok(()));
    check((mapped(HERE), &[]), (HERE, &[]), used);
    check((HERE, reuse), (HERE, reuse), Ok(()));
    check((HERE, reuse), (HERE, &[]), used);
    check((HERE, share), (HERE, share), Ok(()));
    check((HERE, share), (HERE, reuse), used);
}

#[test]
fn an_address_that_cannot_be_bound_is_refused() {
    let mut wired = Wired::calm(2);
    let mut check = |domain, ip: IpAddr, flags: &[Flag], expected| {
        let id = socket(&mut wired, domain, flags);
        assert_eq!(wired.bind(id, SocketAddr::new(ip, 0)), expected, "{domain:?} {ip}");
    };
    let other = Wired::calm(2).v4(1);
    check(Domain::V4, other, &[], Err(Errno::EADDRNOTAVAIL));
    check(Domain::V4, HERE6, &[], Err(Errno::EAFNOSUPPORT));
    check(Domain::V6, HERE, &[], Err(Errno::EINVAL));
    check(Domain::V6, mapped(HERE), &[], Ok(()));
    check(Domain::V6, mapped(HERE), &[Flag::OnlyV6], Err(Errno::EINVAL));
    check(Domain::V4, [224, 1, 1, 1].into(), &[], Ok(()));
    check(Domain::V4, [255, 255, 255, 255].into(), &[], Ok(()));
    let (twice, address) = wired.udp_at(0);
    assert_eq!(wired.bind(twice, address), Err(Errno::EINVAL));
    wired.close(twice);
    assert_eq!(wired.bind(twice, address), Err(Errno::EBADF));
    let again = wired.udp(0);
    assert_eq!(wired.bind(again, address), Ok(()), "close gives the port back");
}

#[test]
fn port_0_is_any_until_there_is_none() {
    let mut wired = Wired::calm(1);
    let count = 60_999 - 32_768 + 1;
    let mut ports = std::collections::BTreeSet::new();
    for _ in 0..count {
        ports.insert(wired.udp_at(0).1.port());
    }
    assert_eq!((ports.len(), ports.first(), ports.last()), (count, Some(&32_768), Some(&60_999)));
    let id = wired.udp(0);
    assert_eq!(wired.bind(id, SocketAddr::new(ANY, 0)), Err(Errno::EADDRINUSE));
    assert_eq!(wired.send_to(id, b"x", SocketAddr::new(HERE, 9)), Err(Errno::EAGAIN));
}

#[test]
fn who_sends_is_bound() {
    let mut wired = Wired::calm(2);
    let (to, address) = wired.udp_at(1);
    let from = wired.udp(0);
    assert_eq!(local(&wired, from), SocketAddr::new(ANY, 0));
    assert_eq!(wired.send_to(from, b"hello", address), Ok(5));
    assert_eq!(local(&wired, from), SocketAddr::new(ANY, 32_768));
    wired.run();
    let mut buffer = [0; 9];
    let source = SocketAddr::new(wired.v4(0), 32_768);
    assert_eq!(wired.peek_from(to, &mut buffer), Ok((5, source)));
    assert_eq!(wired.recv_from(to, &mut buffer), Ok((5, source)));
    assert_eq!(wired.recv_from(to, &mut buffer), Err(Errno::EAGAIN));
}

#[test]
fn what_does_not_fit_is_lost_and_nothing_is_a_datagram_too() {
    let mut wired = Wired::calm(1);
    let (to, address) = wired.udp_at(0);
    let from = wired.udp(0);
    for bytes in [&b"hello"[..], b"", b"next"] {
        wired.send_to(from, bytes, address).unwrap();
    }
    let mut two = [0; 2];
    assert_eq!(wired.recv_from(to, &mut two).unwrap().0, 2);
    assert_eq!(&two, b"he");
    assert!(wired.ready(to).has(Ready::READABLE));
    assert_eq!(wired.recv(to).unwrap(), b"");
    assert_eq!(wired.recv(to).unwrap(), b"next");
    assert!(!wired.ready(to).has(Ready::READABLE));
}

#[test]
fn sizes_have_an_end() {
    let mut wired = Wired::calm(2).all_links(Link::constant(5));
    let (to, address) = wired.udp_at(1);
    let from = wired.udp(0);
    assert_eq!(wired.send_to(from, &[7; 65_507], address), Ok(65_507));
    assert_eq!(wired.send_to(from, &[7; 65_508], address), Err(Errno::EMSGSIZE));
    wired.run();
    assert_eq!(wired.recv(to).unwrap(), [7; 65_507]);

    // The header of IPv6 does not count.
    let six = socket(&mut wired, Domain::V6, &[]);
    let nobody = SocketAddr::new(wired.v6(1), 9);
    assert_eq!(wired.send_to(six, &[7; 65_527], nobody), Ok(65_527));
    assert_eq!(wired.send_to(six, &[7; 65_528], nobody), Err(Errno::EMSGSIZE));
}

#[test]
fn the_receive_buffer_counts_as_in_linux() {
    // How many datagrams of a size fit in 212,992 bytes.
    let measured = [
        (0, 256),
        (1, 256),
        (100, 256),
        (197, 256),
        (198, 166),
        (500, 166),
        (645, 166),
        (646, 92),
        (1_472, 92),
        (1_669, 92),
        (1_670, 48),
        (3_000, 48),
        (4_000, 25),
        (8_000, 12),
        (16_000, 12),
        (32_000, 6),
        (60_000, 3),
    ];
    for (size, fit) in measured {
        let mut wired = Wired::calm(1);
        let (to, address) = wired.udp_at(0);
        let from = wired.udp(0);
        for _ in 0..300 {
            assert_eq!(wired.send_to(from, &vec![1; size], address), Ok(size));
        }
        assert_eq!(wired.recv_all(to).len(), fit, "of {size} bytes");
        wired.send_to(from, b"room again", address).unwrap();
        assert_eq!(wired.recv(to).unwrap(), b"room again");
    }
}

#[test]
fn a_connected_socket_hears_its_peer_only() {
    let mut wired = Wired::calm(1);
    let (a, at_a) = wired.udp_at(0);
    let (b, at_b) = wired.udp_at(0);
    let (c, _) = wired.udp_at(0);
    wired.send_to(c, b"before", at_a).unwrap();
    assert_eq!(wired.peer_addr(a), Err(Errno::ENOTCONN));
    wired.connect(a, at_b).unwrap();
    assert_eq!(wired.peer_addr(a), Ok(at_b));
    wired.send_to(c, b"other", at_a).unwrap();
    wired.send_to(b, b"peer", at_a).unwrap();
    assert_eq!(wired.recv_all(a), [&b"before"[..], b"peer"]);
    // It may still send elsewhere.
    let at_c = local(&wired, c);
    wired.send_to(a, b"there", at_c).unwrap();
    assert_eq!(wired.recv(c).unwrap(), b"there");
    wired.connect(a, at_c).unwrap();
    assert_eq!(wired.peer_addr(a), Ok(at_c));
    assert_eq!(wired.send(a, b"here"), Ok(4));
    assert_eq!(wired.recv(c).unwrap(), b"here");
}

#[test]
fn connecting_gives_an_address_and_disconnecting_takes_it() {
    let mut wired = Wired::calm(1);
    let there = SocketAddr::new(HERE, 9);
    // (bound to, while connected, after)
    let check =
        |wired: &mut Wired, bound: Option<SocketAddr>, during: SocketAddr, after: SocketAddr| {
            let id = wired.udp(0);
            if let Some(address) = bound {
                wired.bind(id, address).unwrap();
            }
            wired.connect(id, there).unwrap();
            assert_eq!(local(wired, id), during);
            wired.disconnect(id).unwrap();
            assert_eq!(local(wired, id), after);
            assert_eq!(wired.peer_addr(id), Err(Errno::ENOTCONN));
            wired.close(id);
        };
    let nowhere = SocketAddr::new(ANY, 0);
    check(&mut wired, None, SocketAddr::new(HERE, 32_768), nowhere);
    check(&mut wired, Some(SocketAddr::new(ANY, 0)), SocketAddr::new(HERE, 32_769), nowhere);
    let (any, here) = (SocketAddr::new(ANY, 80), SocketAddr::new(HERE, 80));
    check(&mut wired, Some(any), here, any);
    check(&mut wired, Some(here), here, here);
}

#[test]
fn nobody_listening_is_told_once_to_who_is_connected() {
    for hosts in [1, 2] {
        let mut wired = Wired::calm(hosts).all_links(Link::constant(5));
        let closed = SocketAddr::new(wired.v4(hosts - 1), 9);
        let id = wired.udp(0);
        wired.connect(id, closed).unwrap();
        assert_eq!(wired.send(id, b"x"), Ok(1));
        wired.woken();
        wired.run();
        assert!(wired.ready(id).has(Ready::ERROR | Ready::WRITABLE));
        assert!(!wired.ready(id).has(Ready::READABLE), "as udp_poll has it");
        assert_eq!(wired.recv(id), Err(Errno::ECONNREFUSED));
        assert_eq!(wired.recv(id), Err(Errno::EAGAIN));
        assert_eq!(wired.send(id, b"x"), Ok(1));
        wired.run();
        assert_eq!(wired.send(id, b"x"), Err(Errno::ECONNREFUSED));
        assert_eq!(wired.send(id, b"x"), Ok(1));
        wired.run();
        assert_eq!(wired.take_error(id), Ok(Some(Errno::ECONNREFUSED)));
        assert_eq!(wired.take_error(id), Ok(None));

        let other = wired.udp(0);
        for _ in 0..2 {
            assert_eq!(wired.send_to(other, b"x", closed), Ok(1), "it is not connected");
            wired.run();
        }
        assert_eq!(wired.recv(other), Err(Errno::EAGAIN));
    }
}

#[test]
fn where_a_datagram_cannot_go() {
    let mut wired = Wired::calm(2);
    let mut check = |domain, flags: &[Flag], to: SocketAddr, expected| {
        let id = socket(&mut wired, domain, flags);
        assert_eq!(wired.send_to(id, b"x", to), expected, "{domain:?} to {to}");
    };
    let at = |ip| SocketAddr::new(ip, 9);
    check(Domain::V4, &[], SocketAddr::new(HERE, 0), Err(Errno::EINVAL));
    check(Domain::V4, &[], at(HERE6), Err(Errno::EAFNOSUPPORT));
    check(Domain::V6, &[], at(HERE), Ok(1));
    check(Domain::V6, &[Flag::OnlyV6], at(mapped(HERE)), Err(Errno::ENETUNREACH));
    check(Domain::V4, &[], at([255, 255, 255, 255].into()), Err(Errno::EACCES));
    check(Domain::V4, &[], at([10, 200, 0, 1].into()), Ok(1));
    let id = wired.udp(0);
    assert_eq!(wired.send(id, b"x"), Err(Errno::EDESTADDRREQ));
    let everybody = at([255, 255, 255, 255].into());
    assert_eq!(wired.connect(id, everybody), Err(Errno::EACCES));
    assert_eq!(local(&wired, id).port(), 32_774, "it has got a port all the same");
    let id = wired.udp(0);
    wired.bind(id, SocketAddr::new(HERE, 0)).unwrap();
    let other = at(wired.v4(1));
    assert_eq!(wired.send_to(id, b"x", other), Err(Errno::EINVAL), "from loopback to elsewhere");
}

#[test]
fn both_families_on_one_socket() {
    let mut wired = Wired::calm(1);
    let six = socket(&mut wired, Domain::V6, &[]);
    wired.bind(six, SocketAddr::new(ANY6, 80)).unwrap();
    let four = wired.udp(0);
    wired.send_to(four, b"from 4", SocketAddr::new(HERE, 80)).unwrap();
    let port = local(&wired, four).port();
    let mut buffer = [0; 9];
    assert_eq!(wired.recv_from(six, &mut buffer), Ok((6, SocketAddr::new(mapped(HERE), port))));
    wired.send_to(six, b"to 4", SocketAddr::new(mapped(HERE), port)).unwrap();
    assert_eq!(wired.recv_from(four, &mut buffer), Ok((4, SocketAddr::new(HERE, 80))));
    assert_eq!(local(&wired, six), SocketAddr::new(ANY6, 80));
    // The unspecified address is the host itself.
    wired.send_to(four, b"any", SocketAddr::new(ANY, 80)).unwrap();
    assert_eq!(wired.recv(six).unwrap(), b"any");
}

#[test]
fn the_socket_that_fits_best_receives() {
    let mut wired = Wired::calm(1);
    let (sender, at_sender) = wired.udp_at(0);
    let own = SocketAddr::new(wired.v4(0), 80);
    let mut bound = |ip: IpAddr| {
        let id = socket(&mut wired, domain(ip), &[Flag::ReuseAddr]);
        wired.bind(id, SocketAddr::new(ip, 80)).unwrap();
        id
    };
    let (all, exact) = (bound(ANY), bound(own.ip()));
    let (later, connected) = (bound(own.ip()), bound(own.ip()));
    wired.connect(connected, at_sender).unwrap();
    let receives = |wired: &mut Wired, id| {
        wired.send_to(sender, b"x", own).unwrap();
        assert_eq!(wired.recv_all(id).len(), 1);
        wired.close(id);
    };
    for id in [connected, later, exact, all] {
        receives(&mut wired, id);
    }
}

#[test]
fn those_that_share_a_port_share_the_senders() {
    let mut wired = Wired::calm(1);
    let at = SocketAddr::new(HERE, 80);
    let shared: Vec<SocketId> = (0..4)
        .map(|_| {
            let id = socket(&mut wired, Domain::V4, &[Flag::ReusePort]);
            wired.bind(id, at).unwrap();
            id
        })
        .collect();
    for _ in 0..40 {
        let sender = wired.udp(0);
        wired.send_to(sender, b"1", at).unwrap();
        wired.send_to(sender, b"2", at).unwrap();
    }
    let counts: Vec<usize> = shared.iter().map(|id| wired.recv_all(*id).len()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 80);
    assert!(counts.iter().all(|count| *count >= 8 && count % 2 == 0), "{counts:?}");
}

#[test]
fn shutdown_ends_halves() {
    let mut wired = Wired::calm(1);
    let (id, at) = wired.udp_at(0);
    assert_eq!(
        wired.net.shutdown(&mut cx(&mut wired.choices), id, How::Both),
        Err(Errno::ENOTCONN)
    );
    let (id, _) = (wired.udp(0), at);
    wired.connect(id, SocketAddr::new(HERE, 9)).unwrap();
    let shut = |wired: &mut Wired, how| {
        wired.net.shutdown(&mut cx(&mut wired.choices), id, how).unwrap();
        wired.ready(id)
    };
    let ready = shut(&mut wired, How::Read);
    assert_eq!(ready, Ready::READABLE | Ready::WRITABLE | Ready::READ_CLOSED);
    assert_eq!(wired.recv(id), Err(Errno::EAGAIN), "who waits gets the end, who does not EAGAIN");
    let ready = shut(&mut wired, How::Write);
    assert!(ready.has(Ready::READ_CLOSED | Ready::WRITE_CLOSED));
    assert_eq!(wired.send(id, b"x"), Err(Errno::EPIPE));
}

fn cx(choices: &mut sim_choice::Choices) -> sim_net::Cx<'_> {
    sim_net::Cx { now_ns: 0, who: sim_choice::Path::MAIN, choices }
}

#[test]
fn a_broadcast_reaches_all_hosts() {
    let mut wired = Wired::calm(3);
    let everybody = SocketAddr::new([255, 255, 255, 255].into(), 80);
    let receivers: Vec<SocketId> = (0..3)
        .map(|host| {
            let id = wired.udp(host);
            wired.bind(id, SocketAddr::new(ANY, 80)).unwrap();
            id
        })
        .collect();
    let exact = wired.udp(2);
    let own = wired.v4(2);
    wired.set_flag(exact, Flag::ReuseAddr, true).unwrap();
    wired.set_flag(receivers[2], Flag::ReuseAddr, true).unwrap();
    wired.bind(exact, SocketAddr::new(own, 80)).unwrap();
    let sender = wired.udp(0);
    wired.set_flag(sender, Flag::Broadcast, true).unwrap();
    assert_eq!(wired.send_to(sender, b"all", everybody), Ok(3));
    wired.run();
    for id in receivers {
        assert_eq!(wired.recv_all(id), [b"all"]);
    }
    assert_eq!(wired.recv(exact), Err(Errno::EAGAIN), "it is bound to an address");
}

#[test]
fn a_group_reaches_its_members() {
    let mut wired = Wired::calm(3);
    let group = Ipv4Addr::new(239, 1, 1, 1);
    let at = SocketAddr::new(group.into(), 80);
    let ids: Vec<SocketId> = (0..3)
        .map(|host| {
            let id = wired.udp(host);
            wired.bind(id, SocketAddr::new(ANY, 80)).unwrap();
            id
        })
        .collect();
    let any = Ipv4Addr::UNSPECIFIED;
    wired.join_multicast_v4(ids[0], group, any).unwrap();
    wired.join_multicast_v4(ids[1], group, any).unwrap();
    let heard = |wired: &mut Wired| {
        wired.send_to(ids[0], b"x", at).unwrap();
        wired.run();
        ids.iter().map(|id| wired.recv_all(*id).len()).collect::<Vec<_>>()
    };
    assert_eq!(heard(&mut wired), [1, 1, 0]);
    wired.set_flag(ids[0], Flag::MulticastLoopV4, false).unwrap();
    assert_eq!(heard(&mut wired), [0, 1, 0]);
    wired.set_multicast_ttl(ids[0], 0).unwrap();
    assert_eq!(heard(&mut wired), [0, 0, 0]);
    wired.set_multicast_ttl(ids[0], 1).unwrap();
    wired.leave_multicast_v4(ids[1], group, any).unwrap();
    assert_eq!(heard(&mut wired), [0, 0, 0]);
}

#[test]
fn groups_of_both_families_are_joined_once() {
    let mut wired = Wired::calm(2);
    let (four, _) = wired.udp_at(0);
    let six = socket(&mut wired, Domain::V6, &[]);
    let (group, any) = (Ipv4Addr::new(239, 1, 1, 1), Ipv4Addr::UNSPECIFIED);
    assert_eq!(wired.join_multicast_v4(four, group, any), Ok(()));
    assert_eq!(wired.join_multicast_v4(four, group, any), Err(Errno::EADDRINUSE));
    assert_eq!(wired.join_multicast_v4(four, Ipv4Addr::new(10, 1, 1, 1), any), Err(Errno::EINVAL));
    let elsewhere = Ipv4Addr::new(9, 9, 9, 9);
    assert_eq!(wired.join_multicast_v4(four, group, elsewhere), Err(Errno::ENODEV));
    assert_eq!(wired.leave_multicast_v4(four, group, any), Ok(()));
    assert_eq!(wired.leave_multicast_v4(four, group, any), Err(Errno::EADDRNOTAVAIL));

    let group6: Ipv6Addr = "ff02::114".parse().unwrap();
    assert_eq!(wired.join_multicast_v6(four, group6, 0), Err(Errno::ENOPROTOOPT));
    assert_eq!(wired.join_multicast_v6(six, group6, 9), Err(Errno::ENODEV));
    assert_eq!(wired.join_multicast_v6(six, group6, 0), Ok(()));
    wired.bind(six, SocketAddr::new(ANY6, 80)).unwrap();
    let sender = wired.socket(HostId(1), Domain::V6, Kind::Datagram).unwrap();
    wired.send_to(sender, b"six", SocketAddr::new(group6.into(), 80)).unwrap();
    wired.run();
    assert_eq!(wired.recv_all(six), [b"six"]);
}

#[test]
fn a_socket_is_woken_by_what_it_waits_for() {
    let mut wired = Wired::calm(2);
    let (to, address) = wired.udp_at(1);
    let from = wired.udp(0);
    wired.send_to(from, b"x", address).unwrap();
    assert_eq!(wired.woken(), []);
    assert_eq!(wired.ready(to), Ready::WRITABLE);
    wired.run();
    assert_eq!(wired.woken(), [to]);
    assert_eq!(wired.ready(to), Ready::WRITABLE | Ready::READABLE);
    let lines: Vec<String> = wired.sockets().iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["udp UNCONN 0.0.0.0:32768", "udp UNCONN 10.128.0.2:32768, 1 bytes unread"]);
}

#[test]
fn a_closed_socket_leaves_its_group() {
    let mut wired = Wired::calm(1);
    let (group, any) = (Ipv4Addr::new(239, 1, 1, 1), Ipv4Addr::UNSPECIFIED);
    let (member, hearer) = (wired.udp(0), wired.udp(0));
    wired.join_multicast_v4(member, group, any).unwrap();
    wired.bind(hearer, SocketAddr::new(ANY, 80)).unwrap();
    let sender = wired.udp(0);
    let at = SocketAddr::new(group.into(), 80);
    wired.send_to(sender, b"x", at).unwrap();
    assert_eq!(wired.recv_all(hearer).len(), 1, "its host is a member (IP_MULTICAST_ALL)");
    wired.close(member);
    wired.send_to(sender, b"x", at).unwrap();
    assert_eq!(wired.recv_all(hearer).len(), 0);
}
