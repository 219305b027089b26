//! The events that the search walks over: a doubly linked list, out of which a call is lifted when it is put in
//! order, and into which it is dropped again where the search goes back (Wing, Gong 1993).

use alloc::{collections::BTreeMap, vec, vec::Vec};

/// A call as the search sees it.
pub(crate) struct Piece<'h, Op, Ret> {
    /// Its number in the history.
    pub(crate) id: usize,
    pub(crate) client: &'h str,
    pub(crate) op: &'h Op,
    /// Places of its events in the history, and its answer.
    pub(crate) invoked: usize,
    pub(crate) returned: Option<(usize, &'h Ret)>,
}

impl<Op, Ret> Clone for Piece<'_, Op, Ret> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Op, Ret> Copy for Piece<'_, Op, Ret> {}

/// What stands at a place of the list.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// The front, and behind the last event the end.
    Front,
    /// The call of this number among the pieces may be next.
    Invocation(usize),
    /// No other call may be next before the one of this number is in order.
    Response(usize),
}

struct Node {
    kind: Kind,
    before: usize,
    after: usize,
}

/// The list; its places are numbers, and 0 is the front.
pub(crate) struct Events {
    nodes: Vec<Node>,
    /// Where each call's invocation and response are.
    places: Vec<(usize, Option<usize>)>,
}

impl Events {
    /// The events of the pieces. Without `responses` a call may be next however many others returned before it.
    pub(crate) fn new<Op, Ret>(pieces: &[Piece<'_, Op, Ret>], responses: bool) -> Events {
        let mut events = Vec::with_capacity(2 * pieces.len());
        for (call, piece) in pieces.iter().enumerate() {
            events.push((piece.invoked, Kind::Invocation(call)));
            let returned = piece.returned.filter(|_| responses);
            events.extend(returned.map(|(place, _)| (place, Kind::Response(call))));
        }
        events.sort_by_key(|(place, _)| *place);

        let mut places = vec![(0, None); pieces.len()];
        let count = events.len();
        let mut nodes = vec![Node { kind: Kind::Front, before: count, after: 1 % (count + 1) }];
        for (at, (_, kind)) in (1..).zip(events) {
            match kind {
                Kind::Front => unreachable!("only calls have events"),
                Kind::Invocation(call) => places[call].0 = at,
                Kind::Response(call) => places[call].1 = Some(at),
            }
            nodes.push(Node { kind, before: at - 1, after: (at + 1) % (count + 1) });
        }
        Events { nodes, places }
    }

    pub(crate) fn kind(&self, at: usize) -> Kind {
        self.nodes[at].kind
    }

    pub(crate) fn after(&self, at: usize) -> usize {
        self.nodes[at].after
    }

    /// Where the invocation of `call` is, or was before it was lifted.
    pub(crate) fn invocation(&self, call: usize) -> usize {
        self.places[call].0
    }

    /// Takes the events of `call` out.
    pub(crate) fn lift(&mut self, call: usize) {
        let (invocation, response) = self.places[call];
        self.unlink(invocation);
        response.into_iter().for_each(|at| self.unlink(at));
    }

    /// Puts the events of `call` back; of those that are lifted it has to be the last one.
    pub(crate) fn drop_back(&mut self, call: usize) {
        let (invocation, response) = self.places[call];
        response.into_iter().for_each(|at| self.link(at));
        self.link(invocation);
    }

    fn unlink(&mut self, at: usize) {
        let Node { before, after, .. } = self.nodes[at];
        self.nodes[before].after = after;
        self.nodes[after].before = before;
    }

    fn link(&mut self, at: usize) {
        let Node { before, after, .. } = self.nodes[at];
        self.nodes[before].after = at;
        self.nodes[after].before = at;
    }
}

/// For each call those of the same client that returned before it began, without those that follow from these.
pub(crate) fn program_order<Op, Ret>(pieces: &[Piece<'_, Op, Ret>]) -> Vec<Vec<usize>> {
    let mut events = Vec::new();
    for (call, piece) in pieces.iter().enumerate() {
        events.push((piece.invoked, call, false));
        events.extend(piece.returned.map(|(place, _)| (place, call, true)));
    }
    events.sort_unstable();
    let mut before = vec![Vec::new(); pieces.len()];
    let mut last = BTreeMap::<&str, Vec<usize>>::new();
    for (_, call, response) in events {
        let last = last.entry(pieces[call].client).or_default();
        match response {
            false => before[call] = last.clone(),
            true => {
                last.retain(|earlier| !before[call].contains(earlier));
                last.push(call);
            }
        }
    }
    before
}
