//! A bank whose transfers run at once. The broken one reads a balance, asks a slow service, and then
//! writes: another transfer between the read and the write is lost.

use sim as tokio;
use std::{sync::Arc, time::Duration};
use tokio::{sync::Mutex, task::JoinSet, time::sleep};

/// Accounts, and how many cents each holds.
struct Bank {
    balances: Mutex<Vec<i64>>,
}

const ACCOUNTS: usize = 3;
const START: i64 = 100;

impl Bank {
    fn new() -> Bank {
        Bank { balances: Mutex::new(vec![START; ACCOUNTS]) }
    }

    /// Asks whether the transfer is allowed; takes a moment.
    async fn authorise(&self) {
        sleep(Duration::from_millis(2)).await;
    }

    /// The lock is given back between the read and the write.
    async fn transfer_broken(&self, from: usize, to: usize, cents: i64) {
        let (source, target) = {
            let balances = self.balances.lock().await;
            (balances[from], balances[to])
        };
        if source < cents {
            return;
        }
        self.authorise().await;
        let mut balances = self.balances.lock().await;
        balances[from] = source - cents;
        balances[to] = target + cents;
    }

    /// Asks first, then reads and writes under one lock.
    async fn transfer(&self, from: usize, to: usize, cents: i64) {
        self.authorise().await;
        let mut balances = self.balances.lock().await;
        if balances[from] >= cents {
            balances[from] -= cents;
            balances[to] += cents;
        }
    }

    async fn sum(&self) -> i64 {
        self.balances.lock().await.iter().sum()
    }
}

/// Transfers that step on each other: money appears or is lost.
pub async fn broken() {
    let bank = Arc::new(Bank::new());
    let mut transfers = JoinSet::new();
    for (from, to, cents) in [(0, 1, 30), (1, 2, 20)] {
        let bank = bank.clone();
        // The second customer comes a little later.
        let later = Duration::from_millis(5 * from as u64);
        transfers.spawn(async move {
            sleep(later).await;
            bank.transfer_broken(from, to, cents).await;
        });
    }
    let hurried = bank.clone();
    transfers.spawn(async move { hurried.transfer_broken(2, 0, 10).await });
    transfers.join_all().await;
    assert_eq!(bank.sum().await, START * ACCOUNTS as i64, "the bank's sum has changed");
}

/// The same transfers, each in one piece.
pub async fn corrected() {
    let bank = Arc::new(Bank::new());
    let mut transfers = JoinSet::new();
    for (from, to, cents) in [(0, 1, 30), (1, 2, 20), (2, 0, 10)] {
        let bank = bank.clone();
        transfers.spawn(async move { bank.transfer(from, to, cents).await });
    }
    transfers.join_all().await;
    assert_eq!(bank.sum().await, START * ACCOUNTS as i64, "the bank's sum has changed");
}
