//! smoke
use sim as tokio;
use std::{
    cell::Cell,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

#[test]
fn empty() {
    let report = sim::check(sim::Config::new(), || async {});
    assert!(report.failure.is_none(), "{report}");
    assert_eq!(report.runs, 200);
}

#[test]
fn race() {
    let report = sim::check(sim::Config::new(), || async {
        let n = Arc::new(AtomicU32::new(0));
        let hs: Vec<_> = (0..2)
            .map(|_| {
                let n = n.clone();
                tokio::spawn(async move {
                    let seen = n.load(SeqCst);
                    tokio::task::yield_now().await;
                    n.store(seen + 1, SeqCst);
                })
            })
            .collect();
        for h in hs {
            h.await.unwrap();
        }
        assert_eq!(n.load(SeqCst), 2, "lost");
    });
    println!("{report}");
    assert!(report.failure.is_some());
}

#[test]
fn sleeps() {
    let report = sim::check(sim::Config::new(), || async {
        let t = tokio::time::Instant::now();
        tokio::time::sleep(Duration::from_secs(3600)).await;
        assert!(t.elapsed() >= Duration::from_secs(3600));
        assert!(t.elapsed() < Duration::from_secs(3601));
        let s = std::time::Instant::now();
        std::thread::sleep(Duration::from_secs(100));
        assert!(s.elapsed() >= Duration::from_secs(100));
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
fn deadlock() {
    let report = sim::check(sim::Config::new(), || async {
        tokio::spawn(std::future::pending::<()>()).await.unwrap();
    });
    println!("{report}");
    assert_eq!(report.failure.unwrap().kind, sim::FailureKind::Deadlock);
}

#[test]
fn std_mutex_across_points() {
    let report = sim::check(sim::Config::new(), || async {
        let m = Arc::new(std::sync::Mutex::new(0));
        let hs: Vec<_> = (0..5)
            .map(|_| {
                let m = m.clone();
                tokio::spawn(async move {
                    for _ in 0..10 {
                        let h = {
                            let mut g = m.lock().unwrap();
                            let h = tokio::spawn(async {});
                            *g += 1;
                            h
                        };
                        h.await.unwrap();
                    }
                })
            })
            .collect();
        for h in hs {
            h.await.unwrap();
        }
        assert_eq!(*m.lock().unwrap(), 50);
    });
    println!("{report}");
    assert!(report.failure.is_none());
}

#[test]
fn blocking() {
    let report = sim::check(sim::Config::new(), || async {
        let v = tokio::task::spawn_blocking(|| {
            std::thread::sleep(Duration::from_secs(5));
            7
        })
        .await
        .unwrap();
        assert_eq!(v, 7);
        let h = tokio::runtime::Handle::current();
        let v = tokio::task::spawn_blocking(move || {
            h.block_on(async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                8
            })
        })
        .await
        .unwrap();
        assert_eq!(v, 8);
    });
    println!("{report}");
    assert!(report.failure.is_none());
}

#[test]
fn local() {
    let rt = tokio::runtime::Runtime::new().unwrap();
    let set = tokio::task::LocalSet::new();
    let c = Rc::new(Cell::new(0));
    let c2 = c.clone();
    set.block_on(&rt, async move {
        let h = tokio::task::spawn_local(async move {
            c2.set(5);
            tokio::task::yield_now().await;
            c2.set(6);
        });
        h.await.unwrap();
    });
    assert_eq!(c.get(), 6);
}

#[test]
fn swallowed() {
    let report = sim::check(sim::Config::new(), || async {
        tokio::spawn(async { panic!("oh") });
        tokio::time::sleep(Duration::from_secs(1)).await;
    });
    println!("{report}");
    assert_eq!(report.failure.unwrap().kind, sim::FailureKind::SwallowedPanic);
}

#[test]
fn hash_order() {
    let report = sim::check(sim::Config::new(), || async {
        let s: std::collections::HashSet<u32> = (0..100).collect();
        let first = *s.iter().next().unwrap();
        assert_ne!(first, 42);
    });
    println!("{report}");
    assert!(report.failure.is_some());
}

#[test]
fn overflow() {
    #[allow(unconditional_recursion)]
    fn f(n: u64) -> u64 {
        std::hint::black_box([n; 100]);
        f(n + 1) + std::hint::black_box(n)
    }
    let report = sim::check(sim::Config::new().stack_size(100_000), || async {
        tokio::spawn(async { f(0) }).await.unwrap();
    });
    println!("{report}");
    assert_eq!(report.failure.unwrap().kind, sim::FailureKind::StackOverflow);
}

#[test]
fn double_panic() {
    struct D;
    impl Drop for D {
        fn drop(&mut self) {
            panic!("second")
        }
    }
    let report = sim::check(sim::Config::new(), || async {
        tokio::spawn(async {
            let _d = D;
            panic!("first")
        })
        .await
        .unwrap();
    });
    println!("{report}");
    assert_eq!(report.failure.unwrap().kind, sim::FailureKind::Abort);
}

#[test]
fn spin() {
    let report = sim::check(sim::Config::new().max_steps(10_000), || async {
        loop {
            tokio::task::yield_now().await
        }
        #[allow(unreachable_code)]
        ()
    });
    println!("{report}");
    assert_eq!(report.failure.unwrap().kind, sim::FailureKind::StepLimit);
}
