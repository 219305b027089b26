//! Clocks, and sleep.

use super::{
    SECOND,
    ask::{answered, ask},
    fail, ns_of, real, spec,
};
use libc::{c_int, c_uint, c_void, clockid_t, time_t, timespec, timeval};

/// What a clock shows in the simulation; `None` without one, and for clocks of processor time.
fn clock_ns(clock: clockid_t) -> Option<u64> {
    match clock {
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_BOOTTIME => ask(|hooks| hooks.monotonic_ns()),
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => {
            ask(|hooks| hooks.realtime_ns())
        }
        _ => None,
    }
}

fn real_clock_gettime() -> Option<unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int> {
    real!(clock_gettime: unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int)
}

/// The machine's clock, in nanoseconds, also inside a simulation.
pub fn real_monotonic_ns() -> u64 {
    let mut now = spec(0);
    let real = real_clock_gettime().expect("every libc has clock_gettime");
    // SAFETY: the place is valid.
    let result = unsafe { real(libc::CLOCK_MONOTONIC, &mut now) };
    assert_eq!(result, 0, "every Linux has a monotonic clock");
    ns_of(&now).expect("the clock counts from the machine's start")
}

/// clock_gettime(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, out: *mut timespec) -> c_int {
    if let Some(ns) = clock_ns(clock) {
        // SAFETY: the caller gives a valid place, or libc would fail as well.
        unsafe { *out = spec(ns) };
        return 0;
    }
    match real_clock_gettime() {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(clock, out) },
        None => fail(libc::ENOSYS),
    }
}

/// gettimeofday(2). The simulation's time zone is UTC.
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gettimeofday(out: *mut timeval, zone: *mut c_void) -> c_int {
    if let Some(ns) = clock_ns(libc::CLOCK_REALTIME) {
        let now = timeval { tv_sec: (ns / SECOND) as _, tv_usec: (ns % SECOND / 1_000) as _ };
        // SAFETY: the caller gives valid places or null; a `struct timezone` is two ints.
        unsafe {
            if let Some(out) = out.as_mut() {
                *out = now;
            }
            if let Some(zone) = zone.cast::<[c_int; 2]>().as_mut() {
                *zone = [0; 2];
            }
        }
        return 0;
    }
    match real!(gettimeofday: unsafe extern "C" fn(*mut timeval, *mut c_void) -> c_int) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(out, zone) },
        None => fail(libc::ENOSYS),
    }
}

/// time(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn time(out: *mut time_t) -> time_t {
    if let Some(ns) = clock_ns(libc::CLOCK_REALTIME) {
        let seconds = (ns / SECOND) as time_t;
        // SAFETY: the caller gives a valid place or null.
        if let Some(out) = unsafe { out.as_mut() } {
            *out = seconds;
        }
        return seconds;
    }
    match real!(time: unsafe extern "C" fn(*mut time_t) -> time_t) {
        // SAFETY: the caller's argument, unchanged.
        Some(real) => unsafe { real(out) },
        None => fail(libc::ENOSYS).into(),
    }
}

/// Sleeps in the simulation, until a time of `clock` if `absolute`, else for a time; gives 0 or the
/// error. `None` if this is not the simulation's matter, or there is no time to read.
///
/// # Safety
///
/// `wanted` is valid or null.
unsafe fn sleep(clock: clockid_t, absolute: bool, wanted: *const timespec) -> Option<c_int> {
    let now = clock_ns(clock)?;
    // SAFETY: the caller's promise.
    let Some(ns) = ns_of(unsafe { wanted.as_ref() }?) else { return Some(libc::EINVAL) };
    ask(|hooks| hooks.sleep(if absolute { ns.saturating_sub(now) } else { ns }))?;
    Some(0)
}

/// nanosleep(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanosleep(wanted: *const timespec, rest: *mut timespec) -> c_int {
    // SAFETY: the caller gives a valid timespec or null.
    match unsafe { sleep(libc::CLOCK_MONOTONIC, false, wanted) } {
        Some(0) => return 0,
        Some(error) => return fail(error),
        None => {}
    }
    match real!(nanosleep: unsafe extern "C" fn(*const timespec, *mut timespec) -> c_int) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(wanted, rest) },
        None => fail(libc::ENOSYS),
    }
}

/// clock_nanosleep(2): it gives its error instead of setting errno.
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    wanted: *const timespec,
    rest: *mut timespec,
) -> c_int {
    // SAFETY: the caller gives a valid timespec or null.
    if let Some(result) = unsafe { sleep(clock, flags & libc::TIMER_ABSTIME != 0, wanted) } {
        return result;
    }
    type Real = unsafe extern "C" fn(clockid_t, c_int, *const timespec, *mut timespec) -> c_int;
    match real!(clock_nanosleep: Real) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(clock, flags, wanted, rest) },
        None => libc::ENOSYS,
    }
}

/// usleep(3).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn usleep(microseconds: c_uint) -> c_int {
    if answered() {
        ask(|hooks| hooks.sleep(u64::from(microseconds) * 1_000));
        return 0;
    }
    match real!(usleep: unsafe extern "C" fn(c_uint) -> c_int) {
        // SAFETY: the caller's argument, unchanged.
        Some(real) => unsafe { real(microseconds) },
        None => fail(libc::ENOSYS),
    }
}
