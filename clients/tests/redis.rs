//! The crate `redis` as it is, against a server that speaks RESP.

mod check;

use check::passes;
use redis::{AsyncCommands, aio::MultiplexedConnection, pipe};
use sim::{
    Config, FailureKind, Node,
    task::JoinSet,
    time::{Duration, Instant, sleep, timeout},
};
use sim_clients::{
    redis_counter::{connect, connect_soon},
    redis_server::{self, Store},
};
use std::sync::Mutex;

const SECOND: Duration = Duration::from_secs(1);

/// A server, which keeps its keys over a crash, and a client.
async fn server() -> (Node, MultiplexedConnection) {
    let store = Store::default();
    let node = sim::node("redis").start(move || redis_server::serve(store.clone()));
    (node, connect_soon("redis").await)
}

#[test]
fn keys_expire_in_virtual_time() {
    passes(|| async {
        let (_server, mut redis) = server().await;
        let () = redis.set_ex("session", "ann", 3600).await.unwrap();
        let () = redis.set("name", "bob").await.unwrap();
        sleep(3590 * SECOND).await;
        assert_eq!(redis.get("session").await, Ok(Some("ann".to_string())));
        assert_eq!(redis.expire("name", 5).await, Ok(true));
        assert!((0..=5).contains(&redis.ttl::<_, i64>("name").await.unwrap()));
        sleep(20 * SECOND).await;
        assert_eq!(redis.get("session").await, Ok(None::<String>));
        assert_eq!(redis.ttl("name").await, Ok(-2));
    });
}

#[test]
fn pipelines_and_transactions() {
    passes(|| async {
        let (_server, mut redis) = server().await;
        let mut piped = pipe();
        piped.set("a", 1).ignore().incr("a", 41).get("a");
        assert_eq!(piped.query_async(&mut redis).await, Ok((42, 42)));
        let mut atomic = pipe();
        atomic.atomic().incr("a", 1).incr("b", 1).del("a");
        assert_eq!(atomic.query_async(&mut redis).await, Ok((43, 1, 1)));
        let () = redis.set("word", "x").await.unwrap();
        let error = redis.incr::<_, _, i64>("word", 1).await.unwrap_err();
        assert!(error.to_string().contains("not an integer"), "{error}");
    });
}

/// Many tasks share a connection.
#[test]
fn many_callers_of_one_connection() {
    passes(|| async {
        let (_server, redis) = server().await;
        let mut callers = JoinSet::new();
        for caller in 0..10 {
            let mut redis = redis.clone();
            callers.spawn(async move {
                let key = format!("key-{caller}");
                for count in 1..=5 {
                    assert_eq!(redis.incr(&key, 1).await, Ok(count));
                }
            });
        }
        callers.join_all().await;
    });
}

#[test]
fn reconnects_after_a_crash() {
    passes(|| async {
        let (server, mut redis) = server().await;
        let () = redis.set("name", "ann").await.unwrap();
        server.crash();
        server.restart();
        // The new process does not know the connection, and resets it.
        let error = redis.get::<_, String>("name").await.unwrap_err();
        assert!(error.is_connection_dropped(), "{error:?}");
        assert!(redis.get::<_, String>("name").await.is_err(), "it stays closed");
        let mut redis = connect_soon("redis").await;
        assert_eq!(redis.get("name").await, Ok("ann".to_string()));
    });
}

#[test]
fn partition_is_a_timeout_and_then_an_answer() {
    passes(|| async {
        let (_server, mut redis) = server().await;
        sim::net::partition("main", "redis");
        let mut other = redis.clone();
        assert!(timeout(SECOND, other.incr::<_, _, i64>("count", 1)).await.is_err());
        sim::net::heal();
        // What was sent arrives, though nobody waits for the answer.
        assert_eq!(redis.incr("count", 1).await, Ok(2));
        sim::net::partition("main", "redis");
        assert!(timeout(SECOND, connect("redis")).await.is_err());
    });
}

/// A limit of the crate's own is a sleep of the real tokio, of which there is none: the run says so.
#[test]
fn timeouts_of_the_crate_need_the_real_tokio() {
    let report = sim::check(Config::new().seeds(1), || async {
        let (_server, mut redis) = server().await;
        redis.set_response_timeout(SECOND);
        let _ = redis.get::<_, Option<String>>("name").await;
    });
    let failure = report.failure.expect("it panics");
    assert_eq!(failure.kind, FailureKind::Panic, "{failure}");
    assert!(failure.message.contains("there is no reactor running"), "{failure}");
}

#[test]
fn same_seed_same_run() {
    let run = |seed| {
        let seen = Mutex::new(Vec::new());
        let report = sim::check(Config::new().only_seed(seed), || async {
            sim::net::default_link().jitter(Duration::from_millis(5)).loss_ppm(50_000);
            let (server, _) = server().await;
            let start = Instant::now();
            let mut callers = JoinSet::new();
            for caller in 0..10 {
                callers.spawn(async move {
                    let mut redis = connect_soon("redis").await;
                    (caller, redis.incr::<_, _, i64>("count", 1).await.ok())
                });
            }
            while let Some(done) = callers.join_next().await {
                seen.lock().unwrap().push((start.elapsed(), done.unwrap()));
                if seen.lock().unwrap().len() == 3 {
                    server.crash();
                    server.restart();
                }
            }
        });
        assert!(report.failure.is_none(), "{report}");
        (report.steps, seen.into_inner().unwrap())
    };
    let (first, second, other) = (run(7), run(7), run(8));
    assert_eq!(first, second);
    assert_ne!(first, other);
}
