//! The addresses of Unix sockets.

#[cfg(not(target_os = "linux"))]
use crate::io::ErrorKind;
use crate::io::Result;
use sim_net::UnixAddress;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::{
    ffi::OsStr,
    fmt,
    os::unix::{ffi::OsStrExt, net},
    path::Path,
};

/// The address of a Unix socket: a path, a name in the abstract namespace, or none.
#[derive(Clone)]
pub struct SocketAddr(pub(super) net::SocketAddr);

impl SocketAddr {
    /// Whether it has no address.
    pub fn is_unnamed(&self) -> bool {
        self.0.is_unnamed()
    }

    /// Its path, if it has one.
    pub fn as_pathname(&self) -> Option<&Path> {
        self.0.as_pathname()
    }

    /// Its name in the abstract namespace, if it has one.
    #[cfg(target_os = "linux")]
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        self.0.as_abstract_name()
    }

    /// As the network has it.
    pub(super) fn of(address: &UnixAddress) -> Result<SocketAddr> {
        let path = match address {
            UnixAddress::Unnamed => OsStr::new(""),
            UnixAddress::Path(path) => OsStr::from_bytes(path),
            #[cfg(target_os = "linux")]
            UnixAddress::Abstract(name) => {
                return net::SocketAddr::from_abstract_name(name).map(SocketAddr);
            }
            #[cfg(not(target_os = "linux"))]
            UnixAddress::Abstract(_) => return Err(ErrorKind::Unsupported.into()),
        };
        net::SocketAddr::from_pathname(path).map(SocketAddr)
    }

    /// For the network.
    pub(super) fn to_address(&self) -> UnixAddress {
        #[cfg(target_os = "linux")]
        if let Some(name) = self.as_abstract_name() {
            return UnixAddress::Abstract(name.to_vec());
        }
        match self.as_pathname() {
            Some(path) => UnixAddress::Path(path.as_os_str().as_bytes().to_vec()),
            None => UnixAddress::Unnamed,
        }
    }
}

/// The address that a path names; one that begins with a zero byte is in the abstract namespace, as with tokio.
///
/// # Errors
///
/// `InvalidInput` if it is longer than 108 bytes, or has a zero byte elsewhere.
pub(super) fn address_of(path: &Path) -> Result<UnixAddress> {
    // std's rules, and its words.
    if let [0, name @ ..] = path.as_os_str().as_bytes() {
        #[cfg(target_os = "linux")]
        return net::SocketAddr::from_abstract_name(name).map(|addr| SocketAddr(addr).to_address());
        #[cfg(not(target_os = "linux"))]
        return Err(ErrorKind::Unsupported.into());
    }
    path_address(path)
}

/// As [`address_of`], where a path is a path; an empty one is no address, of which the verbs say what they make.
pub(super) fn path_address(path: &Path) -> Result<UnixAddress> {
    net::SocketAddr::from_pathname(path).map(|addr| SocketAddr(addr).to_address())
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<net::SocketAddr> for SocketAddr {
    fn from(addr: net::SocketAddr) -> SocketAddr {
        SocketAddr(addr)
    }
}

impl From<SocketAddr> for net::SocketAddr {
    fn from(addr: SocketAddr) -> net::SocketAddr {
        addr.0
    }
}
