//! The events of a run, their partial order, and the races in it.
//!
//! An event is what one task does from one scheduling point to the next. It comes after the former event of its
//! task, after what started or woke the task, and after all earlier events that it depends on. Two events race
//! if one depends on the other, nothing comes in between, and the later one could have come first.

use super::{
    clock::Clock,
    effect::{Effect, Touch},
};
use crate::mix::{GOLDEN, fold, mix};
use alloc::{collections::BTreeMap, vec, vec::Vec};

/// What a task did in one event: as far as others can tell.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct Step {
    /// The task, by the same number in all runs of the search.
    pub(super) who: u32,
    pub(super) touches: Vec<Touch>,
    /// The answers to questions of its own, with how many there were.
    pub(super) answers: Vec<Answer>,
    /// It ended the run: no other task goes on after it.
    pub(super) ends: bool,
    /// It has not been run from where it is to be run, and may turn out otherwise.
    pub(super) guess: bool,
}

/// An answer, and how many there were to choose from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Answer {
    pub(super) answer: u32,
    pub(super) bound: u32,
}

impl Step {
    /// Whether the order of the two, of different tasks, matters.
    pub(super) fn conflicts(&self, other: &Step) -> bool {
        self.ends || other.ends || conflict(&self.touches, &other.touches)
    }

    /// Whether it did what nobody expected of the guess.
    pub(super) fn surprises(&self, guess: &Step) -> bool {
        let expected = |touch: &Touch| {
            let same = |other: &&Touch| other.object == touch.object;
            let mut others = guess.touches.iter().filter(same);
            others.any(|other| other.effect == touch.effect || other.effect == Effect::Write)
        };
        guess.guess && (self.ends && !guess.ends || !self.touches.iter().all(expected))
    }

    /// Its answers alone.
    pub(super) fn answered(&self) -> impl Iterator<Item = u32> + '_ {
        self.answers.iter().map(|answer| answer.answer)
    }
}

fn conflict(some: &[Touch], others: &[Touch]) -> bool {
    some.iter().any(|touch| {
        others
            .iter()
            .any(|other| touch.object == other.object && touch.effect.depends_on(other.effect))
    })
}

/// A step in its run.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) step: Step,
    /// How many events its task had before.
    pub(super) nth: u32,
    /// The event that started the task, if this is the task's first.
    pub(super) started_by: Option<usize>,
    /// The events that woke the task for it.
    pub(super) woken_by: Vec<usize>,
    /// So many events came before the clock last moved, and therefore before this one.
    pub(super) quiet: usize,
    /// What it was granted, and so comes after the releases of.
    pub(super) grants: Vec<Touch>,
    /// What its task announced before.
    pub(super) announced: Option<Touch>,
}

impl Event {
    /// What its task may do if another event does not come first.
    pub(super) fn guess(&self) -> Step {
        let mut step = self.step.clone();
        step.touches.extend(self.announced.filter(|touch| !step.touches.contains(touch)));
        step.guess = true;
        step
    }
}

/// The partial order of a run.
pub(super) struct Order {
    /// By event, including itself.
    clocks: Vec<Clock>,
    /// Pairs of events, the later one first in order.
    pub(super) races: Vec<(usize, usize)>,
    /// The same for all runs of one class, and for no others, as far as 128 bits go.
    pub(super) class: u128,
    /// Who waits matters, see [`Effect::shows_to`].
    waits: bool,
}

/// The events that touched an object, in order.
type Past = BTreeMap<u64, Vec<(usize, Effect)>>;

impl Order {
    /// Orders the events; the last `pending` of them have not taken place: their tasks wait to do them.
    pub(super) fn of(events: &[Event], pending: usize, waits: bool) -> Order {
        let clocks = Vec::with_capacity(events.len());
        let mut order = Order { clocks, races: Vec::new(), class: 0, waits };
        let mut last: Vec<Option<usize>> = Vec::new();
        let mut past = Past::new();
        let mut ended = None;
        let mut quiet = (0, Clock::default());
        let done = events.len() - pending;
        for (at, event) in events.iter().enumerate() {
            while quiet.0 < event.quiet {
                quiet.1.join(&order.clocks[quiet.0]);
                quiet.0 += 1;
            }
            let who = event.step.who as usize;
            if last.len() <= who {
                last.resize(who + 1, None);
            }
            let mut base = quiet.1.clone();
            for before in last[who].into_iter().chain(event.started_by) {
                base.join(&order.clocks[before]);
            }
            let before = order.before(events, at, &past, ended, &last);
            let clock = order.place(events, at, base, &before, &past);
            order.clocks.push(clock);
            if at < done {
                last[who] = Some(at);
                order.note(at, event, &mut past);
                if event.step.ends {
                    ended = Some(at);
                }
                order.class = order.class.wrapping_add(digest(event, &order.clocks[at]));
            }
        }
        order
    }

    /// The earlier events of other tasks that this one depends on, each once.
    fn before(
        &self,
        events: &[Event],
        at: usize,
        past: &Past,
        ended: Option<usize>,
        last: &[Option<usize>],
    ) -> Vec<usize> {
        let step = &events[at].step;
        let mut before: Vec<usize> = step
            .touches
            .iter()
            .flat_map(|touch| {
                let past = past.get(&touch.object).map_or(&[][..], Vec::as_slice);
                past.iter()
                    .filter(|(_, effect)| match self.waits {
                        true => touch.effect.shows_to(*effect),
                        false => touch.effect.depends_on(*effect),
                    })
                    .map(|&(event, _)| event)
            })
            .chain(ended)
            .collect();
        if step.ends {
            before.extend(last.iter().copied().flatten());
        }
        before.retain(|&other| events[other].step.who != step.who);
        before.sort_unstable();
        before.dedup();
        before
    }

    /// The clock of an event, given that of what it comes after for sure; notes its races.
    fn place(
        &mut self,
        events: &[Event],
        at: usize,
        base: Clock,
        before: &[usize],
        past: &Past,
    ) -> Clock {
        let event = &events[at];
        // Woken once, it could not have come before that. Woken several times, each of them but
        // those that all the others come after could have been the one that came too late.
        let mut clock = base;
        let (mut before, mut woken) = (before.to_vec(), None::<Clock>);
        for &waker in &event.woken_by {
            match &mut woken {
                None => woken = Some(self.clocks[waker].clone()),
                Some(woken) => woken.meet(&self.clocks[waker]),
            }
            before.push(waker);
        }
        if let Some(woken) = woken {
            clock.join(&woken);
        }
        before.sort_unstable();
        before.dedup();
        // Without the releases that made it possible: what the lock was held by before.
        let mut free = clock.clone();
        let (holders, releases) = self.free(event, &mut clock, past);
        for &other in before.iter().rev() {
            let (who, nth) = (events[other].step.who, events[other].nth);
            let known = if holders.contains(&other) { &free } else { &clock };
            if who != event.step.who && !known.has(who, nth) {
                self.races.push((other, at));
            }
            clock.join(&self.clocks[other]);
            if !releases.contains(&other) {
                free.join(&self.clocks[other]);
            }
        }
        clock.add(event.step.who, event.nth);
        clock
    }

    /// Adds to the clock the releases without which the event could not have taken place; gives the events
    /// by which the locks it takes were held, and those releases.
    fn free(&self, event: &Event, clock: &mut Clock, past: &Past) -> (Vec<usize>, Vec<usize>) {
        let (mut holders, mut releases) = (Vec::new(), Vec::new());
        for touch in event.step.touches.iter().chain(&event.grants) {
            let past = past.get(&touch.object).map_or(&[][..], Vec::as_slice);
            let takes = matches!(touch.effect, Effect::Take | Effect::TakeShared);
            if !takes && !event.grants.contains(touch) {
                continue; // An attempt needs no release.
            }
            for &(other, effect) in past {
                if effect.frees(touch.effect) {
                    if !self.waits {
                        clock.join(&self.clocks[other]);
                    }
                    releases.push(other);
                } else if takes && effect.takes() && effect.depends_on(touch.effect) {
                    holders.push(other);
                }
            }
        }
        (holders, releases)
    }

    fn note(&self, at: usize, event: &Event, past: &mut Past) {
        for touch in &event.step.touches {
            let past = past.entry(touch.object).or_default();
            if past.last() != Some(&(at, touch.effect)) {
                past.push((at, touch.effect));
            }
        }
    }

    /// Whether the event `first` comes before, or is, the other.
    pub(super) fn comes_before(&self, events: &[Event], first: usize, second: usize) -> bool {
        self.clocks[second].has(events[first].step.who, events[first].nth)
    }
}

/// What an event adds to the class of its run: who it is, what it was answered, and what comes before it.
fn digest(event: &Event, clock: &Clock) -> u128 {
    let mut words = vec![u64::from(event.step.who), u64::from(event.nth)];
    words.extend(event.step.answered().map(u64::from));
    words.extend(clock.counts().iter().map(|&count| u64::from(count) | 1 << 32));
    let half =
        |seed: u64| words.iter().fold(seed, |hash, &word| mix(fold(hash ^ word, GOLDEN) ^ word));
    u128::from(half(1)) << 64 | u128::from(half(2))
}
