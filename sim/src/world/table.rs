//! The table of tasks, the queues of those that are ready, and who may be picked next.
//!
//! ```text
//!            wake                pick                 pending
//!   idle ───────────▶ queued ───────────▶ running ───────────────▶ idle   (queued again if woken meanwhile)
//!                        ▲                 │   │ ready, panic, abort
//!                        │      preempted  │   ▼
//!                        └─ (suspended) ◀──┘  done ──▶ free, once nobody can ask for the output
//! ```

use super::{header::Header, output::Output, watch::announced};
use crate::{point::Op, task::JoinError};
use sim_choice::{Announced, Candidates, Path};
use std::{collections::VecDeque, pin::Pin, sync::Arc, task::Poll, task::Waker};

/// What a task gives: its output, type erased, or why there is none.
///
/// The error is boxed, so that the table of tasks stays small: picking one at random is a cache miss.
pub(crate) type Outcome = Result<Box<dyn Output>, Box<JoinError>>;

/// A spawned future, with its waker and its output's type hidden.
pub(crate) trait Runnable {
    /// Polls the future.
    fn poll(self: Pin<&mut Self>) -> Poll<Box<dyn Output>>;
}

/// Where a task's poll runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// A pool of workers.
    Pool(u32),
    /// A local set, which polls it within its own poll.
    Local(u32),
}

pub(crate) enum Body {
    /// Nothing: the slot is free, or the body is being polled.
    Absent,
    Future(Pin<Box<dyn Runnable>>),
    /// A blocking closure that has not started.
    Closure(Box<dyn FnOnce() -> Outcome>),
    /// A thread: it has a fiber of its own, suspended while the thread waits.
    Thread(u32),
    Done(Outcome),
}

pub(crate) mod flag {
    //! The states of a task, as bits.
    pub(crate) const QUEUED: u8 = 1;
    pub(crate) const RUNNING: u8 = 2;
    /// Woken while running.
    pub(crate) const NOTIFIED: u8 = 4;
    pub(crate) const ABORTED: u8 = 8;
    /// A handle may still ask for the output.
    pub(crate) const WANTED: u8 = 16;
    pub(crate) const DONE: u8 = 32;
    /// Its node has crashed: what it gave is no finding.
    pub(crate) const HIDDEN: u8 = 64;
}

pub(crate) struct Slot {
    pub(crate) body: Body,
    pub(crate) header: Option<Arc<Header>>,
    pub(crate) joiner: Option<Waker>,
    pub(crate) home: Home,
    pub(crate) generation: u32,
    pub(crate) flags: u8,
    /// The node that it runs on; fills what alignment leaves.
    pub(crate) node: u16,
    pub(crate) number: u32,
    pub(crate) path: Path,
    /// Tasks it has spawned.
    pub(crate) children: u32,
    /// What it announced last; a waiting task waits there.
    pub(crate) op: Option<Op>,
    /// The step at which its turn began.
    pub(crate) turn: u64,
}

/// Tasks of one runtime that are ready, and how many of them may be in the middle of a poll.
pub(crate) struct Pool {
    pub(crate) workers: u32,
    /// As many as that, or 0 while the node of the pool is paused or has ended.
    pub(crate) open: u32,
    pub(crate) in_flight: u32,
    pub(crate) node: u16,
    /// Its node has ended: it takes no more tasks.
    pub(crate) closed: bool,
    /// It takes tasks that are not `Send`.
    pub(crate) local: bool,
    /// Its clock can be paused.
    pub(crate) pausable: bool,
    /// Its timers are enabled.
    pub(crate) timers: bool,
    /// Its sockets are enabled.
    pub(crate) io: bool,
    pub(crate) name: Option<Arc<str>>,
    ready: VecDeque<(u32, u32)>,
    /// Whether the pool is in the list of those with ready tasks.
    listed: bool,
}

impl Pool {
    /// How many of its ready tasks may be picked: all, or none if no worker is free.
    #[inline]
    fn offered(&self) -> u32 {
        if self.in_flight < self.open { self.ready.len() as u32 } else { 0 }
    }
}

/// Tasks of one local set that are ready.
#[derive(Default)]
pub(crate) struct Local {
    pub(crate) ready: VecDeque<u32>,
    pub(crate) waker: Option<Waker>,
    /// All its tasks that have not ended.
    pub(crate) owned: Vec<u32>,
}

/// A task or thread that can go on in the middle of a poll, on its own fiber.
#[derive(Clone, Copy)]
pub(crate) struct Suspended {
    pub(crate) slot: u32,
    pub(crate) fiber: u32,
}

/// What runs next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Target {
    /// Goes on with the running task.
    Stay,
    /// Polls, or starts, the task of a slot.
    Poll(u32),
    /// Switches to a fiber.
    Resume(u32),
    /// The run has ended.
    End,
}

/// What waking a task did.
pub(crate) enum Woken {
    /// It was to be polled again already, or has ended.
    Nothing,
    /// It will be polled again.
    Ready,
    /// It is ready within its local set, whose task is still to be woken.
    Set(Waker),
}

impl Woken {
    /// The waker of the local set, if there is one to wake.
    pub(crate) fn set(self) -> Option<Waker> {
        match self {
            Woken::Set(waker) => Some(waker),
            Woken::Nothing | Woken::Ready => None,
        }
    }
}

/// Threads and blocking closures: not bound by a number of workers.
pub(crate) const THREADS: u32 = 0;
/// The pool of the run's main runtime.
pub(crate) const MAIN_POOL: u32 = 1;

#[derive(Default)]
pub(crate) struct Table {
    pub(crate) slots: Vec<Slot>,
    used: usize,
    free: Vec<u32>,
    pub(crate) pools: Vec<Pool>,
    /// Pools that may have ready tasks.
    listed: Vec<u32>,
    /// If there are several: how many tasks those before each of them offer, as of the last choice.
    before: Vec<u32>,
    pub(crate) locals: Vec<Option<Local>>,
    pub(crate) suspended: Vec<Suspended>,
    /// The slots that tasks of each node but main have or had; some are stale, or twice there.
    of_node: Vec<Vec<u32>>,
    /// Nodes that are paused, and the fibers of theirs that could go on.
    pub(crate) paused: Vec<u16>,
    pub(crate) stopped: Vec<Suspended>,
    sequence: u32,
    /// Tasks spawned in this run.
    pub(crate) spawned: u32,
    /// Parent and number among its children, by task number.
    pub(crate) lineage: Vec<(u32, u32)>,
}

impl Table {
    /// Forgets the tasks of the former run, but keeps its allocations.
    pub(crate) fn clear(&mut self) {
        self.used = 0;
        self.free.clear();
        self.pools.clear();
        self.listed.clear();
        self.locals.clear();
        self.suspended.clear();
        self.of_node.clear();
        self.paused.clear();
        self.stopped.clear();
        self.lineage.clear();
        (self.sequence, self.spawned) = (0, 0);
        self.add_pool(u32::MAX);
    }

    /// Adds a pool of so many workers; gives its number.
    pub(crate) fn add_pool(&mut self, workers: u32) -> u32 {
        self.pools.push(Pool {
            workers,
            open: workers,
            in_flight: 0,
            node: 0,
            closed: false,
            local: false,
            pausable: workers == 1,
            timers: true,
            io: true,
            name: None,
            ready: VecDeque::new(),
            listed: false,
        });
        self.pools.len() as u32 - 1
    }

    /// Takes a free slot for a new task; its header and body are still to be set.
    pub(crate) fn allocate(
        &mut self,
        home: Home,
        node: u16,
        path: Path,
        parent: (u32, u32),
    ) -> u32 {
        let number = self.spawned;
        self.spawned += 1;
        self.lineage.push(parent);
        let slot = self.free.pop().unwrap_or_else(|| {
            self.used += 1;
            self.used as u32 - 1
        });
        let fresh = |generation| Slot {
            body: Body::Absent,
            header: None,
            joiner: None,
            home,
            generation,
            flags: 0,
            node,
            number,
            path,
            children: 0,
            op: None,
            turn: 0,
        };
        match self.slots.get_mut(slot as usize) {
            Some(former) => *former = fresh(former.generation),
            None => self.slots.push(fresh(0)),
        }
        if node != 0 {
            self.note_of_node(node, slot);
        }
        slot
    }

    /// Notes that the slot is of that node. Now and then stale entries are dropped, so that there are not many more of
    /// them than of others.
    #[cold]
    fn note_of_node(&mut self, node: u16, slot: u32) {
        let node = usize::from(node);
        if self.of_node.len() <= node {
            self.of_node.resize_with(node + 1, Vec::new);
        }
        let list = &mut self.of_node[node];
        if list.len() == list.capacity() {
            list.retain(|&slot| {
                let place = &self.slots[slot as usize];
                usize::from(place.node) == node && place.header.is_some()
            });
            list.sort_unstable();
            list.dedup();
            list.reserve(list.len() + 4);
        }
        list.push(slot);
    }

    /// The slots of the tasks of a node that is not main, in their order.
    pub(super) fn slots_of_node(&self, node: u32) -> Vec<u32> {
        let mut slots = self.of_node.get(node as usize).cloned().unwrap_or_default();
        slots.retain(|&slot| {
            let place = &self.slots[slot as usize];
            u32::from(place.node) == node && place.header.is_some()
        });
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Gives a slot back; wakers and handles of its former task no longer reach it.
    pub(crate) fn release(&mut self, slot: u32) -> (Body, Option<Arc<Header>>) {
        let place = &mut self.slots[slot as usize];
        place.generation = place.generation.wrapping_add(1);
        place.flags = 0;
        self.free.push(slot);
        (std::mem::replace(&mut place.body, Body::Absent), place.header.take())
    }

    /// The slots in use in this run, free ones among them.
    pub(crate) fn used(&self) -> usize {
        self.used
    }

    /// Whether no task is left.
    pub(crate) fn all_free(&self) -> bool {
        self.free.len() == self.used
    }

    /// The slot, if its tenant is still the one that is meant.
    pub(crate) fn tenant(&mut self, slot: u32, generation: u32) -> Option<&mut Slot> {
        self.slots.get_mut(slot as usize).filter(|place| place.generation == generation)
    }

    /// Queues a task, unless it is queued, running or done.
    #[inline]
    pub(crate) fn wake(&mut self, slot: u32, generation: u32) -> Woken {
        let Some(place) = self.slots.get_mut(slot as usize) else { return Woken::Nothing };
        if place.generation != generation || place.flags & (flag::QUEUED | flag::DONE) != 0 {
            return Woken::Nothing;
        }
        if place.flags & flag::RUNNING != 0 {
            let told = place.flags & flag::NOTIFIED != 0;
            place.flags |= flag::NOTIFIED;
            return if told { Woken::Nothing } else { Woken::Ready };
        }
        match self.enqueue(slot) {
            None => Woken::Ready,
            Some(waker) => Woken::Set(waker),
        }
    }

    /// Puts a task that is not queued into its queue.
    #[inline]
    pub(crate) fn enqueue(&mut self, slot: u32) -> Option<Waker> {
        let place = &mut self.slots[slot as usize];
        place.flags |= flag::QUEUED;
        match place.home {
            Home::Pool(number) => {
                self.sequence = self.sequence.wrapping_add(1);
                let pool = &mut self.pools[number as usize];
                pool.ready.push_back((slot, self.sequence));
                if !pool.listed {
                    pool.listed = true;
                    self.listed.push(number);
                }
                None
            }
            Home::Local(number) => {
                let local = self.locals.get_mut(number as usize)?.as_mut()?;
                local.ready.push_back(slot);
                local.waker.take()
            }
        }
    }

    /// A fiber can go on in the middle of what its task does: at once, or when its node is paused no more.
    pub(super) fn suspend(&mut self, suspended: Suspended) {
        if self.paused.is_empty()
            || !self.paused.contains(&self.slots[suspended.slot as usize].node)
        {
            return self.suspended.push(suspended);
        }
        self.stopped.push(suspended);
    }

    /// Takes the fiber of a slot out of those that could go on.
    pub(super) fn unsuspend(&mut self, slot: u32) -> Option<Suspended> {
        for list in [&mut self.suspended, &mut self.stopped] {
            if let Some(at) = list.iter().position(|suspended| suspended.slot == slot) {
                return Some(list.remove(at));
            }
        }
        None
    }

    /// Forgets who is ready in a pool.
    pub(super) fn close(&mut self, pool: u32) {
        let pool = &mut self.pools[pool as usize];
        (pool.closed, pool.open) = (true, 0);
        pool.ready.clear();
    }

    /// Whether tasks of the pool are ready.
    pub(super) fn has_ready(&self, pool: u32) -> bool {
        !self.pools[pool as usize].ready.is_empty()
    }

    /// Makes a thread that is queued one that waits; it leaves the queue of its pool, which this gives, with
    /// the next [`sweep`](Table::sweep).
    pub(super) fn unmark(&mut self, slot: u32, generation: u32) -> Option<u32> {
        let place =
            self.tenant(slot, generation).filter(|place| place.flags & flag::QUEUED != 0)?;
        place.flags &= !flag::QUEUED;
        match place.home {
            Home::Pool(pool) => Some(pool),
            Home::Local(_) => None,
        }
    }

    /// Takes those out of a pool's queue that are not queued any more.
    pub(super) fn sweep(&mut self, pool: u32) {
        let slots = &self.slots;
        let queued = |&(slot, _): &(u32, u32)| slots[slot as usize].flags & flag::QUEUED != 0;
        self.pools[pool as usize].ready.retain(queued);
    }

    /// Who may run next, the running task first if it can go on.
    #[inline]
    pub(crate) fn choice(&mut self, current: Option<u32>) -> Ready<'_> {
        let queued = match self.listed[..] {
            [] => 0,
            // The usual case: one pool has ready tasks.
            [number] => {
                let pool = &mut self.pools[number as usize];
                if pool.ready.is_empty() {
                    pool.listed = false;
                    self.listed.clear();
                    0
                } else {
                    pool.offered()
                }
            }
            _ => self.count_offered(),
        };
        let suspended = self.suspended.len() as u32;
        let others = suspended + queued;
        Ready { len: others + u32::from(current.is_some()), current, table: self }
    }

    /// Drops empty pools from the list, and puts first the one whose first task is ready longest.
    fn order_pools(&mut self) {
        let pools = &mut self.pools;
        self.listed.retain(|&number| {
            let pool = &mut pools[number as usize];
            pool.listed = !pool.ready.is_empty();
            pool.listed
        });
        let age = |&number: &u32| pools[number as usize].ready.front().map(|first| first.1);
        let Some(oldest) = (0..self.listed.len()).min_by_key(|&i| age(&self.listed[i])) else {
            return;
        };
        self.listed.swap(0, oldest);
    }

    /// How many tasks the listed pools offer, and where each pool's begin among them. Apart, so that
    /// [`choice`](Table::choice) is small enough to become part of who calls it.
    #[inline(never)]
    fn count_offered(&mut self) -> u32 {
        self.order_pools();
        self.before.clear();
        let mut sum = 0;
        for &number in &self.listed {
            self.before.push(sum);
            sum += self.pools[number as usize].offered();
        }
        sum
    }

    /// The pool of a queued candidate of the last choice, and its place in the queue there.
    #[inline]
    fn queued(&self, index: usize) -> (u32, usize) {
        if let [number] = self.listed[..] {
            return (number, index);
        }
        let at = self.before.partition_point(|&before| before as usize <= index) - 1;
        (self.listed[at], index - self.before[at] as usize)
    }

    /// Takes candidate `index` out of its queue.
    #[inline]
    pub(crate) fn take(&mut self, index: u32, current: bool) -> Target {
        let mut index = index as usize;
        if current {
            if index == 0 {
                return Target::Stay;
            }
            index -= 1;
        }
        if index < self.suspended.len() {
            return Target::Resume(self.suspended.remove(index).fiber);
        }
        index -= self.suspended.len();
        let (number, index) = self.queued(index);
        // The first takes the place of the one that is picked: no queue is shifted.
        let ready = &mut self.pools[number as usize].ready;
        let (slot, _) = ready.swap_remove_front(index).expect("the index is in range");
        Target::Poll(slot)
    }

    /// A task or thread goes on: it is no longer queued, and holds its place in its pool.
    #[inline]
    pub(super) fn begin_turn(&mut self, slot: u32, step: u64) {
        let place = &mut self.slots[slot as usize];
        place.turn = step;
        place.flags = place.flags & !(flag::QUEUED | flag::NOTIFIED) | flag::RUNNING;
        if let Some(pool) = self.counted(slot) {
            pool.in_flight += 1;
        }
    }

    /// A task or thread waits, where `op` says; it is queued again if it was woken meanwhile. Gives
    /// the waker of its local set then.
    #[inline]
    pub(super) fn end_turn(&mut self, slot: u32, op: Option<Op>) -> Option<Waker> {
        let place = &mut self.slots[slot as usize];
        place.op = op;
        let notified = place.flags & flag::NOTIFIED != 0;
        place.flags &= !(flag::RUNNING | flag::NOTIFIED);
        if let Some(pool) = self.counted(slot) {
            pool.in_flight -= 1;
        }
        if notified { self.enqueue(slot) } else { None }
    }

    /// The task that is ready longest and cannot run before that of a slot returns: on a runtime of one worker.
    pub(super) fn kept_out(&self, slot: u32) -> Option<u32> {
        let Home::Pool(number) = self.slots[slot as usize].home else { return None };
        let pool = &self.pools[number as usize];
        let ready = pool.ready.front().filter(|_| pool.workers == 1 && pool.in_flight == 1);
        ready.map(|&(ready, _)| self.slots[ready as usize].number)
    }

    /// Whether a task in the middle of a poll holds one of its pool's workers.
    pub(crate) fn counted(&mut self, slot: u32) -> Option<&mut Pool> {
        match self.slots[slot as usize].home {
            Home::Pool(pool) => Some(&mut self.pools[pool as usize]),
            Home::Local(_) => None,
        }
    }
}

/// The candidates of one choice.
pub(crate) struct Ready<'a> {
    len: u32,
    current: Option<u32>,
    table: &'a Table,
}

impl Ready<'_> {
    /// The slot of a candidate, and whether it goes on in the middle of a poll.
    fn slot(&self, index: u32) -> (&Slot, bool) {
        let mut index = index as usize;
        let slot = |slot: u32| &self.table.slots[slot as usize];
        if let Some(current) = self.current {
            if index == 0 {
                return (slot(current), true);
            }
            index -= 1;
        }
        if let Some(suspended) = self.table.suspended.get(index) {
            return (slot(suspended.slot), true);
        }
        index -= self.table.suspended.len();
        let (number, index) = self.table.queued(index);
        let (queued, _) = self.table.pools[number as usize].ready[index];
        (slot(queued), false)
    }
}

impl Candidates for Ready<'_> {
    #[inline]
    fn len(&self) -> u32 {
        self.len
    }

    fn task(&self, index: u32) -> u32 {
        self.slot(index).0.number
    }

    /// Only right in a run that is watched.
    fn announced(&self, index: u32) -> Option<Announced> {
        match self.slot(index) {
            (slot, true) => announced(slot.op),
            // What is queued was woken: the step at which it waited is done.
            (_, false) => None,
        }
    }

    fn begins_turn(&self, index: u32) -> bool {
        !self.slot(index).1
    }

    fn is_current(&self) -> bool {
        self.current.is_some()
    }
}
