//! Result lines as tables: `sim` beside the bare loop and the fastest seeded peer.

use serde_json::Value;
use std::{collections::BTreeMap, fs, io};

/// The bare loop that picks its next task by a seed.
const LIMIT: &str = "limit-rand";
/// Peers whose schedule comes from a seed; the others run tasks in turn.
const SEEDED: [&str; 5] =
    ["madsim", "moonpool", "moonpool-builder", "shuttle-random", "shuttle-pct3"];
const OURS: [&str; 4] = ["sim", "sim-1", "sim-portfolio", "sim-pct"];

/// The last line of each workload and peer.
struct Lines(BTreeMap<(String, String), Value>);

impl Lines {
    fn read(files: &[String]) -> io::Result<Lines> {
        let mut lines = BTreeMap::new();
        for file in files {
            for line in fs::read_to_string(file)?.lines().filter(|line| !line.trim().is_empty()) {
                let line: Value = serde_json::from_str(line)?;
                let text = |key: &str| line[key].as_str().unwrap_or_default().to_string();
                lines.insert((text("workload"), text("peer")), line);
            }
        }
        Ok(Lines(lines))
    }

    fn get(&self, workload: &str, peer: &str) -> Option<&Value> {
        self.0.get(&(workload.to_string(), peer.to_string()))
    }

    fn rate(&self, workload: &str, peer: &str) -> Option<f64> {
        self.get(workload, peer)?["rate"].as_f64()
    }

    /// Workloads of which there is a figure of ours, in the order of their numbers.
    fn workloads(&self, are_bugs: bool) -> Vec<&str> {
        let ours = |key: &&(String, String)| OURS.contains(&&*key.1);
        let is_bug = |line: &Value| line["unit"] == "executions to failure";
        let mut workloads: Vec<&str> = self
            .0
            .iter()
            .filter(|(key, line)| ours(key) && is_bug(line) == are_bugs)
            .map(|(key, _)| &*key.0)
            .collect();
        workloads.sort_by_key(|name| (name.trim_end_matches(char::is_alphabetic).len(), *name));
        workloads.dedup();
        workloads
    }
}

/// Prints the tables of the files' lines.
///
/// # Errors
///
/// Fails if a file cannot be read or has a line that is no JSON.
pub fn print(files: &[String]) -> io::Result<()> {
    let lines = Lines::read(files)?;
    println!("| workload | limit | {LIMIT} | fastest seeded peer | sim | sim-1 |");
    println!("|---|---:|---:|---:|---:|---:|");
    for workload in lines.workloads(false) {
        println!("{}", rate_row(&lines, workload));
    }
    println!("\nIn brackets: how many times {LIMIT}'s cost.\n");
    let peers = [LIMIT].into_iter().chain(SEEDED).chain(OURS);
    let bugs = lines.workloads(true);
    println!("| runs until the first failure | {} |", bugs.join(" | "));
    println!("|---|{}", "---:|".repeat(bugs.len()));
    for peer in peers.filter(|peer| bugs.iter().any(|bug| lines.get(bug, peer).is_some())) {
        let cells: Vec<String> = bugs.iter().map(|bug| bug_cell(&lines, bug, peer)).collect();
        println!("| {peer} | {} |", cells.join(" | "));
    }
    Ok(())
}

fn rate_row(lines: &Lines, workload: &str) -> String {
    let units = OURS.iter().filter_map(|peer| lines.get(workload, peer));
    let unit = units.filter_map(|line| line["unit"].as_str()).next().unwrap_or_default();
    let (less_is_better, unit) = match unit {
        "bytes/task" => (true, unit.to_string()),
        unit => (false, format!("{unit}/s")),
    };
    let limit = lines.rate(workload, LIMIT);
    let cell = |rate: Option<f64>| match (rate, limit) {
        (None, _) => "-".to_string(),
        (Some(rate), None) => short(rate),
        (Some(rate), Some(limit)) => {
            let ratio = if less_is_better { rate / limit } else { limit / rate };
            format!("{} ({}x)", short(rate), short(ratio))
        }
    };
    let seeded = SEEDED.iter().filter_map(|peer| Some((lines.rate(workload, peer)?, *peer)));
    let order = |one: &(f64, &str), other: &(f64, &str)| one.0.total_cmp(&other.0);
    let best = if less_is_better { seeded.min_by(order) } else { seeded.max_by(order) };
    let best = best.map_or("-".into(), |(rate, peer)| format!("{peer} {}", cell(Some(rate))));
    let plain = |peer| lines.rate(workload, peer).map_or("-".to_string(), short);
    let ours = |peer| cell(lines.rate(workload, peer));
    let (sim, sim_1) = (ours("sim"), ours("sim-1"));
    format!(
        "| {workload} {unit} | {} | {} | {best} | {sim} | {sim_1} |",
        plain("limit"),
        plain(LIMIT)
    )
}

fn bug_cell(lines: &Lines, bug: &str, peer: &str) -> String {
    let Some(line) = lines.get(bug, peer) else { return "-".into() };
    let text = |key: &str| line[key].to_string().trim_matches('"').to_string();
    format!("{} ({}..{})", text("rate"), text("min"), text("max"))
}

/// Three figures, and k or M.
fn short(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        size if size >= 999_500.0 => (value / 1e6, " M"),
        size if size >= 9_995.0 => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let decimals = match scaled.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    format!("{scaled:.decimals$}{unit}")
}
