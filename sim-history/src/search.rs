//! Is there an order? The search of Wing and Gong with the memo of Lowe, without recursion.
//!
//! ```text
//! front ─ a call only looks, fits ─▶ settled: lift it, go on from the front
//!   │ else
//!   ▼
//! invocation ─ fits, new ─▶ a guess: lift it, go on from the front
//!   │ else
//!   ▼
//! next event ─ a response ─▶ dead end: drop calls back up to the last guess, go on behind it
//! ```
//!
//! A call that only looks, as a read does, goes before all others where it fits, and nothing else is tried in its place:
//! an order that has it later stays one if it is moved to the front. So only changes multiply. And of calls whose answer
//! nobody saw those are left out that the next call would make undone.
//!
//! It is done when all calls that returned are in order: those that did not may never have taken effect.

use crate::{
    Model,
    events::{Events, Kind, Piece, program_order},
    mask::{Mask, Short},
};
use alloc::{collections::BTreeSet, vec::Vec};
use core::mem;

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// An order.
    Order,
    /// There is none, and no try came past the response at this place of the history. That the history
    /// up to the event before it has an order follows.
    Nothing(usize),
    /// The budget came to its end first.
    Spent,
}

/// A call that is in order.
struct Placed<S> {
    call: usize,
    before: S,
    /// Other states that it may have left; more than none only if nobody saw its answer.
    others: Vec<S>,
    /// Nothing need be tried in its place.
    settled: bool,
}

/// The best that was reached where there is no order.
pub(crate) struct Longest<S> {
    /// Calls, by their number among the pieces, in the order that was tried, each with the state after it.
    pub(crate) order: Vec<(usize, S)>,
    /// How many of them returned.
    returned: usize,
}

/// What the search does next.
enum Next {
    /// It looks at the front, behind an order that is new.
    Settle,
    /// It tries what is at this place of the list.
    Try(usize),
    /// It takes back what it tried last.
    Back,
}

/// What one search keeps.
pub(crate) struct Search<'a, 'h, M: Model> {
    model: &'a M,
    pieces: &'a [Piece<'h, M::Op, M::Ret>],
    events: Events,
    /// Which calls have to be in order before each, beside those that the events say; empty if there are none.
    before: Vec<Vec<usize>>,
    placed: Vec<Placed<M::State>>,
    mask: Mask,
    state: M::State,
    seen: BTreeSet<(Short, M::State)>,
    /// Calls that returned and are not in order.
    missing: usize,
    /// The last response that a try came to.
    reached: usize,
    /// The longest order that ends at the response which the search is to explain.
    longest: Option<Longest<M::State>>,
    explains: Option<usize>,
}

impl<'a, 'h, M: Model> Search<'a, 'h, M> {
    pub(crate) fn new(model: &'a M, pieces: &'a [Piece<'h, M::Op, M::Ret>]) -> Self {
        Search {
            model,
            pieces,
            events: Events::new(pieces, true),
            before: Vec::new(),
            placed: Vec::new(),
            mask: Mask::new(pieces.len()),
            state: model.start(),
            seen: BTreeSet::new(),
            missing: pieces.iter().filter(|piece| piece.returned.is_some()).count(),
            reached: 0,
            longest: None,
            explains: None,
        }
    }

    /// A search for an order that keeps that of each client alone, and not that of time.
    pub(crate) fn sequential(model: &'a M, pieces: &'a [Piece<'h, M::Op, M::Ret>]) -> Self {
        Search {
            events: Events::new(pieces, false),
            before: program_order(pieces),
            ..Search::new(model, pieces)
        }
    }

    /// Searches, and keeps the longest order with which no try comes past the response at `place` of the history.
    pub(crate) fn explain(
        mut self,
        place: usize,
        budget: &mut u64,
    ) -> (Found, Option<Longest<M::State>>) {
        self.explains = Some(place);
        let found = self.run(budget);
        (found, self.longest)
    }

    /// Searches; each step of the model takes one off `budget`.
    pub(crate) fn run(&mut self, budget: &mut u64) -> Found {
        let mut next = Next::Settle;
        loop {
            let result = match next {
                Next::Settle => self.settle(budget),
                Next::Try(at) => self.try_at(at, budget),
                Next::Back => self.go_back(),
            };
            match result {
                Ok(then) => next = then,
                Err(found) => return found,
            }
        }
    }

    /// After a call was put in order: puts one next that fits and only looks, if there is one.
    fn settle(&mut self, budget: &mut u64) -> Result<Next, Found> {
        if self.missing == 0 {
            return Err(Found::Order);
        }
        let front = self.events.after(0);
        let mut at = front;
        while let Kind::Invocation(call) = self.events.kind(at) {
            if let Some(ret) = self.looks(call).filter(|_| self.may_be_next(call)) {
                spend(budget)?;
                let state = self.model.step(&self.state, self.pieces[call].op, ret);
                if let Some(state) = state {
                    assert!(
                        state == self.state,
                        "the model says that this only looks, and it changes the state"
                    );
                    let new = self.place(call, (Some(state), Vec::new()), true);
                    return Ok(if new { Next::Settle } else { Next::Back });
                }
            }
            at = self.events.after(at);
        }
        Ok(Next::Try(front))
    }

    /// Puts the call here next, if it fits.
    fn try_at(&mut self, at: usize, budget: &mut u64) -> Result<Next, Found> {
        match self.events.kind(at) {
            // It would have been settled if it did fit.
            Kind::Invocation(call) if self.looks(call).is_some() || !self.may_be_next(call) => {
                Ok(Next::Try(self.events.after(at)))
            }
            Kind::Invocation(call) => {
                spend(budget)?;
                let states = self.steps(call);
                let new = self.place(call, states, false);
                Ok(if new { Next::Settle } else { Next::Try(self.events.after(at)) })
            }
            Kind::Response(call) => {
                self.dead_end(call);
                Ok(Next::Back)
            }
            Kind::Front => {
                assert!(
                    !self.before.is_empty(),
                    "a call that returned has its response in the list"
                );
                Ok(Next::Back)
            }
        }
    }

    /// Calls of the same client that have to be in order before it are.
    fn may_be_next(&self, call: usize) -> bool {
        let before = self.before.get(call).map_or(&[][..], Vec::as_slice);
        before.iter().all(|earlier| self.mask.contains(*earlier))
    }

    /// The answer of a call that only looks.
    fn looks(&self, call: usize) -> Option<&'h M::Ret> {
        let Piece { op, returned, .. } = self.pieces[call];
        returned.map(|(_, ret)| ret).filter(|ret| self.model.only_looks(op, ret))
    }

    /// The states that the call may leave.
    fn steps(&self, call: usize) -> (Option<M::State>, Vec<M::State>) {
        if self.pieces[call].returned.is_some() {
            let state = self.step(&self.state, call);
            return (state.filter(|state| !self.needless(call, state)), Vec::new());
        }
        let mut states = self.model.step_unknown(&self.state, self.pieces[call].op);
        // Without effect it is as if it had not been called: the order without it does as well.
        states.retain(|state| *state != self.state && !self.needless(call, state));
        (states.pop(), states)
    }

    fn step(&self, state: &M::State, call: usize) -> Option<M::State> {
        let Piece { op, returned, .. } = self.pieces[call];
        returned.and_then(|(_, ret)| self.model.step(state, op, ret))
    }

    /// Whether the call would lead to the same state without the last one in order, whose answer nobody saw: a write
    /// that is overwritten. The order without that one does as well, and has it left for later.
    fn needless(&self, call: usize, state: &M::State) -> bool {
        let Some(last) = self.placed.last() else { return false };
        if self.pieces[last.call].returned.is_some() {
            return false;
        }
        match self.pieces[call].returned {
            Some(_) => self.step(&last.before, call).as_ref() == Some(state),
            None => self.model.step_unknown(&last.before, self.pieces[call].op).contains(state),
        }
    }

    /// Puts the call next in the order, with the first state that is new, if one is.
    fn place(
        &mut self,
        call: usize,
        (mut state, mut others): (Option<M::State>, Vec<M::State>),
        settled: bool,
    ) -> bool {
        self.mask.insert(call);
        while let Some(next) = state {
            if self.seen.insert((self.mask.short(), next.clone())) {
                let before = mem::replace(&mut self.state, next);
                self.placed.push(Placed { call, before, others, settled });
                self.events.lift(call);
                self.missing -= usize::from(self.pieces[call].returned.is_some());
                return true;
            }
            state = others.pop();
        }
        self.mask.remove(call);
        false
    }

    /// Takes the last call that was a guess out of the order, and goes on with another state of it, else behind it.
    fn go_back(&mut self) -> Result<Next, Found> {
        loop {
            let Some(Placed { call, before, mut others, settled }) = self.placed.pop() else {
                return Err(Found::Nothing(self.reached));
            };
            self.state = before;
            self.events.drop_back(call);
            self.mask.remove(call);
            self.missing += usize::from(self.pieces[call].returned.is_some());
            if settled {
                continue;
            }
            let new = self.place(call, (others.pop(), others), false);
            let behind = || self.events.after(self.events.invocation(call));
            return Ok(if new { Next::Settle } else { Next::Try(behind()) });
        }
    }

    /// The call returned here, and cannot be put in order before.
    fn dead_end(&mut self, call: usize) {
        let (place, _) = self.pieces[call].returned.expect("it has a response");
        self.reached = self.reached.max(place);
        if self.explains != Some(place) {
            return;
        }
        let count =
            self.placed.iter().filter(|placed| self.pieces[placed.call].returned.is_some()).count();
        // Of two that are as long the one that needs fewer guesses.
        let better = |longest: &Longest<M::State>| {
            (longest.returned, self.placed.len()) < (count, longest.order.len())
        };
        if self.longest.as_ref().is_none_or(better) {
            let calls = self.placed.iter().map(|placed| placed.call);
            let states = self.placed.iter().skip(1).map(|placed| &placed.before);
            let order = calls.zip(states.chain([&self.state]).cloned()).collect();
            self.longest = Some(Longest { order, returned: count });
        }
    }
}

/// One step of the model.
fn spend(budget: &mut u64) -> Result<(), Found> {
    *budget = budget.checked_sub(1).ok_or(Found::Spent)?;
    Ok(())
}
