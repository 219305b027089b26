//! A fiber that runs off its stack touches the closed memory below; it is then made to end at once,
//! instead of the process.
//!
//! The handler of SIGSEGV and SIGBUS looks whether the address is below the stack of the fiber that runs
//! on the thread. Any other fault goes on to the handler that was there before, std's.
//!
//! ```text
//! 1. fault in the program's code               -> the fiber is cut off
//! 2. fault in a library's, such as malloc's    -> the reserve is opened, the thread steps on
//! 3. stepping, and back in the program's code  -> the fiber is cut off
//! 4. fault in the guard, or no way to step     -> a message, and the process ends
//! ```
//!
//! Why 2: a recursion without end that allocates runs off its stack in malloc more often than not. Cut off
//! there it would keep malloc's lock, and the next allocation would hang.

use super::{CURRENT, End, platform, stack};
use corosensei::{stack::Stack as _, trap::CoroutineTrapHandler};
use std::{
    cell::Cell,
    mem, ptr,
    sync::{Once, OnceLock},
};
