//! The dining philosophers (Dijkstra, EWD310): each needs two forks. If all take the left one first,
//! all can hold one and wait for ever.

use sim as tokio;
use std::sync::Arc;
use tokio::{sync::Mutex, task::JoinSet};

const PHILOSOPHERS: usize = 5;

/// Which fork a philosopher takes first.
type Order = fn(usize) -> (usize, usize);

async fn dine(order: Order) {
    let forks: Arc<Vec<Mutex<u32>>> = Arc::new((0..PHILOSOPHERS).map(|_| Mutex::new(0)).collect());
    let mut table = JoinSet::new();
    for philosopher in 0..PHILOSOPHERS {
        let forks = forks.clone();
        table.spawn(async move {
            let (first, second) = order(philosopher);
            for _ in 0..2 {
                let mut first = forks[first].lock().await;
                let mut second = forks[second].lock().await;
                *first += 1;
                *second += 1;
            }
        });
    }
    table.join_all().await;
    for fork in forks.iter() {
        assert_eq!(*fork.lock().await, 4, "each fork is used twice by two philosophers");
    }
}

/// The left fork first.
pub async fn broken() {
    dine(|philosopher| (philosopher, (philosopher + 1) % PHILOSOPHERS)).await;
}

/// The fork of the lower number first, so that no circle can close.
pub async fn corrected() {
    dine(|philosopher| {
        let other = (philosopher + 1) % PHILOSOPHERS;
        (philosopher.min(other), philosopher.max(other))
    })
    .await;
}
