//! A key-value store on three machines that survives the loss of any one of them, over TCP. One replica leads; the
//! others follow it, and elect another when they have not heard of it for a while.
//!
//! A leader that a partition has cut off does not know that it leads no more. The broken one answers reads out of its
//! own memory, although the others have elected a new leader and gone on without it; the corrected one asks a majority
//! first whether it still leads. In no single answer does that show, only in the history of all clients' calls.
//!
//! | file | idea |
//! |---|---|
//! | `frames.rs` | a request and its reply over a connection: JSON behind its length |
//! | `replica.rs` | a machine of the store: what it has promised, how it leads and how it is elected |
//! | `mod.rs` | the test: clients that record their calls, and partitions |

mod frames;
mod replica;

use frames::{Reply, Request, call};
use rand::RngExt;
use replica::{REPLICAS, Replica, name};
use sim as tokio;
use sim::{
    Node,
    history::{
        Recorder,
        models::{KeyValue, KvOp, KvRet},
    },
    net::{partition, repair},
    rand::rng,
};
use std::{ops::Range, time::Duration};
use tokio::time::sleep;

type History = Recorder<KvOp<&'static str, u32>, KvRet<u32>>;

/// The one key: the more calls meet at it the more the history says.
const KEY: &str = "x";
const CLIENTS: [&str; 2] = ["ann", "bob"];
const CALLS: u32 = 12;
/// A client gives a replica so long to answer.
const PATIENCE: Duration = Duration::from_millis(300);

/// A leader reads out of its own memory.
pub async fn broken() {
    test(false).await;
}

/// A leader reads once a majority has confirmed it.
pub async fn corrected() {
    test(true).await;
}

async fn test(asks_before_reads: bool) {
    for number in 0..REPLICAS {
        sim::node(name(number)).start(move || Replica::run(number, asks_before_reads));
    }
    let history = History::new();
    let clients: Vec<Node> = (0..)
        .zip(CLIENTS)
        .map(|(number, client)| {
            let history = history.clone();
            sim::node(client).start(move || calls(client, number, history.clone()))
        })
        .collect();
    for _ in 0..3 {
        sleep(a_while(100..600)).await;
        cut_off_one().await;
    }
    for client in clients {
        client.join().await.unwrap();
    }
    // What was lost is found again: with all links whole the store answers.
    let answer = async {
        let mut at = 0;
        while get(&mut at).await.is_err() {}
    };
    sim::within(Duration::from_secs(10), "an answer after the partitions", answer).await;
    history.check(KeyValue::new());
}

/// Cuts off a replica for a while, perhaps with a client on its side.
async fn cut_off_one() {
    let lone = rng().random_range(0..REPLICAS);
    let with_it = rng().random_range(0..=CLIENTS.len());
    let (mut minority, mut majority) = (vec![name(lone)], Vec::new());
    majority.extend((0..REPLICAS).filter(|other| *other != lone).map(name));
    for (number, client) in CLIENTS.into_iter().enumerate() {
        let side = if number == with_it { &mut minority } else { &mut majority };
        side.push(client.to_string());
    }
    partition(&minority, &majority);
    sleep(a_while(300..2_000)).await;
    repair(minority, majority);
}

fn a_while(ms: Range<u64>) -> Duration {
    Duration::from_millis(rng().random_range(ms))
}

/// A client: it puts numbers that nobody else puts, and gets what is there.
async fn calls(client: &'static str, number: u32, history: History) {
    let mut at = number as usize;
    for nth in 0..CALLS {
        sleep(a_while(20..150)).await;
        // What comes of a call that was lost is told by the history alone.
        if rng().random_bool(0.4) {
            let value = 100 * (number + 1) + nth;
            let put = async {
                let put = Request::Put { key: KEY.into(), value };
                request(&mut at, &put).await.map(|_| KvRet::Done)
            };
            let _ = history.call(client, KvOp::Put(KEY, value), put).await;
        } else {
            let get = async { get(&mut at).await.map(KvRet::Value) };
            let _ = history.call(client, KvOp::Get(KEY), get).await;
        }
    }
}

/// The call has not been answered: it may have been done, may still be, or never.
#[derive(Debug)]
struct Lost;

async fn get(at: &mut usize) -> Result<Option<u32>, Lost> {
    match request(at, &Request::Get { key: KEY.into() }).await? {
        Reply::Value(value) => Ok(value),
        other => panic!("{other:?} is no answer to a get"),
    }
}

/// Asks replicas in turn until one that leads answers. What may have been done is not asked twice.
async fn request(at: &mut usize, request: &Request) -> Result<Reply, Lost> {
    for _ in 0..30 {
        match call(&name(*at), request, PATIENCE).await {
            Ok(reply @ (Reply::Done | Reply::Value(_))) => return Ok(reply),
            Ok(Reply::NotLeader) => sleep(Duration::from_millis(30)).await,
            Ok(_) | Err(_) if matches!(request, Request::Get { .. }) => {}
            Ok(_) | Err(_) => {
                *at = (*at + 1) % REPLICAS;
                return Err(Lost);
            }
        }
        *at = (*at + 1) % REPLICAS;
    }
    Err(Lost)
}
