//! Who has which path or abstract name.
//!
//! A path stays when its socket is closed, until it is unlinked: meanwhile nobody can bind it, and who connects is refused.
//! An abstract name goes with its socket. Folders and rights are the disk's business.

use super::{Unix, UnixAddress};
use crate::{Errno, HostId, Kind, Network, Result, SocketId};
use alloc::{collections::BTreeMap, format};

/// The sockets that have an address, by it; none: only the path is left.
#[derive(Default)]
pub(crate) struct Names {
    all: BTreeMap<(HostId, UnixAddress), Option<SocketId>>,
    /// How many names were given to sockets that asked for any.
    given: u32,
}

/// The most bytes of a path or a name: unix(7), `sun_path`, less the zero byte at its end or beginning.
const MOST_BYTES: usize = 107;

impl Names {
    pub(super) fn remove(&mut self, host: HostId, address: &UnixAddress, id: SocketId) {
        let key = (host, address.clone());
        // One that was accepted has its listener's address, not its place.
        if self.all.get(&key) != Some(&Some(id)) {
            return;
        }
        match address {
            UnixAddress::Path(_) => _ = self.all.insert(key, None),
            _ => _ = self.all.remove(&key),
        }
    }
}

impl Network {
    /// Gives a Unix socket an address: bind(2), unix(7). [`UnixAddress::Unnamed`] asks for any name in the abstract
    /// namespace.
    ///
    /// # Errors
    ///
    /// `EADDRINUSE`, also if the path is that of a closed socket; `EINVAL` if it has one, or the address is empty or
    /// longer than 107 bytes, or it is no Unix socket; `EBADF`.
    pub fn bind_unix(&mut self, id: SocketId, address: UnixAddress) -> Result<()> {
        let host = self.get(id)?.host;
        let unix = self.unix(id)?;
        let named = unix.address != UnixAddress::Unnamed;
        if named && address == UnixAddress::Unnamed {
            // Any name was asked for, and it has one.
            return Ok(());
        }
        let address = match address {
            UnixAddress::Unnamed => self.unix_any_name(host),
            named => named,
        };
        check_length(&address)?;
        let key = (host, address);
        let taken = self.unix.all.contains_key(&key);
        // The path is made before the socket is looked at.
        match &key.1 {
            UnixAddress::Path(_) if taken => return Err(Errno::EADDRINUSE),
            _ if named => return Err(Errno::EINVAL),
            _ if taken => return Err(Errno::EADDRINUSE),
            _ => {}
        }
        let address = key.1.clone();
        self.unix.all.insert(key, Some(id));
        self.unix_mut(id)?.address = address;
        Ok(())
    }

    /// unix(7), "Autobind feature": five hexadecimal digits.
    fn unix_any_name(&mut self, host: HostId) -> UnixAddress {
        loop {
            let name = format!("{:05x}", self.unix.given);
            self.unix.given += 1;
            let address = UnixAddress::Abstract(name.into());
            if !self.unix.all.contains_key(&(host, address.clone())) {
                return address;
            }
        }
    }

    /// The path was removed from the host's disk: nobody can connect to it any more, and it can be bound again. A socket
    /// that has it stays as it is.
    pub fn unlink_unix(&mut self, host: HostId, path: &[u8]) {
        self.unix.all.remove(&(host, UnixAddress::Path(path.into())));
    }

    /// Whether the host's disk has a path that a Unix socket was bound to.
    #[must_use]
    pub fn has_unix_path(&self, host: HostId, path: &[u8]) -> bool {
        self.unix.all.contains_key(&(host, UnixAddress::Path(path.into())))
    }

    /// The socket at that address, if it is of that kind: `unix_find_other`.
    pub(super) fn unix_find(&self, host: HostId, to: &UnixAddress, kind: Kind) -> Result<SocketId> {
        check_length(to)?;
        let found = self.unix.all.get(&(host, to.clone()));
        let id = match (found, to) {
            (Some(Some(id)), _) => *id,
            (None, UnixAddress::Path(_)) => return Err(Errno::ENOENT),
            _ => return Err(Errno::ECONNREFUSED),
        };
        if self.unix(id)?.kind == kind { Ok(id) } else { Err(Errno::EPROTOTYPE) }
    }

    /// Connects a Unix socket: connect(2), unix(7). A stream is connected at once, before it is accepted. Datagrams from
    /// now on go there, and come from there only; [`UnixAddress::Unnamed`] ends that.
    ///
    /// # Errors
    ///
    /// `ECONNREFUSED`, `ENOENT`, `EAGAIN` if the backlog is full, `EPROTOTYPE`, `EISCONN`, `EPERM` if the other is
    /// connected to a third, `EINVAL` if it listens, `EBADF`.
    pub fn connect_unix(&mut self, id: SocketId, to: &UnixAddress) -> Result<()> {
        match self.unix(id)? {
            Unix { kind: Kind::Datagram, .. } => self.unix_datagram_connect(id, to),
            _ => self.unix_stream_connect(id, to),
        }
    }
}

fn check_length(address: &UnixAddress) -> Result<()> {
    let len = match address {
        UnixAddress::Unnamed => return Err(Errno::EINVAL),
        UnixAddress::Path(path) => path.len(),
        // There is a name without any letters.
        UnixAddress::Abstract(name) => name.len() + 1,
    };
    if (1..=MOST_BYTES + 1).contains(&len) { Ok(()) } else { Err(Errno::EINVAL) }
}
