//! Closures on stacks of their own.
//!
//! A fiber is resumed by whoever holds it and runs until it suspends itself, from however deep within
//! its calls. It never leaves its thread.
//!
//! ```
//! use sim_sys::fiber::{Fiber, Outcome, Stack, suspend};
//!
//! let mut fiber = Fiber::new(Stack::new(64 << 10).unwrap(), || suspend());
//! assert_eq!(fiber.resume(), Outcome::Suspended);
//! assert_eq!(fiber.resume(), Outcome::Finished);
//! ```
//!
//! It cannot be sent to another thread, since what is on its stack may not be:
//!
//! ```compile_fail,E0277
//! fn send(_: impl Send) {}
//! send(sim_sys::fiber::Fiber::new(sim_sys::fiber::Stack::new(64 << 10).unwrap(), || ()));
//! ```
//!
//! # Limits
//!
//! A fiber that is abandoned, or that overflows, is cut off: its frames stay in memory and never return. Rust
//! lets code rely on its frames being left in an orderly way where it lends *what lies outside of the fiber*
//! to others: `std::thread::scope` on a fiber of [`Fiber::scope`] that is then cut off leaves real
//! threads behind that may still use what the scope's caller lent. No type can forbid this, and to end
//! the process instead would lose the report of the run. So do not use borrows of a scoped fiber
//! from real threads, and do not go on with what an overflowed fiber was changing.

// What only the handler of overflows and the interposed functions use.
#![cfg_attr(
    not(all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )),
    allow(dead_code)
)]

#[cfg_attr(target_os = "linux", path = "guard/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "guard/other.rs")]
mod guard;
#[cfg_attr(
    not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    path = "overflow/other.rs"
)]
mod overflow;
mod stack;
mod watch;

pub use stack::Stack;
pub use watch::{Driving, Patience, Pulse, Watched, watch};

use corosensei::{
    Coroutine, CoroutineResult, Yielder, stack::Stack as _, trap::CoroutineTrapHandler,
};
use std::{
    cell::Cell,
    hint::black_box,
    io::Write,
    mem::{ManuallyDrop, MaybeUninit},
    panic::{self, AssertUnwindSafe},
    ptr,
};

/// Why a fiber gave control back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It called [`suspend`].
    Suspended,
    /// Its closure returned.
    Finished,
    /// It ran off its stack: what is on the stack was not dropped and never will be, and the stack
    /// is leaked, as others may point to what is on it.
    Overflowed,
    /// It ran for longer than its thread's [`watch`] allows, and was cut off as one that overflowed.
    Interrupted,
}

/// How a fiber's closure ended.
#[derive(Clone, Copy)]
enum End {
    Returned,
    Overflowed,
    Interrupted,
}

/// What a fiber does when it is resumed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    GoOn,
    Unwind,
}

/// What unwinds a fiber, as a panic without a message.
///
/// corosensei's own way throws again at each place where the fiber suspends itself meanwhile. That is in a
/// destructor, so that it would end the process.
struct Unwound;

/// What a fiber is made of: nothing goes out when it is switched.
type Inner = Coroutine<Then, (), End, Stack>;

/// A closure on a stack of its own.
///
/// Dropped while it is suspended, it is unwound as by [`unwind`](Fiber::unwind), so that what is on its
/// stack is dropped.
pub struct Fiber {
    inner: ManuallyDrop<Inner>,
    running: Running,
    abandoned: bool,
}

/// What is known of the fiber that runs on a thread.
struct Running {
    /// The way out; null until it first runs.
    yielder: Cell<*const Yielder<Then, ()>>,
    /// How many of its calls are in functions of C's calling convention, which cannot be unwound.
    within_c: Cell<u32>,
    bounds: Bounds,
}

/// Where a fiber's stack lies, for the handler of overflows.
struct Bounds {
    trap: CoroutineTrapHandler<End>,
    page: usize,
    lowest: usize,
    /// The lowest address that calls may use.
    floor: usize,
    base: usize,
}

thread_local! {
    /// The fiber that runs on this thread; null outside of fibers. It is read by signal handlers.
    static CURRENT: Cell<*const Running> = const { Cell::new(ptr::null()) };
}

/// A fiber runs; at the drop, also by a panic, the one that resumed it does again.
struct Entered {
    former: *const Running,
}

impl Drop for Entered {
    #[inline]
    fn drop(&mut self) {
        CURRENT.set(self.former);
    }
}

/// The most bytes of a closure that go to a new stack as they are: corosensei panics beyond 1,024.
const MOST_HANDED_OVER: usize = 512;

impl Fiber {
    /// A fiber that will run `body` when it is resumed. A panic of `body` goes on in `resume`.
    pub fn new(stack: Stack, body: impl FnOnce() + 'static) -> Fiber {
        // SAFETY: `body` borrows nothing that could end.
        unsafe { Fiber::borrowing(stack, body) }
    }

    /// A fiber whose closure may borrow.
    ///
    /// # Safety
    ///
    /// What `body` borrows has to stay valid until the fiber has ended, is dropped, or is never resumed
    /// again.
    unsafe fn borrowing<F: FnOnce()>(stack: Stack, body: F) -> Fiber {
        if size_of::<F>() <= MOST_HANDED_OVER {
            // SAFETY: the caller's promise.
            return unsafe { Fiber::starting(stack, body) };
        }
        // SAFETY: the caller's promise; the box borrows what the closure does.
        unsafe { Fiber::starting(stack, Box::new(body)) }
    }

    /// As [`borrowing`](Fiber::borrowing), of a closure that is small enough.
    ///
    /// # Safety
    ///
    /// As [`borrowing`](Fiber::borrowing).
    unsafe fn starting(stack: Stack, body: impl FnOnce()) -> Fiber {
        overflow::install();
        let (page, floor) = (stack.page(), stack.floor());
        let (lowest, base) = (stack.limit().get(), stack.base().get());
        // SAFETY: the caller's promise is what `with_stack_unchecked` asks for.
        let inner = unsafe {
            Coroutine::with_stack_unchecked(stack, |yielder: &Yielder<Then, ()>, _| {
                run(yielder, body)
            })
        };
        let bounds = Bounds { trap: inner.trap_handler(), page, lowest, floor, base };
        let running = Running { yielder: Cell::new(ptr::null()), within_c: Cell::new(0), bounds };
        Fiber { inner: ManuallyDrop::new(inner), running, abandoned: false }
    }

    /// Lends `drive` a fiber whose `body` may borrow; at the end it is unwound if it has not
    /// finished, unless it was marked as abandoned. Gives the stack back if it can be used again.
    ///
    /// # Aborts
    ///
    /// Ends the process if `drive` swaps another fiber into the place of the one it is lent.
    pub fn scope<R>(
        stack: Stack,
        body: impl FnOnce(),
        drive: impl FnOnce(&mut Fiber) -> R,
    ) -> (R, Option<Stack>) {
        // SAFETY: what `body` borrows outlives this call. The fiber ends before: `drive` gets a
        // reference only, and at the end `Lent` either drops the fiber, which unwinds it, or takes
        // the stack of one that ended, or leaks one that nobody can resume; also when `drive`
        // panics. That it still is the same fiber, not swapped for another, `Lent` checks. For
        // what a body that was cut off may have lent further, see the module's limits.
        let fiber = unsafe { Fiber::borrowing(stack, body) };
        let mut lent = Lent { base: fiber.base(), fiber: Some(fiber) };
        let result = drive(lent.fiber.as_mut().expect("it is taken at the end only"));
        (result, lent.end())
    }

    /// Runs the fiber until it suspends itself or ends.
    ///
    /// # Panics
    ///
    /// Panics if it has ended, and with the panic of its closure.
    #[inline]
    pub fn resume(&mut self) -> Outcome {
        self.resume_to(Then::GoOn)
    }

    #[inline]
    fn resume_to(&mut self, then: Then) -> Outcome {
        let entered = self.enter();
        let result = self.inner.resume(then);
        drop(entered);
        match result {
            CoroutineResult::Yield(()) => Outcome::Suspended,
            CoroutineResult::Return(End::Returned) => Outcome::Finished,
            CoroutineResult::Return(End::Overflowed) => self.cut_off(Outcome::Overflowed),
            CoroutineResult::Return(End::Interrupted) => self.cut_off(Outcome::Interrupted),
        }
    }

    #[inline]
    fn enter(&self) -> Entered {
        Entered { former: CURRENT.replace(&self.running) }
    }

    #[cold]
    fn cut_off(&mut self, outcome: Outcome) -> Outcome {
        // What is pinned on the stack was not dropped, so that its memory must not be used again.
        self.abandoned = true;
        outcome
    }

    /// Whether it has been resumed and has not ended.
    pub fn is_suspended(&self) -> bool {
        self.inner.started() && !self.inner.done()
    }

    /// Whether it is suspended within a libc function that is interposed, such as a wait for a lock
    /// or a sleep. No panic can pass such a function, so that the fiber cannot be unwound.
    pub fn is_within_libc(&self) -> bool {
        self.running.within_c.get() != 0
    }

    /// Unwinds a suspended fiber, as a panic would, so that what is on its stack is dropped.
    ///
    /// A fiber that [is within libc](Fiber::is_within_libc), or that suspends itself in a destructor
    /// meanwhile, is marked as abandoned: it is left as it stands.
    ///
    /// # Panics
    ///
    /// With the panic of a destructor.
    pub fn unwind(&mut self) {
        if self.is_within_libc() {
            self.abandoned = true;
        }
        if self.abandoned || self.inner.done() {
            return;
        }
        if !self.inner.started() {
            // It has no frames: its closure is dropped here.
            return self.inner.force_unwind();
        }
        if self.resume_to(Then::Unwind) == Outcome::Suspended {
            self.abandoned = true;
        }
    }

    /// As [`unwind`](Fiber::unwind), for who has other fibers to unwind too: one that suspends itself in a destructor
    /// waits there, and [`resume`](Fiber::resume) goes on with the unwinding. It has to be resumed until it has ended,
    /// or abandoned.
    ///
    /// # Panics
    ///
    /// If it is within libc, and with the panic of a destructor.
    pub fn begin_unwind(&mut self) -> Outcome {
        assert!(!self.is_within_libc(), "no panic can pass the frames of libc");
        if self.inner.done() {
            return Outcome::Finished;
        }
        if !self.inner.started() {
            self.inner.force_unwind();
            return Outcome::Finished;
        }
        self.resume_to(Then::Unwind)
    }

    /// The stack, of a fiber that has ended; one that is suspended is unwound first. `None` if the
    /// stack is leaked: of a fiber that overflowed or is abandoned.
    pub fn into_stack(mut self) -> Option<Stack> {
        self.unwind();
        if self.abandoned {
            return None;
        }
        // SAFETY: the inner value is taken once: `abandoned` keeps the destructor from it.
        let inner = unsafe { ManuallyDrop::take(&mut self.inner) };
        self.abandoned = true;
        Some(inner.into_stack())
    }

    /// Leaves the fiber as it stands for ever: nothing is dropped, its memory is leaked.
    pub fn abandon(mut self) {
        self.abandoned = true;
    }

    /// Makes the end of the scope, or the drop, leave the fiber as [`abandon`](Fiber::abandon) does.
    pub fn mark_abandoned(&mut self) {
        self.abandoned = true;
    }

    /// The highest address of its stack: no two fibers that exist have the same.
    fn base(&self) -> usize {
        self.running.bounds.base
    }
}

impl Drop for Fiber {
    fn drop(&mut self) {
        self.unwind();
        if !self.abandoned {
            // SAFETY: it is dropped once: `into_stack`, which takes it, sets `abandoned`.
            unsafe { ManuallyDrop::drop(&mut self.inner) };
        }
    }
}

/// The fiber of a scope.
struct Lent {
    fiber: Option<Fiber>,
    base: usize,
}

impl Lent {
    /// Ends the fiber; gives its stack.
    fn end(&mut self) -> Option<Stack> {
        let fiber = self.fiber.take()?;
        if fiber.base() != self.base {
            // Somewhere is a fiber whose borrows are about to end.
            let _ = writeln!(std::io::stderr(), "a scoped fiber was taken out of its scope");
            std::process::abort();
        }
        fiber.into_stack()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.end();
    }
}

/// The first call on a fiber's stack.
fn run(yielder: &Yielder<Then, ()>, body: impl FnOnce()) -> End {
    // SAFETY: see `current`.
    unsafe { current() }.expect("the fiber was entered").yielder.set(yielder);
    // When a fiber is cut off, a short function runs at the very top of its stack, over this frame. The
    // room sees to it that the function does not reach the frames of `body`, into which others may
    // point; without it they are apart too, but only as the compiler happens to lay them out.
    let room = MaybeUninit::<[u8; 1024]>::uninit();
    black_box(&room);
    let result = panic::catch_unwind(AssertUnwindSafe(|| call(body)));
    black_box(&room);
    match result {
        Err(payload) if !payload.is::<Unwound>() => panic::resume_unwind(payload),
        _ => End::Returned,
    }
}

/// Keeps the frame of `body` apart from that of `run`.
#[inline(never)]
fn call(body: impl FnOnce()) {
    body();
}

/// What is known of the fiber that runs on this thread.
///
/// # Safety
///
/// The reference must not be used after the fiber was suspended: its `Fiber` may be moved then.
#[inline]
unsafe fn current<'a>() -> Option<&'a Running> {
    // SAFETY: `enter` set the pointer to a field of the `Fiber` that runs now, which is borrowed, so
    // neither moved nor dropped, until it gives control back; then `Entered` restores the former.
    unsafe { CURRENT.get().as_ref() }
}

/// Suspends the fiber that runs on this thread; returns when it is resumed.
///
/// # Panics
///
/// Panics outside of a fiber.
#[inline]
pub fn suspend() {
    // SAFETY: it is not used after the suspension.
    let current = unsafe { current() }.expect("only a fiber can be suspended");
    // SAFETY: `run` set the yielder before any code of the fiber ran. It lies at the top of the
    // fiber's stack and is valid until the fiber ends; it is the fiber on whose stack this call is, since
    // `enter` and `Entered` change `CURRENT` together with the stack.
    if unsafe { (*current.yielder.get()).suspend(()) } == Then::Unwind {
        unwind_here();
    }
}

#[cold]
fn unwind_here() {
    panic::resume_unwind(Box::new(Unwound));
}

/// Whether a fiber runs on this thread.
#[inline]
pub fn on_fiber() -> bool {
    !CURRENT.get().is_null()
}

/// Bytes that are left on the stack of the fiber that runs on this thread; `None` outside of fibers.
#[inline]
pub fn stack_remaining() -> Option<usize> {
    // SAFETY: it is not kept.
    let floor = unsafe { current() }?.bounds.floor;
    let here = 0_u8;
    Some((&raw const here).addr().saturating_sub(floor))
}

/// Runs `f` within a function of C's calling convention: while it is suspended there the fiber
/// cannot be unwound. `f` must not panic.
#[inline]
pub(crate) fn within_c<R>(f: impl FnOnce() -> R) -> R {
    let count = |change: fn(u32) -> u32| {
        // SAFETY: it is not kept: after `f` it is looked up anew.
        if let Some(current) = unsafe { current() } {
            current.within_c.set(change(current.within_c.get()));
        }
    };
    count(|depth| depth + 1);
    let result = f();
    count(|depth| depth - 1);
    result
}
