//! UDP: datagrams, filters, errors that come back.

use super::rt::{io::Interest, net::UdpSocket, settle, soon};
use std::net::{Ipv4Addr, SocketAddr};

/// Two sockets that know each other's addresses.
async fn two() -> (UdpSocket, UdpSocket) {
    let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    (a, b)
}

async fn connected() -> (UdpSocket, UdpSocket) {
    let (a, b) = two().await;
    a.connect(b.local_addr().unwrap()).await.unwrap();
    b.connect(a.local_addr().unwrap()).await.unwrap();
    (a, b)
}

/// The address of a port at which nobody listens.
async fn nobody() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

cases! {
    fn a_datagram_and_an_answer(notes) {
        let (a, b) = two().await;
        notes.result("send", a.send_to(b"ping", b.local_addr().unwrap()).await);
        let mut buffer = [0; 16];
        let (len, from) = b.recv_from(&mut buffer).await.unwrap();
        notes.see("bytes", &buffer[..len]);
        notes.see("from a", from == a.local_addr().unwrap());
        notes.result("answer", b.send_to(b"pong", from).await);
        notes.result("len", a.recv(&mut buffer).await);
    }

    fn datagrams_keep_their_bounds(notes) {
        let (a, b) = connected().await;
        for message in [&b"one"[..], b"", b"three"] {
            notes.result("send", a.send(message).await);
        }
        let mut buffer = [0; 16];
        for _ in 0..3 {
            notes.result("len", b.recv(&mut buffer).await);
        }
        notes.result("no more", b.try_recv(&mut buffer));
    }

    fn what_does_not_fit_is_lost(notes) {
        let (a, b) = connected().await;
        a.send(b"long message").await.unwrap();
        a.send(b"next").await.unwrap();
        let mut buffer = [0; 4];
        notes.result("len", b.recv(&mut buffer).await);
        notes.see("bytes", buffer);
        notes.result("len", b.recv(&mut buffer).await);
        notes.see("bytes", buffer);
    }

    fn peeking(notes) {
        let (a, b) = connected().await;
        a.send(b"peek").await.unwrap();
        let mut buffer = [0; 2];
        notes.result("peek", b.peek(&mut buffer).await);
        notes.result("peek from", b.peek_from(&mut buffer).await.map(|(len, _)| len));
        notes.result("sender", b.peek_sender().await.map(|from| from == a.local_addr().unwrap()));
        notes.result("recv", b.recv(&mut [0; 16]).await);
    }

    fn a_connected_socket_hears_its_peer_only(notes) {
        let (a, b) = two().await;
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        b.connect(a.local_addr().unwrap()).await.unwrap();
        let to = b.local_addr().unwrap();
        notes.result("stranger", other.send_to(b"spam", to).await);
        notes.result("peer", a.send_to(b"mail", to).await);
        let mut buffer = [0; 16];
        notes.result("len", b.recv(&mut buffer).await);
        notes.see("bytes", &buffer[..4]);
        settle().await;
        notes.result("no more", b.try_recv(&mut buffer));
    }

    fn what_waited_before_connecting_is_still_there(notes) {
        let (a, b) = two().await;
        let other = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        other.send_to(b"early", b.local_addr().unwrap()).await.unwrap();
        settle().await;
        b.connect(a.local_addr().unwrap()).await.unwrap();
        notes.result("len", b.try_recv(&mut [0; 16]));
    }

    fn sending_to_nobody(notes) {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = nobody().await;
        notes.result("unconnected", a.send_to(b"x", to).await);
        settle().await;
        notes.result("again", a.send_to(b"x", to).await);
        a.connect(to).await.unwrap();
        notes.result("connected", a.send(b"x").await);
        settle().await;
        notes.result("second", a.send(b"x").await);
        notes.result("third", a.send(b"x").await);
        settle().await;
        notes.result("recv", a.recv(&mut [0; 8]).await);
        notes.see("waits", soon(a.recv(&mut [0; 8])).await.is_none());
    }

    fn the_error_of_a_refused_datagram_can_be_taken(notes) {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        a.connect(nobody().await).await.unwrap();
        a.send(b"x").await.unwrap();
        settle().await;
        notes.see("error", a.take_error().unwrap().map(|error| error.kind()));
        notes.see("again", a.take_error().unwrap().map(|error| error.kind()));
    }

    fn sending_without_a_peer(notes) {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.result("send", a.send(b"x").await);
        notes.whether("peer", a.peer_addr());
    }

    fn sizes(notes) {
        let (a, b) = connected().await;
        notes.result("most", a.send(&vec![1; 65_507]).await);
        notes.result("len", b.recv(&mut vec![0; 70_000]).await);
        notes.result("more", a.send(&vec![1; 65_508]).await);
    }

    fn addresses(notes) {
        let a = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        notes.see("wildcard", a.local_addr().unwrap().ip());
        let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        a.connect(b.local_addr().unwrap()).await.unwrap();
        notes.see("chosen", a.local_addr().unwrap().ip());
        notes.see("peer", a.peer_addr().unwrap() == b.local_addr().unwrap());
        notes.whether("in use", UdpSocket::bind(b.local_addr().unwrap()).await);
        notes.whether("of nobody", UdpSocket::bind("192.0.2.1:0").await);
    }

    fn families_do_not_mix(notes) {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.result("send", a.send_to(b"x", "[::1]:9".parse::<SocketAddr>().unwrap()).await);
        notes.whether("connect", a.connect("[::1]:9").await);
    }

    fn the_wildcard_of_six_hears_four(notes) {
        let a = UdpSocket::bind("[::]:0").await.unwrap();
        let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let to = (Ipv4Addr::LOCALHOST, a.local_addr().unwrap().port());
        notes.result("send", b.send_to(b"x", to).await);
        let (len, from) = a.recv_from(&mut [0; 8]).await.unwrap();
        notes.see("len", len);
        notes.see("from", from.ip());
        notes.result("answer", a.send_to(b"yz", from).await);
        notes.result("len", b.recv(&mut [0; 8]).await);
    }

    fn port_zero(notes) {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.result("send", a.send_to(b"x", "127.0.0.1:0").await);
    }

    fn broadcasting_has_to_be_allowed(notes) {
        let a = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        notes.result("allowed", a.broadcast());
        notes.result("send", a.send_to(b"x", "255.255.255.255:9").await);
        notes.whether("allow", a.set_broadcast(true));
        notes.result("allowed", a.broadcast());
    }

    fn groups(notes) {
        let a = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        notes.result("loop", a.multicast_loop_v4());
        notes.result("ttl", a.multicast_ttl_v4());
        notes.whether("set ttl", a.set_multicast_ttl_v4(3));
        notes.result("ttl", a.multicast_ttl_v4());
        let group = Ipv4Addr::new(224, 0, 0, 251);
        notes.whether("join", a.join_multicast_v4(group, Ipv4Addr::LOCALHOST));
        notes.whether("again", a.join_multicast_v4(group, Ipv4Addr::LOCALHOST));
        notes.whether("leave", a.leave_multicast_v4(group, Ipv4Addr::LOCALHOST));
        notes.whether("again", a.leave_multicast_v4(group, Ipv4Addr::LOCALHOST));
        notes.whether("no group", a.join_multicast_v4(Ipv4Addr::LOCALHOST, Ipv4Addr::LOCALHOST));
    }

    fn options(notes) {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.result("ttl", a.ttl());
        a.set_ttl(7).unwrap();
        notes.result("ttl", a.ttl());
        notes.result("tos", a.tos_v4());
    }

    fn readiness(notes) {
        let (a, b) = connected().await;
        notes.see("writable", a.ready(Interest::WRITABLE).await.unwrap().is_writable());
        notes.see("waits", soon(b.readable()).await.is_none());
        a.send(b"x").await.unwrap();
        b.readable().await.unwrap();
        notes.result("recv", b.try_recv(&mut [0; 8]));
        notes.result("recv", b.try_recv(&mut [0; 8]));
        notes.see("waits", soon(b.readable()).await.is_none());
    }

    fn a_full_receiver_drops(notes) {
        let (a, b) = connected().await;
        for _ in 0..1_000 {
            a.send(&[0; 10_000]).await.unwrap();
        }
        settle().await;
        let mut arrived = 0;
        while soon(b.recv(&mut [0; 10_000])).await.is_some() {
            arrived += 1;
        }
        notes.see("some", arrived > 5);
        notes.see("not all", arrived < 1_000);
    }

    fn a_datagram_to_oneself(notes) {
        let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.result("send", a.send_to(b"me", a.local_addr().unwrap()).await);
        notes.result("recv", a.recv(&mut [0; 8]).await);
    }
}
