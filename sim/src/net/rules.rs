//! Rules of the test's own: code that says what becomes of a packet.

use super::hosts::expect_control;
use crate::{context, world::Remote};
use sim_net::{Packet, RuleId, Verdict};
use std::{fmt, panic::Location, sync::Arc};

/// A rule that holds until this is dropped; made by [`rule`].
#[must_use = "the rule ends when this is dropped"]
pub struct Rule {
    remote: Arc<Remote>,
    run: u64,
    /// None once it holds until the end of the run.
    id: Option<RuleId>,
}

/// Asks `decide` about each packet that one machine sends to another, after the rules that are there.
///
/// It is called while the network is at work: nothing in it is a scheduling point, and it cannot ask the network or
/// the simulation's generators for anything.
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use sim::net::{Protocol, Verdict};
///
/// let mut seen = 0;
/// let third_is_lost = sim::net::rule(move |packet| {
///     seen += u32::from(packet.protocol() == Protocol::Udp);
///     if seen == 3 { Verdict::Drop } else { Verdict::Pass }
/// });
/// // … what the test does meanwhile …
/// drop(third_is_lost);
/// # });
/// ```
#[track_caller]
pub fn rule(mut decide: impl FnMut(&Packet) -> Verdict + 'static) -> Rule {
    let world = expect_control(Location::caller());
    let asked = move |packet: &Packet| match context::world() {
        Some(world) => world.as_nobody(|| decide(packet)),
        None => decide(packet),
    };
    let id = world.network(|network, _| network.add_rule(asked));
    Rule { remote: world.remote().clone(), run: world.run(), id: Some(id) }
}

impl Rule {
    /// Lets the rule hold until the end of the run.
    pub fn forget(mut self) {
        self.id = None;
    }
}

impl Drop for Rule {
    fn drop(&mut self) {
        if let Some(id) = self.id
            && let Some(world) = context::find(&self.remote)
            && world.run() == self.run
        {
            // What the rule has captured is dropped when the network is free again: it may have sockets.
            let rule = world.network(|network, _| network.remove_rule(id));
            drop(rule);
        }
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rule").field("id", &self.id).finish_non_exhaustive()
    }
}
