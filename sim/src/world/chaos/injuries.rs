//! What strikes do to nodes and links, what undoes it, and whether it made a difference.

use super::{Asked, Event};
use crate::{
    faults::{FaultKind, Faults, Split},
    node::NodeError,
    trace::Happened,
    world::{MAIN_NODE, World, table::Suspended},
};
use sim_choice::Kind;
use sim_net::{Fault, HostId};
use std::rc::Rc;

/// What the network counts by itself.
pub(super) const OF_NETWORK: [(FaultKind, Fault); 13] = [
    (FaultKind::Latency, Fault::Latency),
    (FaultKind::Loss, Fault::Loss),
    (FaultKind::Duplication, Fault::Duplication),
    (FaultKind::Reordering, Fault::Reordering),
    (FaultKind::Corruption, Fault::Corruption),
    (FaultKind::PartialIo, Fault::PartialIo),
    (FaultKind::Close, Fault::Close),
    (FaultKind::Partition, Fault::Partition),
    (FaultKind::Hold, Fault::Hold),
    (FaultKind::Delay, Fault::Delay),
    (FaultKind::Overflow, Fault::Overflow),
    (FaultKind::DnsFailure, Fault::DnsFailure),
    (FaultKind::DnsStale, Fault::DnsStale),
];

/// Links, from the first of each pair to the second.
type Ways = Vec<(HostId, HostId)>;

/// Something that is wrong for a while.
pub(super) struct Injury {
    kind: FaultKind,
    length_ns: u64,
    /// Who counts as injured by it.
    nodes: Vec<u32>,
    ways: Ways,
    /// Of what is held: how many packets had been before.
    before: u64,
}

impl Injury {
    /// Of what holds packets: its kind, and how many had been held before.
    pub(super) fn held_before(&self) -> Option<(FaultKind, u64)> {
        let holds = matches!(self.kind, FaultKind::Clog | FaultKind::Swizzle);
        holds.then_some((self.kind, self.before))
    }
}

// --- whom

impl World {
    /// How many more nodes may be injured.
    fn budget_left(&self, plan: &Faults) -> usize {
        let others = self.count_nodes() - 1;
        let budget = plan.budget.unwrap_or((others.saturating_sub(1) / 2).max(1));
        (budget as usize).saturating_sub(self.chaos.borrow().injured.len())
    }

    /// The nodes that may be injured: all that run, but main and those that are.
    fn victims(&self) -> Vec<u32> {
        let chaos = self.chaos.borrow();
        let all = 1..self.count_nodes();
        all.filter(|node| self.node_is_running(*node) && !chaos.injured.contains_key(node))
            .collect()
    }

    pub(super) fn can_strike(&self, kind: FaultKind, plan: &Faults) -> bool {
        match kind {
            FaultKind::ClockJump => true,
            FaultKind::Swizzle => self.count_nodes() > 1,
            _ => self.budget_left(plan) > 0 && !self.victims().is_empty(),
        }
    }

    /// One of them. 0: the first.
    fn draw_of(&self, nodes: &[u32]) -> u32 {
        nodes[self.draw(Kind::Other, nodes.len() as u32) as usize]
    }

    /// All links between both sides that no fault cuts or holds yet, from the first, from the second, or both.
    fn ways_between(&self, a: &[u32], b: &[u32], there: bool, back: bool) -> Ways {
        self.know_hosts();
        let pairs = a.iter().flat_map(|a| b.iter().map(|b| (HostId(*a), HostId(*b))));
        let ways = pairs.flat_map(|(a, b)| {
            [there.then_some((a, b)), back.then_some((b, a))].into_iter().flatten()
        });
        let ways: Ways = ways.collect();
        self.network(|network, _| {
            ways.into_iter().filter(|(from, to)| !network.storm_has(*from, *to)).collect()
        })
    }

    fn others_than(&self, nodes: &[u32]) -> Vec<u32> {
        (0..self.count_nodes()).filter(|node| !nodes.contains(node)).collect()
    }

    /// Who is on the smaller side of a partition, which the budget bounds.
    fn draw_side(&self, plan: &Faults) -> Vec<u32> {
        let mut nodes = self.victims();
        let most = self.budget_left(plan).min(nodes.len());
        let split = plan.splits[self.draw(Kind::Other, plan.splits.len() as u32) as usize];
        let count = match split {
            Split::Isolate => 1,
            Split::Size => 1 + self.draw(Kind::Other, most as u32) as usize,
            Split::Cut => {
                let mut side: Vec<u32> = nodes.clone();
                side.retain(|_| self.draw(Kind::Other, 2) == 1);
                side.truncate(most);
                if side.is_empty() {
                    side.push(nodes[0]);
                }
                return side;
            }
        };
        let side =
            (0..count).map(|_| nodes.remove(self.draw(Kind::Other, nodes.len() as u32) as usize));
        side.collect()
    }
}

// --- strikes

impl World {
    /// That strikes, whomever.
    pub(super) fn strike(
        self: &Rc<Self>,
        kind: FaultKind,
        length_ns: u64,
        plan: &Faults,
        asked: &mut Option<Asked>,
    ) {
        let injury = |nodes, ways| Injury { kind, length_ns, nodes, ways, before: 0 };
        match kind {
            FaultKind::ClockJump => self.jump_clock(length_ns),
            FaultKind::Swizzle => self.swizzle(length_ns),
            FaultKind::Partition => {
                let mut side = self.draw_side(plan);
                let mut others = self.others_than(&side);
                let injured = side.clone();
                // 0: both directions.
                let way = self.draw(Kind::Other, if plan.oneway { 3 } else { 1 });
                // Main is with the smaller side at times, if the other has nodes too. 0: it is not.
                if others.len() > 1 && self.draw(Kind::Other, 2) == 1 {
                    others.retain(|node| *node != MAIN_NODE);
                    side.push(MAIN_NODE);
                }
                let ways = self.quietly(|| self.ways_between(&side, &others, way != 2, way != 1));
                self.injure(injury(injured, ways), asked);
            }
            FaultKind::Clog => {
                let victim = self.draw_of(&self.victims());
                let mut others = self.others_than(&[victim]);
                // 0: all its links; else that to one other.
                if self.draw(Kind::Other, 2) == 1 {
                    others = vec![self.draw_of(&others)];
                }
                let ways = self.quietly(|| self.ways_between(&[victim], &others, true, true));
                self.injure(injury(vec![victim], ways), asked);
            }
            _ => {
                let victim = self.draw_of(&self.victims());
                self.injure(injury(vec![victim], Ways::new()), asked);
            }
        }
    }

    /// Each node is held with one half, at a time of its own in the first half of the while, until one in the second.
    fn swizzle(&self, length_ns: u64) {
        let now = self.now_ns();
        let half = length_ns / 2;
        for node in 1..self.count_nodes() {
            // 0: it is not.
            if self.draw(Kind::Other, 2) == 0 {
                continue;
            }
            let part = |world: &World| half / 8 * u64::from(world.draw(Kind::Other, 8));
            let begins = now + part(self);
            let ends = now + half + part(self);
            let length_ns = (ends - begins).max(1);
            let injury = Injury {
                kind: FaultKind::Swizzle,
                length_ns,
                nodes: vec![node],
                ways: Ways::new(),
                before: 0,
            };
            self.chaos.borrow_mut().put(begins, Event::Begin(injury));
        }
    }

    /// The injury begins, and when it heals is noted.
    pub(super) fn injure(self: &Rc<Self>, mut injury: Injury, asked: &mut Option<Asked>) {
        let heals_ns = self.now_ns().saturating_add(injury.length_ns);
        let kind = injury.kind;
        for node in injury.nodes.clone() {
            self.event(Happened::Fault(kind, node, false));
        }
        if kind == FaultKind::Swizzle {
            let node = injury.nodes[0];
            let others = self.others_than(&injury.nodes);
            injury.ways = self.quietly(|| self.ways_between(&[node], &others, true, true));
        } else {
            let mut chaos = self.chaos.borrow_mut();
            injury.nodes.iter().for_each(|node| *chaos.injured.entry(*node).or_default() += 1);
        }
        let ways = &injury.ways;
        match kind {
            FaultKind::Partition => self.quietly(|| self.network(|net, _| net.storm_cuts(ways))),
            FaultKind::Clog | FaultKind::Swizzle => {
                injury.before = self.quietly(|| {
                    self.network(|net, _| {
                        net.storm_holds(ways);
                        net.fault_count(Fault::Hold).injected
                    })
                });
                self.chaos.borrow_mut().count(kind, false);
            }
            FaultKind::Crash => self.strike_down(injury.nodes[0], asked),
            _ => self.stall(injury.nodes[0], asked),
        }
        self.chaos.borrow_mut().put(heals_ns, Event::Heal(injury));
    }

    /// A node crashes. It had a task at least, so that makes a difference.
    fn strike_down(self: &Rc<Self>, node: u32, asked: &mut Option<Asked>) {
        let its_own = asked.filter(|asked| self.node_of(asked.running.slot) == node);
        if let Some(Asked { fiber, running }) = its_own {
            self.fiber.set(fiber);
            self.running.set(running);
            *asked = None;
        }
        {
            let mut chaos = self.chaos.borrow_mut();
            chaos.count(FaultKind::Crash, false);
            chaos.count(FaultKind::Crash, true);
        }
        self.nodes.borrow_mut().list[node as usize].fault_restarts = true;
        self.end_at_root(node, Err(NodeError::Crashed), None, its_own.is_some());
    }

    /// A node stands still, and with it the fiber that gave way if it is the node's.
    fn stall(&self, node: u32, asked: &mut Option<Asked>) {
        self.chaos.borrow_mut().count(FaultKind::Pause, false);
        if !self.pause_process(node, None) {
            return;
        }
        if let Some(Asked { fiber, running }) = *asked
            && self.node_of(running.slot) == node
        {
            let mut table = self.table.borrow_mut();
            table.slots[running.slot as usize].op = self.op.get();
            table.suspend(Suspended { slot: running.slot, fiber });
            *asked = None;
        }
    }

    fn node_of(&self, slot: u32) -> u32 {
        self.table.borrow().slots.get(slot as usize).map_or(MAIN_NODE, |it| u32::from(it.node))
    }

    // --- what heals

    /// It is over.
    pub(super) fn heal(self: &Rc<Self>, injury: Injury) {
        let Injury { kind, nodes, ways, before, .. } = injury;
        if kind != FaultKind::Swizzle {
            let mut chaos = self.chaos.borrow_mut();
            for node in &nodes {
                let left = chaos.injured.get_mut(node).expect("it was injured");
                *left -= 1;
                if *left == 0 {
                    chaos.injured.remove(node);
                }
            }
        }
        for node in &nodes {
            self.event(Happened::Fault(kind, *node, true));
        }
        match kind {
            FaultKind::Partition => self.network(|net, _| net.storm_mends(&ways)),
            FaultKind::Clog | FaultKind::Swizzle => {
                let held = self.network(|net, cx| {
                    net.storm_releases(cx, &ways);
                    net.fault_count(Fault::Hold).injected
                });
                if held > before {
                    self.chaos.borrow_mut().count(kind, true);
                }
            }
            FaultKind::Crash => self.stand_up(nodes[0]),
            _ => {
                if self.is_held_up(nodes[0]) {
                    self.chaos.borrow_mut().count(FaultKind::Pause, true);
                }
                self.resume_process(nodes[0], None);
            }
        }
    }

    /// It starts again, unless the test has seen to that, or has crashed it itself meanwhile.
    fn stand_up(self: &Rc<Self>, node: u32) {
        let site = {
            let mut nodes = self.nodes.borrow_mut();
            let state = &mut nodes.list[node as usize];
            if !std::mem::take(&mut state.fault_restarts) || state.running {
                return;
            }
            state.site
        };
        self.start_process(node, site);
    }

    /// Whether anything of a paused node could go on.
    fn is_held_up(&self, node: u32) -> bool {
        let nodes = self.nodes.borrow();
        let state = &nodes.list[node as usize];
        let table = self.table.borrow();
        let stopped =
            table.stopped.iter().any(|it| u32::from(table.slots[it.slot as usize].node) == node);
        state.paused && (stopped || state.all_pools().iter().any(|pool| table.has_ready(*pool)))
    }

    // --- clocks

    /// A new node's clock is wrong, or goes wrong, with one half.
    pub(super) fn set_clock_wrong(&self, plan: &Faults, node: u32) {
        if plan.skew_ns > 0 && self.draws_strike(500_000) {
            let off = self.draw_shift(plan.skew_ns);
            self.change_clock(node, |clock, _| clock.set_offset(off));
            self.clock_was_hit(FaultKind::ClockSkew, node);
        }
        if plan.drift_ppm > 0 && self.draws_strike(500_000) {
            let ppb = self.draw_shift(u64::from(plan.drift_ppm) * 1_000);
            let ppb = i32::try_from(ppb).expect("a million millionths are a billion");
            self.change_clock(node, |clock, now| clock.set_drift(ppb, now));
            self.clock_was_hit(FaultKind::ClockDrift, node);
        }
    }

    fn jump_clock(&self, most_ns: u64) {
        let nodes: Vec<u32> = (1..self.count_nodes()).collect();
        let node = self.draw_of(&nodes);
        let by = self.draw_shift(most_ns);
        self.event(Happened::Fault(FaultKind::ClockJump, node, false));
        self.change_clock(node, |clock, now| clock.jump(by, now));
        self.clock_was_hit(FaultKind::ClockJump, node);
    }

    /// Up to so much, in either direction. 0: an eighth, ahead.
    fn draw_shift(&self, most: u64) -> i64 {
        let drawn = self.draw(Kind::Other, 16);
        let size = (most / 8).saturating_mul(u64::from(drawn / 2 + 1)).max(1);
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        if drawn.is_multiple_of(2) { size } else { -size }
    }

    fn clock_was_hit(&self, kind: FaultKind, node: u32) {
        self.chaos.borrow_mut().count(kind, false);
        let nodes = self.nodes.borrow();
        let hit = &nodes.list[node as usize].clock_hit;
        hit.set(hit.get() | 1 << kind as u32);
    }

    /// Somebody looks at a clock that one of these kinds may have changed.
    pub(in crate::world) fn clock_is_read(&self, hit: &std::cell::Cell<u32>, kinds: &[FaultKind]) {
        for kind in kinds {
            let bit = 1 << *kind as u32;
            if hit.get() & bit != 0 {
                hit.set(hit.get() & !bit);
                self.chaos.borrow_mut().count(*kind, true);
            }
        }
    }

    /// Clocks do not drift any more. What they are off they stay.
    pub(super) fn set_clocks_going_right(&self) {
        if self.chaos.borrow().plan.as_ref().is_none_or(|plan| plan.drift_ppm == 0) {
            return;
        }
        for node in 1..self.count_nodes() {
            self.change_clock(node, |clock, now| clock.set_drift(0, now));
        }
    }
}
