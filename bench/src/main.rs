//! Measures `sim` on the workloads that its peers are measured with, and prints a JSON line a figure:
//!
//! ```text
//! sim-bench                 all workloads
//! sim-bench W1 W8 W11c      some; W8 is W8a and W8b
//! sim-bench --peer sim W1   one of sim, sim-1, sim-portfolio, sim-pct
//! sim-bench --table FILES   the tables of such lines
//! ```

mod measure;
mod table;
mod workloads;

use measure::{RUNS_MAX, bug, memory, rate};
use sim::{Config, Outcome, check};
use std::{
    env,
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};
use workloads::size;

/// One way to run `sim`.
struct Peer {
    name: &'static str,
    workers: usize,
    strategy: &'static str,
    /// What differs in it shows only in how soon bugs are found.
    only_bugs: bool,
}

const PEERS: [Peer; 4] = [
    Peer { name: "sim", workers: 4, strategy: "random", only_bugs: false },
    Peer { name: "sim-1", workers: 1, strategy: "random", only_bugs: false },
    Peer { name: "sim-portfolio", workers: 4, strategy: "portfolio", only_bugs: true },
    Peer { name: "sim-pct", workers: 4, strategy: "pct", only_bugs: true },
];

/// The argument of the processes that W9 starts.
const PARKED: &str = "--parked";
/// More steps than any workload takes.
const STEPS_MAX: u64 = 1 << 40;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (only, wanted) = match &*arguments {
        [flag, files @ ..] if flag == "--table" => return print_tables(files),
        [flag, peer] if flag == PARKED => {
            PEERS.iter().filter(|known| known.name == peer).for_each(park);
            return ExitCode::SUCCESS;
        }
        [flag, peer, wanted @ ..] if flag == "--peer" => (Some(peer), wanted),
        wanted => (None, wanted),
    };
    for peer in PEERS.iter().filter(|peer| only.is_none_or(|only| only == peer.name)) {
        Session { peer, wanted }.run();
    }
    ExitCode::SUCCESS
}

fn print_tables(files: &[String]) -> ExitCode {
    match table::print(files) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to read the result lines: {error}");
            ExitCode::FAILURE
        }
    }
}

impl Peer {
    fn config(&self, seed: u64, runs: u64) -> Config {
        let config = Config::new().seed(seed).seeds(runs).recheck_every(0).max_steps(STEPS_MAX);
        config.workers(self.workers).strategy(self.strategy)
    }

    /// Runs `test` so often; a failure would make the figure worthless.
    fn pass<F, Fut>(&self, runs: u64, test: F)
    where
        F: Fn() -> Fut + Sync,
        Fut: Future<Output: Outcome>,
    {
        let report = check(self.config(1, runs), test);
        assert!(report.failure.is_none(), "{report}");
        assert_eq!(report.runs, runs);
    }

    /// One run; gives the virtual seconds that `test` says it took.
    fn pass_timed<F, Fut>(&self, test: F) -> f64
    where
        F: Fn() -> Fut + Sync,
        Fut: Future<Output = Duration>,
    {
        let took_ns = AtomicU64::new(0);
        self.pass(1, || async {
            took_ns.store(test().await.as_nanos() as u64, Relaxed);
        });
        took_ns.into_inner() as f64 / 1e9
    }

    /// The runs until one fails.
    fn fail<F, Fut>(&self, seed: u64, test: F) -> Option<u64>
    where
        F: Fn() -> Fut + Sync,
        Fut: Future<Output: Outcome>,
    {
        let report = check(self.config(seed, RUNS_MAX), test);
        report.failure.map(|_| report.runs)
    }
}

/// W9's own process.
fn park(peer: &Peer) {
    let before_kib = measure::resident_kib();
    // What a run reads of the machine is an escape.
    let look = || sim::outside(|| measure::print_growth(before_kib, size::PARKED));
    peer.pass(1, || workloads::parked(look));
}

/// One peer's measurements.
struct Session<'a> {
    peer: &'a Peer,
    wanted: &'a [String],
}

impl Session<'_> {
    fn run(&self) {
        if !self.peer.only_bugs {
            self.rates();
        }
        self.bug("W11a", workloads::lost_update);
        self.bug("W11b", workloads::lock_order);
        self.bug("W11c", workloads::lost_wakeup);
    }

    fn rates(&self) {
        let product = |(tasks, times): (u64, u64)| tasks * times;
        let switches = product(size::YIELDS);
        self.time("W1", "switches", switches, 1, workloads::yields);
        self.time("W2", "tasks", size::SPAWNS, 1, workloads::spawns);
        self.time("W3", "locks", product(size::SECTIONS), 1, workloads::contended_mutex);
        self.time_virtual("W4", "acquires", product(size::ROUNDS), workloads::semaphore);
        self.time_virtual("W5", "sleeps", product(size::SLEEPS), workloads::timers);
        self.time("W6", "messages", 2 * size::TRIPS, 1, workloads::round_trips);
        let workers = self.peer.workers;
        self.time_virtual("W7", "messages", 2 * product(size::REQUESTS), || {
            workloads::requests(workers, size::REQUESTS)
        });
        self.time("W8a", "iterations", size::EMPTY_RUNS, size::EMPTY_RUNS, workloads::empty);
        self.time("W8b", "schedules", size::RACY_RUNS, size::RACY_RUNS, workloads::racy);
        if self.wants("W9") {
            memory("W9", self.peer.name, &[PARKED, self.peer.name]);
        }
        self.time_virtual("W10", "virtual s", size::LONG_S, || workloads::heartbeats(workers));
        for pairs in size::CROWDS {
            let crowd = (pairs, size::CROWD_TRIPS / pairs);
            let name = format!("crowd-{}", 2 * pairs);
            self.time_virtual(&name, "messages", 2 * product(crowd), || {
                workloads::requests(workers, crowd)
            });
        }
    }

    /// Whether the workload is named, or its number, or none is.
    fn wants(&self, workload: &str) -> bool {
        let number = workload.trim_end_matches(char::is_lowercase);
        self.wanted.is_empty() || self.wanted.iter().any(|name| name == workload || name == number)
    }

    fn time<F, Fut>(&self, workload: &str, unit: &str, n: u64, runs: u64, test: F)
    where
        F: Fn() -> Fut + Sync,
        Fut: Future<Output: Outcome>,
    {
        if self.wants(workload) {
            rate(workload, self.peer.name, unit, n, || {
                self.peer.pass(runs, &test);
                0.0
            });
        }
    }

    fn time_virtual<F, Fut>(&self, workload: &str, unit: &str, n: u64, test: F)
    where
        F: Fn() -> Fut + Sync,
        Fut: Future<Output = Duration>,
    {
        if self.wants(workload) {
            rate(workload, self.peer.name, unit, n, || self.peer.pass_timed(&test));
        }
    }

    fn bug<F, Fut>(&self, workload: &str, test: F)
    where
        F: Fn() -> Fut + Sync,
        Fut: Future<Output: Outcome>,
    {
        if self.wants(workload) {
            bug(workload, self.peer.name, |seed| self.peer.fail(seed, &test));
        }
    }
}
