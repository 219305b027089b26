//! Fibers that run off their stacks: they end, the process does not.

#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

use sim_sys::fiber::{Fiber, Outcome, Stack, on_fiber, stack_remaining, suspend};
use std::{
    cell::Cell, env, hint::black_box, os::unix::process::ExitStatusExt, process, rc::Rc, thread,
};

const SIZE: usize = 64 << 10;

fn stack() -> Stack {
    Stack::new(SIZE).unwrap()
}

#[allow(unconditional_recursion)] // the end of the stack is what is tested
fn recurse(depth: u64) -> u64 {
    let filler = black_box([depth; 64]);
    recurse(depth + 1) + filler[3]
}

/// It overflows within malloc more often than not, which then holds a lock.
#[cfg(target_arch = "x86_64")]
#[allow(unconditional_recursion)]
fn recurse_and_allocate(depth: u64) -> u64 {
    let filler = black_box(vec![depth; 40]);
    recurse_and_allocate(depth + 1) + filler[3]
}

/// Each call takes more than a page, so that the compiler probes the stack page by page.
#[allow(unconditional_recursion)]
fn recurse_in_strides(depth: u64) -> u64 {
    let filler = black_box([depth; 4096]);
    recurse_in_strides(depth + 1) + filler[3]
}

/// Overflows a few fibers on each of a few threads at once; the threads are usable after it.
fn check(recurse: fn(u64) -> u64) {
    let overflow = move || {
        for _ in 0..20 {
            let mut fiber = Fiber::new(stack(), move || {
                black_box(recurse(0));
            });
            assert_eq!(fiber.resume(), Outcome::Overflowed);
            assert!(!on_fiber());
            assert!(fiber.into_stack().is_none(), "others may point to what is on the stack");
            black_box(vec![0_u8; 5000]);
        }
    };
    let threads: Vec<_> = (0..4).map(|_| thread::spawn(overflow)).collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    overflow();
}

#[test]
fn a_recursion_without_end() {
    check(recurse);
}

#[test]
fn a_recursion_of_large_frames() {
    check(recurse_in_strides);
}

#[cfg(target_arch = "x86_64")] // Elsewhere the process ends, with a message.
#[test]
fn a_recursion_that_allocates() {
    check(recurse_and_allocate);
}

#[test]
fn an_overflow_on_a_thread_that_has_no_signal_stack() {
    let overflow = || {
        let none =
            libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: libc::SS_DISABLE, ss_size: 0 };
        // SAFETY: the thread does without a signal stack, as those that std did not start.
        assert_eq!(unsafe { libc::sigaltstack(&none, std::ptr::null_mut()) }, 0);
        let mut fiber = Fiber::new(stack(), || {
            black_box(recurse(0));
        });
        assert_eq!(fiber.resume(), Outcome::Overflowed);
    };
    thread::spawn(overflow).join().unwrap();
}

#[test]
fn an_overflow_after_a_suspension() {
    let mut fiber = Fiber::new(stack(), || {
        suspend();
        black_box(recurse(0));
    });
    assert_eq!(fiber.resume(), Outcome::Suspended);
    assert_eq!(fiber.resume(), Outcome::Overflowed);
}

#[test]
fn an_overflow_within_a_fiber_of_a_fiber_ends_the_inner_one() {
    let mut outer = Fiber::new(stack(), || {
        let mut inner = Fiber::new(stack(), || {
            black_box(recurse(0));
        });
        assert_eq!(inner.resume(), Outcome::Overflowed);
        suspend();
    });
    assert_eq!(outer.resume(), Outcome::Suspended);
    assert_eq!(outer.resume(), Outcome::Finished);
}

#[test]
fn an_overflow_of_a_scoped_fiber_keeps_its_stack() {
    let calls = Cell::new(0);
    let body = || {
        calls.set(1);
        black_box(recurse(0));
    };
    let (outcome, stack) = Fiber::scope(stack(), body, Fiber::resume);
    assert_eq!((outcome, calls.get()), (Outcome::Overflowed, 1));
    assert!(stack.is_none());
}

#[test]
fn what_is_at_the_top_of_an_overflowed_stack_stays_as_it_is() {
    let place = Rc::new(Cell::new(None));
    let mut fiber = Fiber::new(stack(), {
        let place = place.clone();
        move || {
            let pinned = [Cell::new(0x5eed_u64); 1];
            place.set(Some(std::ptr::from_ref(&pinned[0])));
            black_box(recurse(0));
        }
    });
    assert_eq!(fiber.resume(), Outcome::Overflowed);
    // SAFETY: the frame was never left, and its stack is leaked.
    assert_eq!(unsafe { &*place.get().unwrap() }.get(), 0x5eed);
}

#[test]
fn a_fiber_knows_how_much_of_its_stack_is_left() {
    assert_eq!(stack_remaining(), None);
    let mut fiber = Fiber::new(stack(), || {
        let left = stack_remaining().unwrap();
        assert!(left > SIZE / 2, "{left}");
        assert!(left < SIZE, "{left}");
    });
    assert_eq!(fiber.resume(), Outcome::Finished);
}

/// Runs one test of this file in a process of its own; gives the signal that ended it.
fn signal_of(test: &str, fault: fn()) -> Option<i32> {
    const CHILD: &str = "SIM_SYS_TEST_FAULT";
    if env::var_os(CHILD).is_some() {
        fault();
        process::exit(0);
    }
    let mut child = process::Command::new(env::current_exe().unwrap());
    let output = child.args(["--exact", test]).env(CHILD, "1").output().unwrap();
    output.status.signal()
}

/// Touches memory that is nobody's.
fn fault() {
    let nowhere = black_box(std::ptr::without_provenance::<u8>(16));
    // SAFETY: none; that it faults is what is tested.
    black_box(unsafe { nowhere.read_volatile() });
}

#[test]
fn other_faults_of_a_fiber_end_the_process() {
    let signal = signal_of("other_faults_of_a_fiber_end_the_process", || {
        Fiber::new(stack(), fault).resume();
    });
    assert_eq!(signal, Some(libc::SIGSEGV));
}

#[test]
fn an_overflow_of_a_threads_own_stack_ends_the_process_as_std_does() {
    let name = "an_overflow_of_a_threads_own_stack_ends_the_process_as_std_does";
    let signal = signal_of(name, || {
        Fiber::new(stack(), || ()).resume();
        black_box(recurse(0));
    });
    assert_eq!(signal, Some(libc::SIGABRT));
}

#[test]
fn a_breakpoint_ends_the_process() {
    let signal = signal_of("a_breakpoint_ends_the_process", || {
        let trap = || {
            // SAFETY: it touches no memory.
            unsafe { libc::raise(libc::SIGTRAP) };
        };
        Fiber::new(stack(), trap).resume();
    });
    assert_eq!(signal, Some(libc::SIGTRAP));
}

/// More stacks than there can be with two mappings each; one of them overflows.
#[test]
fn very_many_stacks() {
    let count = if guards_without_mappings() { 40_000 } else { 20_000 };
    let stacks: Vec<_> = (0..count).map(|_| stack()).collect();
    check(recurse);
    check(recurse_in_strides);
    #[cfg(target_arch = "x86_64")]
    check(recurse_and_allocate);
    drop(stacks);
}

/// Linux 6.13 and later close memory without a mapping of its own.
fn guards_without_mappings() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.trim().parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(13))
}
