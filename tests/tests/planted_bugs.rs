//! Power: every planted bug is found within a budget of runs, whatever the base seed, and what is
//! found is found again from its seed and from its tape.

use sim::{Config, Failure};
use sim_tests::{
    STRATEGIES,
    again::check_again,
    bugs::{BUGS, Bug},
    literature::LITERATURE,
};

/// Runs until a bug has to be found.
const BUDGET: u64 = 2_000;
/// Base seeds, so that no bug is found by luck.
const BASES: u64 = 20;

#[test]
fn each_bug_is_found_by_the_default_strategy() {
    for bug in BUGS {
        for base in 0..BASES {
            let failure = find(bug, Config::new().seed(base));
            check_again(bug.name, bug.main, &failure);
        }
    }
}

#[test]
fn each_bug_is_found_by_each_strategy() {
    for bug in BUGS {
        for strategy in STRATEGIES {
            for base in 100..100 + BASES {
                find(bug, Config::new().seed(base).strategy(strategy));
            }
        }
    }
}

/// What random walks and priorities miss is found by the default too.
#[test]
fn each_program_of_the_literature_is_found_by_the_default_strategy() {
    for bug in LITERATURE {
        for base in 0..5 {
            let failure = find(bug, Config::new().seed(base));
            check_again(bug.name, bug.main, &failure);
        }
    }
}

/// The runs that a check learns from may fail too, and those after them need what was learned.
#[test]
fn each_strategy_finds_the_same_again_from_the_seed_alone() {
    let name = |name: &str| *LITERATURE.iter().find(|bug| bug.name == name).unwrap();
    for strategy in STRATEGIES {
        for bug in [name("stringbuffer"), name("semaphore_3x2"), name("work_stealing_queue")] {
            for base in 0..10 {
                let config = Config::new().strategy(strategy);
                let failure = find(&bug, config.clone().seed(base));
                let again = sim::check(config.only_seed(failure.seed.0), bug.main);
                assert_eq!(again.runs, 1);
                let again = again.failure.unwrap_or_else(|| panic!("{strategy} passed: {failure}"));
                assert_eq!(again.tape, failure.tape, "{strategy}");
            }
        }
    }
}

/// A check of one run learns nothing, and neither does the run of its seed.
#[test]
fn a_check_of_one_run_is_found_again_too() {
    let bug = LITERATURE.iter().find(|bug| bug.name == "stringbuffer").unwrap();
    let one = |base| sim::check(Config::new().seed(base).seeds(1), bug.main).failure;
    let failures: Vec<Failure> = (0..100).filter_map(one).collect();
    assert!(failures.len() > 10, "{} of 100", failures.len());
    for failure in failures {
        let config = Config::new().only_seed(failure.seed.0).seeds(1);
        let again = sim::check(config, bug.main).failure.expect("it fails again");
        assert_eq!(again.tape, failure.tape);
        assert!(failure.to_string().ends_with(".seeds(1), ..)"), "{failure}");
    }
}

#[test]
fn workers_of_a_check_learn_the_same() {
    let bug = LITERATURE.iter().find(|bug| bug.name == "reorder_10").unwrap();
    for base in 0..5 {
        let one = find(bug, Config::new().seed(base));
        let two = find(bug, Config::new().seed(base).jobs(2));
        assert_eq!((one.seed, one.tape), (two.seed, two.tape));
    }
}

/// Few classes are soon seen; what is wide open is said to be.
#[test]
fn reports_tell_how_much_is_unseen() {
    let small = sim::check(Config::new().seeds(400), || async {
        sim::spawn(async {}).await.unwrap();
    });
    assert!(small.failure.is_none());
    assert!((1..10).contains(&small.classes.distinct), "{:?}", small.classes);
    assert!(small.classes.unseen_per_mille < 50, "{:?}", small.classes);
    let large = sim::check(Config::new().seeds(400), || async {
        let lock = std::sync::Arc::new(sim::sync::Mutex::new(0));
        let tasks = [(); 20].map(|()| {
            let lock = lock.clone();
            sim::spawn(async move { *lock.lock().await += 1 })
        });
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert!(large.failure.is_none());
    assert!(large.classes.runs > 200, "{:?}", large.classes);
    assert!(large.classes.unseen_per_mille > 900, "{:?}", large.classes);
}

/// The first failure, which has to come within the budget and to be of the expected kind.
fn find(bug: &Bug, config: Config) -> Failure {
    let report = sim::check(config.clone().seeds(BUDGET), bug.main);
    let Some(failure) = report.failure else {
        panic!("{} was not found: {config:?}", bug.name);
    };
    assert_eq!(failure.kind, bug.kind, "{}: {failure}", bug.name);
    assert!(report.runs <= BUDGET, "{}: {} runs", bug.name, report.runs);
    failure
}
