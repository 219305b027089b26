//! TCP: connecting, moving bytes, ending.

use super::ends::{pair, reset};
use super::rt::{
    io::{AsyncReadExt, AsyncWriteExt, Interest},
    join,
    net::{TcpListener, TcpSocket, TcpStream},
    settle, soon, spawn,
    task::yield_now,
};
use std::io::IoSlice;

cases! {
    fn bytes_arrive_in_order(notes) {
        let (mut a, mut b) = pair().await;
        notes.whether("write", a.write_all(b"hello ").await);
        notes.whether("write", a.write_all(b"world").await);
        let mut buffer = [0; 11];
        notes.result("read", b.read_exact(&mut buffer).await);
        notes.see("bytes", String::from_utf8_lossy(&buffer));
    }

    fn addresses_of_both_ends(notes) {
        let (a, b) = pair().await;
        notes.see("local is the other's peer", a.local_addr().unwrap() == b.peer_addr().unwrap());
        notes.see("peer is the other's local", a.peer_addr().unwrap() == b.local_addr().unwrap());
        notes.see("loopback", a.local_addr().unwrap().ip());
        notes.see("ephemeral", a.local_addr().unwrap().port() >= 32_768);
    }

    fn connect_to_a_closed_port(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        notes.whether("connect", TcpStream::connect(address).await);
    }

    fn connect_to_port_zero(notes) {
        notes.whether("connect", TcpStream::connect("127.0.0.1:0").await);
    }

    fn connect_to_the_unspecified_address_is_to_oneself(notes) {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, server) = join!(TcpStream::connect(("0.0.0.0", port)), listener.accept());
        let client = client.unwrap();
        notes.see("peer", client.peer_addr().unwrap().ip());
        notes.see("from", server.unwrap().1.ip());
    }

    fn connect_to_a_broadcast_address(notes) {
        notes.whether("connect", TcpStream::connect("255.255.255.255:80").await);
    }

    fn connect_to_a_multicast_address(notes) {
        notes.whether("connect", TcpStream::connect("224.0.0.1:80").await);
    }

    fn a_name_that_does_not_resolve(notes) {
        let nobody: &[std::net::SocketAddr] = &[];
        notes.whether("connect to none", TcpStream::connect(nobody).await);
        notes.whether("bind to none", TcpListener::bind(nobody).await);
        notes.whether("no port", TcpStream::connect("localhost").await);
        notes.whether("bad port", TcpStream::connect("localhost:http").await);
    }

    fn the_second_of_two_addresses(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [closed.local_addr().unwrap(), listener.local_addr().unwrap()];
        drop(closed);
        let stream = TcpStream::connect(&addresses[..]).await.unwrap();
        notes.see("the second", stream.peer_addr().unwrap() == addresses[1]);
    }

    fn an_address_in_use(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        notes.whether("bind again", TcpListener::bind(address).await);
        notes.whether("bind wildcard", TcpListener::bind(("0.0.0.0", address.port())).await);
        drop(listener);
        notes.whether("bind after", TcpListener::bind(address).await);
    }

    fn an_address_of_nobody(notes) {
        notes.whether("bind", TcpListener::bind("192.0.2.1:0").await);
        notes.whether("bind six", TcpListener::bind("[2001:db8::1]:0").await);
    }

    fn a_port_is_free_again_after_its_connections(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = join!(TcpStream::connect(address), listener.accept());
        drop((listener, server, client));
        settle().await;
        notes.whether("bind again", TcpListener::bind(address).await);
    }

    fn version_six(notes) {
        let listener = TcpListener::bind("[::1]:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = join!(TcpStream::connect(address), listener.accept());
        notes.see("client", client.unwrap().local_addr().unwrap().ip());
        notes.see("server", server.unwrap().1.ip());
        notes.whether("the other family", TcpStream::connect(("127.0.0.1", address.port())).await);
    }

    fn the_wildcard_of_six_takes_four(notes) {
        let listener = TcpListener::bind("[::]:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (client, server) = join!(TcpStream::connect(("127.0.0.1", port)), listener.accept());
        notes.see("client", client.unwrap().peer_addr().unwrap().ip());
        notes.see("server", server.unwrap().1.ip());
    }

    fn families_do_not_mix(notes) {
        let socket = TcpSocket::new_v4().unwrap();
        notes.whether("bind", socket.bind("[::1]:0".parse().unwrap()));
        notes.whether("connect", socket.connect("[::1]:80".parse().unwrap()).await);
        let socket = TcpSocket::new_v6().unwrap();
        notes.whether("bind four", socket.bind("127.0.0.1:0".parse().unwrap()));
    }

    fn a_socket_is_bound_once(notes) {
        let socket = TcpSocket::new_v4().unwrap();
        notes.see("before", socket.local_addr().unwrap());
        notes.whether("bind", socket.bind("127.0.0.1:0".parse().unwrap()));
        notes.whether("again", socket.bind("127.0.0.1:0".parse().unwrap()));
        notes.see("ip", socket.local_addr().unwrap().ip());
    }

    fn listening_without_an_address_takes_one(notes) {
        let listener = TcpSocket::new_v4().unwrap().listen(16).unwrap();
        let address = listener.local_addr().unwrap();
        notes.see("ip", address.ip());
        notes.see("port", address.port() != 0);
    }

    fn binding_before_connecting(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mine = socket.local_addr().unwrap();
        let address = listener.local_addr().unwrap();
        let (client, server) = join!(socket.connect(address), listener.accept());
        notes.see("local", client.unwrap().local_addr().unwrap() == mine);
        notes.see("from", server.unwrap().1 == mine);
    }

    fn two_listeners_that_share_a_port(notes) {
        let make = || {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseport(true).unwrap();
            socket
        };
        let first = make();
        first.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let second = make();
        notes.whether("bind", second.bind(address));
        let _first = notes.whether("listen", first.listen(8));
        let _second = notes.whether("listen", second.listen(8));
        let third = TcpSocket::new_v4().unwrap();
        notes.whether("without", third.bind(address));
    }

    fn reuse_of_addresses_and_listeners(notes) {
        let make = || {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseaddr(true).unwrap();
            socket
        };
        let first = make();
        first.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = first.local_addr().unwrap();
        let second = make();
        notes.whether("both bound", second.bind(address));
        let listener = first.listen(8);
        notes.see("first listens", listener.is_ok());
        notes.whether("second listens", second.listen(8));
        notes.whether("third binds", make().bind(address));
    }

    fn the_end_of_a_stream(notes) {
        let (mut a, mut b) = pair().await;
        a.write_all(b"last").await.unwrap();
        drop(a);
        let mut all = Vec::new();
        notes.result("read to end", b.read_to_end(&mut all).await);
        notes.see("bytes", all);
        notes.result("read again", b.read(&mut [0; 8]).await);
        notes.result("and again", b.read(&mut [0; 8]).await);
    }

    fn half_close(notes) {
        let (mut a, mut b) = pair().await;
        a.write_all(b"question").await.unwrap();
        notes.whether("shutdown", a.shutdown().await);
        let mut all = Vec::new();
        notes.result("peer reads", b.read_to_end(&mut all).await);
        notes.whether("peer answers", b.write_all(b"answer").await);
        drop(b);
        let mut answer = Vec::new();
        notes.result("read", a.read_to_end(&mut answer).await);
        notes.see("answer", answer);
        notes.result("write", a.write(b"more").await);
        notes.whether("shutdown again", a.shutdown().await);
    }

    fn write_after_the_peer_has_gone(notes) {
        let (mut a, b) = pair().await;
        drop(b);
        settle().await;
        notes.result("first write", a.write(b"x").await);
        settle().await;
        notes.result("second write", a.write(b"x").await);
        notes.result("third write", a.write(b"x").await);
        notes.result("read", a.read(&mut [0; 8]).await);
    }

    fn read_after_a_write_that_was_reset(notes) {
        let (mut a, b) = pair().await;
        drop(b);
        settle().await;
        notes.result("write", a.write(b"x").await);
        settle().await;
        notes.result("read", a.read(&mut [0; 8]).await);
        notes.result("read again", a.read(&mut [0; 8]).await);
        notes.result("write", a.write(b"x").await);
    }

    fn closing_with_unread_bytes_resets(notes) {
        let (mut a, b) = pair().await;
        a.write_all(b"unread").await.unwrap();
        settle().await;
        drop(b);
        settle().await;
        notes.result("read", a.read(&mut [0; 8]).await);
        notes.result("read again", a.read(&mut [0; 8]).await);
        notes.result("write", a.write(b"x").await);
    }

    fn what_was_sent_before_a_reset_is_lost(notes) {
        let (mut a, mut b) = pair().await;
        b.write_all(b"rest").await.unwrap();
        settle().await;
        reset(b);
        settle().await;
        notes.result("read", a.read(&mut [0; 8]).await);
        notes.result("read again", a.read(&mut [0; 8]).await);
    }

    fn a_reset_while_reading(notes) {
        let (mut a, b) = pair().await;
        let reader = spawn(async move { (a.read(&mut [0; 8]).await, a) });
        settle().await;
        reset(b);
        let (result, a) = reader.await.unwrap();
        notes.result("read", result);
        notes.whether("peer", a.peer_addr());
        notes.see("local", a.local_addr().is_ok());
        notes.see("error", a.take_error().unwrap().is_none());
    }

    fn a_reset_that_nobody_reads_is_an_error_to_take(notes) {
        let (a, b) = pair().await;
        reset(b);
        settle().await;
        notes.see("error", a.take_error().unwrap().map(|error| error.kind()));
        notes.see("again", a.take_error().unwrap().map(|error| error.kind()));
        notes.result("read", a.try_read(&mut [0; 8]));
        notes.result("write", a.try_write(b"x"));
    }

    fn a_writer_waits_for_who_does_not_read(notes) {
        let (mut a, b) = pair().await;
        let block = vec![7; 64 * 1024];
        let mut sent = 0;
        while let Some(result) = soon(a.write(&block)).await {
            sent += result.unwrap();
        }
        notes.see("some", sent > 100_000);
        notes.see("not all", sent < 100_000_000);
        notes.result("try_write", a.try_write(b"x"));
        let counter = spawn(async move {
            let (mut b, mut count) = (b, 0);
            let mut buffer = vec![0; 64 * 1024];
            loop {
                match b.read(&mut buffer).await.unwrap() {
                    0 => return count,
                    some => count += some,
                }
            }
        });
        notes.whether("write", a.write_all(b"the end").await);
        drop(a);
        notes.see("all arrived", counter.await.unwrap() == sent + 7);
    }

    fn peeking(notes) {
        let (mut a, mut b) = pair().await;
        a.write_all(b"peek").await.unwrap();
        let mut buffer = [0; 8];
        settle().await;
        notes.result("peek", b.peek(&mut buffer).await);
        notes.result("peek", b.peek(&mut buffer[..2]).await);
        notes.result("read", b.read(&mut buffer).await);
        drop(a);
        notes.result("peek at the end", b.peek(&mut buffer).await);
    }

    fn reading_nothing(notes) {
        let (mut a, mut b) = pair().await;
        notes.see("read into nothing waits", soon(b.read(&mut [])).await.is_none());
        b.write_all(b"x").await.unwrap();
        a.readable().await.unwrap();
        notes.result("read into nothing", a.read(&mut []).await);
        notes.result("write of nothing", a.write(b"").await);
    }

    fn vectored(notes) {
        let (mut a, mut b) = pair().await;
        let slices = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two")];
        notes.result("write", a.write_vectored(&slices).await);
        notes.see("is vectored", super::rt::io::AsyncWrite::is_write_vectored(&a));
        drop(a);
        let mut text = String::new();
        notes.result("read", b.read_to_string(&mut text).await);
        notes.see("text", text);
    }

    fn trying(notes) {
        let (a, b) = pair().await;
        b.writable().await.unwrap();
        notes.result("read of nothing", a.try_read(&mut [0; 8]));
        notes.result("write", b.try_write(b"abc"));
        a.readable().await.unwrap();
        notes.result("read", a.try_read(&mut [0; 2]));
        notes.result("read", a.try_read(&mut [0; 2]));
        notes.result("read of nothing", a.try_read(&mut [0; 8]));
        drop(b);
        a.readable().await.unwrap();
        notes.result("end", a.try_read(&mut [0; 8]));
    }

    fn readiness(notes) {
        let (a, mut b) = pair().await;
        let ready = a.ready(Interest::READABLE | Interest::WRITABLE).await.unwrap();
        notes.see("readable", ready.is_readable());
        notes.see("writable", ready.is_writable());
        b.write_all(b"x").await.unwrap();
        notes.see("readable", a.ready(Interest::READABLE).await.unwrap().is_readable());
        drop(b);
        settle().await;
        let ready = a.ready(Interest::READABLE).await.unwrap();
        notes.see("read closed", ready.is_read_closed());
    }

    fn readiness_of_a_shut_down_stream(notes) {
        let (mut a, b) = pair().await;
        a.shutdown().await.unwrap();
        settle().await;
        let ready = a.ready(Interest::WRITABLE).await.unwrap();
        notes.see("a writable", ready.is_writable());
        let ready = b.ready(Interest::READABLE).await.unwrap();
        notes.see("b readable", ready.is_readable());
        notes.see("b read closed", ready.is_read_closed());
    }

    fn splitting(notes) {
        let (a, b) = pair().await;
        let (mut reader, mut writer) = a.into_split();
        let echo = spawn(async move {
            let (mut read, mut write) = b.into_split();
            super::rt::io::copy(&mut read, &mut write).await
        });
        writer.write_all(b"there and back").await.unwrap();
        writer.shutdown().await.unwrap();
        let mut text = String::new();
        notes.result("read", reader.read_to_string(&mut text).await);
        notes.see("text", text);
        notes.result("copied", echo.await.unwrap());
        notes.see("reunite", reader.reunite(writer).is_ok());
    }

    fn dropping_the_writing_half_shuts_down(notes) {
        let (a, mut b) = pair().await;
        let (reader, writer) = a.into_split();
        drop(writer);
        notes.result("peer reads", b.read(&mut [0; 8]).await);
        notes.whether("peer writes", b.write_all(b"x").await);
        drop(reader);
    }

    fn forgetting_the_writing_half(notes) {
        let (a, mut b) = pair().await;
        let (reader, writer) = a.into_split();
        writer.forget();
        let waits = soon(b.read(&mut [0; 8])).await;
        notes.see("peer waits", waits.is_none());
        drop(reader);
        notes.result("peer reads", b.read(&mut [0; 8]).await);
    }

    fn halves_of_two_streams_do_not_fit(notes) {
        let (a, b) = pair().await;
        let (read_a, _write_a) = a.into_split();
        let (_read_b, write_b) = b.into_split();
        notes.see("reunite", read_a.reunite(write_b).map_err(|error| error.to_string()).err());
    }

    fn options(notes) {
        let (a, _b) = pair().await;
        notes.result("nodelay", a.nodelay());
        a.set_nodelay(true).unwrap();
        notes.result("nodelay", a.nodelay());
        notes.result("ttl", a.ttl());
        a.set_ttl(9).unwrap();
        notes.result("ttl", a.ttl());
        notes.whether("ttl 0", a.set_ttl(0));
        notes.whether("ttl 256", a.set_ttl(256));
        notes.result("linger", a.linger());
        let socket = TcpSocket::new_v4().unwrap();
        notes.result("keepalive", socket.keepalive());
        socket.set_keepalive(true).unwrap();
        notes.result("keepalive", socket.keepalive());
        notes.result("reuseaddr", socket.reuseaddr());
        notes.result("nodelay", socket.nodelay());
    }

    fn options_of_listeners(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        notes.result("ttl", listener.ttl());
    }

    fn a_connection_waits_to_be_accepted(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        notes.whether("write", client.write_all(b"early").await);
        drop(client);
        settle().await;
        let (mut server, _) = listener.accept().await.unwrap();
        let mut text = String::new();
        notes.result("read", server.read_to_string(&mut text).await);
        notes.see("text", text);
    }

    fn a_listener_that_goes_resets_who_was_not_accepted(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        settle().await;
        drop(listener);
        settle().await;
        notes.result("read", client.read(&mut [0; 8]).await);
        notes.result("write", client.write(b"x").await);
    }

    fn who_was_accepted_outlives_the_listener(notes) {
        let (mut a, mut b) = pair().await;
        a.write_all(b"x").await.unwrap();
        notes.result("read", b.read(&mut [0; 8]).await);
    }

    fn connections_are_accepted_in_order(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut clients = Vec::new();
        for number in 0..5u8 {
            let mut client = TcpStream::connect(address).await.unwrap();
            client.write_all(&[number]).await.unwrap();
            clients.push(client);
        }
        for _ in 0..5 {
            let (mut server, _) = listener.accept().await.unwrap();
            notes.result("number", server.read_u8().await);
        }
    }

    fn a_cancelled_accept_loses_nobody(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let none = soon(listener.accept()).await;
        notes.see("none", none.is_none());
        let client = TcpStream::connect(listener.local_addr().unwrap()).await;
        notes.see("connected", client.is_ok());
        notes.see("accepted", listener.accept().await.is_ok());
    }

    fn a_cancelled_read_loses_nothing(notes) {
        let (mut a, mut b) = pair().await;
        let none = soon(b.read(&mut [0; 8])).await;
        notes.see("none", none.is_none());
        a.write_all(b"kept").await.unwrap();
        drop(a);
        let mut text = String::new();
        notes.result("read", b.read_to_string(&mut text).await);
        notes.see("text", text);
    }

    fn connecting_to_oneself(notes) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let mine = socket.local_addr().unwrap();
        if let Some(mut stream) = notes.whether("connect", socket.connect(mine).await) {
            stream.write_all(b"me").await.unwrap();
            let mut buffer = [0; 2];
            notes.result("read", stream.read_exact(&mut buffer).await);
            notes.see("bytes", buffer);
        }
    }

    fn both_ends_close_at_once(notes) {
        let (mut a, mut b) = pair().await;
        let (one, two) = join!(a.shutdown(), b.shutdown());
        notes.whether("a", one);
        notes.whether("b", two);
        let (one, two) = (a.read(&mut [0; 8]).await, b.read(&mut [0; 8]).await);
        notes.result("a reads", one);
        notes.result("b reads", two);
    }

    fn shutdown_of_one_whose_peer_was_reset(notes) {
        let (mut a, b) = pair().await;
        reset(b);
        settle().await;
        notes.whether("shutdown", a.shutdown().await);
    }

    fn a_large_message(notes) {
        let (mut a, mut b) = pair().await;
        let message: Vec<u8> = (0..1_000_000u32).map(|n| (n % 251) as u8).collect();
        let copy = message.clone();
        let writer = spawn(async move {
            a.write_all(&copy).await.unwrap();
            yield_now().await;
            a.shutdown().await
        });
        let mut all = Vec::new();
        notes.result("read", b.read_to_end(&mut all).await);
        notes.see("equal", all == message);
        notes.whether("shutdown", writer.await.unwrap());
    }

    fn both_directions_at_once(notes) {
        let (a, b) = pair().await;
        let run = |stream: TcpStream, byte: u8| async move {
            let (mut read, mut write) = stream.into_split();
            let writer = spawn(async move {
                for _ in 0..200 {
                    write.write_all(&[byte; 1_000]).await.unwrap();
                }
            });
            let mut all = Vec::new();
            read.read_to_end(&mut all).await.unwrap();
            writer.await.unwrap();
            (all.len(), all.iter().all(|other| *other != byte))
        };
        let (one, two) = join!(run(a, 1), run(b, 2));
        notes.see("a", one);
        notes.see("b", two);
    }
}
