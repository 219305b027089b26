//! Reports as JSON: a library reads them, and finds what the report has.

use serde_json::{Value, json};
use sim::{Config, Level, Report, time::Duration};
use std::{fs, path::PathBuf};

fn parsed(report: &Report) -> Value {
    let line = report.to_json();
    assert!(!line.contains('\n'), "{line}");
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

/// Where the tests of this build write.
fn out() -> PathBuf {
    if let Some(folder) = std::env::var_os("SIM_OUT").filter(|folder| !folder.is_empty()) {
        return folder.into();
    }
    std::env::current_exe().unwrap().ancestors().nth(3).unwrap().join("sim")
}

#[test]
fn what_passed() {
    let report = sim::check(Config::new().seeds(5).name("json::passes"), || async {
        sim::assert_sometimes!(false, "a \"large\" request");
    });
    let classes = report.classes;
    let line = line!() - 3;
    let expected = json!({
        "test": "json::passes",
        "runs": 5,
        "steps": report.steps,
        "classes": {
            "runs": classes.runs,
            "distinct": classes.distinct,
            "unseen_per_mille": classes.unseen_per_mille,
        },
        "faults": [],
        "failure": null,
        "warnings": report.warnings,
        "properties": [{
            "name": "a \"large\" request",
            "kind": "sometimes",
            "site": format!("{}:{line}", file!()),
            "reached": 5,
            "held": 0,
        }],
    });
    assert_eq!(report.warnings.len(), 1);
    assert_eq!(parsed(&report), expected);
}

#[test]
fn what_failed() {
    let report = sim::check(Config::new().name("json::fails"), || async {
        sim::time::sleep(Duration::from_millis(1500)).await;
        let task = sim::spawn(async {
            panic!(
                "\"quoted\", C:\\path, \ttabs,\nlines, \u{1b}[31mred\u{7f}, \u{2028}, größer, 🦀"
            )
        });
        drop(task);
        sim::task::yield_now().await;
        sim::time::sleep(Duration::from_secs(1)).await;
    });
    let failure = report.failure.as_ref().unwrap();
    let json = parsed(&report);
    let told = &json["failure"];
    assert_eq!(told["kind"], "SwallowedPanic");
    assert_eq!(told["message"], failure.message);
    assert!(failure.message.contains("größer, 🦀"));
    assert_eq!(told["seed"], failure.seed.to_string());
    assert_eq!(told["strategy"], failure.strategy);
    assert_eq!(told["task"], "main/0");
    assert_eq!(told["spawned_at"], failure.spawned_at.clone().unwrap());
    assert_eq!(told["at_ns"], failure.at.as_nanos() as u64);
    assert!(failure.at >= Duration::from_millis(1500));
    assert!(told["rerun"].as_str().unwrap().contains(&failure.seed.to_string()));
    let trace = told["trace"].as_array().unwrap();
    assert!(trace.last().unwrap().as_str().unwrap().contains("the run is over"), "{told}");
    // The tape that it names runs it again.
    let tape = fs::read_to_string(told["tape"].as_str().unwrap()).unwrap();
    assert_eq!(tape, failure.tape.to_string());
    assert_eq!(failure.tape_file.as_ref().unwrap().parent().unwrap(), out());
}

#[test]
fn a_check_without_a_name_and_a_failure_without_a_run() {
    let json = parsed(&sim::check(Config::new().seeds(0), || async {}));
    assert_eq!(json["test"], Value::Null);
    assert_eq!(json["failure"]["kind"], "Setup");
    for key in ["task", "spawned_at", "tape"] {
        assert_eq!(json["failure"][key], Value::Null, "{key}");
    }
}

#[test]
fn each_check_with_a_name_leaves_its_line() {
    let file = out().join("json-leaves-a_line.jsonl");
    for seeds in [2, 3] {
        let config = Config::new().name("json::leaves::a_line").seeds(seeds);
        let report = sim::check(config.lint("all", Level::Deny), || async {});
        let written = fs::read_to_string(&file).unwrap();
        assert_eq!(written, report.to_json() + "\n");
        assert_eq!(serde_json::from_str::<Value>(&written).unwrap()["runs"], seeds);
    }
}
