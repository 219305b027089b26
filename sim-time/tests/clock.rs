//! What a clock shows.

use sim_time::Clock;

const SECOND: u64 = 1_000_000_000;
const EPOCH: u64 = 1_700_000_000 * SECOND;

#[test]
fn an_exact_clock_shows_the_time() {
    let clock = Clock::new(EPOCH);
    assert_eq!((clock.monotonic_ns(7), clock.wall_ns(7)), (7, EPOCH + 7));
}

#[test]
fn drift_counts_from_its_change() {
    let mut clock = Clock::new(EPOCH);
    clock.set_drift(1_000, 10 * SECOND);
    assert_eq!(clock.monotonic_ns(10 * SECOND), 10 * SECOND);
    assert_eq!(clock.monotonic_ns(12 * SECOND), 12 * SECOND + 2_000);
    clock.set_drift(-1_000, 12 * SECOND);
    assert_eq!(clock.monotonic_ns(16 * SECOND), 16 * SECOND - 2_000);
    assert_eq!(clock.wall_ns(16 * SECOND), EPOCH + 16 * SECOND - 2_000);
}

#[test]
fn an_offset_replaces_the_former_and_jumps_add_up() {
    let mut clock = Clock::new(EPOCH);
    clock.set_offset(500);
    clock.set_offset(-20);
    clock.jump(7, 1);
    clock.jump(-2, 2);
    assert_eq!(clock.wall_ns(100), EPOCH + 100 - 20 + 5);
    assert_eq!(clock.monotonic_ns(100), 100);
}

#[test]
fn a_wall_clock_before_1970_reads_0_and_comes_back() {
    let mut clock = Clock::new(10);
    clock.jump(-100, 0);
    assert_eq!((clock.wall_ns(89), clock.wall_ns(91)), (0, 1));
}

#[test]
fn a_clock_can_stand_still() {
    let mut clock = Clock::new(EPOCH);
    clock.set_drift(-1_000_000_000, 5);
    assert_eq!(clock.monotonic_ns(SECOND), 5);
}

#[test]
fn the_end_of_time_saturates() {
    let mut clock = Clock::new(u64::MAX);
    clock.set_drift(i32::MAX, 0);
    assert_eq!((clock.monotonic_ns(u64::MAX), clock.wall_ns(u64::MAX)), (u64::MAX, u64::MAX));
}

#[test]
#[should_panic(expected = "would turn the clock back")]
fn a_drift_that_turns_the_clock_back_panics() {
    Clock::new(EPOCH).set_drift(-1_000_000_001, 0);
}

#[test]
fn a_time_that_will_be_shown_is_the_first_that_shows_it() {
    for drift_ppb in [-999_999_999, -500_000_000, -1, 0, 1, 333_333_333, i32::MAX] {
        let mut clock = Clock::new(EPOCH);
        clock.set_drift(drift_ppb, 1_000);
        for shown in [0, 1_000, 1_001, 1_002, 54_321] {
            let when = clock.when_ns(shown);
            assert!(clock.monotonic_ns(when) >= shown, "{drift_ppb} {shown}");
            assert!(
                when <= 1_000 || clock.monotonic_ns(when - 1) < shown,
                "{drift_ppb} {shown}: {when} is not the first"
            );
        }
    }
}

#[test]
fn what_a_clock_that_stands_still_will_show_is_never() {
    let mut clock = Clock::new(EPOCH);
    clock.set_drift(-1_000_000_000, 5);
    assert_eq!((clock.when_ns(5), clock.when_ns(6)), (5, u64::MAX));
}
