//! Sockets, once they are to have an address or a peer: before that nobody can tell that there are any. And
//! what a runtime waits for them with.

use super::{super::fail, escapes, lets_out, text};
use crate::os::Reach;
use libc::{addrinfo, c_char, c_int, c_void, sa_family_t, size_t, sockaddr, socklen_t, ssize_t};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddrV4, SocketAddrV6};

/// An address as text; of families other than those of the internet and of Unix, the family's number.
///
/// # Safety
///
/// It is null, or valid for so many bytes.
unsafe fn address(at: *const sockaddr, length: socklen_t) -> String {
    let length = length as usize;
    if at.is_null() || length < size_of::<sa_family_t>() {
        return String::new();
    }
    // SAFETY: the address is valid for `length` bytes, which are as many as are read; it need not be aligned.
    unsafe {
        let family = at.cast::<sa_family_t>().read_unaligned();
        match c_int::from(family) {
            libc::AF_INET if length >= size_of::<libc::sockaddr_in>() => {
                let inet = at.cast::<libc::sockaddr_in>().read_unaligned();
                let ip = Ipv4Addr::from(u32::from_be(inet.sin_addr.s_addr));
                SocketAddrV4::new(ip, u16::from_be(inet.sin_port)).to_string()
            }
            libc::AF_INET6 if length >= size_of::<libc::sockaddr_in6>() => {
                let inet = at.cast::<libc::sockaddr_in6>().read_unaligned();
                let ip = Ipv6Addr::from(inet.sin6_addr.s6_addr);
                SocketAddrV6::new(ip, u16::from_be(inet.sin6_port), 0, inet.sin6_scope_id)
                    .to_string()
            }
            libc::AF_UNIX => {
                let start = size_of::<sa_family_t>();
                let path = std::slice::from_raw_parts(at.cast::<u8>().add(start), length - start);
                // An abstract one begins with a zero, a path ends with one (unix(7)).
                let (mark, name) = match path.split_first() {
                    Some((0, name)) => ("@", name),
                    _ => ("", path.split(|byte| *byte == 0).next().unwrap_or_default()),
                };
                format!("{mark}{}", String::from_utf8_lossy(name))
            }
            other => format!("of address family {other}"),
        }
    }
}

escapes! {
    /// bind(2)
    fn bind(socket: c_int, at: *const sockaddr, length: socklen_t) -> c_int;
    Reach::Socket, address(at, length), else fail(libc::EACCES);

    /// connect(2)
    fn connect(socket: c_int, to: *const sockaddr, length: socklen_t) -> c_int;
    Reach::Socket, address(to, length), else fail(libc::EACCES);

    /// socketpair(2)
    fn socketpair(domain: c_int, kind: c_int, protocol: c_int, ends: *mut c_int) -> c_int;
    Reach::Socket, "a pair".to_string(), else fail(libc::EMFILE);

    /// getaddrinfo(3): it gives its error.
    fn getaddrinfo(
        node: *const c_char, service: *const c_char, hints: *const addrinfo, found: *mut *mut addrinfo
    ) -> c_int;
    Reach::Name, text(if node.is_null() { service } else { node }), else libc::EAI_FAIL;

    /// epoll_create(2)
    fn epoll_create(size: c_int) -> c_int;
    Reach::Reactor, String::new(), else fail(libc::EMFILE);

    /// epoll_create1(2)
    fn epoll_create1(flags: c_int) -> c_int;
    Reach::Reactor, String::new(), else fail(libc::EMFILE);
}

/// sendto(2): only if it names a peer; others send on what has been asked about.
///
/// # Safety
///
/// As libc's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn sendto(
    socket: c_int,
    bytes: *const c_void,
    length: size_t,
    flags: c_int,
    to: *const sockaddr,
    to_length: socklen_t,
) -> ssize_t {
    type Real = unsafe extern "C" fn(
        c_int,
        *const c_void,
        size_t,
        c_int,
        *const sockaddr,
        socklen_t,
    ) -> ssize_t;
    // SAFETY: the caller gives an address of that length, or null.
    let peer = || unsafe { address(to, to_length) };
    if !to.is_null() && !lets_out("sendto", Reach::Socket, peer) {
        return fail(libc::EACCES) as ssize_t;
    }
    match crate::os::platform::real!(sendto: Real) {
        // SAFETY: the caller's arguments, unchanged.
        Some(real) => unsafe { real(socket, bytes, length, flags, to, to_length) },
        None => fail(libc::ENOSYS) as ssize_t,
    }
}
