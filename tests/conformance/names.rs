//! Names and what is written in their place.

use super::rt::{
    join,
    net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket, lookup_host},
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
};

async fn all(name: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    Ok(lookup_host(name).await?.collect())
}

cases! {
    fn literals(notes) {
        notes.result("four", all("192.0.2.7:80").await);
        notes.result("six", all("[2001:db8::7]:80").await);
        notes.result("a scope", all("[fe80::1%3]:80").await);
        notes.result("string", all(String::from("192.0.2.7:80")).await);
        notes.result("borrowed string", all(&String::from("192.0.2.7:80")).await);
        notes.result("most of ports", all("192.0.2.7:65535").await);
    }

    fn pairs_of_host_and_port(notes) {
        notes.result("four", all(("192.0.2.7", 80)).await);
        notes.result("six", all(("2001:db8::7", 80)).await);
        notes.result("string", all((String::from("192.0.2.7"), 80)).await);
        notes.result("ip", all((IpAddr::from([192, 0, 2, 7]), 80)).await);
        notes.result("ip of four", all((Ipv4Addr::new(192, 0, 2, 7), 80)).await);
        notes.result("ip of six", all((Ipv6Addr::LOCALHOST, 80)).await);
    }

    fn addresses(notes) {
        let four = SocketAddrV4::new(Ipv4Addr::LOCALHOST, 80);
        let six = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 80, 1, 2);
        notes.result("four", all(four).await);
        notes.result("six", all(six).await);
        notes.result("many", all(&[SocketAddr::V4(four), SocketAddr::V6(six)][..]).await);
        let none: &[SocketAddr] = &[];
        notes.result("none", all(none).await);
        notes.result("borrowed", all(&&SocketAddr::V4(four)).await);
    }

    fn what_is_no_name_with_a_port(notes) {
        for text in ["", ":", "localhost", "localhost:", "localhost:x", "localhost:65536", "localhost:-1", "127.0.0.1"] {
            notes.result(text, all(text).await);
        }
        notes.result("six without a port", all("[::1]").await);
    }

    fn addresses_without_brackets(notes) {
        notes.result("six", all("::1:80").await);
        notes.result("longer", all("2001:db8::7:80").await);
    }

    fn old_ways_to_write_an_address(notes) {
        for text in ["127.1:80", "2130706433:80", "0x7f.0.0.1:80", "0177.0.0.1:80", "10.1.2:80"] {
            notes.result(text, all(text).await);
        }
        notes.result("pair", all(("127.1", 80)).await);
    }

    fn the_name_of_this_host(notes) {
        let found = all("localhost:80").await.unwrap();
        notes.see("some", !found.is_empty());
        notes.see("loopback", found.iter().all(|address| address.ip().is_loopback()));
        notes.see("port", found.iter().all(|address| address.port() == 80));
        let capital = all("LocalHost:80").await.unwrap();
        notes.see("capital letters", capital == found);
    }

    fn a_name_with_a_zero_byte(notes) {
        notes.result("lookup", all("local\0host:80").await);
    }

    fn binding_and_connecting_by_name(notes) {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, server) = join!(TcpStream::connect(("localhost", port)), listener.accept());
        notes.see("peer", client.unwrap().peer_addr().unwrap().ip().is_loopback());
        notes.see("from", server.unwrap().1.ip().is_loopback());
    }

    fn datagrams_by_name(notes) {
        let a = UdpSocket::bind("localhost:0").await.unwrap();
        let port = a.local_addr().unwrap().port();
        notes.see("local", a.local_addr().unwrap().ip().is_loopback());
        notes.result("send", a.send_to(b"me", ("localhost", port)).await);
        notes.whether("connect", a.connect(("localhost", port)).await);
        notes.see("peer", a.peer_addr().unwrap().ip().is_loopback());
        let none: &[SocketAddr] = &[];
        notes.whether("bind to none", UdpSocket::bind(none).await);
        notes.whether("connect to none", a.connect(none).await);
        notes.result("send to none", a.send_to(b"x", none).await);
    }

    fn the_last_error_of_many_counts(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let taken = listener.local_addr().unwrap();
        let nobodys: SocketAddr = "192.0.2.1:0".parse().unwrap();
        notes.whether("bind", TcpListener::bind(&[taken, nobodys][..]).await);
        notes.whether("bind", TcpListener::bind(&[nobodys, taken][..]).await);
        let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
        notes.whether("bind", TcpListener::bind(&[nobodys, taken, free][..]).await);
        notes.whether("datagrams", UdpSocket::bind(&[nobodys, free][..]).await);
    }
}
