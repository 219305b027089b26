//! A store with a leader and two followers. Writes go to the leader, which sends them on; the broken store reads at
//! whichever replica comes next, the corrected one asks the leader. That a read is stale shows in no single answer, only
//! in the history of all of them: the clients record their calls, and the history has to be linearizable.

use sim as tokio;
use sim::history::{
    Recorder,
    models::{KeyValue, KvOp, KvRet},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{sleep, timeout},
};

type Key = &'static str;

/// The first replica is the leader.
struct Store {
    replicas: [Mutex<BTreeMap<Key, u32>>; 3],
    next: AtomicUsize,
}

impl Store {
    fn new() -> Arc<Store> {
        Arc::new(Store { replicas: Default::default(), next: AtomicUsize::new(0) })
    }

    /// Done when the leader has it; the followers get it a little later, in the order of the writes.
    async fn put(self: &Arc<Store>, key: Key, value: u32) {
        network().await;
        self.replicas[0].lock().await.insert(key, value);
        let store = self.clone();
        tokio::spawn(async move {
            network().await;
            for follower in &store.replicas[1..] {
                let newest = store.replicas[0].lock().await.get(key).copied();
                follower.lock().await.extend(newest.map(|value| (key, value)));
            }
        });
    }

    /// Any replica is good enough.
    async fn get_broken(&self, key: Key) -> Option<u32> {
        let replica = self.next.fetch_add(1, SeqCst) % self.replicas.len();
        network().await;
        self.replicas[replica].lock().await.get(key).copied()
    }

    /// The leader knows.
    async fn get(&self, key: Key) -> Option<u32> {
        network().await;
        self.replicas[0].lock().await.get(key).copied()
    }
}

/// A message is on its way.
async fn network() {
    sleep(Duration::from_millis(2)).await;
}

/// Two clients that write and read two keys, each call with a limit.
async fn clients(broken: bool) {
    const LIMIT: Duration = Duration::from_secs(1);
    let store = Store::new();
    let history = Recorder::new();
    let mut clients = JoinSet::new();
    for (client, first) in [("ann", 10), ("bob", 20)] {
        let (store, history) = (store.clone(), history.clone());
        clients.spawn(async move {
            for (key, value) in [("x", first), ("y", first + 1)] {
                let put = timeout(LIMIT, async {
                    store.put(key, value).await;
                    KvRet::Done
                });
                let _ = history.call(client, KvOp::Put(key, value), put).await;
                let get = timeout(LIMIT, async {
                    KvRet::Value(match broken {
                        true => store.get_broken(key).await,
                        false => store.get(key).await,
                    })
                });
                let _ = history.call(client, KvOp::Get(key), get).await;
            }
        });
    }
    clients.join_all().await;
    history.check(KeyValue::new());
}

/// Reads at any replica.
pub async fn broken() {
    clients(true).await;
}

/// Reads at the leader.
pub async fn corrected() {
    clients(false).await;
}
