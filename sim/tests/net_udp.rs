//! UDP sockets as programs see them.

use sim as tokio;
use std::{io::ErrorKind, net::SocketAddr, time::Duration};
use tokio::{
    io::Interest,
    net::UdpSocket,
    time::{Instant, sleep, timeout},
};

async fn pair() -> (UdpSocket, UdpSocket) {
    let one = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let two = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    one.connect(two.local_addr().unwrap()).await.unwrap();
    two.connect(one.local_addr().unwrap()).await.unwrap();
    (one, two)
}

#[sim::test]
async fn datagrams_keep_their_borders() {
    let (one, two) = pair().await;
    one.send(b"first").await.unwrap();
    one.send(b"").await.unwrap();
    one.send(b"third").await.unwrap();
    let mut room = [0; 16];
    assert_eq!(two.recv(&mut room).await.unwrap(), 5);
    assert_eq!(two.recv(&mut room).await.unwrap(), 0);
    assert_eq!(two.recv_from(&mut room).await.unwrap(), (5, one.local_addr().unwrap()));
    assert_eq!(&room[..5], b"third");
}

#[sim::test]
async fn what_does_not_fit_is_cut() {
    let (one, two) = pair().await;
    one.send(b"too long").await.unwrap();
    one.send(b"next").await.unwrap();
    let mut room = [0; 3];
    assert_eq!(two.recv(&mut room).await.unwrap(), 3);
    assert_eq!(&room, b"too");
    let mut text = Vec::with_capacity(16);
    assert_eq!(two.recv_buf(&mut text).await.unwrap(), 4);
    assert_eq!(text, b"next");
}

#[sim::test]
async fn a_look_leaves_it_there() {
    let (one, two) = pair().await;
    one.send(b"stay").await.unwrap();
    let mut room = [0; 16];
    assert_eq!(two.peek_from(&mut room).await.unwrap().0, 4);
    assert_eq!(two.peek_sender().await.unwrap(), one.local_addr().unwrap());
    assert_eq!(two.recv(&mut room).await.unwrap(), 4);
    assert_eq!(two.try_recv(&mut room).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[sim::test]
async fn nobody_there_is_told_to_who_is_connected() {
    let gone = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.connect(gone).await.unwrap();
    socket.send(b"hello?").await.unwrap();
    let refused = socket.recv(&mut [0; 8]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(refused.raw_os_error(), Some(111));
}

#[sim::test]
async fn a_receiver_that_waits_is_woken() {
    let (one, two) = pair().await;
    let receiver = tokio::spawn(async move {
        let mut room = [0; 8];
        let len = two.recv(&mut room).await.unwrap();
        room[..len].to_vec()
    });
    sleep(Duration::from_millis(1)).await;
    one.send(b"ping").await.unwrap();
    assert_eq!(receiver.await.unwrap(), b"ping");
}

#[sim::test]
async fn several_who_wait_are_all_woken_and_one_gets_it() {
    let (one, two) = pair().await;
    let two = std::sync::Arc::new(two);
    let mut receivers = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let two = two.clone();
        receivers.spawn(async move {
            let mut room = [0; 8];
            two.recv(&mut room).await.unwrap();
            room[0]
        });
    }
    for byte in [1, 2, 3] {
        one.send(&[byte]).await.unwrap();
    }
    let mut got = receivers.join_all().await;
    got.sort_unstable();
    assert_eq!(got, [1, 2, 3]);
}

#[sim::test]
async fn a_receive_that_is_dropped_loses_nothing() {
    let (one, two) = pair().await;
    let mut room = [0; 8];
    assert!(timeout(Duration::from_millis(1), two.recv(&mut room)).await.is_err());
    one.send(b"late").await.unwrap();
    assert_eq!(two.recv(&mut room).await.unwrap(), 4);
}

#[sim::test]
async fn would_block_is_not_ready_until_something_comes() {
    let (one, two) = pair().await;
    one.send(b"a").await.unwrap();
    two.readable().await.unwrap();
    let lied: std::io::Result<()> =
        two.try_io(Interest::READABLE, || Err(ErrorKind::WouldBlock.into()));
    assert_eq!(lied.unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(timeout(Duration::from_secs(1), two.readable()).await.is_err());
    one.send(b"b").await.unwrap();
    two.readable().await.unwrap();
    assert_eq!(two.try_recv(&mut [0; 8]).unwrap(), 1);
}

#[sim::test]
async fn an_address_is_had_once() {
    let first = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let taken = UdpSocket::bind(first.local_addr().unwrap()).await.unwrap_err();
    assert_eq!(taken.raw_os_error(), Some(98));
    let elsewhere = UdpSocket::bind("192.0.2.1:0").await.unwrap_err();
    assert_eq!(elsewhere.kind(), ErrorKind::AddrNotAvailable);
    drop(first);
}

#[sim::test]
async fn none_of_several_addresses_is_an_error_of_tokio() {
    let none: &[SocketAddr] = &[];
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert_eq!(
        socket.send_to(b"", none).await.unwrap_err().to_string(),
        "no addresses to send data to"
    );
    let error = UdpSocket::bind(none).await.unwrap_err();
    assert_eq!(error.to_string(), "could not resolve to any address");
}

#[sim::test]
async fn options_are_kept() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    assert!(!socket.broadcast().unwrap() && socket.multicast_loop_v4().unwrap());
    socket.set_broadcast(true).unwrap();
    socket.set_ttl(9).unwrap();
    assert!(socket.broadcast().unwrap());
    assert_eq!(socket.ttl().unwrap(), 9);
    assert_eq!(socket.set_ttl(0).unwrap_err().kind(), ErrorKind::InvalidInput);
}

/// What happens in a run is a function of its seed; each of these seeds is run twice by the check itself.
#[test]
fn runs_of_one_seed_are_equal() {
    let report = sim::check(sim::Config::new().seeds(200), || async {
        let server = UdpSocket::bind("127.0.0.1:9").await.unwrap();
        let echo = tokio::spawn(async move {
            let mut room = [0; 8];
            loop {
                let (len, from) = server.recv_from(&mut room).await.unwrap();
                server.send_to(&room[..len], from).await.unwrap();
            }
        });
        let clients: Vec<_> = (0..3u8)
            .map(|number| {
                tokio::spawn(async move {
                    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
                    socket.connect("127.0.0.1:9").await.unwrap();
                    socket.send(&[number]).await.unwrap();
                    let mut room = [0; 8];
                    socket.recv(&mut room).await.unwrap();
                    assert_eq!(room[0], number);
                })
            })
            .collect();
        for client in clients {
            client.await.unwrap();
        }
        echo.abort();
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn a_deadlock_names_the_sockets() {
    let report = sim::check(sim::Config::new().seeds(1), || async {
        let socket = UdpSocket::bind("127.0.0.1:7").await.unwrap();
        socket.recv(&mut [0; 8]).await.unwrap();
    });
    let failure = report.failure.expect("nobody sends").to_string();
    assert!(failure.contains("receive or accept at 127.0.0.1:7 (UDP socket, made at"), "{failure}");
}

#[sim::test]
async fn idle_time_costs_nothing() {
    let (one, two) = pair().await;
    let start = Instant::now();
    sleep(Duration::from_secs(86_400)).await;
    one.send(b"x").await.unwrap();
    two.recv(&mut [0]).await.unwrap();
    assert!(start.elapsed() >= Duration::from_secs(86_400));
}
