//! What is kept for ever, and locks whose holder was aborted half way; servers and careful programs are left alone.

use sim::{
    Config, FailureKind, Level, spawn,
    sync::{Mutex, RwLock, mpsc},
    time::{Duration, sleep},
};
use sim_tests::{Main, marks::with_places};
use std::sync::Arc;

/// Runs in which nothing must be said of legal programs.
const RUNS: u64 = 2_000;

#[track_caller]
fn warns(main: fn() -> Main, expected: &[&str]) {
    let report = sim::check(Config::new().seeds(200), main);
    assert!(report.failure.is_none(), "{report}");
    let all = report.warnings.join("\n");
    for part in expected {
        let part = with_places(file!(), include_str!("waits_leaks.rs"), part);
        assert!(all.contains(&part), "{part:?} is not in {all:?}");
    }
}

#[track_caller]
fn says_nothing(main: fn() -> Main) {
    let report = sim::check(Config::new().seeds(RUNS), main);
    assert!(report.failure.is_none(), "{report}");
    assert_eq!(report.warnings, [""; 0]);
    assert_eq!(report.runs, RUNS);
}

/// An actor that keeps a sender of its own inbox waits for ever once its clients have gone.
async fn own_sender(weak: bool) {
    let (sender, mut receiver) = mpsc::channel::<u8>(4);
    sim::name(&sender, "inbox");
    let (client, own) = (sender.clone(), sender);
    drop(spawn(async move {
        let weak_own = own.downgrade();
        let own = if weak { None } else { Some(own) };
        let again = async |value| match &own {
            Some(own) => own.send(value).await.unwrap(),
            None => {
                if let Some(own) = weak_own.upgrade() {
                    own.send(value).await.unwrap();
                }
            }
        };
        while let Some(value) = receiver.recv().await {
            if value > 0 {
                again(value - 1).await;
            }
        }
    }));
    client.send(2).await.unwrap();
    drop(client);
    sleep(Duration::from_secs(1)).await;
}

/// As above, with a sender that is only ever cloned.
async fn own_clone() {
    let (sender, mut receiver) = mpsc::unbounded_channel::<u8>();
    sim::name(&receiver, "inbox");
    let client = sender.clone();
    drop(spawn(async move {
        let own = sender;
        loop {
            let received = receiver.recv().await; // own recv
            let Some(value) = received else { break };
            if value > 0 {
                own.send(value - 1).unwrap();
            }
        }
    }));
    client.send(2).unwrap();
    drop(client);
    sleep(Duration::from_secs(1)).await;
}

#[test]
fn a_receiver_with_its_own_sender_is_told() {
    warns(
        || Box::pin(own_clone()),
        &[
            "still waits when main has ended, at {own recv}:37, for messages of the channel \"inbox\" created at ",
            "who has its senders waits too, for ever: itself",
        ],
    );
    // A sender may come back from the weak one: nobody knows.
    says_nothing(|| Box::pin(own_sender(true)));
}

/// Two actors that have each other's senders, and no client any more.
#[test]
fn receivers_that_keep_each_other_are_told() {
    warns(
        || {
            Box::pin(async {
                let (to_one, mut at_one) = mpsc::channel(4);
                let (to_other, mut at_other) = mpsc::channel(4);
                drop(spawn(async move {
                    to_other.send(1).await.unwrap();
                    while at_one.recv().await.is_some() {}
                }));
                drop(spawn(async move {
                    to_one.send(1).await.unwrap();
                    while at_other.recv().await.is_some() {}
                }));
                sleep(Duration::from_secs(1)).await;
            })
        },
        &["who has its senders waits too, for ever: a task spawned at tests/tests/waits_leaks.rs:"],
    );
}

#[test]
fn servers_are_no_leak() {
    says_nothing(|| {
        Box::pin(async {
            let (requests, mut at_server) = mpsc::channel(4);
            drop(spawn(async move { while at_server.recv().await.is_some() {} }));
            drop(spawn(async move {
                loop {
                    requests.send(1).await.unwrap();
                    sleep(Duration::from_secs(3_600)).await;
                }
            }));
            sleep(Duration::from_secs(1)).await;
        })
    });
}

/// Moves money in two steps, with an await between; aborted there it leaves a sum that is too small.
async fn transfer(accounts: Arc<Mutex<[i32; 2]>>, late: bool) {
    let mut accounts = accounts.lock().await; // torn lock
    if late {
        sleep(Duration::from_secs(10)).await;
        accounts[0] -= 10;
        accounts[1] += 10;
    } else {
        accounts[0] -= 10;
        sleep(Duration::from_secs(10)).await; // torn sleep
        accounts[1] += 10;
    }
}

async fn aborted_transfer(late: bool) {
    let accounts = Arc::new(Mutex::new([100, 100])); // torn created
    sim::name(&accounts, "accounts");
    let task = spawn(transfer(accounts.clone(), late)); // torn spawn
    sleep(Duration::from_secs(1)).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let sum: i32 = accounts.lock().await.iter().sum(); // torn again
    if late {
        assert_eq!(sum, 200);
    }
}

#[test]
fn a_change_that_an_abort_cuts_off_is_told() {
    warns(
        || Box::pin(aborted_transfer(false)),
        &[
            "a task spawned at {torn spawn}:16 was aborted where it waited, at \
             {torn sleep}:9, while it held the lock \"accounts\" created at {torn created}:",
            "taken at {torn lock}:33, and had changed what that protects; who takes it at \
             {torn again}:29 may find the change half done",
        ],
    );
    says_nothing(|| Box::pin(aborted_transfer(true)));
    let config = Config::new().lint("aborted_guard", Level::Deny);
    let failure = sim::check(config, || aborted_transfer(false)).failure.unwrap();
    assert_eq!(failure.kind, FailureKind::AbortedGuard, "{failure}");
    let config = Config::new().lint("aborted_guard", Level::Allow);
    let report = sim::check(config, || aborted_transfer(false));
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
}

/// An owned guard of a lock for many readers, whose holder is aborted; and one that only reads.
#[test]
fn guards_that_only_read_are_left_alone() {
    async fn aborted(writes: bool) {
        let value = Arc::new(RwLock::new(1));
        let task = spawn({
            let value = value.clone();
            async move {
                let mut guard = value.write_owned().await;
                if writes {
                    *guard += 1;
                }
                assert!(*guard > 0);
                sleep(Duration::from_secs(10)).await;
            }
        });
        sleep(Duration::from_secs(1)).await;
        task.abort();
        let _ = task.await;
        assert!(*value.read().await > 0);
    }
    warns(|| Box::pin(aborted(true)), &["and had changed what that protects"]);
    says_nothing(|| Box::pin(aborted(false)));
}
