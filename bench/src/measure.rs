//! How a figure is taken: rates, memory, runs until a bug shows. One JSON line a figure.
//!
//! A rate is the median of five repetitions after a warm-up, over processor time: what else the machine
//! does disturbs that less than wall time. A repetition does its work as often as takes a tenth of a second.

use serde_json::{Value, json};
use std::{env, fs, hint::black_box, process::Command, time::Instant};

const REPETITIONS: usize = 5;
/// A repetition takes at least so long.
const ENOUGH_S: f64 = 0.1;
/// Seeds over which a bug's figure is the median.
const SEEDS: u64 = 50;
/// Runs after which a bug counts as never found.
pub const RUNS_MAX: u64 = 10_000;

/// One repetition, divided by how often it did its work.
struct Repetition {
    cpu_s: f64,
    wall_s: f64,
    virtual_s: f64,
}

impl Repetition {
    fn of(times: u32, work: &mut impl FnMut() -> f64) -> Repetition {
        let (wall, cpu) = (Instant::now(), processor_s());
        let mut virtual_s = 0.0;
        for _ in 0..times {
            virtual_s = black_box(work());
        }
        let each = |seconds: f64| seconds / f64::from(times);
        Repetition {
            cpu_s: each(processor_s() - cpu),
            wall_s: each(wall.elapsed().as_secs_f64()),
            virtual_s,
        }
    }
}

/// Times `work`, which does `n` of `unit` and gives the virtual seconds that it took, or 0.
pub fn rate(workload: &str, peer: &str, unit: &str, n: u64, mut work: impl FnMut() -> f64) {
    let warm_up = Repetition::of(1, &mut work);
    let times = (ENOUGH_S / warm_up.cpu_s).ceil().clamp(1.0, 10_000.0) as u32;
    let repetitions: Vec<_> = (0..REPETITIONS).map(|_| Repetition::of(times, &mut work)).collect();
    let sorted = |of: fn(&Repetition) -> f64| in_order(repetitions.iter().map(of));
    let cpu = sorted(|repetition| repetition.cpu_s);
    let cpu_s = median(&cpu);
    let virtual_s = repetitions[0].virtual_s;
    print_line(&json!({
        "workload": workload, "peer": peer, "n": n, "unit": unit,
        "cpu_s": cpu_s, "cpu_min": cpu[0], "cpu_max": cpu[REPETITIONS - 1],
        "seconds": median(&sorted(|repetition| repetition.wall_s)), "reps": REPETITIONS,
        "rate": n as f64 / cpu_s, "virtual_s": virtual_s, "virtual_per_real": virtual_s / cpu_s,
    }));
}

/// Reports how much the peak resident set grew, in bytes a task: what `print_growth` prints in processes
/// that this program starts with the arguments.
pub fn memory(workload: &str, peer: &str, arguments: &[&str]) {
    let growth = (0..REPETITIONS).map(|_| {
        let program = env::current_exe().expect("a program knows its file");
        let output = Command::new(program).args(arguments).output().expect("it can be started");
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse().unwrap_or_else(|_| panic!("no figure came from {arguments:?}: {text}"))
    });
    let bytes = in_order(growth);
    print_line(&json!({
        "workload": workload, "peer": peer, "unit": "bytes/task", "rate": median(&bytes),
        "min": bytes[0], "max": bytes[REPETITIONS - 1], "reps": REPETITIONS,
    }));
}

/// The resident set now, for [`print_growth`].
pub fn resident_kib() -> u64 {
    status_kib("VmRSS:")
}

/// Prints by how many bytes a task the peak is above what was resident before.
pub fn print_growth(before_kib: u64, tasks: u64) {
    let grown_kib = status_kib("VmHWM:").saturating_sub(before_kib);
    println!("{:.0}", (grown_kib * 1024) as f64 / tasks as f64);
}

/// Reports how many runs it took until one failed; `search` gives that for a base seed, or none if
/// [`RUNS_MAX`] passed.
pub fn bug(workload: &str, peer: &str, search: impl Fn(u64) -> Option<u64>) {
    let begin = Instant::now();
    let mut runs: Vec<u64> = (0..SEEDS).map(|seed| search(seed).unwrap_or(u64::MAX)).collect();
    runs.sort_unstable();
    let shown = |runs: u64| match runs {
        u64::MAX => json!(format!("never in {RUNS_MAX}")),
        runs => json!(runs),
    };
    print_line(&json!({
        "workload": workload, "peer": peer, "unit": "executions to failure",
        "rate": shown(runs[runs.len() / 2]), "min": shown(runs[0]), "max": shown(runs[runs.len() - 1]),
        "never": runs.iter().filter(|&&runs| runs == u64::MAX).count(),
        "seeds": SEEDS, "seconds": begin.elapsed().as_secs_f64(),
    }));
}

fn in_order(figures: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut figures: Vec<f64> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

fn print_line(line: &Value) {
    println!("{line}");
}

/// Processor seconds of all threads of this process.
fn processor_s() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a timespec that the call may write to, clock_gettime(2).
    let result = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    assert_eq!(result, 0, "the clock of the process cannot be read");
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// A figure of this process, proc_pid_status(5).
fn status_kib(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("/proc is there");
    let rest = status.lines().find_map(|line| line.strip_prefix(field)).expect("it has the field");
    rest.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("it is a number")
}
