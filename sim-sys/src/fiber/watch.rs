//! A watch over threads that drive fibers: one whose fiber runs on for too long without a beat of its
//! [`Pulse`] is interrupted, and the fiber cut off. What counts is the thread's processor time: a machine that
//! is busy with other things, or asleep, is no hang.
//!
//! One thread of the process watches all others. It looks at each a few times within its limit, and sends
//! those that stand still a signal, whose handler looks once more and does the rest, see `overflow`. So what
//! is watched pays nothing but the beat. Where a fiber cannot be interrupted just then, it is tried again.
//!
//! Long before that the thread is called: it sees it when it looks at its pulse next, and may say where it was slow.

use super::overflow;
use std::{
    collections::BTreeMap,
    marker::PhantomData,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

/// The signs of life of one thread: a count that grows.
#[derive(Debug, Default)]
pub struct Pulse {
    beats: AtomicU64,
    /// Whether the thread drives fibers right now.
    active: AtomicBool,
    /// One more than the beat at which the thread stands still; 0 while it does not.
    still_at: AtomicU64,
    /// One more than the beat at which the thread was slow; 0 if it was not.
    slow_at: AtomicU64,
    /// Whether the thread is to do more than to count at its next beat.
    called: AtomicBool,
}

/// How much processor time may pass without a beat.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After which the thread [was slow](Pulse::was_slow).
    pub slow: Duration,
    /// After which the fiber is cut off.
    pub limit: Duration,
}

impl Pulse {
    /// The beats so far. Only the thread itself may count.
    #[inline]
    pub fn get(&self) -> u64 {
        self.beats.load(Relaxed)
    }

    /// Sets the beats.
    #[inline]
    pub fn set(&self, beats: u64) {
        self.beats.store(beats, Relaxed);
    }

    /// Whether the thread is to do more than to count: it was slow, or it has set this itself.
    #[inline]
    pub fn is_called(&self) -> bool {
        self.called.load(Relaxed)
    }

    /// Sets whether it is to. The watch may set it too, at any time.
    pub fn call(&self, called: bool) {
        self.called.store(called, Relaxed);
    }

    /// Whether the thread has been slow since the last beat.
    #[inline]
    pub fn was_slow(&self) -> bool {
        self.slow_at.load(Relaxed) == self.get() + 1
    }

    /// As [`was_slow`](Pulse::was_slow), once.
    pub fn take_slow(&self) -> bool {
        let slow = self.was_slow();
        self.slow_at.store(0, Relaxed);
        slow
    }

    /// Whether the thread still stands still, as the watch has seen.
    pub(super) fn stands_still(&self) -> bool {
        self.active.load(Relaxed) && self.still_at.load(Relaxed) == self.get() + 1
    }
}

/// This thread is watched until it is dropped.
#[derive(Debug)]
pub struct Watched {
    id: u64,
    pulse: Arc<Pulse>,
}

/// Watches this thread: without a beat for so much processor time, while it drives fibers, it was slow, and then
/// the fiber that runs is cut off.
///
/// On platforms whose fibers cannot be cut off nothing is watched.
pub fn watch(pulse: Arc<Pulse>, patience: Patience) -> Watched {
    let thread = overflow::Target::this();
    let seen = (0, Duration::ZERO);
    let entry = Entry { pulse: pulse.clone(), patience, thread, seen, called: false };
    let mut watch = WATCH.state();
    watch.last += 1;
    let id = watch.last;
    watch.entries.insert(id, entry);
    if !std::mem::replace(&mut watch.running, true) {
        // Without a thread nothing is watched: no reason to fail.
        watch.running = thread::Builder::new().name("sim-watch".into()).spawn(look).is_ok();
    }
    WATCH.changed.notify_one();
    Watched { id, pulse }
}

impl Watched {
    /// The thread drives fibers until the guard is dropped. It has to be the one that is watched.
    ///
    /// # Panics
    ///
    /// If the thread drives fibers already.
    pub fn drive(&self) -> Driving {
        self.pulse.active.store(true, Relaxed);
        // SAFETY: the guard keeps it, and takes it away before.
        let former = unsafe { overflow::set_pulse(Arc::as_ptr(&self.pulse)) };
        assert!(former.is_null(), "a thread drives the fibers of one pulse at a time");
        Driving { pulse: self.pulse.clone(), _here: PhantomData }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        WATCH.state().entries.remove(&self.id);
    }
}

/// A thread drives fibers; made by [`Watched::drive`]. It cannot leave its thread.
#[derive(Debug)]
pub struct Driving {
    pulse: Arc<Pulse>,
    _here: PhantomData<*const ()>,
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.pulse.active.store(false, Relaxed);
        // SAFETY: null points to nothing that has to be kept.
        unsafe { overflow::set_pulse(std::ptr::null()) };
    }
}

struct Entry {
    pulse: Arc<Pulse>,
    patience: Patience,
    thread: overflow::Target,
    /// The last beat, and the thread's processor time when it was seen first.
    seen: (u64, Duration),
    /// The thread was called since that beat.
    called: bool,
}

impl Entry {
    /// Calls the thread if it is slow, and interrupts it if it has stood still for too long.
    fn look(&mut self) {
        let Some(time) = self.thread.processor_time() else { return };
        let beat = self.pulse.get();
        if !self.pulse.active.load(Relaxed) || beat != self.seen.0 {
            (self.seen, self.called) = ((beat, time), false);
            return;
        }
        let passed = time.saturating_sub(self.seen.1);
        if passed >= self.patience.slow && !std::mem::replace(&mut self.called, true) {
            self.pulse.slow_at.store(beat + 1, Relaxed);
            self.pulse.call(true);
        }
        if passed >= self.patience.limit {
            self.pulse.still_at.store(beat + 1, Relaxed);
            self.thread.interrupt();
        }
    }

    /// How long it may be until the next look.
    fn stride(&self) -> Duration {
        self.patience.slow.min(self.patience.limit) / 4
    }
}

struct Watch {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    entries: BTreeMap<u64, Entry>,
    last: u64,
    running: bool,
}

static WATCH: Watch = Watch {
    state: Mutex::new(State { entries: BTreeMap::new(), last: 0, running: false }),
    changed: Condvar::new(),
};

impl Watch {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the watching thread does, for ever.
fn look() {
    let mut state = WATCH.state();
    loop {
        state.entries.values_mut().for_each(Entry::look);
        // No limit is missed by more than a quarter of it, and nobody to watch costs nothing.
        let next = state.entries.values().map(Entry::stride).min();
        state = match next {
            Some(next) => {
                let next = next.clamp(Duration::from_millis(5), Duration::from_secs(1));
                WATCH.changed.wait_timeout(state, next).unwrap_or_else(PoisonError::into_inner).0
            }
            None => WATCH.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        };
    }
}
