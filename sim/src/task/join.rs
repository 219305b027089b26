//! The handle of a task.

use super::{AbortHandle, Id, JoinError, coop};
use crate::{
    context,
    point::{Access, Site, place_of_poll, point_of_task},
    world::{Attempted, Header, Output, is_finished, world_of},
};
use std::{
    fmt,
    future::Future,
    marker::PhantomData,
    panic::{Location, RefUnwindSafe, UnwindSafe},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// Gives a task's output when awaited; dropped, it leaves the task to itself.
///
/// A task that panics, or gives an `Err`, after its handle was dropped, or whose handle is dropped without
/// having been awaited, fails the run as a swallowed panic or error.
pub struct JoinHandle<T> {
    header: Option<Arc<Header>>,
    /// Gives the output its type back: here, where nothing says that `T` is `'static`.
    typed: fn(Box<dyn Output>) -> T,
    output: PhantomData<T>,
}

// The output is handed over, never shared: as with tokio's handle, what may be sent may be joined.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}
impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    pub(crate) fn new(header: Arc<Header>) -> JoinHandle<T>
    where
        T: 'static,
    {
        let typed = |output: Box<dyn Output>| {
            let output = output.into_any().downcast();
            *output.expect("the handle has the type of its task's output")
        };
        JoinHandle { header: Some(header), typed, output: PhantomData }
    }

    fn header(&self) -> &Arc<Header> {
        self.header.as_ref().expect("the header is only taken when the handle is dropped")
    }

    /// Wakes `waker` when the task ends, or at once if it has.
    pub(crate) fn watch(&self, waker: &std::task::Waker) {
        if let Some(world) = world_of(self.header()) {
            world.watch(self.header(), waker);
        }
    }

    /// Names the task in reports.
    pub(super) fn set_name(&self, name: &str) {
        if let Some(world) = world_of(self.header()) {
            world.set_task_name(self.header().number, name.to_string());
        }
    }

    /// Asks the task to end at its next await; one that has ended is not changed.
    #[track_caller]
    pub fn abort(&self) {
        self.abort_handle().abort();
    }

    /// Whether the task has ended.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        point_of_task(self.header(), Access::Read, Location::caller());
        is_finished(self.header())
    }

    /// A handle that can only abort.
    #[track_caller]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(self.header().clone(), Location::caller())
    }

    /// The task.
    pub fn id(&self) -> Id {
        Id(self.header().number)
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let site = place_of_poll(Location::caller(), self.header().site);
        self.poll_at(cx, site)
    }
}

impl<T> JoinHandle<T> {
    /// Polls for the output, on behalf of that place of the program.
    pub(crate) fn poll_at(&self, cx: &mut Context<'_>, site: Site) -> Poll<Result<T, JoinError>> {
        let told = point_of_task(self.header(), Access::Join, site);
        let task = Attempted::Task(self.header().number);
        if told {
            context::searching(|world| world.tell_attempt(task, site));
        }
        let joined = self.poll_quietly(cx, Some(site));
        if told && joined.is_ready() {
            context::searching(|world| world.tell_granted(task));
        }
        joined
    }

    /// Polls for the output without announcing it.
    pub(crate) fn poll_quietly(
        &self,
        cx: &mut Context<'_>,
        joined: Option<Site>,
    ) -> Poll<Result<T, JoinError>> {
        let header = self.header();
        let coop = ready!(coop::poll_proceed(cx));
        let Some(world) = world_of(header) else {
            return Poll::Ready(Err(JoinError::cancelled(Id(header.number))));
        };
        let outcome = ready!(world.poll_join(header, cx.waker()));
        coop.made_progress();
        Poll::Ready(outcome.map(self.typed).map_err(|mut error| {
            error.give(header.site, joined);
            *error
        }))
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(header) = self.header.take()
            && let Some(world) = world_of(&header)
        {
            world.detach(&header);
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).finish()
    }
}
