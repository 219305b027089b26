//! Names that a program gives to its objects and tasks are what its reports say.

use sim::{
    Config, FailureKind,
    sync::{Mutex, mpsc},
    time::{Duration, sleep},
};
use std::sync::Arc;

async fn crossed_locks() {
    let locks = ["accounts", "audit"].map(|name| {
        let lock = Arc::new(Mutex::new(0));
        sim::name(&lock, name);
        lock
    });
    let take = |one: &Arc<Mutex<i32>>, other: &Arc<Mutex<i32>>| {
        let (one, other) = (one.clone(), other.clone());
        async move {
            let _one = one.lock().await;
            sleep(Duration::from_millis(1)).await;
            let _other = other.lock().await;
        }
    };
    let builder = sim::task::Builder::new();
    let payer = builder.name("payer").spawn(take(&locks[0], &locks[1])).unwrap();
    let auditor = builder.name("auditor").spawn(take(&locks[1], &locks[0])).unwrap();
    payer.await.unwrap();
    auditor.await.unwrap();
}

#[test]
fn deadlocks_are_told_with_given_names() {
    let failure = sim::check(Config::new().seeds(200), crossed_locks).failure.unwrap();
    assert_eq!(failure.kind, FailureKind::Deadlock);
    for expected in [
        r#"cycle: main/0 "payer" -> main/1 "auditor" -> main/0 "payer""#,
        r#"acquire "audit" (created at "#,
        r#"acquire "accounts" (created at "#,
        r#"which task main/1 "auditor" took at "#,
    ] {
        assert!(failure.message.contains(expected), "{expected} is not in {failure}");
    }
    assert!(failure.to_string().contains(r#": acquire "audit" at"#), "{failure}");
}

#[test]
fn warnings_are_told_with_given_names() {
    let report = sim::check(Config::new().seeds(1).strategy("calm"), || async {
        let one = Arc::new(Mutex::new(()));
        let other = Arc::new(Mutex::new(()));
        sim::name(&*one, "index");
        sim::name(&other, format!("page {}", 7));
        sim::join!(
            async {
                let _one = one.lock().await;
                let _other = other.lock().await;
            },
            async {
                sim::spawn({
                    let (one, other) = (one.clone(), other.clone());
                    async move {
                        let _other = other.lock().await;
                        let _one = one.lock().await;
                    }
                })
                .await
                .unwrap();
            }
        );
        let kept = one.clone();
        drop(sim::spawn(async move {
            let _kept = kept.lock().await;
            std::future::pending::<()>().await;
        }));
        sleep(Duration::from_secs(1)).await;
    });
    assert!(report.failure.is_none(), "{report}");
    let all = report.warnings.join("\n");
    assert!(all.contains(r#"holds the lock "index" created at "#), "{all}");
}

/// Neither end of a channel has a name of its own, a later name counts, and names of one run are not those of the next.
#[test]
fn a_channel_has_one_name_and_a_run_its_own() {
    let report = sim::check(Config::new().seeds(1), || async {
        let (sender, mut receiver) = mpsc::channel::<u8>(1);
        sim::name(&sender, "in");
        sim::name(&receiver, "inbox");
        let _kept = sender;
        receiver.recv().await;
    });
    let failure = report.failure.unwrap();
    assert!(failure.message.contains(r#"receive "inbox" (created at "#), "{failure}");
    static LOCK: Mutex<()> = Mutex::const_new(());
    let check = |named: bool| {
        let test = move || async move {
            if named {
                sim::name(&LOCK, "static");
            }
            let _first = LOCK.lock().await;
            let _second = LOCK.lock().await;
        };
        sim::check(Config::new().seeds(1), test).failure.unwrap().message
    };
    assert!(check(true).contains(r#"acquire "static" (created at "#));
    assert!(check(false).contains("acquire object 1 (created at "));
}
