//! Queues, stacks and counts without a lock, or with one that is not always taken.
//!
//! Those of CHESS are in SCTBench; others are from papers, and from what loom and shuttle are used for.

use super::{family, in_threads, lock};
use sim::std::sync::{
    Mutex,
    atomic::{
        AtomicBool, AtomicI32, AtomicU32, AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

family! {
    "lock_free";
    work_steal_queue: threads(work_steal_queue::<false>) fixed(work_steal_queue::<true>),
        Atomicity, preemptions 2,
        Panic "taken twice or never", "SCTBench, chess.WSQ; Frigo et al. (PLDI 1998)";
    interlocked_work_steal_queue: threads(interlocked_queue::<false>) fixed(interlocked_queue::<true>),
        Atomicity, preemptions 3,
        Panic "taken twice or never", "SCTBench, chess.IWSQ; Chase and Lev (SPAA 2005)";
    safestack: threads(safestack),
        Atomicity, preemptions 5,
        Panic "two hold one element", "SCTBench, misc.safestack; Vyukov (2010)";
    reused_node: threads(reused_node),
        Atomicity, preemptions 2,
        Panic "two hold one element", "ABA; Treiber (1986), Michael (2004)";
    dekker_without_turn: threads(both_flags::<false>) fixed(both_flags::<true>),
        Atomicity, preemptions 2,
        Panic "two are inside", "SCTBench, chess/Dekker.cpp; Dijkstra (1965)";
    published_too_early: threads(published::<false>) fixed(published::<true>),
        Order, preemptions 1,
        Panic "not written yet", "loom; double-checked locking, Bacon et al. (2000)";
    slot_counted_too_early: threads(ring::<false>) fixed(ring::<true>),
        Order, preemptions 1,
        Panic "not written yet", "loom's and crossbeam's tests of rings";
    freed_twice: threads(freed_twice::<false>) fixed(freed_twice::<true>),
        Atomicity, preemptions 1,
        Panic "freed twice", "Apache#21287; Lu et al. (ASPLOS 2008)";
    rare_lost_update: threads(rare_lost_update::<false>) fixed(rare_lost_update::<true>),
        Atomicity, preemptions 1,
        Panic "an update is lost", "Zhao et al., SURW (ASPLOS 2025); shuttle's URW";
    store_buffer: threads(store_buffer),
        Order, preemptions 0,
        Panic "both stores are late", "loom's litmus tests; Sewell et al., x86-TSO (2010)";
    message_passed_relaxed: threads(message_passed_relaxed),
        Order, preemptions 0,
        Panic "the message is late", "loom's litmus tests; Alglave et al. (2014)";
}

/// What owner and thieves take from; each element is to be taken once.
#[derive(Default)]
struct Elements {
    slots: [AtomicUsize; 4],
    taken: [AtomicU32; 4],
    head: AtomicUsize,
    tail: AtomicUsize,
}

impl Elements {
    fn push(&self, element: usize) {
        let tail = self.tail.load(SeqCst);
        self.slots[tail].store(element, SeqCst);
        self.tail.store(tail + 1, SeqCst);
    }

    fn take(&self, element: Option<usize>) {
        if let Some(element) = element {
            self.taken[element].fetch_add(1, SeqCst);
        }
    }

    /// What is in this place.
    fn at(&self, place: usize) -> Option<usize> {
        Some(self.slots[place].load(SeqCst))
    }

    /// An owner that pushes and pops, and a thief; then what is left is taken.
    fn share(
        &self,
        pop: &(dyn Fn() -> Option<usize> + Sync),
        steal: &(dyn Fn() -> Option<usize> + Sync),
    ) {
        let own = || {
            for first in [0, 2] {
                self.push(first);
                self.push(first + 1);
                self.take(pop());
            }
            self.take(pop());
            self.take(pop());
        };
        let thief = || (0..2).for_each(|_| self.take(steal()));
        in_threads(&[&own, &thief]);
        let taken = self.taken.each_ref().map(|taken| taken.load(SeqCst));
        assert_eq!(taken, [1; 4], "taken twice or never");
    }
}

/// The thief looks for the owner before it announces itself; the owner takes the lock only if they meet.
fn work_steal_queue<const ANNOUNCES: bool>() {
    let queue = Elements::default();
    let guard = Mutex::new(());
    let pop = || {
        let tail = queue.tail.load(SeqCst).checked_sub(1)?;
        queue.tail.store(tail, SeqCst);
        if queue.head.load(SeqCst) <= tail {
            return queue.at(tail);
        }
        queue.tail.store(tail + 1, SeqCst);
        let _guard = lock(&guard);
        if queue.head.load(SeqCst) <= tail {
            queue.tail.store(tail, SeqCst);
            return queue.at(tail);
        }
        None
    };
    let steal = || {
        let _guard = lock(&guard);
        let head = queue.head.load(SeqCst);
        if ANNOUNCES {
            queue.head.store(head + 1, SeqCst);
            if head < queue.tail.load(SeqCst) {
                return queue.at(head);
            }
            queue.head.store(head, SeqCst);
        } else if head < queue.tail.load(SeqCst) {
            queue.head.store(head + 1, SeqCst);
            return queue.at(head);
        }
        None
    };
    queue.share(&pop, &steal);
}

/// The owner takes the last element without asking whether a thief has it.
fn interlocked_queue<const ASKS: bool>() {
    let queue = Elements::default();
    let pop = || {
        let tail = queue.tail.load(SeqCst).checked_sub(1)?;
        queue.tail.store(tail, SeqCst);
        let head = queue.head.load(SeqCst);
        if head < tail {
            return queue.at(tail);
        }
        let mine = head == tail
            && if ASKS {
                queue.head.compare_exchange(head, head + 1, SeqCst, SeqCst).is_ok()
            } else {
                queue.head.store(head + 1, SeqCst);
                true
            };
        queue.tail.store(tail + 1, SeqCst);
        if mine { queue.at(tail) } else { None }
    };
    let steal = || {
        let head = queue.head.load(SeqCst);
        if head >= queue.tail.load(SeqCst) {
            return None;
        }
        let element = queue.at(head);
        queue.head.compare_exchange(head, head + 1, SeqCst, SeqCst).ok().and(element)
    };
    queue.share(&pop, &steal);
}

/// A stack of three nodes, and who holds them.
struct Stack {
    head: AtomicI32,
    count: AtomicI32,
    next: [AtomicI32; 3],
    holders: [AtomicU32; 3],
}

impl Stack {
    fn new() -> Stack {
        Stack {
            head: AtomicI32::new(0),
            count: AtomicI32::new(3),
            next: [1, 2, -1].map(AtomicI32::new),
            holders: Default::default(),
        }
    }

    fn push(&self, node: usize) {
        let mut head = self.head.load(SeqCst);
        loop {
            self.next[node].store(head, SeqCst);
            match self.head.compare_exchange(head, node as i32, SeqCst, SeqCst) {
                Ok(_) => break,
                Err(now) => head = now,
            }
        }
        self.count.fetch_add(1, SeqCst);
    }

    fn hold(&self, node: usize) {
        assert_eq!(self.holders[node].fetch_add(1, SeqCst), 0, "two hold one element");
        self.holders[node].fetch_sub(1, SeqCst);
    }
}

/// One who pops marks the node by its `next`, which does not keep the head from coming back to it.
///
/// The count keeps the last node in the stack, so that it takes three threads.
fn safestack() {
    let stack = Stack::new();
    let pop = || {
        for _attempt in 0..2 {
            if stack.count.load(SeqCst) <= 1 {
                return None;
            }
            let head = stack.head.load(SeqCst);
            let node = usize::try_from(head).ok()?;
            let next = stack.next[node].swap(-1, SeqCst);
            if next < 0 {
                continue;
            }
            if stack.head.compare_exchange(head, next, SeqCst, SeqCst).is_ok() {
                stack.count.fetch_sub(1, SeqCst);
                return Some(node);
            }
            stack.next[node].swap(next, SeqCst);
        }
        None
    };
    let work = || {
        for _round in 0..2 {
            if let Some(node) = pop() {
                stack.hold(node);
                stack.push(node);
            }
        }
    };
    in_threads(&[&work, &work, &work]);
}

/// The head is what it was, but its `next` is not: that node has been taken meanwhile.
fn reused_node() {
    let stack = Stack::new();
    let pop = || {
        let head = stack.head.load(SeqCst);
        let node = usize::try_from(head).ok()?;
        let next = stack.next[node].load(SeqCst);
        stack.head.compare_exchange(head, next, SeqCst, SeqCst).ok().map(|_| node)
    };
    let hold_two = || {
        for _node in 0..2 {
            if let Some(node) = pop() {
                stack.hold(node);
            }
        }
    };
    let use_and_return = || {
        let (Some(first), Some(second)) = (pop(), pop()) else { return };
        stack.push(first);
        stack.hold(second);
    };
    in_threads(&[&hold_two, &use_and_return]);
}

/// Each looks at the other's flag and then raises its own; in the twin each raises it first.
fn both_flags<const RAISES_FIRST: bool>() {
    let flags = [AtomicBool::new(false), AtomicBool::new(false)];
    let inside = AtomicU32::new(0);
    let enter = |me: usize| {
        if RAISES_FIRST {
            flags[me].store(true, SeqCst);
        }
        if !flags[1 - me].load(SeqCst) {
            flags[me].store(true, SeqCst);
            assert_eq!(inside.fetch_add(1, SeqCst), 0, "two are inside");
            inside.fetch_sub(1, SeqCst);
        }
        flags[me].store(false, SeqCst);
    };
    in_threads(&[&|| enter(0), &|| enter(1)]);
}

/// The flag says that the value is there, a step before it is.
fn published<const IN_ORDER: bool>() {
    let (ready, value) = (AtomicBool::new(false), AtomicU32::new(0));
    let write = || {
        if IN_ORDER {
            value.store(42, SeqCst);
            ready.store(true, SeqCst);
        } else {
            ready.store(true, SeqCst);
            value.store(42, SeqCst);
        }
    };
    let read = || {
        if ready.load(SeqCst) {
            assert_eq!(value.load(SeqCst), 42, "not written yet");
        }
    };
    in_threads(&[&write, &read]);
}

/// A ring of two places for one producer and one consumer: the index moves on before the place is written.
fn ring<const IN_ORDER: bool>() {
    let slots: [AtomicU32; 2] = Default::default();
    let (written, read) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let produce = || {
        for item in 1..=3 {
            let at = written.load(SeqCst);
            if at - read.load(SeqCst) == slots.len() {
                return;
            }
            if IN_ORDER {
                slots[at % 2].store(item, SeqCst);
                written.store(at + 1, SeqCst);
            } else {
                written.store(at + 1, SeqCst);
                slots[at % 2].store(item, SeqCst);
            }
        }
    };
    let consume = || {
        for _ in 0..3 {
            let at = read.load(SeqCst);
            if at == written.load(SeqCst) {
                return;
            }
            assert_eq!(slots[at % 2].swap(0, SeqCst) as usize, at + 1, "not written yet");
            read.store(at + 1, SeqCst);
        }
    };
    in_threads(&[&produce, &consume]);
}

/// The count is taken down in one step and looked at in another.
fn freed_twice<const ONE_STEP: bool>() {
    let references = AtomicU32::new(2);
    let freed = AtomicBool::new(false);
    let release = || {
        let before = references.fetch_sub(1, SeqCst);
        let is_last = if ONE_STEP { before == 1 } else { references.load(SeqCst) == 0 };
        if is_last {
            assert!(!freed.swap(true, SeqCst), "freed twice");
        }
    };
    in_threads(&[&release, &release]);
}

/// A read and a write that belong together, among many steps that do not matter.
fn rare_lost_update<const ONE_STEP: bool>() {
    let count = AtomicU32::new(0);
    let update = || {
        let own = AtomicU32::new(0);
        let walk = || (0..5).for_each(|step| own.store(step, SeqCst));
        walk();
        if ONE_STEP {
            count.fetch_add(1, SeqCst);
        } else {
            count.store(count.load(SeqCst) + 1, SeqCst);
        }
        walk();
    };
    in_threads(&[&update, &update]);
    assert_eq!(count.load(SeqCst), 2, "an update is lost");
}

/// Each stores and then reads what the other stores; without order both may read the old value.
fn store_buffer() {
    let (x, y) = (AtomicU32::new(0), AtomicU32::new(0));
    let (seen_x, seen_y) = (AtomicU32::new(1), AtomicU32::new(1));
    let one = || {
        x.store(1, Relaxed);
        seen_y.store(y.load(Relaxed), Relaxed);
    };
    let other = || {
        y.store(1, Relaxed);
        seen_x.store(x.load(Relaxed), Relaxed);
    };
    in_threads(&[&one, &other]);
    assert!(seen_x.load(SeqCst) + seen_y.load(SeqCst) > 0, "both stores are late");
}

/// The flag may be seen before the message.
fn message_passed_relaxed() {
    let (message, sent) = (AtomicU32::new(0), AtomicBool::new(false));
    let send = || {
        message.store(42, Relaxed);
        sent.store(true, Relaxed);
    };
    let receive = || {
        if sent.load(Relaxed) {
            assert_eq!(message.load(Relaxed), 42, "the message is late");
        }
    };
    in_threads(&[&send, &receive]);
}
