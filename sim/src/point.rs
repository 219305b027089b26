//! Scheduling points: where an operation announces itself and another task may run.
//!
//! A point never changes what `poll` returns. It may suspend, in the middle of the poll, the fiber
//! on which the poll runs, as another core would run something in between.

use crate::{
    context,
    hold::End,
    world::{Header, World},
};
pub(crate) use sim_choice::Access;
use sim_choice::Announced;
use std::{
    panic::Location,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// Where in the program under test an operation stands.
pub(crate) type Site = &'static Location<'static>;

/// What a task announced: an access to an object, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Op {
    /// The object's number in this run; 0 is none.
    pub(crate) object: u32,
    pub(crate) access: Access,
    pub(crate) site: Site,
    /// Where the object was created, or the task spawned.
    pub(crate) origin: Option<Site>,
}

impl Op {
    /// Whether the object is a task.
    pub(crate) fn is_of_task(&self) -> bool {
        self.object & Announced::TASK != 0
    }
}

/// The identity of a lock, channel or other object that tasks share.
///
/// The number is given at the first use in a run and counts from the start of the run; in a search, when the run makes the
/// object, as only that is the same in all its runs.
#[derive(Debug)]
pub(crate) struct Object {
    /// The run, and the number in it.
    number: AtomicU64,
    /// Where the object was created.
    site: Site,
}

/// Bits of [`Object::number`] that count the objects of a run.
const NUMBER_BITS: u32 = 28;

impl Object {
    /// An object created at `site`.
    pub(crate) const fn new(site: Site) -> Object {
        Object { number: AtomicU64::new(0), site }
    }

    /// As [`new`](Object::new), of an object that may be made by a run.
    #[inline]
    pub(crate) fn made(site: Site) -> Object {
        match context::made() {
            None => Object::new(site),
            Some((run, number)) => {
                Object { number: AtomicU64::new(run << NUMBER_BITS | u64::from(number)), site }
            }
        }
    }

    /// The number in this run. A lock in a static outlives a run, so the run is kept beside it.
    #[inline]
    pub(crate) fn number_in(&self, world: &World) -> u32 {
        let known = self.number.load(Relaxed);
        if known >> NUMBER_BITS == world.run() {
            return (known & ((1 << NUMBER_BITS) - 1)) as u32;
        }
        let number = world.next_object();
        self.number.store(world.run() << NUMBER_BITS | u64::from(number), Relaxed);
        number
    }

    /// Where it was created.
    pub(crate) fn site(&self) -> Site {
        self.site
    }

    /// What was published to the object comes before all that the running task does from now on.
    #[inline]
    pub(crate) fn take_in(&self) {
        context::ordering(|world| world.take_in(self.number_in(world)));
    }

    /// What the running task has done comes before what others do once they take it in.
    #[inline]
    pub(crate) fn publish(&self) {
        context::ordering(|world| world.publish(self.number_in(world)));
    }
}

/// The place of a poll, if it is one of the program's. What polls may be code of a library, such as a combinator, whose
/// place says nothing to a user, and whose path is the machine's: then `else_site`. Cargo gives the files of a
/// workspace relative paths, and those of libraries absolute ones.
pub(crate) fn place_of_poll(site: Site, else_site: Site) -> Site {
    if site.file().starts_with('/') { else_site } else { site }
}

/// Announces `access` to `object` at `site`; another task may run before this returns.
#[inline]
pub(crate) fn point(object: &Object, access: Access, site: Site) {
    let _ = point_told(object, access, site);
}

/// As [`point`]; whether an exhaustive search wants to know how the operation goes.
#[inline]
pub(crate) fn point_told(object: &Object, access: Access, site: Site) -> bool {
    context::point(|world| {
        let number = object.number_in(world);
        if matches!(access, Access::Send | Access::Receive) {
            world.use_end(number, access, site);
        }
        Op { object: number, access, site, origin: Some(object.site) }
    })
}

/// As [`point`], of one end of a channel.
#[inline]
pub(crate) fn point_of_end(object: &Object, end: &End, access: Access, site: Site) {
    context::point(|world| {
        let number = object.number_in(world);
        world.use_this_end(number, end.which(world), access, site);
        Op { object: number, access, site, origin: Some(object.site) }
    });
}

/// Announces `access` as what is waited for from now on, without letting others run.
pub(crate) fn announce(object: &Object, access: Access, site: Site) {
    context::within(|world| {
        let (object, origin) = (object.number_in(world), Some(object.site));
        world.announce(Op { object, access, site, origin });
    });
}

/// Announces an access to a task; whether an exhaustive search wants to know how it goes.
pub(crate) fn point_of_task(task: &Header, access: Access, site: Site) -> bool {
    let object = Announced::of_task(task.number);
    context::point(|_| Op { object, access, site, origin: Some(task.site) })
}

/// Announces an access that has no object of its own.
#[inline]
pub(crate) fn point_alone(access: Access, site: Site, origin: Option<Site>) {
    context::point(|_| Op { object: 0, access, site, origin });
}
