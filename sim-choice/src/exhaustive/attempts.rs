//! Whether an attempt at a fair lock may be seen as independent of releases.
//!
//! It may if the task does nothing but wait for the lock: then it makes no difference whether it waited or was granted
//! at once. `select!` and the like look at what they got, and do something else. Which it is shows where an attempt has
//! to wait, and is then taken to hold for all attempts that are made at the same place in the program. Until an attempt
//! of a place was seen to wait, and for ever if it was seen to do something else, its attempts depend on releases as
//! any write does. If a place was trusted before, the search begins anew.

use super::{
    Explorer,
    effect::{Effect, Touch},
    trace::Event,
};
use alloc::{collections::BTreeMap, vec::Vec};

/// What is known of places where attempts are made.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Places {
    /// By place: whether the task only waits.
    pub(super) waits: BTreeMap<u64, bool>,
    /// A place that was trusted must not be.
    betrayed: bool,
}

impl Places {
    fn trusts(&self, place: u64) -> bool {
        self.waits.get(&place) == Some(&true)
    }

    /// An attempt at that place was not granted at once, and the task only waited, or did something else.
    pub(super) fn see(&mut self, place: u64, waits: bool) {
        let former = self.waits.insert(place, waits);
        match (former, waits) {
            (Some(true), false) => self.betrayed = true,
            (Some(false), true) => drop(self.waits.insert(place, false)),
            _ => {}
        }
    }
}

/// An attempt of the run in hand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    place: u64,
    event: usize,
    touch: usize,
    effect: Effect,
}

impl Explorer {
    /// The step in hand takes a place in the queue of a fair lock, or waits for an end: a
    /// [`Queue`](Effect::Queue) or a [`QueueShared`](Effect::QueueShared). `place` is where in the program, by a
    /// number that is the same in all runs. If the last thing told was that it [writes](Effect::Write) the object,
    /// that was the attempt.
    ///
    /// If it is granted at once, [`granted`](Explorer::granted) tells it before anything else is told of the task.
    pub fn attempt(&mut self, object: u64, effect: Effect, place: u64) {
        let write = Touch { object, effect: Effect::Write };
        if self.event().step.touches.last() != Some(&write) {
            self.touch(object, Effect::Write);
        }
        *self.run.held.entry(object).or_insert(0) += 1;
        if self.places.trusts(place)
            && let Some(touch) = self.event().step.touches.last_mut()
        {
            touch.effect = effect;
        }
        let event = self.run.events.len() - 1;
        let touches = &self.run.events[event].step.touches;
        self.run.attempts.push(Attempt { place, event, touch: touches.len() - 1, effect });
        let who = self.run.events[event].step.who;
        self.run.open.retain(|open| open.0 != who);
        self.run.open.push((who, place));
    }

    /// Whether attempts at that place were seen to wait, and their tasks to do nothing else.
    #[must_use]
    pub fn trusts(&self, place: u64) -> bool {
        self.places.trusts(place)
    }

    /// The task does something, in a turn that goes on or in a new one, for which it was woken.
    pub(super) fn note_open(&mut self, who: u32, woken: bool) {
        if self.run.open.is_empty() {
            return;
        }
        if let Some(index) = self.run.open.iter().position(|open| open.0 == who) {
            let (_, place) = self.run.open.swap_remove(index);
            self.places.see(place, woken);
        }
    }

    /// The attempt that the task made last was granted at once.
    pub(super) fn close_open(&mut self, who: u32) {
        self.run.open.retain(|open| open.0 != who);
    }

    /// Turns the attempts of places that have come to be trusted in this run into what they are.
    pub(super) fn trust_attempts(&mut self, events: &mut [Event], attempts: &[Attempt]) {
        for attempt in attempts.iter().filter(|attempt| self.places.trusts(attempt.place)) {
            let trusted = |touches: &mut Vec<Touch>| {
                if let Some(touch) = touches.get_mut(attempt.touch) {
                    touch.effect = attempt.effect;
                }
            };
            trusted(&mut events[attempt.event].step.touches);
            if let Some(frame) = self.frames.get_mut(attempt.event) {
                trusted(&mut frame.step.touches);
            }
        }
    }

    /// Begins anew if a place was trusted wrongly; whether it does.
    pub(super) fn begin_anew(&mut self) -> bool {
        if !core::mem::take(&mut self.places.betrayed) {
            return false;
        }
        let fresh = Explorer::new(self.limits);
        let (places, tasks) = (core::mem::take(&mut self.places), core::mem::take(&mut self.tasks));
        let runs = self.progress.runs;
        *self = Explorer { places, tasks, ..fresh };
        self.progress.runs = runs;
        true
    }
}
