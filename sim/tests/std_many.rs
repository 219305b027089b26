//! Very many threads in one run.

use sim::Config;
use sim::std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
};
use std::time::Duration;

#[test]
fn thirty_thousand_threads_wait_at_once() {
    const THREADS: usize = 30_000;
    let report = sim::check(Config::new().seeds(1), || async {
        let came = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let came = came.clone();
                thread::spawn(move || {
                    came.fetch_add(1, SeqCst);
                    thread::park();
                })
            })
            .collect();
        while came.load(SeqCst) < THREADS {
            thread::yield_now();
        }
        threads.iter().for_each(|thread| thread.thread().unpark());
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert!(report.failure.is_none(), "{report}");
}

#[test]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn a_thread_without_a_stack_is_told() {
    // The program lies in the middle of the address space of 128 TiB.
    let report = sim::check(Config::new().seeds(1).stack_size(60 << 40), || async {
        thread::spawn(|| ()).join().unwrap();
    });
    let failure = report.failure.unwrap();
    assert_eq!(failure.kind, sim::FailureKind::Setup);
    assert!(failure.message.contains("no stack of 65970697666560 bytes"), "{failure}");
}

#[test]
fn ten_thousand_threads_want_one_mutex() {
    const THREADS: usize = 10_000;
    let report = sim::check(Config::new().seeds(1), || async {
        let count = Arc::new(Mutex::new(0));
        let held = count.lock().unwrap();
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let count = count.clone();
                thread::spawn(move || *count.lock().unwrap() += 1)
            })
            .collect();
        thread::sleep(Duration::from_secs(1)); // all wait by now
        drop(held);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(*count.lock().unwrap(), THREADS);
    });
    assert!(report.failure.is_none(), "{report}");
}
