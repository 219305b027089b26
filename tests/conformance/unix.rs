//! Unix sockets: pairs, paths, datagrams.

use super::rt::{
    io::{AsyncReadExt, AsyncWriteExt},
    Folder, join,
    net::{UnixDatagram, UnixListener, UnixSocket, UnixStream, unix::SocketAddr},
    settle, soon, spawn,
};

cases! {
    fn a_pair(notes) {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        notes.whether("write", a.write_all(b"hello").await);
        let mut buffer = [0; 5];
        notes.result("read", b.read_exact(&mut buffer).await);
        notes.see("unnamed", a.local_addr().unwrap().is_unnamed());
        notes.see("peer unnamed", a.peer_addr().unwrap().is_unnamed());
        drop(a);
        notes.result("end", b.read(&mut buffer).await);
        notes.result("write", b.write(b"x").await);
    }

    fn a_listener_at_a_path(notes) {
        let folder = Folder::new();
        let path = folder.path("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let (client, server) = join!(UnixStream::connect(&path), listener.accept());
        let (mut client, (mut server, from)) = (client.unwrap(), server.unwrap());
        notes.see("from", from.is_unnamed());
        notes.see("peer", client.peer_addr().unwrap().as_pathname() == Some(&path));
        notes.see("local", server.local_addr().unwrap().as_pathname() == Some(&path));
        client.write_all(b"x").await.unwrap();
        notes.result("read", server.read(&mut [0; 8]).await);
    }

    fn connecting_to_no_path(notes) {
        let folder = Folder::new();
        notes.whether("connect", UnixStream::connect(folder.path("nothing")).await);
    }

    fn a_path_stays_when_its_listener_goes(notes) {
        let folder = Folder::new();
        let path = folder.path("socket");
        drop(UnixListener::bind(&path).unwrap());
        notes.whether("connect", UnixStream::connect(&path).await);
        notes.whether("bind", UnixListener::bind(&path));
    }

    fn a_path_is_bound_once(notes) {
        let folder = Folder::new();
        let path = folder.path("socket");
        let _listener = UnixListener::bind(&path).unwrap();
        notes.whether("bind", UnixListener::bind(&path));
        notes.whether("datagram", UnixDatagram::bind(&path));
    }

    fn streams_and_datagrams_do_not_mix(notes) {
        let folder = Folder::new();
        let path = folder.path("socket");
        let _socket = UnixDatagram::bind(&path).unwrap();
        notes.whether("connect", UnixStream::connect(&path).await);
        let listener = folder.path("listener");
        let _listener = UnixListener::bind(&listener).unwrap();
        let socket = UnixDatagram::unbound().unwrap();
        notes.whether("connect", socket.connect(&listener));
        notes.result("send", socket.send_to(b"x", &listener).await);
    }

    fn a_path_that_is_too_long(notes) {
        let folder = Folder::new();
        notes.whether("bind", UnixListener::bind(folder.path(&"x".repeat(200))));
        notes.whether("connect", UnixStream::connect(folder.path(&"x".repeat(200))).await);
    }

    fn half_close(notes) {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        a.write_all(b"question").await.unwrap();
        notes.whether("shutdown", a.shutdown().await);
        let mut text = String::new();
        notes.result("read", b.read_to_string(&mut text).await);
        notes.whether("answer", b.write_all(b"answer").await);
        drop(b);
        let mut text = String::new();
        notes.result("read", a.read_to_string(&mut text).await);
        notes.result("write", a.write(b"x").await);
    }

    fn closing_with_unread_bytes_resets(notes) {
        let (mut a, b) = UnixStream::pair().unwrap();
        a.write_all(b"unread").await.unwrap();
        drop(b);
        notes.result("read", a.read(&mut [0; 8]).await);
        notes.result("again", a.read(&mut [0; 8]).await);
        notes.result("write", a.write(b"x").await);
    }

    fn a_writer_waits_for_who_does_not_read(notes) {
        let (mut a, b) = UnixStream::pair().unwrap();
        let block = vec![7; 16 * 1024];
        let mut sent = 0;
        while let Some(result) = soon(a.write(&block)).await {
            sent += result.unwrap();
        }
        notes.see("some", sent > 50_000);
        notes.see("not all", sent < 10_000_000);
        let reader = spawn(async move {
            let (mut b, mut all) = (b, Vec::new());
            b.read_to_end(&mut all).await.map(|_| all.len())
        });
        notes.whether("write", a.write_all(b"end").await);
        drop(a);
        notes.see("all arrived", reader.await.unwrap().unwrap() == sent + 3);
    }

    fn who_waits_in_a_backlog_that_goes(notes) {
        let folder = Folder::new();
        let path = folder.path("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let mut client = UnixStream::connect(&path).await.unwrap();
        drop(listener);
        settle().await;
        notes.result("read", client.read(&mut [0; 8]).await);
        notes.result("write", client.write(b"x").await);
    }

    fn credentials(notes) {
        let (a, _b) = UnixStream::pair().unwrap();
        let peer = a.peer_cred().unwrap();
        notes.see("process", peer.pid().is_some());
    }

    fn a_pair_of_datagrams(notes) {
        let (a, b) = UnixDatagram::pair().unwrap();
        notes.result("send", a.send(b"one").await);
        notes.result("send", a.send(b"").await);
        notes.result("send", a.send(b"three").await);
        let mut buffer = [0; 4];
        notes.result("recv", b.recv(&mut buffer).await);
        notes.result("recv", b.recv(&mut buffer).await);
        notes.result("recv", b.recv(&mut buffer).await);
        notes.result("none", b.try_recv(&mut buffer));
        drop(a);
        notes.result("send", b.send(b"x").await);
    }

    fn datagrams_to_a_path(notes) {
        let folder = Folder::new();
        let (one, two) = (folder.path("one"), folder.path("two"));
        let a = UnixDatagram::bind(&one).unwrap();
        let b = UnixDatagram::bind(&two).unwrap();
        notes.result("send", a.send_to(b"x", &two).await);
        let (len, from) = b.recv_from(&mut [0; 8]).await.unwrap();
        notes.see("len", len);
        notes.see("from", from.as_pathname() == Some(&one));
        drop(b);
        notes.result("to one that is gone", a.send_to(b"x", &two).await);
        notes.result("to no path", a.send_to(b"x", folder.path("nothing")).await);
        notes.result("without a peer", a.send(b"x").await);
    }

    fn a_connected_datagram_socket(notes) {
        let folder = Folder::new();
        let path = folder.path("server");
        let server = UnixDatagram::bind(&path).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        notes.whether("connect", client.connect(&path));
        notes.result("send", client.send(b"x").await);
        let (len, from) = server.recv_from(&mut [0; 8]).await.unwrap();
        notes.see("len", len);
        notes.see("from", from.is_unnamed());
        drop(server);
        notes.result("send", client.send(b"x").await);
    }

    fn a_full_queue_of_datagrams(notes) {
        let (a, b) = UnixDatagram::pair().unwrap();
        a.writable().await.unwrap();
        let mut sent = 0;
        while a.try_send(b"x").is_ok() {
            sent += 1;
        }
        notes.see("some", sent > 1);
        notes.see("not all", sent < 10_000);
        notes.result("full", a.try_send(b"x"));
        let mut arrived = 0;
        while b.try_recv(&mut [0; 8]).is_ok() || soon(b.readable()).await.is_some() {
            arrived += 1;
        }
        notes.see("all arrived", arrived >= sent);
    }

    fn a_shut_down_datagram_socket(notes) {
        let (a, b) = UnixDatagram::pair().unwrap();
        notes.whether("shutdown", a.shutdown(std::net::Shutdown::Write));
        notes.result("send", a.send(b"x").await);
        notes.result("peer sends", b.send(b"x").await);
        notes.result("recv", a.recv(&mut [0; 8]).await);
    }

    fn how_addresses_are_shown(notes) {
        let (a, _b) = UnixStream::pair().unwrap();
        notes.see("local", a.local_addr().unwrap());
        notes.see("peer", a.peer_addr().unwrap());
        let folder = Folder::new();
        let path = folder.path("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let shown = format!("{:?}", listener.local_addr().unwrap());
        notes.see("path", shown.replace(path.parent().unwrap().to_str().unwrap(), "folder"));
        let abstracted = format!("\0{}", path.display());
        let listener = UnixListener::bind(&abstracted).unwrap();
        let shown = format!("{:?}", listener.local_addr().unwrap());
        notes.see("abstract", shown.replace(path.parent().unwrap().to_str().unwrap(), "folder"));
    }

    fn a_name_without_a_file(notes) {
        let folder = Folder::new();
        let name = format!("\0{}", folder.path("abstract").display());
        notes.whether("nobody", UnixStream::connect(&name).await);
        let listener = UnixListener::bind(&name).unwrap();
        notes.whether("again", UnixListener::bind(&name));
        let (client, server) = join!(UnixStream::connect(&name), listener.accept());
        let client = client.unwrap();
        notes.see("from", server.unwrap().1);
        notes.see("name", client.peer_addr().unwrap().as_abstract_name() == Some(&name.as_bytes()[1..]));
        notes.see("path", client.peer_addr().unwrap().as_pathname().is_none());
        drop(listener);
        notes.whether("free again", UnixListener::bind(&name));
    }

    fn paths_that_are_none(notes) {
        notes.whether("connect to nothing", UnixStream::connect("").await);
        let listener = UnixListener::bind("").unwrap();
        let any = |address: SocketAddr| address.as_abstract_name().map(<[u8]>::len);
        notes.see("any name", any(listener.local_addr().unwrap()));
        let socket = UnixDatagram::bind("").unwrap();
        notes.see("any name", any(socket.local_addr().unwrap()));
        notes.whether("datagrams from nothing", socket.connect(""));
        notes.result("datagram to nothing", socket.send_to(b"x", "").await);
        notes.result("datagram to nothing", socket.try_send_to(b"x", ""));
        notes.whether("a zero byte", UnixListener::bind("/tmp/a\0b"));
        notes.whether("a zero byte", UnixStream::connect("/tmp/a\0b").await);
    }

    fn a_client_with_a_path(notes) {
        let folder = Folder::new();
        let (here, there) = (folder.path("client"), folder.path("server"));
        let listener = UnixListener::bind(&there).unwrap();
        let socket = UnixSocket::new_stream().unwrap();
        notes.whether("bind", socket.bind(&here));
        notes.whether("again", socket.bind(folder.path("other")));
        let (client, server) = join!(socket.connect(&there), listener.accept());
        notes.see("from", server.unwrap().1.as_pathname() == Some(&here));
        notes.see("local", client.unwrap().local_addr().unwrap().as_pathname() == Some(&here));
    }

    fn sockets_of_the_wrong_kind(notes) {
        let folder = Folder::new();
        notes.whether("listen", UnixSocket::new_datagram().unwrap().listen(8));
        notes.whether("connect", UnixSocket::new_datagram().unwrap().connect(folder.path("x")).await);
        notes.whether("datagram", UnixSocket::new_stream().unwrap().datagram());
        notes.whether("listen without a path", UnixSocket::new_stream().unwrap().listen(8));
        let socket = UnixSocket::new_datagram().unwrap();
        socket.bind(folder.path("datagrams")).unwrap();
        notes.whether("datagram", socket.datagram());
    }

    fn a_full_backlog(notes) {
        let folder = Folder::new();
        let path = folder.path("socket");
        let socket = UnixSocket::new_stream().unwrap();
        socket.bind(&path).unwrap();
        let listener = socket.listen(1).unwrap();
        let mut waiting = Vec::new();
        for _ in 0..4 {
            match UnixStream::connect(&path).await {
                Ok(stream) => waiting.push(stream),
                Err(error) => notes.see("full", (error.kind(), error.raw_os_error())),
            }
        }
        notes.see("waiting", waiting.len());
        notes.see("accepted", listener.accept().await.is_ok());
        notes.whether("room again", UnixStream::connect(&path).await);
    }

    fn who_sends_without_a_name(notes) {
        let folder = Folder::new();
        let server = UnixDatagram::bind(folder.path("server")).unwrap();
        let client = UnixDatagram::unbound().unwrap();
        notes.see("local", client.local_addr().unwrap());
        notes.whether("peer", client.peer_addr());
        notes.result("send", client.send_to(b"x", folder.path("server")).await);
        notes.see("from", server.recv_from(&mut [0; 8]).await.unwrap().1);
        client.connect(folder.path("server")).unwrap();
        notes.see("peer", client.peer_addr().unwrap().as_pathname() == Some(&folder.path("server")));
    }

    fn a_connected_datagram_socket_hears_its_peer_only(notes) {
        let folder = Folder::new();
        let (a, b) = (folder.path("a"), folder.path("b"));
        let (one, two) = (UnixDatagram::bind(&a).unwrap(), UnixDatagram::bind(&b).unwrap());
        one.connect(&b).unwrap();
        let stranger = UnixDatagram::unbound().unwrap();
        notes.result("stranger", stranger.send_to(b"spam", &a).await);
        notes.result("peer", two.send_to(b"mail", &a).await);
        notes.result("len", one.recv(&mut [0; 8]).await);
    }

    fn a_datagram_that_is_too_long(notes) {
        let (a, _b) = UnixDatagram::pair().unwrap();
        notes.result("send", a.send(&vec![0; 10_000_000]).await);
    }

    fn a_shut_down_stream(notes) {
        let (mut a, mut b) = UnixStream::pair().unwrap();
        b.write_all(b"before").await.unwrap();
        notes.whether("shutdown", a.shutdown().await);
        notes.whether("again", a.shutdown().await);
        notes.result("write", a.write(b"x").await);
        notes.result("read", a.read(&mut [0; 8]).await);
        notes.result("peer reads", b.read(&mut [0; 8]).await);
    }
}
