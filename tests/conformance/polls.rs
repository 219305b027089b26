//! Readiness: what sockets say of themselves, and operations that poll or try.

use super::ends::{pair, reset};
use super::rt::{
    Folder,
    io::{AsyncWriteExt, Interest, ReadBuf, Ready},
    net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream},
    settle, soon, spawn,
};
use std::{
    future::poll_fn,
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    task::Poll,
};

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
const ALL: Interest = BOTH.add(Interest::ERROR);

async fn datagrams() -> (UdpSocket, UdpSocket) {
    let a = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let b = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    a.connect(b.local_addr().unwrap()).await.unwrap();
    b.connect(a.local_addr().unwrap()).await.unwrap();
    (a, b)
}

/// What it gives if it is polled once, as it is now.
async fn now<T>(mut poll: impl FnMut(&mut std::task::Context<'_>) -> Poll<T>) -> Option<T> {
    poll_fn(|cx| match poll(cx) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

cases! {
    fn sets(notes) {
        notes.see("both", BOTH);
        notes.see("all", ALL);
        notes.see("without", ALL.remove(Interest::WRITABLE));
        notes.see("nothing", Interest::READABLE.remove(BOTH));
        notes.see("ready", Ready::READABLE | Ready::WRITE_CLOSED);
        notes.see("less", Ready::ALL - Ready::READABLE);
        notes.see("ends are readable", Ready::READ_CLOSED.is_readable());
        notes.see("ends are writable", Ready::WRITE_CLOSED.is_writable());
    }

    fn a_new_connection(notes) {
        let (a, b) = pair().await;
        notes.see("a", a.ready(ALL).await.unwrap());
        notes.see("b", b.ready(ALL).await.unwrap());
    }

    fn a_connection_with_something_to_read(notes) {
        let (a, mut b) = pair().await;
        b.write_all(b"x").await.unwrap();
        a.readable().await.unwrap();
        notes.see("a", a.ready(ALL).await.unwrap());
        notes.see("to write", a.ready(Interest::WRITABLE).await.unwrap());
        notes.see("to read", a.ready(Interest::READABLE).await.unwrap());
        notes.see("errors", soon(a.ready(Interest::ERROR)).await.is_none());
    }

    fn a_connection_whose_peer_sends_no_more(notes) {
        let (a, mut b) = pair().await;
        b.shutdown().await.unwrap();
        settle().await;
        a.readable().await.unwrap();
        notes.see("a", a.ready(ALL).await.unwrap());
        notes.see("b", b.ready(ALL).await.unwrap());
    }

    fn a_connection_that_sends_no_more(notes) {
        let (mut a, b) = pair().await;
        a.shutdown().await.unwrap();
        settle().await;
        notes.see("a", a.ready(ALL).await.unwrap());
        drop(b);
        settle().await;
        a.readable().await.unwrap();
        notes.see("both closed", a.ready(ALL).await.unwrap());
    }

    fn a_connection_that_was_reset(notes) {
        let (a, b) = pair().await;
        reset(b);
        settle().await;
        a.readable().await.unwrap();
        notes.see("ready", a.ready(ALL).await.unwrap());
        notes.result("read", a.try_read(&mut [0; 8]));
        notes.see("after", a.ready(BOTH).await.unwrap());
        notes.result("read", a.try_read(&mut [0; 8]));
    }

    fn readiness_stays_until_nothing_is_there(notes) {
        let (a, mut b) = pair().await;
        b.write_all(b"abc").await.unwrap();
        a.readable().await.unwrap();
        notes.see("again", soon(a.readable()).await.is_some());
        notes.result("a byte", a.try_read(&mut [0; 1]));
        notes.see("again", soon(a.readable()).await.is_some());
        notes.result("all", a.try_read(&mut [0; 8]));
        notes.see("still", soon(a.readable()).await.is_some());
        notes.result("none", a.try_read(&mut [0; 8]));
        notes.see("waits", soon(a.readable()).await.is_none());
    }

    fn an_operation_of_ones_own(notes) {
        let (a, mut b) = pair().await;
        a.writable().await.unwrap();
        notes.result("not asked", a.try_io(Interest::READABLE, || -> io::Result<()> { unreachable!() }));
        b.write_all(b"x").await.unwrap();
        a.readable().await.unwrap();
        notes.result("value", a.try_io(Interest::READABLE, || Ok(7)));
        notes.result("error", a.try_io(Interest::READABLE, || Err::<(), _>(io::Error::from(ErrorKind::NotFound))));
        notes.see("still ready", soon(a.readable()).await.is_some());
        let blocks = || Err::<(), _>(io::Error::from(ErrorKind::WouldBlock));
        notes.result("would block", a.try_io(Interest::READABLE, blocks));
        notes.see("not ready", soon(a.readable()).await.is_none());
        notes.see("writable", soon(a.writable()).await.is_some());
        b.write_all(b"y").await.unwrap();
        notes.see("ready again", a.readable().await.is_ok());
    }

    fn an_operation_until_it_does_not_block(notes) {
        let (a, mut b) = pair().await;
        a.writable().await.unwrap();
        let mut asked = 0;
        let read = spawn(async move {
            let read = a.async_io(Interest::READABLE, || {
                asked += 1;
                a.try_read(&mut [0; 8])
            });
            let result = read.await;
            (result, asked > 0)
        });
        settle().await;
        b.write_all(b"abc").await.unwrap();
        let (result, was_asked) = read.await.unwrap();
        notes.result("read", result);
        notes.see("asked", was_asked);
    }

    fn polls_of_a_stream(notes) {
        let (a, mut b) = pair().await;
        a.writable().await.unwrap();
        notes.see("write", now(|cx| a.poll_write_ready(cx)).await.map(|it| it.is_ok()));
        notes.see("read", now(|cx| a.poll_read_ready(cx)).await.map(|it| it.is_ok()));
        b.write_all(b"abc").await.unwrap();
        a.readable().await.unwrap();
        notes.see("read", now(|cx| a.poll_read_ready(cx)).await.map(|it| it.is_ok()));
        let mut room = [0; 2];
        let mut buf = ReadBuf::new(&mut room);
        notes.see("peek", now(|cx| a.poll_peek(cx, &mut buf)).await.map(|it| it.unwrap()));
        notes.see("filled", buf.filled());
        notes.see("none left", now(|cx| a.poll_peek(cx, &mut buf)).await.map(|it| it.unwrap()));
    }

    fn polls_of_a_listener(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        notes.see("nobody", now(|cx| listener.poll_accept(cx)).await.is_none());
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (_, from) = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
        notes.see("from", from == client.local_addr().unwrap());
        notes.see("nobody", now(|cx| listener.poll_accept(cx)).await.is_none());
    }

    fn accepting_one_that_was_reset(notes) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        reset(client);
        settle().await;
        let (server, _) = listener.accept().await.unwrap();
        server.readable().await.unwrap();
        notes.whether("peer", server.peer_addr());
        notes.result("read", server.try_read(&mut [0; 8]));
        notes.result("write", server.try_write(b"x"));
    }

    fn trying_with_several_buffers(notes) {
        let (a, b) = pair().await;
        a.writable().await.unwrap();
        notes.result("write", a.try_write_vectored(&[IoSlice::new(b"abc"), IoSlice::new(b"de")]));
        settle().await;
        b.readable().await.unwrap();
        let (mut one, mut two) = ([0; 2], [0; 8]);
        notes.result("read", b.try_read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)]));
        notes.see("one", one);
        notes.see("two", &two[..3]);
        notes.result("none", b.try_read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)]));
    }

    fn trying_with_a_growing_buffer(notes) {
        let (a, b) = pair().await;
        a.writable().await.unwrap();
        a.try_write(b"abcdef").unwrap();
        settle().await;
        b.readable().await.unwrap();
        let mut buffer = Vec::with_capacity(4);
        notes.result("read", b.try_read_buf(&mut buffer));
        notes.see("buffer", &buffer);
        notes.result("read", b.try_read_buf(&mut buffer));
        notes.see("buffer", &buffer);
        notes.result("none", b.try_read_buf(&mut buffer));
    }

    fn datagrams_that_are_polled(notes) {
        let (a, b) = datagrams().await;
        notes.see("send ready", poll_fn(|cx| a.poll_send_ready(cx)).await.is_ok());
        notes.see("send", now(|cx| a.poll_send(cx, b"one")).await.map(|it| it.unwrap()));
        let there = b.local_addr().unwrap();
        notes.see("send to", now(|cx| a.poll_send_to(cx, b"three", there)).await.map(|it| it.unwrap()));
        notes.see("receive ready", poll_fn(|cx| b.poll_recv_ready(cx)).await.is_ok());
        let mut room = [0; 4];
        let mut buf = ReadBuf::new(&mut room);
        notes.see("peek", poll_fn(|cx| b.poll_peek_from(cx, &mut buf)).await.is_ok());
        notes.see("peeked", buf.filled());
        buf.clear();
        notes.see("receive", poll_fn(|cx| b.poll_recv(cx, &mut buf)).await.is_ok());
        notes.see("received", buf.filled());
        buf.clear();
        let from = poll_fn(|cx| b.poll_recv_from(cx, &mut buf)).await.unwrap();
        notes.see("from", from == a.local_addr().unwrap());
        notes.see("received", buf.filled());
        buf.clear();
        notes.see("none", now(|cx| b.poll_recv(cx, &mut buf)).await.is_none());
        notes.see("sender", now(|cx| b.poll_peek_sender(cx)).await.is_none());
    }

    fn datagrams_that_are_tried(notes) {
        let (a, b) = datagrams().await;
        let mut buffer = [0; 4];
        notes.result("none", b.try_recv(&mut buffer));
        notes.result("none", b.try_recv_from(&mut buffer).map(|(len, _)| len));
        notes.result("none", b.try_peek(&mut buffer));
        notes.result("none", b.try_peek_from(&mut buffer).map(|(len, _)| len));
        notes.result("none", b.try_peek_sender().map(drop));
        a.writable().await.unwrap();
        notes.result("send", a.try_send(b"abcdef"));
        notes.result("send to", a.try_send_to(b"gh", b.local_addr().unwrap()));
        b.readable().await.unwrap();
        notes.result("peek", b.try_peek(&mut buffer));
        notes.result("peek from", b.try_peek_from(&mut buffer).map(|(len, _)| len));
        notes.result("sender", b.try_peek_sender().map(|from| from == a.local_addr().unwrap()));
        notes.result("receive", b.try_recv_from(&mut buffer).map(|(len, _)| len));
        notes.see("buffer", buffer);
        notes.result("receive", b.try_recv(&mut []));
        notes.result("none", b.try_recv(&mut buffer));
    }

    fn datagrams_into_growing_buffers(notes) {
        let (a, b) = datagrams().await;
        for message in [&b"abcdef"[..], b"gh", b"ijklm"] {
            a.send(message).await.unwrap();
        }
        let mut buffer = Vec::with_capacity(16);
        notes.result("receive", b.recv_buf(&mut buffer).await);
        notes.result("receive", b.recv_buf_from(&mut buffer).await.map(|(len, _)| len));
        notes.see("buffer", String::from_utf8_lossy(&buffer).into_owned());
        let mut short = Vec::with_capacity(3);
        notes.result("receive", b.try_recv_buf(&mut short));
        notes.see("short", &short);
        notes.result("none", b.try_recv_buf_from(&mut short).map(|(len, _)| len));
    }

    fn readiness_of_datagrams(notes) {
        let (a, b) = datagrams().await;
        notes.see("new", a.ready(ALL).await.unwrap());
        a.send(b"x").await.unwrap();
        b.readable().await.unwrap();
        notes.see("arrived", b.ready(ALL).await.unwrap());
        notes.see("value", b.try_io(Interest::READABLE, || Ok(7)).unwrap());
        let blocks = || Err::<(), _>(io::Error::from(ErrorKind::WouldBlock));
        notes.result("would block", b.try_io(Interest::READABLE, blocks));
        notes.see("not ready", soon(b.readable()).await.is_none());
        notes.result("so none", b.try_recv(&mut [0; 8]));
    }

    fn who_waits_for_a_datagram_is_told_that_one_was_refused(notes) {
        let (a, b) = datagrams().await;
        drop(b);
        let waits = spawn(async move {
            let result = soon(a.recv(&mut [0; 8])).await;
            (result, a)
        });
        super::rt::task::yield_now().await;
        let (none, a) = waits.await.unwrap();
        notes.see("nothing yet", none.is_none());
        notes.result("send", a.send(b"x").await);
        settle().await;
        notes.see("ready", a.ready(ALL).await.unwrap());
        notes.see("error", soon(a.ready(Interest::ERROR)).await.is_some());
        let told = soon(a.recv(&mut [0; 8])).await;
        notes.see("receive", told.map(|result| result.map_err(|error| error.kind())));
    }

    fn a_datagram_socket_that_was_refused(notes) {
        let (a, b) = datagrams().await;
        drop(b);
        notes.result("send", a.send(b"x").await);
        settle().await;
        notes.see("ready", a.ready(ALL).await.unwrap());
        notes.result("send", a.try_send(b"x"));
        settle().await;
        notes.result("receive", a.try_recv(&mut [0; 8]));
    }

    fn a_pair_of_unix_streams(notes) {
        let (a, mut b) = UnixStream::pair().unwrap();
        notes.see("new", a.ready(ALL).await.unwrap());
        b.write_all(b"x").await.unwrap();
        a.readable().await.unwrap();
        notes.see("to read", a.ready(ALL).await.unwrap());
        b.shutdown().await.unwrap();
        settle().await;
        notes.see("sends no more", a.ready(ALL).await.unwrap());
        notes.see("b", b.ready(ALL).await.unwrap());
        drop(b);
        settle().await;
        notes.see("gone", a.ready(ALL).await.unwrap());
        notes.result("read", a.try_read(&mut [0; 8]));
        notes.result("end", a.try_read(&mut [0; 8]));
        notes.result("write", a.try_write(b"x"));
    }

    fn unix_streams_that_are_polled(notes) {
        let (a, mut b) = UnixStream::pair().unwrap();
        a.writable().await.unwrap();
        notes.see("write", now(|cx| a.poll_write_ready(cx)).await.map(|it| it.is_ok()));
        notes.see("read", now(|cx| a.poll_read_ready(cx)).await.is_none());
        b.write_all(b"abc").await.unwrap();
        notes.see("read", poll_fn(|cx| a.poll_read_ready(cx)).await.is_ok());
        notes.result("value", a.try_io(Interest::READABLE, || Ok(7)));
        let (mut one, mut two) = ([0; 2], [0; 8]);
        notes.result("read", a.try_read_vectored(&mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)]));
        notes.result("none", a.try_read(&mut one));
    }

    fn a_unix_listener_that_is_polled(notes) {
        let folder = Folder::new();
        let path = folder.path("socket");
        let listener = UnixListener::bind(&path).unwrap();
        notes.see("nobody", now(|cx| listener.poll_accept(cx)).await.is_none());
        let _client = UnixStream::connect(&path).await.unwrap();
        let (_, from) = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
        notes.see("from", from);
    }

    fn unix_datagrams_that_are_polled(notes) {
        let (a, b) = UnixDatagram::pair().unwrap();
        notes.see("new", a.ready(ALL).await.unwrap());
        notes.see("send", now(|cx| a.poll_send(cx, b"abcdef")).await.map(|it| it.unwrap()));
        notes.see("receive ready", poll_fn(|cx| b.poll_recv_ready(cx)).await.is_ok());
        let mut room = [0; 4];
        let mut buf = ReadBuf::new(&mut room);
        notes.see("receive", poll_fn(|cx| b.poll_recv(cx, &mut buf)).await.is_ok());
        notes.see("received", buf.filled());
        buf.clear();
        notes.see("none", now(|cx| b.poll_recv_from(cx, &mut buf)).await.is_none());
        notes.result("tried", b.try_recv_from(&mut [0; 4]).map(|(len, _)| len));
        drop(b);
        settle().await;
        notes.see("gone", a.ready(BOTH).await.unwrap());
        notes.result("send", a.try_send(b"x"));
    }
}
