//! What the races of a run add to the search: for each, the schedule in which it goes the other way.

use super::{
    Explorer, Stop,
    effect::Touch,
    frame::Frame,
    hooks::Task,
    trace::{Event, Order, Step},
    tree::Sequence,
};
use alloc::vec::Vec;
use core::mem;

impl Explorer {
    /// The run is over, or was given up: looks at its races, and goes on to what is to be run next.
    pub fn finish(&mut self) {
        self.close();
        if self.run.mismatch.is_some() {
            self.progress.done = true;
            return;
        }
        let mut run = mem::take(&mut self.run);
        self.trust_attempts(&mut run.events, &run.attempts);
        let events = run.events.len();
        for (task, touch) in mem::take(&mut run.waiting) {
            let task = run.tasks[task as usize].as_ref().expect("a task that waits is known");
            run.events.push(pending(task, touch));
        }
        let waits = self.limits.preemptions.is_some();
        let order = Order::of(&run.events, run.events.len() - events, waits);
        self.keep_answers();
        for &(first, second) in &order.races {
            match self.limits.preemptions {
                None => self.reverse(&run.events, events, &order, first, second),
                Some(_) => self.reverse_within(&run.events, first, second),
            }
        }
        // Who waits makes a difference to the bound, not to the program.
        let class = match waits {
            true => Order::of(&run.events, run.events.len() - events, false).class,
            false => order.class,
        };
        self.count(run.stop, class);
        if self.begin_anew() {
            return;
        }
        self.go_back();
    }

    fn count(&mut self, stop: Option<Stop>, class: u128) {
        self.progress.runs += 1;
        match stop {
            Some(Stop::Asleep) => self.progress.asleep += 1,
            Some(Stop::Depth) => self.progress.cut += 1,
            Some(Stop::Mismatch) => {}
            None if self.limits.preemptions.is_none() => self.progress.classes += 1,
            None => self.progress.classes += u64::from(self.seen.insert(class)),
        }
    }

    /// Keeps, for the steps that this run was the first to take, with which answers it took them.
    fn keep_answers(&mut self) {
        let mut at = self.base(self.given.saturating_sub(1));
        while at < self.frames.len() {
            let mut whole = self.frames[at].step.clone();
            let mut next = at + 1;
            while next < self.frames.len() && self.frames[next].joined {
                let step = &self.frames[next].step;
                whole.touches.extend(&step.touches);
                whole.answers.extend(&step.answers);
                whole.ends |= step.ends;
                next += 1;
            }
            for frame in &mut self.frames[at..next] {
                let answers = frame.step.answers.clone();
                if !frame.answered.contains(&answers) {
                    frame.answered.push(answers);
                }
            }
            let leaves = &mut self.frames[at].leaves;
            match leaves.iter_mut().find(|leaf| leaf.answers == whole.answers) {
                Some(leaf) => *leaf = whole,
                None => leaves.push(whole),
            }
            at = next;
        }
    }

    /// The first of the frames that make up one step of the executor.
    fn base(&self, mut at: usize) -> usize {
        while self.frames.get(at).is_some_and(|frame| frame.joined) {
            at -= 1;
        }
        at
    }

    /// Adds the schedule in which the second event of a race comes first: all that does not come after the
    /// first one, and then the second.
    fn reverse(&mut self, run: &[Event], done: usize, order: &Order, first: usize, second: usize) {
        let base = self.base(first);
        let after = |event: usize| (base..=first).any(|own| order.comes_before(run, own, event));
        let events = (base + 1..done).filter(|&event| event != second && !after(event)).collect();
        let mut guesses = Vec::from([second]);
        // What sleeps covers the second event alone, but not the first one after it, if that is more than
        // was known when it fell asleep.
        if (base..=first).any(|own| run[own].step.ends || self.frames[own].surprised) {
            guesses.extend(base..=first);
        }
        let sequence = Sequence::new(run, order, events, &guesses);
        let frame = &mut self.frames[base];
        if !sequence.sleeps(&frame.sleep) {
            sequence.insert(&mut frame.tree);
        }
    }

    /// The same with a bound on preemptions: the second task is to be run at the first event, and where the
    /// first task's turn began, as a switch may be free there.
    fn reverse_within(&mut self, run: &[Event], first: usize, second: usize) {
        let who = run[second].step.who;
        let at = self.base(first);
        let turn = |at: usize| {
            let before = (0..at)
                .rev()
                .find(|&before| self.frames[before].step.who != self.frames[at].step.who);
            before.map_or(0, |before| before + 1)
        };
        let begin = turn(at);
        let places = match begin == at && at > 0 {
            true => [at, turn(self.base(at - 1))],
            false => [at, begin],
        };
        for place in places {
            let Frame { candidates, bounded, .. } = &mut self.frames[place];
            let all = match candidates.contains(&who) {
                true => &[who][..],
                false => candidates,
            };
            for &who in all {
                if !bounded.todo.contains(&who) && !bounded.done.contains(&who) {
                    bounded.todo.push(who);
                }
            }
        }
    }
}

/// What a task is about to do when the run ends, as an event that does not take place.
fn pending(task: &Task, touch: Option<Touch>) -> Event {
    Event {
        step: Step { who: task.who, touches: touch.into_iter().collect(), ..Step::default() },
        nth: task.events,
        started_by: task.started_by,
        woken_by: task.woken_by.clone(),
        quiet: 0,
        grants: Vec::new(),
        announced: None,
    }
}
