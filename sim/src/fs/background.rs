//! Work on threads that may block, as all of `tokio::fs` is: what programs see of it is that it goes on when nobody waits,
//! and beside other tasks.

use crate::{
    context,
    point::{Access, Site, point_alone},
    std::fs::File,
    task::{JoinError, JoinHandle},
    world::Job,
};
use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

/// What a thread gives; an error among it is no finding, as whoever dropped the handle did so within tokio too.
struct Quiet<T>(T);

/// A thread that works in the background.
pub(super) struct Background<T> {
    thread: JoinHandle<Quiet<T>>,
    site: Site,
}

impl<T: Send + 'static> Background<T> {
    /// Starts work that is dropped with its process.
    #[track_caller]
    pub(super) fn start(site: Site, work: impl FnOnce() -> T + Send + 'static) -> Background<T> {
        let header = context::expect_world().spawn_thread(move || Quiet(work()), site);
        point_alone(Access::Spawn, site, None);
        Background { thread: JoinHandle::new(header), site }
    }
}

impl Background<io::Result<()>> {
    /// Starts a write, which a process finishes before it ends, as tokio's "mandatory" tasks.
    #[track_caller]
    pub(super) fn start_write<T: Send + 'static>(
        site: Site,
        file: Arc<File>,
        work: impl FnOnce(&File) -> (T, u64) + Send + 'static,
    ) -> Background<Option<T>> {
        let result = Arc::new(Mutex::new(None));
        let job: Job = Arc::new(Mutex::new(Some(Box::new({
            let (result, file) = (result.clone(), file.clone());
            move || {
                let (output, done_ns) = work(&file);
                *result.lock().expect("nothing panics with it") = Some((output, done_ns));
            }
        }))));
        file.begin_job(job.clone());
        Background::start(site, move || {
            file.announce_write(site);
            let work = job.lock().expect("nothing panics with it").take();
            if let Some(work) = work {
                work();
            }
            let (output, done_ns) = result.lock().expect("nothing panics with it").take()?;
            file.wait_for_device(done_ns, site);
            Some(output)
        })
    }
}

impl<T: 'static> Future for Background<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        self.thread.poll_at(cx, self.site).map(|done| done.map(|Quiet(output)| output))
    }
}

/// What tokio says where its thread is gone.
pub(super) fn failed() -> io::Error {
    io::Error::other("background task failed")
}

/// Runs `verb` on a thread.
pub(super) async fn off_thread<T: Send + 'static>(
    site: Site,
    verb: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match Background::start(site, verb).await {
        Ok(done) => done,
        Err(_) => Err(failed()),
    }
}
