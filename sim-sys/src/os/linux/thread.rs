//! Threads that give way, and the end of the program.

use super::{
    ask::{ask, try_ask},
    fail, real,
};
use libc::c_int;

/// sched_yield(2).
#[unsafe(no_mangle)]
pub extern "C" fn sched_yield() -> c_int {
    if ask(|hooks| hooks.yield_thread()).is_some() {
        return 0;
    }
    match real!(sched_yield: unsafe extern "C" fn() -> c_int) {
        // SAFETY: it takes nothing.
        Some(real) => unsafe { real() },
        None => fail(libc::ENOSYS),
    }
}

/// abort(3): a simulation may report it and never go on with the fiber.
#[unsafe(no_mangle)]
pub extern "C" fn abort() -> ! {
    // If the hook panics, there is nobody left to tell.
    let _ = try_ask(|hooks| hooks.abort());
    if let Some(real) = real!(abort: unsafe extern "C" fn()) {
        // SAFETY: it takes nothing.
        unsafe { real() };
    }
    // libc's does not return, and there is no libc without it.
    std::process::exit(134)
}
