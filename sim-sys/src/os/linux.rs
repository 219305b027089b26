//! Linux: the interposed symbols.
//!
//! They are defined in the final program, where the linker finds them before libc's; libc's own are
//! found by `dlsym(RTLD_NEXT)` and called where no simulation runs. Their errors are libc's: -1 and errno.

// The symbols are public to the linker, not to Rust.
#![allow(unreachable_pub)]

use super::{FutexWait, fill, hooks};
use libc::{c_int, c_long, c_uint, c_void, size_t, ssize_t, timespec, timeval};
use std::{
    mem,
    sync::atomic::{AtomicPtr, AtomicU32, Ordering::Relaxed},
};

/// What is interposed here.
pub const CATCHES: &[&str] = &[
    "clock_gettime",
    "gettimeofday",
    "time",
    "getrandom",
    "getentropy",
    "syscall",
    "nanosleep",
    "clock_nanosleep",
    "usleep",
    "sched_yield",
    "abort",
];

const SECOND: u64 = 1_000_000_000;

/// Libc's own definition of a symbol, looked up once.
macro_rules! real {
    ($name:ident: $type:ty) => {{
        static FOUND: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
        let mut found = FOUND.load(Relaxed);
        if found.is_null() {
            // SAFETY: the name is a C string; dlsym(3) may be called at any time.
            found = unsafe {
                libc::dlsym(libc::RTLD_NEXT, concat!(stringify!($name), "\0").as_ptr().cast())
            };
            FOUND.store(found, Relaxed);
        }
        if found.is_null() {
            None
        } else {
            // SAFETY: libc's symbol of that name has that type.
            Some(unsafe { mem::transmute::<*mut c_void, $type>(found) })
        }
    }};
}

fn fail(error: c_int) -> c_int {
    // SAFETY: errno's place is valid on every thread.
    unsafe { *libc::__errno_location() = error };
    -1
}

fn spec(ns: u64) -> timespec {
    timespec { tv_sec: (ns / SECOND) as _, tv_nsec: (ns % SECOND) as _ }
}

/// Nanoseconds of a timespec; `None` if it is no valid one.
fn ns_of(spec: &timespec) -> Option<u64> {
    let (seconds, ns) = (u64::try_from(spec.tv_sec).ok()?, u64::try_from(spec.tv_nsec).ok()?);
    (ns < SECOND).then(|| seconds.saturating_mul(SECOND).saturating_add(ns))
}

/// What a clock shows in the simulation; `None` for clocks of processor time.
fn clock_ns(clock: libc::clockid_t) -> Option<u64> {
    let hooks = hooks()?;
    match clock {
        libc::CLOCK_MONOTONIC
        | libc::CLOCK_MONOTONIC_RAW
        | libc::CLOCK_MONOTONIC_COARSE
        | libc::CLOCK_BOOTTIME => Some(hooks.monotonic_ns()),
        libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE | libc::CLOCK_TAI => {
            Some(hooks.realtime_ns())
        }
        _ => None,
    }
}

/// clock_gettime(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: libc::clockid_t, out: *mut timespec) -> c_int {
    if let Some(ns) = clock_ns(clock) {
        // SAFETY: the caller gives a valid place, or libc would fail as well.
        unsafe { *out = spec(ns) };
        return 0;
    }
    match real!(clock_gettime: unsafe extern "C" fn(libc::clockid_t, *mut timespec) -> c_int) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(clock, out) },
        None => fail(libc::ENOSYS),
    }
}

/// gettimeofday(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn gettimeofday(out: *mut timeval, zone: *mut c_void) -> c_int {
    if let Some(ns) = clock_ns(libc::CLOCK_REALTIME) {
        // SAFETY: the caller gives a valid place, or libc would fail as well.
        unsafe {
            *out = timeval { tv_sec: (ns / SECOND) as _, tv_usec: (ns % SECOND / 1_000) as _ }
        };
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
pub unsafe extern "C" fn time(out: *mut libc::time_t) -> libc::time_t {
    if let Some(ns) = clock_ns(libc::CLOCK_REALTIME) {
        let seconds = (ns / SECOND) as libc::time_t;
        if !out.is_null() {
            // SAFETY: the caller gives a valid place or null.
            unsafe { *out = seconds };
        }
        return seconds;
    }
    match real!(time: unsafe extern "C" fn(*mut libc::time_t) -> libc::time_t) {
        // SAFETY: the caller's argument, unchanged.
        Some(real) => unsafe { real(out) },
        None => fail(libc::ENOSYS).into(),
    }
}

/// Fills the caller's buffer from the hooks; false if this thread has none.
///
/// # Safety
///
/// `buffer` is valid for `length` bytes.
unsafe fn fill_raw(buffer: *mut c_void, length: size_t) -> bool {
    if hooks().is_none() || buffer.is_null() {
        return false;
    }
    // SAFETY: the caller's promise; the bytes are set before they are read as `u8`.
    let bytes = unsafe {
        std::ptr::write_bytes(buffer.cast::<u8>(), 0, length);
        std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length)
    };
    fill(bytes)
}

/// getrandom(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    // SAFETY: the caller gives a buffer of that length.
    if unsafe { fill_raw(buffer, length) } {
        return length as ssize_t;
    }
    match real!(getrandom: unsafe extern "C" fn(*mut c_void, size_t, c_uint) -> ssize_t) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(buffer, length, flags) },
        None => fail(libc::ENOSYS) as ssize_t,
    }
}

/// getentropy(3).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getentropy(buffer: *mut c_void, length: size_t) -> c_int {
    // SAFETY: the caller gives a buffer of that length.
    if unsafe { fill_raw(buffer, length) } {
        return 0;
    }
    match real!(getentropy: unsafe extern "C" fn(*mut c_void, size_t) -> c_int) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(buffer, length) },
        None => fail(libc::ENOSYS),
    }
}

/// nanosleep(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nanosleep(wanted: *const timespec, rest: *mut timespec) -> c_int {
    if let Some(hooks) = hooks() {
        // SAFETY: the caller gives a valid timespec.
        return match ns_of(unsafe { &*wanted }) {
            Some(ns) => {
                hooks.sleep(ns);
                0
            }
            None => fail(libc::EINVAL),
        };
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
    clock: libc::clockid_t,
    flags: c_int,
    wanted: *const timespec,
    rest: *mut timespec,
) -> c_int {
    if let (Some(hooks), Some(now)) = (hooks(), clock_ns(clock)) {
        // SAFETY: the caller gives a valid timespec.
        let Some(ns) = ns_of(unsafe { &*wanted }) else { return libc::EINVAL };
        hooks.sleep(if flags & libc::TIMER_ABSTIME != 0 { ns.saturating_sub(now) } else { ns });
        return 0;
    }
    type Real =
        unsafe extern "C" fn(libc::clockid_t, c_int, *const timespec, *mut timespec) -> c_int;
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
    if let Some(hooks) = hooks() {
        hooks.sleep(u64::from(microseconds) * 1_000);
        return 0;
    }
    match real!(usleep: unsafe extern "C" fn(c_uint) -> c_int) {
        // SAFETY: the caller's argument, unchanged.
        Some(real) => unsafe { real(microseconds) },
        None => fail(libc::ENOSYS),
    }
}

/// sched_yield(2).
#[unsafe(no_mangle)]
pub extern "C" fn sched_yield() -> c_int {
    if let Some(hooks) = hooks() {
        hooks.yield_thread();
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
    if let Some(hooks) = hooks() {
        hooks.abort();
    }
    if let Some(real) = real!(abort: unsafe extern "C" fn()) {
        // SAFETY: it takes nothing.
        unsafe { real() };
    }
    std::process::exit(134)
}

/// syscall(2), as far as std and getrandom use it: futexes and entropy; all else goes on.
///
/// C declares it with variable arguments. On Linux for x86_64 (System V ABI) and aarch64 (AAPCS64)
/// those are passed in the registers, or stack places, of named arguments of the same number, so
/// that a definition with six named ones takes them; the ones that were not given are not read.
///
/// # Safety
///
/// As libc's.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
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
    if hooks().is_some() {
        match number {
            // SAFETY: getrandom's arguments: buffer, length.
            libc::SYS_getrandom if unsafe { fill_raw(a as *mut c_void, b as size_t) } => return b,
            libc::SYS_clock_gettime => {
                // SAFETY: clock_gettime's arguments: clock, place.
                return unsafe { clock_gettime(a as libc::clockid_t, b as *mut timespec) }.into();
            }
            libc::SYS_sched_yield => return sched_yield().into(),
            libc::SYS_futex => {
                let (word, timeout) = (a as *const AtomicU32, d as *const timespec);
                // SAFETY: futex's arguments, as the caller gives them.
                if let Some(result) = unsafe { futex(word, b, c as u32, timeout) } {
                    return result;
                }
            }
            _ => {}
        }
    }
    type Real = unsafe extern "C" fn(c_long, ...) -> c_long;
    match real!(syscall: Real) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(number, a, b, c, d, e, f) },
        None => fail(libc::ENOSYS).into(),
    }
}

/// futex(2): waits and wakes of the simulation; `None` for what goes on to the kernel.
///
/// # Safety
///
/// `word` and `timeout` are what futex(2) asks for.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
unsafe fn futex(
    word: *const AtomicU32,
    operation: c_long,
    value: u32,
    timeout: *const timespec,
) -> Option<c_long> {
    let hooks = hooks()?;
    let operation = operation as c_int;
    let command = operation & !(libc::FUTEX_PRIVATE_FLAG | libc::FUTEX_CLOCK_REALTIME);
    match command {
        libc::FUTEX_WAIT | libc::FUTEX_WAIT_BITSET => {
            // SAFETY: null or a valid timespec.
            let timeout = unsafe { timeout.as_ref() }.map(|timeout| ns_of(timeout).unwrap_or(0));
            // The timeout of FUTEX_WAIT_BITSET is a point in time, that of FUTEX_WAIT is not.
            let now = match (command, operation & libc::FUTEX_CLOCK_REALTIME) {
                (libc::FUTEX_WAIT, _) => 0,
                (_, 0) => hooks.monotonic_ns(),
                _ => hooks.realtime_ns(),
            };
            let timeout = timeout.map(|ns| ns.saturating_sub(now));
            // SAFETY: a futex is a valid, aligned word that threads change atomically.
            Some(match hooks.futex_wait(unsafe { &*word }, value, timeout) {
                FutexWait::Woken => 0,
                FutexWait::Mismatch => fail(libc::EAGAIN).into(),
                FutexWait::TimedOut => fail(libc::ETIMEDOUT).into(),
            })
        }
        libc::FUTEX_WAKE => {
            let woken = hooks.futex_wake(word.addr(), value);
            // Threads that are no part of the simulation may wait for the same word.
            if woken < value {
                let rest = c_long::from(value - woken);
                if let Some(real) = real!(syscall: unsafe extern "C" fn(c_long, ...) -> c_long) {
                    // SAFETY: the caller's word and operation.
                    let others = unsafe { real(libc::SYS_futex, word, operation, rest) };
                    return Some(c_long::from(woken) + others.max(0));
                }
            }
            Some(woken.into())
        }
        _ => None,
    }
}

/// The machine's clock, also inside a simulation.
pub fn real_monotonic_ns() -> u64 {
    let mut now = spec(0);
    if let Some(real) =
        real!(clock_gettime: unsafe extern "C" fn(libc::clockid_t, *mut timespec) -> c_int)
    {
        // SAFETY: the place is valid.
        unsafe { real(libc::CLOCK_MONOTONIC, &mut now) };
    }
    ns_of(&now).unwrap_or(0)
}

/// The machine's entropy, also inside a simulation.
pub fn real_entropy(buffer: &mut [u8]) {
    if let Some(real) = real!(getentropy: unsafe extern "C" fn(*mut c_void, size_t) -> c_int) {
        // getentropy(3) gives at most 256 bytes a call.
        for chunk in buffer.chunks_mut(256) {
            // SAFETY: the chunk is valid for its length.
            unsafe { real(chunk.as_mut_ptr().cast(), chunk.len()) };
        }
    }
}

/// Whether the address lies in this thread's static thread-locals, of the program or a library.
pub fn in_thread_locals(address: usize) -> bool {
    /// Looks at the thread-locals of one object (dl_iterate_phdr(3)).
    unsafe extern "C" fn look(
        info: *mut libc::dl_phdr_info,
        _: size_t,
        wanted: *mut c_void,
    ) -> c_int {
        // SAFETY: the loader gives a valid description with `dlpi_phnum` headers, and `wanted` is
        // the address that `in_thread_locals` passes.
        let (info, wanted) = unsafe { (&*info, *wanted.cast::<usize>()) };
        // SAFETY: as above.
        let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        let start = info.dlpi_tls_data.addr();
        let within = |size: usize| start != 0 && (start..start + size).contains(&wanted);
        headers
            .iter()
            .any(|header| header.p_type == libc::PT_TLS && within(header.p_memsz as usize))
            .into()
    }
    let mut address = address;
    // SAFETY: the callback has the type that is asked for, and the address outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut address).cast()) != 0 }
}

/// Keeps the interposed symbols in the program: the linker takes an object out of a library only
/// for a symbol that something names.
pub fn link() {
    std::hint::black_box(clock_gettime as *const ());
    std::hint::black_box(abort as *const ());
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    std::hint::black_box(syscall as *const ());
}
