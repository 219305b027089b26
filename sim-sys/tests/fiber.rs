//! Fibers: switching, borrowing, unwinding.

use sim_sys::fiber::{Fiber, Outcome, Stack, on_fiber, suspend};
use std::{
    cell::Cell,
    env, mem,
    panic::{self, AssertUnwindSafe},
    process,
    rc::Rc,
};

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

#[test]
fn a_panic_goes_on_in_resume_and_leaves_no_fiber_behind() {
    let mut outer = Fiber::new(stack(), || {
        let mut inner = Fiber::new(stack(), || panic::resume_unwind(Box::new(7)));
        let caught = panic::catch_unwind(AssertUnwindSafe(|| inner.resume()));
        assert_eq!(*caught.unwrap_err().downcast::<i32>().unwrap(), 7);
        assert!(on_fiber());
        suspend();
    });
    assert_eq!(outer.resume(), Outcome::Suspended);
    assert!(!on_fiber());
    assert_eq!(outer.resume(), Outcome::Finished);
}

#[test]
fn destructors_of_an_unwound_fiber_run_on_it() {
    struct Note(Rc<Cell<bool>>);
    impl Drop for Note {
        fn drop(&mut self) {
            self.0.set(on_fiber());
        }
    }
    let seen = Rc::new(Cell::new(false));
    let mut fiber = Fiber::new(stack(), {
        let note = Note(seen.clone());
        move || {
            let _note = note;
            suspend();
        }
    });
    fiber.resume();
    assert!(fiber.is_suspended());
    fiber.unwind();
    assert!(seen.get());
    assert!(!on_fiber());
    assert!(!fiber.is_suspended());
    assert!(fiber.into_stack().is_some());
}

#[test]
fn a_fiber_that_never_ran_drops_its_closure() {
    let count = Rc::new(());
    let held = count.clone();
    let fiber = Fiber::new(stack(), move || drop(held));
    assert!(fiber.into_stack().is_some());
    assert_eq!(Rc::strong_count(&count), 1);
}

#[test]
fn a_fiber_can_be_moved_while_it_is_suspended() {
    let fibers = (0..3).map(|_| Fiber::new(stack(), || (0..3).for_each(|_| suspend())));
    let mut fibers: Vec<Fiber> = fibers.collect();
    for _ in 0..3 {
        fibers.rotate_left(1);
        let mut boxed: Vec<Box<Fiber>> = fibers.into_iter().map(Box::new).collect();
        assert!(boxed.iter_mut().all(|fiber| fiber.resume() == Outcome::Suspended));
        fibers = boxed.into_iter().map(|fiber| *fiber).collect();
    }
    assert!(fibers.iter_mut().all(|fiber| fiber.resume() == Outcome::Finished));
}

#[test]
fn stacks_are_used_again() {
    let mut spare = stack();
    for _ in 0..100 {
        let mut fiber = Fiber::new(spare, suspend);
        assert_eq!(fiber.resume(), Outcome::Suspended);
        assert_eq!(fiber.resume(), Outcome::Finished);
        spare = fiber.into_stack().unwrap();
    }
}

#[test]
fn a_stack_larger_than_memory_is_an_error() {
    assert!(Stack::new(usize::MAX).is_err());
    assert!(Stack::new(usize::MAX >> 1).is_err());
}

#[test]
#[should_panic = "only a fiber can be suspended"]
fn suspend_outside_of_a_fiber() {
    suspend();
}

#[test]
fn a_scope_ends_its_fiber_when_its_driver_panics() {
    let ended = Cell::new(false);
    struct End<'a>(&'a Cell<bool>);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let body = || {
        let _end = End(&ended);
        suspend();
    };
    let drive = |fiber: &mut Fiber| {
        fiber.resume();
        panic::resume_unwind(Box::new(()));
    };
    let scope = || Fiber::scope(stack(), body, drive);
    assert!(panic::catch_unwind(AssertUnwindSafe(scope)).is_err());
    assert!(ended.get());
}

#[test]
fn a_scoped_fiber_cannot_leave_its_scope() {
    const CHILD: &str = "SIM_SYS_TEST_ESCAPE";
    if env::var_os(CHILD).is_some() {
        let mut escaped = Fiber::new(stack(), || ());
        let local = Cell::new(0);
        Fiber::scope(stack(), || local.set(1), |fiber| mem::swap(fiber, &mut escaped));
        process::exit(0);
    }
    let mut child = process::Command::new(env::current_exe().unwrap());
    let this = ["--exact", "a_scoped_fiber_cannot_leave_its_scope", "--nocapture"];
    let output = child.args(this).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("a scoped fiber was taken out of its scope"), "{said}");
    assert!(!output.status.success());
}

/// Waits as it is dropped.
struct Waits(Rc<Cell<u32>>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
        suspend();
        self.0.set(self.0.get() + 10);
    }
}

#[test]
fn a_fiber_that_waits_while_it_is_unwound_is_left_as_it_stands() {
    let dropped = Rc::new(Cell::new(0));
    let waits = Waits(dropped.clone());
    let mut fiber = Fiber::new(stack(), move || {
        let _waits = waits;
        suspend();
    });
    fiber.resume();
    fiber.unwind();
    assert!(fiber.is_suspended());
    assert!(fiber.into_stack().is_none());
    assert_eq!(dropped.get(), 1);
}
