//! tokio-postgres as it is, against a scripted server.

mod check;

use check::passes;
use futures_util::future::join_all;
use sim::{
    Config, Node,
    net::TcpStream,
    time::{Duration, Instant, sleep, timeout},
};
use sim_clients::postgres_server::{self, Accounts};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};
use tokio_postgres::{Client, NoTls, SimpleQueryMessage, error::SqlState};

const SECOND: Duration = Duration::from_secs(1);
const BALANCE: &str = "SELECT balance FROM accounts WHERE id = $1";
const DEPOSIT: &str = "UPDATE accounts SET balance = balance + $2 WHERE id = $1";
const SLEEP: &str = "SELECT pg_sleep($1)";
const SUM: &str = "SELECT sum(balance) FROM accounts";

/// A server with the accounts 1, of 100, and 2, of 200.
fn server() -> Node {
    let accounts: Accounts = Arc::new(Mutex::new(BTreeMap::from([(1, 100), (2, 200)])));
    sim::node("postgres").start(move || postgres_server::serve(accounts.clone()))
}

/// A client, once the server is there. The user is named: else the client asks the machine who runs the test.
async fn connect() -> Client {
    let mut config = tokio_postgres::Config::new();
    config.user("clerk").dbname("bank");
    loop {
        let connected = async {
            let stream = TcpStream::connect("postgres:5432").await.ok()?;
            stream.set_nodelay(true).ok()?; // As the crate does with sockets of its own.
            config.connect_raw(stream, NoTls).await.ok()
        };
        match connected.await {
            Some((client, connection)) => {
                // Its error is that of the calls in flight, too.
                sim::spawn(async move { drop(connection.await) });
                return client;
            }
            None => sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn balance(client: &Client, id: i32) -> i64 {
    client.query_one(BALANCE, &[&id]).await.unwrap().get(0)
}

#[test]
fn simple_queries() {
    passes(|| async {
        let _server = server();
        let client = connect().await;
        let messages = client.simple_query(SUM).await.unwrap();
        let sum = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get("sum"),
            _ => None,
        });
        assert_eq!(sum, Some("300"));
    });
}

#[test]
fn prepared_statements() {
    passes(|| async {
        let _server = server();
        let client = connect().await;
        let deposit = client.prepare(DEPOSIT).await.unwrap();
        for amount in [10_i64, 20, 30] {
            assert_eq!(client.execute(&deposit, &[&1_i32, &amount]).await.unwrap(), 1);
        }
        assert_eq!(balance(&client, 1).await, 160);
        assert!(client.query_opt(BALANCE, &[&3_i32]).await.is_ok());
    });
}

/// Queries of one connection go out at once, and are answered in the order in which they were asked.
#[test]
fn pipelined_queries() {
    passes(|| async {
        let _server = server();
        sim::net::default_link().latency(Duration::from_millis(500));
        let client = connect().await;
        let (deposit, balance) = (client.prepare(DEPOSIT).await, client.prepare(BALANCE).await);
        let (deposit, balance) = (deposit.unwrap(), balance.unwrap());
        let start = Instant::now();
        let asked = (0..10).map(async |_| {
            let deposit = client.execute(&deposit, &[&2_i32, &1_i64]);
            let (done, row) = sim::join!(deposit, client.query_one(&balance, &[&2_i32]));
            assert_eq!(done.unwrap(), 1);
            row.unwrap().get::<_, i64>(0)
        });
        let balances = join_all(asked).await;
        assert_eq!(balances, (201..211).collect::<Vec<i64>>());
        assert!(start.elapsed() < 2 * SECOND, "{:?}", start.elapsed());
    });
}

#[test]
fn errors_leave_the_connection_usable() {
    passes(|| async {
        let _server = server();
        let client = connect().await;
        let error = client.query("SELECT nonsense", &[]).await.unwrap_err();
        assert_eq!(error.code(), Some(&SqlState::SYNTAX_ERROR));
        let error = client.execute(DEPOSIT, &[&3_i32, &1_i64]).await.unwrap_err();
        assert_eq!(error.as_db_error().unwrap().message(), "there is no account 3");
        assert!(client.simple_query("SELECT nonsense").await.is_err());
        assert_eq!(balance(&client, 1).await, 100);
    });
}

#[test]
fn connection_lost_in_the_middle() {
    passes(|| async {
        let server = server();
        let client = connect().await;
        let sleeping = client.execute(SLEEP, &[&60_i32]);
        let crash = async {
            sleep(SECOND).await;
            server.crash();
            server.restart();
        };
        // The crashed machine says nothing; the restarted one resets what it does not know, once somebody sends.
        let (slept, ()) = sim::join!(timeout(30 * SECOND, sleeping), crash);
        assert!(slept.is_err());
        assert!(client.simple_query(SUM).await.is_err());
        assert!(client.is_closed());
        let client = connect().await;
        assert_eq!(balance(&client, 2).await, 200);
    });
}

/// The client numbers its statements in a static: in the second run of a process they have other, longer names. That makes
/// no difference here; on a link with a bandwidth, where each byte takes its time, it would.
#[test]
fn same_seed_same_run() {
    let run = |seed| {
        let seen = Mutex::new(Vec::new());
        let report = sim::check(Config::new().only_seed(seed), || async {
            sim::net::default_link().jitter(Duration::from_millis(5)).loss_ppm(50_000);
            let server = server();
            let start = Instant::now();
            for _ in 0..5 {
                let client = connect().await;
                let asked = (0..5).map(async |_| balance(&client, 1).await);
                let balances = join_all(asked).await;
                seen.lock().unwrap().push((start.elapsed(), balances));
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
