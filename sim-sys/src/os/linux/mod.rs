//! Linux with glibc: the interposed symbols.
//!
//! They are defined in the final program, where the linker finds them before libc's; libc's own are
//! found by `dlsym(RTLD_NEXT)` and called where no simulation runs. Their errors are libc's: -1 and errno.

// The symbols are public to the linker, not to Rust.
#![allow(unreachable_pub)]

mod ask;
mod clock;
mod entropy;
mod escape;
mod syscall;
mod thread;
mod thread_locals;

pub use clock::real_monotonic_ns;
pub use entropy::real_entropy;
pub use thread_locals::in_thread_locals;

use libc::{c_int, timespec};

/// Names what is interposed, once: for messages, and for the linker.
macro_rules! catches {
    ($($($module:ident)::+ => $name:ident,)*) => {
        /// What is interposed here.
        pub const CATCHES: &[&str] = &[$(stringify!($name)),*];

        /// Keeps the interposed symbols in the program: the linker takes an object out of a library
        /// only for a symbol that something names.
        pub fn link() {
            $(std::hint::black_box($($module)::+::$name as *const ());)*
        }
    };
}

catches! {
    clock => clock_gettime,
    clock => gettimeofday,
    clock => time,
    clock => nanosleep,
    clock => clock_nanosleep,
    clock => usleep,
    entropy => getrandom,
    entropy => getentropy,
    syscall => syscall,
    thread => sched_yield,
    thread => abort,
    escape::threads => pthread_create,
    escape::processes => fork,
    escape::processes => posix_spawn,
    escape::processes => posix_spawnp,
    escape::processes => execve,
    escape::processes => execv,
    escape::processes => execvp,
    escape::processes => system,
    escape::processes => popen,
    escape::sockets => bind,
    escape::sockets => connect,
    escape::sockets => sendto,
    escape::sockets => socketpair,
    escape::sockets => getaddrinfo,
    escape::sockets => epoll_create,
    escape::sockets => epoll_create1,
    escape::files => open,
    escape::files => open64,
    escape::files => openat,
    escape::files => openat64,
    escape::files => creat,
    escape::files => creat64,
    escape::files => fopen,
    escape::files => fopen64,
    escape::files => opendir,
    escape::files => truncate,
    escape::files => truncate64,
    escape::files => rename,
    escape::files => renameat,
    escape::files => renameat2,
    escape::files => unlink,
    escape::files => unlinkat,
    escape::files => remove,
    escape::files => rmdir,
    escape::files => mkdir,
    escape::files => mkdirat,
    escape::files => link,
    escape::files => linkat,
    escape::files => symlink,
    escape::files => symlinkat,
    escape::files => chmod,
    escape::files => chown,
    escape::files => utimensat,
    escape::files => mkfifo,
}

/// Libc's own definition of a symbol, looked up once; `None` if this libc is too old to have it.
macro_rules! real {
    ($name:ident: $type:ty) => {{
        use std::sync::atomic::{AtomicPtr, Ordering::Relaxed};
        static FOUND: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());
        let mut found = FOUND.load(Relaxed);
        if found.is_null() {
            // SAFETY: the name is a C string; dlsym(3) may be called at any time, and calls none of
            // the interposed functions. Threads that look at once find the same.
            found = unsafe {
                libc::dlsym(libc::RTLD_NEXT, concat!(stringify!($name), "\0").as_ptr().cast())
            };
            FOUND.store(found, Relaxed);
        }
        // SAFETY: a pointer and an optional function pointer have one size, null is `None`, and
        // libc's symbol of that name has that type.
        unsafe { std::mem::transmute::<*mut libc::c_void, Option<$type>>(found) }
    }};
}
use real;

/// An error, as libc gives it.
fn fail(error: c_int) -> c_int {
    // SAFETY: errno's place is valid on every thread.
    unsafe { *libc::__errno_location() = error };
    -1
}

const SECOND: u64 = 1_000_000_000;

fn spec(ns: u64) -> timespec {
    timespec { tv_sec: (ns / SECOND) as _, tv_nsec: (ns % SECOND) as _ }
}

/// Nanoseconds of a timespec; `None` if it is no valid one.
fn ns_of(spec: &timespec) -> Option<u64> {
    let (seconds, ns) = (u64::try_from(spec.tv_sec).ok()?, u64::try_from(spec.tv_nsec).ok()?);
    (ns < SECOND).then(|| seconds.saturating_mul(SECOND).saturating_add(ns))
}
