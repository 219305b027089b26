//! Partitions and holds: what they do to packets that are sent and to those on their way, and to nothing else.

mod wired;

use sim_net::{Fault, HostId, Link, LinkError};
use std::net::SocketAddr;
use wired::Wired;

const A: HostId = HostId(0);
const B: HostId = HostId(1);
const C: HostId = HostId(2);

/// Three hosts a microsecond apart, each with a socket.
struct Three {
    wired: Wired,
    sockets: Vec<(sim_net::SocketId, SocketAddr)>,
}

impl Three {
    fn new() -> Three {
        let mut wired = Wired::random(3).all_links(Link::constant(1_000));
        let sockets = (0..3).map(|host| wired.udp_at(host)).collect();
        Three { wired, sockets }
    }

    fn send(&mut self, from: HostId, to: HostId, text: &str) {
        let (id, address) = (self.sockets[from.0 as usize].0, self.sockets[to.0 as usize].1);
        self.wired.send_to(id, text.as_bytes(), address).unwrap();
    }

    fn received(&mut self, at: HostId) -> Vec<String> {
        self.wired.run();
        let all = self.wired.recv_all(self.sockets[at.0 as usize].0);
        all.into_iter().map(|bytes| String::from_utf8(bytes).unwrap()).collect()
    }
}

#[test]
fn canary_of_partition() {
    let mut three = Three::new();
    three.send(A, B, "whole");
    assert_eq!(three.received(B), ["whole"]);
    assert_eq!(three.wired.faults(Fault::Partition), (0, 0));

    three.wired.partition(&[A], &[B, C]).unwrap();
    for (from, to) in [(A, B), (B, A), (A, C), (C, A)] {
        three.send(from, to, "cut");
        assert!(three.wired.is_cut(from, to));
    }
    three.send(B, C, "beside");
    let got = [three.received(A), three.received(B), three.received(C)];
    assert_eq!(got, [vec![], vec![], vec!["beside".to_owned()]]);
    assert_eq!(three.wired.faults(Fault::Partition), (4, 4));

    three.wired.repair(&[B], &[A]).unwrap();
    three.send(A, B, "mended");
    three.send(A, C, "still cut");
    assert_eq!((three.received(B), three.received(C)), (vec!["mended".to_owned()], vec![]));
}

#[test]
fn a_partition_drops_what_is_on_its_way() {
    let mut three = Three::new();
    three.send(A, B, "on its way");
    three.wired.partition(&[A], &[B]).unwrap();
    assert_eq!(three.received(B), [""; 0]);
    assert_eq!(three.wired.faults(Fault::Partition), (1, 1));
}

#[test]
fn what_is_sent_into_a_cut_is_lost_however_soon_it_is_mended() {
    let mut three = Three::new();
    three.wired.partition(&[A], &[B]).unwrap();
    three.send(A, B, "lost");
    three.wired.repair(&[A], &[B]).unwrap();
    assert_eq!(three.received(B), [""; 0]);
}

#[test]
fn a_partition_that_nobody_runs_into_has_no_effect() {
    let mut three = Three::new();
    three.wired.partition(&[A], &[B]).unwrap();
    let nobody = SocketAddr::new(three.wired.v4(1), 9);
    let id = three.sockets[0].0;
    three.wired.send_to(id, b"to nobody", nobody).unwrap();
    three.wired.run();
    assert_eq!(three.wired.faults(Fault::Partition), (1, 0));
}

#[test]
fn one_way_is_one_way() {
    let mut three = Three::new();
    three.wired.partition_oneway(&[A], &[B]).unwrap();
    three.send(A, B, "there");
    three.send(B, A, "back");
    assert_eq!((three.received(A), three.received(B)), (vec!["back".to_owned()], vec![]));
    three.wired.repair_oneway(&[A], &[B]).unwrap();
    three.send(A, B, "there");
    assert_eq!(three.received(B), ["there"]);
}

#[test]
fn canary_of_hold() {
    let mut three = Three::new();
    three.send(A, B, "in flight");
    three.wired.hold(&[A], &[B]).unwrap();
    three.send(A, B, "sent");
    three.send(C, B, "beside");
    assert_eq!(three.received(B), ["beside"]);
    assert!(three.wired.is_held(A, B) && three.wired.is_held(B, A));
    assert_eq!(three.wired.faults(Fault::Hold), (2, 0));
    let held: Vec<bool> = three.wired.packets().iter().map(|p| p.arrives_ns.is_none()).collect();
    assert_eq!(held, [true, true]);

    three.wired.now_ns += 1_000_000;
    three.wired.release(&[A], &[B]);
    three.send(A, B, "after");
    assert_eq!(three.received(B), ["in flight", "sent", "after"]);
    assert_eq!(three.wired.faults(Fault::Hold), (2, 2));
    assert!(three.wired.packets().is_empty());
}

#[test]
fn what_is_released_comes_in_the_order_of_sending() {
    let mut three = Three::new();
    three.wired.hold(&[B], &[A, C]).unwrap();
    three.send(A, B, "1");
    three.send(C, B, "2");
    three.send(A, B, "3");
    three.wired.run();
    three.wired.release(&[A, C], &[B]);
    assert_eq!(three.received(B), ["1", "2", "3"]);
}

#[test]
fn what_is_held_can_be_cut_and_healed() {
    let mut three = Three::new();
    three.wired.hold(&[A], &[B]).unwrap();
    three.send(A, B, "lost");
    three.wired.run();
    three.wired.partition(&[A], &[B]).unwrap();
    three.wired.release(&[A], &[B]);
    assert_eq!(three.received(B), [""; 0]);

    three.wired.hold(&[A], &[C]).unwrap();
    three.send(A, C, "kept");
    three.wired.run();
    let wired = &mut three.wired;
    verb!(wired.heal());
    assert_eq!(three.received(C), ["kept"]);
    three.send(A, B, "healed");
    assert_eq!(three.received(B), ["healed"]);
}

#[test]
fn a_side_that_cannot_be_is_named_and_nothing_is_cut() {
    let mut three = Three::new();
    let check = |three: &mut Three, a: &[HostId], b: &[HostId], expected: LinkError| {
        assert_eq!(three.wired.partition(a, b), Err(expected));
        assert_eq!(three.wired.repair(a, b), Err(expected));
        assert_eq!(three.wired.hold(a, b), Err(expected));
        three.send(A, B, "all is well");
        assert_eq!(three.received(B), ["all is well"]);
        expected.to_string()
    };
    let unknown = check(&mut three, &[A], &[B, HostId(9)], LinkError::UnknownHost(HostId(9)));
    assert_eq!(unknown, "there is no host 9");
    let itself = check(&mut three, &[A, B], &[C, B], LinkError::WithItself(B));
    assert_eq!(itself, "host 1 is on both sides, and no link leads from it to itself");
    let nobody = check(&mut three, &[A], &[], LinkError::Nobody);
    assert_eq!(nobody, "a side has no hosts");
    assert_eq!(three.wired.link(A, A), Err(LinkError::WithItself(A)));
}

#[test]
fn a_host_cut_from_all_still_hears_itself() {
    let mut three = Three::new();
    three.wired.partition(&[A], &[B, C]).unwrap();
    three.send(A, A, "here");
    assert_eq!(three.received(A), ["here"]);
}

#[test]
fn what_comes_to_a_crashed_host_is_gone() {
    let mut three = Three::new();
    three.send(A, B, "too late");
    three.wired.crash(B);
    three.wired.run();
    three.wired.restart(B);
    let (id, address) = three.wired.udp_at(1);
    three.sockets[1] = (id, address);
    three.send(A, B, "again");
    assert_eq!(three.received(B), ["again"]);
}
