//! Canaries: for each kind of fault a tiny program that dies if, and only if, the fault bites. Each dies within so many runs
//! with that fault alone, and lives without faults and with each of the others alone, but for those that do the same to it.

use sim::io::{AsyncReadExt, AsyncWriteExt};
use sim::{
    Config, Faults, Report,
    faults::{FaultKind, Split},
    net::{TcpListener, TcpStream, UdpSocket},
    time::{Duration, Instant, sleep, timeout},
};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::SystemTime,
};

type Canary = fn() -> Pin<Box<dyn Future<Output = ()> + Send>>;

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);
/// Runs in which a canary has to die.
const RUNS: u64 = 40;

/// That fault, and no other.
fn alone(kind: FaultKind) -> Faults {
    let none = Faults::none();
    match kind {
        FaultKind::Latency => none.latency(SECOND),
        FaultKind::Loss => none.loss_ppm(300_000),
        FaultKind::Duplication => none.duplicate_ppm(500_000),
        FaultKind::Reordering => none.reorder_ppm(500_000, 100 * MILLISECOND),
        FaultKind::Corruption => none.corrupt_ppm(200_000),
        FaultKind::PartialIo => none.partial_io(true),
        FaultKind::Close => none.close_ppm(200_000),
        FaultKind::Clog => none.clog(SECOND, 2 * SECOND),
        FaultKind::Swizzle => none.swizzle(SECOND, 4 * SECOND),
        FaultKind::Partition => none.partition(SECOND, 3 * SECOND),
        FaultKind::Crash => none.crash(SECOND, SECOND),
        FaultKind::Pause => none.pause(SECOND, 2 * SECOND),
        FaultKind::ClockSkew => none.clock_skew(10 * SECOND),
        FaultKind::ClockDrift => none.clock_drift_ppm(100_000),
        FaultKind::ClockJump => none.clock_jump(SECOND, 10 * SECOND),
        FaultKind::Buggify => none.buggify(true),
        _ => unreachable!("{kind} is nothing that is configured"),
    }
}

/// The kinds that can be configured.
fn kinds() -> impl Iterator<Item = FaultKind> {
    FaultKind::ALL.into_iter().filter(|kind| *kind <= FaultKind::Buggify)
}

fn run(canary: Canary, faults: Faults) -> Report {
    sim::check(Config::new().seeds(RUNS).faults(faults), canary)
}

/// The canary dies of `kind`, and may of the `alike`, but of nothing else.
#[track_caller]
fn check(canary: Canary, kind: FaultKind, alike: &[FaultKind]) {
    let healthy = run(canary, Faults::none());
    assert!(healthy.failure.is_none(), "without faults: {healthy}");
    assert!(healthy.faults.is_empty(), "{healthy}");
    let dead = run(canary, alone(kind));
    assert!(dead.failure.is_some(), "{kind} does not bite in {RUNS} runs: {dead}");
    let count = dead.faults.iter().find(|count| count.kind == kind);
    assert!(count.is_some_and(|count| count.effective > 0), "{kind} is not counted: {dead}");
    let failure = dead.failure.unwrap();
    // Latency is how long something takes, as that of each link is.
    assert!(failure.tape.faults() > 0 || kind == FaultKind::Latency, "the tape has no {kind}");
    let again = sim::replay_with(Config::new().faults(alone(kind)), &failure.tape, canary);
    assert_eq!(again.failure.map(|it| it.message), Some(failure.message), "a replay of {kind}");
    for other in kinds().filter(|other| *other != kind && !alike.contains(other)) {
        let report = run(canary, alone(other));
        assert!(report.failure.is_none(), "{other} instead of {kind}: {report}");
    }
}

/// What holds all packets for a while, or loses them.
const STOPS: [FaultKind; 3] = [FaultKind::Clog, FaultKind::Swizzle, FaultKind::Partition];

/// A server of UDP that sends back what comes, at `server:53`.
fn echo() -> sim::Node {
    sim::node("server").start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:53").await?;
        let mut buffer = [0; 64];
        loop {
            let (len, from) = socket.recv_from(&mut buffer).await?;
            socket.send_to(&buffer[..len], from).await?;
        }
        #[allow(unreachable_code)]
        Ok::<(), io::Error>(())
    })
}

/// Sends numbered datagrams and gives what comes back, in its order.
async fn datagrams(count: u8) -> Vec<Vec<u8>> {
    let _server = echo();
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    sleep(MILLISECOND).await;
    socket.connect("server:53").await.unwrap();
    for number in 0..count {
        let _ = socket.send(&[number; 8]).await;
        sleep(50 * MILLISECOND).await;
    }
    let mut got = Vec::new();
    let mut buffer = [0; 64];
    // Beyond what anything is held for.
    while let Ok(Ok(len)) = timeout(20 * SECOND, socket.recv(&mut buffer)).await {
        got.push(buffer[..len].to_vec());
    }
    got
}

fn numbers(count: u8) -> Vec<Vec<u8>> {
    (0..count).map(|number| vec![number; 8]).collect()
}

#[test]
fn latency() {
    let canary: Canary = || {
        Box::pin(async {
            let _server = echo();
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            sleep(MILLISECOND).await;
            socket.connect("server:53").await.unwrap();
            let mut buffer = [0; 8];
            let start = Instant::now();
            socket.send(&[1; 8]).await.unwrap();
            if let Ok(Ok(_)) = timeout(3 * SECOND, socket.recv(&mut buffer)).await {
                assert!(start.elapsed() < 150 * MILLISECOND, "late");
            }
        })
    };
    use FaultKind::{Clog, Pause, Reordering, Swizzle};
    check(canary, FaultKind::Latency, &[Clog, Pause, Reordering, Swizzle]);
}

#[test]
fn loss() {
    let canary: Canary = || {
        Box::pin(async {
            let mut got = datagrams(20).await;
            got.sort();
            got.dedup();
            assert_eq!(got.len(), 20, "some were lost");
        })
    };
    use FaultKind::{Corruption, Crash, Partition};
    check(canary, FaultKind::Loss, &[Corruption, Crash, Partition]);
}

#[test]
fn duplication() {
    let canary: Canary = || {
        Box::pin(async {
            let mut got = datagrams(20).await;
            let count = got.len();
            got.sort();
            got.dedup();
            assert_eq!(got.len(), count, "some came twice");
        })
    };
    check(canary, FaultKind::Duplication, &[FaultKind::Corruption]);
}

#[test]
fn reordering() {
    let canary: Canary = || {
        Box::pin(async {
            let got = datagrams(20).await;
            assert!(got.is_sorted(), "one overtook another");
        })
    };
    // What was held comes at once, is answered at once, and each answer has a latency of its own.
    use FaultKind::{Clog, Corruption, Duplication, Latency, Pause, Swizzle};
    let alike = [Clog, Corruption, Duplication, Latency, Pause, Swizzle];
    check(canary, FaultKind::Reordering, &alike);
}

#[test]
fn corruption() {
    let canary: Canary = || {
        Box::pin(async {
            let right = numbers(20);
            let got = datagrams(20).await;
            assert!(got.iter().all(|bytes| right.contains(bytes)), "a bit was turned");
        })
    };
    check(canary, FaultKind::Corruption, &[]);
}

/// A connection to a server that sends back what comes, whatever becomes of it.
async fn connected() -> io::Result<TcpStream> {
    sim::node("server").start(|| async {
        let listener = TcpListener::bind("0.0.0.0:80").await?;
        loop {
            let (mut stream, _) = listener.accept().await?;
            sim::spawn(async move {
                let (mut read, mut write) = stream.split();
                let _ = sim::io::copy(&mut read, &mut write).await;
            });
        }
        #[allow(unreachable_code)]
        Ok::<(), io::Error>(())
    });
    sleep(MILLISECOND).await;
    TcpStream::connect("server:80").await
}

#[test]
fn partial_io() {
    let canary: Canary = || {
        Box::pin(async {
            let Ok(mut stream) = connected().await else { return };
            for _ in 0..10 {
                // A program that takes for granted that a small message comes in one piece.
                if stream.write(&[7; 100]).await.ok() != Some(100) {
                    panic!("a part was written");
                }
                let mut buffer = [0; 100];
                match timeout(SECOND, stream.read(&mut buffer)).await {
                    Ok(Ok(len)) => assert!(len == 100 || len == 0, "a part was read"),
                    _ => return,
                }
            }
        })
    };
    // A write to a connection that was reset is none.
    check(canary, FaultKind::PartialIo, &[FaultKind::Close, FaultKind::Crash]);
}

#[test]
fn close() {
    let canary: Canary = || {
        Box::pin(async {
            let Ok(mut stream) = connected().await else { return };
            for _ in 0..10 {
                let mut buffer = [0; 100];
                let echoed = async {
                    stream.write_all(&[7; 100]).await?;
                    stream.read_exact(&mut buffer).await
                };
                // Long enough for whatever heals.
                match timeout(600 * SECOND, echoed).await {
                    Ok(Ok(_)) => {}
                    _ => panic!("the connection broke off"),
                }
            }
        })
    };
    check(canary, FaultKind::Close, &[FaultKind::Crash]);
}

/// Asks the server again and again; gives the longest that an answer took. What is lost is sent again.
async fn longest_wait() -> Duration {
    let _server = echo();
    let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    sleep(MILLISECOND).await;
    socket.connect("server:53").await.unwrap();
    let mut longest = Duration::ZERO;
    let mut buffer = [0; 64];
    for number in 0..100 {
        let start = Instant::now();
        loop {
            let _ = socket.send(&[number; 8]).await;
            let answered = async {
                while socket.recv(&mut buffer).await.is_err() || buffer[..8] != [number; 8] {}
            };
            if timeout(10 * MILLISECOND, answered).await.is_ok() {
                break;
            }
        }
        longest = longest.max(start.elapsed());
        sleep(100 * MILLISECOND).await;
    }
    longest
}

/// Nothing came through for a while, either to be delivered or lost.
fn stops() -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async {
        let longest = longest_wait().await;
        assert!(longest < 240 * MILLISECOND, "nothing came through for {longest:?}");
    })
}

#[test]
fn clog_swizzle_partition() {
    for kind in STOPS {
        let mut alike = STOPS.to_vec();
        use FaultKind::{Corruption, Crash, Latency, Loss, Pause};
        alike.extend([Corruption, Crash, Latency, Loss, Pause]);
        check(stops, kind, &alike);
    }
}

/// What a clog holds is delivered, what comes to a cut is lost.
#[test]
fn clogs_and_swizzles_lose_nothing() {
    let canary: Canary = || {
        Box::pin(async {
            let mut got = datagrams(100).await;
            got.sort();
            got.dedup();
            assert_eq!(got.len(), 100, "some were lost");
        })
    };
    for kind in [FaultKind::Clog, FaultKind::Swizzle, FaultKind::Pause] {
        let report = run(canary, alone(kind));
        assert!(report.failure.is_none(), "{report}");
        assert!(report.faults.iter().any(|it| it.kind == kind && it.effective > 0), "{report}");
    }
    assert!(run(canary, alone(FaultKind::Partition)).failure.is_some());
}

#[test]
fn crash() {
    let canary: Canary = || {
        Box::pin(async {
            let starts = Arc::new(AtomicU32::new(0));
            let counted = starts.clone();
            let _server = sim::node("server").start(move || {
                counted.fetch_add(1, SeqCst);
                std::future::pending::<()>()
            });
            sleep(10 * SECOND).await;
            assert_eq!(starts.load(SeqCst), 1, "it was started again");
        })
    };
    check(canary, FaultKind::Crash, &[]);
}

#[test]
fn pause() {
    let canary: Canary = || {
        Box::pin(async {
            let late = Arc::new(AtomicU32::new(0));
            let noted = late.clone();
            let _server = sim::node("server").start(move || {
                let noted = noted.clone();
                async move {
                    loop {
                        let start = Instant::now();
                        sleep(10 * MILLISECOND).await;
                        if start.elapsed() > 20 * MILLISECOND {
                            noted.fetch_add(1, SeqCst);
                        }
                    }
                }
            });
            sleep(10 * SECOND).await;
            assert_eq!(late.load(SeqCst), 0, "it slept for too long");
        })
    };
    check(canary, FaultKind::Pause, &[]);
}

/// Whether the clock of the node is wrong, by what the test's own showed.
type Look = fn(SystemTime) -> Pin<Box<dyn Future<Output = bool> + Send>>;

/// A node looks at its clock.
async fn on_node(wrong: Look) {
    let seen = Arc::new(AtomicU32::new(0));
    let noted = seen.clone();
    let wall = SystemTime::now();
    let _server = sim::node("server").start(move || {
        let noted = noted.clone();
        async move {
            if wrong(wall).await {
                noted.fetch_add(1, SeqCst);
            }
            std::future::pending::<()>().await;
        }
    });
    sleep(30 * SECOND).await;
    assert_eq!(seen.load(SeqCst), 0, "the clock is wrong");
}

#[cfg(target_os = "linux")]
#[test]
fn clock_skew() {
    let canary: Canary = || {
        Box::pin(on_node(|wall| {
            Box::pin(async move {
                let here = SystemTime::now();
                let off = here.duration_since(wall).unwrap_or_else(|error| error.duration());
                off > SECOND
            })
        }))
    };
    // A node that crashes looks again, later.
    check(canary, FaultKind::ClockSkew, &[FaultKind::Crash]);
}

#[test]
fn clock_drift() {
    let canary: Canary = || {
        Box::pin(async {
            let node = sim::node("server").start(|| async { sleep(100 * SECOND).await });
            let start = Instant::now();
            while node.is_running() && start.elapsed() < 120 * SECOND {
                sleep(100 * MILLISECOND).await;
            }
            let took = start.elapsed();
            assert!(took.abs_diff(100 * SECOND) < SECOND, "100 s took {took:?}");
        })
    };
    use FaultKind::{Crash, Pause};
    check(canary, FaultKind::ClockDrift, &[Crash, Pause]);
}

#[cfg(target_os = "linux")]
#[test]
fn clock_jump() {
    let canary: Canary = || {
        Box::pin(on_node(|_| {
            Box::pin(async {
                let mut wrong = false;
                for _ in 0..100 {
                    let (now, wall) = (Instant::now(), SystemTime::now());
                    sleep(100 * MILLISECOND).await;
                    wrong |= match wall.elapsed() {
                        Ok(passed) => passed.abs_diff(now.elapsed()) > 100 * MILLISECOND,
                        Err(_) => true,
                    };
                }
                wrong
            })
        }))
    };
    check(canary, FaultKind::ClockJump, &[]);
}

#[test]
fn buggify() {
    let canary: Canary = || {
        Box::pin(async {
            for _ in 0..10 {
                assert!(!sim::buggify!(), "on purpose");
            }
        })
    };
    check(canary, FaultKind::Buggify, &[]);
}

/// A place is armed in a quarter of the runs, and then true in a quarter of the times.
#[test]
fn buggify_is_armed_once_a_run() {
    let (armed, fired) = (AtomicU32::new(0), AtomicU32::new(0));
    let config = Config::new().seeds(1_000).recheck_every(0).faults(alone(FaultKind::Buggify));
    let report = sim::check(config, || async {
        let times = (0..40).filter(|_| sim::buggify!()).count() as u32;
        armed.fetch_add(u32::from(times > 0), SeqCst);
        fired.fetch_add(times, SeqCst);
        sim::faults::stop();
        assert!(!(0..40).any(|_| sim::buggify!(1 in 1)), "faults were stopped");
    });
    assert!(report.failure.is_none(), "{report}");
    let (armed, fired) = (armed.into_inner(), fired.into_inner());
    assert!((200..300).contains(&armed), "{armed} of 1000");
    assert!((armed * 9..armed * 11).contains(&fired), "{fired} of {}", armed * 40);
}

/// Who is cut off depends on the split. One partition has ended when the next may begin.
#[test]
fn splits() {
    for (split, alone_only) in [(Split::Isolate, true), (Split::Size, false), (Split::Cut, false)] {
        let faults = Faults::none()
            .partition(SECOND, 100 * MILLISECOND)
            .splits([split])
            .oneway(false)
            .budget(2);
        let most = AtomicU32::new(0);
        let report = sim::check(Config::new().seeds(RUNS).faults(faults), || async {
            let nodes: Vec<_> = ["a", "b", "c", "d", "e"].map(echo_named).into_iter().collect();
            sim::net::default_link().latency(MILLISECOND / 10);
            let socket = UdpSocket::bind("0.0.0.0:0").await.unwrap();
            let mut before = std::collections::BTreeSet::new();
            for _ in 0..300 {
                sleep(10 * MILLISECOND).await;
                for node in &nodes {
                    let _ = socket.send_to(b"x", (node.ip(), 53)).await;
                }
                let mut buffer = [0; 8];
                let mut answered = std::collections::BTreeSet::new();
                while let Ok(Ok((_, from))) =
                    timeout(MILLISECOND, socket.recv_from(&mut buffer)).await
                {
                    answered.insert(from);
                }
                // Seen twice, so that it is not one that begins or ends right now. Main may be with the smaller side.
                if answered == before {
                    let small = answered.len().min(nodes.len() - answered.len());
                    most.fetch_max(small as u32, SeqCst);
                }
                before = answered;
            }
        });
        assert!(report.failure.is_none(), "{report}");
        let most = most.into_inner();
        assert_eq!(most, if alone_only { 1 } else { 2 }, "{split:?}");
    }
}

fn echo_named(name: &str) -> sim::Node {
    sim::node(name).start(|| async {
        let socket = UdpSocket::bind("0.0.0.0:53").await?;
        let mut buffer = [0; 64];
        loop {
            let (len, from) = socket.recv_from(&mut buffer).await?;
            socket.send_to(&buffer[..len], from).await?;
        }
        #[allow(unreachable_code)]
        Ok::<(), io::Error>(())
    })
}
