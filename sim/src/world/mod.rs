//! One simulation: its tasks, choices, timers and clock, and the scheduler that runs them.
//!
//! A run is a function from choices to a trace. The same `World` serves many runs, one after the
//! other, so that its tables and stacks are allocated once.

mod ask;
mod blocked;
mod chaos;
mod clocks;
mod current;
mod disk;
mod drive;
mod each_step;
mod escape;
mod graph;
mod header;
mod kernel;
mod names;
mod net;
mod nodes;
mod output;
mod processes;
mod schedule;
mod search;
mod signals;
mod spin;
mod starve;
mod table;
mod tasks;
mod threads;
mod timers;
mod vanish;
mod waits;
mod watch;

pub(crate) use clocks::Atomic;
pub(crate) use disk::{Job, tell_losses};
pub(crate) use graph::{How, Order, Share, Taken, Taker, WaitWaker, Which};
pub(crate) use header::{Asked, Header, Remote};
pub(crate) use names::Given;
pub(crate) use net::Half;
pub(crate) use nodes::{MAIN_NODE, Plan};
pub(crate) use output::Output;
pub(crate) use search::Attempted;
pub(crate) use signals::Listener;
pub(crate) use table::{Body, Home, MAIN_POOL, Outcome, Runnable, THREADS, Target, Woken};
pub(crate) use tasks::{is_finished, world_of};
pub(crate) use waits::Waiter;

use crate::{
    check::{FailureKind, Level, Lints},
    context,
    faults::Faults,
    point::{Op, Site},
    property::Count,
    trace::Trace,
};
pub(crate) use current::Running;
use current::{OpCell, RunningCell};
use sim_choice::{Choices, Path};
use sim_sys::fiber::{self, Fiber, Pulse, Stack, Watched};
use sim_time::Timers;
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::Waker,
    time::Instant,
};
use table::Table;

/// No slot, no fiber.
pub(crate) const NONE: u32 = u32::MAX;
/// The fiber of the run's main thread.
const MAIN: u32 = u32::MAX - 1;

/// Where the monotonic clock of a run begins: a day after "boot", so that programs may subtract.
const BOOT_NS: u64 = 86_400_000_000_000;
/// Where the wall clock of a run begins: 2026-01-01T00:00:00Z, in nanoseconds of Unix time.
const EPOCH_NS: u64 = 1_767_225_600_000_000_000;
/// Steps without a pause after which time speeds up: a tenth of a second on a real machine.
const BUSY_STEPS: u64 = 100_000;

/// What a timer does when it is due.
pub(crate) enum Action {
    /// Wakes; and where the timer was set, if the program did so.
    Wake(Waker, Option<Site>),
    /// Lets a fiber go on that sleeps, or waits for a futex, in the middle of a poll.
    Unblock { ticket: u64 },
    /// Faults strike, or heal.
    Chaos,
}

/// What bounds and shapes a run.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) workers: u32,
    /// The program asked for several threads: the clock cannot be paused.
    pub(crate) multi_thread: bool,
    /// The runtime takes tasks that are not `Send`.
    pub(crate) local: bool,
    pub(crate) runtime_name: Option<Arc<str>>,
    pub(crate) max_steps: u64,
    /// Steps without an idle moment, after which tasks may be found to spin.
    pub(crate) spin_limit: u64,
    /// How often others may take what somebody waits for.
    pub(crate) overtakes: u32,
    /// Of processor time, without a step: what is told, and what is cut off.
    pub(crate) patience: fiber::Patience,
    pub(crate) time_limit_ns: u64,
    pub(crate) stack_size: usize,
    pub(crate) start_paused: bool,
    /// Time may pass in which nothing runs.
    pub(crate) stalls: bool,
    pub(crate) faults: Faults,
    pub(crate) lints: Lints,
}

/// What went wrong first in a run.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: FailureKind,
    pub(crate) message: String,
    pub(crate) at_ns: u64,
    pub(crate) task: Option<String>,
    pub(crate) spawned_at: Option<String>,
}

/// A finding that does not end the run.
#[derive(Clone, Debug)]
pub(crate) struct Warning {
    /// What tells it from others: one of each is kept.
    pub(crate) key: String,
    pub(crate) text: String,
}

impl From<String> for Warning {
    fn from(text: String) -> Warning {
        Warning { key: text.clone(), text }
    }
}

const NOBODY: Running =
    Running { slot: NONE, number: NONE, path: Path::MAIN, thread: false, polling: false };

impl Fault {
    /// What is wrong with a check as a whole, at no time and in no task.
    pub(crate) fn of_check(kind: FailureKind, message: String) -> Fault {
        Fault { kind, message, at_ns: 0, task: None, spawned_at: None }
    }
}

/// A panic as the hook saw it.
#[derive(Clone, Debug)]
pub(crate) struct PanicNote {
    pub(crate) message: String,
    pub(crate) location: String,
}

pub(crate) struct World {
    remote: Arc<Remote>,
    /// Tells one run from another, so that nothing of a former one is taken for this one's.
    run: Cell<u64>,
    pub(crate) limits: RefCell<Limits>,
    pub(crate) table: RefCell<Table>,
    pub(crate) choices: RefCell<Choices>,
    timers: RefCell<Timers<Action>>,
    now: Cell<u64>,
    /// When the earliest timer is due, or the network.
    due: Cell<u64>,
    /// When the network is, whatever the clocks of nodes show; `u64::MAX`: never.
    network_due: Cell<u64>,
    paused: Cell<bool>,
    /// What a step costs in this run; `None` until something looks at time.
    step_ns: Cell<Option<u64>>,
    /// Counts the steps of all runs: what moves on is no hang. It is called where points have more to do than to
    /// pick: the run is over, looked at or watched, threads are parked or have yielded, or the thread was slow.
    pulse: Arc<Pulse>,
    pub(crate) watched: Watched,
    /// The count at which the run began.
    first_step: Cell<u64>,
    /// Looks at libc's clocks, and the step since which they are counted.
    looks: Cell<(u64, u64)>,
    step_limit: Cell<u64>,
    /// From which step on the program has been busy for so long that time speeds up.
    busy_from: Cell<u64>,
    /// At which step it is to be sped up next.
    busy_at: Cell<u64>,
    /// Whether waits end for nothing in this run; `None` until one could.
    spurious: Cell<Option<bool>>,
    base: Cell<Option<Instant>>,
    objects: Cell<u32>,
    running: RunningCell,
    op: OpCell,
    /// The task whose output is dropped, by another than itself.
    dropping: Cell<u32>,
    /// The local set whose task runs.
    pub(crate) local: Cell<u32>,
    /// The pool that `spawn` spawns into.
    pub(crate) pool: Cell<u32>,
    fibers: RefCell<Vec<Option<Box<Fiber>>>>,
    free_fibers: RefCell<Vec<u32>>,
    idle: RefCell<Vec<u32>>,
    stacks: RefCell<Vec<Stack>>,
    fiber: Cell<u32>,
    next_fiber: Cell<u32>,
    assigned: Cell<u32>,
    /// Fibers that wait in the middle of a poll for a futex or a sleep.
    blocked: RefCell<VecDeque<kernel::Blocked>>,
    /// Fibers that wait in the middle of a poll for something of ours.
    held: RefCell<Vec<waits::Held>>,
    /// What is known of threads and workers, by their fibers.
    threads: RefCell<threads::Threads>,
    tickets: Cell<u64>,
    /// The parkers, and their addresses, of those that wait where std parks threads.
    parked: RefCell<Vec<(usize, sim_sys::os::Parker)>>,
    yielders: RefCell<Vec<kernel::Yielder>>,
    /// How many steps others got when a fiber yielded last.
    yield_steps: Cell<u64>,
    /// How often those that are parked were told to go on.
    unparks: Cell<u64>,
    /// How often futex waits ended for nothing.
    rechecks: Cell<u32>,
    /// The run is over: nothing is picked any more.
    stopping: Cell<bool>,
    /// Fibers are unwound because the run is over.
    unwinding: Cell<bool>,
    /// Who holds what, and who waits for it.
    graph: RefCell<graph::Graph>,
    /// The network, once a run has come to it.
    net: RefCell<Option<Box<net::Net>>>,
    /// The disks, once a run has come to one.
    disks: RefCell<Option<Box<disk::Disks>>>,
    /// What happened before what, if anything asks.
    clocks: RefCell<clocks::Clocks>,
    clocks_on: Cell<bool>,
    /// The strategy is told what happens, see `watch.rs`.
    pub(crate) watching: Cell<bool>,
    /// The run is one of an exhaustive search, see `search.rs`; then it is watched too.
    searching: Cell<bool>,
    /// Timers fire: whoever is woken is so by the clock.
    firing: Cell<bool>,
    /// The simulation itself wakes tasks, on nobody's behalf.
    quiet: Cell<bool>,
    /// Workers are to end.
    quitting: Cell<bool>,
    nodes: RefCell<nodes::Nodes>,
    /// There are nodes beside the one that is the test, or its clock was changed.
    nodes_on: Cell<bool>,
    /// The node that vanishes; what runs are its destructors.
    crashing: Cell<u32>,
    /// It does so in a crash, in which no finding counts.
    crash_hides: Cell<bool>,
    /// What the root is to do for the fiber that gives way.
    errand: Cell<Option<Box<processes::Errand>>>,
    chaos: RefCell<chaos::Chaos>,
    /// Faults are due: whoever runs gives way to the root.
    chaos_due: Cell<bool>,
    /// Who gave way to it is in the middle of a turn.
    gave_way: Cell<bool>,
    /// A crash left fibers suspended for ever. The run goes on, but is the last of its thread.
    left_behind: Cell<bool>,
    fault: RefCell<Option<Fault>>,
    /// Panics that nobody has looked at yet, by task number.
    pub(crate) warnings: RefCell<Vec<Warning>>,
    /// How often the run came to each property, by its number.
    pub(crate) properties: RefCell<Vec<Count>>,
    each_step: each_step::EachStep,
    spin: spin::Spin,
    starve: starve::Starve,
    /// The task that was aborted and whose future is being dropped.
    aborting: Cell<u32>,
    /// The panics since one was last caught by a task's end, first to last.
    pub(crate) panics: RefCell<Vec<PanicNote>>,
    /// Of tasks that panicked, by number.
    fallen: RefCell<BTreeMap<u32, PanicNote>>,
    /// Tasks that have panicked, by their numbers.
    panicked: RefCell<Vec<u32>>,
    /// What the program has named.
    given: RefCell<names::Given>,
    /// Fibers were left suspended for ever: the thread cannot be used for another run.
    spoiled: Cell<bool>,
    pub(crate) trace: RefCell<Option<Trace>>,
    tracing: Cell<bool>,
    /// Behind runtimes that were made outside of a simulation: real threads may take part, and
    /// panics are printed.
    pub(crate) ambient: Cell<bool>,
}

/// Numbers the runs of the process. It only tells them apart and reaches no decision.
static RUNS: AtomicU64 = AtomicU64::new(1);

impl World {
    /// A world without a run: call [`begin`](World::begin) and [`drive`](World::drive).
    pub(crate) fn new(limits: Limits) -> World {
        let pulse = Arc::<Pulse>::default();
        let watched = context::outside(|| fiber::watch(pulse.clone(), limits.patience));
        World {
            remote: Arc::default(),
            run: Cell::new(0),
            limits: RefCell::new(limits),
            table: RefCell::default(),
            choices: RefCell::new(Choices::new()),
            timers: RefCell::new(Timers::new()),
            now: Cell::new(0),
            due: Cell::new(u64::MAX),
            network_due: Cell::new(u64::MAX),
            paused: Cell::new(false),
            step_ns: Cell::new(None),
            watched,
            pulse,
            first_step: Cell::new(0),
            looks: Cell::new((0, 0)),
            step_limit: Cell::new(u64::MAX),
            busy_from: Cell::new(BUSY_STEPS),
            busy_at: Cell::new(BUSY_STEPS),
            spurious: Cell::new(None),
            base: Cell::new(None),
            objects: Cell::new(0),
            running: RunningCell::new(NOBODY),
            op: OpCell::new(),
            dropping: Cell::new(NONE),
            local: Cell::new(NONE),
            pool: Cell::new(MAIN_POOL),
            fibers: RefCell::default(),
            free_fibers: RefCell::default(),
            idle: RefCell::default(),
            stacks: RefCell::default(),
            fiber: Cell::new(NONE),
            next_fiber: Cell::new(NONE),
            assigned: Cell::new(NONE),
            blocked: RefCell::default(),
            held: RefCell::default(),
            threads: RefCell::default(),
            tickets: Cell::new(0),
            parked: RefCell::default(),
            yielders: RefCell::default(),
            yield_steps: Cell::new(1),
            unparks: Cell::new(0),
            rechecks: Cell::new(0),
            stopping: Cell::new(false),
            unwinding: Cell::new(false),
            graph: RefCell::default(),
            net: RefCell::new(None),
            disks: RefCell::default(),
            clocks: RefCell::default(),
            clocks_on: Cell::new(false),
            watching: Cell::new(false),
            searching: Cell::new(false),
            firing: Cell::new(false),
            quiet: Cell::new(false),
            quitting: Cell::new(false),
            nodes: RefCell::default(),
            nodes_on: Cell::new(false),
            crashing: Cell::new(NONE),
            crash_hides: Cell::new(false),
            errand: Cell::new(None),
            chaos: RefCell::default(),
            chaos_due: Cell::new(false),
            gave_way: Cell::new(false),
            left_behind: Cell::new(false),
            fault: RefCell::new(None),
            warnings: RefCell::default(),
            properties: RefCell::default(),
            each_step: each_step::EachStep::default(),
            spin: spin::Spin::default(),
            starve: starve::Starve::default(),
            aborting: Cell::new(NONE),
            panics: RefCell::default(),
            fallen: RefCell::default(),
            panicked: RefCell::default(),
            given: RefCell::default(),
            spoiled: Cell::new(false),
            trace: RefCell::new(None),
            tracing: Cell::new(false),
            ambient: Cell::new(false),
        }
    }

    /// Starts a new run, whose choices `start` sets up.
    pub(crate) fn begin(&self, start: impl FnOnce(&mut Choices)) {
        self.run.set(RUNS.fetch_add(1, Relaxed));
        start(&mut self.choices.borrow_mut());
        self.watching.set(self.choices.borrow().is_watched());
        self.searching.set(self.choices.borrow_mut().search().is_some());
        let limits = self.limits.borrow();
        {
            let mut table = self.table.borrow_mut();
            table.clear();
            let pool = table.add_pool(limits.workers);
            let pool = &mut table.pools[pool as usize];
            (pool.pausable, pool.local) = (!limits.multi_thread, limits.local);
            pool.name.clone_from(&limits.runtime_name);
        }
        self.clear_timers();
        self.now.set(0);
        self.due.set(u64::MAX);
        self.paused.set(limits.start_paused);
        self.step_ns.set(None);
        self.spurious.set(None);
        let first = self.pulse.get() + 1;
        self.pulse.set(first);
        self.first_step.set(first);
        let soft = limits.max_steps - self.last_window();
        self.step_limit.set(first.saturating_add(soft));
        self.busy_from.set(first + BUSY_STEPS);
        self.busy_at.set(first + BUSY_STEPS);
        self.objects.set(0);
        self.running.set(NOBODY);
        self.op.set(None);
        self.local.set(NONE);
        self.pool.set(MAIN_POOL);
        self.blocked.borrow_mut().clear();
        self.parked.borrow_mut().clear();
        self.yielders.borrow_mut().clear();
        self.yield_steps.set(1);
        self.held.borrow_mut().clear();
        self.close_window();
        self.note_idle();
        self.clear_threads();
        self.clear_clocks();
        self.clear_starved();
        self.aborting.set(NONE);
        self.graph.borrow_mut().clear(limits.overtakes);
        self.clear_nodes();
        self.clear_network();
        self.clear_disks();
        self.clear_faults();
        self.tickets.set(0);
        self.rechecks.set(0);
        self.set_stopping(false);
        *self.fault.borrow_mut() = None;
        self.warnings.borrow_mut().clear();
        self.properties.borrow_mut().clear();
        self.panics.borrow_mut().clear();
        self.fallen.borrow_mut().clear();
        self.panicked.borrow_mut().clear();
        self.given.borrow_mut().clear();
    }

    pub(crate) fn remote(&self) -> &Arc<Remote> {
        &self.remote
    }

    /// Runtimes that stand on this simulation.
    pub(crate) fn owners(&self) -> usize {
        self.remote.owners.load(Relaxed)
    }

    /// The number of the run, never 0 within one.
    #[inline]
    pub(crate) fn run(&self) -> u64 {
        self.run.get()
    }

    /// A new number for an object; they count from 1.
    pub(crate) fn next_object(&self) -> u32 {
        self.objects.set(self.objects.get() + 1);
        self.objects.get()
    }

    /// A number that tells the waits of a run apart.
    fn next_ticket(&self) -> u64 {
        self.tickets.set(self.tickets.get() + 1);
        self.tickets.get()
    }

    /// Whether a task or a thread of this simulation runs right now.
    #[inline]
    pub(crate) fn is_running(&self) -> bool {
        self.running.slot() != NONE
    }

    pub(crate) fn running(&self) -> Running {
        self.running.get()
    }

    pub(crate) fn steps(&self) -> u64 {
        self.pulse.get() - self.first_step.get()
    }

    fn set_stopping(&self, stopping: bool) {
        if stopping && !self.stopping.get() {
            self.event(crate::trace::Happened::End(self.steps()));
            self.tell_end();
        }
        self.stopping.set(stopping);
        self.set_unusual();
    }

    /// Sets whether the run keeps a trace.
    pub(crate) fn set_tracing(&self, tracing: bool) {
        self.tracing.set(tracing);
        self.set_unusual();
    }

    fn set_unusual(&self) {
        let waits = !self.parked.borrow().is_empty() || !self.yielders.borrow().is_empty();
        let looked_at = self.tracing.get() || self.clocks_on.get() || self.watching.get();
        let looks = self.each_step.any();
        let slow = self.pulse.was_slow();
        self.pulse.call(self.stopping.get() || looked_at || looks || waits || slow);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.get()
    }

    pub(crate) fn is_spoiled(&self) -> bool {
        self.spoiled.get() || self.left_behind.get()
    }

    /// Whether the code that runs may block: a thread may, outside of a poll.
    pub(crate) fn may_block(&self) -> bool {
        let running = self.running.get();
        running.thread && !running.polling
    }

    /// Sets whether the running thread is in the middle of a poll; gives what it was.
    pub(crate) fn set_polling(&self, polling: bool) -> bool {
        let running = self.running.get();
        self.running.set(Running { polling, ..running });
        running.polling
    }

    /// Whether the current runtime is a local one, which takes tasks that are not `Send`.
    pub(crate) fn is_local(&self) -> bool {
        self.table.borrow().pools.get(self.pool.get() as usize).is_some_and(|pool| pool.local)
    }

    /// Notes what the running task announces, without letting others run.
    #[inline]
    pub(crate) fn announce(&self, op: Op) {
        if self.pulse.is_called() {
            return self.announce_slowly(op);
        }
        self.op.set(Some(op));
    }

    #[cold]
    fn announce_slowly(&self, op: Op) {
        self.tell_slow();
        self.op.set(Some(op));
        if self.tracing.get() {
            self.trace_event(crate::trace::Happened::Op(op));
        }
    }

    /// Whether the timers of the current runtime are enabled.
    pub(crate) fn has_timers(&self) -> bool {
        self.table.borrow().pools.get(self.pool.get() as usize).is_none_or(|pool| pool.timers)
    }

    /// Whether the I/O of the current runtime is enabled.
    pub(crate) fn has_io(&self) -> bool {
        self.table.borrow().pools.get(self.pool.get() as usize).is_none_or(|pool| pool.io)
    }

    /// Whether the clock of the current runtime can be paused.
    pub(crate) fn is_pausable(&self) -> bool {
        self.table.borrow().pools.get(self.pool.get() as usize).is_none_or(|pool| pool.pausable)
    }

    /// Whether the current runtime has one worker, as tokio's current-thread runtime.
    pub(crate) fn is_current_thread(&self) -> bool {
        self.table.borrow().pools.get(self.pool.get() as usize).is_none_or(|pool| pool.workers == 1)
    }

    /// Runs `f`, in the middle of the simulation's own work: no wake within is a scheduling point.
    fn quietly<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a Cell<bool>, bool);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.set(self.1);
            }
        }
        let _restore = Restore(&self.quiet, self.quiet.replace(true));
        f()
    }

    /// Whether waking the task of `slot` is a scheduling point of the one that runs.
    #[inline]
    pub(crate) fn gives_way_to(&self, slot: u32) -> bool {
        let running = self.running.slot();
        running != slot && running != NONE && !self.quiet.get()
    }

    // --- events

    /// Folds what happened into the running hash, and writes it into the trace if one is kept.
    #[inline]
    pub(crate) fn event(&self, happened: crate::trace::Happened) {
        self.choices.borrow_mut().event(happened.digest());
        if self.tracing.get() {
            self.trace_event(happened);
        }
    }

    /// Writes what happened into the trace only: the hash has to be the same without a trace.
    #[cold]
    fn trace_event(&self, happened: crate::trace::Happened) {
        if self.stopping.get() {
            return; // What is torn down is no part of the story.
        }
        let hash = self.choices.borrow().hash();
        let given = self.given.borrow();
        if let Some(trace) = &mut *self.trace.borrow_mut() {
            trace.push(self.now.get(), self.running.get().number, happened, &given, hash);
        }
    }

    /// Writes a line into the trace only.
    #[cold]
    fn trace_text(&self, text: &str) {
        let hash = self.choices.borrow().hash();
        if let Some(trace) = &mut *self.trace.borrow_mut() {
            trace.push_text(self.now.get(), self.running.get().number, text.to_string(), hash);
        }
    }

    // --- failures

    /// Notes what went wrong, unless something did before, and ends the run.
    pub(crate) fn fail(&self, kind: FailureKind, message: String) {
        let running = self.running.get();
        self.fail_as(kind, message, (running.slot != NONE).then_some(running.number));
    }

    /// As [`fail`](World::fail), of task `number`.
    pub(crate) fn fail_as(&self, kind: FailureKind, message: String, number: Option<u32>) {
        if self.is_crashing() && self.ends_with_its_node(kind) {
            return;
        }
        self.set_stopping(true);
        if self.fault.borrow().is_some() {
            return;
        }
        let message = self.with_losses(self.with_ended_nodes(message));
        // A stack may overflow while the table is borrowed; then the task has no name.
        let number = number.filter(|_| self.table.try_borrow().is_ok());
        let task = number.map(|number| self.task_name(number));
        let site = number.and_then(|number| self.spawn_site(number));
        *self.fault.borrow_mut() = Some(Fault {
            kind,
            message,
            at_ns: self.now.get(),
            task,
            spawned_at: site.map(|site| site.to_string()),
        });
    }

    /// What went wrong in the run, if anything did.
    pub(crate) fn take_fault(&self) -> Option<Fault> {
        self.fault.borrow_mut().take()
    }

    /// Reports a finding as its lint's level says; true if it ends the run.
    pub(crate) fn lint(&self, kind: FailureKind, message: String, number: Option<u32>) -> bool {
        let level = self.limits.borrow().lints.level(kind);
        self.find(level, kind, message, number)
    }

    /// Reports a finding of a lint of that level; true if it ends the run.
    fn find(&self, level: Level, kind: FailureKind, message: String, number: Option<u32>) -> bool {
        if self.is_crashing() && self.ends_with_its_node(kind) {
            return false;
        }
        match level {
            Level::Allow => false,
            Level::Warn => {
                self.warn(message.into());
                false
            }
            Level::Deny => {
                self.fail_as(kind, message, number);
                true
            }
        }
    }

    /// As [`lint`](World::lint); findings with one key are told once, however their messages differ.
    pub(crate) fn lint_once(
        &self,
        kind: FailureKind,
        key: String,
        text: String,
        number: Option<u32>,
    ) -> bool {
        let level = self.limits.borrow().lints.level(kind);
        if level == Level::Warn {
            self.warn(Warning { key, text });
            return false;
        }
        self.lint(kind, text, number)
    }

    fn warn(&self, warning: Warning) {
        let mut warnings = self.warnings.borrow_mut();
        if warnings.iter().all(|known| known.key != warning.key) {
            warnings.push(warning);
        }
    }

    /// Runs `f` with the machine's libc and with nobody running, so that nothing that it calls is a point.
    pub(crate) fn outside<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Restore<'a>(&'a World, Running);
        impl Drop for Restore<'_> {
            fn drop(&mut self) {
                self.0.running.set(self.1);
                if std::thread::panicking() {
                    self.0.panicked.borrow_mut().push(self.1.number);
                }
            }
        }
        let _restore = Restore(self, self.running.replace(NOBODY));
        sim_sys::os::outside(f)
    }

    /// Whether the running task panics. std's count is one for all tasks: while one waits in a destructor
    /// that its panic runs, all seem to panic.
    pub(crate) fn is_panicking(&self) -> bool {
        let number = self.running.get().number;
        std::thread::panicking() && self.panicked.borrow().contains(&number)
    }

    /// Notes a panic for the report.
    pub(crate) fn note_panic(&self, note: PanicNote) {
        self.panicked.borrow_mut().push(self.running.get().number);
        let mut panics = self.panics.borrow_mut();
        if panics.len() < 8 {
            panics.push(note);
        }
    }
}
