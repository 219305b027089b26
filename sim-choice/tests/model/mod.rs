//! A model of a program: tasks of so many steps each, which may be interrupted before every step.

use sim_choice::{Candidates, Choices, Kind, Path};

pub(crate) struct Ready {
    pub(crate) tasks: Vec<u32>,
    pub(crate) current: bool,
}

impl Candidates for Ready {
    fn len(&self) -> u32 {
        self.tasks.len() as u32
    }

    fn task(&self, i: u32) -> u32 {
        self.tasks[i as usize]
    }

    fn is_current(&self) -> bool {
        self.current
    }
}

/// Runs one step after the other, until no task is ready: the tasks in the order of their steps. `step` tells
/// whether the task is ready for another one.
pub(crate) fn run(
    choices: &mut Choices,
    tasks: u32,
    mut step: impl FnMut(u32) -> bool,
) -> Vec<u32> {
    for task in 0..tasks {
        choices.spawned(task, None);
    }
    let mut order = Vec::new();
    let mut ready = Ready { tasks: (0..tasks).collect(), current: false };
    while !ready.tasks.is_empty() {
        let kind = if ready.current { Kind::Preempt } else { Kind::Next };
        let picked = choices.pick(kind, Path::MAIN, &ready);
        let task = ready.tasks.remove(picked as usize);
        if choices.is_watched() {
            choices.goes_on(task, None);
        }
        order.push(task);
        ready.current = step(task);
        if ready.current {
            ready.tasks.insert(0, task);
        }
    }
    order
}

/// Runs tasks of a fixed number of steps each.
pub(crate) fn run_steps(choices: &mut Choices, steps: &[u32]) -> Vec<u32> {
    let mut left = steps.to_vec();
    run(choices, steps.len() as u32, |task| {
        left[task as usize] -= 1;
        left[task as usize] > 0
    })
}
