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

mod overflow;

use corosensei::{Coroutine, CoroutineResult, Yielder, stack::DefaultStack};
use std::{cell::Cell, io, mem::ManuallyDrop, ptr};

/// Memory for a fiber's calls, with a guard page below it.
pub struct Stack(DefaultStack);

impl Stack {
    /// Maps a stack of at least `size` bytes; only pages that are touched take memory.
    ///
    /// # Errors
    ///
    /// Fails if the system has no more address space or mappings (Linux: 65,530 a process).
    pub fn new(size: usize) -> io::Result<Stack> {
        DefaultStack::new(size).map(Stack)
    }
}

/// Why a fiber gave control back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It called [`suspend`].
    Suspended,
    /// Its closure returned.
    Finished,
    /// It ran off its stack: what is on the stack was not dropped and never will be.
    Overflowed,
}

/// How a fiber's closure ended.
#[derive(Clone, Copy)]
enum End {
    Returned,
    Overflowed,
}

/// What a fiber is made of: nothing goes in or out when it is switched.
type Inner = Coroutine<(), (), End, DefaultStack>;

/// A closure on a stack of its own.
///
/// Dropped while it is suspended, it is unwound, so that what is on its stack is dropped.
pub struct Fiber {
    inner: ManuallyDrop<Inner>,
    abandoned: bool,
}

thread_local! {
    /// The way out of the fiber that runs on this thread; null outside of fibers.
    static CURRENT: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
}

impl Fiber {
    /// A fiber that will run `body` when it is resumed. A panic of `body` goes on in `resume`.
    pub fn new(stack: Stack, body: impl FnOnce() + 'static) -> Fiber {
        overflow::install();
        Fiber::from_inner(Coroutine::with_stack(stack.0, |yielder, ()| run(yielder, body)))
    }

    fn from_inner(inner: Inner) -> Fiber {
        Fiber { inner: ManuallyDrop::new(inner), abandoned: false }
    }

    /// Lends `drive` a fiber whose `body` may borrow; at the end it is unwound if it has not
    /// finished, unless it was marked as abandoned. Gives the stack back if it can be used again.
    pub fn scope<R>(
        stack: Stack,
        body: impl FnOnce(),
        drive: impl FnOnce(&mut Fiber) -> R,
    ) -> (R, Option<Stack>) {
        overflow::install();
        // SAFETY: `with_stack_unchecked` asks that what `body` borrows stays valid until the
        // coroutine is done or dropped. The fiber does not leave this function: `drive` only gets a
        // reference, and the fiber is dropped, or its finished stack taken, below, also when
        // `drive` panics. If it is abandoned its stack is leaked and never run again, so that
        // nothing uses the borrows any more.
        let inner = unsafe {
            Coroutine::with_stack_unchecked(stack.0, |yielder: &Yielder<(), ()>, ()| {
                run(yielder, body)
            })
        };
        let mut fiber = Fiber::from_inner(inner);
        let result = drive(&mut fiber);
        (result, fiber.into_stack())
    }

    /// Runs the fiber until it suspends itself or ends.
    ///
    /// # Panics
    ///
    /// Panics if it has ended, and with the panic of its closure.
    #[inline]
    pub fn resume(&mut self) -> Outcome {
        let handler = overflow::enter(self.inner.trap_handler());
        let former = CURRENT.get();
        let result = self.inner.resume(());
        CURRENT.set(former);
        overflow::leave(handler);
        match result {
            CoroutineResult::Yield(()) => Outcome::Suspended,
            CoroutineResult::Return(End::Returned) => Outcome::Finished,
            CoroutineResult::Return(End::Overflowed) => Outcome::Overflowed,
        }
    }

    /// Whether it has been resumed and has not ended.
    pub fn is_suspended(&self) -> bool {
        self.inner.started() && !self.inner.done()
    }

    /// Unwinds a suspended fiber, as a panic would, so that what is on its stack is dropped.
    ///
    /// # Panics
    ///
    /// With the panic of a destructor.
    pub fn unwind(&mut self) {
        if !self.inner.done() {
            let handler = overflow::enter(self.inner.trap_handler());
            let former = CURRENT.get();
            self.inner.force_unwind();
            CURRENT.set(former);
            overflow::leave(handler);
        }
    }

    /// The stack, of a fiber that has ended; else the fiber is dropped.
    pub fn into_stack(mut self) -> Option<Stack> {
        if self.abandoned {
            return None;
        }
        self.unwind();
        // SAFETY: the inner value is taken once: `abandoned` keeps the destructor from it.
        let inner = unsafe { ManuallyDrop::take(&mut self.inner) };
        self.abandoned = true;
        Some(Stack(inner.into_stack()))
    }

    /// Leaves the fiber as it stands for ever: nothing is dropped, its memory is leaked.
    pub fn abandon(mut self) {
        self.abandoned = true;
    }

    /// Makes the end of the scope, or the drop, leave the fiber as [`abandon`](Fiber::abandon) does.
    pub fn mark_abandoned(&mut self) {
        self.abandoned = true;
    }
}

impl Drop for Fiber {
    fn drop(&mut self) {
        if !self.abandoned {
            self.unwind();
            // SAFETY: it is dropped once: `into_stack`, which takes it, sets `abandoned`.
            unsafe { ManuallyDrop::drop(&mut self.inner) };
        }
    }
}

fn run(yielder: &Yielder<(), ()>, body: impl FnOnce()) -> End {
    CURRENT.set(yielder);
    body();
    End::Returned
}

/// Suspends the fiber that runs on this thread; returns when it is resumed.
///
/// # Panics
///
/// Panics outside of a fiber.
#[inline]
pub fn suspend() {
    let current = CURRENT.get();
    assert!(!current.is_null(), "only a fiber can be suspended");
    // SAFETY: `run` set the pointer to the yielder of the fiber that runs now, which lives on that
    // fiber's stack for as long as its closure runs; `resume` puts the former one back before it
    // returns, so that the pointer is never seen outside of the fiber.
    unsafe { (*current).suspend(()) };
    CURRENT.set(current);
}

/// Whether a fiber runs on this thread.
pub fn on_fiber() -> bool {
    !CURRENT.get().is_null()
}
