//! Who asks a disk: the process of the node that runs, at a place of the program.

use crate::{
    context,
    point::{Access, Site},
    world::World,
};
use sim_fs::{Cx, Disk};
use std::{io, os::unix::ffi::OsStrExt, path::Path, rc::Rc};

/// The process that runs, which asks for something by path.
pub(crate) struct Caller {
    pub(super) world: Rc<World>,
    pub(super) node: u32,
    pub(super) site: Site,
}

impl Caller {
    /// What runs now; fails outside of a simulation.
    pub(crate) fn at(site: Site) -> io::Result<Caller> {
        let Some(world) = context::world() else {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "there is no disk outside of a simulation: sim::std::fs has those of nodes",
            ));
        };
        let node = world.current_node();
        Ok(Caller { world, node, site })
    }

    pub(super) fn ask<R>(
        &self,
        access: Access,
        verb: impl FnOnce(&mut Disk, &mut Cx<'_>) -> sim_fs::Result<R>,
    ) -> io::Result<R> {
        self.world.disk_verb((self.node, None), access, self.site, verb)
    }

    /// Changes something.
    pub(super) fn change<R>(
        &self,
        verb: impl FnOnce(&mut Disk, &mut Cx<'_>) -> sim_fs::Result<R>,
    ) -> io::Result<R> {
        self.ask(Access::Write, verb)
    }

    /// Looks at something.
    pub(super) fn look<R>(
        &self,
        verb: impl FnOnce(&mut Disk, &mut Cx<'_>) -> sim_fs::Result<R>,
    ) -> io::Result<R> {
        self.ask(Access::Read, verb)
    }
}

/// The bytes of a path, as Linux has them.
pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// A place of the program: what std or a library calls within a call of the program's has none of its own, and its
/// path is the machine's. Then `else_site`.
pub(super) fn place(site: Site, else_site: Site) -> Site {
    crate::point::place_of_poll(site, else_site)
}
