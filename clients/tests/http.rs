//! hyper and axum as they are, over simulated sockets: HTTP/1 and HTTP/2, on nodes that crash and links that break.

mod check;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Path, State},
    response::IntoResponse,
    routing::{get, post},
};
use check::passes;
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use hyper::{
    Request, StatusCode,
    body::Incoming,
    client::conn::{http1, http2},
    header,
};
use hyper_util::client::legacy::Client;
use sim::{
    Config, FailureKind, Node,
    hyper::{Connector, Executor, Io, Timer, serve},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{Duration, Instant, sleep, timeout},
};
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
};

const SECOND: Duration = Duration::from_secs(1);
const BLOCK: usize = 1000;

/// How many requests came to `/count`, in all lives of the server.
type Count = Arc<AtomicU32>;

fn router(count: Count) -> Router {
    Router::new()
        .route("/hello/{name}", get(async |Path(name): Path<String>| format!("hello {name}")))
        .route(
            "/count",
            post(async |State(count): State<Count>| (count.fetch_add(1, SeqCst) + 1).to_string()),
        )
        .route("/length", post(length))
        .route("/blocks/{count}", get(blocks))
        .route(
            "/sleep/{seconds}",
            get(async |Path(seconds): Path<u64>| {
                sleep(Duration::from_secs(seconds)).await;
                "slept"
            }),
        )
        .route("/panic", get(async || -> &'static str { panic!("the handler fell") }))
        .with_state(count)
}

/// Reads the body as it comes.
async fn length(body: Body) -> String {
    let mut stream = body.into_data_stream();
    let mut length = 0;
    while let Some(Ok(data)) = stream.next().await {
        length += data.len();
    }
    length.to_string()
}

/// A body that takes its time.
async fn blocks(Path(count): Path<u8>) -> impl IntoResponse {
    let blocks = stream::iter(0..count).then(async |number| {
        sleep(Duration::from_millis(100)).await;
        Ok::<_, io::Error>(Bytes::from(vec![number; BLOCK]))
    });
    Body::from_stream(blocks)
}

/// The server, and its count. Whoever calls the server has to wait for it to listen.
fn server() -> (Node, Count) {
    let count = Count::default();
    let kept = count.clone();
    let node = sim::node("server").start(move || {
        let router = router(kept.clone());
        async { serve(TcpListener::bind("0.0.0.0:80").await?, router).await }
    });
    (node, count)
}

fn client() -> Client<Connector, Body> {
    Client::builder(Executor).pool_timer(Timer).build(Connector)
}

async fn connect() -> TcpStream {
    loop {
        match TcpStream::connect("server:80").await {
            Ok(stream) => return stream,
            Err(_) => sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn connect_http1() -> http1::SendRequest<Body> {
    let (sender, connection) = http1::handshake(Io::new(connect().await)).await.unwrap();
    sim::spawn(async move { drop(connection.await) });
    sender
}

async fn connect_http2() -> http2::SendRequest<Body> {
    let mut builder = http2::Builder::new(Executor);
    builder.timer(Timer).keep_alive_interval(SECOND).keep_alive_timeout(SECOND);
    let (sender, connection) = builder.handshake(Io::new(connect().await)).await.unwrap();
    sim::spawn(async move { drop(connection.await) });
    sender
}

fn request(path: &str) -> Request<Body> {
    Request::get(format!("http://server{path}")).body(Body::empty()).unwrap()
}

fn post_to(path: &str, body: Body) -> Request<Body> {
    Request::post(format!("http://server{path}")).body(body).unwrap()
}

async fn text(body: Incoming) -> String {
    String::from_utf8(body.collect().await.unwrap().to_bytes().into()).unwrap()
}

/// A hundred blocks, each of its number.
fn numbered_blocks() -> Body {
    Body::from_stream(stream::iter(0..100).then(async |number| {
        sleep(Duration::from_millis(1)).await;
        Ok::<_, io::Error>(Bytes::from(vec![number; BLOCK]))
    }))
}

#[test]
fn keep_alive() {
    passes(|| async {
        let _server = server();
        let mut sender = connect_http1().await;
        for name in ["ann", "bob"] {
            sender.ready().await.unwrap();
            let response = sender.send_request(request(&format!("/hello/{name}"))).await.unwrap();
            assert_eq!(text(response.into_body()).await, format!("hello {name}"));
        }
        let ends = sim::net::sockets().iter().filter(|line| line.state == "ESTABLISHED").count();
        assert_eq!(ends, 2, "both went over one connection");
    });
}

#[test]
fn many_clients_at_once() {
    passes(|| async {
        let (_server, count) = server();
        drop(connect().await);
        let mut clients = JoinSet::new();
        for _ in 0..5 {
            let client = client();
            clients.spawn(async move {
                for _ in 0..3 {
                    let response = client.request(post_to("/count", Body::empty())).await.unwrap();
                    assert_eq!(response.status(), StatusCode::OK);
                }
            });
        }
        clients.join_all().await;
        assert_eq!(count.load(SeqCst), 15);
    });
}

#[test]
fn bodies_that_stream() {
    passes(|| async {
        let _server = server();
        let (mut one, mut two) = (connect_http1().await, connect_http2().await);
        let response = one.send_request(post_to("/length", numbered_blocks())).await.unwrap();
        assert_eq!(text(response.into_body()).await, "100000");
        let response = two.send_request(post_to("/length", numbered_blocks())).await.unwrap();
        assert_eq!(text(response.into_body()).await, "100000");

        one.ready().await.unwrap();
        let start = Instant::now();
        let response = one.send_request(request("/blocks/20")).await.unwrap();
        assert!(start.elapsed() < SECOND, "the head comes before the body");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!((0..20).all(|number| body[usize::from(number) * BLOCK] == number));
        assert!(start.elapsed() >= 2 * SECOND);
    });
}

/// Slow and quick requests share a connection of HTTP/2, and do not wait for each other.
#[test]
fn multiplexing() {
    passes(|| async {
        let _server = server();
        let sender = connect_http2().await;
        let start = Instant::now();
        let mut slow = sender.clone();
        let slow = sim::spawn(async move { slow.send_request(request("/sleep/5")).await.unwrap() });
        let mut quick = JoinSet::new();
        for number in 0..10 {
            let mut sender = sender.clone();
            quick.spawn(async move {
                let path = format!("/hello/{number}");
                text(sender.send_request(request(&path)).await.unwrap().into_body()).await
            });
        }
        let mut answers = quick.join_all().await;
        assert!(start.elapsed() < SECOND);
        answers.sort();
        assert!((0..10).all(|number| answers[number] == format!("hello {number}")));
        assert_eq!(text(slow.await.unwrap().into_body()).await, "slept");
        assert!(start.elapsed() >= 5 * SECOND);
    });
}

/// What was lost is sent again once the network is whole: the body comes late, and complete.
#[test]
fn partition_in_the_middle_of_a_response() {
    passes(|| async {
        let _server = server();
        let mut sender = connect_http1().await;
        let start = Instant::now();
        let response = sender.send_request(request("/blocks/20")).await.unwrap();
        let mut body = response.into_body();
        let mut length = 0;
        sim::net::partition("main", "server");
        let frames = async {
            while let Some(frame) = body.frame().await {
                length += frame.unwrap().into_data().unwrap().len();
            }
        };
        assert!(timeout(5 * SECOND, frames).await.is_err());
        sim::net::heal();
        let rest = body.collect().await.unwrap().to_bytes();
        assert_eq!(length + rest.len(), 20 * BLOCK);
        assert!(rest.ends_with(&[19; BLOCK]));
        assert!(start.elapsed() >= 5 * SECOND);
    });
}

/// With HTTP/2 a ping that nobody answers ends the connection, by hyper's own timer.
#[test]
fn keep_alive_ends_a_connection_that_was_cut() {
    passes(|| async {
        let _server = server();
        let mut sender = connect_http2().await;
        let response = sender.send_request(request("/hello/ann")).await.unwrap();
        assert_eq!(text(response.into_body()).await, "hello ann");
        sim::net::partition("main", "server");
        let start = Instant::now();
        sender.send_request(request("/hello/bob")).await.unwrap_err();
        assert!(start.elapsed() < 3 * SECOND, "{:?}", start.elapsed());
    });
}

#[test]
fn crash_in_the_middle_of_a_response() {
    passes(|| async {
        let (server, count) = server();
        let mut sender = connect_http1().await;
        let response = sender.send_request(request("/blocks/20")).await.unwrap();
        let mut body = response.into_body();
        assert!(body.frame().await.unwrap().is_ok());
        server.crash();
        server.restart();
        let rest = timeout(60 * SECOND, body.collect()).await;
        // A peer that is silent says nothing of its crash: only a limit of one's own does.
        assert!(rest.is_err() || rest.unwrap().is_err());
        drop(sender);

        let client = client();
        let answer = loop {
            let count = client.request(post_to("/count", Body::empty()));
            match timeout(SECOND, count).await {
                Ok(Ok(response)) => break text(response.into_body()).await,
                _ => sleep(SECOND).await,
            }
        };
        assert_eq!((answer.as_str(), count.load(SeqCst)), ("1", 1));
    });
}

#[test]
fn timeout_of_a_slow_handler() {
    passes(|| async {
        let _server = server();
        drop(connect().await);
        let client = client();
        let start = Instant::now();
        assert!(timeout(SECOND, client.request(request("/sleep/60"))).await.is_err());
        assert!(start.elapsed() < 2 * SECOND);
        let response = client.request(request("/hello/ann")).await.unwrap();
        assert_eq!(text(response.into_body()).await, "hello ann");
    });
}

/// hyper's limit for the head of a request, by the simulation's clock.
#[test]
fn client_that_sends_half_a_head() {
    use sim::io::{AsyncReadExt, AsyncWriteExt};
    passes(|| async {
        let _server = server();
        let mut stream = connect().await;
        stream.write_all(b"GET /hello/ann HTTP/1.1\r\nhost:").await.unwrap();
        let start = Instant::now();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let waited = start.elapsed();
        assert!(waited >= 29 * SECOND && waited < 32 * SECOND, "{waited:?}");
    });
}

/// The date is that of the server's clock, in each run anew.
#[test]
fn date_of_the_node() {
    let dates = Mutex::new(Vec::new());
    passes(|| async {
        let (server, _) = server();
        server.clock().jump(sim::node::Shift::Forward(Duration::from_secs(3600)));
        let client = client();
        drop(connect().await);
        let response = client.request(request("/hello/ann")).await.unwrap();
        dates.lock().unwrap().push(response.headers()[header::DATE].clone());
    });
    let mut dates = dates.into_inner().unwrap();
    dates.dedup();
    assert_eq!(dates.len(), 1, "{dates:?}");
}

/// Nobody looks at the task of a connection: the panic of its handler is a finding.
#[test]
fn handler_that_panics() {
    let report = sim::check(Config::new().seeds(1), || async {
        let _server = server();
        let mut sender = connect_http1().await;
        assert!(sender.send_request(request("/panic")).await.is_err());
    });
    let failure = report.failure.expect("it is seen");
    assert_eq!(failure.kind, FailureKind::SwallowedPanic, "{failure}");
    assert!(failure.message.contains("the handler fell"), "{failure}");
}

#[test]
fn connector_says_what_is_wrong() {
    passes(|| async {
        let (node, _) = server();
        drop(connect().await);
        for (uri, words) in [
            ("https://server/", "its scheme is not http"),
            ("http://nowhere/", "nowhere"),
            ("http://server:81/", "refused"),
        ] {
            let error = client().get(uri.parse().unwrap()).await.unwrap_err();
            let cause = format!("{:?}", error);
            assert!(cause.to_lowercase().contains(words), "{uri}: {cause}");
        }
        let by_address = format!("http://{}/hello/ann", node.ip());
        assert!(client().get(by_address.parse().unwrap()).await.unwrap().status().is_success());
    });
}

/// The same seed is the same run, to the last step and nanosecond, also the second time in a process.
#[test]
fn same_seed_same_run() {
    let run = |seed| {
        let seen = Mutex::new(Vec::new());
        let report = sim::check(Config::new().only_seed(seed), || async {
            let (server, _) = server();
            sim::net::default_link().jitter(Duration::from_millis(5)).loss_ppm(50_000);
            let start = Instant::now();
            let mut clients = JoinSet::new();
            for number in 0..6 {
                clients.spawn(async move {
                    let path = format!("/hello/{number}");
                    let answer = match number % 2 {
                        0 => connect_http1().await.send_request(request(&path)).await,
                        _ => connect_http2().await.send_request(request(&path)).await,
                    };
                    (number, answer.map(|answer| format!("{answer:?}")).map_err(|_| ()))
                });
            }
            while let Some(done) = clients.join_next().await {
                seen.lock().unwrap().push((start.elapsed(), done.unwrap()));
                server.crash();
                server.restart();
            }
        });
        assert!(report.failure.is_none(), "{report}");
        (report.steps, seen.into_inner().unwrap())
    };
    let (first, second, other) = (run(7), run(7), run(8));
    assert_eq!(first, second);
    assert_ne!(first, other);
}
