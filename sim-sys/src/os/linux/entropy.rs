//! Entropy.

use super::{
    ask::{ask_anyway, hooked},
    fail, real, syscall,
};
use crate::os::DREW_ENTROPY;
use libc::{c_int, c_uint, c_void, size_t, ssize_t};

/// Fills the caller's buffer from the hooks; false if this thread has none, or the buffer is none.
///
/// # Safety
///
/// `buffer` is null or valid for `length` bytes.
pub(super) unsafe fn fill(buffer: *mut c_void, length: size_t) -> bool {
    if !hooked() || buffer.is_null() {
        return false;
    }
    // The getrandom crate asks for nothing, once in a process, to see whether it may ask: that must
    // not make its first run differ from the second.
    if length == 0 {
        return true;
    }
    // SAFETY: the caller's promise; the bytes are set before they are read as `u8`.
    let bytes = unsafe {
        buffer.cast::<u8>().write_bytes(0, length);
        std::slice::from_raw_parts_mut(buffer.cast::<u8>(), length)
    };
    DREW_ENTROPY.set(true);
    ask_anyway(|hooks| hooks.entropy(bytes)).is_some()
}

/// The machine's entropy, also inside a simulation.
///
/// # Panics
///
/// Panics if the machine has none to give.
pub fn real_entropy(buffer: &mut [u8]) {
    let mut rest = buffer;
    while !rest.is_empty() {
        // A signal may end the call before it is done (getrandom(2)).
        match syscall::real_getrandom(rest) {
            Ok(count) => rest = &mut rest[count..],
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => panic!("failed to get entropy of the machine: {error}"),
        }
    }
}

/// getrandom(2).
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    // SAFETY: the caller gives a buffer of that length.
    if unsafe { fill(buffer, length) } {
        return length as ssize_t;
    }
    match real!(getrandom: unsafe extern "C" fn(*mut c_void, size_t, c_uint) -> ssize_t) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(buffer, length, flags) },
        None => fail(libc::ENOSYS) as ssize_t,
    }
}

/// getentropy(3): at most 256 bytes a call, also in a simulation.
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getentropy(buffer: *mut c_void, length: size_t) -> c_int {
    // SAFETY: the caller gives a buffer of that length.
    if length <= 256 && unsafe { fill(buffer, length) } {
        return 0;
    }
    match real!(getentropy: unsafe extern "C" fn(*mut c_void, size_t) -> c_int) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(buffer, length) },
        None => fail(libc::ENOSYS),
    }
}
