//! The place where std parks a thread: `thread::park`, std's channels and many executors wait there.
//!
//! It is one word for each thread, and all fibers of a simulation are one thread to std. So the word has to
//! be free again as soon as a fiber waits, for the next that parks; and an unpark, which then finds nobody
//! there and calls nobody, has to be looked for in the word.
//!
//! ```text
//! EMPTY ──park──▶ PARKED ──(the hook)──▶ EMPTY ──unpark──▶ TOLD ──(taken)──▶ EMPTY
//! ```
//!
//! The states are those of std/src/sys/sync/thread_parking/futex.rs. Each park may end for nothing, so that one
//! unpark may end those of all fibers.

use std::{
    marker::PhantomData,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread::{self, Thread},
};

const PARKED: u32 = u32::MAX;
const EMPTY: u32 = 0;
const TOLD: u32 = 1;

/// The parker of this thread.
pub struct Parker {
    word: *const AtomicU32,
    /// Keeps the word alive, which is part of it.
    _thread: Thread,
    /// Only of use on its own thread.
    _here: PhantomData<*const ()>,
}

impl Parker {
    /// What a futex wait for `word` to change from `expected` is for: this thread's parker, or anything
    /// else. The parker is free again then.
    pub fn of_wait(word: &AtomicU32, expected: u32) -> Option<Parker> {
        if expected != PARKED {
            return None;
        }
        let thread = thread::current();
        // Another word does not change by this, and the park that ends early for it may end for nothing.
        // The wake that std makes of it is for nobody: other fibers may wait for the same word.
        let hooks = super::install(None);
        thread.unpark();
        super::install(hooks);
        if word.load(SeqCst) != TOLD {
            return None;
        }
        word.store(EMPTY, SeqCst);
        Some(Parker { word, _thread: thread, _here: PhantomData })
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: the unpark of the thread changed the word, so that it is that of the thread's own
        // handle, which is kept.
        unsafe { &*self.word }
    }

    /// Takes an unpark, if there was one since the last time.
    pub fn take(&self) -> bool {
        self.word().load(SeqCst) == TOLD && self.word().swap(EMPTY, SeqCst) == TOLD
    }

    /// What the park that is about to look finds: that it was told, and ends; or that it was not, and it
    /// waits again.
    pub fn answer(&self, told: bool) {
        self.word().store(if told { TOLD } else { PARKED }, SeqCst);
    }
}
