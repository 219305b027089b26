//! A fiber that runs off its stack touches the closed memory below; it is then made to end at once,
//! instead of the process. So is one that the [watch](super::watch) interrupts.
//!
//! The handler of SIGSEGV and SIGBUS looks whether the address is below the stack of the fiber that runs
//! on the thread. Any other fault goes on to the handler that was there before, std's.
//!
//! ```text
//! 1. fault in the program's code               -> the fiber is cut off
//! 2. fault in a library's, such as malloc's    -> the reserve is opened, the thread steps on
//! 3. stepping, and back in the program's code  -> the fiber is cut off
//! 4. fault in the guard, or no way to step     -> a message, and the process ends
//! 5. interrupt in the program's code           -> the fiber is cut off
//! 6. interrupt in a library's                  -> the thread steps on; or the next interrupt comes
//! ```
//!
//! Why 2: a recursion without end that allocates runs off its stack in malloc more often than not. Cut off
//! there it would keep malloc's lock, and the next allocation would hang. An allocator that is linked into the
//! program itself (a static libc, jemalloc) looks like any other code of it, and still hangs so.

use super::{Bounds, CURRENT, End, Pulse, stack};
use libc::{c_int, c_void, siginfo_t, ucontext_t};
use std::{
    cell::Cell,
    mem,
    ops::Range,
    ptr,
    sync::{Once, OnceLock},
    time::Duration,
};

#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
mod registers;

/// Faults, steps, and what the watch interrupts with: nothing is done at it by default, so that one that comes
/// too late does no harm.
const SIGNALS: [c_int; 4] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGTRAP, INTERRUPT];
const INTERRUPT: c_int = libc::SIGURG;

/// What handled the signals before.
static FORMER: OnceLock<[libc::sigaction; 4]> = OnceLock::new();

/// Where the code of the program is, this file's included.
static PROGRAM: OnceLock<Range<usize>> = OnceLock::new();

thread_local! {
    /// The thread executes one instruction at a time, until it is out of a library; then its fiber
    /// ends like this.
    static STEPPING: Cell<Option<End>> = const { Cell::new(None) };
    /// The pulse of this thread, while it is watched; else null.
    static PULSE: Cell<*const Pulse> = const { Cell::new(ptr::null()) };
}

/// Sets the pulse that interrupts of this thread look at, or null; gives the former.
///
/// # Safety
///
/// The pulse has to be kept until another is set.
pub(super) unsafe fn set_pulse(pulse: *const Pulse) -> *const Pulse {
    PULSE.replace(pulse)
}

/// A thread that can be interrupted.
#[derive(Debug)]
pub(super) struct Target {
    thread: libc::pid_t,
    clock: libc::clockid_t,
}

impl Target {
    pub(super) fn this() -> Target {
        let mut clock = 0;
        // SAFETY: they only give numbers, and this thread exists. The second does not fail for one
        // that does (pthread_getcpuclockid(3)).
        unsafe {
            libc::pthread_getcpuclockid(libc::pthread_self(), &mut clock);
            Target { thread: libc::gettid(), clock }
        }
    }

    /// The processor time of the thread so far, if it has not ended.
    pub(super) fn processor_time(&self) -> Option<Duration> {
        // SAFETY: zeros are a valid timespec, which the call fills in, or not if the thread has ended.
        let (result, time) = unsafe {
            let mut time: libc::timespec = mem::zeroed();
            (libc::clock_gettime(self.clock, &mut time), time)
        };
        (result == 0).then(|| Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    /// Sends the signal. If the thread has ended and another got its number, that one ignores it.
    pub(super) fn interrupt(&self) {
        // SAFETY: it reads its arguments only, and the signal has a handler that does nothing to a
        // thread that does not stand still.
        unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), self.thread, INTERRUPT) };
    }
}

/// Installs the handler, once in the process, and sees that the thread has a stack for it.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        PROGRAM.get_or_init(program);
        // The handler may run as soon as it is installed: all that it reads is set before.
        FORMER.get_or_init(|| SIGNALS.map(action_of));
        SIGNALS.into_iter().for_each(set_action);
    });
    thread_local!(static SIGNAL_STACK: () = give_signal_stack());
    SIGNAL_STACK.with(|()| ());
}

fn action_of(signal: c_int) -> libc::sigaction {
    // SAFETY: all zeros is a valid `sigaction`, the default one; sigaction(2) fills it in.
    unsafe {
        let mut action = mem::zeroed();
        libc::sigaction(signal, ptr::null(), &mut action);
        action
    }
}

fn set_action(signal: c_int) {
    // SAFETY: the action is fully set: zeros, a handler of the type that SA_SIGINFO asks for, which
    // only does what is allowed in a handler, and an empty mask.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = handle as *const () as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signal, &action, ptr::null_mut());
    }
}

/// std gives the threads that it starts a signal stack; others may have none.
fn give_signal_stack() {
    const SIZE: usize = 64 << 10;
    // SAFETY: the first call only reads the thread's setting. The memory given by the second is
    // leaked, so that it is valid for as long as the thread lives.
    unsafe {
        let mut current: libc::stack_t = mem::zeroed();
        libc::sigaltstack(ptr::null(), &mut current);
        if current.ss_flags & libc::SS_DISABLE != 0 {
            let memory = Box::leak(vec![0_u8; SIZE].into_boxed_slice());
            let stack =
                libc::stack_t { ss_sp: memory.as_mut_ptr().cast(), ss_flags: 0, ss_size: SIZE };
            libc::sigaltstack(&stack, ptr::null_mut());
        }
    }
}

/// The code of the object that this function is in, as dl_iterate_phdr(3) describes it.
fn program() -> Range<usize> {
    unsafe extern "C" fn look(
        info: *mut libc::dl_phdr_info,
        _: usize,
        found: *mut c_void,
    ) -> c_int {
        // SAFETY: the loader gives a valid description, with so many headers.
        let (base, headers) = unsafe {
            let count = (*info).dlpi_phnum.into();
            ((*info).dlpi_addr, std::slice::from_raw_parts((*info).dlpi_phdr, count))
        };
        for header in headers {
            let start = (base + header.p_vaddr) as usize;
            let range = start..start + header.p_memsz as usize;
            if header.p_type == libc::PT_LOAD && range.contains(&(handle as *const ()).addr()) {
                // SAFETY: `program` gives the place of a range.
                unsafe { *found.cast::<Range<usize>>() = range };
                return 1;
            }
        }
        0
    }
    let mut found = 0..0;
    // SAFETY: the callback has the type that is asked for, and the place outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(look), (&raw mut found).cast()) };
    found
}

/// The signal handler. It touches only atomics, thread-locals that need no initialisation, the stack of the
/// fiber and the interrupted registers, and calls only system calls.
unsafe extern "C" fn handle(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel gives valid ones to an SA_SIGINFO handler (sigaction(2)); nothing else uses
    // them while the thread is interrupted.
    let (info, registers) = unsafe { (&*info, &mut *context.cast::<ucontext_t>()) };
    if signal == libc::SIGTRAP && stops_stepping() {
        registers::step(registers, false);
        return;
    }
    // SAFETY: `CURRENT` is null or points to the fiber that runs on this thread; it cannot go on,
    // and so cannot be moved, before this handler returns.
    let running = unsafe { CURRENT.get().as_ref() };
    let end = running.and_then(|running| end_of(&running.bounds, signal, info, registers));
    let (Some(running), Some(end)) = (running, end) else {
        return pass_on(signal, info, registers);
    };
    let inside = PROGRAM.get().is_some_and(|code| code.contains(&registers::code(registers)));
    // What is interrupted within a hook would leave the simulation itself half done.
    let whole = matches!(end, End::Overflowed) || running.within_c.get() == 0;
    if inside && whole {
        cut_off(&running.bounds, registers, end);
    } else if signal == INTERRUPT {
        step_on(registers, end);
    } else if signal != libc::SIGTRAP && !run_on(&running.bounds, registers) {
        give_up(signal);
    }
}

/// How the signal makes the fiber end, if it is about the fiber.
fn end_of(bounds: &Bounds, signal: c_int, info: &siginfo_t, registers: &ucontext_t) -> Option<End> {
    if !bounds.trap.stack_ptr_in_bounds(registers::stack(registers)) {
        return None;
    }
    if signal == libc::SIGTRAP {
        return STEPPING.get();
    }
    if signal == INTERRUPT {
        return (STEPPING.get().is_none() && stands_still()).then_some(End::Interrupted);
    }
    // SAFETY: it is read of a SIGSEGV or SIGBUS only, in which the kernel sets it if the code is
    // positive: the signal is about a fault (sigaction(2)).
    let address = unsafe { info.si_addr() }.addr();
    (info.si_code > 0 && (bounds.lowest..bounds.floor).contains(&address))
        .then_some(End::Overflowed)
}

/// Whether the watch saw this thread stand still, and it still does.
fn stands_still() -> bool {
    // SAFETY: null or a pulse that is kept until another is set, see `set_pulse`.
    unsafe { PULSE.get().as_ref() }.is_some_and(Pulse::stands_still)
}

/// Whether what was interrupted goes on after all: it came to a beat while the thread stepped on.
fn stops_stepping() -> bool {
    let goes_on = matches!(STEPPING.get(), Some(End::Interrupted)) && !stands_still();
    if goes_on {
        STEPPING.set(None);
    }
    goes_on
}

/// Makes the fiber end when the handler returns.
fn cut_off(bounds: &Bounds, registers: &mut ucontext_t, end: End) {
    STEPPING.set(None);
    registers::step(registers, false);
    // SAFETY: the stack pointer is in the fiber's stack, guard included, so that the fiber runs right
    // now on this thread, and the registers are updated. What it leaves half done is not used
    // again by this crate: its stack is leaked, and its owner learns that it overflowed.
    let target = unsafe { bounds.trap.setup_trap_handler(move || end) };
    registers::redirect(registers, target);
}

/// Lets the thread go on step by step; false if it cannot, or does already.
fn step_on(registers: &mut ucontext_t, end: End) -> bool {
    if STEPPING.get().is_some() || !registers::step(registers, true) {
        return false;
    }
    STEPPING.set(Some(end));
    true
}

/// Opens the reserve and lets the thread go on step by step; false if it cannot.
fn run_on(bounds: &Bounds, registers: &mut ucontext_t) -> bool {
    let reserve = bounds.lowest + bounds.page;
    step_on(registers, End::Overflowed) && stack::open(reserve, bounds.floor).is_ok()
}

/// The process ends: by the same fault again, which nothing handles any more.
fn give_up(signal: c_int) {
    const MESSAGE: &str = "a fiber overflowed its stack within a library, whose locks it may hold; \
                           is there a recursion without end?\n";
    // SAFETY: the message is valid for its length; a zeroed action is the default one. Both calls
    // are allowed in signal handlers (signal-safety(7)).
    unsafe {
        libc::write(libc::STDERR_FILENO, MESSAGE.as_ptr().cast(), MESSAGE.len());
        libc::sigaction(signal, &mem::zeroed(), ptr::null_mut());
    }
}

/// Does what would have been done without this handler.
fn pass_on(signal: c_int, info: &siginfo_t, registers: &mut ucontext_t) {
    let index = SIGNALS.iter().position(|known| *known == signal);
    let Some(former) = index.and_then(|index| FORMER.get()?.get(index)) else { return };
    let (info, context) = (ptr::from_ref(info).cast_mut(), ptr::from_mut(registers));
    // SAFETY: the former action is as sigaction(2) gave it: a default, which is set again so that the
    // signal, repeated, ends the process; or a handler of the type that its flags tell.
    unsafe {
        match former.sa_sigaction {
            libc::SIG_DFL | libc::SIG_IGN if signal == INTERRUPT => {}
            libc::SIG_DFL | libc::SIG_IGN => {
                libc::sigaction(signal, &mem::zeroed(), ptr::null_mut());
                // A fault repeats itself, a breakpoint does not.
                if signal == libc::SIGTRAP {
                    libc::raise(signal);
                }
            }
            handler if former.sa_flags & libc::SA_SIGINFO != 0 => {
                type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
                mem::transmute::<usize, Handler>(handler)(signal, info, context.cast());
            }
            handler => mem::transmute::<usize, extern "C" fn(c_int)>(handler)(signal),
        }
    }
}
