//! The inner parts, one at a time: where a step's nanoseconds go. `cargo bench` runs it.
//!
//! Each iteration does a thousand of its thing, so that a run's start does not count; read the items a
//! second.

use divan::{Bencher, counter::ItemsCount};
use sim::{Config, sync::Mutex};
use sim_choice::{Candidates, Choices, Kind, Path, Seed, Strategy};
use sim_sys::fiber::{Fiber, Outcome, Stack, suspend};
use sim_time::Timers;
use std::sync::Arc;

const TIMES: u32 = 1_000;

fn main() {
    divan::main();
}

/// Tasks 0 to n - 1, the first of which runs.
struct Tasks(u32);

impl Candidates for Tasks {
    fn len(&self) -> u32 {
        self.0
    }

    fn task(&self, i: u32) -> u32 {
        i
    }

    fn is_current(&self) -> bool {
        true
    }
}

/// A pick: the draw, its record, its hash.
#[divan::bench(args = [Strategy::Random, Strategy::Sticky, Strategy::Pct, Strategy::Calm], consts = [2, 100])]
fn pick<const CANDIDATES: u32>(bencher: Bencher<'_, '_>, strategy: &Strategy) {
    let mut choices = Choices::new();
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        choices.start(Seed(1), *strategy);
        (0..CANDIDATES).for_each(|task| choices.spawned(task, None));
        for _ in 0..TIMES {
            divan::black_box(choices.pick(Kind::Next, Path::MAIN, &Tasks(CANDIDATES)));
        }
        choices.hash()
    });
}

/// The start of a run: what an empty test pays for its choices.
#[divan::bench(args = [Strategy::Random, Strategy::Pct, Strategy::Calm])]
fn start(bencher: Bencher<'_, '_>, strategy: &Strategy) {
    let mut choices = Choices::new();
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        for seed in 0..TIMES {
            choices.start(Seed(seed.into()), *strategy);
        }
        choices.hash()
    });
}

/// One timer goes in and the earliest comes out, while so many others wait.
#[divan::bench(args = [0, 100, 10_000])]
fn timer(bencher: Bencher<'_, '_>, waiting: u64) {
    let mut timers = Timers::new();
    let mut word = 1_u64;
    let mut delay_ns = || {
        word = word.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1); // Knuth's MMIX generator
        word >> 34 // up to a second
    };
    (0..waiting).for_each(|number| _ = timers.insert(delay_ns(), number));
    let mut now_ns = 0;
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        for number in 0..TIMES {
            timers.insert(now_ns + delay_ns(), number.into());
            now_ns = timers.next().expect("one was inserted");
            divan::black_box(timers.pop_due(now_ns));
        }
    });
}

/// To a fiber and back.
#[divan::bench]
fn fiber_switch(bencher: Bencher<'_, '_>) {
    let stack = Stack::new(64 << 10).expect("there is memory for a stack");
    let mut fiber = Fiber::new(stack, || {
        loop {
            suspend();
        }
    });
    bencher.counter(ItemsCount::new(TIMES)).bench_local(|| {
        for _ in 0..TIMES {
            assert_eq!(fiber.resume(), Outcome::Suspended);
        }
    });
}

/// A scheduling point at which nobody else could run: two for each lock that is taken and given back.
#[divan::bench]
fn point_alone(bencher: Bencher<'_, '_>) {
    let config = Config::new().seeds(1).recheck_every(0).strategy("random");
    bencher.counter(ItemsCount::new(2 * 100 * TIMES)).bench_local(|| {
        let report = sim::check(config.clone(), || async {
            let lock = Mutex::new(0_u32);
            for _ in 0..100 * TIMES {
                *lock.try_lock().expect("it is free") += 1;
            }
        });
        assert!(report.failure.is_none(), "{report}");
    });
}

/// The same with another task that is ready and so may be picked at each: it gets a turn now and then.
#[divan::bench]
fn point_with_another(bencher: Bencher<'_, '_>) {
    let config = Config::new().seeds(1).recheck_every(0).strategy("random");
    bencher.counter(ItemsCount::new(2 * 2 * 100 * TIMES)).bench_local(|| {
        let report = sim::check(config.clone(), || async {
            let tasks = [(); 2].map(|()| {
                let lock = Arc::new(Mutex::new(0_u32));
                sim::spawn(async move {
                    for _ in 0..100 * TIMES {
                        *lock.try_lock().expect("it is free") += 1;
                    }
                })
            });
            for task in tasks {
                task.await.expect("it does not panic");
            }
        });
        assert!(report.failure.is_none(), "{report}");
    });
}
