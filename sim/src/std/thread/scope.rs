//! Threads that may borrow: they end before their scope does.

use super::{
    super::waiters::{Deadline, Gate},
    Builder, JoinHandle, Result, Thread,
};
use crate::{
    context,
    point::{Access, Object, Site, point},
};
use sim_sys::lend;
use std::{
    fmt, io,
    marker::PhantomData,
    panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

/// Where threads that borrow are started; made by [`scope`](fn@scope).
pub struct Scope<'scope, 'env: 'scope>(&'scope lend::Scope<'scope, 'env, Arc<Shared>>);

/// What the threads of a scope tell it.
struct Shared {
    /// Its threads leave there what they did.
    object: Object,
    running: Mutex<usize>,
    /// A thread panicked, and its handle was not joined.
    panicked: AtomicBool,
    /// Where the scope waits.
    all_ended: Gate,
}

/// Calls `f` with a scope, and waits for the threads that were started in it.
///
/// # Panics
///
/// Panics if one of those threads panicked and its handle was not joined, and with the panic of `f`.
///
/// ```
/// use sim::std::thread;
///
/// let mut words = vec!["a", "b"];
/// let count = thread::scope(|scope| scope.spawn(|| words.len()).join().unwrap());
/// words.push("c");
/// assert_eq!(count, 2);
/// ```
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let site = Location::caller();
    let shared = Arc::new(Shared {
        object: Object::new(site),
        running: Mutex::new(0),
        panicked: AtomicBool::new(false),
        all_ended: Gate::new(),
    });
    let result = lend::scope(
        shared.clone(),
        |lender| {
            let scope = lender.keep(Scope(lender));
            catch(|| f(scope))
        },
        |shared| shared.wait(site),
    );
    match result {
        Err(payload) => resume_unwind(payload),
        Ok(_) if shared.panicked.load(SeqCst) => panic!("a scoped thread panicked"),
        Ok(output) => output,
    }
}

/// What `f` returns or panics with. The end of a run goes through.
fn catch<T>(f: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).map_err(|payload| match context::world() {
        Some(world) if world.is_unwinding(&*payload) => resume_unwind(payload),
        _ => payload,
    })
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until no thread of the scope is left.
    fn wait(&self, site: Site) {
        point(&self.object, Access::Join, site);
        let mut running = self.running();
        while *running > 0 {
            running = self.all_ended.wait(&self.running, running, Deadline::Never, site);
        }
        drop(running);
        self.object.take_in();
    }
}

/// A thread of the scope runs, or is to; dropped at its end.
struct Running(Arc<Shared>);

impl Running {
    fn new(shared: &Arc<Shared>) -> Running {
        *shared.running() += 1;
        Running(shared.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.object.publish();
        let mut running = self.0.running();
        *running -= 1;
        if *running == 0 {
            self.0.all_ended.wake_all(running);
        }
    }
}

/// What a thread leaves for its handle.
struct Packet<T> {
    result: Mutex<Option<Result<T>>>,
    shared: Arc<Shared>,
}

impl<T> Drop for Packet<T> {
    fn drop(&mut self) {
        let result = self.result.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(_)) = result {
            self.shared.panicked.store(true, SeqCst);
        }
    }
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Starts a thread that may borrow what outlives the scope.
    ///
    /// # Panics
    ///
    /// Outside of a simulation, if the system cannot start a thread.
    #[track_caller]
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        spawn(Builder::new(), self, f).expect("failed to spawn thread")
    }
}

#[track_caller]
pub(super) fn spawn<'scope, 'env, F, T>(
    builder: Builder,
    scope: &'scope Scope<'scope, 'env>,
    f: F,
) -> io::Result<ScopedJoinHandle<'scope, T>>
where
    F: FnOnce() -> T + Send + 'scope,
    T: Send + 'scope,
{
    let shared = scope.0.data();
    let packet = Arc::new(Packet { result: Mutex::new(None), shared: shared.clone() });
    let theirs = packet.clone();
    let body = scope.0.lend(move || {
        let result = catch(f);
        *theirs.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
    });
    // The closure comes back before the thread counts as ended, also if it never runs.
    let loan = (body, Running::new(shared));
    let handle = builder.spawn(move || {
        let (body, _running) = loan;
        body();
    })?;
    Ok(ScopedJoinHandle { handle, packet, scope: PhantomData })
}

/// Waits for a thread of a scope and gives what it returned; dropped, it leaves that to the scope.
pub struct ScopedJoinHandle<'scope, T> {
    handle: JoinHandle<()>,
    packet: Arc<Packet<T>>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// Waits until the thread has ended.
    ///
    /// # Errors
    ///
    /// With what the thread panicked with.
    #[track_caller]
    pub fn join(self) -> Result<T> {
        self.handle.join()?;
        let mut result = self.packet.result.lock().unwrap_or_else(PoisonError::into_inner);
        result.take().expect("a thread that has ended left its result")
    }

    /// The thread.
    pub fn thread(&self) -> &Thread {
        self.handle.thread()
    }

    /// Whether the thread has run to its end.
    #[track_caller]
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}
