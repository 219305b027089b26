//! What is set on sockets, and what is read back.

use super::rt::{
    join,
    net::{TcpListener, TcpSocket, TcpStream, UdpSocket},
    settle, soon,
};
use std::time::Duration;

fn four() -> TcpSocket {
    TcpSocket::new_v4().unwrap()
}

cases! {
    fn sizes_of_buffers(notes) {
        let socket = four();
        for size in [10_000, 100_000, 1, 0] {
            notes.whether("set send", socket.set_send_buffer_size(size));
            notes.result("send", socket.send_buffer_size());
            notes.whether("set receive", socket.set_recv_buffer_size(size));
            notes.result("receive", socket.recv_buffer_size());
        }
    }

    fn small_buffers_hold_little(notes) {
        let listening = four();
        listening.set_recv_buffer_size(8_192).unwrap();
        listening.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = listening.listen(8).unwrap();
        let socket = four();
        socket.set_send_buffer_size(8_192).unwrap();
        let (client, server) = join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
        let (client, server) = (client.unwrap(), server.unwrap().0);
        let mut sent = 0;
        while soon(client.writable()).await.is_some() {
            sent += client.try_write(&[0; 1_000]).unwrap_or(0);
        }
        notes.see("some", sent > 4_000);
        notes.see("not much", sent < 64_000);
        let mut arrived = 0;
        let mut buffer = [0; 4_096];
        while soon(server.readable()).await.is_some() {
            arrived += server.try_read(&mut buffer).unwrap_or(0);
        }
        notes.see("all arrived", arrived == sent);
    }

    fn switches(notes) {
        let socket = four();
        notes.result("keepalive", socket.keepalive());
        notes.result("nodelay", socket.nodelay());
        notes.result("reuseaddr", socket.reuseaddr());
        notes.result("reuseport", socket.reuseport());
        for on in [true, false] {
            socket.set_keepalive(on).unwrap();
            socket.set_nodelay(on).unwrap();
            socket.set_reuseaddr(on).unwrap();
            socket.set_reuseport(on).unwrap();
            notes.result("keepalive", socket.keepalive());
            notes.result("nodelay", socket.nodelay());
            notes.result("reuseaddr", socket.reuseaddr());
            notes.result("reuseport", socket.reuseport());
        }
    }

    fn lingering(notes) {
        let socket = four();
        notes.result("at first", socket.linger());
        #[allow(deprecated)]
        socket.set_linger(Some(Duration::from_millis(3_700))).unwrap();
        notes.result("whole seconds", socket.linger());
        socket.set_zero_linger().unwrap();
        notes.result("none at all", socket.linger());
        #[allow(deprecated)]
        socket.set_linger(None).unwrap();
        notes.result("off", socket.linger());
    }

    fn a_connection_has_its_sockets_options(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = four();
        socket.set_nodelay(true).unwrap();
        socket.set_zero_linger().unwrap();
        let (client, _server) = join!(socket.connect(listener.local_addr().unwrap()), listener.accept());
        let client = client.unwrap();
        notes.result("nodelay", client.nodelay());
        notes.result("linger", client.linger());
    }

    fn who_is_accepted_has_the_listeners_options(notes) {
        let socket = four();
        socket.set_nodelay(true).unwrap();
        socket.set_zero_linger().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(8).unwrap();
        listener.set_ttl(17).unwrap();
        let (_client, server) = join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let server = server.unwrap().0;
        notes.result("nodelay", server.nodelay());
        notes.result("linger", server.linger());
        notes.result("ttl", server.ttl());
    }

    fn services_of_packets(notes) {
        let socket = four();
        notes.result("tos", socket.tos_v4());
        for tos in [0x10, 0xff, 0] {
            notes.whether("set", socket.set_tos_v4(tos));
            notes.result("tos", socket.tos_v4());
        }
        notes.whether("too much", socket.set_tos_v4(0x110));
        notes.result("tos", socket.tos_v4());
        notes.whether("class of four", socket.set_tclass_v6(1));
        notes.result("class of four", socket.tclass_v6());
        let six = TcpSocket::new_v6().unwrap();
        notes.result("class", six.tclass_v6());
        notes.whether("set", six.set_tclass_v6(0x20));
        notes.result("class", six.tclass_v6());
        notes.whether("too much", six.set_tclass_v6(256));
        notes.result("service of six", six.tos_v4());
    }

    fn services_of_datagrams(notes) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for tos in [0x10, 0xff] {
            notes.whether("set", socket.set_tos_v4(tos));
            notes.result("tos", socket.tos_v4());
        }
        notes.whether("class of four", socket.set_tclass_v6(1));
    }

    fn hops(notes) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for ttl in [1, 255, 0, 256] {
            notes.whether("set", socket.set_ttl(ttl));
            notes.result("ttl", socket.ttl());
        }
        let six = UdpSocket::bind("[::1]:0").await.unwrap();
        notes.result("six", six.ttl());
        notes.whether("set", six.set_ttl(7));
        notes.result("six", six.ttl());
    }

    fn hops_of_groups(notes) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        for ttl in [0, 255, 256] {
            notes.whether("set", socket.set_multicast_ttl_v4(ttl));
            notes.result("ttl", socket.multicast_ttl_v4());
        }
        socket.set_multicast_loop_v4(false).unwrap();
        notes.result("loop", socket.multicast_loop_v4());
    }

    fn groups_of_six(notes) {
        let socket = UdpSocket::bind("[::]:0").await.unwrap();
        notes.result("loop", socket.multicast_loop_v6());
        notes.whether("set", socket.set_multicast_loop_v6(false));
        notes.result("loop", socket.multicast_loop_v6());
        let group = "ff02::114".parse().unwrap();
        notes.whether("no group", socket.join_multicast_v6(&"::1".parse().unwrap(), 0));
        notes.whether("no interface", socket.join_multicast_v6(&group, 4_000_000));
        notes.whether("not in it", socket.leave_multicast_v6(&group, 1));
        let four = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.whether("of a socket of four", four.join_multicast_v6(&group, 0));
    }

    fn broadcasting(notes) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.whether("connect", socket.connect("255.255.255.255:9").await);
        notes.result("allowed", socket.broadcast());
        socket.set_broadcast(true).unwrap();
        notes.whether("connect", socket.connect("255.255.255.255:9").await);
        socket.set_broadcast(false).unwrap();
        notes.result("allowed", socket.broadcast());
    }

    fn acknowledging_at_once(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        for on in [true, false, true] {
            notes.whether("set", client.set_quickack(on));
            notes.result("quickack", client.quickack());
        }
    }

    fn no_error_to_take(notes) {
        notes.see("new", four().take_error().unwrap().is_none());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        notes.see("connected", client.take_error().unwrap().is_none());
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        notes.see("datagrams", socket.take_error().unwrap().is_none());
    }

    fn options_after_a_reset(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (client, server) = join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (client, server) = (client.unwrap(), server.unwrap().0);
        server.set_zero_linger().unwrap();
        drop(server);
        settle().await;
        notes.whether("set nodelay", client.set_nodelay(true));
        notes.result("nodelay", client.nodelay());
        notes.whether("set ttl", client.set_ttl(3));
        notes.result("ttl", client.ttl());
        notes.whether("peer", client.peer_addr());
    }

    fn a_backlog_of_nothing_takes_one(notes) {
        let socket = four();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let _first = notes.whether("first", TcpStream::connect(address).await);
        notes.see("second waits", soon(TcpStream::connect(address)).await.is_none());
        notes.see("accepted", listener.accept().await.is_ok());
    }

    fn addresses_of_new_sockets(notes) {
        notes.result("four", four().local_addr());
        notes.result("six", TcpSocket::new_v6().unwrap().local_addr());
    }
}
