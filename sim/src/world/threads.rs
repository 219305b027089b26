//! What belongs to a thread as std sees one: its handle, and its thread-local values.
//!
//! A thread of the simulation has a fiber of its own. Tasks see the worker on whose fiber they are polled, as
//! they see tokio's worker threads; with one worker that is the main thread, which drives the tasks then.

use super::{MAIN, MAIN_NODE, World};
use crate::{check::FailureKind, std::thread::Thread};
use std::{any::Any, collections::BTreeMap, rc::Rc};

/// The node of a thread and its fiber: a worker's fiber polls tasks of any node.
type Key = (u32, u32);

/// All threads of a run that anybody asked about, by their nodes and fibers.
#[derive(Default)]
pub(super) struct Threads {
    last_id: u32,
    by_fiber: BTreeMap<Key, State>,
}

#[derive(Default)]
struct State {
    thread: Option<Thread>,
    values: BTreeMap<u32, Value>,
    /// The keys of the values, in the order in which they were made.
    made: Vec<u32>,
}

enum Value {
    Alive(Rc<dyn Any>),
    Destroyed,
}

impl World {
    /// The next thread's id; they count from 1, which is the main thread's.
    pub(crate) fn next_thread_id(&self) -> u32 {
        let mut threads = self.threads.borrow_mut();
        threads.last_id = threads.last_id.max(1) + 1;
        threads.last_id
    }

    /// Whose thread the code that runs is on.
    fn thread_key(&self) -> Key {
        let running = self.running();
        let fiber = match !running.thread && self.is_current_thread() {
            true => MAIN,
            false => self.fiber.get(),
        };
        (self.current_node(), fiber)
    }

    /// The handle of the current thread.
    pub(crate) fn current_thread(&self) -> Thread {
        let key = self.thread_key();
        let known = self.threads.borrow().by_fiber.get(&key).and_then(|state| state.thread.clone());
        known.unwrap_or_else(|| {
            let site = {
                let table = self.table.borrow();
                let header = table.slots[self.running().slot as usize].header.as_ref();
                header.expect("what runs has a header").site
            };
            let thread = match key.1 {
                MAIN if key.0 != MAIN_NODE => {
                    Thread::simulated(self.next_thread_id(), Some("main".into()), site)
                }
                MAIN => Thread::simulated(1, Some("main".into()), site),
                // As tokio calls its workers.
                _ => Thread::simulated(self.next_thread_id(), Some("tokio-rt-worker".into()), site),
            };
            self.set_thread(key, thread.clone());
            thread
        })
    }

    /// Gives the thread that runs its handle.
    pub(crate) fn set_current_thread(&self, thread: Thread) {
        self.set_thread((self.current_node(), self.fiber.get()), thread);
    }

    fn set_thread(&self, key: Key, thread: Thread) {
        self.threads.borrow_mut().by_fiber.entry(key).or_default().thread = Some(thread);
    }

    /// The current thread's value of a thread-local, made by `init` at the first use; `None` if it
    /// has been destroyed.
    pub(crate) fn thread_local<T: 'static>(&self, key: u32, init: fn() -> T) -> Option<Rc<T>> {
        let thread = self.thread_key();
        let find = || {
            let threads = self.threads.borrow();
            match threads.by_fiber.get(&thread)?.values.get(&key)? {
                Value::Alive(value) => Some(Some(value.clone())),
                Value::Destroyed => Some(None),
            }
        };
        let value = match find() {
            Some(value) => value?,
            None => {
                // The program's code, and so outside of the borrow.
                let value: Rc<dyn Any> = Rc::new(init());
                let mut threads = self.threads.borrow_mut();
                let state = threads.by_fiber.entry(thread).or_default();
                let former = state.values.insert(key, Value::Alive(value.clone()));
                if former.is_none() {
                    state.made.push(key);
                }
                drop(threads);
                drop(former);
                value
            }
        };
        Some(value.downcast().expect("the value has the type of its key"))
    }

    /// The thread on the running fiber ends: destroys its values, the last made first, as glibc does.
    pub(super) fn end_thread_locals(&self) {
        let fiber = (self.current_node(), self.fiber.get());
        loop {
            let value = {
                let mut threads = self.threads.borrow_mut();
                let Some(state) = threads.by_fiber.get_mut(&fiber) else { return };
                let Some(key) = state.made.pop() else { return };
                state.values.insert(key, Value::Destroyed)
            };
            if super::tasks::drop_caught(value).is_err() {
                // std ends the process.
                let message = "a thread-local value panicked in its destructor".to_string();
                self.fail(FailureKind::Abort, message);
            }
        }
    }

    /// The fiber has ended, and its number may be another's.
    pub(super) fn forget_thread(&self, fiber: u32) {
        if self.threads.borrow().by_fiber.is_empty() {
            return;
        }
        self.forget_threads(|key| key.1 == fiber);
    }

    /// Forgets the threads whose keys are `wanted`. Their values are dropped outside of the borrow.
    pub(super) fn forget_threads(&self, wanted: impl Fn(Key) -> bool) {
        let former: Vec<State> = {
            let mut threads = self.threads.borrow_mut();
            threads.by_fiber.extract_if(.., |key, _| wanted(*key)).map(|it| it.1).collect()
        };
        let _ = super::tasks::drop_caught(former);
    }

    /// Forgets all threads of a run.
    pub(super) fn clear_threads(&self) {
        let former = {
            let mut threads = self.threads.borrow_mut();
            threads.last_id = 0;
            if threads.by_fiber.is_empty() {
                return;
            }
            std::mem::take(&mut threads.by_fiber)
        };
        let _ = super::tasks::drop_caught(former);
    }
}
