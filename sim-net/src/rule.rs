//! Rules of the user's own: what becomes of a packet, decided by code of the test.

use crate::{Network, Packet};
use alloc::{boxed::Box, vec::Vec};

/// What a rule says of a packet. All rules are asked, in the order in which they were added, until one drops it: delays
/// add up, and so do copies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Verdict {
    /// It is up to the others, and to the link.
    #[default]
    Pass,
    /// It takes so many nanoseconds more.
    Delay(u64),
    /// It is lost. TCP sends it again.
    Drop,
    /// It arrives twice.
    Duplicate,
    /// One bit of it is turned, if it has any. TCP's checksum finds that, so that to TCP it is lost.
    Corrupt,
}

/// A rule of a [`Network`]; they count from 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RuleId(pub u32);

/// What a rule is: code that decides on a packet.
pub type Rule = Box<dyn FnMut(&Packet) -> Verdict>;

#[derive(Default)]
pub(crate) struct Rules {
    all: Vec<(RuleId, Rule)>,
    added: u32,
}

/// What all rules together want.
#[derive(Default)]
pub(crate) struct Wish {
    pub(crate) delay_ns: u64,
    pub(crate) copies: u32,
    pub(crate) corrupt: bool,
    pub(crate) drop: bool,
}

impl Rules {
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn ask(&mut self, packet: &Packet) -> Wish {
        let mut wish = Wish::default();
        for (_, rule) in &mut self.all {
            match rule(packet) {
                Verdict::Pass => {}
                Verdict::Delay(ns) => wish.delay_ns = wish.delay_ns.saturating_add(ns),
                Verdict::Duplicate => wish.copies += 1,
                Verdict::Corrupt => wish.corrupt = true,
                Verdict::Drop => {
                    wish.drop = true;
                    break;
                }
            }
        }
        wish
    }
}

impl Network {
    /// Asks `rule` about each packet that is sent to another host, after the rules that are there; it holds until it is
    /// removed.
    pub fn add_rule(&mut self, rule: impl FnMut(&Packet) -> Verdict + 'static) -> RuleId {
        self.tcp_unsettle();
        let rules = &mut self.wire.rules;
        rules.added += 1;
        let id = RuleId(rules.added);
        rules.all.push((id, Box::new(rule)));
        id
    }

    /// Ends a rule, if there is one, and gives it back: what it has captured may run code of the user's when it is
    /// dropped, which is better done when nobody is using the network.
    pub fn remove_rule(&mut self, rule: RuleId) -> Option<Rule> {
        self.tcp_unsettle();
        let rules = &mut self.wire.rules.all;
        let index = rules.iter().position(|(id, _)| *id == rule)?;
        Some(rules.remove(index).1)
    }
}
