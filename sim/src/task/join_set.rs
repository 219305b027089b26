//! A set of tasks whose outputs are taken in the order in which the tasks end.

use super::{AbortHandle, Id, JoinError, JoinHandle, LocalSet, spawn, spawn_blocking, spawn_local};
use crate::{
    context,
    hold::Share,
    point::{Access, Object, point},
    runtime::Handle,
    task::coop,
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    future::{Future, poll_fn},
    mem,
    panic::{Location, resume_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker, ready},
};

/// Tasks with outputs of one type; dropped, it aborts them all.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let mut set = sim::task::JoinSet::new();
/// for i in 0..3 {
///     set.spawn(async move { i });
/// }
/// let mut sum = 0;
/// while let Some(output) = set.join_next().await {
///     sum += output.unwrap();
/// }
/// assert_eq!(sum, 3);
/// # });
/// ```
pub struct JoinSet<T> {
    handles: BTreeMap<u64, JoinHandle<T>>,
    next: u64,
    woken: Arc<Woken>,
}

crate::faces::nameable!([T] JoinSet<T>, |this| this.woken.object);

/// The tasks whose handles are to be looked at, in the order in which they were woken.
struct Woken {
    state: Mutex<State>,
    /// The set.
    object: Object,
}

#[derive(Default)]
struct State {
    queue: VecDeque<u64>,
    waker: Option<Waker>,
}

impl Woken {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The waker of one task of the set.
struct Entry {
    key: u64,
    woken: Arc<Woken>,
}

impl Wake for Entry {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // The set gives its tasks in the order in which they end.
        context::searching(|world| world.tell_change(&self.woken.object));
        let waker = {
            let mut state = self.woken.lock();
            if !state.queue.contains(&self.key) {
                state.queue.push_back(self.key);
            }
            state.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> JoinSet<T> {
    /// An empty set.
    #[track_caller]
    pub fn new() -> JoinSet<T> {
        let object = Object::made(Location::caller());
        let woken = Arc::new(Woken { state: Mutex::default(), object });
        JoinSet { handles: BTreeMap::new(), next: 0, woken }
    }

    /// How many tasks are in the set, ended ones that were not joined among them.
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whether no task is in the set.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// Spawns a task into the set.
    ///
    /// # Panics
    ///
    /// Panics outside of a simulation or runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(spawn(task))
    }

    /// As [`spawn`](JoinSet::spawn), on the runtime of `handle`.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn(task))
    }

    /// Spawns a task that is not `Send` on the current [`LocalSet`].
    ///
    /// # Panics
    ///
    /// Panics outside of a local set.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(spawn_local(task))
    }

    /// Spawns a task that is not `Send` on `local_set`.
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(local_set.spawn_local(task))
    }

    /// Runs a closure that may block on a thread of its own.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(spawn_blocking(f))
    }

    /// As [`spawn_blocking`](JoinSet::spawn_blocking), on the runtime of `handle`.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        self.insert(handle.spawn_blocking(f))
    }

    #[track_caller]
    fn insert(&mut self, handle: JoinHandle<T>) -> AbortHandle {
        let abort = handle.abort_handle();
        let key = self.next;
        self.next += 1;
        // A task may have ended before its spawn returned: then the entry is woken at once.
        self.woken.object.add_member(handle.id().0);
        handle.watch(&self.waker(key));
        self.handles.insert(key, handle);
        abort
    }

    fn waker(&self, key: u64) -> Waker {
        Waker::from(Arc::new(Entry { key, woken: self.woken.clone() }))
    }

    /// The output of a task that has ended, or waits for one; `None` of an empty set.
    ///
    /// Cancel safe: a task whose output was not given stays in the set.
    #[track_caller]
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, JoinError>>> {
        let site = Location::caller();
        async move {
            let woken = self.woken.clone();
            point(&woken.object, Access::Join, site);
            let next = poll_fn(|cx| self.poll_join_next(cx));
            woken.object.waiting(Share::Member, site, next).await
        }
    }

    /// As [`join_next`](JoinSet::join_next), with the task's id.
    #[track_caller]
    pub fn join_next_with_id(
        &mut self,
    ) -> impl Future<Output = Option<Result<(Id, T), JoinError>>> {
        let site = Location::caller();
        async move {
            let woken = self.woken.clone();
            point(&woken.object, Access::Join, site);
            let next = poll_fn(|cx| self.poll_join_next_with_id(cx));
            woken.object.waiting(Share::Member, site, next).await
        }
    }

    /// The output of a task that has ended, if one has.
    #[track_caller]
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.try_join_next_with_id().map(|output| output.map(|(_, output)| output))
    }

    /// As [`try_join_next`](JoinSet::try_join_next), with the task's id.
    #[track_caller]
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        point(&self.woken.object, Access::Join, Location::caller());
        let mut cx = Context::from_waker(Waker::noop());
        // It never waits, so it is not bound by the budget.
        let next = std::pin::pin!(coop::unconstrained(poll_fn(|cx| self.poll_woken(cx))));
        match next.poll(&mut cx) {
            Poll::Ready(output) => output,
            Poll::Pending => None,
        }
    }

    /// Aborts all tasks and waits for them to end.
    pub async fn shutdown(&mut self) {
        self.abort_all();
        while self.join_next().await.is_some() {}
    }

    /// Waits for all tasks; the outputs in the order in which they ended.
    ///
    /// # Panics
    ///
    /// Panics with what the first task that failed panicked with, or if one was cancelled.
    #[track_caller]
    pub fn join_all(mut self) -> impl Future<Output = Vec<T>> {
        let site = Location::caller();
        async move {
            let mut outputs = Vec::with_capacity(self.len());
            let woken = self.woken.clone();
            point(&woken.object, Access::Join, site);
            loop {
                let next = poll_fn(|cx| self.poll_join_next(cx));
                let Some(output) = woken.object.waiting(Share::Member, site, next).await else {
                    return outputs;
                };
                match output {
                    Ok(output) => outputs.push(output),
                    Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Asks all tasks to end.
    #[track_caller]
    pub fn abort_all(&mut self) {
        for handle in self.handles.values() {
            handle.abort();
        }
    }

    /// Takes all tasks out of the set, and leaves them running.
    pub fn detach_all(&mut self) {
        mem::take(&mut self.handles);
    }

    /// Polls for the output of a task that has ended; `Ready(None)` of an empty set.
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_join_next_with_id(cx)
            .map(|output| output.map(|output| output.map(|(_, output)| output)))
    }

    /// As [`poll_join_next`](JoinSet::poll_join_next), with the task's id.
    pub fn poll_join_next_with_id(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.poll_woken(cx)
    }

    fn poll_woken(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Id, T), JoinError>>> {
        loop {
            let key = {
                let waker = cx.waker().clone();
                let mut state = self.woken.lock();
                let former = state.waker.replace(waker);
                let key = state.queue.pop_front();
                drop(state);
                drop(former); // not while locked: it may do anything
                key
            };
            let Some(key) = key else {
                return if self.is_empty() { Poll::Ready(None) } else { Poll::Pending };
            };
            let waker = self.waker(key);
            let Some(handle) = self.handles.get_mut(&key) else { continue };
            let id = handle.id();
            let mut entry = Context::from_waker(&waker);
            match handle.poll_quietly(&mut entry, None) {
                Poll::Ready(output) => {
                    self.handles.remove(&key);
                    return Poll::Ready(Some(output.map(|output| (id, output))));
                }
                // Without budget the entry is in the queue again, and this task is woken.
                Poll::Pending if !coop::has_budget_remaining() => {
                    ready!(coop::poll_budget_available(cx));
                }
                Poll::Pending => {}
            }
        }
    }
}

impl<T> Drop for JoinSet<T> {
    fn drop(&mut self) {
        self.handles.values().for_each(JoinHandle::abort);
    }
}

impl<T> Default for JoinSet<T> {
    #[track_caller]
    fn default() -> JoinSet<T> {
        JoinSet::new()
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinSet").field("len", &self.len()).finish()
    }
}

/// Spawns each future of the iterator.
impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> JoinSet<T> {
        let mut set = JoinSet::new();
        set.extend(iter);
        set
    }
}

/// Spawns each future of the iterator.
impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, iter: I) {
        iter.into_iter().for_each(|future| {
            self.spawn(future);
        });
    }
}
