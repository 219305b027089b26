//! Properties: what fails at once, what the runs of a check have to come to, and what is counted.
#![forbid(unsafe_code)]

use rand::RngExt;
use sim::{Config, FailureKind, Level, PropertyKind, Report, task::yield_now};
use sim_tests::properties::serve;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

/// Name, kind, reached, held.
fn counts(report: &Report) -> Vec<(&str, PropertyKind, u64, u64)> {
    report.properties.iter().map(|it| (&*it.name, it.kind, it.reached, it.held)).collect()
}

/// Whether one task sees the other's work: so only under some schedules.
async fn race() -> bool {
    let flag = Arc::new(AtomicBool::new(false));
    let set = flag.clone();
    let setting = sim::spawn(async move {
        yield_now().await;
        set.store(true, SeqCst);
    });
    yield_now().await;
    let seen = flag.load(SeqCst);
    setting.await.unwrap();
    seen
}

#[test]
fn what_is_false_once_fails_the_run_at_once() {
    let report = sim::check(Config::new(), || async {
        let seen = race().await;
        sim::assert_always!(!seen, "nobody comes between", "seen {seen}");
        sim::assert_always!(false, "the end is never seen");
    });
    let failure = report.failure.as_ref().unwrap();
    assert_eq!(failure.kind, FailureKind::Assertion);
    assert_eq!(failure.task.as_deref(), Some("main"));
    let line = line!() - 6;
    let expected = format!(
        "the always property \"the end is never seen\" does not hold, at {}:{}",
        file!(),
        line + 1
    );
    let other = format!(
        "the always property \"nobody comes between\" does not hold, at {}:{line}: seen true",
        file!()
    );
    assert!([expected, other].contains(&failure.message), "{failure}");
    let (first, second) = (counts(&report)[0], counts(&report)[1]);
    assert_eq!(first, ("nobody comes between", PropertyKind::Always, report.runs, report.runs));
    assert_eq!(second, ("the end is never seen", PropertyKind::Always, report.runs, 0));
}

#[test]
fn what_must_not_be_reached_fails_the_run_at_once() {
    let report = sim::check(Config::new().seeds(500), || async {
        if race().await {
            sim::assert_unreachable!("seen", "in {}", "time");
        }
        sim::assert_unreachable!("not even looked at");
    });
    let message = report.failure.unwrap().message;
    assert!(message.starts_with("the unreachable property \""), "{message}");
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn what_is_true_in_some_run_is_fine() {
    let report = sim::check(Config::new(), || async {
        let seen = race().await;
        sim::assert_sometimes!(seen, "seen at times");
        sim::assert_sometimes!(!seen, "not seen at times");
        if seen {
            sim::assert_reachable!("reached at times");
        }
    });
    assert!(report.failure.is_none() && report.warnings.is_empty(), "{report}");
    let [(_, _, all, not), (_, _, reached, _), (_, _, all_again, seen)] = counts(&report)[..]
    else {
        panic!("{:?}", report.properties)
    };
    assert_eq!((all, all_again, seen + not, reached), (200, 200, 200, seen));
    assert!(seen > 0 && not > 0, "{:?}", report.properties);
}

#[test]
fn what_no_run_comes_to_is_a_warning() {
    let report = sim::check(Config::new().seeds(30), || async {
        sim::assert_sometimes!(race().await & false, "never true");
        if false {
            sim::assert_always!(true, "never looked at");
            sim::assert_reachable!("never reached");
            sim::assert_unreachable!("rightly never reached");
        }
    });
    assert!(report.failure.is_none());
    let line = line!() - 8;
    let place = |plus: u32| format!("at {}:{} (lint unreached_property)", file!(), line + plus);
    assert_eq!(
        report.warnings,
        [
            format!("the always property \"never looked at\" was reached in no run, {}", place(2)),
            format!("the reachable property \"never reached\" was reached in no run, {}", place(3)),
            format!(
                "the sometimes property \"never true\" was true none of the 30 times that it was reached, {}",
                place(0)
            ),
        ]
    );
}

#[test]
fn the_level_of_the_lint_decides() {
    let test = || async { sim::assert_sometimes!(false, "never true") };
    let with = |level| sim::check(Config::new().seeds(3).lint("unreached_property", level), test);
    let denied = with(Level::Deny);
    let failure = denied.failure.as_ref().unwrap();
    assert_eq!((failure.kind, denied.runs), (FailureKind::UnreachedProperty, 3));
    assert!(failure.message.contains("\"never true\""), "{failure}");
    let allowed = with(Level::Allow);
    assert!(allowed.failure.is_none() && allowed.warnings.is_empty(), "{allowed}");
    assert_eq!(counts(&allowed), [("never true", PropertyKind::Sometimes, 3, 0)]);
}

#[test]
fn a_check_answers_for_the_files_that_it_comes_to_and_no_others() {
    let report = sim::check(Config::new().seeds(3), || async { serve(7) });
    assert_eq!(
        counts(&report),
        [
            ("a large request", PropertyKind::Sometimes, 3, 0),
            ("a request is served", PropertyKind::Reachable, 3, 3),
            ("recovery is complete", PropertyKind::Always, 0, 0),
        ]
    );
    let report = sim::check(Config::new().seeds(3), || async {});
    assert_eq!(report.properties, []);
}

#[test]
fn a_test_answers_for_its_own_function() {
    let config = Config::new()
        .seeds(3)
        .name(concat!(module_path!(), "::a_test_answers_for_its_own_function"));
    let report = sim::check(config, || async {
        if false {
            sim::assert_reachable!("in its own function");
        }
    });
    assert_eq!(counts(&report), [("in its own function", PropertyKind::Reachable, 0, 0)]);
}

#[test]
fn one_name_in_two_places_is_one_property() {
    let report = sim::check(Config::new().seeds(20), || async {
        if race().await {
            sim::assert_reachable!("either");
        } else {
            sim::assert_reachable!("either");
        }
    });
    assert_eq!(counts(&report), [("either", PropertyKind::Reachable, 20, 20)]);
}

#[test]
fn counts_and_warnings_do_not_depend_on_threads() {
    let with = |jobs| {
        sim::check(Config::new().seeds(400).jobs(jobs), || async {
            let drawn = sim::rand::rng().random_range(0..100u32);
            sim::assert_sometimes!(drawn < 30, "small");
            sim::assert_always!(drawn != 7, "not seven");
        })
    };
    let one = with(1);
    assert!(one.failure.is_some() && one.runs > 5, "{one}");
    assert!(one.properties[1].held > 0, "{:?}", one.properties);
    for jobs in [2, 4] {
        let many = with(jobs);
        assert_eq!((many.runs, &many.properties), (one.runs, &one.properties), "{jobs} threads");
    }
}

#[test]
fn outside_of_a_simulation_nothing_happens() {
    sim::assert_always!(false, "outside");
    sim::assert_unreachable!("outside");
    sim::assert_sometimes!(false, "outside");
    sim::assert_reachable!("outside");
}

#[test]
fn all_schedules_answer_for_what_one_of_them_comes_to() {
    let config = || Config::new().strategy("exhaustive");
    let report = sim::check(config(), || async {
        // Of sim, so that the search knows of the race.
        let flag = Arc::new(sim::sync::Mutex::new(false));
        let set = flag.clone();
        let setting = sim::spawn(async move { *set.lock().await = true });
        let seen = *flag.lock().await;
        setting.await.unwrap();
        sim::assert_sometimes!(seen, "seen in some schedule");
        sim::assert_sometimes!(false, "true in no schedule");
    });
    assert!(report.exhaustive.is_some_and(|progress| progress.done), "{report}");
    let [first, second] = &report.properties[..] else { panic!("{:?}", report.properties) };
    assert_eq!((first.reached, second.reached, second.held), (report.runs, report.runs, 0));
    assert!(0 < first.held && first.held < report.runs, "{first:?}");
    assert_eq!(report.warnings.len(), 1, "{:?}", report.warnings);
    assert!(report.warnings[0].contains("\"true in no schedule\""), "{:?}", report.warnings);
}
