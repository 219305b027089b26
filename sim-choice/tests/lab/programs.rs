//! Programs with a bug, after those of the literature: SCTBench (Thomson, Donaldson, Betts, PPoPP 2014) and
//! the examples of the papers on strategies, written anew for the machine of the laboratory.

use super::{Do, Do::*, Program, Regs};

/// All of them.
pub fn all() -> Vec<Program> {
    vec![
        lost_update(),
        rare_lost_update(),
        reorder("reorder_10", 9),
        reorder("reorder_20", 19),
        twostage("twostage_20", 19),
        twostage("twostage_100", 99),
        philosophers("philosophers_3", 3),
        philosophers("philosophers_7", 7),
        bluetooth(),
        stringbuffer(),
        semaphore(),
        wronglock(),
        account(),
        queue(),
        bounded_buffer(),
        circular_buffer(),
        late_task(),
        uneven(),
    ]
}

/// One waits to be woken by another, maybe too late, and a third spins until that one has acted. Whoever holds the
/// second back for the first's sake, or for its low priority, lets the third spin for ever.
pub fn spinning() -> Program {
    let woken = vec![Lock(0), Wait(0, 0), Load(0, 1), Unlock(0)];
    let acts = vec![Load(0, 1), Store(0, |_| 1), Store(1, |_| 1), Notify(0), Notify(0), Notify(0)];
    let spins = vec![Load(1, 1), Yield, JumpIf(|r| r[1] == 0, 0)];
    Program { name: "spinning", code: vec![main_of([1, 2, 3], &[]), woken, acts, spins] }
}

/// Main, which starts `codes` in order and waits for them, then `after`.
fn main_of(codes: impl IntoIterator<Item = usize>, after: &[Do]) -> Vec<Do> {
    let mut main: Vec<Do> = codes.into_iter().map(|code| Spawn(code, 0)).collect();
    main.push(JoinAll);
    main.extend(after);
    main
}

fn lost_update() -> Program {
    let add = vec![Load(0, 1), Store(0, |r| r[1] + 1)];
    Program {
        name: "lost_update",
        code: vec![main_of([1, 1], &[Load(0, 1), Assert(|r| r[1] == 2)]), add],
    }
}

/// The window stands at the end of one task and at the beginning of the other.
fn rare_lost_update() -> Program {
    let mut late: Vec<Do> = (0..25).map(|_| Add(1, 1, 2)).collect();
    late.extend([Load(0, 1), Store(0, |r| r[1] + 1)]);
    let mut early = vec![Load(0, 1), Store(0, |r| r[1] + 1)];
    early.extend((0..25).map(|_| Add(2, 1, 2)));
    Program {
        name: "rare_lost_update",
        code: vec![main_of([1, 2], &[Load(0, 1), Assert(|r| r[1] == 2)]), late, early],
    }
}

/// Each sets one variable and then another; nobody must see the first alone.
fn reorder(name: &'static str, setters: usize) -> Program {
    let setter = vec![Store(0, |_| 1), Store(1, |_| -1)];
    let checker = vec![
        Load(0, 1),
        Load(1, 2),
        Assert(|r| (r[1] == 0 && r[2] == 0) || (r[1] == 1 && r[2] == -1)),
    ];
    let codes = std::iter::repeat_n(1, setters).chain([2]);
    Program { name, code: vec![main_of(codes, &[]), setter, checker] }
}

/// Two stages, each under a lock of its own: between them a reader sees half of it.
fn twostage(name: &'static str, writers: usize) -> Program {
    let writer = vec![
        Lock(0),
        Store(0, |_| 1),
        Unlock(0),
        Lock(1),
        Load(0, 1),
        Store(1, |r| r[1] + 1),
        Unlock(1),
    ];
    let reader = vec![
        Lock(0),
        Load(0, 1),
        Unlock(0),
        JumpIf(|r| r[1] == 0, 8),
        Lock(1),
        Load(1, 2),
        Unlock(1),
        Assert(|r| r[2] == r[1] + 1),
    ];
    let codes = std::iter::repeat_n(1, writers).chain([2]);
    Program { name, code: vec![main_of(codes, &[]), writer, reader] }
}

fn philosophers(name: &'static str, count: usize) -> Program {
    let mut code = vec![main_of(1..=count, &[])];
    for left in 0..count {
        let right = (left + 1) % count;
        code.push(vec![Lock(left), Lock(right), Unlock(right), Unlock(left)]);
    }
    Program { name, code }
}

/// The driver's stop: 0 stopping, 1 pending, 2 the event, 3 stopped.
fn bluetooth() -> Program {
    let adder = vec![
        Load(0, 1),
        JumpIf(|r| r[1] == 1, 8),
        Add(1, 1, 2),
        Load(3, 3),
        Assert(|r| r[3] == 0),
        Add(1, -1, 2),
        JumpIf(|r| r[2] != 0, 8),
        Store(2, |_| 1),
    ];
    let stopper = vec![
        Store(0, |_| 1),
        Add(1, -1, 2),
        JumpIf(|r| r[2] != 0, 4),
        Store(2, |_| 1),
        Load(2, 1),
        JumpIf(|r| r[1] == 0, 7),
        Store(3, |_| 1),
    ];
    Program { name: "bluetooth", code: vec![main_of([1, 2], &[]), adder, stopper] }
}

/// Appends another buffer: its length and its characters are two looks. Another deletes meanwhile.
fn stringbuffer() -> Program {
    let append = vec![
        Lock(0),
        Lock(1),
        Load(1, 1),
        Unlock(1),
        Load(0, 2),
        Store(0, |r| r[1] + r[2]),
        Lock(1),
        Load(1, 2),
        Unlock(1),
        Assert(|r| r[1] <= r[2]),
        Unlock(0),
    ];
    let delete = vec![Lock(1), Store(1, |_| 0), Unlock(1)];
    let mut main = vec![Store(1, |_| 10)];
    main.extend(main_of([1, 2], &[]));
    Program { name: "stringbuffer", code: vec![main, append, delete] }
}

/// Three tasks take two of three permits each, one after the other.
fn semaphore() -> Program {
    // Nobody ever gives lock 9 back: whoever finds no permit waits, and holds what it has.
    let task = vec![
        Add(0, 1, 1),
        JumpIf(|r| r[1] >= 3, 6),
        Add(0, 1, 1),
        JumpIf(|r| r[1] >= 3, 6),
        Add(0, -2, 2),
        JumpIf(|_| true, 7),
        Lock(9),
    ];
    let mut main = vec![Lock(9)];
    main.extend(main_of([1, 1, 1], &[]));
    Program { name: "semaphore_3x2", code: vec![main, task] }
}

/// One task guards a variable by a lock, others by another.
fn wronglock() -> Program {
    let right = vec![
        Lock(0),
        Load(0, 1),
        Store(0, |r| r[1] + 1),
        Load(0, 2),
        Assert(|r| r[2] == r[1] + 1),
        Unlock(0),
    ];
    let wrong = vec![Lock(1), Load(0, 1), Store(0, |r| r[1] + 1), Unlock(1)];
    Program { name: "wronglock", code: vec![main_of([1, 2, 2, 2], &[]), right, wrong] }
}

/// The check comes when both have been done, which it takes for the order it expects.
fn account() -> Program {
    let deposit = vec![Lock(0), Load(0, 1), Store(0, |r| r[1] + 100), Unlock(0), Store(1, |_| 1)];
    let withdraw = vec![Load(0, 1), Lock(0), Store(0, |r| r[1] - 30), Unlock(0), Store(2, |_| 1)];
    let check = vec![
        Lock(0),
        Load(1, 1),
        Load(2, 2),
        Load(0, 3),
        Unlock(0),
        Assert(|r| r[1] == 0 || r[2] == 0 || r[3] == 70),
    ];
    Program { name: "account", code: vec![main_of([1, 2, 3], &[]), deposit, withdraw, check] }
}

/// A work-stealing queue of two items: 0 head, 1 tail, 2 how often an item was taken. Take and steal both
/// look at the other end before they move their own.
fn queue() -> Program {
    let mut take = Vec::new();
    let mut steal = Vec::new();
    for round in 0..4_usize {
        let end = (round + 1) * 6;
        take.extend([
            Load(0, 1),
            Load(1, 2),
            JumpIf(|r| r[1] >= r[2], end),
            Store(1, |r| r[2] - 1),
            Add(2, 1, 3),
            Yield,
        ]);
        steal.extend([
            Load(0, 1),
            Load(1, 2),
            JumpIf(|r| r[1] >= r[2], end),
            Store(0, |r| r[1] + 1),
            Add(2, 1, 3),
            Yield,
        ]);
    }
    let mut main = vec![Store(1, |_| 4)];
    main.extend(main_of([1, 2], &[Load(2, 1), Assert(|r| r[1] <= 4)]));
    Program { name: "work_stealing_queue", code: vec![main, take, steal] }
}

/// One condition for producers and consumers, and the wrong one is woken.
fn bounded_buffer() -> Program {
    // Variable 0: how many are in the buffer of one.
    let part = |may: fn(&Regs) -> bool, change: fn(&Regs) -> i64| {
        let round = |at: usize, again: fn(&Regs) -> bool| {
            [
                Lock(0),
                Load(0, 1),
                Let(2, change),
                JumpIf(may, at + 6),
                Wait(0, 0),
                // Woken, with the lock: look again.
                JumpIf(again, at + 1),
                Store(0, |r| r[2]),
                Notify(0),
                Unlock(0),
            ]
        };
        [round(0, |_| true), round(9, |_| true)].concat()
    };
    let put = part(|r| r[1] == 0, |r| r[1] + 1);
    let get = part(|r| r[1] > 0, |r| r[1] - 1);
    Program { name: "bounded_buffer", code: vec![main_of([1, 1, 2, 2], &[]), put, get] }
}

/// A ring whose sender moves the index before it writes the item; the receiver does not take the lock.
fn circular_buffer() -> Program {
    let mut send = Vec::new();
    let mut receive = Vec::new();
    for _ in 0..4 {
        send.extend([Lock(0), Add(0, 1, 1), Store(1, |r| r[1] + 1), Unlock(0)]);
    }
    for _ in 0..4 {
        receive.extend([Load(0, 1), Load(1, 2), Assert(|r| r[2] >= r[1])]);
    }
    Program { name: "circular_buffer", code: vec![main_of([1, 2], &[]), send, receive] }
}

/// The last task that main starts has to come before the first step of all others.
fn late_task() -> Program {
    let many = (0..8).map(|_| Add(0, 1, 1)).collect();
    let one = vec![Load(0, 1), Assert(|r| r[1] > 0)];
    Program { name: "late_task", code: vec![main_of([1, 1, 1, 1, 1, 2], &[]), many, one] }
}

/// One step of a short task has to come after nearly all of a long one.
fn uneven() -> Program {
    let long = (0..40).map(|_| Add(0, 1, 1)).collect();
    let short = vec![Load(0, 1), Assert(|r| r[1] < 38)];
    Program { name: "uneven", code: vec![main_of([1, 2], &[]), long, short] }
}
