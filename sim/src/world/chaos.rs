//! The faults of a run: which it has, when they strike, and when what they injured heals.
//!
//! ```text
//!   first node ─▶ plan drawn ─▶ strikes due ──timer──▶ the root, between two steps ──▶ injury ─▶ heals due ─┐
//!                                  ▲                                │ none, or over budget                  │
//!                                  └────────────────────────────────┴───────────────────────────────────────┘
//! ```
//!
//! No task does it. What is due is kept here, and one timer is armed for the earliest. When it fires the fiber that runs
//! gives way to the root, as it does to crash a node, and the root does what is due: so a fault can strike in the middle
//! of a poll. A run without faults has none of this. What a strike does is in `injuries.rs`.

mod injuries;

use super::{Action, NOBODY, Running, World};
use crate::{
    faults::{Counts, FaultKind, Faults},
    point::Site,
};
use injuries::Injury;
use sim_choice::{Kind, Lane, Path};
use std::{collections::BTreeMap, rc::Rc};

/// Of so many runs of a swarm one has no faults.
const CALM_RUNS: u32 = 8;
/// Strengths go in so many steps, each this often the next.
const STEPS: u32 = 4;
const STEP: u64 = 4;
/// Strikes come no closer than this part of the time that the run has taken.
const RAREFIES: u64 = 256;
const KINDS: usize = FaultKind::ALL.len();

/// The faults of a run.
#[derive(Default)]
pub(super) struct Chaos {
    /// Those of this run; `None` until something asks.
    plan: Option<Faults>,
    stopped: bool,
    /// By when, and in which order they were put in.
    due: BTreeMap<(u64, u32), Event>,
    order: u32,
    armed: Option<(u64, sim_time::Key)>,
    /// Nothing but faults would happen: they only heal.
    idle: bool,
    /// How many injuries nodes have that count.
    injured: BTreeMap<u32, u32>,
    counts: [(u64, u64); KINDS],
    /// Places that misbehave on purpose: whether they are armed.
    places: BTreeMap<(&'static str, u32, u32), bool>,
}

/// What is due.
enum Event {
    /// It is drawn whether that strikes.
    Strike(FaultKind),
    /// That begins, which was drawn before.
    Begin(Injury),
    Heal(Injury),
}

/// The fiber that gave way to the root in the middle of its turn, and who ran on it.
#[derive(Clone, Copy)]
struct Asked {
    fiber: u32,
    running: Running,
}

impl Chaos {
    fn put(&mut self, at_ns: u64, event: Event) {
        self.due.insert((at_ns, self.order), event);
        self.order += 1;
    }

    fn count(&mut self, kind: FaultKind, effective: bool) {
        let count = &mut self.counts[kind as usize];
        count.1 += u64::from(effective);
        count.0 += u64::from(!effective);
    }

    fn next_heal(&self) -> Option<u64> {
        let heals = |event: &Event| matches!(event, Event::Heal(_));
        self.due.iter().find(|due| heals(due.1)).map(|due| due.0.0)
    }
}

// --- the plan

impl World {
    /// A number below the bound, of the faults' own lane. It is nobody's question.
    fn draw(&self, kind: Kind, bound: u32) -> u32 {
        self.choices.borrow_mut().choose(Lane::Fault, kind, Path::MAIN, bound)
    }

    fn draws_strike(&self, ppm: u32) -> bool {
        self.choices.borrow_mut().chance(Lane::Fault, Kind::Fault, Path::MAIN, ppm)
    }

    /// The faults of this run. In a swarm 0 is none, of each kind, and the weakest.
    fn plan(&self) -> Faults {
        if let Some(plan) = &self.chaos.borrow().plan {
            return plan.clone();
        }
        let mut plan = self.limits.borrow().faults.clone();
        if plan.swarm {
            plan = self.draw_swarm(plan);
        }
        self.chaos.borrow_mut().plan = Some(plan.clone());
        plan
    }

    fn draw_swarm(&self, most: Faults) -> Faults {
        if self.draw(Kind::Other, CALM_RUNS) == 0 {
            return Faults { budget: most.budget, ..Faults::none() };
        }
        let kinds = most.kinds();
        let has = |kind: FaultKind| kinds & 1 << kind as u32 != 0 && self.draw(Kind::Other, 2) == 1;
        // One step weaker for each below the last.
        let weaker = |most: u64| match most {
            0 => 0,
            most => (most / STEP.pow(STEPS - 1 - self.draw(Kind::Other, STEPS))).max(1),
        };
        let ppm = |kind, most: u32| if has(kind) { weaker(u64::from(most)) as u32 } else { 0 };
        let ns = |kind, most: u64| if has(kind) { weaker(most) } else { 0 };
        let mut plan = Faults {
            latency_ns: ns(FaultKind::Latency, most.latency_ns),
            loss_ppm: ppm(FaultKind::Loss, most.loss_ppm),
            duplicate_ppm: ppm(FaultKind::Duplication, most.duplicate_ppm),
            reorder_ppm: ppm(FaultKind::Reordering, most.reorder_ppm),
            corrupt_ppm: ppm(FaultKind::Corruption, most.corrupt_ppm),
            close_ppm: ppm(FaultKind::Close, most.close_ppm),
            partial_io: has(FaultKind::PartialIo),
            skew_ns: ns(FaultKind::ClockSkew, most.skew_ns),
            drift_ppm: ppm(FaultKind::ClockDrift, most.drift_ppm),
            buggify: has(FaultKind::Buggify),
            ..most
        };
        for (kind, strikes) in plan.strikes() {
            let (rarer, most_ns) = match has(kind) {
                true => (self.draw(Kind::Other, STEPS), weaker(strikes.most_ns)),
                false => (0, 0),
            };
            strikes.every_ns = match most_ns {
                0 => 0,
                _ => strikes.every_ns.saturating_mul(STEP.pow(STEPS - 1 - rarer)),
            };
            strikes.most_ns = most_ns;
        }
        plan
    }

    /// A node has been made, maybe the first: its faults begin.
    pub(super) fn faults_of_node(&self, node: u32) {
        if self.limits.borrow().faults.kinds() == 0 {
            return;
        }
        let first = self.chaos.borrow().plan.is_none() || self.count_nodes() == 2;
        let plan = self.plan();
        if plan.kinds() == 0 {
            return;
        }
        self.set_clock_wrong(&plan, node);
        if first && !self.chaos.borrow().stopped {
            self.begin_faults();
        }
    }

    fn begin_faults(&self) {
        let mut plan = self.plan();
        self.network(|network, _| network.set_storm(plan.storm()));
        for (kind, strikes) in plan.strikes() {
            if strikes.is_on() {
                self.put_strike(kind, strikes.every_ns);
            }
        }
        self.arm_faults();
    }

    /// When that may strike next. 0: the latest.
    fn put_strike(&self, kind: FaultKind, every_ns: u64) {
        let now = self.now_ns();
        let parts = u64::from(16 - self.draw(Kind::Other, 16));
        let in_ns = (every_ns / 8).saturating_mul(parts).max(now / RAREFIES).max(1);
        self.chaos.borrow_mut().put(now.saturating_add(in_ns), Event::Strike(kind));
    }

    // --- the timer

    /// Arms the timer for what is due first, in the simulation's time.
    fn arm_faults(&self) {
        let mut chaos = self.chaos.borrow_mut();
        let next = chaos.due.keys().next().map(|key| key.0);
        if next == chaos.armed.map(|armed| armed.0) {
            return;
        }
        if let Some((_, key)) = chaos.armed.take() {
            self.timer_cancel(key);
        }
        chaos.armed = next.map(|at_ns| (at_ns, self.timer_of_world(at_ns, Action::Chaos)));
    }

    /// How many timers the faults have.
    pub(super) fn fault_timers(&self) -> usize {
        usize::from(self.chaos.borrow().armed.is_some())
    }

    /// The time has come: whoever runs gives way to the root, which does what is due.
    pub(super) fn faults_are_due(&self) {
        self.chaos.borrow_mut().armed = None;
        self.chaos_due.set(true);
    }

    /// Nothing but faults would ever happen: when the first of them heals, if any does.
    pub(super) fn heals_at(&self) -> Option<u64> {
        let mut chaos = self.chaos.borrow_mut();
        let next = chaos.next_heal()?;
        chaos.idle = true;
        Some(next)
    }

    /// At the root: does what is due, and sets who goes on; whether the run does.
    #[cold]
    pub(super) fn run_faults(self: &Rc<Self>) -> bool {
        if !self.chaos_due.replace(false) {
            return false;
        }
        let (fiber, running) = (self.fiber.get(), self.running.get());
        let mut asked = self.gave_way.take().then_some(Asked { fiber, running });
        while let Some(event) = self.take_due() {
            let idle = self.chaos.borrow().idle;
            match event {
                Event::Strike(kind) => self.may_strike(kind, idle, &mut asked),
                Event::Begin(injury) if !idle => self.injure(injury, &mut asked),
                Event::Begin(_) => {}
                Event::Heal(injury) => self.quietly(|| self.heal(injury)),
            }
            if self.is_stopping() {
                return false;
            }
        }
        self.chaos.borrow_mut().idle = false;
        self.arm_faults();
        self.set_due();
        if let Some(Asked { fiber, .. }) = asked {
            self.fiber.set(fiber);
            self.next_fiber.set(fiber);
            return true;
        }
        self.running.set(NOBODY);
        self.fiber.set(super::NONE);
        let target = self.next();
        self.aim(target);
        self.next_fiber.get() != super::NONE || self.chaos_due.get()
    }

    fn take_due(&self) -> Option<Event> {
        let mut chaos = self.chaos.borrow_mut();
        let first = chaos.due.first_entry()?;
        (first.key().0 <= self.now_ns()).then(|| first.remove())
    }

    /// It is drawn whether that strikes: with one half, and not where nothing else happens any more.
    fn may_strike(self: &Rc<Self>, kind: FaultKind, idle: bool, asked: &mut Option<Asked>) {
        let mut plan = self.plan();
        let strikes = plan.strikes().into_iter().find(|it| it.0 == kind).map(|it| *it.1);
        let strikes = strikes.expect("it strikes now and then");
        self.put_strike(kind, strikes.every_ns);
        if !idle && self.can_strike(kind, &plan) && self.draws_strike(500_000) {
            // 0: the shortest.
            let parts = u64::from(1 + self.draw(Kind::Other, 8));
            let length_ns = (strikes.most_ns / 8).saturating_mul(parts).max(1);
            self.strike(kind, length_ns, &plan, asked);
        }
    }

    // --- by the test's hand

    /// Heals everything, and lets nothing strike.
    pub(crate) fn stop_faults(self: &Rc<Self>) {
        let events = {
            let mut chaos = self.chaos.borrow_mut();
            chaos.stopped = true;
            std::mem::take(&mut chaos.due)
        };
        for event in events.into_values() {
            if let Event::Heal(injury) = event {
                self.heal(injury);
            }
        }
        self.arm_faults();
        if self.chaos.borrow().plan.is_some() && self.net.borrow().is_some() {
            self.network(|network, _| {
                network.set_storm(sim_net::Storm::default());
                network.remember_connections();
            });
        }
        self.set_clocks_going_right();
    }

    /// Lets faults strike again.
    pub(crate) fn resume_faults(&self) {
        let was_stopped = std::mem::take(&mut self.chaos.borrow_mut().stopped);
        if was_stopped && self.nodes_on.get() && self.limits.borrow().faults.kinds() != 0 {
            self.begin_faults();
        }
    }

    /// Whether the place misbehaves now. 0: it is not armed, and does not.
    pub(crate) fn buggify(&self, site: Site, times: u32, of: u32) -> bool {
        if !self.limits.borrow().faults.buggify || self.is_stopping() {
            return false;
        }
        if self.chaos.borrow().stopped || !self.plan().buggify {
            return false;
        }
        let place = (site.file(), site.line(), site.column());
        let known = self.chaos.borrow().places.get(&place).copied();
        let armed = known.unwrap_or_else(|| {
            let armed = self.draw(Kind::Other, 4) == 3;
            self.chaos.borrow_mut().places.insert(place, armed);
            armed
        });
        let ppm = u64::from(times) * 1_000_000 / u64::from(of);
        let strikes = armed && self.draws_strike(ppm as u32);
        if strikes {
            let mut chaos = self.chaos.borrow_mut();
            chaos.count(FaultKind::Buggify, false);
            chaos.count(FaultKind::Buggify, true);
        }
        strikes
    }

    // --- counts

    /// What the run has counted.
    pub(crate) fn fault_counts(&self) -> Counts {
        let mut chaos = self.chaos.borrow_mut();
        let holds_left: Vec<(FaultKind, u64)> = chaos
            .due
            .values()
            .filter_map(|event| match event {
                Event::Heal(injury) => injury.held_before(),
                _ => None,
            })
            .collect();
        let reorders = chaos.plan.as_ref().is_some_and(|plan| plan.reorder_ppm > 0);
        if let Some(net) = self.net.borrow().as_deref() {
            for (kind, before) in holds_left {
                if net.held() > before {
                    chaos.count(kind, true);
                }
            }
            for (kind, fault) in injuries::OF_NETWORK {
                if kind != FaultKind::Reordering || reorders {
                    let count = net.fault_count(fault);
                    chaos.counts[kind as usize] = (count.injected, count.effective);
                }
            }
        }
        let any = chaos.counts.iter().any(|count| *count != (0, 0));
        any.then(|| Box::new(chaos.counts))
    }

    /// Forgets the faults of the former run.
    pub(super) fn clear_faults(&self) {
        let former = self.chaos.take();
        drop(former);
        self.chaos_due.set(false);
        self.gave_way.set(false);
    }
}
