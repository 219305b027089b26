//! What makes no sense, or is too much: the error that a real system gives, or a clear one of ours; nothing is lost, and
//! nothing hangs without a report.

use sim::io::{AsyncReadExt, AsyncWriteExt};
use sim::{
    Config, FailureKind,
    net::{TcpListener, TcpStream, UdpSocket},
    time::{sleep, timeout},
};
use std::{future::Future, io, ops::RangeInclusive, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
const EMFILE: i32 = 24;
const EMSGSIZE: i32 = 90;
const EADDRINUSE: i32 = 98;
const EADDRNOTAVAIL: i32 = 99;

/// The test fails, and says so.
#[track_caller]
fn fails<Fut: Future<Output = ()>>(main: impl Fn() -> Fut + Sync, kind: FailureKind, says: &str) {
    let report = sim::check(Config::new().seeds(5), main);
    let failure = report.failure.expect("it is a mistake");
    assert_eq!(failure.kind, kind, "{failure}");
    assert!(failure.message.contains(says), "{failure}");
}

#[track_caller]
fn passes<Fut: Future<Output = ()>>(seeds: u64, main: impl Fn() -> Fut + Sync) {
    let report = sim::check(Config::new().seeds(seeds), main);
    assert!(report.failure.is_none(), "{report}");
}

fn idle(name: &str) -> sim::Node {
    sim::node(name).start(std::future::pending::<()>)
}

#[test]
fn links_of_nobody() {
    let check = |act: fn(), says: &str| {
        let main = || async move {
            let _nodes = ["a", "b"].map(idle);
            act();
        };
        fails(main, FailureKind::Panic, says);
    };
    let unknown = "there is no machine named \"c\"; there are \"main\", \"a\", \"b\"";
    check(|| sim::net::partition("a", "c"), unknown);
    check(|| sim::net::hold("c", "a"), unknown);
    check(|| drop(sim::net::link("a", "c")), unknown);
    let address = std::net::Ipv4Addr::new(10, 9, 9, 9);
    check(move || sim::net::repair("a", std::net::Ipv4Addr::new(10, 9, 9, 9)), "10.9.9.9");
    assert_eq!(address.octets(), [10, 9, 9, 9]);
    check(|| sim::net::partition("a", "a"), "\"a\" is on both sides");
    check(|| sim::net::partition(["a", "b"], ["main", "b"]), "\"b\" is on both sides");
    check(|| sim::net::partition("a", Vec::<String>::new()), "a side has no hosts");
    check(|| drop(sim::net::link("a", Vec::<String>::new())), "no machine");
    check(|| drop(sim::net::link("a", "b").bandwidth(0)), "over 0 bytes a second nothing arrives");
    check(|| drop(sim::net::link("a", "b").capacity(0)), "where 0 packets fit nothing arrives");
    check(|| drop(sim::net::link("a", "b").loss_ppm(1_000_001)), "more than all");
    check(|| drop(sim::net::default_link().mtu(67)), "67 bytes");
}

#[test]
fn nodes_that_are_none() {
    let check = |act: fn(), says: &str| {
        let main = || async move {
            let _node = idle("a");
            act();
        };
        fails(main, FailureKind::Panic, says);
    };
    check(|| drop(idle("a")), "the node \"a\" exists already, started at");
    check(|| drop(idle("main")), "the node \"main\" is the test itself");
    check(|| drop(sim::node::get("b").unwrap()), "UnknownNode");
    check(|| drop(sim::node("b").ephemeral_ports(RangeInclusive::new(1, 0))), "are no ports");
    check(|| drop(sim::node("b").ephemeral_ports(0..=9)), "are no ports");
    check(|| sim::node::current().crash(), "\"main\" is the test itself, which nobody can crash");
}

#[test]
fn restart_of_a_running_node() {
    passes(20, || async {
        let node = idle("a");
        sleep(SECOND).await;
        node.restart();
        assert!(node.is_running());
        node.restart();
        node.pause();
        node.restart();
        assert!(node.is_running() && !node.is_paused());
    });
}

#[test]
fn names_that_do_not_resolve() {
    passes(5, || async {
        let error = TcpStream::connect("nobody:80").await.unwrap_err();
        assert!(error.to_string().contains("Name or service not known"), "{error}");
        let error = TcpStream::connect("main:80").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn limits_of_a_node() {
    passes(20, || async {
        let server = sim::node("server").start(|| async {
            let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
            let mut streams = Vec::new();
            loop {
                streams.push(listener.accept().await.unwrap());
            }
        });
        let address = (server.ip(), 80);
        let small = sim::node("small").open_files(4).start(move || async move {
            sleep(SECOND).await;
            let mut streams = Vec::new();
            for _ in 0..4 {
                streams.push(TcpStream::connect(address).await.unwrap());
            }
            let error = TcpStream::connect(address).await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(EMFILE));
            let error = UdpSocket::bind("0.0.0.0:0").await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(EMFILE));
            streams.pop();
            TcpStream::connect(address).await.unwrap();
        });
        let few = sim::node("few").ephemeral_ports(5_000..=5_002).start(move || async move {
            sleep(SECOND).await;
            let mut streams = Vec::new();
            for _ in 0..3 {
                streams.push(TcpStream::connect(address).await.unwrap());
                let port = streams.last().unwrap().local_addr().unwrap().port();
                assert!((5_000..=5_002).contains(&port));
            }
            let error = TcpStream::connect(address).await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(EADDRNOTAVAIL));
            let sockets: Vec<_> = [(); 3].into_iter().collect();
            let mut bound = Vec::new();
            for () in sockets {
                bound.push(UdpSocket::bind("0.0.0.0:0").await.unwrap());
            }
            let error = UdpSocket::bind("0.0.0.0:0").await.unwrap_err();
            assert_eq!(error.raw_os_error(), Some(EADDRINUSE));
        });
        small.join().await.unwrap();
        few.join().await.unwrap();
        // The limits stay, and all is given back once TIME_WAIT is over.
        sleep(120 * SECOND).await;
        small.restart();
        few.restart();
        small.join().await.unwrap();
        few.join().await.unwrap();
    });
}

#[test]
fn addresses_in_use() {
    passes(5, || async {
        let _first = TcpListener::bind("0.0.0.0:80").await.unwrap();
        let error = TcpListener::bind("0.0.0.0:80").await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(EADDRINUSE));
        let error = TcpListener::bind("10.1.2.3:80").await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(EADDRNOTAVAIL));
    });
}

/// All of them are accepted, open at once, and each has its own bytes.
#[test]
fn ten_thousand_connections() {
    const CONNECTIONS: u32 = 10_000;
    passes(1, || async {
        let server = sim::node("server").start(|| async {
            let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                sim::spawn(async move {
                    while let Ok(number) = stream.read_u32().await {
                        stream.write_u32(number + 1).await.unwrap();
                    }
                });
            }
        });
        let address = (server.ip(), 80);
        sleep(SECOND).await;
        let mut streams = Vec::new();
        for number in 0..CONNECTIONS {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_u32(number).await.unwrap();
            streams.push(stream);
        }
        for (number, stream) in (0..).zip(&mut streams) {
            assert_eq!(stream.read_u32().await.unwrap(), number + 1);
        }
    });
}

#[test]
fn messages_larger_than_any_buffer() {
    passes(5, || async {
        let _node = sim::node("server").start(|| async {
            let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            let right = (0..all.len()).all(|at| all[at] == (at / 3) as u8);
            stream.write_u32(if right { all.len() as u32 } else { 0 }).await.unwrap();
        });
        sleep(SECOND).await;
        let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
        let error = socket.send_to(&[0; 65_508], "server:53").await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(EMSGSIZE));
        assert_eq!(socket.send_to(&[0; 65_507], "server:53").await.unwrap(), 65_507);

        let mut stream = TcpStream::connect("server:80").await.unwrap();
        let all: Vec<u8> = (0..4_000_000).map(|at| (at / 3) as u8).collect();
        stream.write_all(&all).await.unwrap();
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read_u32().await.unwrap(), 4_000_000);
    });
}

/// Its window closes; the peer asks for ever whether it has opened, as Linux does. Nothing else will ever happen.
#[test]
fn a_peer_that_never_reads() {
    let main = |patience: Option<Duration>| async move {
        let _node = sim::node("server").start(|| async {
            let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
            let _stream = listener.accept().await.unwrap();
            std::future::pending::<()>().await;
        });
        sleep(SECOND).await;
        let mut stream = TcpStream::connect("server:80").await.unwrap();
        let all = vec![0; 10_000_000];
        match patience {
            None => stream.write_all(&all).await.unwrap(),
            Some(patience) => assert!(timeout(patience, stream.write_all(&all)).await.is_err()),
        }
    };
    fails(|| main(None), FailureKind::Deadlock, "write to 192.168.0.1:80");
    passes(5, || main(Some(60 * SECOND)));
}
