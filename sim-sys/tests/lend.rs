//! Closures that a scope lends come back before it ends.

use sim_sys::lend::scope;
use std::{
    cell::RefCell,
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    process, thread,
};

type Lent = Box<dyn FnOnce() + Send>;

#[test]
fn closures_borrow_and_are_called_on_other_threads() {
    let mut sum = 0;
    let threads = RefCell::new(Vec::new());
    scope(
        (),
        |scope| threads.borrow_mut().push(thread::spawn(scope.lend(|| sum += 1))),
        |()| threads.take().into_iter().for_each(|thread| thread.join().unwrap()),
    );
    assert_eq!(sum, 1);
}

#[test]
fn a_closure_that_is_dropped_is_back() {
    let word = String::from("borrowed");
    scope((), |scope| drop(scope.lend(|| assert_eq!(word.len(), 8))), |()| ());
}

#[test]
fn a_closure_that_panics_is_back() {
    let word = String::from("borrowed");
    let lent = RefCell::new(None::<Lent>);
    scope(
        (),
        |scope| *lent.borrow_mut() = Some(scope.lend(|| panic!("{word}"))),
        |()| {
            let lent = lent.take().unwrap();
            assert!(catch_unwind(AssertUnwindSafe(lent)).is_err());
        },
    );
}

#[test]
fn what_is_kept_lasts_as_long_as_the_scope() {
    let lent = RefCell::new(None::<Lent>);
    let seen = std::sync::Mutex::new(0);
    scope(
        7,
        |scope| {
            let kept = scope.keep((1, scope.data()));
            let seen = &seen;
            *lent.borrow_mut() = Some(scope.lend(move || *seen.lock().unwrap() = kept.0 + kept.1));
        },
        |_| lent.take().unwrap()(),
    );
    assert_eq!(seen.into_inner().unwrap(), 8);
}

/// The test again, in a process of its own, which ends by `abort`.
fn aborts(name: &str, body: fn()) {
    if env::var_os("LEND_CHILD").is_some() {
        return body();
    }
    let output = process::Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env("LEND_CHILD", "1")
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("a scope ended before what it had lent came back"), "{text}");
}

#[test]
fn a_scope_that_would_end_too_early_ends_the_process() {
    aborts("a_scope_that_would_end_too_early_ends_the_process", || {
        scope((), |scope| std::mem::forget(scope.lend(|| ())), |()| ());
    });
}

#[test]
fn a_panic_ends_the_process_while_a_closure_is_out() {
    aborts("a_panic_ends_the_process_while_a_closure_is_out", || {
        let _ = catch_unwind(|| {
            scope(
                (),
                |scope| {
                    std::mem::forget(scope.lend(|| ()));
                    panic!("early")
                },
                |()| (),
            );
        });
    });
}
