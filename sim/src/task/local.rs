//! Tasks that stay within one future: a local set polls its tasks within its own poll.
//!
//! So they never preempt each other in the middle of a poll, and an `Rc<RefCell<_>>` used between two
//! awaits is as legal as in tokio. Which of its ready tasks runs next is a choice.

use super::JoinHandle;
use crate::{
    context::{self, Entered},
    point::{Access, Site, point_alone},
    world::{Home, NONE, World},
};
use pin_project::pin_project;
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// Polls of its tasks that a local set does in one of its own; the value is tokio's.
const POLLS: usize = 61;

/// A set of tasks that are not `Send`.
///
/// ```
/// use std::rc::Rc;
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let set = sim::task::LocalSet::new();
/// let text = Rc::new("not Send");
/// let length = set.run_until(async move {
///     sim::task::spawn_local(async move { text.len() }).await.unwrap()
/// });
/// assert_eq!(length.await, 8);
/// # });
/// ```
pub struct LocalSet {
    world: Rc<World>,
    number: u32,
}

impl LocalSet {
    /// An empty set.
    pub fn new() -> LocalSet {
        let world = context::world_or_ambient();
        let number = world.add_local();
        LocalSet { world, number }
    }

    /// Makes [`spawn_local`] spawn into this set until the guard is dropped.
    pub fn enter(&self) -> LocalEnterGuard {
        let entered = context::enter(&self.world);
        let former = self.world.local.replace(self.number);
        LocalEnterGuard { world: self.world.clone(), former, _entered: entered }
    }

    /// Spawns a task into the set; it runs when the set is polled.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        spawn_into(&self.world, self.number, future, Location::caller())
    }

    /// Runs `future` and the set's tasks on the runtime `rt` until `future` ends.
    #[track_caller]
    pub fn block_on<F: Future>(&self, rt: &crate::runtime::Runtime, future: F) -> F::Output {
        rt.block_on(self.run_until(future))
    }

    /// Runs `future` and the set's tasks until `future` ends.
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        RunUntil { set: self, future }.await
    }

    /// Polls ready tasks; true if some still are ready.
    fn tick(&self) -> bool {
        for _ in 0..POLLS {
            if self.world.is_stopping() || !self.world.poll_local(self.number) {
                return false;
            }
        }
        true
    }

    /// Polls ready tasks, and sees to it that `cx` is woken when others are.
    fn poll_tasks(&self, cx: &mut Context<'_>) {
        self.world.watch_local(self.number, cx.waker());
        if self.tick() {
            cx.waker().wake_by_ref();
        }
    }
}

impl Default for LocalSet {
    fn default() -> LocalSet {
        LocalSet::new()
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").finish()
    }
}

/// Runs all tasks of the set until they have ended.
impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_tasks(cx);
        match self.world.local_is_done(self.number) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        let _entered = context::enter(&self.world);
        self.world.remove_local(self.number);
    }
}

#[pin_project]
struct RunUntil<'a, F> {
    set: &'a LocalSet,
    #[pin]
    future: F,
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.set.world.watch_local(this.set.number, cx.waker());
        let poll = {
            let _inside = Inside::new(&this.set.world, this.set.number);
            this.future.poll(cx)
        };
        if poll.is_pending() {
            this.set.poll_tasks(cx);
        }
        poll
    }
}

/// The set that `spawn_local` spawns into, for one poll.
struct Inside<'a> {
    world: &'a World,
    former: u32,
}

impl<'a> Inside<'a> {
    fn new(world: &'a World, number: u32) -> Inside<'a> {
        Inside { world, former: world.local.replace(number) }
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.world.local.set(self.former);
    }
}

/// Makes [`spawn_local`] spawn into a set; made by [`LocalSet::enter`].
pub struct LocalEnterGuard {
    world: Rc<World>,
    former: u32,
    _entered: Entered,
}

impl Drop for LocalEnterGuard {
    fn drop(&mut self) {
        self.world.local.set(self.former);
    }
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish()
    }
}

/// Spawns a task that is not `Send` into the current [`LocalSet`], or the current local runtime.
///
/// # Panics
///
/// Panics outside of both, as tokio does.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let world = context::world().filter(|world| world.local.get() != NONE || world.is_local());
    let world = world.expect(
        "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`",
    );
    let site = Location::caller();
    if world.local.get() == NONE {
        let header = world.spawn(future, Home::Pool(world.pool.get()), site);
        point_alone(Access::Spawn, site, None);
        return JoinHandle::new(header);
    }
    spawn_into(&world, world.local.get(), future, site)
}

fn spawn_into<F>(world: &Rc<World>, number: u32, future: F, site: Site) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let header = world.spawn(future, Home::Local(number), site);
    point_alone(Access::Spawn, site, None);
    JoinHandle::new(header)
}
