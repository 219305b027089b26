//! A fiber that runs off its stack hits the guard page; it is then made to end at once, instead of the
//! process.
//!
//! The handler of SIGSEGV and SIGBUS looks whether the address is in the guard page of the fiber
//! that runs on the thread. Any other fault goes on to the handler that was there before, std's.

use super::End;
use corosensei::trap::CoroutineTrapHandler;
use std::{cell::Cell, mem, ptr, sync::Once};

thread_local! {
    /// The fiber that runs on this thread.
    static RUNNING: Cell<Option<CoroutineTrapHandler<End>>> = const { Cell::new(None) };
}

/// Notes the fiber that is about to run; gives the one that resumes it.
#[inline]
pub(super) fn enter(handler: CoroutineTrapHandler<End>) -> Option<CoroutineTrapHandler<End>> {
    RUNNING.replace(Some(handler))
}

/// The fiber gave control back.
#[inline]
pub(super) fn leave(former: Option<CoroutineTrapHandler<End>>) {
    RUNNING.set(former);
}

static mut FORMER: [mem::MaybeUninit<libc::sigaction>; 2] = [mem::MaybeUninit::uninit(); 2];
const SIGNALS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// Installs the handler, once in the process, and sees that the thread has a stack for it.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for (number, signal) in SIGNALS.into_iter().enumerate() {
            // SAFETY: `sigaction` is given valid pointers: a fully set action and a place for the
            // former one, which only this `Once` writes and only the handler, installed by the
            // same call, reads.
            unsafe {
                let mut action: libc::sigaction = mem::zeroed();
                action.sa_sigaction = handle as *const () as usize;
                action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
                libc::sigemptyset(&mut action.sa_mask);
                let former = ptr::addr_of_mut!(FORMER[number]);
                libc::sigaction(signal, &action, (*former).as_mut_ptr());
            }
        }
    });
    thread_local!(static STACK: () = give_signal_stack());
    STACK.with(|()| ());
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

/// The signal handler. It only touches thread-locals that need no initialisation, the stack of
/// the fiber, and the interrupted registers.
unsafe extern "C" fn handle(
    signal: libc::c_int,
    info: *mut libc::siginfo_t,
    context: *mut libc::c_void,
) {
    // SAFETY: the kernel gives a valid siginfo and ucontext to an SA_SIGINFO handler (sigaction(2)).
    let (address, registers) =
        unsafe { ((*info).si_addr() as usize, &mut *context.cast::<libc::ucontext_t>()) };
    if let Some(handler) = RUNNING.get()
        && handler.stack_ptr_in_bounds(stack_pointer(registers))
        && near(address, stack_pointer(registers))
    {
        // SAFETY: the stack pointer is in the fiber's stack, guard page included, and the fault is
        // at the stack's end, so that the fiber runs right now on this thread. What it leaves half
        // done is not used again: its owner is told that it overflowed and gives up the run.
        let target = unsafe { handler.setup_trap_handler(|| End::Overflowed) };
        redirect(registers, target);
        return;
    }
    let former = SIGNALS.iter().position(|known| *known == signal).unwrap_or(0);
    // SAFETY: the former action was stored before this handler could run. Restoring it and
    // returning repeats the fault, which then ends as it would without us.
    unsafe {
        let former = ptr::addr_of!(FORMER[former]);
        libc::sigaction(signal, (*former).as_ptr(), ptr::null_mut());
    }
}

/// A push or a probe faults at, or a few pages around, the stack pointer.
fn near(address: usize, stack_pointer: usize) -> bool {
    address.abs_diff(stack_pointer) < 1 << 20
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn stack_pointer(registers: &libc::ucontext_t) -> usize {
    registers.uc_mcontext.gregs[libc::REG_RSP as usize] as usize
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
fn redirect(registers: &mut libc::ucontext_t, target: corosensei::trap::TrapHandlerRegs) {
    let general = &mut registers.uc_mcontext.gregs;
    general[libc::REG_RIP as usize] = target.rip as i64;
    general[libc::REG_RSP as usize] = target.rsp as i64;
    general[libc::REG_RBP as usize] = target.rbp as i64;
    general[libc::REG_RDI as usize] = target.rdi as i64;
    general[libc::REG_RSI as usize] = target.rsi as i64;
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
fn stack_pointer(registers: &libc::ucontext_t) -> usize {
    registers.uc_mcontext.sp as usize
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
fn redirect(registers: &mut libc::ucontext_t, target: corosensei::trap::TrapHandlerRegs) {
    let context = &mut registers.uc_mcontext;
    (context.pc, context.sp) = (target.pc, target.sp);
    (context.regs[0], context.regs[1]) = (target.x0, target.x1);
    (context.regs[29], context.regs[30]) = (target.x29, target.lr);
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn stack_pointer(_: &libc::ucontext_t) -> usize {
    0 // Never within a fiber: an overflow ends the process there, as it does without us.
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
fn redirect(_: &mut libc::ucontext_t, _: corosensei::trap::TrapHandlerRegs) {}
