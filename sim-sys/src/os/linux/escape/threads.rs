//! Threads of the machine.

use super::escapes;
use crate::os::Reach;
use libc::{c_int, c_void, pthread_attr_t, pthread_t};

type Start = extern "C" fn(*mut c_void) -> *mut c_void;

escapes! {
    /// pthread_create(3): it gives its error. One for which there is no room may be tried again.
    fn pthread_create(
        thread: *mut pthread_t, attributes: *const pthread_attr_t, start: Start, argument: *mut c_void
    ) -> c_int;
    Reach::Thread, String::new(), else libc::EAGAIN;
}
