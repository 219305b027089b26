//! What no network is needed for: which faces may change threads, be pinned, and outlive a panic, as tokio's.

use super::*;
use crate::io::{Interest, Ready};
use std::{
    net::{IpAddr, SocketAddr},
    panic::{RefUnwindSafe, UnwindSafe},
};

fn is_shared<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}
fn is_pinned_shared<T: Send + Sync>(_: impl FnOnce() -> T) {}

#[test]
fn sockets_may_change_threads() {
    is_shared::<TcpListener>();
    is_shared::<TcpStream>();
    is_shared::<TcpSocket>();
    is_shared::<tcp::ReadHalf<'_>>();
    is_shared::<tcp::WriteHalf<'_>>();
    is_shared::<tcp::OwnedReadHalf>();
    is_shared::<tcp::OwnedWriteHalf>();
    is_shared::<tcp::ReuniteError>();
    is_shared::<UdpSocket>();
    is_shared::<UnixListener>();
    is_shared::<UnixStream>();
    is_shared::<UnixDatagram>();
    is_shared::<UnixSocket>();
    is_shared::<unix::ReadHalf<'_>>();
    is_shared::<unix::OwnedWriteHalf>();
    is_shared::<unix::SocketAddr>();
    is_shared::<unix::UCred>();
    is_shared::<Interest>();
    is_shared::<Ready>();
}

/// Never called: it only has to compile.
#[allow(dead_code)]
fn futures_may_change_threads(at: SocketAddr, tcp: &TcpStream, udp: &UdpSocket, room: &mut [u8]) {
    is_pinned_shared(|| TcpListener::bind(at));
    is_pinned_shared(|| TcpStream::connect(at));
    is_pinned_shared(|| UdpSocket::bind(at));
    is_pinned_shared(|| lookup_host(at));
    is_pinned_shared(|| tcp.readable());
    is_pinned_shared(|| tcp.ready(Interest::READABLE));
    is_pinned_shared(|| tcp.peek(&mut *room));
    is_pinned_shared(|| udp.recv_from(&mut *room));
    is_pinned_shared(|| udp.send_to(b"", at));
    is_pinned_shared(|| udp.writable());
}

#[test]
fn interests_and_readiness_are_shown_as_tokio_does() {
    let both = Interest::WRITABLE | Interest::READABLE;
    assert_eq!(format!("{both:?}"), "READABLE | WRITABLE");
    assert_eq!(both.remove(both), None);
    let ready = Ready::READABLE | Ready::READ_CLOSED;
    assert_eq!(ready - Ready::READABLE, Ready::READ_CLOSED);
    assert!(ready.is_readable() && !ready.is_writable());
}

fn resolved(of: impl ToSocketAddrs) -> std::io::Result<Vec<SocketAddr>> {
    let rt = crate::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async { Ok(lookup_host(of).await?.collect()) })
}

#[test]
fn addresses_and_names_resolve() {
    let at: SocketAddr = "127.0.0.1:80".parse().unwrap();
    let v6: SocketAddr = "[::1]:80".parse().unwrap();
    assert_eq!(resolved(at).unwrap(), [at]);
    assert_eq!(resolved("127.0.0.1:80").unwrap(), [at]);
    assert_eq!(resolved(String::from("[::1]:80")).unwrap(), [v6]);
    assert_eq!(resolved(("::1", 80)).unwrap(), [v6]);
    assert_eq!(resolved((IpAddr::from([127, 0, 0, 1]), 80)).unwrap(), [at]);
    assert_eq!(resolved(&[at, v6][..]).unwrap(), [at, v6]);
    assert!(resolved("localhost:80").unwrap().contains(&at));
    assert_eq!(resolved("main:80").unwrap().len(), 2);
}

#[test]
fn what_is_no_address_says_so() {
    let kind = |of: &str| resolved(of).unwrap_err().kind();
    assert_eq!(kind("127.0.0.1"), std::io::ErrorKind::InvalidInput);
    assert_eq!(kind("127.0.0.1:http"), std::io::ErrorKind::InvalidInput);
    assert!(resolved("nobody:80").unwrap_err().to_string().contains("\"nobody\""));
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn a_socket_needs_a_runtime() {
    let _ = UnixStream::pair();
}

#[test]
#[should_panic(expected = "IO is disabled")]
fn a_socket_needs_io() {
    let rt = crate::runtime::Builder::new_current_thread().build().unwrap();
    rt.block_on(async { drop(UnixStream::pair()) });
}

/// The closure that a run's fiber begins with holds this future.
#[test]
fn a_large_future_can_be_blocked_on() {
    let rt = crate::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let large = [7_u8; 4096];
    let sum = rt.block_on(async move {
        crate::task::yield_now().await;
        large.iter().map(|byte| u32::from(*byte)).sum::<u32>()
    });
    assert_eq!(sum, 7 * 4096);
}

#[test]
fn a_rule_that_ends_may_close_sockets() {
    crate::runtime::Runtime::new().unwrap().block_on(async {
        let kept = UdpSocket::bind("127.0.0.1:7").await.unwrap();
        drop(rule(move |_| if kept.local_addr().is_err() { Verdict::Drop } else { Verdict::Pass }));
        assert!(UdpSocket::bind("127.0.0.1:7").await.is_ok(), "it was closed with its rule");
    });
}
