//! Processes. `vfork` cannot be interposed: it returns twice on one stack.

use super::{super::fail, escapes, text};
use crate::os::Reach;
use libc::{FILE, c_char, c_int, pid_t, posix_spawn_file_actions_t, posix_spawnattr_t};
use std::ptr;

escapes! {
    /// fork(2)
    fn fork() -> pid_t;
    Reach::Process, String::new(), else fail(libc::EAGAIN);

    /// posix_spawn(3): it gives its error.
    fn posix_spawn(
        pid: *mut pid_t, path: *const c_char, actions: *const posix_spawn_file_actions_t,
        attributes: *const posix_spawnattr_t, arguments: *const *mut c_char, environment: *const *mut c_char
    ) -> c_int;
    Reach::Process, text(path), else libc::EPERM;

    /// posix_spawnp(3): it gives its error.
    fn posix_spawnp(
        pid: *mut pid_t, file: *const c_char, actions: *const posix_spawn_file_actions_t,
        attributes: *const posix_spawnattr_t, arguments: *const *mut c_char, environment: *const *mut c_char
    ) -> c_int;
    Reach::Process, text(file), else libc::EPERM;

    /// execve(2)
    fn execve(path: *const c_char, arguments: *const *const c_char, environment: *const *const c_char) -> c_int;
    Reach::Process, text(path), else fail(libc::EPERM);

    /// execv(3)
    fn execv(path: *const c_char, arguments: *const *const c_char) -> c_int;
    Reach::Process, text(path), else fail(libc::EPERM);

    /// execvp(3)
    fn execvp(file: *const c_char, arguments: *const *const c_char) -> c_int;
    Reach::Process, text(file), else fail(libc::EPERM);

    /// system(3)
    fn system(command: *const c_char) -> c_int;
    Reach::Process, text(command), else fail(libc::EAGAIN);

    /// popen(3)
    fn popen(command: *const c_char, kind: *const c_char) -> *mut FILE;
    Reach::Process, text(command), else { fail(libc::EAGAIN); ptr::null_mut() };
}
