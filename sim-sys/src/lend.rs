//! Closures that borrow, lent to those who ask for `'static`.
//!
//! A scope counts the closures it has lent and does not end before each has been called or dropped. If
//! it had to, the process ends instead: what was borrowed would be gone while it is still in use.
//!
//! ```
//! use sim_sys::lend::scope;
//!
//! let mut words = vec!["a"];
//! let thread = std::cell::Cell::new(None);
//! scope(
//!     (),
//!     |scope| thread.set(Some(std::thread::spawn(scope.lend(|| words.push("b"))))),
//!     |()| thread.take().unwrap().join().unwrap(),
//! );
//! assert_eq!(words, ["a", "b"]);
//! ```
//!
//! A closure cannot borrow from within the scope's own body:
//!
//! ```compile_fail,E0373
//! sim_sys::lend::scope((), |scope| { let word = 1; drop(scope.lend(|| drop(word))); }, |()| ());
//! ```

use std::{
    io::Write,
    marker::PhantomData,
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

/// Lends closures that live at least as long as `'scope`; made by [`scope`].
pub struct Scope<'scope, 'env: 'scope, D> {
    data: D,
    out: Arc<AtomicUsize>,
    kept: Mutex<Vec<Kept>>,
    // Invariant in both, as the scope of std::thread: neither may be shortened nor stretched.
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// Memory of a value that is kept until the end of a scope.
struct Kept {
    pointer: *mut u8,
    free: unsafe fn(*mut u8),
}

/// Calls `body` with a scope, then `wait`, which has to return only when all closures that the
/// scope lent have been called or dropped.
///
/// # Aborts
///
/// Ends the process if one has not when the scope ends, also by a panic.
pub fn scope<'env, D, R>(
    data: D,
    body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env, D>) -> R,
    wait: impl FnOnce(&D),
) -> R {
    let out = Arc::new(AtomicUsize::new(0));
    let all_back = AllBack(out.clone());
    let scope = Scope { data, out, kept: Mutex::default(), scope: PhantomData, env: PhantomData };
    // Dropped first, before anything that closures may still use.
    let _all_back = all_back;
    let result = body(&scope);
    wait(&scope.data);
    result
}

struct AllBack(Arc<AtomicUsize>);

impl Drop for AllBack {
    fn drop(&mut self) {
        if self.0.load(SeqCst) != 0 {
            let _ = writeln!(std::io::stderr(), "a scope ended before what it had lent came back");
            std::process::abort();
        }
    }
}

impl<'scope, D> Scope<'scope, '_, D> {
    /// What the scope was made with.
    pub fn data(&'scope self) -> &'scope D {
        &self.data
    }

    /// Lends `closure` to those who ask for one that borrows nothing.
    pub fn lend(&'scope self, closure: impl FnOnce() + Send + 'scope) -> Box<dyn FnOnce() + Send> {
        let closure: Box<dyn FnOnce() + Send + 'scope> = Box::new(closure);
        // SAFETY: only the lifetime changes. The closure is only in the `Loan`, which calls or drops it before it
        // counts itself as back, and `'scope` lasts until `AllBack` has seen that all are.
        let closure = unsafe {
            mem::transmute::<Box<dyn FnOnce() + Send + 'scope>, Box<dyn FnOnce() + Send>>(closure)
        };
        self.out.fetch_add(1, SeqCst);
        let loan = Loan { closure: Some(closure), out: self.out.clone() };
        Box::new(move || loan.call())
    }

    /// Keeps a value until the end of the scope.
    pub fn keep<T: 'scope>(&'scope self, value: T) -> &'scope T {
        const { assert!(!mem::needs_drop::<T>(), "what is kept is freed, not dropped") };
        let pointer = Box::into_raw(Box::new(value));
        let free: unsafe fn(*mut u8) = |pointer| {
            // SAFETY: `pointer` came from `into_raw` of the same type, and is freed once.
            drop(unsafe { Box::from_raw(pointer.cast::<T>()) });
        };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(Kept { pointer: pointer.cast(), free });
        // SAFETY: it is freed when the scope is dropped, which is after `'scope`: nothing is left then that could
        // use the reference but closures that are out, and with those the process ends.
        unsafe { &*pointer }
    }
}

// SAFETY: nobody looks at the value through it; the memory may be freed by any thread.
unsafe impl Send for Kept {}

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: `free` is the function that belongs to `pointer`.
        unsafe { (self.free)(self.pointer) };
    }
}

/// A closure that is out.
struct Loan {
    closure: Option<Box<dyn FnOnce() + Send>>,
    out: Arc<AtomicUsize>,
}

impl Loan {
    fn call(mut self) {
        let closure = self.closure.take().expect("it is called once");
        closure();
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        struct Back<'a>(&'a AtomicUsize);
        impl Drop for Back<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        // Also when what the closure owns panics as it is dropped.
        let _back = Back(&self.out);
        drop(self.closure.take());
    }
}
