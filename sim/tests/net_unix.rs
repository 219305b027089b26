//! Unix sockets as programs see them.

use sim as tokio;
use std::{io::ErrorKind, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixDatagram, UnixListener, UnixSocket, UnixStream},
    time::timeout,
};

#[sim::test]
async fn an_echo() {
    let listener = UnixListener::bind("/run/echo").unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, from) = listener.accept().await.unwrap();
        assert!(from.is_unnamed());
        let (mut read, mut write) = stream.split();
        tokio::io::copy(&mut read, &mut write).await.unwrap()
    });
    let mut client = UnixStream::connect("/run/echo").await.unwrap();
    assert_eq!(client.peer_addr().unwrap().as_pathname().unwrap().to_str(), Some("/run/echo"));
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    let mut echo = String::new();
    client.read_to_string(&mut echo).await.unwrap();
    assert_eq!(echo, "hello");
    assert_eq!(server.await.unwrap(), 5);
}

#[sim::test]
async fn nothing_there_and_nobody_there() {
    let missing = UnixStream::connect("/run/missing").await.unwrap_err();
    assert_eq!((missing.kind(), missing.raw_os_error()), (ErrorKind::NotFound, Some(2)));
    drop(UnixListener::bind("/run/left").unwrap());
    // The path stays until somebody removes it.
    let refused = UnixStream::connect("/run/left").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let taken = UnixListener::bind("/run/left").unwrap_err();
    assert_eq!(taken.raw_os_error(), Some(98));
}

#[sim::test]
async fn abstract_names_go_with_their_socket() {
    let listener = UnixListener::bind("\0name").unwrap();
    assert_eq!(listener.local_addr().unwrap().as_abstract_name(), Some(&b"name"[..]));
    UnixStream::connect("\0name").await.unwrap();
    drop(listener);
    let refused = UnixStream::connect("\0name").await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    UnixListener::bind("\0name").unwrap();
}

#[sim::test]
async fn a_pair_and_its_end() {
    let (mut one, mut two) = UnixStream::pair().unwrap();
    one.write_all(b"ping").await.unwrap();
    drop(one);
    let mut text = String::new();
    two.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "ping");
    assert_eq!(two.write_all(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[sim::test]
async fn a_full_pair_waits_for_its_reader() {
    let (one, mut two) = UnixStream::pair().unwrap();
    let mut sent = 0;
    while let Ok(len) = one.try_write(&[0; 4096]) {
        sent += len;
    }
    assert!(timeout(Duration::from_secs(1), one.writable()).await.is_err());
    let reader = tokio::spawn(async move {
        let mut all = Vec::new();
        two.read_to_end(&mut all).await.unwrap();
        all.len()
    });
    one.writable().await.unwrap();
    drop(one);
    assert_eq!(reader.await.unwrap(), sent);
}

#[sim::test]
async fn datagrams() {
    let server = UnixDatagram::bind("/run/server").unwrap();
    let client = UnixDatagram::bind("/run/client").unwrap();
    client.send_to(b"question", "/run/server").await.unwrap();
    let mut room = [0; 16];
    let (len, from) = server.recv_from(&mut room).await.unwrap();
    assert_eq!(&room[..len], b"question");
    server.send_to(b"answer", from.as_pathname().unwrap()).await.unwrap();
    assert_eq!(client.recv(&mut room).await.unwrap(), 6);
    let missing = client.send_to(b"x", "/run/missing").await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[sim::test]
async fn sockets_of_ones_own() {
    let socket = UnixSocket::new_stream().unwrap();
    socket.bind("/run/own").unwrap();
    let listener = socket.listen(1).unwrap();
    let client = UnixSocket::new_stream().unwrap().connect("/run/own").await.unwrap();
    listener.accept().await.unwrap();
    assert_eq!(client.peer_cred().unwrap().pid(), i32::try_from(std::process::id()).ok());
    let wrong = UnixSocket::new_datagram().unwrap().listen(1).unwrap_err();
    assert_eq!(wrong.to_string(), "listen cannot be called on a datagram socket");
}
