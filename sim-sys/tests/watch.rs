//! The watch calls a thread that is slow, and one that goes on is let alone.

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use sim_sys::fiber::{Patience, Pulse, watch};
use std::{hint::spin_loop, sync::Arc, thread, time::Duration};

const HOUR: Duration = Duration::from_secs(3600);

/// Runs `f` on a thread that is watched, which drives fibers.
fn watched(slow: Duration, f: impl FnOnce(&Pulse) + Send) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let pulse = Arc::<Pulse>::default();
            let watched = watch(pulse.clone(), Patience { slow, limit: HOUR });
            let _driving = watched.drive();
            f(&pulse);
        });
    });
}

#[test]
fn a_thread_without_a_beat_is_called() {
    watched(Duration::from_millis(1), |pulse| {
        pulse.set(7);
        while !pulse.was_slow() {
            spin_loop();
        }
        while !pulse.is_called() {
            spin_loop();
        }
        assert!(pulse.take_slow() && !pulse.take_slow(), "it is told once");
        pulse.call(false);
        pulse.set(8);
        while !pulse.was_slow() {
            spin_loop();
        }
        pulse.set(9);
        assert!(!pulse.was_slow(), "that was before this beat");
    });
}

#[test]
fn beats_are_signs_of_life() {
    watched(Duration::from_millis(200), |pulse| {
        for beat in 0..100_000_000 {
            pulse.set(beat);
        }
        assert!(!pulse.is_called());
    });
}
