//! What each example prints: the failure, its replay, the corrected program's pass.

use sim::{Config, Outcome, check, replay_with};
use std::future::Future;

/// [`show_with`] the settings of the environment.
///
/// # Panics
///
/// As [`show_with`].
pub fn show<B, C>(name: &str, broken: fn() -> B, corrected: fn() -> C)
where
    B: Future<Output: Outcome>,
    C: Future<Output: Outcome>,
{
    show_with(Config::from_env(), name, broken, corrected);
}

/// Runs the broken program until a seed fails, replays that failure from its seed and from its tape,
/// and runs the corrected one under all seeds.
///
/// # Panics
///
/// Panics if the bug is not found, a replay differs, or the corrected program fails.
pub fn show_with<B, C>(config: Config, name: &str, broken: fn() -> B, corrected: fn() -> C)
where
    B: Future<Output: Outcome>,
    C: Future<Output: Outcome>,
{
    println!("== {name}, broken: until a seed fails");
    let report = check(config.clone(), broken);
    println!("{report}\n");
    let failure = report.failure.expect("one of the seeds finds the bug");

    println!("== the same failure, from its seed alone");
    let again = check(config.clone().only_seed(failure.seed.0), broken);
    let again = again.failure.expect("the same seed is the same run");
    assert_eq!((again.kind, &again.message), (failure.kind, &failure.message));
    println!("seed {}: {:?} again, at {:?} of virtual time", again.seed, again.kind, again.at);

    let taped = replay_with(config.clone(), &failure.tape, broken);
    let taped = taped.failure.expect("the same choices are the same run");
    assert_eq!((taped.kind, &taped.message), (failure.kind, &failure.message));
    println!("and from its tape of {} choices\n", failure.tape.choices());

    println!("== {name}, corrected");
    let report = check(config, corrected);
    println!("{report}");
    assert!(report.failure.is_none(), "the corrected program passes");
}
