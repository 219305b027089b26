//! Locks that one run takes in one order and another run in the other are told once, whatever the number of threads.

use sim::{
    Config, FailureKind, Level, spawn,
    sync::Mutex,
    time::{Duration, sleep},
};
use sim_tests::marks::with_places;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// Two tasks of which one comes first, by chance. The first takes both locks, in its own order; the other takes none.
async fn first_takes_both(same: bool) {
    let index = Arc::new(Mutex::new(0)); // index
    let pages = Arc::new(Mutex::new(0)); // pages
    let taken = Arc::new(AtomicBool::new(false));
    let reader = spawn({
        let (index, pages, taken) = (index.clone(), pages.clone(), taken.clone());
        async move {
            sleep(Duration::from_millis(1)).await;
            if !taken.swap(true, SeqCst) {
                let _index = index.lock().await; // reader first
                let _pages = pages.lock().await; // reader second
            }
        }
    }); // reader
    let writer = spawn(async move {
        sleep(Duration::from_millis(1)).await;
        if taken.swap(true, SeqCst) {
            return;
        }
        if same {
            let _index = index.lock().await;
            let _pages = pages.lock().await;
        } else {
            let _pages = pages.lock().await; // writer first
            let _index = index.lock().await; // writer second
        }
    });
    reader.await.unwrap();
    writer.await.unwrap();
}

#[test]
fn orders_that_differ_between_runs_are_told_once() {
    let check = |jobs| {
        let config = Config::new().seeds(200).jobs(jobs);
        let report = sim::check(config, || first_takes_both(false));
        assert!(report.failure.is_none(), "{report}");
        report.warnings
    };
    let warnings = check(1);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for part in [
        "two locks are taken in both orders, in different runs: a task spawned at ",
        "takes the one created at {index}:26 at {reader first}:36 and then the one created at {pages}:26 at {reader second}:36",
        "takes the one created at {pages}:26 at {writer first}:32 and then the one created at {index}:26 at {writer second}:32",
    ] {
        let part = with_places(file!(), include_str!("waits_orders.rs"), part);
        assert!(warnings[0].contains(&part), "{part:?} is not in {warnings:?}");
    }
    for jobs in [2, 3, 7] {
        assert_eq!(check(jobs), warnings);
    }
}

#[test]
fn orders_that_differ_between_runs_follow_the_level() {
    let check = |level| {
        let config = Config::new().seeds(200).lint("lock_order", level);
        sim::check(config, || first_takes_both(false))
    };
    let denied = check(Level::Deny);
    assert_eq!(denied.failure.as_ref().unwrap().kind, FailureKind::LockOrder, "{denied}");
    assert_eq!(denied.runs, 200, "{denied}");
    let allowed = check(Level::Allow);
    assert!(allowed.failure.is_none() && allowed.warnings.is_empty(), "{allowed}");
    let one = sim::check(Config::new().seeds(1), || first_takes_both(false));
    assert!(one.failure.is_none() && one.warnings.is_empty(), "{one}");
}

#[test]
fn one_order_in_all_runs_is_left_alone() {
    let report = sim::check(Config::new().seeds(2_000), || first_takes_both(true));
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
}

/// The second task starts when the first has ended, so that they cannot overlap in any run.
#[test]
fn tasks_that_cannot_overlap_are_left_alone() {
    let report = sim::check(Config::new().seeds(2_000), || async {
        let locks = [0, 1].map(|_| Arc::new(Mutex::new(())));
        let (one, two) = (locks[0].clone(), locks[1].clone());
        sim::name(&one, "one");
        sim::name(&two, "two");
        let both = |first: Arc<Mutex<()>>, second: Arc<Mutex<()>>| async move {
            let _first = first.lock().await;
            let _second = second.lock().await;
        };
        // Which of two tasks comes first is chance.
        let (sender, mut receiver) = sim::sync::mpsc::unbounded_channel();
        let other = sender.clone();
        drop(spawn(async move { other.send(true).unwrap_or_default() }));
        drop(spawn(async move { sender.send(false).unwrap_or_default() }));
        if receiver.recv().await.unwrap() {
            spawn(both(one.clone(), two.clone())).await.unwrap();
        } else {
            drop(spawn(async {}).await);
        }
        spawn(both(two, one)).await.unwrap();
    });
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
}

/// Locks that are created at one place cannot be told apart in another run; names tell them apart.
#[test]
fn locks_of_one_place_are_only_known_by_name() {
    let program = |named: bool| {
        move || async move {
            let locks = ["left", "right"].map(|name| {
                let lock = Arc::new(Mutex::new(()));
                if named {
                    sim::name(&lock, name);
                }
                lock
            });
            let taken = Arc::new(AtomicBool::new(false));
            let tasks = [0, 1].map(|first| {
                let (locks, taken) = (locks.clone(), taken.clone());
                spawn(async move {
                    sleep(Duration::from_millis(1)).await;
                    if !taken.swap(true, SeqCst) {
                        let _first = locks[first].lock().await;
                        let _second = locks[1 - first].lock().await;
                    }
                })
            });
            for task in tasks {
                task.await.unwrap();
            }
        }
    };
    let report = sim::check(Config::new().seeds(2_000), program(false));
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
    let report = sim::check(Config::new().seeds(200), program(true));
    assert_eq!(report.warnings.len(), 1, "{report}");
    assert!(report.warnings[0].contains("takes \"left\" (created at "), "{report}");
}
