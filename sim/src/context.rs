//! The only global state of the crate: which simulation runs on this thread.
//!
//! All else is reached from here. Several simulations may run at once on different threads.

use crate::{
    point::{Op, Site},
    world::{Action, Header, Target, Waiter, Woken, World},
};
use sim_sys::os;
use std::{
    cell::{Cell, RefCell},
    future::Future,
    rc::Rc,
    sync::Arc,
    task::{Poll, Waker},
};

thread_local! {
    /// The simulation that runs, or was entered, on this thread.
    static CURRENT: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
    /// The simulation behind the runtimes that were made on this thread outside of any simulation.
    static AMBIENT: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
    /// Whether the thread drives a simulation, so that it cannot drive another.
    static DRIVING: Cell<bool> = const { Cell::new(false) };
}

/// What tokio says where there is no runtime; programs match on it.
pub(crate) const NO_RUNTIME: &str =
    "there is no reactor running, must be called from the context of a Tokio 1.x runtime";

/// The current simulation.
#[inline]
pub(crate) fn world() -> Option<Rc<World>> {
    CURRENT.try_with(|current| current.borrow().clone()).ok().flatten()
}

/// The current simulation; panics as tokio does where there is none.
#[track_caller]
pub(crate) fn expect_world() -> Rc<World> {
    match world() {
        Some(world) => world,
        None => panic!("{NO_RUNTIME}"),
    }
}

/// The current simulation, if a task or a thread of it runs right now.
#[inline]
pub(crate) fn running() -> Option<Rc<World>> {
    world().filter(|world| world.is_running())
}

/// A scheduling point of the task that runs, if one does. Whether a search wants to know how the operation goes.
#[inline]
pub(crate) fn point(op: impl FnOnce(&World) -> Op) -> bool {
    Way::of(op).go()
}

/// As [`point`], but what is announced makes no order of tasks by itself.
#[inline]
pub(crate) fn point_apart(op: impl FnOnce(&World) -> Op) {
    Way::of(op).go_apart();
}

/// One who waited has been let go on by the running task, and could do so at once on another core.
#[cold]
pub(crate) fn point_of_wake() {
    if let Some(world) = running() {
        let _ = Way::of_point(&world, None).go();
    }
}

/// Calls `f` if the order of what tasks do is kept.
#[inline]
pub(crate) fn ordering(f: impl FnOnce(&World)) {
    within(|world| {
        if world.keeps_clocks() {
            f(world);
        }
    });
}

/// Calls `f` with the simulation of which a task or a thread runs, if one does.
#[inline]
pub(crate) fn within(f: impl FnOnce(&World)) {
    within_or_at_end(|world| {
        if world.is_running() {
            f(world);
        }
    });
}

/// Calls `f` with the current simulation, if there is one, also where nothing of it runs.
#[inline]
pub(crate) fn within_or_at_end(f: impl FnOnce(&World)) {
    let _ = CURRENT.try_with(|current| {
        if let Some(world) = &*current.borrow() {
            f(world);
        }
    });
}

/// Calls `f` if the run is one of an exhaustive search.
#[cold]
pub(crate) fn searching(f: impl FnOnce(&World)) {
    if let Some(world) = running().filter(|world| world.is_searching()) {
        f(&world);
    }
}

/// The number of the run and of an object that is being made by it, if that has to be known now: in a search.
#[inline]
pub(crate) fn made() -> Option<(u64, u32)> {
    let made = CURRENT.try_with(|current| match &*current.borrow() {
        Some(world) if world.is_searching() && world.is_running() => {
            Some((world.run(), world.make_object()))
        }
        _ => None,
    });
    made.ok().flatten()
}

/// How a task goes on at a scheduling point. Others run, and so may change what is current, only
/// outside of the borrow of it.
enum Way {
    On,
    Switch(Rc<World>, Target),
    /// The point has more to do.
    Slow(Rc<World>, Option<Op>),
}

impl Way {
    #[inline(always)]
    fn of(op: impl FnOnce(&World) -> Op) -> Way {
        let way = CURRENT.try_with(|current| match &*current.borrow() {
            Some(world) if world.is_running() => Way::of_point(world, Some(op(world))),
            _ => Way::On,
        });
        way.unwrap_or(Way::On)
    }

    #[inline(always)]
    fn of_point(world: &Rc<World>, op: Option<Op>) -> Way {
        match world.quick_point(op) {
            Some(Target::Stay) => Way::On,
            Some(target) => Way::Switch(world.clone(), target),
            None => Way::Slow(world.clone(), op),
        }
    }

    // Each return after a switch is mispredicted, as the processor's stack of returns is that of
    // another fiber: so there are few.
    #[inline(always)]
    fn go(self) -> bool {
        let world = match self {
            Way::On => return false,
            Way::Switch(world, target) => {
                world.switch(target);
                world
            }
            Way::Slow(world, op) => {
                world.point(op);
                world
            }
        };
        // Who was switched to may have been the first to ask for clocks.
        if world.keeps_clocks() {
            world.order();
        }
        world.is_searching()
    }

    #[inline]
    fn go_apart(self) {
        match self {
            Way::On => {}
            Way::Switch(world, target) => world.switch(target),
            Way::Slow(world, op) => world.point(op),
        }
    }
}

/// Notes what the running task announces, without letting others run.
#[inline]
pub(crate) fn announce(op: Op) {
    within(|world| world.announce(op));
}

/// Makes `world` the current simulation until the guard is dropped.
pub(crate) fn enter(world: &Rc<World>) -> Entered {
    Entered { former: CURRENT.replace(Some(world.clone())) }
}

/// Restores the former simulation when dropped.
pub(crate) struct Entered {
    former: Option<Rc<World>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        let former = self.former.take();
        let _ = CURRENT.try_with(|current| current.replace(former));
    }
}

/// Marks the thread as driving a simulation, whose clocks and entropy libc's callers now get.
pub(crate) struct Driving {
    _entered: Entered,
    _watched: sim_sys::fiber::Driving,
    hooks: Option<Rc<dyn os::Hooks>>,
}

impl Driving {
    /// Panics if the thread already drives a simulation.
    #[track_caller]
    pub(crate) fn start(world: &Rc<World>) -> Driving {
        assert!(!DRIVING.replace(true), "{NESTED}");
        let (_entered, _watched) = (enter(world), world.watched.drive());
        Driving { _entered, _watched, hooks: os::install(Some(world.clone())) }
    }
}

/// Runs `f`, which is ours and waits for real threads, with the machine's libc: a wait on a lock that
/// a real thread holds must not reach the simulation.
pub(crate) fn outside<R>(f: impl FnOnce() -> R) -> R {
    struct Restore(Option<Rc<dyn os::Hooks>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            os::install(self.0.take());
        }
    }
    let _restore = Restore(os::install(None));
    f()
}

/// Why a simulation cannot start inside another.
pub(crate) const NESTED: &str = "Cannot start a runtime from within a runtime. This happens because a function (like \
     `block_on`) attempted to block the current thread while the thread is being used to drive asynchronous tasks.";

/// Whether this thread drives a simulation.
pub(crate) fn is_driving() -> bool {
    DRIVING.get()
}

impl Drop for Driving {
    fn drop(&mut self) {
        os::install(self.hooks.take());
        DRIVING.set(false);
    }
}

/// The simulation that runtimes and local sets of this thread belong to: the current one, else the
/// thread's ambient one, which starts anew when nothing of the former is left.
pub(crate) fn world_or_ambient() -> Rc<World> {
    world().unwrap_or_else(|| {
        AMBIENT.with_borrow_mut(|ambient| {
            let spent = |world: &Rc<World>| Rc::strong_count(world) == 1 && world.owners() == 0;
            if ambient.as_ref().is_none_or(spent) {
                *ambient = Some(crate::check::ambient_world());
            }
            ambient.clone().unwrap()
        })
    })
}

/// The simulation of this thread that `remote` names: the current or the ambient one.
pub(crate) fn find(remote: &Arc<crate::world::Remote>) -> Option<Rc<World>> {
    let matches = |world: &Rc<World>| Arc::ptr_eq(world.remote(), remote);
    world().filter(matches).or_else(|| {
        AMBIENT.try_with(|ambient| ambient.borrow().clone()).ok().flatten().filter(matches)
    })
}

/// Wakes the task of `header`, from whichever thread. On another core it could run at once, before
/// whoever woke it does anything else: so this is a scheduling point too.
#[inline]
pub(crate) fn wake(header: &Arc<Header>) {
    let here = CURRENT.try_with(|current| match &*current.borrow() {
        Some(world) if Arc::ptr_eq(world.remote(), &header.remote) => {
            let woken = world.table.borrow_mut().wake(header.slot, header.generation);
            if world.keeps_clocks() {
                world.order_before(header.slot);
            }
            world.tell_woken(header.slot, &woken);
            Some(match woken {
                Woken::Ready if world.gives_way_to(header.slot) => Ok(Way::of_point(world, None)),
                Woken::Ready | Woken::Nothing => Ok(Way::On),
                Woken::Set(waker) => Err(waker),
            })
        }
        _ => None,
    });
    match here {
        Ok(Some(Ok(way))) => drop(way.go()),
        // The waker of a local set, which may do anything, is called outside of the borrow.
        Ok(Some(Err(waker))) => waker.wake(),
        _ => wake_from_afar(header),
    }
}

/// Wakes one who waits as a thread does, from whichever thread.
pub(crate) fn wake_waiter(header: &Arc<Header>, waiter: &Waiter) {
    match find(&header.remote) {
        Some(world) => world.wake_waiter(waiter),
        None => header.remote.push(header, crate::world::Asked::Wake),
    }
}

#[cold]
fn wake_from_afar(header: &Arc<Header>) {
    match find(&header.remote) {
        Some(world) => world.wake(header.slot, header.generation),
        None => header.remote.push(header, crate::world::Asked::Wake),
    }
}

/// Virtual nanoseconds since the start of the run, on the clock of the node that runs; `None` outside a simulation.
#[inline]
pub(crate) fn now_ns() -> Option<u64> {
    world().map(|world| {
        world.look_at_clock();
        world.local_ns()
    })
}

/// The instant of std that stands for virtual zero of this run.
pub(crate) fn instant_base() -> std::time::Instant {
    expect_world().instant_base()
}

/// Names a timer.
pub(crate) type TimerKey = sim_time::Key;

/// Arms a timer that wakes `waker` at `at_ns`, set by the program at `site`; panics outside a simulation, as tokio does.
#[track_caller]
pub(crate) fn timer_insert(at_ns: u64, waker: &Waker, site: Option<Site>) -> TimerKey {
    expect_world().timer_insert(at_ns, Action::Wake(waker.clone(), site))
}

/// Panics where sleeps and timeouts cannot be made, as tokio does.
#[track_caller]
pub(crate) fn expect_timers() {
    assert!(
        expect_world().has_timers(),
        "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the runtime builder to enable timers."
    );
}

/// Changes whom the timer wakes; false if it fired or was cancelled.
pub(crate) fn timer_update(key: TimerKey, waker: &Waker) -> bool {
    world().is_some_and(|world| world.timer_update(key, waker))
}

/// Disarms a timer, if it still is armed.
pub(crate) fn timer_cancel(key: TimerKey) {
    if let Some(world) = world() {
        world.timer_cancel(key);
    }
}

/// Whether the clock is paused, and whether it may be.
pub(crate) struct Pause {
    /// The program froze the clock.
    pub(crate) paused: bool,
    /// The current runtime has one worker, so that the clock may be frozen.
    pub(crate) current_thread: bool,
}

/// Looks at and changes whether the clock is paused; panics outside a simulation.
#[track_caller]
pub(crate) fn with_pause<R>(f: impl FnOnce(&mut Pause) -> R) -> R {
    let world = expect_world();
    let mut pause = Pause { paused: world.is_paused(), current_thread: world.is_pausable() };
    let result = f(&mut pause);
    world.set_paused(pause.paused);
    result
}

/// Moves the clock forward and wakes what is due then, as tokio's `advance` does.
pub(crate) async fn advance_by(ns: u64) {
    expect_world().advance_clock(ns);
    crate::task::yield_now().await;
}

/// One of `n` branches of a `select!`: a choice of the simulation.
#[inline]
pub(crate) fn branch(n: u32) -> u32 {
    match world() {
        Some(world) if n > 1 => world.choose_branch(n),
        _ => 0,
    }
}

/// Whether what waits here is dropped: a choice of the simulation.
pub(crate) fn cancels() -> bool {
    running().is_some_and(|world| world.choose_cancel())
}

/// Whether nothing runs until `at_ns`, when a timer of the running task is due: a choice of the simulation, if it
/// is asked for.
pub(crate) fn stalls_until(at_ns: u64) -> bool {
    running().is_some_and(|world| world.choose_stall(at_ns))
}

/// Polls `future` on this thread, which has to be one that may block.
pub(crate) fn poll_blocking<F: Future>(world: &Rc<World>, future: F, site: Site) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = world.thread_waker();
    let mut cx = std::task::Context::from_waker(&waker);
    loop {
        let former = (crate::task::coop::refill(), world.set_polling(true));
        let poll = future.as_mut().poll(&mut cx);
        world.set_polling(former.1);
        crate::task::coop::swap(former.0);
        match poll {
            Poll::Ready(output) => return output,
            Poll::Pending => world.park(site),
        }
    }
}
