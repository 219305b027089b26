//! The network of many nodes, and of nodes whose clocks are wrong.

use sim::{
    Config, check,
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    node,
    time::{Instant, sleep},
};
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);

async fn echo() {
    let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        stream.write_all(&byte).await.unwrap();
    }
}

async fn ask(of: &str) {
    let mut stream = TcpStream::connect((of, 7)).await.unwrap();
    stream.write_all(b"x").await.unwrap();
    let mut byte = [0];
    stream.read_exact(&mut byte).await.unwrap();
}

/// Packets take their time, whatever the clocks of those show who send and receive them.
#[test]
fn packets_do_not_follow_a_nodes_clock() {
    let report = check(Config::new().seeds(20).strategy("calm"), || async {
        sim::net::default_link().latency(10 * MS);
        let server = node("server").start(echo);
        let client = node("client").start(|| async {
            sleep(MS).await;
            ask("server").await;
        });
        // Half as fast as it should be.
        server.clock().drift(-500_000);
        client.clock().drift(-500_000);
        let begin = Instant::now();
        client.join().await.unwrap();
        // There and back to connect, there and back to ask.
        let took = begin.elapsed();
        assert!((40 * MS..50 * MS).contains(&took), "{took:?}");
    });
    assert!(report.failure.is_none(), "{report}");
}

/// Each asks the next one, all at once.
#[test]
fn a_thousand_nodes() {
    const NODES: u32 = 1_000;
    let report = check(Config::new().seeds(1), || async {
        let name = |number: u32| format!("node-{number}");
        let nodes: Vec<_> = (0..NODES)
            .map(|number| {
                node(name(number)).workers(2).start(move || async move {
                    sim::spawn(echo());
                    sleep(MS).await;
                    ask(&name((number + 1) % NODES)).await;
                    // As long as others may ask.
                    sleep(Duration::from_secs(60)).await;
                })
            })
            .collect();
        for node in nodes {
            node.join().await.unwrap();
        }
    });
    assert!(report.failure.is_none(), "{report}");
}
