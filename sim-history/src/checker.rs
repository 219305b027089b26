//! The verdict on a history: key by key, within a budget, with the shortest prefix that is illegal.

use crate::{
    Call, CallId, End, History, Model, draw,
    events::Piece,
    search::{Found, Search},
};
use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use core::fmt;

/// Steps that a report may take to tell stale answers from wrong ones: a remark, not worth the budget again.
const STALE_BUDGET: u64 = 20_000;

/// What a [`Checker`] says of a history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// There is an order of the calls that the model explains.
    Ok,
    /// There is none.
    Illegal(Illegal),
    /// The budget came to its end before there was an answer.
    Unknown {
        /// Steps of the model that were tried.
        steps: u64,
    },
}

/// The shortest beginning of a history that no order of its calls explains.
///
/// Its `Display` is the report: the calls of the key as a table in time order, the longest order that fits, and what
/// each call that could come next met.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Illegal {
    /// The call whose response is the last event of the prefix.
    pub call: CallId,
    /// How many events of the history the prefix has. Calls without a response in it count as open.
    pub events: usize,
    /// No shorter prefix is illegal. False only if the budget did not suffice to say so.
    pub shortest: bool,
    /// The longest order of calls that fits the model; the calls of the same key only.
    pub order: Vec<CallId>,
    pub(crate) text: String,
}

impl fmt::Display for Illegal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether the history is linearizable, with the budget of [`Checker::new`].
pub fn check<M: Model>(model: &M, history: &History<M::Op, M::Ret>) -> Verdict {
    Checker::new().check(model, history)
}

/// Decides whether histories are linearizable.
///
/// ```
/// use sim_history::{models::{Counter, CounterOp::*, CounterRet::*}, Checker, History, Verdict};
///
/// let mut history = History::new();
/// for n in 0..20 {
///     history.invoke(n, Add(1 << n)); // No answer to any of them, and so a million states to be in.
/// }
/// let read = history.invoke("reader", Get);
/// history.respond(read, Value(-1));
/// let verdict = Checker::new().budget(1_000).check(&Counter, &history);
/// assert_eq!(verdict, Verdict::Unknown { steps: 1_000 });
/// ```
#[derive(Clone, Debug)]
pub struct Checker {
    budget: u64,
    by_key: bool,
}

impl Default for Checker {
    fn default() -> Checker {
        Checker::new()
    }
}

impl Checker {
    /// Checks key by key, with a budget of 300,000 steps.
    pub fn new() -> Checker {
        Checker { budget: 300_000, by_key: true }
    }

    /// How many steps of the model are tried before the verdict is [`Verdict::Unknown`]. Each may be kept in memory.
    ///
    /// To make the prefix of an illegal history shorter may take as many again, at most as often as the history's length
    /// can be halved.
    pub fn budget(mut self, steps: u64) -> Checker {
        self.budget = steps;
        self
    }

    /// Checks all keys at once. The verdict is the same, but takes longer: for those who doubt their
    /// model's [`key`](Model::key).
    pub fn whole(mut self) -> Checker {
        self.by_key = false;
        self
    }

    /// Whether the history is linearizable.
    pub fn check<M: Model>(&self, model: &M, history: &History<M::Op, M::Ret>) -> Verdict {
        let mut left = self.budget;
        let mut spent = false;
        let mut least: Option<Prefix<'_, M>> = None;
        for part in self.parts(model, history) {
            // Only what is shorter than the shortest so far is of interest.
            let part = match &least {
                Some(least) => until(&part, least.last),
                None => part,
            };
            match self.prefix(model, part, &mut left) {
                Ok(None) => {}
                Ok(Some(prefix)) => least = Some(prefix),
                Err(Spent) => spent = true,
            }
        }
        match least {
            Some(prefix) => self.illegal(model, history, prefix, spent),
            None if spent => Verdict::Unknown { steps: self.budget - left },
            None => Verdict::Ok,
        }
    }

    /// Whether the history is sequentially consistent (Lamport 1979): there is an order of all calls that the model
    /// explains and that keeps the order of each client's calls, but not necessarily that of time. `None` if the
    /// budget came to its end first.
    ///
    /// What is linearizable is sequentially consistent. What is only the latter has stale answers, and each client alone
    /// cannot tell. All keys are searched at once, because sequential consistency is not local.
    ///
    /// ```
    /// use sim_history::{models::{Register, RegisterOp::*, RegisterRet::*}, Checker, History, Verdict};
    ///
    /// let mut history = History::new();
    /// let write = history.invoke("ann", Write(1));
    /// history.respond(write, Written);
    /// let stale = history.invoke("bob", Read);
    /// history.respond(stale, Value(0));
    /// let (checker, register) = (Checker::new(), Register::new(0));
    /// assert!(matches!(checker.check(&register, &history), Verdict::Illegal(_)));
    /// assert_eq!(checker.sequentially_consistent(&register, &history), Some(true));
    /// ```
    pub fn sequentially_consistent<M: Model>(
        &self,
        model: &M,
        history: &History<M::Op, M::Ret>,
    ) -> Option<bool> {
        let pieces: Vec<_> = history.calls().iter().enumerate().filter_map(piece).collect();
        match Search::sequential(model, &pieces).run(&mut { self.budget }) {
            Found::Order => Some(true),
            Found::Nothing(_) => Some(false),
            Found::Spent => None,
        }
    }

    /// The calls of each key, fewest first; all together if one has no key.
    fn parts<'h, M: Model>(
        &self,
        model: &M,
        history: &'h History<M::Op, M::Ret>,
    ) -> Vec<Vec<Piece<'h, M::Op, M::Ret>>> {
        let pieces: Vec<_> = history.calls().iter().enumerate().filter_map(piece).collect();
        let key = |piece: &Piece<'h, M::Op, M::Ret>| self.by_key.then(|| model.key(piece.op))?;
        let mut parts = BTreeMap::<M::Key, Vec<_>>::new();
        for piece in &pieces {
            let Some(key) = key(piece) else { return vec![pieces] };
            parts.entry(key).or_default().push(*piece);
        }
        let mut parts: Vec<_> = parts.into_values().collect();
        // A key that takes the whole budget must not keep the others from being looked at.
        parts.sort_by_key(Vec::len);
        parts
    }

    /// The shortest illegal prefix of the part, if it is illegal.
    fn prefix<'h, M: Model>(
        &self,
        model: &M,
        part: Vec<Piece<'h, M::Op, M::Ret>>,
        left: &mut u64,
    ) -> Result<Option<Prefix<'h, M>>, Spent> {
        let reached = match Search::new(model, &part).run(left) {
            Found::Order => return Ok(None),
            Found::Spent => return Err(Spent),
            Found::Nothing(reached) => reached,
        };
        // What the search of the whole did not come past is nearly always the end of the prefix. It is not where an
        // answer that came later, and so is not in the prefix, ruled out what the prefix alone allows.
        let mut ends: Vec<usize> =
            part.iter().filter_map(|piece| piece.returned).map(|(place, _)| place).collect();
        ends.retain(|place| *place >= reached);
        ends.sort_unstable();
        let (mut legal, mut illegal, mut probe, mut shortest) = (None, ends.len() - 1, 0, true);
        let mut order = None;
        let first = |legal: Option<usize>| legal.map_or(0, |legal| legal + 1);
        while order.is_none() || first(legal) < illegal {
            let (place, mut budget) = (ends[probe], self.budget);
            let pieces = until(&part, place + 1);
            match Search::new(model, &pieces).explain(place, &mut budget) {
                (Found::Nothing(_), longest) => {
                    illegal = probe;
                    order = Some(longest.map_or(Vec::new(), |longest| longest.order));
                }
                (found, _) if probe < illegal => {
                    shortest &= found == Found::Order;
                    legal = Some(probe);
                }
                // The whole, again: it was found to be illegal within what was left of the same budget.
                _ => order = Some(Vec::new()),
            }
            probe = first(legal).midpoint(illegal);
        }
        let last = ends[illegal];
        let order = order.unwrap_or_default();
        Ok(Some(Prefix { pieces: until(&part, last + 1), last, shortest, order }))
    }

    fn illegal<M: Model>(
        &self,
        model: &M,
        history: &History<M::Op, M::Ret>,
        prefix: Prefix<'_, M>,
        spent: bool,
    ) -> Verdict {
        let Prefix { pieces, last, shortest, order } = prefix;
        let ends_it = |piece: &&Piece<'_, M::Op, M::Ret>| {
            piece.returned.is_some_and(|(place, _)| place == last)
        };
        let call = pieces.iter().find(ends_it).expect("a prefix ends with a response").id;
        let mut illegal = Illegal {
            call: CallId(call),
            events: last + 1,
            shortest: shortest && !spent,
            order: order.iter().map(|(piece, _)| CallId(pieces[*piece].id)).collect(),
            text: String::new(),
        };
        let stale = Search::sequential(model, &pieces).run(&mut { STALE_BUDGET });
        illegal.text =
            draw::report(model, history, &pieces, &order, &illegal, stale == Found::Order);
        Verdict::Illegal(illegal)
    }
}

/// The budget came to its end.
struct Spent;

/// An illegal beginning of a part.
struct Prefix<'h, M: Model> {
    pieces: Vec<Piece<'h, M::Op, M::Ret>>,
    /// Where in the history its last event is.
    last: usize,
    shortest: bool,
    /// The longest order of its calls that was found, with the state after each.
    order: Vec<(usize, M::State)>,
}

fn piece<Op, Ret>((id, call): (usize, &Call<Op, Ret>)) -> Option<Piece<'_, Op, Ret>> {
    let returned = match &call.end {
        End::Open => None,
        End::Returned(event, ret) => Some((event.place, ret)),
        End::Never(_) => return None,
    };
    Some(Piece { id, client: &call.client, op: &call.op, invoked: call.invoked.place, returned })
}

/// The events of the part before the place `end` of the history.
fn until<'h, Op, Ret>(part: &[Piece<'h, Op, Ret>], end: usize) -> Vec<Piece<'h, Op, Ret>> {
    let cut = |piece: &Piece<'h, Op, Ret>| {
        let returned = piece.returned.filter(|(place, _)| *place < end);
        (piece.invoked < end).then_some(Piece { returned, ..*piece })
    };
    part.iter().filter_map(cut).collect()
}
