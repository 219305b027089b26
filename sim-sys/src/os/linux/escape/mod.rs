//! Calls that reach out of the simulation: the hooks are asked whether they may, and what may goes on to libc.
//!
//! Nothing is done where they may not: the call gives an error that its manual page has.

pub(super) mod files;
pub(super) mod processes;
pub(super) mod sockets;
pub(super) mod threads;

use super::ask::{answered, ask};
use crate::os::{Escape, Reach};
use libc::c_char;
use std::ffi::CStr;

/// Whether a call may go on; the operand is only made for hooks.
#[inline]
fn lets_out(call: &'static str, reach: Reach, operand: impl FnOnce() -> String) -> bool {
    !answered() || asked(call, reach, &operand())
}

#[cold]
fn asked(call: &'static str, reach: Reach, operand: &str) -> bool {
    ask(|hooks| hooks.lets_out(&Escape { call, reach, operand })).unwrap_or(true)
}

/// A string of C as text; empty if there is none.
///
/// # Safety
///
/// It is null, or ends with a zero.
unsafe fn text(string: *const c_char) -> String {
    if string.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(string) }.to_string_lossy().into_owned()
}

/// Defines functions of libc that ask first: their arguments, what they give if they may not, what they reach, and
/// what they are about.
macro_rules! escapes {
    ($(
        $(#[$doc:meta])*
        fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty;
        $reach:expr, $operand:expr, else $denied:expr;
    )*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        ///
        /// As libc's.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> $result {
            type Real = unsafe extern "C" fn($($type),*) -> $result;
            #[allow(unused_unsafe)] // Some are about nothing.
            // SAFETY: the caller gives what libc's function asks for: strings that end, addresses of
            // the length that is told.
            let operand = || unsafe { $operand };
            if !super::lets_out(stringify!($name), $reach, operand) {
                return $denied;
            }
            match crate::os::platform::real!($name: Real) {
                // SAFETY: the caller's arguments, unchanged.
                Some(real) => unsafe { real($($argument),*) },
                None => $denied,
            }
        }
    )*};
}
use escapes;
