//! Random small programs.

use super::machine::{Op, Program};

/// A program with the usual semaphores and channels.
pub(crate) fn program(tasks: Vec<Vec<Op>>) -> Program {
    Program { tasks, permits: vec![1, 2], capacity: vec![1, 2], main_ends: false }
}

/// A generator of small numbers (SplitMix64).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % bound as u64) as usize
    }
}

/// The program of a seed: two to four tasks with a few operations each.
pub(crate) fn random(seed: u64) -> Program {
    let mut draw = Draw(seed);
    let count = 2 + draw.below(3);
    let mut tasks: Vec<Vec<Op>> = (0..count).map(|_| task(&mut draw, 5 - count)).collect();
    if draw.below(3) == 0 {
        tasks[0].insert(0, Op::Spawn(1));
        if draw.below(2) == 0 {
            tasks[0].push(Op::Join(1));
        }
    }
    if draw.below(4) == 0 {
        let last = count - 1;
        tasks[0].push(Op::Join(last));
    }
    Program { main_ends: draw.below(3) == 0, ..program(tasks) }
}

fn task(draw: &mut Draw, blocks: usize) -> Vec<Op> {
    (0..1 + draw.below(blocks)).flat_map(|_| block(draw)).collect()
}

/// Operations that belong together. Now and then a lock is not given back, or given up early.
fn block(draw: &mut Draw) -> Vec<Op> {
    let (lock, cell, channel) = (draw.below(2), draw.below(2), draw.below(2));
    let inner = match draw.below(4) {
        0 => Op::Load(cell),
        1 => Op::Add(cell),
        2 => Op::Store(cell, draw.below(3) as u32),
        _ => Op::Yield,
    };
    match draw.below(18) {
        0 | 1 => vec![Op::Load(cell)],
        2 => vec![Op::Store(cell, draw.below(3) as u32)],
        3 => vec![Op::Add(cell)],
        4 | 5 => vec![Op::Lock(lock), inner, Op::Unlock(lock)],
        6 => vec![Op::LockShared(lock), inner, Op::UnlockShared(lock)],
        7 => vec![Op::TryLock(lock, 2), inner, Op::Unlock(lock)],
        8 => vec![Op::Take(lock), inner, Op::Give(lock)],
        9 => vec![Op::TryTake(lock, 2), inner, Op::Give(lock)],
        10 => vec![Op::Acquire(lock), inner, Op::Release(lock)],
        11 => vec![Op::Send(channel, draw.below(9) as u32)],
        12 => vec![Op::Receive(channel)],
        13 => vec![[Op::Notify(0), Op::Wait(0)][draw.below(2)]],
        14 => vec![Op::Glance(lock, 2), inner, Op::Unlock(lock)],
        15 => vec![Op::Choose(2), Op::Unless(1, 3), Op::TryLock(lock, 2), inner, Op::Unlock(lock)],
        16 => vec![Op::Choose(2), Op::Unless(1, 1), inner],
        _ => vec![Op::Load(cell), Op::Unless(1, 1), inner],
    }
}
