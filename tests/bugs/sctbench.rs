//! SCTBench's programs of locks and plain variables: its `CS` set, by way of ESBMC and SV-COMP.
//!
//! Thomson, Donaldson, Betts, *Concurrency Testing Using Controlled Schedulers* (ACM TOPC 2016). A plain
//! variable of the C programs is an atomic here, whose loads and stores are steps of their own.

use super::{family, in_threads, lock};
use sim::std::sync::{
    Condvar, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering::SeqCst},
};

family! {
    "sctbench";
    reorder_3: threads(reorder::<2, false>) fixed(reorder::<2, true>),
        Atomicity, preemptions 1,
        Panic "half of a pair", "SCTBench, CS.reorder_3_bad";
    reorder_4: threads(reorder::<3, false>) fixed(reorder::<3, true>),
        Atomicity, preemptions 1,
        Panic "half of a pair", "SCTBench, CS.reorder_4_bad";
    reorder_5: threads(reorder::<4, false>) fixed(reorder::<4, true>),
        Atomicity, preemptions 1,
        Panic "half of a pair", "SCTBench, CS.reorder_5_bad";
    reorder_10: threads(reorder::<9, false>) fixed(reorder::<9, true>),
        Atomicity, preemptions 1,
        Panic "half of a pair", "SCTBench, CS.reorder_10_bad";
    reorder_20: threads(reorder::<19, false>) fixed(reorder::<19, true>),
        Atomicity, preemptions 1,
        Panic "half of a pair", "SCTBench, CS.reorder_20_bad";
    twostage: threads(twostage::<2, false>) fixed(twostage::<2, true>),
        Atomicity, preemptions 1,
        Panic "the second stage is missing", "SCTBench, CS.twostage_bad";
    twostage_20: threads(twostage::<19, false>) fixed(twostage::<19, true>),
        Atomicity, preemptions 1,
        Panic "the second stage is missing", "SCTBench, CS.twostage_20_bad";
    twostage_100: threads(twostage::<99, false>),
        Atomicity, preemptions 1,
        Panic "the second stage is missing", "SCTBench, CS.twostage_100_bad";
    account: threads(account),
        Order, preemptions 0,
        Panic "the balance is wrong", "SCTBench, CS.account_bad";
    carter: threads(carter),
        Deadlock, preemptions 1,
        Deadlock "acquire", "SCTBench, CS.carter01_bad";
    circular_buffer: threads(circular_buffer::<false>) fixed(circular_buffer::<true>),
        Order, preemptions 1,
        Panic "took another element", "SCTBench, CS.circular_buffer_bad";
    queue: threads(queue),
        Order, preemptions 1,
        Panic "took another element", "SCTBench, CS.queue_bad";
    stack: threads(stack::<false>) fixed(stack::<true>),
        Atomicity, preemptions 1,
        Panic "the stack is empty", "SCTBench, CS.stack_bad";
    phase: threads(phase),
        Deadlock, preemptions 0,
        Deadlock "acquire", "SCTBench, CS.phase01_bad";
    token_ring: threads(token_ring),
        Order, preemptions 0,
        Panic "the ring is torn", "SCTBench, CS.token_ring_bad";
    wronglock: threads(wronglock::<7, false>) fixed(wronglock::<7, true>),
        Atomicity, preemptions 1,
        Panic "changed under the lock", "SCTBench, CS.wronglock_bad";
    wronglock_3: threads(wronglock::<3, false>) fixed(wronglock::<3, true>),
        Atomicity, preemptions 1,
        Panic "changed under the lock", "SCTBench, CS.wronglock_3_bad";
    bluetooth: threads(bluetooth::<false>) fixed(bluetooth::<true>),
        Atomicity, preemptions 1,
        Panic "works on a stopped device", "SCTBench, CS.bluetooth_driver_bad; Qadeer and Wu (PLDI 2004)";
    lazy: threads(lazy),
        Order, preemptions 0,
        Panic "all has been added", "SCTBench, CS.lazy01_bad";
    deadlock: threads(deadlock::<false>) fixed(deadlock::<true>),
        Deadlock, preemptions 1,
        Deadlock "acquire", "SCTBench, CS.deadlock01_bad";
    philosophers_3: threads(philosophers::<3, false>) fixed(philosophers::<3, true>),
        Deadlock, preemptions 1,
        Deadlock "acquire", "SCTBench, CS.din_phil3_sat";
    philosophers_7: threads(philosophers::<7, false>) fixed(philosophers::<7, true>),
        Deadlock, preemptions 1,
        Deadlock "acquire", "SCTBench, CS.din_phil7_sat";
    fsbench: threads(fsbench),
        Order, preemptions 0,
        Panic "index out of bounds", "SCTBench, CS.fsbench_bad";
    arithmetic_prog: threads(arithmetic_prog),
        Order, preemptions 0,
        Panic "the sum is what it is", "SCTBench, CS.arithmetic_prog_bad";
    sync_01: threads(sync::<1>),
        Deadlock, preemptions 0,
        Deadlock "sctbench.rs", "SCTBench, CS.sync01_bad";
    sync_02: threads(sync::<2>),
        Deadlock, preemptions 0,
        Deadlock "sctbench.rs", "SCTBench, CS.sync02_bad";
    read_write_lock: threads(read_write_lock::<false>) fixed(read_write_lock::<true>),
        Atomicity, preemptions 1,
        Panic "written while it is read", "ESBMC and SCTBench, read_write_lock";
}

/// All but one set a pair, in two steps; the last looks at it in between.
fn reorder<const SETTERS: usize, const LOCKED: bool>() {
    let (a, b) = (AtomicI32::new(0), AtomicI32::new(0));
    let pair = Mutex::new(());
    let set = || {
        let _pair = LOCKED.then(|| lock(&pair));
        a.store(1, SeqCst);
        b.store(-1, SeqCst);
    };
    let check = || {
        let _pair = LOCKED.then(|| lock(&pair));
        let before = a.load(SeqCst) == 0 && b.load(SeqCst) == 0;
        let after = || a.load(SeqCst) == 1 && b.load(SeqCst) == -1;
        assert!(before || after(), "half of a pair");
    };
    let mut bodies: Vec<&(dyn Fn() + Sync)> = vec![&set; SETTERS];
    bodies.push(&check);
    in_threads(&bodies);
}

/// Two values, each under a lock of its own; the reader sees the first and not yet the second.
fn twostage<const WRITERS: usize, const ONE_LOCK: bool>() {
    let (first, second, both) = (Mutex::new(0), Mutex::new(0), Mutex::new(()));
    let write = || {
        let _both = ONE_LOCK.then(|| lock(&both));
        *lock(&first) = 1;
        *lock(&second) = 2;
    };
    let read = || {
        let _both = ONE_LOCK.then(|| lock(&both));
        let seen = *lock(&first);
        if seen != 0 {
            assert_eq!(*lock(&second), seen + 1, "the second stage is missing");
        }
    };
    let mut bodies: Vec<&(dyn Fn() + Sync)> = vec![&write; WRITERS];
    bodies.push(&read);
    in_threads(&bodies);
}

/// Locks are right; what is asserted once all is done is not.
fn account() {
    #[derive(Default)]
    struct Account {
        balance: i32,
        deposited: bool,
        withdrawn: bool,
    }
    let account = Mutex::new(Account { balance: 1, ..Account::default() });
    let check = || {
        let account = lock(&account);
        if account.deposited && account.withdrawn {
            assert_eq!(account.balance, 1 - 2 - 4, "the balance is wrong");
        }
    };
    let deposit = || {
        let mut account = lock(&account);
        account.balance += 2;
        account.deposited = true;
    };
    let withdraw = || {
        let mut account = lock(&account);
        account.balance -= 4;
        account.withdrawn = true;
    };
    in_threads(&[&check, &deposit, &withdraw]);
}

/// The first of a class takes the lock of the classes while it holds the lock of the counts.
fn carter() {
    let (counts, classes) = (Mutex::new([0; 2]), Mutex::new(()));
    let visit = |class: usize| {
        let held: Option<MutexGuard<'_, ()>> = {
            let mut counts = lock(&counts);
            counts[class] += 1;
            (counts[class] == 1).then(|| lock(&classes))
        };
        let mut counts = lock(&counts);
        counts[class] -= 1;
        if counts[class] == 0 {
            drop(held);
        }
    };
    in_threads(&[&|| visit(0), &|| visit(1)]);
}

/// What goes from one thread to the other, one element at a time.
#[derive(Default)]
struct Exchange {
    elements: Vec<usize>,
    taken: usize,
    full: bool,
}

/// The consumer's rounds go on while there is nothing to take, so that it expects the wrong element.
fn circular_buffer<const COUNTS: bool>() {
    let exchange = Mutex::new(Exchange::default());
    let produce = || {
        for element in 0..7 {
            let mut exchange = lock(&exchange);
            if !exchange.full {
                let element = if COUNTS { exchange.elements.len() } else { element };
                exchange.elements.push(element);
                exchange.full = true;
            }
        }
    };
    let consume = || {
        for round in 0..7 {
            let mut exchange = lock(&exchange);
            if exchange.full {
                let element = exchange.elements[exchange.taken];
                let expected = if COUNTS { exchange.taken } else { round };
                assert_eq!(element, expected, "took another element");
                exchange.taken += 1;
                exchange.full = false;
            }
        }
    };
    in_threads(&[&produce, &consume]);
}

/// As [`circular_buffer`], but what is expected was stored by the producer's rounds.
fn queue() {
    let stored: [AtomicUsize; 5] = Default::default();
    let exchange = Mutex::new(Exchange::default());
    let produce = || {
        for (round, stored) in stored.iter().enumerate() {
            let mut exchange = lock(&exchange);
            if !exchange.full {
                exchange.elements.push(10 + round);
                exchange.full = true;
                stored.store(10 + round, SeqCst);
            }
        }
    };
    let consume = || {
        for stored in &stored {
            let mut exchange = lock(&exchange);
            if exchange.full {
                let element = exchange.elements.remove(0);
                assert_eq!(element, stored.load(SeqCst), "took another element");
                exchange.full = false;
            }
        }
    };
    in_threads(&[&produce, &consume]);
}

/// The flag says that something was pushed once, not that something is there.
fn stack<const LOOKS: bool>() {
    let stack = Mutex::new(Vec::new());
    let pushed = AtomicBool::new(false);
    let push = || {
        for element in 0..5 {
            let mut stack = lock(&stack);
            stack.push(element);
            pushed.store(true, SeqCst);
        }
    };
    let pop = || {
        for _ in 0..5 {
            let mut stack = lock(&stack);
            if pushed.load(SeqCst) && !(LOOKS && stack.is_empty()) {
                stack.pop().expect("the stack is empty");
            }
        }
    };
    in_threads(&[&push, &pop]);
}

/// A lock that is not given back.
fn phase() {
    let (x, y) = (Mutex::new(()), Mutex::new(()));
    let run = || {
        drop(lock(&x));
        std::mem::forget(lock(&x));
        drop(lock(&y));
        drop(lock(&y));
    };
    in_threads(&[&run, &run]);
}

/// Each copies from its neighbour; only one order makes all equal.
fn token_ring() {
    struct Ring {
        tokens: [u32; 3],
        moved: [bool; 3],
    }
    let ring = Mutex::new(Ring { tokens: [1, 2, 1], moved: [false; 3] });
    let step = |place: usize| {
        let mut ring = lock(&ring);
        ring.tokens[place] = match place {
            0 => (ring.tokens[2] + 1) % 4,
            _ => ring.tokens[place - 1],
        };
        ring.moved[place] = true;
    };
    let check = || {
        let ring = lock(&ring);
        if ring.moved == [true; 3] {
            let [first, second, third] = ring.tokens;
            assert!(first == second && second == third, "the ring is torn");
        }
    };
    in_threads(&[&|| step(0), &|| step(1), &|| step(2), &check]);
}

/// One variable, and a lock for each kind of thread.
fn wronglock<const OTHERS: usize, const SAME: bool>() {
    let value = AtomicI32::new(0);
    let (right, wrong) = (Mutex::new(()), Mutex::new(()));
    let add = || value.store(value.load(SeqCst) + 1, SeqCst);
    let check = || {
        let _right = lock(&right);
        let before = value.load(SeqCst);
        add();
        assert_eq!(value.load(SeqCst), before + 1, "changed under the lock");
    };
    let other = || {
        let _wrong = lock(if SAME { &right } else { &wrong });
        add();
    };
    let mut bodies: Vec<&(dyn Fn() + Sync)> = vec![&check];
    bodies.extend([&other as &(dyn Fn() + Sync); OTHERS]);
    in_threads(&bodies);
}

/// The driver looks whether it is being stopped before it counts itself in.
fn bluetooth<const COUNTS_FIRST: bool>() {
    let pending = AtomicI32::new(1);
    let [stopping, idle, stopped] = [(); 3].map(|()| AtomicBool::new(false));
    let leave = || {
        if pending.fetch_sub(1, SeqCst) == 1 {
            idle.store(true, SeqCst);
        }
    };
    let work = || {
        if COUNTS_FIRST {
            pending.fetch_add(1, SeqCst);
        }
        if !stopping.load(SeqCst) {
            if !COUNTS_FIRST {
                pending.fetch_add(1, SeqCst);
            }
            assert!(!stopped.load(SeqCst), "works on a stopped device");
            leave();
        } else if COUNTS_FIRST {
            leave();
        }
    };
    let stop = || {
        stopping.store(true, SeqCst);
        leave();
        if idle.load(SeqCst) {
            stopped.store(true, SeqCst);
        }
    };
    in_threads(&[&stop, &work]);
}

/// The last of three finds what the two others have added.
fn lazy() {
    let sum = Mutex::new(0);
    let add = |amount| *lock(&sum) += amount;
    let check = || assert!(*lock(&sum) < 3, "all has been added");
    in_threads(&[&|| add(1), &|| add(2), &check]);
}

/// Two locks in opposite order.
fn deadlock<const ORDERED: bool>() {
    let (a, b) = (Mutex::new(0), Mutex::new(0));
    let both = |first: &Mutex<i32>, second: &Mutex<i32>| {
        let mut first = lock(first);
        *lock(second) += 1;
        *first -= 1;
    };
    let here = || both(&a, &b);
    let there = || if ORDERED { both(&a, &b) } else { both(&b, &a) };
    in_threads(&[&here, &there]);
}

/// Each takes the fork at the left and then the one at the right; in the twin the last is left-handed.
fn philosophers<const SEATS: usize, const LAST_IS_OTHER: bool>() {
    let forks: [Mutex<()>; SEATS] = std::array::from_fn(|_| Mutex::new(()));
    let eat = |seat: usize| {
        let (mut first, mut second) = (seat, (seat + 1) % SEATS);
        if LAST_IS_OTHER && second == 0 {
            std::mem::swap(&mut first, &mut second);
        }
        let _first = lock(&forks[first]);
        let _second = lock(&forks[second]);
    };
    let bodies: [_; SEATS] = std::array::from_fn(|seat| move || eat(seat));
    in_threads(&bodies.each_ref().map(|body| body as &(dyn Fn() + Sync)));
}

/// One thread more than there are blocks.
fn fsbench() {
    const BLOCKS: usize = 26;
    let inodes: [Mutex<usize>; BLOCKS] = std::array::from_fn(|_| Mutex::new(0));
    let blocks: [Mutex<bool>; BLOCKS] = std::array::from_fn(|_| Mutex::new(false));
    let create = |inode: usize| {
        let mut inode_block = lock(&inodes[inode]);
        for step in 0..BLOCKS / 2 {
            let block = (inode * 2 + step) % BLOCKS;
            let mut busy = lock(&blocks[block]);
            if !*busy {
                *busy = true;
                *inode_block = block + 1;
                break;
            }
        }
    };
    let bodies: [_; BLOCKS + 1] = std::array::from_fn(|inode| move || create(inode));
    in_threads(&bodies.each_ref().map(|body| body as &(dyn Fn() + Sync)));
}

/// A place for one item, which is full or empty.
struct Place {
    items: Mutex<u32>,
    emptied: Condvar,
    filled: Condvar,
}

impl Place {
    fn with(items: u32) -> Place {
        Place { items: Mutex::new(items), emptied: Condvar::new(), filled: Condvar::new() }
    }

    fn put(&self) {
        let items = lock(&self.items);
        let items = self.emptied.wait_while(items, |items| *items > 0);
        *items.unwrap_or_else(PoisonError::into_inner) += 1;
        self.filled.notify_one();
    }

    fn take(&self, amount: u32) {
        let items = lock(&self.items);
        let items = self.filled.wait_while(items, |items| *items == 0);
        *items.unwrap_or_else(PoisonError::into_inner) -= amount;
        self.emptied.notify_one();
    }
}

/// The sum of a progression, which is asserted to be another.
fn arithmetic_prog() {
    const LAST: u32 = 3;
    let place = Place::with(0);
    let total = AtomicI32::new(0);
    let produce = || (0..LAST).for_each(|_| place.put());
    let consume = || {
        for step in 1..=LAST {
            place.take(1);
            total.fetch_add(step as i32, SeqCst);
        }
    };
    in_threads(&[&produce, &consume]);
    assert_ne!(total.load(SeqCst), 6, "the sum is what it is");
}

/// More is there at the start than is ever taken away, so that there is never room.
fn sync<const START: u32>() {
    let place = Place::with(START);
    let taken = START - 1; // the consumer forgets one
    in_threads(&[&|| place.put(), &|| place.take(taken)]);
}

/// A writer looks for writers only.
fn read_write_lock<const LOOKS_FOR_READERS: bool>() {
    #[derive(Default)]
    struct Users {
        readers: u32,
        writing: bool,
    }
    let users = Mutex::new(Users::default());
    let value = AtomicI32::new(0);
    let write = || {
        {
            let mut users = lock(&users);
            if users.writing || LOOKS_FOR_READERS && users.readers > 0 {
                return;
            }
            users.writing = true;
        }
        value.store(3, SeqCst);
        lock(&users).writing = false;
    };
    let read = || {
        {
            let mut users = lock(&users);
            if users.writing {
                return;
            }
            users.readers += 1;
        }
        let seen = value.load(SeqCst);
        assert_eq!(value.load(SeqCst), seen, "written while it is read");
        lock(&users).readers -= 1;
    };
    in_threads(&[&write, &read]);
}
