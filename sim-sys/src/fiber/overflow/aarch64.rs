//! The interrupted registers of aarch64.

use corosensei::trap::TrapHandlerRegs;
use libc::ucontext_t;

pub(super) fn stack(registers: &ucontext_t) -> usize {
    registers.uc_mcontext.sp as usize
}

pub(super) fn code(registers: &ucontext_t) -> usize {
    registers.uc_mcontext.pc as usize
}

/// Only a debugger can make this processor stop after each instruction; true if nothing is asked for.
pub(super) fn step(_: &mut ucontext_t, on: bool) -> bool {
    !on
}

pub(super) fn redirect(registers: &mut ucontext_t, target: TrapHandlerRegs) {
    let TrapHandlerRegs { pc, sp, x0, x1, x29, lr } = target;
    let context = &mut registers.uc_mcontext;
    (context.pc, context.sp) = (pc, sp);
    (context.regs[0], context.regs[1]) = (x0, x1);
    (context.regs[29], context.regs[30]) = (x29, lr);
}
