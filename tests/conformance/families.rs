//! IPv4 and IPv6 beside each other, and sockets that take both.

use super::rt::{
    join,
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket},
    settle,
};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

async fn udp(address: &str) -> UdpSocket {
    UdpSocket::bind(address).await.unwrap()
}

fn mapped(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST.to_ipv6_mapped(), port).into()
}

fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().unwrap().port()
}

cases! {
    fn a_listener_at_a_mapped_address(notes) {
        let Some(listener) = notes.whether("bind", TcpListener::bind("[::ffff:127.0.0.1]:0").await) else {
            return notes;
        };
        let address = listener.local_addr().unwrap();
        notes.see("ip", address.ip());
        let (client, server) = join!(TcpStream::connect(("127.0.0.1", address.port())), listener.accept());
        notes.see("client", client.unwrap().peer_addr().unwrap().ip());
        notes.see("server", server.unwrap().1.ip());
        notes.whether("six", TcpStream::connect(("::1", address.port())).await);
    }

    fn connecting_to_a_mapped_address(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = mapped(listener.local_addr().unwrap().port());
        let (client, server) = join!(TcpStream::connect(there), listener.accept());
        let client = client.unwrap();
        notes.see("peer", client.peer_addr().unwrap().ip());
        notes.see("local", client.local_addr().unwrap().ip());
        notes.see("from", server.unwrap().1.ip());
    }

    fn a_listener_of_each_family_at_one_port(notes) {
        let four = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = four.local_addr().unwrap().port();
        notes.whether("six", TcpListener::bind(("::1", port)).await);
        notes.whether("all of six", TcpListener::bind(("::", port)).await);
        notes.whether("all of four", TcpListener::bind(("0.0.0.0", port)).await);
    }

    fn the_wildcard_of_six_keeps_four_away(notes) {
        let six = TcpListener::bind("[::]:0").await.unwrap();
        let port = six.local_addr().unwrap().port();
        notes.whether("all of four", TcpListener::bind(("0.0.0.0", port)).await);
        notes.whether("four", TcpListener::bind(("127.0.0.1", port)).await);
        notes.whether("six", TcpListener::bind(("::1", port)).await);
    }

    fn connecting_to_the_unspecified_address_of_six(notes) {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, server) = join!(TcpStream::connect(("::", port)), listener.accept());
        notes.see("peer", client.unwrap().peer_addr().unwrap().ip());
        notes.see("from", server.unwrap().1.ip());
    }

    fn a_bound_socket_connects_to_the_other_family(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = mapped(listener.local_addr().unwrap().port());
        let socket = TcpSocket::new_v6().unwrap();
        socket.bind("[::1]:0".parse().unwrap()).unwrap();
        notes.whether("connect", socket.connect(there).await);
    }

    fn datagrams_between_mapped_and_four(notes) {
        let (six, four) = (udp("[::]:0").await, udp("127.0.0.1:0").await);
        notes.result("to mapped", six.send_to(b"x", mapped(port(&four))).await);
        let (_, from) = four.recv_from(&mut [0; 8]).await.unwrap();
        notes.see("from", from.ip());
        notes.see("port", from.port() == port(&six));
        notes.result("back", four.send_to(b"yz", from).await);
        let (len, from) = six.recv_from(&mut [0; 8]).await.unwrap();
        notes.see("len", len);
        notes.see("from", from.ip());
        notes.result("plain", six.send_to(b"x", four.local_addr().unwrap()).await);
    }

    fn a_socket_at_six_sends_to_four(notes) {
        let (six, four) = (udp("[::1]:0").await, udp("127.0.0.1:0").await);
        notes.result("send", six.send_to(b"x", mapped(port(&four))).await);
        notes.whether("connect", six.connect(mapped(port(&four))).await);
        notes.whether("connect to plain", six.connect(four.local_addr().unwrap()).await);
        notes.see("local", six.local_addr().unwrap().ip());
    }

    fn a_socket_at_a_mapped_address(notes) {
        let (six, four) = (udp("[::ffff:127.0.0.1]:0").await, udp("127.0.0.1:0").await);
        notes.see("local", six.local_addr().unwrap().ip());
        notes.result("to six", six.send_to(b"x", (Ipv6Addr::LOCALHOST, port(&four))).await);
        notes.result("to mapped", six.send_to(b"x", mapped(port(&four))).await);
        notes.result("from", four.recv_from(&mut [0; 8]).await.map(|(_, from)| from.ip()));
        notes.whether("again", UdpSocket::bind(("127.0.0.1", port(&six))).await);
    }

    fn connecting_a_wildcard_of_six(notes) {
        let (six, four) = (udp("[::]:0").await, udp("127.0.0.1:0").await);
        notes.whether("connect", six.connect(mapped(port(&four))).await);
        notes.see("local", six.local_addr().unwrap().ip());
        notes.see("peer", six.peer_addr().unwrap().ip());
        notes.result("send", six.send(b"x").await);
        let (_, from) = four.recv_from(&mut [0; 8]).await.unwrap();
        notes.see("from", from.ip());
        let other = udp("[::1]:0").await;
        notes.whether("to six", six.connect(other.local_addr().unwrap()).await);
        notes.see("local", six.local_addr().unwrap().ip());
        notes.result("send", six.send(b"x").await);
    }

    fn wildcards_of_udp_at_one_port(notes) {
        let six = udp("[::]:0").await;
        notes.whether("four", UdpSocket::bind(("0.0.0.0", port(&six))).await);
        notes.whether("loopback of four", UdpSocket::bind(("127.0.0.1", port(&six))).await);
        let four = udp("127.0.0.1:0").await;
        notes.whether("six", UdpSocket::bind(("::1", port(&four))).await);
        notes.whether("all of six", UdpSocket::bind(("::", port(&four))).await);
    }

    fn a_wildcard_of_six_hears_both(notes) {
        let all = udp("[::]:0").await;
        let (four, six) = (udp("127.0.0.1:0").await, udp("[::1]:0").await);
        four.send_to(b"four", ("127.0.0.1", port(&all))).await.unwrap();
        settle().await;
        six.send_to(b"six", ("::1", port(&all))).await.unwrap();
        for _ in 0..2 {
            notes.result("from", all.recv_from(&mut [0; 8]).await.map(|(len, from)| (len, from.ip())));
        }
    }

    fn sizes_over_six(notes) {
        let (a, b) = (udp("[::1]:0").await, udp("[::1]:0").await);
        a.connect(b.local_addr().unwrap()).await.unwrap();
        notes.result("most", a.send(&vec![1; 65_507]).await);
        notes.result("len", b.recv(&mut vec![0; 70_000]).await);
        notes.result("more", a.send(&vec![1; 65_528]).await);
        let all = udp("[::]:0").await;
        notes.result("mapped", all.send_to(&vec![1; 65_508], mapped(port(&b))).await);
    }

    fn refused_over_six(notes) {
        let a = udp("[::1]:0").await;
        let nobody = udp("[::1]:0").await.local_addr().unwrap();
        a.connect(nobody).await.unwrap();
        notes.result("send", a.send(b"x").await);
        settle().await;
        notes.result("again", a.send(b"x").await);
    }

    fn refused_over_a_mapped_address(notes) {
        let a = udp("[::]:0").await;
        let nobody = udp("127.0.0.1:0").await.local_addr().unwrap();
        a.connect(mapped(nobody.port())).await.unwrap();
        notes.result("send", a.send(b"x").await);
        settle().await;
        notes.result("again", a.send(b"x").await);
    }

    fn sending_to_the_unspecified_address(notes) {
        let (four, six) = (udp("0.0.0.0:0").await, udp("[::]:0").await);
        notes.result("four", four.send_to(b"x", ("0.0.0.0", port(&four))).await);
        notes.result("from", four.recv_from(&mut [0; 8]).await.map(|(_, from)| from.ip()));
        notes.result("six", six.send_to(b"x", ("::", port(&six))).await);
        notes.result("from", six.recv_from(&mut [0; 8]).await.map(|(_, from)| from.ip()));
        notes.result("six to four", six.send_to(b"x", ("0.0.0.0", port(&six))).await);
    }
}
