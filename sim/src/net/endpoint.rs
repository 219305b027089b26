//! A socket as all faces have it: a handle into the network of the run that made it, and how one waits at it.
//!
//! ```text
//!   point ──▶ budget ──▶ ready? ──no──▶ waits, woken by the network's change
//!                          │ yes
//!                          ▼
//!                        verb ──EAGAIN──▶ not ready until something changes, and once more
//! ```
//!
//! What a poll costs of the budget, and whom a change wakes, is as with tokio's `Registration`.

use crate::{
    context, errno,
    io::{Interest, Ready},
    point::{Access, Object, Op, Site},
    task::coop::poll_proceed,
    world::{Half, Remote, World},
};
use sim_net::{Cx, Domain, Kind, Network, SocketId};
use std::{
    future::{Future, poll_fn},
    io::{ErrorKind, Result},
    pin::Pin,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    task::{Context, Poll, ready},
};

/// What tokio panics with where a runtime was built without `enable_io`.
const DISABLED: &str = "A Tokio 1.x context was found, but IO is disabled. Call `enable_io` on the runtime builder to enable IO.";

/// The current simulation, whose runtime has to have its I/O enabled; panics as tokio does.
#[track_caller]
pub(super) fn expect_network() -> Rc<World> {
    let world = context::expect_world();
    assert!(world.has_io(), "{DISABLED}");
    world
}

/// A socket of a run; closed when dropped.
pub(super) struct Endpoint {
    remote: Arc<Remote>,
    run: u64,
    id: SocketId,
    object: Object,
    site: Site,
    /// What reports call it.
    name: &'static str,
    /// It was made outside of a runtime, and keeps the simulation that stands ready there.
    keeps: bool,
}

impl Endpoint {
    /// A new socket of the host that runs.
    #[track_caller]
    pub(super) fn open(domain: Domain, kind: Kind, site: Site) -> Result<Endpoint> {
        Endpoint::open_in(&expect_network(), domain, kind, site)
    }

    /// As [`open`](Endpoint::open), also outside of a runtime, as tokio's that do not need one yet.
    pub(super) fn open_anywhere(domain: Domain, kind: Kind, site: Site) -> Result<Endpoint> {
        let outside = context::world().is_none();
        let world = context::world_or_ambient();
        let mut endpoint = Endpoint::open_in(&world, domain, kind, site)?;
        if outside {
            world.remote().owners.fetch_add(1, Relaxed);
            endpoint.keeps = true;
        }
        Ok(endpoint)
    }

    fn open_in(world: &World, domain: Domain, kind: Kind, site: Site) -> Result<Endpoint> {
        let host = world.running_host();
        let name = match (domain, kind) {
            (Domain::Unix, _) => "Unix",
            (_, Kind::Stream) => "TCP",
            (_, Kind::Datagram) => "UDP",
        };
        let id =
            world.network(|network, _| network.socket(host, domain, kind)).map_err(errno::error)?;
        Ok(Endpoint::new(world, id, name, site))
    }

    /// Two Unix sockets that are connected to each other.
    #[track_caller]
    pub(super) fn pair(kind: Kind, site: Site) -> Result<(Endpoint, Endpoint)> {
        let world = expect_network();
        let host = world.running_host();
        let (one, two) =
            world.network(|network, _| network.pair(host, kind)).map_err(errno::error)?;
        Ok((Endpoint::new(&world, one, "Unix", site), Endpoint::new(&world, two, "Unix", site)))
    }

    fn new(world: &World, id: SocketId, name: &'static str, site: Site) -> Endpoint {
        let object = Object::made(site);
        let (remote, run) = (world.remote().clone(), world.run());
        Endpoint { remote, run, id, object, site, name, keeps: false }
    }

    /// The connection that a listener has accepted.
    pub(super) fn accepted(&self, id: SocketId, site: Site) -> Result<Endpoint> {
        let world = self.world()?;
        world.assume_ready(id, Ready::READABLE | Ready::WRITABLE);
        Ok(Endpoint::new(&world, id, self.name, site))
    }

    /// Where it was made.
    pub(super) fn site(&self) -> Site {
        self.site
    }

    /// The simulation that made it, if this is its thread and the run goes on.
    fn world(&self) -> Result<Rc<World>> {
        self.find().ok_or_else(crate::runtime::shut_down)
    }

    fn find(&self) -> Option<Rc<World>> {
        context::find(&self.remote).filter(|world| world.run() == self.run)
    }

    /// Announces an access; another task may run before this returns.
    pub(super) fn point(&self, access: Access, site: Site) {
        context::point(|world| {
            // What is sent at one socket arrives at another: to an exhaustive search all are one object.
            let (object, origin) = match world.is_searching() {
                true => world.network_object(),
                false => (self.object.number_in(world), self.object.site()),
            };
            Op { object, access, site, origin: Some(origin) }
        });
    }

    // --- verbs

    /// Asks the network, at once.
    pub(super) fn ask<R>(
        &self,
        verb: impl FnOnce(&mut Network, &mut Cx<'_>, SocketId) -> sim_net::Result<R>,
    ) -> Result<R> {
        self.world()?.network(|network, cx| verb(network, cx, self.id)).map_err(errno::error)
    }

    /// As [`ask`](Endpoint::ask), after a scheduling point.
    pub(super) fn change<R>(
        &self,
        access: Access,
        site: Site,
        verb: impl FnOnce(&mut Network, &mut Cx<'_>, SocketId) -> sim_net::Result<R>,
    ) -> Result<R> {
        self.point(access, site);
        self.ask(verb)
    }

    // --- waiting

    /// Does `operation` once the half is ready; who polls a half last is woken.
    pub(super) fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        half: Half,
        site: Site,
        mut operation: impl FnMut() -> Result<R>,
    ) -> Poll<Result<R>> {
        self.point(access(half.interest()), site);
        loop {
            let coop = ready!(poll_proceed(cx));
            // To read where there is nothing would block: that need not be tried.
            ready!(self.poll_half(cx, half, half == Half::Read))?;
            match operation() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.world()?.socket_would_block(self.id, half.interest());
                }
                done => {
                    coop.made_progress();
                    return Poll::Ready(done);
                }
            }
        }
    }

    /// Waits for the connection that has been begun. The first poll is always pending, as with tokio, whose driver has
    /// to look first.
    pub(super) async fn connected(&self, site: Site) -> Result<()> {
        let mut looked = false;
        poll_fn(|cx| {
            let poll = self.poll_io(cx, Half::Write, site, || Ok(()));
            match std::mem::replace(&mut looked, true) {
                true => poll,
                false => {
                    if poll.is_ready() {
                        cx.waker().wake_by_ref();
                    }
                    Poll::Pending
                }
            }
        })
        .await?;
        match self.ask(|net, _, id| net.take_error(id))? {
            Some(number) => Err(errno::error(number)),
            None => Ok(()),
        }
    }

    /// Whether the half is ready.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>, half: Half) -> Poll<Result<()>> {
        self.point(Access::Wait, self.site);
        let coop = ready!(poll_proceed(cx));
        ready!(self.poll_half(cx, half, false))?;
        coop.made_progress();
        Poll::Ready(Ok(()))
    }

    /// Whether the half is taken to be ready, and if `looks` whether it is; else it is waited for.
    fn poll_half(&self, cx: &mut Context<'_>, half: Half, looks: bool) -> Poll<Result<()>> {
        let world = self.world()?;
        let waits = (self.object.number_in(&world), self.name);
        match world.poll_socket(self.id, half, looks, waits, cx.waker()) {
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }

    /// Waits until the socket is ready for any of `interest`; many may wait at once.
    pub(super) async fn ready(&self, interest: Interest, site: Site) -> Result<Ready> {
        self.point(Access::Wait, site);
        self.readiness(interest).await
    }

    fn readiness(&self, interest: Interest) -> Readiness<'_> {
        Readiness { endpoint: self, interest, ticket: None }
    }

    /// Does `operation` once the socket is ready; many may wait at once.
    pub(super) async fn wait_io<R>(
        &self,
        interest: Interest,
        site: Site,
        mut operation: impl FnMut() -> Result<R>,
    ) -> Result<R> {
        self.point(access(interest), site);
        loop {
            self.readiness(interest).await?;
            let coop = poll_fn(poll_proceed).await;
            match operation() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.world()?.socket_would_block(self.id, interest);
                }
                done => {
                    coop.made_progress();
                    return done;
                }
            }
        }
    }

    /// Does `operation` if the socket is ready.
    pub(super) fn try_io<R>(
        &self,
        interest: Interest,
        site: Site,
        operation: impl FnOnce() -> Result<R>,
    ) -> Result<R> {
        self.point(access(interest), site);
        let world = self.world()?;
        if (world.socket_ready(self.id) & interest.mask()).is_empty() {
            return Err(ErrorKind::WouldBlock.into());
        }
        match operation() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                world.socket_would_block(self.id, interest);
                Err(ErrorKind::WouldBlock.into())
            }
            done => done,
        }
    }

    /// Less was read or written than there was room for: as tokio, the next time something has to come first.
    pub(super) fn spent(&self, half: Half) {
        if let Some(world) = self.find() {
            world.socket_is_spent(self.id, half);
        }
    }

    /// Tells reports what is waited for.
    fn note_wait(&self, world: &World) {
        world.note_awaited(self.object.number_in(world), self.id, self.name);
    }
}

/// How an operation that waits for this announces itself.
fn access(interest: Interest) -> Access {
    if interest.is_readable() { Access::Receive } else { Access::Send }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.close();
        if self.keeps {
            self.remote.owners.fetch_sub(1, Relaxed);
        }
    }
}

impl Endpoint {
    fn close(&self) {
        let Some(world) = self.find() else { return };
        // What is left at the end of a run is taken down with it, in whatever order.
        if world.is_stopping() && world.owners() == 0 {
            return;
        }
        self.point(Access::Close, self.site);
        world.forget_socket(self.id);
        let _ = world.network(|network, cx| network.close(cx, self.id));
    }
}

/// Waits until a socket is ready for something.
struct Readiness<'a> {
    endpoint: &'a Endpoint,
    interest: Interest,
    ticket: Option<u64>,
}

impl Future for Readiness<'_> {
    type Output = Result<Ready>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Ready>> {
        let endpoint = self.endpoint;
        let world = endpoint.world()?;
        let ready = world.socket_ready(endpoint.id) & self.interest.mask();
        if !ready.is_empty() {
            return Poll::Ready(Ok(ready));
        }
        let interest = self.interest;
        world.wait_for_socket(endpoint.id, interest, &mut self.ticket, cx.waker());
        endpoint.note_wait(&world);
        Poll::Pending
    }
}

impl Drop for Readiness<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket
            && let Some(world) = self.endpoint.find()
        {
            world.forget_wait(self.endpoint.id, ticket);
        }
    }
}
