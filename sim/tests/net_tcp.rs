//! TCP sockets as programs see them.

use sim as tokio;
use std::{
    io::{ErrorKind, IoSlice},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional, split},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};

async fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let connect = TcpStream::connect(listener.local_addr().unwrap());
    let (client, server) = tokio::join!(connect, listener.accept());
    (client.unwrap(), server.unwrap().0)
}

#[sim::test]
async fn an_echo() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap()
    });
    let mut client = TcpStream::connect(there).await.unwrap();
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    let mut echo = String::new();
    client.read_to_string(&mut echo).await.unwrap();
    assert_eq!(echo, "hello");
    assert_eq!(server.await.unwrap(), 5);
}

#[sim::test]
async fn addresses_of_both_ends() {
    let (client, server) = pair().await;
    assert_eq!(client.local_addr().unwrap(), server.peer_addr().unwrap());
    assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    let shown = format!("{client:?}");
    assert!(shown.starts_with("TcpStream { addr: 127.0.0.1:"), "{shown}");
}

#[sim::test]
async fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    drop(listener);
    let refused = TcpStream::connect(there).await.unwrap_err();
    assert_eq!((refused.kind(), refused.raw_os_error()), (ErrorKind::ConnectionRefused, Some(111)));
}

#[sim::test]
async fn the_first_address_that_answers() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    let stream = TcpStream::connect(&[gone, there][..]).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), there);
}

/// A writer whose peer does not read comes to a stop, and goes on when it does.
#[sim::test]
async fn a_peer_that_does_not_read_stops_the_writer() {
    let (client, mut server) = pair().await;
    let block = vec![7; 64 * 1024];
    let mut sent = 0;
    loop {
        match timeout(Duration::from_secs(1), client.writable()).await {
            Err(_) => break,
            Ok(writable) => writable.unwrap(),
        }
        match client.try_write(&block) {
            Ok(len) => sent += len,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    assert!(sent > 0);
    let reader = tokio::spawn(async move {
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        all.len()
    });
    client.writable().await.unwrap();
    drop(client);
    assert_eq!(reader.await.unwrap(), sent);
}

#[sim::test]
async fn each_half_ends_for_itself() {
    let (mut client, mut server) = pair().await;
    client.write_all(b"question").await.unwrap();
    client.shutdown().await.unwrap();
    let mut question = String::new();
    server.read_to_string(&mut question).await.unwrap();
    // The other half is still open.
    server.write_all(b"answer").await.unwrap();
    drop(server);
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!((&question[..], &answer[..]), ("question", "answer"));
    let broken = client.write_all(b"more").await.unwrap_err();
    assert_eq!(broken.kind(), ErrorKind::BrokenPipe);
}

#[sim::test]
async fn unread_data_at_close_resets() {
    let (mut client, server) = pair().await;
    client.write_all(b"unread").await.unwrap();
    server.peek(&mut [0]).await.unwrap();
    drop(server);
    let reset = client.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!((reset.kind(), reset.raw_os_error()), (ErrorKind::ConnectionReset, Some(104)));
}

#[sim::test]
async fn no_linger_resets() {
    let (mut client, server) = pair().await;
    server.set_zero_linger().unwrap();
    drop(server);
    let reset = client.read(&mut [0; 8]).await.unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
}

#[sim::test]
async fn a_read_that_is_dropped_loses_nothing() {
    let (mut client, mut server) = pair().await;
    let mut room = [0; 4];
    assert!(timeout(Duration::from_millis(5), server.read(&mut room)).await.is_err());
    client.write_all(b"late").await.unwrap();
    server.read_exact(&mut room).await.unwrap();
    assert_eq!(&room, b"late");
}

#[sim::test]
async fn an_accept_that_is_dropped_loses_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    assert!(timeout(Duration::from_millis(5), listener.accept()).await.is_err());
    let there = listener.local_addr().unwrap();
    let client = tokio::spawn(async move { TcpStream::connect(there).await.unwrap() });
    let (_, from) = listener.accept().await.unwrap();
    assert_eq!(client.await.unwrap().local_addr().unwrap(), from);
}

#[sim::test]
async fn a_select_over_listeners() {
    let one = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let two = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = two.local_addr().unwrap();
    let client = tokio::spawn(async move { TcpStream::connect(there).await.unwrap() });
    tokio::select! {
        _ = one.accept() => panic!("nobody came here"),
        accepted = two.accept() => {
            accepted.unwrap();
        }
    }
    client.await.unwrap();
}

#[sim::test]
async fn two_tasks_on_the_halves() {
    let (client, server) = pair().await;
    let echo = tokio::spawn(async move {
        let (mut read, mut write) = server.into_split();
        tokio::io::copy(&mut read, &mut write).await.unwrap();
    });
    let (mut read, mut write) = client.into_split();
    let writer = tokio::spawn(async move {
        for byte in 0..100 {
            write.write_all(&[byte]).await.unwrap();
        }
        // Dropping it shuts down writing.
    });
    let mut all = Vec::new();
    read.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, (0..100).collect::<Vec<u8>>());
    writer.await.unwrap();
    echo.await.unwrap();
}

#[sim::test]
async fn halves_are_reunited_with_their_own() {
    let (client, server) = pair().await;
    let ((read, write), (read2, write2)) = (client.into_split(), server.into_split());
    let error = read.reunite(write2).unwrap_err();
    assert_eq!(error.to_string(), "tried to reunite halves that are not from the same socket");
    let mut client = error.0.reunite(write).unwrap();
    let mut server = read2.reunite(error.1).unwrap();
    client.write_all(b"on").await.unwrap();
    server.read_exact(&mut [0; 2]).await.unwrap();
}

#[sim::test]
async fn io_split_works_too() {
    let (client, mut server) = pair().await;
    let (mut read, mut write) = split(client);
    write.write_all(b"x").await.unwrap();
    server.read_exact(&mut [0]).await.unwrap();
    server.write_all(b"y").await.unwrap();
    assert_eq!(read.read_u8().await.unwrap(), b'y');
}

#[sim::test]
async fn a_proxy() {
    let (mut client, mut front) = pair().await;
    let (mut back, mut server) = pair().await;
    let proxy = tokio::spawn(async move { copy_bidirectional(&mut front, &mut back).await });
    let echo = tokio::spawn(async move {
        let mut request = Vec::new();
        server.read_to_end(&mut request).await.unwrap();
        server.write_all(&request).await.unwrap();
    });
    client.write_all(b"over the wire").await.unwrap();
    client.shutdown().await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "over the wire");
    echo.await.unwrap();
    assert_eq!(proxy.await.unwrap().unwrap(), (13, 13));
}

#[sim::test]
async fn several_buffers_at_once() {
    let (mut client, mut server) = pair().await;
    assert!(tokio::io::AsyncWrite::is_write_vectored(&client));
    let bufs = [IoSlice::new(b"one "), IoSlice::new(b""), IoSlice::new(b"two")];
    assert_eq!(client.write_vectored(&bufs).await.unwrap(), 7);
    let mut all = [0; 7];
    server.read_exact(&mut all).await.unwrap();
    assert_eq!(&all, b"one two");
}

#[sim::test]
async fn a_look_leaves_it_there() {
    let (mut client, mut server) = pair().await;
    client.write_all(b"stay").await.unwrap();
    let mut room = [0; 8];
    assert_eq!(server.peek(&mut room).await.unwrap(), 4);
    assert_eq!(server.read(&mut room).await.unwrap(), 4);
    drop(client);
    assert_eq!(server.peek(&mut room).await.unwrap(), 0);
}

#[sim::test]
async fn an_address_in_use() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    let taken = TcpListener::bind(there).await.unwrap_err();
    assert_eq!((taken.kind(), taken.raw_os_error()), (ErrorKind::AddrInUse, Some(98)));
}

#[sim::test]
async fn a_socket_of_ones_own() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_send_buffer_size(10_000).unwrap();
    assert!(socket.reuseaddr().unwrap() && socket.nodelay().unwrap());
    assert_eq!(socket.send_buffer_size().unwrap(), 20_000);
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    assert_eq!(stream.ttl().unwrap(), 64);
}

#[sim::test]
async fn many_clients() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let there = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let mut connections = JoinSet::new();
        for _ in 0..8 {
            let (mut stream, _) = listener.accept().await.unwrap();
            connections.spawn(async move {
                let number = stream.read_u8().await.unwrap();
                stream.write_u8(number + 100).await.unwrap();
            });
        }
        connections.join_all().await;
    });
    let mut clients = JoinSet::new();
    for number in 0..8 {
        clients.spawn(async move {
            let mut stream = TcpStream::connect(there).await.unwrap();
            stream.write_u8(number).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), number + 100);
        });
    }
    clients.join_all().await;
    server.await.unwrap();
}

#[test]
fn a_deadlock_names_who_is_waited_for() {
    let report = sim::check(sim::Config::new().seeds(1), || async {
        let listener = TcpListener::bind("127.0.0.1:80").await.unwrap();
        let mut client = TcpStream::connect("127.0.0.1:80").await.unwrap();
        let (_server, _) = listener.accept().await.unwrap();
        client.read_u8().await.unwrap();
    });
    let failure = report.failure.expect("nobody writes").to_string();
    assert!(failure.contains("read from 127.0.0.1:80, at 127.0.0.1:"), "{failure}");
}

/// A socket that two tasks read in turn with `poll_read` wakes the one that polled last only, as tokio's does: one that
/// relies on more waits for ever.
#[test]
fn who_polled_last_is_woken() {
    use std::{future::poll_fn, task::Poll};
    let report = sim::check(sim::Config::new().seeds(20), || async {
        let (mut client, server) = pair().await;
        let server = Arc::new(server);
        let waiting = |server: Arc<TcpStream>| async move {
            poll_fn(|cx| server.poll_read_ready(cx)).await.unwrap();
        };
        // The connection is taken to be readable until that was tried.
        let _ = server.try_read(&mut [0]);
        let one = tokio::spawn(waiting(server.clone()));
        let two = tokio::spawn(waiting(server));
        sleep(Duration::from_millis(1)).await;
        client.write_all(b"x").await.unwrap();
        let (one, two) = tokio::join!(one, two);
        one.and(two).unwrap();
    });
    let failure = report.failure.expect("one of them is not woken");
    assert_eq!(failure.kind, sim::FailureKind::Deadlock);
    let _ = Poll::Ready(());
}

#[test]
fn runs_of_one_seed_are_equal() {
    let report = sim::check(sim::Config::new().seeds(128), || async {
        let (mut client, mut server) = pair().await;
        let writer = tokio::spawn(async move {
            client.write_all(&[1; 100_000]).await.unwrap();
        });
        let mut all = Vec::new();
        server.read_to_end(&mut all).await.unwrap();
        assert_eq!(all.len(), 100_000);
        writer.await.unwrap();
    });
    assert!(report.failure.is_none(), "{report}");
}

/// writev(2) is one write: Nagle's algorithm does not hold the second slice back until the first is acknowledged, which
/// takes a peer that has nothing to say 40 ms.
#[sim::test]
async fn slices_share_a_segment() {
    let (mut client, mut server) = pair().await;
    let mut word = [0; 2];
    for _ in 0..20 {
        let start = tokio::time::Instant::now();
        let slices = [IoSlice::new(b"a"), IoSlice::new(b"b")];
        assert_eq!(client.write_vectored(&slices).await.unwrap(), 2);
        server.read_exact(&mut word).await.unwrap();
        assert_eq!(&word, b"ab");
        assert!(start.elapsed() < Duration::from_millis(10), "{:?}", start.elapsed());
        server.write_all(&word).await.unwrap();
        client.read_exact(&mut word).await.unwrap();
    }
}
