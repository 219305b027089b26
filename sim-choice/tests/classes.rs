//! What the class of a run tells apart, and what it does not.

use sim_choice::{Access, Announced, Choices, Seed, Strategy};

use Access::{AcquireShared, Read, Write};

/// A run of two tasks, spawned by a third, whose steps are task, object and access, in order.
fn class(steps: &[(u32, u32, Access)]) -> u64 {
    let mut choices = started();
    for &(task, object, access) in steps {
        choices.goes_on(task, (object != 0).then_some(Announced { object, access }));
    }
    choices.class().expect("it is watched")
}

fn started() -> Choices {
    let mut choices = Choices::new();
    choices.start(Seed(1), Strategy::Random);
    choices.watch();
    choices.spawned(0, None);
    choices.spawned(1, Some(0));
    choices.spawned(2, Some(0));
    choices
}

#[test]
fn steps_on_different_objects_may_change_places() {
    assert_eq!(class(&[(1, 1, Write), (2, 2, Write)]), class(&[(2, 2, Write), (1, 1, Write)]));
    // Also when the objects get their numbers in another order.
    assert_eq!(class(&[(1, 1, Write), (2, 2, Write)]), class(&[(2, 1, Write), (1, 2, Write)]));
}

#[test]
fn reads_of_one_object_may_change_places() {
    assert_eq!(class(&[(1, 1, Read), (2, 1, Read)]), class(&[(2, 1, Read), (1, 1, Read)]));
    let shared = |one, other| class(&[(one, 1, AcquireShared), (other, 1, AcquireShared)]);
    assert_eq!(shared(1, 2), shared(2, 1));
}

#[test]
fn steps_that_conflict_may_not() {
    assert_ne!(class(&[(1, 1, Write), (2, 1, Write)]), class(&[(2, 1, Write), (1, 1, Write)]));
    assert_ne!(class(&[(1, 1, Read), (2, 1, Write)]), class(&[(2, 1, Write), (1, 1, Read)]));
}

/// A read that comes between two writes is not one that comes after both.
#[test]
fn a_read_belongs_to_the_write_before_it() {
    let between = [(1, 1, Write), (2, 1, Read), (1, 1, Write)];
    let after = [(1, 1, Write), (1, 1, Write), (2, 1, Read)];
    assert_ne!(class(&between), class(&after));
}

/// What comes later in a task hangs on what came before in it.
#[test]
fn conflicts_are_inherited() {
    let first = [(1, 1, Write), (2, 1, Write), (2, 2, Write)];
    let second = [(2, 1, Write), (2, 2, Write), (1, 1, Write)];
    let third = [(2, 1, Write), (1, 1, Write), (2, 2, Write)];
    assert_ne!(class(&first), class(&second));
    assert_eq!(class(&second), class(&third));
}

#[test]
fn who_woke_a_task_matters() {
    let woken_by = |by| {
        let mut choices = started();
        choices.goes_on(1, Some(Announced { object: 1, access: Write }));
        choices.woken(2, by);
        choices.goes_on(2, None);
        choices.class()
    };
    assert_ne!(woken_by(Some(1)), woken_by(Some(0)));
    assert_ne!(woken_by(Some(1)), woken_by(None));
}

#[test]
fn a_join_knows_whether_its_task_has_ended() {
    let join = Announced { object: Announced::of_task(1), access: Access::Join };
    let mut before = started();
    before.goes_on(0, Some(join));
    before.goes_on(1, None);
    before.ended(1);
    let mut after = started();
    after.goes_on(1, None);
    after.ended(1);
    after.goes_on(0, Some(join));
    assert_ne!(before.class(), after.class());
}

/// Neither the seed nor what is drawn, only what happens.
#[test]
fn a_class_is_of_the_order_alone() {
    let run = |seed| {
        let mut choices = Choices::new();
        choices.start(Seed(seed), Strategy::Surw);
        choices.spawned(0, None);
        choices.entropy_word();
        choices.goes_on(0, Some(Announced { object: 1, access: Write }));
        choices.class().expect("surw watches")
    };
    assert_eq!(run(1), run(2));
    assert_eq!(started().class(), started().class());
}

#[test]
fn a_run_that_is_not_watched_has_no_class() {
    let mut choices = Choices::new();
    choices.start(Seed(1), Strategy::Random);
    assert_eq!((choices.is_watched(), choices.class()), (false, None));
    choices.start(Seed(1), Strategy::Pos);
    assert!(choices.is_watched());
}
