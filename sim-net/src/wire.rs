//! What happens to a packet between being sent and arriving.

use crate::{Cx, Network, Packet, RuleId, network::Event, rule::Rule};

/// Links, partitions, holds and rules.
#[derive(Default)]
pub(crate) struct Wire {}

impl Wire {
    pub(crate) fn add_rule(&mut self, rule: Rule) -> RuleId {
        let _ = rule;
        RuleId(0)
    }
    pub(crate) fn remove_rule(&mut self, rule: RuleId) -> bool {
        let _ = rule;
        false
    }
}

impl Network {
    /// Sends a packet on its way: rules, partitions and the link say whether, when and how often it arrives.
    pub(crate) fn send_packet(&mut self, cx: &mut Cx<'_>, packet: Packet) {
        self.events.insert(cx.now_ns, Event::Arrives(packet));
    }

    /// A packet comes to the end of its way: none if the link was cut meanwhile, or holds what is on it.
    pub(crate) fn let_through(&mut self, cx: &mut Cx<'_>, packet: Packet) -> Option<Packet> {
        let _ = cx;
        Some(packet)
    }
}
