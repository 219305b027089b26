//! Memory for a fiber's calls, and below it what catches those that run off it.
//!
//! ```text
//! lowest address                                      highest, where calls begin
//! | guard: never usable | reserve: closed | the size that was asked for, and more |
//! ```
//!
//! An access to the closed part is an overflow. The reserve is opened if the overflow happens in code that
//! must not be cut off: see `overflow`.
//!
//! Closed memory next to open memory is two mappings to the kernel, of which a process has 65,530 (Linux,
//! vm.max_map_count). So where there are many stacks further ones are closed by marks in their page
//! tables, which take 4 KiB more of memory, and mappings next to each other become one.

use super::guard;
use corosensei::stack::{self, StackPointer};
use std::{
    io, ptr,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Stacks of the process that are two mappings each: a quarter of the mappings that it may have.
const MAPPED: usize = 8_192;

/// How many there are. No decision of a run depends on it.
static STACKS: AtomicUsize = AtomicUsize::new(0);

/// Room for what has to come to its end before an overflowed fiber can be cut off: malloc, above all.
const RESERVE: usize = 64 << 10;

/// The least size: what the callers of a closure take for themselves, in a debug build, and some more.
const LEAST: usize = 16 << 10;

/// Memory for a fiber's calls, with a guard below it.
pub struct Stack {
    page: usize,
    lowest: StackPointer,
    floor: StackPointer,
    highest: StackPointer,
}

impl Stack {
    /// Maps a stack of at least `size` bytes, and 16 KiB; only pages that are touched take memory.
    ///
    /// # Errors
    ///
    /// Fails if the system has no more address space, or before Linux 6.13 no more mappings: 65,530 a
    /// process, of which a stack takes two.
    pub fn new(size: usize) -> io::Result<Stack> {
        let page = page_size();
        let whole = |bytes: usize| bytes.checked_next_multiple_of(page);
        let closed = page + RESERVE.next_multiple_of(page);
        let length = whole(size.max(LEAST))
            .and_then(|size| size.checked_add(closed))
            .ok_or(io::ErrorKind::OutOfMemory)?;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a new private mapping, at an address of the kernel's choice, changes no memory
        // that is in use (mmap(2)).
        let lowest = unsafe { libc::mmap(ptr::null_mut(), length, libc::PROT_NONE, flags, -1, 0) };
        if lowest == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let at = |offset: usize| {
            StackPointer::new(lowest.addr() + offset).expect("a mapping is not at address zero")
        };
        // From here on the mapping is unmapped if opening it fails.
        let stack = Stack { page, lowest: at(0), floor: at(closed), highest: at(length) };
        let many = STACKS.fetch_add(1, Relaxed) >= MAPPED;
        let (lowest, floor) = (stack.lowest.get(), stack.floor.get());
        if many && guard::install(lowest, floor) {
            protect(lowest, stack.highest.get())?;
        } else {
            protect(floor, stack.highest.get())?;
        }
        Ok(stack)
    }

    /// The size of a page, and so of the guard.
    pub(super) fn page(&self) -> usize {
        self.page
    }

    /// The lowest address that calls may use.
    pub(super) fn floor(&self) -> usize {
        self.floor.get()
    }
}

/// Opens memory of a stack that is closed, from one page boundary to another.
pub(super) fn open(from: usize, to: usize) -> io::Result<()> {
    guard::remove(from, to);
    protect(from, to)
}

/// Makes memory of a stack, from one page boundary to another, readable and writable.
fn protect(from: usize, to: usize) -> io::Result<()> {
    let address = ptr::without_provenance_mut(from);
    // SAFETY: all callers, of this module and `overflow`, name memory of a stack's own mapping.
    // To give more access to it takes nothing away from anyone.
    match unsafe { libc::mprotect(address, to - from, libc::PROT_READ | libc::PROT_WRITE) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn page_size() -> usize {
    // SAFETY: sysconf(3) only reads a setting.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).expect("every system has a page size")
}

impl Drop for Stack {
    fn drop(&mut self) {
        STACKS.fetch_sub(1, Relaxed);
        let length = self.highest.get() - self.lowest.get();
        // SAFETY: the mapping is this stack's own, and nothing runs on it: a fiber owns its stack
        // until it has ended, and an abandoned one never drops it.
        let result =
            unsafe { libc::munmap(ptr::without_provenance_mut(self.lowest.get()), length) };
        debug_assert_eq!(result, 0);
    }
}

// SAFETY: the trait asks for a guard below the stack, at least MIN_STACK_SIZE (4 KiB) usable bytes, and ends
// that are aligned and include the guard; `new` maps whole pages, rounded up, and nothing changes them.
unsafe impl stack::Stack for Stack {
    #[inline]
    fn base(&self) -> StackPointer {
        self.highest
    }

    #[inline]
    fn limit(&self) -> StackPointer {
        self.lowest
    }
}
