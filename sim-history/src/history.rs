//! Who called what when, and what came back.
//!
//! Events (invocations and responses) are in one order, the order in which they were noted. Times only say when that
//! was, for people.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

/// Names a call of a [`History`]: its number, counted from 0 in the order of invocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub usize);

/// An invocation or a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Event {
    /// Its place among all events of the history, from 0.
    pub place: usize,
    /// When that was, by [`History::advance_to`].
    pub time: Duration,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End<Ret> {
    /// No response, or one that says nothing: it may have taken effect, may still do so later, or never.
    Open,
    /// It took effect before this response.
    Returned(Event, Ret),
    /// It is known that it did not and will not take effect, as if it had not been called.
    Never(Event),
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<Op, Ret> {
    /// Who called.
    pub client: String,
    /// What was asked.
    pub op: Op,
    /// When it began.
    pub invoked: Event,
    /// How it ended.
    pub end: End<Ret>,
}

/// Calls and their responses, in the order in which they took place.
///
/// ```
/// use sim_history::{End, History};
///
/// let mut history = History::new();
/// let a = history.invoke("ann", "get");
/// let b = history.invoke("bob", "put");
/// history.respond(a, 7);
/// assert_eq!(history.calls()[b.0].end, End::Open);
/// assert_eq!(history.events(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History<Op, Ret> {
    calls: Vec<Call<Op, Ret>>,
    events: usize,
    now: Duration,
}

impl<Op, Ret> Default for History<Op, Ret> {
    fn default() -> History<Op, Ret> {
        History::new()
    }
}

impl<Op, Ret> History<Op, Ret> {
    /// A history without calls.
    pub fn new() -> History<Op, Ret> {
        History { calls: Vec::new(), events: 0, now: Duration::ZERO }
    }

    /// `client` calls `op`. A client may have several calls open at once.
    pub fn invoke(&mut self, client: impl ToString, op: Op) -> CallId {
        let invoked = self.event();
        self.calls.push(Call { client: client.to_string(), op, invoked, end: End::Open });
        CallId(self.calls.len() - 1)
    }

    /// The call returned `ret`.
    ///
    /// # Panics
    ///
    /// If the call has ended already, or is of another history.
    pub fn respond(&mut self, call: CallId, ret: Ret) {
        let event = self.event();
        self.end(call, End::Returned(event, ret));
    }

    /// The call did not take effect, and will not: a request that was refused before anybody looked at it.
    ///
    /// # Panics
    ///
    /// If the call has ended already, or is of another history.
    pub fn never(&mut self, call: CallId) {
        let event = self.event();
        self.end(call, End::Never(event));
    }

    /// The time of the events that follow. It changes nothing but the drawing.
    pub fn advance_to(&mut self, now: Duration) {
        self.now = now;
    }

    /// All calls, by their number.
    pub fn calls(&self) -> &[Call<Op, Ret>] {
        &self.calls
    }

    /// How many events there were.
    pub fn events(&self) -> usize {
        self.events
    }

    fn end(&mut self, call: CallId, end: End<Ret>) {
        let call = self.calls.get_mut(call.0).expect("the call is of this history");
        assert!(matches!(call.end, End::Open), "a call ends once");
        call.end = end;
    }

    fn event(&mut self) -> Event {
        self.events += 1;
        Event { place: self.events - 1, time: self.now }
    }
}
