//! Memory that faults without being a mapping of its own: Linux 6.13 and later, madvise(2).

use std::ptr;

/// MADV_GUARD_INSTALL and MADV_GUARD_REMOVE of uapi/asm-generic/mman-common.h.
const INSTALL: libc::c_int = 102;
const REMOVE: libc::c_int = 103;

/// Makes each access to memory of a stack fault; false if the kernel does not know how.
pub(in crate::fiber) fn install(from: usize, to: usize) -> bool {
    // SAFETY: `from` to `to` is the caller's, whole pages of a private anonymous mapping that nothing
    // uses yet.
    unsafe { libc::madvise(ptr::without_provenance_mut(from), to - from, INSTALL) == 0 }
}

/// Ends that. Nothing happens where it was not so.
pub(in crate::fiber) fn remove(from: usize, to: usize) {
    // SAFETY: it takes nothing away, and fails where the kernel does not know it.
    unsafe { libc::madvise(ptr::without_provenance_mut(from), to - from, REMOVE) };
}
