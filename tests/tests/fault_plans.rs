//! Random plans of faults over a client and a server of TCP on three nodes: what arrives is exactly what was sent, in order,
//! or there is an error; nothing hangs without a report; and when the faults stop, requests are served.

use sim::io::{AsyncReadExt, AsyncWriteExt};
use sim::{
    Config, FailureKind, Faults,
    faults::FaultKind,
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);

/// Byte `at` of what a client sends for `request`.
fn byte(request: u32, at: usize) -> u8 {
    (request as usize * 31 + at * 7 + at / 256) as u8
}

fn bytes(request: u32, count: usize) -> Vec<u8> {
    (0..count).map(|at| byte(request, at)).collect()
}

/// Answers each request with its bytes, as long as the connection lasts.
async fn serve(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let request = stream.read_u32().await?;
        let count = stream.read_u32().await? as usize;
        assert!(count <= 4_096, "{count} is no length that a client sends");
        let mut body = vec![0; count];
        stream.read_exact(&mut body).await?;
        assert_eq!(body, bytes(request, count), "what the server got of {request}");
        stream.write_u32(request).await?;
        stream.write_all(&body).await?;
    }
}

async fn server() -> io::Result<()> {
    let listener = TcpListener::bind("0.0.0.0:80").await?;
    loop {
        // Errors of one connection are no end of the server.
        if let Ok((stream, _)) = listener.accept().await {
            sim::spawn(async move {
                let _ended = serve(stream).await;
            });
        }
    }
}

/// One request, over a connection that is there, or a new one.
async fn ask(
    stream: &mut Option<TcpStream>,
    to: &str,
    request: u32,
    count: usize,
) -> io::Result<()> {
    let mut connection = match stream.take() {
        Some(connection) => connection,
        None => TcpStream::connect((to, 80)).await?,
    };
    let body = bytes(request, count);
    connection.write_u32(request).await?;
    connection.write_u32(count as u32).await?;
    connection.write_all(&body).await?;
    assert_eq!(connection.read_u32().await?, request, "an answer to another request");
    let mut answer = vec![0; count];
    connection.read_exact(&mut answer).await?;
    assert_eq!(answer, body, "what the client got of {request}");
    *stream = Some(connection);
    Ok(())
}

/// Asks until it is answered, with so much patience for each try.
async fn ask_until_answered(to: &str, request: u32) {
    let mut stream = None;
    while !matches!(timeout(SECOND, ask(&mut stream, to, request, 512)).await, Ok(Ok(()))) {
        stream = None;
        sleep(Duration::from_millis(50)).await;
    }
}

/// A client that asks both servers, as it can.
async fn client(answered: Arc<AtomicU32>, failed: Arc<AtomicU32>) {
    let mut streams = [None, None];
    for request in 0.. {
        let which = request as usize % 2;
        let to = ["a", "b"][which];
        let count = [0, 1, 100, 4_096][request as usize / 2 % 4];
        match timeout(2 * SECOND, ask(&mut streams[which], to, request, count)).await {
            Ok(Ok(())) => answered.fetch_add(1, SeqCst),
            _ => {
                streams[which] = None;
                failed.fetch_add(1, SeqCst)
            }
        };
        sleep(Duration::from_millis(100)).await;
    }
}

/// As many as the issue asks for, in a debug build within a minute.
const PLANS: u64 = 10_000;

#[test]
fn ten_thousand_random_plans() {
    let (answered, failed) = (AtomicU64::new(0), AtomicU64::new(0));
    // What befalls only datagrams is not in it.
    let faults = Faults::swarm();
    let config = Config::new().seed(5).seeds(PLANS).jobs(2).recheck_every(512).faults(faults);
    let report = sim::check(config, || async {
        let _a = sim::node("a").start(server);
        let _b = sim::node("b").start(server);
        let counts = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
        let [good, bad] = counts.clone();
        let _c = sim::node("c").start(move || client(good.clone(), bad.clone()));
        sleep(2 * SECOND).await;
        sim::faults::stop();
        let served = async {
            for to in ["a", "b"] {
                ask_until_answered(to, 7).await;
            }
        };
        sim::within(30 * SECOND, "requests are served when the faults have stopped", served).await;
        answered.fetch_add(counts[0].load(SeqCst).into(), SeqCst);
        failed.fetch_add(counts[1].load(SeqCst).into(), SeqCst);
    });
    assert!(report.failure.is_none(), "{report}");
    assert_eq!(report.runs, PLANS);
    let (answered, failed) = (answered.into_inner(), failed.into_inner());
    assert!(answered > 5 * PLANS && failed > PLANS / 20, "{answered} answered, {failed} failed");
    let effective = |kind| report.faults.iter().any(|it| it.kind == kind && it.effective > 100);
    use FaultKind::*;
    let of_datagrams = [Duplication, Reordering, ClockSkew, ClockJump, Buggify];
    for kind in FaultKind::ALL.into_iter().filter(|kind| *kind < Buggify) {
        assert!(effective(kind) || of_datagrams.contains(&kind), "{kind}: {report}");
    }
}

/// A deadlock is one, though faults go on for ever.
#[test]
fn faults_keep_no_run_alive() {
    for faults in [Faults::moderate(), Faults::swarm()] {
        let report = sim::check(Config::new().seeds(100).faults(faults), || async {
            let _server = sim::node("server").start(|| async {
                let _listener = TcpListener::bind("0.0.0.0:80").await;
                std::future::pending::<()>().await;
            });
            std::future::pending::<()>().await;
        });
        let failure = report.failure.expect("nothing goes on");
        assert_eq!(failure.kind, FailureKind::Deadlock, "{failure}");
        assert_eq!(report.runs, 1);
    }
}

/// What is injured heals before a deadlock is told: what it does then may be progress.
#[test]
fn injuries_heal_before_a_deadlock() {
    let faults = Faults::none().crash(SECOND, 60 * SECOND);
    let waited = AtomicU32::new(0);
    let report = sim::check(Config::new().seeds(50).faults(faults), || async {
        let (starts, mut started) = sim::sync::mpsc::unbounded_channel();
        let _server = sim::node("server").start(move || {
            let _ = starts.send(());
            std::future::pending::<()>()
        });
        started.recv().await;
        sleep(3 * SECOND).await;
        let crashed = !sim::node::get("server").unwrap().is_running();
        if crashed && started.is_empty() {
            started.recv().await; // There is no timer but that of the node's return.
            waited.fetch_add(1, SeqCst);
        }
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(waited.into_inner() > 0);
}

/// No more nodes are injured at once than the budget says, and never main.
#[test]
fn the_budget_is_kept() {
    for (budget, most_down) in [(None, 2), (Some(1), 1), (Some(4), 4)] {
        let mut faults = Faults::none()
            .crash(Duration::from_millis(100), 2 * SECOND)
            .pause(Duration::from_millis(100), 2 * SECOND);
        if let Some(budget) = budget {
            faults = faults.budget(budget);
        }
        let most = AtomicU32::new(0);
        let report = sim::check(Config::new().seeds(20).faults(faults), || async {
            let nodes = ["a", "b", "c", "d", "e"].map(|name| {
                sim::node(name).start(|| async {
                    loop {
                        sleep(Duration::from_millis(10)).await;
                    }
                })
            });
            for _ in 0..1_000 {
                sleep(Duration::from_millis(10)).await;
                let down = nodes.iter().filter(|node| !node.is_running() || node.is_paused());
                most.fetch_max(down.count() as u32, SeqCst);
            }
            sim::faults::stop();
            assert!(nodes.iter().all(|node| node.is_running() && !node.is_paused()));
            sleep(20 * SECOND).await;
            assert!(nodes.iter().all(|node| node.is_running() && !node.is_paused()));
            sim::faults::resume();
            sleep(SECOND).await;
        });
        assert!(report.failure.is_none(), "{report}");
        assert_eq!(most.into_inner(), most_down, "{budget:?}");
    }
}

/// What the test has done itself is the test's to end.
#[test]
fn the_tests_own_hand() {
    let faults = Faults::none()
        .crash(Duration::from_millis(200), 2 * SECOND)
        .partition(Duration::from_millis(200), 2 * SECOND);
    let report = sim::check(Config::new().seeds(50).faults(faults), || async {
        let down = sim::node("down").start(std::future::pending::<()>);
        let _server = sim::node("server").start(server);
        sim::net::partition("main", "server");
        sleep(3 * SECOND).await;
        // Maybe it is down already, by a fault, which would start it again.
        down.crash();
        sleep(5 * SECOND).await;
        assert!(!down.is_running(), "who was crashed by the test was started by a fault");
        sim::faults::stop();
        assert!(!down.is_running());
        let connected = timeout(5 * SECOND, TcpStream::connect("server:80")).await;
        assert!(connected.is_err(), "a fault that healed has mended the test's own partition");
        sim::net::repair("main", "server");
        sim::within(5 * SECOND, "an answer", ask_until_answered("server", 1)).await;
    });
    assert!(report.failure.is_none(), "{report}");
}

/// An idle day, and more, costs next to nothing.
#[test]
fn faults_become_rarer() {
    let report = sim::check(Config::new().seeds(20).faults(Faults::swarm()), || async {
        let _server = sim::node("server").start(server);
        sleep(Duration::from_secs(10 * 365 * 86_400)).await;
    });
    assert!(report.failure.is_none(), "{report}");
    assert!(report.steps / report.runs < 100_000, "{}", report.steps / report.runs);
}

/// The same seed has the same faults at the same times: also in runs that crash in the middle of polls.
#[test]
fn runs_with_faults_are_repeated_exactly() {
    let config = Config::new().seeds(200).recheck_every(1).faults(Faults::swarm());
    let report = sim::check(config, || async {
        let _a = sim::node("a").start(server);
        let _b = sim::node("b").start(server);
        let counts = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
        let [good, bad] = counts;
        let _c = sim::node("c").start(move || client(good.clone(), bad.clone()));
        sleep(2 * SECOND).await;
    });
    assert!(report.failure.is_none(), "{report}");
}

/// An exhaustive search goes through the faults' choices too: it finds the one crash that hurts.
#[test]
fn exhaustive_search_has_faults() {
    let faults = Faults::none().crash(SECOND, SECOND);
    let config = Config::new().exhaustive(true).schedules(2_000).faults(faults);
    let report = sim::check(config, || async {
        let server = sim::node("server").start(std::future::pending::<()>);
        sleep(2 * SECOND + SECOND / 2).await;
        assert!(server.is_running(), "it is down");
    });
    let failure = report.failure.expect("a crash is found");
    assert!(failure.message.contains("it is down"), "{failure}");
}

/// Faults that do nothing are told.
#[test]
fn faults_without_effect_are_warnings() {
    let told = |faults| {
        let report = sim::check(Config::new().seeds(20).faults(faults), || async {
            let _server = sim::node("server").start(server);
            sleep(SECOND).await;
        });
        assert!(report.failure.is_none(), "{report}");
        report.warnings
    };
    let warnings = told(Faults::none().loss_ppm(100_000));
    assert_eq!(
        warnings,
        [
            "the fault loss is configured, and had no effect in any of 20 runs; it was injected 0 times"
        ]
    );
    assert!(told(Faults::none()).is_empty());
    let alone = sim::check(Config::new().seeds(20).faults(Faults::swarm()), || async {});
    assert_eq!(
        alone.warnings,
        ["no fault had an effect in any of 20 runs: they strike nodes, and the links between them"]
    );
}

#[test]
fn mistakes_in_faults() {
    let check = |faults, expected: &str| {
        let report = sim::check(Config::new().faults(faults), || async {});
        let failure = report.failure.expect("it is a mistake");
        assert_eq!((failure.kind, &*failure.message), (FailureKind::Setup, expected));
    };
    check(Faults::none().loss_ppm(1_000_001), "faults: loss: 1000001 of 1000000 is more than all");
    check(Faults::none().splits([]), "faults: splits: a partition splits the nodes somehow");
}

#[sim::test(seeds = 20, faults = "moderate")]
async fn the_attribute_takes_a_preset() {
    let _server = sim::node("server").start(server);
    sim::faults::stop();
    ask_until_answered("server", 1).await;
    sim::faults::resume();
    sleep(SECOND).await;
}

/// A program that drops the error of a connection that was reset, and goes on writing to it.
#[test]
fn errors_that_are_ignored() {
    let told = |ignores: bool| {
        let faults = Faults::none().close_ppm(50_000);
        sim::check(Config::new().seeds(100).faults(faults), move || async move {
            let _server = sim::node("server").start(server);
            sleep(SECOND / 10).await;
            let Ok(mut stream) = TcpStream::connect("server:80").await else { return };
            for _ in 0..50 {
                let written = stream.write_all(&[0; 8]).await;
                if !ignores && written.is_err() {
                    return;
                }
                sleep(SECOND / 100).await;
            }
        })
    };
    let report = told(true);
    assert!(report.failure.is_none(), "{report}");
    let warning = report.warnings.iter().find(|it| it.contains("lint ignored_fault"));
    let warning = warning.expect("it is told");
    assert!(warning.starts_with("task main goes on to read from or write to the connection from"));
    assert!(warning.contains("tests/fault_plans.rs"), "{warning}");
    assert!(told(false).warnings.is_empty());
}

/// The network's time is the simulation's, however wrong the clock of the node goes that sends.
#[test]
fn packets_keep_the_simulations_time() {
    let report = sim::check(Config::new().seeds(20), || async {
        use sim::net::UdpSocket;
        let socket = UdpSocket::bind("0.0.0.0:53").await.unwrap();
        sim::net::default_link().latency(SECOND);
        let sender = sim::node("sender").start(|| async {
            sleep(SECOND).await;
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            socket.send_to(b"x", "main:53").await.unwrap();
            std::future::pending::<()>().await;
        });
        sender.clock().drift(-500_000); // Half as fast: it sends after two seconds.
        let start = sim::time::Instant::now();
        socket.recv(&mut [0; 1]).await.unwrap();
        let took = start.elapsed();
        assert!(took.abs_diff(3 * SECOND) < SECOND / 100, "{took:?}");
    });
    assert!(report.failure.is_none(), "{report}");
}
