//! From what programs write to addresses: literals at once, names by the simulation's records.

use super::endpoint::expect_network;
use std::{
    future::{Future, Ready, ready},
    io::{self, ErrorKind},
    mem,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6},
    option,
    pin::Pin,
    task::{Context, Poll},
    vec,
};

/// What can be turned into addresses without blocking: addresses, `"name:port"`, `("name", port)`, slices of addresses.
///
/// It cannot be implemented outside of `sim`, as tokio's cannot outside of tokio.
pub trait ToSocketAddrs: sealed::Resolve {}

/// The addresses of `host`.
///
/// Names are those of nodes, `localhost`, and what records say.
///
/// # Errors
///
/// `InvalidInput` for what is no name with a port; else if nothing is known of the name.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// let mut addresses = sim::net::lookup_host("127.0.0.1:80").await.unwrap();
/// assert_eq!(addresses.next(), Some(([127, 0, 0, 1], 80).into()));
/// assert!(sim::net::lookup_host("nobody:80").await.is_err());
/// # });
/// ```
pub async fn lookup_host<T: ToSocketAddrs>(
    host: T,
) -> io::Result<impl Iterator<Item = SocketAddr>> {
    resolve(host).await
}

/// Resolves; what was given is dropped before anything is waited for.
pub(super) fn resolve<T: ToSocketAddrs>(
    host: T,
) -> impl Future<Output = io::Result<<T as sealed::Resolve>::Iter>> + use<T> {
    host.resolve(sealed::Internal)
}

/// What somebody says whose name has no address.
pub(super) fn no_address() -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, "could not resolve to any address")
}

pub(super) mod sealed {
    use std::{future::Future, io, net::SocketAddr};

    /// Nothing outside can name it.
    #[allow(missing_debug_implementations)]
    pub struct Internal;

    /// How the addresses are found.
    pub trait Resolve {
        type Iter: Iterator<Item = SocketAddr> + Send + 'static;
        type Future: Future<Output = io::Result<Self::Iter>> + Send + 'static;

        fn resolve(&self, internal: Internal) -> Self::Future;
    }
}

use sealed::{Internal, Resolve};

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {}

impl<T: Resolve + ?Sized> Resolve for &T {
    type Iter = T::Iter;
    type Future = T::Future;

    fn resolve(&self, internal: Internal) -> T::Future {
        (**self).resolve(internal)
    }
}

/// Addresses that are known without asking.
macro_rules! literal {
    ($($type:ty, |$given:ident| $address:expr;)*) => {$(
        impl ToSocketAddrs for $type {}

        impl Resolve for $type {
            type Iter = option::IntoIter<SocketAddr>;
            type Future = Ready<io::Result<Self::Iter>>;

            fn resolve(&self, _: Internal) -> Self::Future {
                let $given = *self;
                ready(Ok(Some($address).into_iter()))
            }
        }
    )*};
}

literal! {
    SocketAddr, |given| given;
    SocketAddrV4, |given| SocketAddr::V4(given);
    SocketAddrV6, |given| SocketAddr::V6(given);
    (IpAddr, u16), |given| SocketAddr::from(given);
    (Ipv4Addr, u16), |given| SocketAddr::from(given);
    (Ipv6Addr, u16), |given| SocketAddr::from(given);
}

impl ToSocketAddrs for &[SocketAddr] {}

impl Resolve for &[SocketAddr] {
    type Iter = vec::IntoIter<SocketAddr>;
    type Future = Ready<io::Result<Self::Iter>>;

    fn resolve(&self, _: Internal) -> Self::Future {
        ready(Ok(Vec::from(*self).into_iter()))
    }
}

impl ToSocketAddrs for str {}

impl Resolve for str {
    type Iter = vec::IntoIter<SocketAddr>;
    type Future = Lookup;

    fn resolve(&self, _: Internal) -> Lookup {
        if let Ok(address) = self.parse::<SocketAddr>() {
            return Lookup::Known(address);
        }
        let Some((name, port)) = self.rsplit_once(':') else {
            return Lookup::Invalid("invalid socket address");
        };
        match port.parse() {
            Ok(port) => Lookup::Name(name.into(), port),
            Err(_) => Lookup::Invalid("invalid port value"),
        }
    }
}

impl ToSocketAddrs for (&str, u16) {}

impl Resolve for (&str, u16) {
    type Iter = vec::IntoIter<SocketAddr>;
    type Future = Lookup;

    fn resolve(&self, _: Internal) -> Lookup {
        let (name, port) = *self;
        match name.parse::<IpAddr>() {
            Ok(ip) => Lookup::Known(SocketAddr::new(ip, port)),
            Err(_) => Lookup::Name(name.into(), port),
        }
    }
}

impl ToSocketAddrs for (String, u16) {}

impl Resolve for (String, u16) {
    type Iter = vec::IntoIter<SocketAddr>;
    type Future = Lookup;

    fn resolve(&self, internal: Internal) -> Lookup {
        (self.0.as_str(), self.1).resolve(internal)
    }
}

impl ToSocketAddrs for String {}

impl Resolve for String {
    type Iter = vec::IntoIter<SocketAddr>;
    type Future = Lookup;

    fn resolve(&self, internal: Internal) -> Lookup {
        self.as_str().resolve(internal)
    }
}

/// A name that is asked for.
#[doc(hidden)]
#[derive(Debug)]
pub enum Lookup {
    /// It was an address.
    Known(SocketAddr),
    /// It was neither an address nor a name with a port.
    Invalid(&'static str),
    /// A name, and a port. The first poll is pending, as with tokio, where another thread asks.
    Name(String, u16),
    /// A name that is looked up with this poll.
    Asked(String, u16),
}

impl Future for Lookup {
    type Output = io::Result<vec::IntoIter<SocketAddr>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match &mut *self {
            Lookup::Known(address) => Ok(vec![*address].into_iter()),
            Lookup::Invalid(why) => Err(io::Error::new(ErrorKind::InvalidInput, *why)),
            Lookup::Asked(name, port) => look_up(name, *port),
            Lookup::Name(name, port) => {
                expect_network();
                *self = Lookup::Asked(mem::take(name), *port);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        })
    }
}

fn look_up(name: &str, port: u16) -> io::Result<vec::IntoIter<SocketAddr>> {
    if name.contains('\0') {
        // std's words.
        let why = "file name contained an unexpected NUL byte";
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    let world = expect_network();
    let host = world.running_host();
    let found = world.network(|network, cx| network.resolve(cx, host, name));
    let found: Vec<SocketAddr> = found
        // std's words around those of getaddrinfo(3), and the name.
        .map_err(|error| {
            io::Error::other(format!("failed to lookup address information: {error}: {name:?}"))
        })?
        .into_iter()
        .map(|ip| SocketAddr::new(ip, port))
        .collect();
    Ok(found.into_iter())
}
