//! scratch
use sim::{sync::*, task::yield_now};
use std::sync::Arc;
#[test]
fn dead() {
    let r = sim::check(sim::Config::new(), || async {
        let (left, right) = (Arc::new(Mutex::new(())), Arc::new(Mutex::new(())));
        let mut hs = vec![];
        for (a, b) in [(&left, &right), (&right, &left)] {
            let (a, b) = (a.clone(), b.clone());
            hs.push(sim::spawn(async move {
                let _a = a.lock().await;
                let _b = b.lock().await;
            }));
        }
        for h in hs { h.await.unwrap(); }
    });
    println!("{r}");
    println!("---\n{}", r.failure.unwrap().message);
}
#[test]
fn fast() {
    let r = sim::check(sim::Config::new().seeds(20).recheck_every(1), || async {
        for _ in 0..fastrand::u32(0..100) { sim::spawn(yield_now()).await.unwrap(); }
    });
    println!("{r}");
}
#[test]
fn steps() {
    static N: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let r = sim::check(sim::Config::new().seeds(20).recheck_every(1), || async {
        for _ in 0..N.fetch_add(1, std::sync::atomic::Ordering::SeqCst) { yield_now().await; }
    });
    println!("{r}");
}
#[test]
fn self_lock_main() {
    let r = sim::check(sim::Config::new(), || async {
        let m = std::sync::Mutex::new(0);
        let _a = m.lock().unwrap();
        let _b = m.lock().unwrap();
    });
    println!("{r}");
}
#[test]
fn self_lock_task() {
    let r = sim::check(sim::Config::new(), || async {
        sim::spawn(async {
        let m = std::sync::Mutex::new(0);
        let _a = m.lock().unwrap();
        let _b = m.lock().unwrap();
        }).await.unwrap();
    });
    println!("{r}");
}
#[test]
fn park_main() {
    let r = sim::check(sim::Config::new(), || async { std::thread::park(); });
    println!("{r}");
}
#[test]
fn park_main_time() {
    let r = sim::check(sim::Config::new().time_limit(std::time::Duration::from_secs(5)), || async {
        sim::spawn(async { loop { sim::time::sleep(std::time::Duration::from_secs(1)).await }});
        std::thread::park(); });
    println!("{r}");
}
#[test]
fn panic_while_main_parked() {
    let r = sim::check(sim::Config::new(), || async {
        drop(sim::spawn(async { panic!("x") }));
        std::thread::sleep(std::time::Duration::from_secs(1));
        });
    println!("{r}");
}
