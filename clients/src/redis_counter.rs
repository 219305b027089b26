//! Visitors are counted in redis, by web servers on machines of their own. The broken server reads the counter and writes
//! it back plus one, so that two visits at a time count as one. The corrected one has redis add (`INCR`).
//!
//! The client is the crate `redis`, unchanged: it takes any stream, and what it does in the background is a future that
//! we spawn. Its timeouts ask the real tokio for the time, and are switched off: `sim::time::timeout` is there.

use crate::redis_server::{self, Store};
use redis::{
    AsyncCommands, AsyncConnectionConfig, RedisConnectionInfo, RedisResult,
    aio::MultiplexedConnection,
};
use sim as tokio;
use tokio::{
    net::TcpStream,
    time::{Duration, sleep},
};

const SERVERS: usize = 3;
const VISITS: usize = 2;

/// A connection to the redis on the node `host`, with a task that drives it.
///
/// # Errors
///
/// If nobody listens there, or speaks RESP.
pub async fn connect(host: &str) -> RedisResult<MultiplexedConnection> {
    let stream = TcpStream::connect((host, 6379)).await?;
    stream.set_nodelay(true)?; // As the crate does with sockets of its own.
    let config =
        AsyncConnectionConfig::new().set_response_timeout(None).set_connection_timeout(None);
    let info = RedisConnectionInfo::default();
    let (redis, driver) = MultiplexedConnection::new_with_config(&info, stream, config).await?;
    tokio::spawn(driver);
    Ok(redis)
}

/// As [`connect`], until it is there: a machine that starts takes a moment.
pub async fn connect_soon(host: &str) -> MultiplexedConnection {
    loop {
        match connect(host).await {
            Ok(redis) => return redis,
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn visits(
    add: impl AsyncFn(&mut MultiplexedConnection) -> RedisResult<()>,
) -> RedisResult<()> {
    let mut redis = connect_soon("redis").await;
    for _ in 0..VISITS {
        add(&mut redis).await?;
    }
    Ok(())
}

/// Reads, adds, writes.
async fn add_broken(redis: &mut MultiplexedConnection) -> RedisResult<()> {
    let visits: Option<u64> = redis.get("visits").await?;
    redis.set("visits", visits.unwrap_or(0) + 1).await
}

/// One step of the server's.
async fn add(redis: &mut MultiplexedConnection) -> RedisResult<()> {
    redis.incr("visits", 1).await
}

async fn count(broken: bool) {
    let store = Store::default();
    let kept = store.clone();
    let _redis = sim::node("redis").start(move || redis_server::serve(kept.clone()));
    let mut servers = Vec::new();
    for number in 0..SERVERS {
        servers.push(sim::node(format!("web-{number}")).start(move || async move {
            match broken {
                true => visits(add_broken).await,
                false => visits(add).await,
            }
        }));
    }
    for server in servers {
        server.join().await.unwrap();
    }
    let counted = store.get("visits").unwrap_or_default();
    assert_eq!(counted, (SERVERS * VISITS).to_string(), "visits are missing");
}

/// `GET`, then `SET`.
pub async fn broken() {
    count(true).await;
}

/// `INCR`.
pub async fn corrected() {
    count(false).await;
}
