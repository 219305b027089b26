//! A small machine whose programs are lists of operations: tasks, locks, channels and the like, without futures.
//!
//! A step is what a task does from one operation to the next: the operation, then what needs no point.

use sim_choice::exhaustive::{Candidate, Effect, Touch};
use std::collections::VecDeque;

/// What a task does next. Numbers name cells, locks, semaphores, channels and tasks, each kind by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Op {
    Load(usize),
    Store(usize, u32),
    Add(usize),
    /// A first-in first-out lock.
    Lock(usize),
    LockShared(usize),
    /// Polls a first-in first-out lock once: skips so many operations, and leaves the queue, if it would have to wait.
    Glance(usize, usize),
    /// Skips so many operations if the lock is held.
    TryLock(usize, usize),
    Unlock(usize),
    UnlockShared(usize),
    /// A lock for which those who wait compete.
    Take(usize),
    TryTake(usize, usize),
    Give(usize),
    Acquire(usize),
    Release(usize),
    Send(usize, u32),
    Receive(usize),
    Notify(usize),
    Wait(usize),
    Spawn(usize),
    Join(usize),
    Yield,
    /// Notes one of so many answers; no scheduling point.
    Choose(u32),
    /// Skips so many operations if what was noted last is not this; no scheduling point.
    Unless(u32, usize),
}

/// The tasks of a program. Task 0 and those that no task spawns run from the start.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) tasks: Vec<Vec<Op>>,
    /// Permits of each semaphore.
    pub(crate) permits: Vec<u32>,
    /// Capacity of each channel.
    pub(crate) capacity: Vec<usize>,
    /// The end of task 0 ends the run.
    pub(crate) main_ends: bool,
}

/// What drives the machine and is told what happens.
pub(crate) trait Driver {
    fn spawned(&mut self, task: u32, parent: Option<u32>);
    fn pick(&mut self, candidates: &[Candidate], current: Option<u32>) -> Option<usize>;
    fn touch(&mut self, object: u64, effect: Effect);
    /// An attempt at a fair lock; whether its task may do something else than to wait.
    fn attempt(&mut self, object: u64, effect: Effect, glance: bool);
    fn granted(&mut self, object: u64, effect: Effect);
    fn choose(&mut self, bound: u32) -> u32;
    fn woke(&mut self, task: u32);
    fn ended(&mut self);
    fn waits(&mut self, task: u32, object: u64, effect: Effect);
    fn left(&mut self, candidate: Candidate);
}

/// All that a run computed: what each task noted and how far it came, and the final state.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Outcome {
    notes: Vec<Vec<u32>>,
    at: Vec<usize>,
    cells: Vec<u32>,
    queues: Vec<Vec<u32>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Unborn,
    /// Has its next operation before it.
    Ready,
    /// Goes on after an operation that it waited for.
    Woken,
    Waits,
    Done,
}

#[derive(Default)]
struct Lock {
    writer: bool,
    readers: u32,
    queue: VecDeque<(usize, bool)>,
}

#[derive(Default)]
struct Channel {
    messages: VecDeque<u32>,
    senders: VecDeque<(usize, u32)>,
    receivers: VecDeque<usize>,
}

struct Machine<'a, D> {
    program: &'a Program,
    driver: &'a mut D,
    state: Vec<State>,
    at: Vec<usize>,
    notes: Vec<Vec<u32>>,
    cells: [u32; 4],
    locks: [Lock; 4],
    taken: [bool; 4],
    permits: Vec<u32>,
    waiting: Vec<VecDeque<usize>>,
    channels: [Channel; 2],
    notified: [(bool, VecDeque<usize>); 2],
    joiners: Vec<Vec<usize>>,
}

/// Kinds of objects, as the upper half of their numbers.
fn object(kind: u64, number: usize) -> u64 {
    kind << 32 | number as u64
}

/// What an operation does to which object, as its task announces it.
pub(crate) fn announced(op: Op) -> Option<Touch> {
    let touch = |kind, number, effect| Some(Touch { object: object(kind, number), effect });
    match op {
        Op::Load(cell) => touch(0, cell, Effect::Read),
        Op::Store(cell, _) | Op::Add(cell) => touch(0, cell, Effect::Write),
        Op::Lock(lock) | Op::Glance(lock, _) => touch(1, lock, Effect::Queue),
        Op::LockShared(lock) => touch(1, lock, Effect::QueueShared),
        Op::TryLock(lock, _) => touch(1, lock, Effect::Write),
        Op::Unlock(lock) => touch(1, lock, Effect::Release),
        Op::UnlockShared(lock) => touch(1, lock, Effect::ReleaseShared),
        Op::Take(lock) => touch(2, lock, Effect::Take),
        Op::TryTake(lock, _) => touch(2, lock, Effect::Write),
        Op::Give(lock) => touch(2, lock, Effect::Release),
        Op::Acquire(semaphore) | Op::Release(semaphore) => touch(3, semaphore, Effect::Write),
        Op::Send(channel, _) | Op::Receive(channel) => touch(4, channel, Effect::Write),
        Op::Notify(notify) | Op::Wait(notify) => touch(5, notify, Effect::Write),
        Op::Join(task) => touch(6, task, Effect::QueueShared),
        Op::Spawn(_) | Op::Yield | Op::Choose(_) | Op::Unless(..) => None,
    }
}

/// Runs a program; `None` if the driver gave the run up.
pub(crate) fn run<D: Driver>(program: &Program, driver: &mut D) -> Option<Outcome> {
    let tasks = program.tasks.len();
    let mut machine = Machine {
        program,
        driver,
        state: vec![State::Unborn; tasks],
        at: vec![0; tasks],
        notes: vec![Vec::new(); tasks],
        cells: [0; 4],
        locks: Default::default(),
        taken: [false; 4],
        permits: program.permits.clone(),
        waiting: vec![VecDeque::new(); program.permits.len()],
        channels: Default::default(),
        notified: Default::default(),
        joiners: vec![Vec::new(); tasks],
    };
    let spawned: Vec<usize> = program
        .tasks
        .iter()
        .flatten()
        .filter_map(|op| if let Op::Spawn(task) = op { Some(*task) } else { None })
        .collect();
    for task in (0..tasks).filter(|task| !spawned.contains(task)) {
        machine.start(task, None);
    }
    machine.run()
}

impl<D: Driver> Machine<'_, D> {
    fn run(mut self) -> Option<Outcome> {
        let mut current = None;
        loop {
            let candidates = self.candidates();
            if candidates.is_empty() {
                break;
            }
            let current_task =
                current.filter(|&task| candidates.iter().any(|candidate| candidate.task == task));
            let task = candidates[self.driver.pick(&candidates, current_task)?].task;
            self.step(task as usize);
            current = Some(task);
            if self.program.main_ends && self.state[0] == State::Done {
                self.driver.ended();
                break;
            }
        }
        for candidate in self.candidates() {
            self.driver.left(candidate);
        }
        for task in 0..self.state.len() {
            if self.state[task] == State::Ready
                && let Some(&Op::Take(lock)) = self.program.tasks[task].get(self.at[task])
                && self.taken[lock]
            {
                self.driver.waits(task as u32, object(2, lock), Effect::Take);
            }
        }
        Some(Outcome {
            notes: self.notes,
            at: self.at,
            cells: self.cells.to_vec(),
            queues: self.channels.iter().map(|it| it.messages.iter().copied().collect()).collect(),
        })
    }

    fn candidates(&self) -> Vec<Candidate> {
        let candidate = |task: usize| {
            let woken = self.state[task] == State::Woken;
            let op = self.program.tasks[task].get(self.at[task]).copied().filter(|_| !woken);
            let free = !matches!(op, Some(Op::Take(lock)) if self.taken[lock]);
            let yields = op == Some(Op::Yield);
            let announced = op.and_then(announced);
            let ready = woken || self.state[task] == State::Ready && free;
            ready.then_some(Candidate { task: task as u32, woken, announced, yields })
        };
        (0..self.state.len()).filter_map(candidate).collect()
    }

    fn start(&mut self, task: usize, parent: Option<u32>) {
        self.driver.spawned(task as u32, parent);
        // It has a step before its first operation, as a task that was spawned has.
        self.state[task] = State::Woken;
    }

    fn step(&mut self, task: usize) {
        if self.state[task] == State::Ready {
            let op = self.program.tasks[task][self.at[task]];
            self.at[task] += 1;
            if self.operate(task, op) {
                self.state[task] = State::Waits;
                return;
            }
        }
        self.state[task] = State::Ready;
        self.go_on(task);
    }

    /// What comes before the next point.
    fn go_on(&mut self, task: usize) {
        loop {
            match self.program.tasks[task].get(self.at[task]) {
                None => break,
                Some(&Op::Choose(bound)) => {
                    let answer = self.driver.choose(bound);
                    self.notes[task].push(answer);
                }
                Some(&Op::Unless(value, skip)) => {
                    if self.notes[task].last() != Some(&value) {
                        self.at[task] += skip;
                    }
                }
                Some(_) => return,
            }
            self.at[task] += 1;
        }
        self.state[task] = State::Done;
        self.driver.touch(object(6, task), Effect::Release);
        for joiner in std::mem::take(&mut self.joiners[task]) {
            self.wake(joiner);
        }
    }

    fn wake(&mut self, task: usize) {
        assert_eq!(self.state[task], State::Waits);
        self.state[task] = State::Woken;
        self.driver.woke(task as u32);
    }

    fn touch(&mut self, op: Op) {
        let Some(Touch { object, effect }) = announced(op) else { return };
        match effect {
            Effect::Queue | Effect::QueueShared => {
                self.driver.attempt(object, effect, matches!(op, Op::Glance(..)));
            }
            _ => self.driver.touch(object, effect),
        }
    }

    /// Does the operation; whether the task waits.
    fn operate(&mut self, task: usize, op: Op) -> bool {
        match op {
            Op::TryLock(lock, skip) => {
                let free = !self.locks[lock].writer && self.locks[lock].readers == 0;
                return self.attempt(task, object(1, lock), free, skip, |machine| {
                    machine.locks[lock].writer = true;
                });
            }
            Op::TryTake(lock, skip) => {
                let free = !self.taken[lock];
                return self.attempt(task, object(2, lock), free, skip, |machine| {
                    machine.taken[lock] = true;
                });
            }
            _ => self.touch(op),
        }
        match op {
            Op::Load(cell) => self.notes[task].push(self.cells[cell]),
            Op::Store(cell, value) => self.cells[cell] = value,
            Op::Add(cell) => self.cells[cell] = self.cells[cell] * 3 + task as u32 + 1,
            Op::Lock(lock) => return self.lock(task, lock, false),
            Op::Glance(lock, skip) => {
                let waits = self.lock(task, lock, false);
                if waits {
                    self.at[task] += skip;
                    self.locks[lock].queue.pop_back();
                    self.driver.touch(object(1, lock), Effect::Write);
                    self.hand_over(lock);
                }
                self.notes[task].push(u32::from(!waits));
            }
            Op::LockShared(lock) => return self.lock(task, lock, true),
            Op::Unlock(lock) => {
                self.locks[lock].writer = false;
                self.hand_over(lock);
            }
            Op::UnlockShared(lock) => {
                self.locks[lock].readers -= 1;
                self.hand_over(lock);
            }
            Op::Take(lock) => assert!(!std::mem::replace(&mut self.taken[lock], true)),
            Op::Give(lock) => self.taken[lock] = false,
            Op::Acquire(semaphore) if self.permits[semaphore] == 0 => {
                self.waiting[semaphore].push_back(task);
                return true;
            }
            Op::Acquire(semaphore) => self.permits[semaphore] -= 1,
            Op::Release(semaphore) => match self.waiting[semaphore].pop_front() {
                Some(first) => self.wake(first),
                None => self.permits[semaphore] += 1,
            },
            Op::Send(channel, message) => return self.send(task, channel, message),
            Op::Receive(channel) => return self.receive(task, channel),
            Op::Notify(notify) => match self.notified[notify].1.pop_front() {
                Some(first) => self.wake(first),
                None => self.notified[notify].0 = true,
            },
            Op::Wait(notify) if !std::mem::take(&mut self.notified[notify].0) => {
                self.notified[notify].1.push_back(task);
                return true;
            }
            Op::Wait(_) | Op::Yield => {}
            Op::Spawn(child) => self.start(child, Some(task as u32)),
            Op::Join(other) if self.state[other] == State::Done => {
                self.driver.granted(object(6, other), Effect::QueueShared);
            }
            Op::Join(other) => {
                self.joiners[other].push(task);
                return true;
            }
            Op::TryLock(..) | Op::TryTake(..) | Op::Choose(_) | Op::Unless(..) => unreachable!(),
        }
        false
    }

    /// Takes a lock that is free; one that is not is only looked at.
    fn attempt(
        &mut self,
        task: usize,
        object: u64,
        free: bool,
        skip: usize,
        take: impl FnOnce(&mut Self),
    ) -> bool {
        self.driver.touch(object, if free { Effect::Write } else { Effect::Read });
        self.notes[task].push(u32::from(free));
        match free {
            true => take(self),
            false => self.at[task] += skip,
        }
        false
    }

    fn lock(&mut self, task: usize, number: usize, shared: bool) -> bool {
        self.locks[number].queue.push_back((task, shared));
        let granted = self.grant(number) == Some(task);
        if granted {
            let effect = if shared { Effect::QueueShared } else { Effect::Queue };
            self.driver.granted(object(1, number), effect);
        }
        !granted
    }

    /// Takes the first one out of the queue if the lock is free for it.
    fn grant(&mut self, number: usize) -> Option<usize> {
        let lock = &mut self.locks[number];
        let &(task, shared) = lock.queue.front()?;
        if lock.writer || lock.readers > 0 && !shared {
            return None;
        }
        lock.queue.pop_front();
        match shared {
            true => lock.readers += 1,
            false => lock.writer = true,
        }
        Some(task)
    }

    fn hand_over(&mut self, number: usize) {
        while let Some(task) = self.grant(number) {
            self.wake(task);
        }
    }

    fn send(&mut self, task: usize, number: usize, message: u32) -> bool {
        let capacity = self.program.capacity[number];
        let channel = &mut self.channels[number];
        if let Some(receiver) = channel.receivers.pop_front() {
            self.notes[receiver].push(message);
            self.wake(receiver);
        } else if channel.messages.len() < capacity {
            channel.messages.push_back(message);
        } else {
            channel.senders.push_back((task, message));
            return true;
        }
        false
    }

    fn receive(&mut self, task: usize, number: usize) -> bool {
        let channel = &mut self.channels[number];
        let Some(message) = channel.messages.pop_front() else {
            channel.receivers.push_back(task);
            return true;
        };
        let sender = channel.senders.pop_front();
        if let Some((_, message)) = sender {
            channel.messages.push_back(message);
        }
        self.notes[task].push(message);
        if let Some((sender, _)) = sender {
            self.wake(sender);
        }
        false
    }
}
