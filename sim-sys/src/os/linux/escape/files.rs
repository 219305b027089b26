//! Files and folders.

use super::{super::fail, escapes, lets_out, text};
use crate::os::Reach;
use libc::{DIR, FILE, c_char, c_int, c_uint, gid_t, mode_t, off_t, off64_t, timespec, uid_t};
use std::{ffi::CStr, ptr};

/// What an open with those flags (open(2)) reaches.
fn reach(flags: c_int) -> Reach {
    let makes = flags & (libc::O_CREAT | libc::O_TRUNC) != 0;
    // O_TMPFILE is a file without a name, and has the bits of O_DIRECTORY.
    let nameless = flags & libc::O_TMPFILE == libc::O_TMPFILE;
    match flags & libc::O_ACCMODE == libc::O_RDONLY && !makes && !nameless {
        true => Reach::Read,
        false => Reach::Write,
    }
}

/// What an fopen(3) in that mode reaches: writing, unless it is `r` without `+`.
///
/// # Safety
///
/// The mode is null, or ends with a zero.
unsafe fn reach_of_mode(mode: *const c_char) -> Reach {
    if mode.is_null() {
        return Reach::Read;
    }
    // SAFETY: the caller's promise.
    let mode = unsafe { CStr::from_ptr(mode) }.to_bytes();
    match mode.first() == Some(&b'r') && !mode.contains(&b'+') {
        true => Reach::Read,
        false => Reach::Write,
    }
}

/// Two paths of one call.
///
/// # Safety
///
/// As [`text`] of both.
unsafe fn both(one: *const c_char, other: *const c_char) -> String {
    // SAFETY: the caller's promise.
    unsafe { format!("{} -> {}", text(one), text(other)) }
}

/// Defines those that open. C declares them with variable arguments, of which there is at most the mode: it is taken
/// as `syscall`'s are, and passed on as one.
macro_rules! opens {
    ($($(#[$doc:meta])* fn $name:ident($($folder:ident: $type:ty)?);)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        ///
        /// As libc's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(
            $($folder: $type,)? path: *const c_char, flags: c_int, mode: c_uint,
        ) -> c_int {
            type Real = unsafe extern "C" fn($($type,)? *const c_char, c_int, ...) -> c_int;
            // SAFETY: the caller gives a path that ends with a zero.
            if !lets_out(stringify!($name), reach(flags), || unsafe { text(path) }) {
                return fail(libc::EPERM);
            }
            match crate::os::platform::real!($name: Real) {
                // SAFETY: the caller's arguments, unchanged; one that was not given is not looked at.
                Some(real) => unsafe { real($($folder,)? path, flags, mode) },
                None => fail(libc::ENOSYS),
            }
        }
    )*};
}

opens! {
    /// open(2)
    fn open();
    /// open(2), with large files.
    fn open64();
    /// openat(2)
    fn openat(folder: c_int);
    /// openat(2), with large files.
    fn openat64(folder: c_int);
}

escapes! {
    /// creat(2)
    fn creat(path: *const c_char, mode: mode_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// creat(2), with large files.
    fn creat64(path: *const c_char, mode: mode_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// fopen(3)
    fn fopen(path: *const c_char, mode: *const c_char) -> *mut FILE;
    // SAFETY: the caller gives a mode that ends with a zero.
    unsafe { reach_of_mode(mode) }, text(path), else { fail(libc::EPERM); ptr::null_mut() };

    /// fopen(3), with large files.
    fn fopen64(path: *const c_char, mode: *const c_char) -> *mut FILE;
    // SAFETY: the caller gives a mode that ends with a zero.
    unsafe { reach_of_mode(mode) }, text(path), else { fail(libc::EPERM); ptr::null_mut() };

    /// opendir(3)
    fn opendir(path: *const c_char) -> *mut DIR;
    Reach::Read, text(path), else { fail(libc::EACCES); ptr::null_mut() };

    /// truncate(2)
    fn truncate(path: *const c_char, length: off_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// truncate(2), with large files.
    fn truncate64(path: *const c_char, length: off64_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// rename(2)
    fn rename(from: *const c_char, to: *const c_char) -> c_int;
    Reach::Write, both(from, to), else fail(libc::EPERM);

    /// renameat(2)
    fn renameat(folder: c_int, from: *const c_char, other: c_int, to: *const c_char) -> c_int;
    Reach::Write, both(from, to), else fail(libc::EPERM);

    /// renameat2(2)
    fn renameat2(folder: c_int, from: *const c_char, other: c_int, to: *const c_char, flags: c_uint) -> c_int;
    Reach::Write, both(from, to), else fail(libc::EPERM);

    /// unlink(2)
    fn unlink(path: *const c_char) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// unlinkat(2)
    fn unlinkat(folder: c_int, path: *const c_char, flags: c_int) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// remove(3)
    fn remove(path: *const c_char) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// rmdir(2)
    fn rmdir(path: *const c_char) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// mkdir(2)
    fn mkdir(path: *const c_char, mode: mode_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// mkdirat(2)
    fn mkdirat(folder: c_int, path: *const c_char, mode: mode_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// link(2)
    fn link(from: *const c_char, to: *const c_char) -> c_int;
    Reach::Write, both(from, to), else fail(libc::EPERM);

    /// linkat(2)
    fn linkat(folder: c_int, from: *const c_char, other: c_int, to: *const c_char, flags: c_int) -> c_int;
    Reach::Write, both(from, to), else fail(libc::EPERM);

    /// symlink(2)
    fn symlink(to: *const c_char, path: *const c_char) -> c_int;
    Reach::Write, both(path, to), else fail(libc::EPERM);

    /// symlinkat(2)
    fn symlinkat(to: *const c_char, folder: c_int, path: *const c_char) -> c_int;
    Reach::Write, both(path, to), else fail(libc::EPERM);

    /// chmod(2)
    fn chmod(path: *const c_char, mode: mode_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// chown(2)
    fn chown(path: *const c_char, owner: uid_t, group: gid_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// utimensat(2); the path may be null.
    fn utimensat(folder: c_int, path: *const c_char, times: *const timespec, flags: c_int) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);

    /// mkfifo(3)
    fn mkfifo(path: *const c_char, mode: mode_t) -> c_int;
    Reach::Write, text(path), else fail(libc::EPERM);
}
