//! A link's promises, each seen by datagrams: bounds of the delay, ratios, queues. Each fault has a canary: it bites where
//! it is set, and only there.

mod wired;

use sim_choice::Strategy;
use sim_net::{Fault, HostId, Latency, Link, LinkError};
use wired::Wired;

const A: HostId = HostId(0);
const B: HostId = HostId(1);

/// Sends so many datagrams of so many bytes, `gap_ns` apart; gives when each arrived, and its number.
fn arrivals(mut wired: Wired, count: u32, size: usize, gap_ns: u64) -> (Vec<(u64, u32)>, Wired) {
    let (from, _) = wired.udp_at(0);
    let (to, address) = wired.udp_at(1);
    let mut arrived = Vec::new();
    let mut take = |wired: &mut Wired| {
        for bytes in wired.recv_all(to) {
            arrived.push((wired.now_ns, u32::from_le_bytes(bytes[..4].try_into().unwrap())));
        }
    };
    for number in 0..count {
        let mut bytes = number.to_le_bytes().to_vec();
        bytes.resize(size, 0);
        wired.send_to(from, &bytes, address).unwrap();
        let until = wired.now_ns + gap_ns;
        while let Some(at) = wired.next().filter(|at| *at <= until) {
            wired.run_until(at);
            take(&mut wired);
        }
        wired.run_until(until);
    }
    while let Some(at) = wired.next() {
        wired.run_until(at);
        take(&mut wired);
    }
    (arrived, wired)
}

fn delays(latency: Latency, jitter_ns: u64, strategy: Strategy) -> Vec<u64> {
    let link = Link { latency, jitter_ns, ..Link::default() };
    let wired = Wired::with(2, strategy, 7).all_links(link);
    let gap = 10_000_000_000;
    let (arrived, _) = arrivals(wired, 10_000, 4, gap);
    arrived.iter().map(|(at, number)| at - u64::from(*number) * gap).collect()
}

#[test]
fn latencies_lie_within_their_bounds() {
    let check = |latency, jitter_ns, least: u64, most: u64| {
        let delays = delays(latency, jitter_ns, Strategy::Random);
        assert_eq!(delays.len(), 10_000);
        assert_eq!(delays.iter().min(), Some(&least), "{latency:?}");
        assert_eq!(delays.iter().max(), Some(&most), "{latency:?}");
    };
    check(Latency::Constant(30), 0, 30, 30);
    check(Latency::Constant(1_000), 50, 1_000, 1_050);
    check(Latency::Uniform { min_ns: 100, max_ns: 150 }, 0, 100, 150);
}

#[test]
fn one_of_a_thousand_takes_longer_in_a_datacenter() {
    let delays = delays(Latency::DATACENTER, 0, Strategy::Random);
    assert!(delays.iter().all(|delay| (50_000..=50_000_000).contains(delay)));
    let tail = delays.iter().filter(|delay| **delay > 400_000).count();
    assert!((2..=25).contains(&tail), "{tail} of 10000");
}

#[test]
fn exponential_delays_have_their_mean_and_median() {
    let latency = Latency::Exponential { min_ns: 1_000_000, mean_ns: 50_000_000 };
    let mut delays = delays(latency, 0, Strategy::Random);
    delays.sort_unstable();
    let mean = delays.iter().sum::<u64>() / 10_000;
    assert!(delays[0] >= 1_000_000);
    assert!(mean.abs_diff(51_000_000) < 2_000_000, "{mean}");
    assert!(delays[5_000].abs_diff(35_657_359) < 2_000_000, "{}", delays[5_000]);
}

#[test]
fn calm_is_the_least_delay_and_no_fault() {
    let link = Link {
        latency: Latency::Uniform { min_ns: 10, max_ns: 9_000 },
        jitter_ns: 1_000,
        loss_ppm: 900_000,
        duplicate_ppm: 900_000,
        corrupt_ppm: 900_000,
        ..Link::default()
    };
    let (arrived, _) = arrivals(Wired::calm(2).all_links(link), 100, 4, 100);
    let expected: Vec<(u64, u32)> = (0..100).map(|n| (u64::from(n) * 100 + 10, n)).collect();
    assert_eq!(arrived, expected);
}

/// How many of 10,000 arrive.
fn so_many_arrive(link: Link) -> (usize, Wired) {
    let (arrived, wired) = arrivals(Wired::random(2).all_links(link), 10_000, 8, 1_000_000);
    (arrived.len(), wired)
}

#[test]
fn canary_of_loss() {
    let at = |loss_ppm| so_many_arrive(Link { loss_ppm, ..Link::constant(5) });
    let (all, wired) = at(0);
    assert_eq!((all, wired.faults(Fault::Loss)), (10_000, (0, 0)));
    let (some, wired) = at(300_000);
    assert!((6_800..7_200).contains(&some), "{some}");
    let lost = 10_000 - some as u64;
    assert_eq!(wired.faults(Fault::Loss), (lost, lost));
    assert_eq!(at(1_000_000).0, 0);
}

#[test]
fn canary_of_duplication() {
    let at = |duplicate_ppm| so_many_arrive(Link { duplicate_ppm, ..Link::constant(5) });
    let (once, wired) = at(0);
    assert_eq!((once, wired.faults(Fault::Duplication)), (10_000, (0, 0)));
    let (some, wired) = at(500_000);
    assert!((14_800..15_200).contains(&some), "{some}");
    let copies = some as u64 - 10_000;
    assert_eq!(wired.faults(Fault::Duplication), (copies, copies));
}

#[test]
fn canary_of_reordering() {
    let at = |latency| {
        let link = Link { latency, ..Link::default() };
        let (arrived, wired) = arrivals(Wired::random(2).all_links(link), 1_000, 4, 10);
        let late = arrived.windows(2).filter(|two| two[0].1 > two[1].1).count();
        (late, wired.faults(Fault::Reordering))
    };
    assert_eq!(at(Latency::Constant(1_000)), (0, (0, 0)));
    let (late, (injected, effective)) = at(Latency::Uniform { min_ns: 0, max_ns: 1_000 });
    assert!(late > 100 && injected >= late as u64);
    assert_eq!(injected, effective);
}

#[test]
fn canary_of_corruption() {
    let at = |corrupt_ppm| {
        let mut wired = Wired::random(2).all_links(Link { corrupt_ppm, ..Link::constant(5) });
        let (from, _) = wired.udp_at(0);
        let (to, address) = wired.udp_at(1);
        let (mut bad, mut bits) = (0, 0);
        for _ in 0..1_000 {
            wired.send_to(from, &[0; 40], address).unwrap();
            wired.run();
            let bytes = wired.recv(to).unwrap();
            bits += bytes.iter().map(|byte| byte.count_ones()).sum::<u32>();
            bad += u32::from(bytes != [0; 40]);
        }
        assert_eq!(bad, bits, "one bit of each");
        let (injected, effective) = wired.faults(Fault::Corruption);
        assert_eq!((injected, effective), (bad.into(), bad.into()));
        bad
    };
    assert_eq!(at(0), 0);
    assert!((60..140).contains(&at(100_000)));
    assert_eq!(at(1_000_000), 1_000);
}

#[test]
fn canary_of_bandwidth() {
    let at = |bandwidth_bytes_per_s| {
        let link = Link { bandwidth_bytes_per_s, ..Link::constant(1_000) };
        let (arrived, _) = arrivals(Wired::calm(2).all_links(link), 3, 972, 0);
        arrived.iter().map(|(at, _)| *at).collect::<Vec<_>>()
    };
    assert_eq!(at(None), [1_000, 1_000, 1_000]);
    // 972 bytes and 28 of headers, at a million a second.
    assert_eq!(at(Some(1_000_000)), [1_001_000, 2_001_000, 3_001_000]);
}

#[test]
fn a_slow_link_is_idle_again_when_all_has_passed() {
    let link = Link { bandwidth_bytes_per_s: Some(1_000_000), ..Link::constant(0) };
    let (arrived, _) = arrivals(Wired::calm(2).all_links(link), 2, 972, 5_000_000);
    assert_eq!(arrived, [(1_000_000, 0), (6_000_000, 1)]);
}

#[test]
fn canary_of_capacity() {
    let at = |capacity_packets, strategy| {
        let link = Link { capacity_packets, ..Link::constant(1_000) };
        let (arrived, wired) = arrivals(Wired::with(2, strategy, 7).all_links(link), 10, 4, 0);
        let numbers: Vec<u32> = arrived.iter().map(|(_, number)| *number).collect();
        (numbers, wired.faults(Fault::Overflow))
    };
    assert_eq!(at(None, Strategy::Random), ((0..10).collect(), (0, 0)));
    // Calm loses the new ones, chance any.
    assert_eq!(at(Some(3), Strategy::Calm), (vec![0, 1, 2], (7, 7)));
    let (numbers, lost) = at(Some(3), Strategy::Random);
    assert_eq!((numbers.len(), lost), (3, (7, 7)));
    assert_ne!(numbers, [0, 1, 2]);
}

#[test]
fn a_full_link_has_room_again_when_a_packet_has_arrived() {
    let link = Link { capacity_packets: Some(1), ..Link::constant(1_000) };
    let (arrived, _) = arrivals(Wired::calm(2).all_links(link), 10, 4, 600);
    let numbers: Vec<u32> = arrived.iter().map(|(_, number)| *number).collect();
    assert_eq!(numbers, [0, 2, 4, 6, 8]);
}

#[test]
fn canary_of_the_mtu() {
    let lost_of = |mtu_bytes| {
        let link = Link { mtu_bytes, loss_ppm: 100_000, ..Link::constant(5) };
        let (arrived, _) = arrivals(Wired::random(2).all_links(link), 1_000, 9_000, 1_000_000);
        1_000 - arrived.len()
    };
    // One piece of 0.9; seven pieces, all of which come with 0.9^7 = 0.478.
    assert!((70..130).contains(&lost_of(9_028)), "{}", lost_of(9_028));
    assert!((470..570).contains(&lost_of(1_500)), "{}", lost_of(1_500));
}

#[test]
fn a_pair_goes_before_its_sender_and_that_before_its_receiver() {
    let mut wired = Wired::calm(3).all_links(Link::constant(1));
    let latency = |wired: &Wired, from, to| wired.link(from, to).unwrap().latency.min_ns();
    wired.set_host_link(B, Some(Link::constant(2))).unwrap();
    assert_eq!(
        [latency(&wired, A, HostId(2)), latency(&wired, A, B), latency(&wired, B, A)],
        [1, 2, 2]
    );
    wired.set_host_link(A, Some(Link::constant(3))).unwrap();
    assert_eq!([latency(&wired, A, B), latency(&wired, B, A)], [3, 2]);
    wired.set_link(A, B, Some(Link::constant(4))).unwrap();
    assert_eq!([latency(&wired, A, B), latency(&wired, B, A)], [4, 2]);
    wired.set_link(A, B, None).unwrap();
    wired.set_host_link(A, None).unwrap();
    wired.set_host_link(B, None).unwrap();
    assert_eq!([latency(&wired, A, B), latency(&wired, B, A)], [1, 1]);
}

#[test]
fn loopback_crosses_no_link() {
    let link = Link { loss_ppm: 1_000_000, ..Link::constant(1_000_000_000) };
    let mut wired = Wired::random(1).all_links(link);
    let (from, _) = wired.udp_at(0);
    let (to, address) = wired.udp_at(0);
    wired.send_to(from, b"here", address).unwrap();
    assert_eq!(wired.recv(to).unwrap(), b"here");
}

#[test]
fn a_link_that_cannot_be_is_named() {
    let check = |link: Link, expected: LinkError, text: &str| {
        let mut net = Wired::calm(2);
        assert_eq!(net.set_default_link(link), Err(expected));
        assert_eq!(net.set_host_link(A, Some(link)), Err(expected));
        assert_eq!(net.set_link(A, B, Some(link)), Err(expected));
        assert_eq!(expected.to_string(), text);
    };
    let good = Link::default();
    check(
        Link { bandwidth_bytes_per_s: Some(0), ..good },
        LinkError::ZeroBandwidth,
        "over 0 bytes a second nothing arrives",
    );
    check(
        Link { capacity_packets: Some(0), ..good },
        LinkError::ZeroCapacity,
        "where 0 packets fit nothing arrives",
    );
    check(Link { mtu_bytes: 67, ..good }, LinkError::Mtu(67), "an MTU of 67 bytes is less than 68");
    check(
        Link { loss_ppm: 1_000_001, ..good },
        LinkError::Ratio(1_000_001),
        "1000001 of 1000000 is more than all",
    );
    let latency = Latency::Uniform { min_ns: 2, max_ns: 1 };
    check(
        Link { latency, ..good },
        LinkError::Latency(latency),
        "Uniform { min_ns: 2, max_ns: 1 } has no values",
    );
}
