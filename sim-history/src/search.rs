//! Is there an order? The search of Wing and Gong with the memo of Lowe, without recursion.
//!
//! ```text
//! invocation ─ fits, new ─▶ lift it, go on from the front
//!     │ else
//!     ▼
//! next event ─ a response ─▶ dead end: drop the last call back, go on behind it
//! ```
//!
//! It is done when all calls that returned are in order: those that did not may never have taken effect.

use crate::{
    Model,
    events::{Events, Kind, Piece},
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
}

/// The best that was reached where there is no order.
pub(crate) struct Longest<S> {
    /// Calls, by their number among the pieces, in the order that was tried, each with the state after it.
    pub(crate) order: Vec<(usize, S)>,
    /// How many of them returned.
    returned: usize,
}

/// What one search keeps.
pub(crate) struct Search<'a, 'h, M: Model> {
    model: &'a M,
    pieces: &'a [Piece<'h, M::Op, M::Ret>],
    events: Events,
    placed: Vec<Placed<M::State>>,
    mask: Mask,
    state: M::State,
    seen: BTreeSet<(Short, M::State)>,
    /// Calls that returned and are not in order.
    missing: usize,
    /// The last response that a try came to.
    reached: usize,
    /// Kept only by a search that is to explain.
    longest: Option<Longest<M::State>>,
    explains: bool,
}

impl<'a, 'h, M: Model> Search<'a, 'h, M> {
    pub(crate) fn new(model: &'a M, pieces: &'a [Piece<'h, M::Op, M::Ret>]) -> Self {
        Search {
            model,
            pieces,
            events: Events::new(pieces),
            placed: Vec::new(),
            mask: Mask::new(pieces.len()),
            state: model.start(),
            seen: BTreeSet::new(),
            missing: pieces.iter().filter(|piece| piece.returned.is_some()).count(),
            reached: 0,
            longest: None,
            explains: false,
        }
    }

    /// Searches, and keeps the longest order that it tries.
    pub(crate) fn explain(mut self, budget: &mut u64) -> (Found, Option<Longest<M::State>>) {
        self.explains = true;
        let found = self.run(budget);
        (found, self.longest)
    }

    /// Searches; each step of the model takes one off `budget`.
    pub(crate) fn run(&mut self, budget: &mut u64) -> Found {
        let mut at = self.events.after(0);
        while self.missing > 0 {
            match self.events.kind(at) {
                Kind::Invocation(call) => {
                    let Some(left) = budget.checked_sub(1) else { return Found::Spent };
                    *budget = left;
                    let states = self.steps(call);
                    at = self.place(call, states).unwrap_or_else(|| self.events.after(at));
                }
                Kind::Response(call) => {
                    self.dead_end(call);
                    match self.go_back() {
                        Some(next) => at = next,
                        None => return Found::Nothing(self.reached),
                    }
                }
                Kind::Front => unreachable!("a call that returned has its response in the list"),
            }
        }
        Found::Order
    }

    /// The states that the call may leave.
    fn steps(&self, call: usize) -> (Option<M::State>, Vec<M::State>) {
        let Piece { op, returned, .. } = self.pieces[call];
        if let Some((_, ret)) = returned {
            return (self.model.step(&self.state, op, ret), Vec::new());
        }
        let mut states = self.model.step_unknown(&self.state, op);
        // Without effect it is as if it had not been called: the order without it does as well.
        states.retain(|state| *state != self.state);
        (states.pop(), states)
    }

    /// Puts the call next in the order, with the first state that is new, and says where to go on.
    fn place(
        &mut self,
        call: usize,
        (mut state, mut others): (Option<M::State>, Vec<M::State>),
    ) -> Option<usize> {
        self.mask.insert(call);
        while let Some(next) = state {
            if self.seen.insert((self.mask.short(), next.clone())) {
                let before = mem::replace(&mut self.state, next);
                self.placed.push(Placed { call, before, others });
                self.events.lift(call);
                self.missing -= usize::from(self.pieces[call].returned.is_some());
                return Some(self.events.after(0));
            }
            state = others.pop();
        }
        self.mask.remove(call);
        None
    }

    /// Takes the last call out of the order, and says where to go on: with another state of it, else behind it.
    fn go_back(&mut self) -> Option<usize> {
        let Placed { call, before, mut others } = self.placed.pop()?;
        self.state = before;
        self.events.drop_back(call);
        self.mask.remove(call);
        self.missing += usize::from(self.pieces[call].returned.is_some());
        let other = others.pop();
        let next = || self.events.after(self.events.invocation(call));
        match other {
            None => Some(next()),
            Some(_) => {
                let behind = next();
                Some(self.place(call, (other, others)).unwrap_or(behind))
            }
        }
    }

    /// The call returned here, and cannot be put in order before.
    fn dead_end(&mut self, call: usize) {
        let (place, _) = self.pieces[call].returned.expect("it has a response");
        self.reached = self.reached.max(place);
        if !self.explains {
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
