//! Rules of the user's own: what becomes of a packet, decided by code of the test.

use crate::{Network, Packet};
use alloc::boxed::Box;

/// What a rule says of a packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verdict {
    /// The next rule is asked, and then the link.
    #[default]
    Pass,
    /// It takes so many nanoseconds more.
    Delay(u64),
    /// It is lost. TCP sends it again.
    Drop,
    /// It arrives twice.
    Duplicate,
    /// One bit of it is turned. TCP's checksum finds that, so that to TCP it is lost.
    Corrupt,
}

/// A rule of a [`Network`]; they count from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RuleId(pub u32);

/// What a rule is.
pub(crate) type Rule = Box<dyn FnMut(&Packet) -> Verdict>;

impl Network {
    /// Asks `rule` about each packet that is sent, after the rules that are there; it holds until it is removed.
    pub fn add_rule(&mut self, rule: impl FnMut(&Packet) -> Verdict + 'static) -> RuleId {
        self.wire.add_rule(Box::new(rule))
    }

    /// Ends a rule; whether there was one.
    pub fn remove_rule(&mut self, rule: RuleId) -> bool {
        self.wire.remove_rule(rule)
    }
}
