//! Fibers: switching, borrowing, unwinding, and the end of the stack.

use sim_sys::fiber::{Fiber, Outcome, Stack, on_fiber, suspend};
use std::{cell::Cell, hint::black_box, rc::Rc, thread};

fn stack() -> Stack {
    Stack::new(64 << 10).unwrap()
}

#[test]
fn a_fiber_is_suspended_in_the_middle_of_its_calls() {
    let seen = Rc::new(Cell::new(0));
    let mut fiber = Fiber::new(stack(), {
        let seen = seen.clone();
        move || {
            for i in 1..=3 {
                seen.set(i);
                assert!(on_fiber());
                suspend();
            }
        }
    });
    for i in 1..=3 {
        assert_eq!((fiber.resume(), seen.get()), (Outcome::Suspended, i));
        assert!(!on_fiber());
    }
    assert_eq!(fiber.resume(), Outcome::Finished);
    assert!(fiber.into_stack().is_some());
}

#[test]
fn fibers_nest() {
    let mut outer = Fiber::new(stack(), || {
        let mut inner = Fiber::new(stack(), suspend);
        assert_eq!(inner.resume(), Outcome::Suspended);
        suspend();
        assert_eq!(inner.resume(), Outcome::Finished);
    });
    assert_eq!(outer.resume(), Outcome::Suspended);
    assert_eq!(outer.resume(), Outcome::Finished);
}

#[test]
fn a_scoped_fiber_borrows_and_is_unwound_at_the_end() {
    struct Note<'a>(&'a Cell<u32>);
    impl Drop for Note<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let dropped = Cell::new(0);
    let body = || {
        let _note = Note(&dropped);
        suspend();
        unreachable!("it is not resumed again");
    };
    let (outcome, stack) = Fiber::scope(stack(), body, |fiber| fiber.resume());
    assert_eq!(outcome, Outcome::Suspended);
    assert_eq!(dropped.get(), 1);
    assert!(stack.is_some());
}

#[test]
fn an_abandoned_fiber_drops_nothing() {
    let count = Rc::new(());
    let mut fiber = Fiber::new(stack(), {
        let count = count.clone();
        move || {
            let _count = count;
            suspend();
        }
    });
    fiber.resume();
    fiber.abandon();
    assert_eq!(Rc::strong_count(&count), 2);
}

#[allow(unconditional_recursion)] // the end of the stack is what is tested
fn recurse(depth: u64) -> u64 {
    let filler = black_box([depth; 64]);
    recurse(depth + 1) + filler[3]
}

#[test]
fn a_stack_that_overflows_ends_the_fiber_only() {
    let overflow = || {
        for _ in 0..3 {
            let mut fiber = Fiber::new(stack(), || {
                black_box(recurse(0));
            });
            assert_eq!(fiber.resume(), Outcome::Overflowed);
        }
    };
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(overflow)).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    overflow();
}
