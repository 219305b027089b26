//! syscall(2), as far as std and getrandom use it: futexes, entropy and clocks; all else goes on.

use super::{
    ask::{ask, hooked},
    clock, entropy, fail, ns_of, real, thread,
};
use crate::os::FutexWait;
use libc::{c_int, c_long, c_void, size_t, timespec};
use std::{io, sync::atomic::AtomicU32};

type Real = unsafe extern "C" fn(c_long, ...) -> c_long;

fn real_syscall() -> Option<Real> {
    real!(syscall: Real)
}

/// The machine's getrandom(2): how many bytes it set.
pub(super) fn real_getrandom(buffer: &mut [u8]) -> io::Result<usize> {
    let real = real_syscall().expect("every libc has syscall");
    // SAFETY: the buffer is valid for its length.
    let count = unsafe { real(libc::SYS_getrandom, buffer.as_mut_ptr(), buffer.len(), 0) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// syscall(2).
///
/// C declares it with variable arguments. On Linux for x86_64 (System V ABI, 3.5.7) and aarch64 (AAPCS64,
/// 6.8.2) those that are integers or pointers are passed in the very registers, and then stack places, of as
/// many named arguments, so that a definition with six named ones takes them. Those that were not given
/// hold what happened to be there: libc's own definition reads them as well, and here they are only
/// passed on.
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    if hooked() {
        // SAFETY: the caller's arguments are what the call of that number asks for.
        if let Some(result) = unsafe { simulated(number, [a, b, c, d]) } {
            return result;
        }
    }
    match real_syscall() {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(number, a, b, c, d, e, f) },
        None => fail(libc::ENOSYS).into(),
    }
}

/// A system call in the simulation; `None` for what goes on to the kernel.
///
/// # Safety
///
/// The arguments are what the call of that number asks for.
unsafe fn simulated(number: c_long, [a, b, c, d]: [c_long; 4]) -> Option<c_long> {
    let pointer = |argument: c_long| argument as *mut c_void;
    // SAFETY: in each arm the arguments are in the order of the call's manual page, as the caller
    // gives them.
    unsafe {
        match number {
            libc::SYS_getrandom => entropy::fill(pointer(a), b as size_t).then_some(b),
            libc::SYS_clock_gettime => {
                Some(clock::clock_gettime(a as c_int, pointer(b).cast()).into())
            }
            libc::SYS_gettimeofday => {
                Some(clock::gettimeofday(pointer(a).cast(), pointer(b)).into())
            }
            libc::SYS_nanosleep => {
                Some(clock::nanosleep(pointer(a).cast(), pointer(b).cast()).into())
            }
            libc::SYS_clock_nanosleep => {
                let (wanted, rest) = (pointer(c).cast(), pointer(d).cast());
                // Libc's function gives its error, the call sets errno.
                Some(match clock::clock_nanosleep(a as c_int, b as c_int, wanted, rest) {
                    0 => 0,
                    error => fail(error).into(),
                })
            }
            libc::SYS_sched_yield => Some(thread::sched_yield().into()),
            libc::SYS_futex => futex(pointer(a).cast(), b as c_int, c as u32, pointer(d).cast()),
            _ => None,
        }
    }
}

/// futex(2): waits and wakes within the process; `None` for what goes on to the kernel.
///
/// # Safety
///
/// `word` and `timeout` are what futex(2) asks for.
unsafe fn futex(
    word: *const AtomicU32,
    operation: c_int,
    value: u32,
    timeout: *const timespec,
) -> Option<c_long> {
    // The kernel has the errors for these.
    if word.is_null() || !word.is_aligned() {
        return None;
    }
    match operation & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME) {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => {
            // SAFETY: null or a valid timespec.
            let timeout = match unsafe { timeout.as_ref() } {
                None => None,
                Some(timeout) => match remaining_ns(operation, timeout) {
                    None => return Some(fail(libc::EINVAL).into()),
                    some => some,
                },
            };
            // SAFETY: a futex is a valid, aligned word that threads change atomically.
            let word = unsafe { &*word };
            Some(match ask(|hooks| hooks.futex_wait(word, value, timeout))? {
                FutexWait::Woken => 0,
                FutexWait::Mismatch => fail(libc::EAGAIN).into(),
                FutexWait::TimedOut => fail(libc::ETIMEDOUT).into(),
            })
        }
        libc::FUTEX_WAKE => {
            let woken = ask(|hooks| hooks.futex_wake(word.addr(), value))?;
            let rest = value.saturating_sub(woken);
            // Threads that are no part of the simulation may wait for the same word.
            let others = match real_syscall() {
                // SAFETY: the caller's word and operation.
                Some(real) if rest > 0 => unsafe { real(libc::SYS_futex, word, operation, rest) },
                _ => 0,
            };
            Some(c_long::from(woken) + others.max(0))
        }
        _ => None,
    }
}

/// How long a futex wait may take; `None` if its timeout is no valid one.
///
/// The timeout of FUTEX_WAIT_BITSET is a point in time, that of FUTEX_WAIT is not (futex(2)).
fn remaining_ns(operation: c_int, timeout: &timespec) -> Option<u64> {
    let ns = ns_of(timeout)?;
    let command = operation & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    let now = match (command, operation & libc::FUTEX_CLOCK_REALTIME) {
        (libc::FUTEX_WAIT, _) => 0,
        (_, 0) => ask(|hooks| hooks.monotonic_ns())?,
        _ => ask(|hooks| hooks.realtime_ns())?,
    };
    Some(ns.saturating_sub(now))
}
