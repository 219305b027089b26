//! `std::hint`, whose `spin_loop` lets others run.

pub use std::hint::{assert_unchecked, black_box, unreachable_unchecked};

/// Says that the program waits for another thread in a loop: lets others run, as
/// [`yield_now`](super::thread::yield_now).
#[track_caller]
pub fn spin_loop() {
    if !super::thread::give_way(std::panic::Location::caller()) {
        std::hint::spin_loop();
    }
}
