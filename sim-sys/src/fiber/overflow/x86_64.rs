//! The interrupted registers of x86_64.

use corosensei::trap::TrapHandlerRegs;
use libc::{REG_EFL, REG_RBP, REG_RDI, REG_RIP, REG_RSI, REG_RSP, ucontext_t};

/// The trap flag: the processor stops after each instruction (Intel SDM, volume 1, 3.4.3.3).
const TRAP: i64 = 1 << 8;

pub(super) fn stack(registers: &ucontext_t) -> usize {
    registers.uc_mcontext.gregs[REG_RSP as usize] as usize
}

pub(super) fn code(registers: &ucontext_t) -> usize {
    registers.uc_mcontext.gregs[REG_RIP as usize] as usize
}

/// Turns stepping on or off; false if the processor cannot.
pub(super) fn step(registers: &mut ucontext_t, on: bool) -> bool {
    let flags = &mut registers.uc_mcontext.gregs[REG_EFL as usize];
    *flags = if on { *flags | TRAP } else { *flags & !TRAP };
    true
}

pub(super) fn redirect(registers: &mut ucontext_t, target: TrapHandlerRegs) {
    let TrapHandlerRegs { rip, rsp, rbp, rdi, rsi } = target;
    let places = [(REG_RIP, rip), (REG_RSP, rsp), (REG_RBP, rbp), (REG_RDI, rdi), (REG_RSI, rsi)];
    for (place, value) in places {
        registers.uc_mcontext.gregs[place as usize] = value as i64;
    }
}
