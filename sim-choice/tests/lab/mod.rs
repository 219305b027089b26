//! A laboratory for strategies: small programs as values, and a machine that runs them step by step.
//!
//! A task pauses before each instruction that touches something shared, as a task of `sim` does at its
//! scheduling points, and a task that waits for a lock goes on without a new announcement when it is handed
//! over. So strategies can be measured in microseconds a run, without the executor.

pub mod programs;

use sim_choice::{Access, Announced, Candidates, Choices, Kind, Path, Profile, Seed, Strategy};
use std::{collections::VecDeque, sync::Arc};

/// The registers of a task.
pub type Regs = [i64; 6];

/// An instruction. Variables and locks have numbers of their own.
#[derive(Clone, Copy)]
pub enum Do {
    /// Reads a variable into a register.
    Load(usize, usize),
    /// Sets a variable.
    Store(usize, fn(&Regs) -> i64),
    /// Reads a variable into a register and adds to it, at once.
    Add(usize, i64, usize),
    /// Takes a lock; waits in order of coming.
    Lock(usize),
    Unlock(usize),
    /// Gives a lock back and waits to be woken on a condition; the lock has to be taken again.
    Wait(usize, usize),
    /// Wakes the first that waits on a condition.
    Notify(usize),
    /// Starts a task of that code, with register 0 set.
    Spawn(usize, i64),
    /// Waits until all tasks but main have ended.
    JoinAll,
    /// Computes in registers: no scheduling point.
    Let(usize, fn(&Regs) -> i64),
    /// Goes to the instruction of that number if the condition holds: no scheduling point.
    JumpIf(fn(&Regs) -> bool, usize),
    /// The program fails unless the condition holds: no scheduling point.
    Assert(fn(&Regs) -> bool),
    /// Lets others run.
    Yield,
}

/// Code by number; main is number 0.
pub struct Program {
    pub name: &'static str,
    pub code: Vec<Vec<Do>>,
}

struct Task {
    code: usize,
    at: usize,
    regs: Regs,
    ended: bool,
    /// Has announced the instruction that it stands at.
    announced: bool,
}

#[derive(Default)]
struct Lock {
    held: bool,
    waiting: VecDeque<usize>,
}

const VARIABLES: usize = 256;
const STEPS_MAX: u32 = 20_000;

struct Machine<'a> {
    code: &'a [Vec<Do>],
    tasks: Vec<Task>,
    variables: Vec<i64>,
    locks: Vec<Lock>,
    conditions: Vec<VecDeque<(usize, usize)>>,
    joining: bool,
    failed: bool,
    /// Objects in order of first use: the number of each in this run.
    numbers: Vec<u32>,
    used: u32,
}

struct Ready<'a, 'b> {
    tasks: &'a [usize],
    current: bool,
    steps: &'b [Option<Announced>],
}

impl Candidates for Ready<'_, '_> {
    fn len(&self) -> u32 {
        self.tasks.len() as u32
    }

    fn task(&self, i: u32) -> u32 {
        self.tasks[i as usize] as u32
    }

    fn announced(&self, i: u32) -> Option<Announced> {
        self.steps[i as usize]
    }

    fn is_current(&self) -> bool {
        self.current
    }
}

/// Runs the program once; whether it failed: by an assertion, or as nobody can go on.
pub fn fails(program: &Program, choices: &mut Choices) -> bool {
    run(program, choices).0
}

/// Runs the program once; whether it failed, and how many steps it took.
pub fn run(program: &Program, choices: &mut Choices) -> (bool, u32) {
    let mut machine = Machine {
        code: &program.code,
        tasks: Vec::new(),
        variables: vec![0; VARIABLES],
        locks: (0..VARIABLES).map(|_| Lock::default()).collect(),
        conditions: vec![VecDeque::new(); VARIABLES],
        joining: false,
        failed: false,
        numbers: vec![0; 3 * VARIABLES],
        used: 0,
    };
    let mut ready: Vec<usize> = Vec::new();
    machine.spawn(0, 0, None, choices, &mut ready);
    let mut current = false;
    for step in 0..STEPS_MAX {
        if ready.is_empty() {
            return (machine.tasks.iter().any(|task| !task.ended), step);
        }
        let steps: Vec<_> = ready.iter().map(|&task| machine.announced(task, choices)).collect();
        let kind = if current { Kind::Preempt } else { Kind::Next };
        let candidates = Ready { tasks: &ready, current, steps: &steps };
        let picked = choices.pick(kind, Path::MAIN, &candidates) as usize;
        let task = ready.remove(picked);
        if choices.is_watched() {
            choices.goes_on(task as u32, steps[picked]);
        }
        current = machine.turn(task, choices, &mut ready);
        if machine.failed {
            return (true, step);
        }
        if current {
            ready.insert(0, task);
        }
    }
    (false, STEPS_MAX)
}

impl Machine<'_> {
    fn spawn(
        &mut self,
        code: usize,
        argument: i64,
        parent: Option<usize>,
        choices: &mut Choices,
        ready: &mut Vec<usize>,
    ) {
        let number = self.tasks.len();
        let mut regs = [0; 6];
        regs[0] = argument;
        self.tasks.push(Task { code, at: 0, regs, ended: false, announced: false });
        choices.spawned(number as u32, parent.map(|parent| parent as u32));
        if choices.is_watched() {
            choices.name_task(number as u32, code as u64 + 1);
        }
        ready.push(number);
    }

    /// What the task is about to do, if it stands before an instruction and not within one.
    fn announced(&mut self, task: usize, choices: &mut Choices) -> Option<Announced> {
        let task = &self.tasks[task];
        if !task.announced {
            return None;
        }
        let (object, access) = match self.code[task.code][task.at] {
            Do::Load(variable, _) => (variable, Access::Read),
            Do::Store(variable, _) | Do::Add(variable, ..) => (variable, Access::Write),
            Do::Lock(lock) => (VARIABLES + lock, Access::Acquire),
            Do::Unlock(lock) => (VARIABLES + lock, Access::Release),
            Do::Wait(condition, _) => (2 * VARIABLES + condition, Access::Wait),
            Do::Notify(condition) => (2 * VARIABLES + condition, Access::Notify),
            Do::Spawn(..) => return Some(Announced { object: 0, access: Access::Spawn }),
            Do::JoinAll => return Some(Announced { object: 0, access: Access::Join }),
            _ => return Some(Announced { object: 0, access: Access::Yield }),
        };
        if self.numbers[object] == 0 {
            self.used += 1;
            self.numbers[object] = self.used;
        }
        let number = self.numbers[object];
        choices.name(number, || object as u64 + 1);
        Some(Announced { object: number, access })
    }

    /// Runs the task to its next scheduling point; false if it waits or has ended.
    fn turn(&mut self, number: usize, choices: &mut Choices, ready: &mut Vec<usize>) -> bool {
        let mut acted = false;
        loop {
            let task = &mut self.tasks[number];
            let Some(&instruction) = self.code[task.code].get(task.at) else {
                task.ended = true;
                if choices.is_watched() {
                    choices.ended(number as u32);
                }
                if self.joining && self.tasks[1..].iter().all(|task| task.ended) {
                    self.joining = false;
                    self.wake(0, number, choices, ready);
                }
                return false;
            };
            match instruction {
                Do::Let(register, value) => task.regs[register] = value(&task.regs),
                Do::JumpIf(condition, to) => {
                    if condition(&task.regs) {
                        task.at = to;
                        continue;
                    }
                }
                Do::Assert(condition) => self.failed |= !condition(&task.regs),
                // Everything else is announced first, then done.
                _ if acted || !task.announced => {
                    task.announced = true;
                    return true;
                }
                _ => {
                    task.announced = false;
                    acted = true;
                    if !self.act(number, instruction, choices, ready) {
                        return false;
                    }
                }
            }
            self.tasks[number].at += 1;
        }
    }

    fn wake(&mut self, task: usize, by: usize, choices: &mut Choices, ready: &mut Vec<usize>) {
        if choices.is_watched() {
            choices.woken(task as u32, Some(by as u32));
        }
        ready.push(task);
    }

    /// Does the instruction; false if the task waits, which then stands behind it.
    fn act(
        &mut self,
        number: usize,
        instruction: Do,
        choices: &mut Choices,
        ready: &mut Vec<usize>,
    ) -> bool {
        let regs = &mut self.tasks[number].regs;
        match instruction {
            Do::Load(variable, register) => regs[register] = self.variables[variable],
            Do::Store(variable, value) => self.variables[variable] = value(regs),
            Do::Add(variable, amount, register) => {
                regs[register] = self.variables[variable];
                self.variables[variable] += amount;
            }
            Do::Lock(lock) if !self.locks[lock].held => self.locks[lock].held = true,
            Do::Lock(lock) => {
                self.locks[lock].waiting.push_back(number);
                self.tasks[number].at += 1;
                return false;
            }
            Do::Unlock(lock) => self.unlock(lock, number, choices, ready),
            Do::Wait(condition, lock) => {
                self.conditions[condition].push_back((number, lock));
                self.unlock(lock, number, choices, ready);
                self.tasks[number].at += 1;
                return false;
            }
            Do::Notify(condition) => {
                if let Some((task, lock)) = self.conditions[condition].pop_front() {
                    if self.locks[lock].held {
                        self.locks[lock].waiting.push_back(task);
                    } else {
                        self.locks[lock].held = true;
                        self.wake(task, number, choices, ready);
                    }
                }
            }
            Do::Spawn(code, argument) => self.spawn(code, argument, Some(number), choices, ready),
            Do::JoinAll if self.tasks[1..].iter().all(|task| task.ended) => {}
            Do::JoinAll => {
                self.joining = true;
                self.tasks[number].at += 1;
                return false;
            }
            Do::Yield => {}
            Do::Let(..) | Do::JumpIf(..) | Do::Assert(_) => unreachable!("it is no point"),
        }
        true
    }

    /// Hands a lock to the first that waits.
    fn unlock(&mut self, lock: usize, by: usize, choices: &mut Choices, ready: &mut Vec<usize>) {
        match self.locks[lock].waiting.pop_front() {
            Some(task) => self.wake(task, by, choices, ready),
            None => self.locks[lock].held = false,
        }
    }
}

/// What a check learns of the program before its runs of this base seed.
pub fn profile(program: &Program, strategy: Strategy, base: Seed) -> Result<Profile, u64> {
    let mut choices = Choices::new();
    let mut profile = Profile::new();
    for i in 0..Profile::RUNS {
        choices.start(Profile::seed(base.derive(0).series(), i), strategy);
        choices.learn();
        if fails(program, &mut choices) {
            return Err(i + 1);
        }
        profile.add(&choices);
    }
    Ok(profile)
}

/// Runs until the program fails, as a check does: those of the profile first. None after `limit` runs.
pub fn runs_to_fail(program: &Program, strategy: Strategy, base: Seed, limit: u64) -> Option<u64> {
    let mut choices = Choices::new();
    let mut first = 0;
    if strategy.counts() {
        match profile(program, strategy, base) {
            Err(runs) => return Some(runs),
            Ok(profile) => choices.set_profile(Arc::new(profile)),
        }
        first = Profile::RUNS;
    }
    let mut fails = |i: &u64| {
        choices.start(base.derive(*i), strategy);
        fails(program, &mut choices)
    };
    (first..limit).find(|i| fails(i)).map(|i| i + 1)
}
