//! Workers take a lock in redis (`SET lock … NX EX 10`) to change a ledger one after the other. One of them stands still
//! for longer than the lock lives, as under a long collection of garbage or a paused virtual machine: then two have it, and
//! a change is lost. The corrected worker brings a number that grows with each holder, and the ledger refuses who comes
//! with an older one than it has seen: a fencing token, after Kleppmann, *How to do distributed locking* (2016).

use crate::{
    redis_counter::connect_soon,
    redis_server::{self, Store},
};
use rand::RngExt;
use redis::{
    AsyncCommands, ExistenceCheck, RedisResult, SetExpiry, SetOptions, aio::MultiplexedConnection,
};
use sim as tokio;
use sim::rand::rng;
use std::sync::{Arc, Mutex};
use tokio::time::{Duration, sleep};

const WORKERS: u64 = 2;
const CHANGES: u64 = 2;

/// What the lock is to guard. It outlives everybody.
#[derive(Clone, Default)]
struct Ledger {
    inner: Arc<Mutex<(u64, u64)>>,
}

/// Who has asked has a younger token.
struct Stale;

impl Ledger {
    fn read(&self, token: u64) -> Result<u64, Stale> {
        self.touch(token, |value| *value)
    }

    fn write(&self, token: u64, new: u64) -> Result<(), Stale> {
        self.touch(token, |value| *value = new)
    }

    fn touch<T>(&self, token: u64, touch: impl FnOnce(&mut u64) -> T) -> Result<T, Stale> {
        let (value, seen) = &mut *self.inner.lock().unwrap();
        if token < *seen {
            return Err(Stale);
        }
        *seen = token;
        Ok(touch(value))
    }
}

/// Takes the lock, changes the ledger, gives the lock back if it is still its own. Whether the change was made.
async fn change(
    redis: &mut MultiplexedConnection,
    me: u64,
    ledger: &Ledger,
    broken: bool,
) -> RedisResult<bool> {
    let ten_seconds = SetOptions::default()
        .conditional_set(ExistenceCheck::NX)
        .with_expiration(SetExpiry::EX(10));
    while !redis.set_options::<_, _, bool>("lock", me, ten_seconds.clone()).await? {
        sleep(Duration::from_millis(100)).await;
    }
    // With the same token for all the ledger refuses nobody.
    let token = if broken { 0 } else { redis.incr("token", 1).await? };
    let changed = async {
        let value = ledger.read(token)?;
        sleep(Duration::from_secs(1)).await; // Thinks.
        ledger.write(token, value + 1)
    };
    let changed: Result<(), Stale> = changed.await;
    if redis.get::<_, Option<u64>>("lock").await? == Some(me) {
        redis.del::<_, ()>("lock").await?;
    }
    Ok(changed.is_ok())
}

async fn work(me: u64, ledger: Ledger, broken: bool) -> RedisResult<()> {
    let mut redis = connect_soon("redis").await;
    let mut changes = 0;
    while changes < CHANGES {
        changes += u64::from(change(&mut redis, me, &ledger, broken).await?);
    }
    Ok(())
}

async fn workers(broken: bool) {
    let (store, ledger) = (Store::default(), Ledger::default());
    let _redis = sim::node("redis").start(move || redis_server::serve(store.clone()));
    let mut workers = Vec::new();
    for me in 0..WORKERS {
        let ledger = ledger.clone();
        workers.push(
            sim::node(format!("worker-{me}")).start(move || work(me, ledger.clone(), broken)),
        );
    }
    // One of them stands still for a while, somewhen.
    sleep(Duration::from_millis(rng().random_range(0..3_000))).await;
    workers[0].pause();
    sleep(Duration::from_secs(15)).await;
    workers[0].resume();
    for worker in workers {
        worker.join().await.unwrap();
    }
    let (changes, _) = *ledger.inner.lock().unwrap();
    assert_eq!(changes, WORKERS * CHANGES, "changes are lost");
}

/// Who has the lock writes.
pub async fn broken() {
    workers(true).await;
}

/// Who has the newest token writes.
pub async fn corrected() {
    workers(false).await;
}
