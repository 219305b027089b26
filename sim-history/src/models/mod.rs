//! Objects that many programs have: what they do, if their calls come one after the other.
//!
//! Each starts empty, unlocked or zero, if its constructor does not say otherwise. An answer that does not belong to the
//! operation, such as a value for a write, is never legal.

mod counter;
mod each;
mod key_value;
mod lock;
mod queue;
mod register;
mod set;
mod stack;

pub use counter::{Counter, CounterOp, CounterRet};
pub use each::Each;
pub use key_value::{KeyValue, KvOp, KvRet};
pub use lock::{Lock, LockOp};
pub use queue::{Queue, QueueOp, QueueRet};
pub use register::{Register, RegisterOp, RegisterRet};
pub use set::{Set, SetOp, SetRet};
pub use stack::{Stack, StackOp, StackRet};
