//! Small programs of which it is known how many classes of schedules they have.

use sim::{Config, Report, sync::Mutex};
use std::sync::Arc;

/// A program, with how many classes of schedules it has.
#[derive(Clone, Copy)]
pub struct Program {
    /// What it does.
    pub name: &'static str,
    /// Classes of schedules, in theory.
    pub classes: u64,
    /// Executions that loom 0.7 needs.
    pub loom: u64,
    /// Checks it.
    pub run: fn(Config) -> Report,
}

/// The programs.
pub const PROGRAMS: &[Program] = &[
    Program { name: "two tasks, two increments", classes: 6, loom: 30, run: increments },
    Program {
        name: "three tasks, one lock",
        classes: 6,
        loom: 414,
        run: |config| locks(config, 3, 1),
    },
    Program {
        name: "three tasks, two locks each",
        classes: 90,
        loom: 7_847,
        run: |config| locks(config, 3, 2),
    },
    Program {
        name: "four tasks, one lock",
        classes: 24,
        loom: 56_805,
        run: |config| locks(config, 4, 1),
    },
    Program { name: "three independent tasks", classes: 1, loom: 26, run: independent },
    Program { name: "two independent pairs", classes: 4, loom: 4_293, run: pairs },
];

/// Each of two tasks increments a shared counter twice.
fn increments(config: Config) -> Report {
    sim::check(config, || async {
        let count = Arc::new(Mutex::new(0));
        let tasks = [(); 2].map(|()| {
            let count = count.clone();
            sim::spawn(async move {
                for _ in 0..2 {
                    *count.lock().await += 1;
                }
            })
        });
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*count.lock().await, 4);
    })
}

/// Each task locks one mutex so many times.
fn locks(config: Config, tasks: usize, times: usize) -> Report {
    sim::check(config, move || async move {
        let count = Arc::new(Mutex::new(0));
        let mut handles = Vec::new();
        for _ in 0..tasks {
            let count = count.clone();
            handles.push(sim::spawn(async move {
                for _ in 0..times {
                    *count.lock().await += 1;
                }
            }));
        }
        for handle in handles {
            handle.await.unwrap();
        }
        assert_eq!(*count.lock().await, tasks * times);
    })
}

/// Each task has a lock of its own.
fn independent(config: Config) -> Report {
    sim::check(config, || async {
        let handles = [(); 3].map(|()| {
            sim::spawn(async {
                let count = Mutex::new(0);
                *count.lock().await += 1;
                *count.lock().await += 1;
            })
        });
        for handle in handles {
            handle.await.unwrap();
        }
    })
}

/// Two tasks share one lock, two others another.
fn pairs(config: Config) -> Report {
    sim::check(config, || async {
        let counts = [Arc::new(Mutex::new(0)), Arc::new(Mutex::new(0))];
        let mut handles = Vec::new();
        for count in [&counts[0], &counts[0], &counts[1], &counts[1]] {
            let count = count.clone();
            handles.push(sim::spawn(async move { *count.lock().await += 1 }));
        }
        for handle in handles {
            handle.await.unwrap();
        }
    })
}
