//! What holds for any link and any plan of faults: datagrams obey their link, bytes of a Unix stream arrive as they were
//! sent, and two runs of a seed are one.

mod wired;

use proptest::prelude::*;
use sim_choice::Strategy as Schedule;
use sim_net::{Errno, Fault, HostId, Kind, Latency, Link, SocketId};
use std::{collections::BTreeMap, net::SocketAddr};
use wired::Wired;

/// What a test does next.
#[derive(Clone, Debug)]
enum Step {
    Send { from: u8, to: u8, len: u16 },
    Wait { ns: u32 },
    Cut { from: u8, to: u8 },
    Mend { from: u8, to: u8 },
    Hold { from: u8, to: u8 },
    Release { from: u8, to: u8 },
    Crash { host: u8 },
    Heal,
}

const HOSTS: u8 = 3;

fn step() -> impl Strategy<Value = Step> {
    let pair = (0..HOSTS, 1..HOSTS).prop_map(|(from, by)| (from, (from + by) % HOSTS));
    prop_oneof![
        12 => (pair.clone(), 8u16..3_000).prop_map(|((from, to), len)| Step::Send { from, to, len }),
        4 => (0u32..2_000_000).prop_map(|ns| Step::Wait { ns }),
        1 => pair.clone().prop_map(|(from, to)| Step::Cut { from, to }),
        1 => pair.clone().prop_map(|(from, to)| Step::Mend { from, to }),
        1 => pair.clone().prop_map(|(from, to)| Step::Hold { from, to }),
        1 => pair.prop_map(|(from, to)| Step::Release { from, to }),
        1 => (0..HOSTS).prop_map(|host| Step::Crash { host }),
        1 => Just(Step::Heal),
    ]
}

fn latency() -> impl Strategy<Value = Latency> {
    prop_oneof![
        (0u64..1_000_000).prop_map(Latency::Constant),
        (0u64..1_000, 0u64..1_000_000)
            .prop_map(|(min_ns, more)| Latency::Uniform { min_ns, max_ns: min_ns + more }),
        Just(Latency::DATACENTER),
        (0u64..1_000, 0u64..1_000_000)
            .prop_map(|(min_ns, mean_ns)| Latency::Exponential { min_ns, mean_ns }),
    ]
}

fn ratio() -> impl Strategy<Value = u32> {
    prop_oneof![3 => Just(0), 2 => 0u32..1_000_000, 1 => Just(1_000_000)]
}

fn link() -> impl Strategy<Value = Link> {
    let sizes = (
        proptest::option::weighted(0.3, 1_000u64..10_000_000),
        proptest::option::weighted(0.3, 1u32..6),
        prop_oneof![Just(1_500), 68u32..4_000],
    );
    (latency(), 0u64..2_000, (ratio(), ratio(), ratio()), sizes).prop_map(
        |(latency, jitter_ns, (loss_ppm, duplicate_ppm, corrupt_ppm), sizes)| Link {
            latency,
            jitter_ns,
            loss_ppm,
            duplicate_ppm,
            corrupt_ppm,
            bandwidth_bytes_per_s: sizes.0,
            capacity_packets: sizes.1,
            mtu_bytes: sizes.2,
        },
    )
}

/// A run of a plan: who has sent what when, and what came.
struct Run {
    wired: Wired,
    sockets: Vec<SocketId>,
    /// By number: when it was sent, and its bytes.
    sent: Vec<(u64, Vec<u8>)>,
    arrived: Vec<(u64, Vec<u8>)>,
    /// What came while a host was down, or was still unread when it crashed.
    to_nobody: u64,
}

impl Run {
    fn of(link: Link, plan: &[Step], seed: u64, strategy: Schedule) -> Run {
        let mut wired = Wired::with(HOSTS.into(), strategy, seed).all_links(link);
        let sockets = (0..HOSTS).map(|host| bound(&mut wired, host)).collect();
        let mut run = Run { wired, sockets, sent: vec![], arrived: vec![], to_nobody: 0 };
        plan.iter().for_each(|step| run.step(step));
        run.step(&Step::Heal);
        while let Some(at) = run.wired.next() {
            run.run_until(at);
        }
        run
    }

    fn step(&mut self, step: &Step) {
        let host = |host: &u8| [HostId(u32::from(*host))];
        match step {
            Step::Send { from, to, len } => {
                let number = u32::try_from(self.sent.len()).unwrap();
                // The number, and the same once more so that one turned bit does not hide it.
                let mut bytes = [number.to_le_bytes(), number.to_le_bytes()].concat();
                bytes.resize((*len).into(), number as u8);
                let address = SocketAddr::new(self.wired.v4((*to).into()), 80);
                let from = self.sockets[usize::from(*from)];
                assert_eq!(self.wired.send_to(from, &bytes, address), Ok(bytes.len()));
                self.sent.push((self.wired.now_ns, bytes));
            }
            Step::Wait { ns } => self.run_until(self.wired.now_ns + u64::from(*ns)),
            Step::Cut { from, to } => {
                self.wired.partition_oneway(&host(from), &host(to)).unwrap();
            }
            Step::Mend { from, to } => self.wired.repair_oneway(&host(from), &host(to)).unwrap(),
            Step::Hold { from, to } => self.wired.hold_oneway(&host(from), &host(to)).unwrap(),
            Step::Release { from, to } => {
                let wired = &mut self.wired;
                verb!(wired.release_oneway(&host(from), &host(to))).unwrap();
            }
            Step::Crash { host } => {
                self.wired.crash(HostId((*host).into()));
                self.wired.restart(HostId((*host).into()));
                self.sockets[usize::from(*host)] = bound(&mut self.wired, *host);
            }
            Step::Heal => {
                let wired = &mut self.wired;
                verb!(wired.heal());
            }
        }
    }

    fn run_until(&mut self, until_ns: u64) {
        loop {
            let next = self.wired.next().filter(|at| *at <= until_ns);
            self.wired.run_until(next.unwrap_or(until_ns));
            for id in &self.sockets {
                let now_ns = self.wired.now_ns;
                let all = self.wired.recv_all(*id);
                self.arrived.extend(all.into_iter().map(|bytes| (now_ns, bytes)));
            }
            if next.is_none() {
                return;
            }
        }
    }

    fn injected(&self, fault: Fault) -> u64 {
        self.wired.faults(fault).0
    }
}

fn bound(wired: &mut Wired, host: u8) -> SocketId {
    let id = wired.udp(host.into());
    let ip = wired.v4(host.into());
    wired.bind(id, SocketAddr::new(ip, 80)).unwrap();
    id
}

/// How many bits differ, at least where both have bytes; none if the lengths differ.
fn distance(a: &[u8], b: &[u8]) -> Option<u32> {
    if a == b {
        return Some(0);
    }
    (a.len() == b.len()).then(|| a.iter().zip(b).map(|(a, b)| (a ^ b).count_ones()).sum())
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(cases(4_000))]

    #[test]
    fn datagrams_obey_their_link(
        link in link(),
        plan in prop::collection::vec(step(), 0..60),
        seed in any::<u64>(),
    ) {
        let run = Run::of(link, &plan, seed, Schedule::Random);
        let gone = [Fault::Loss, Fault::Partition, Fault::Overflow].map(|fault| run.injected(fault));
        let all = run.sent.len() as u64 + run.injected(Fault::Duplication);
        prop_assert_eq!(run.arrived.len() as u64 + gone.iter().sum::<u64>() + run.to_nobody, all);
        prop_assert!(run.wired.packets().is_empty());

        let (mut times, mut corrupt) = (BTreeMap::new(), 0);
        for (at_ns, bytes) in &run.arrived {
            let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
            let numbers = [word(0), word(4)];
            let of = |number: &u32| Some((*number, run.sent.get(*number as usize)?));
            let found = numbers.iter().filter_map(of).find_map(|(number, (sent_ns, sent))| {
                distance(sent, bytes).filter(|bits| *bits <= 1).map(|bits| (number, *sent_ns, bits))
            });
            let Some((number, sent_ns, bits)) = found else {
                return Err(TestCaseError::fail("bytes that nobody has sent"));
            };
            corrupt += u64::from(bits);
            *times.entry(number).or_insert(0u64) += 1;
            prop_assert!(*at_ns >= sent_ns + link.latency.min_ns());
        }
        let copies: u64 = times.values().map(|times| times - 1).sum();
        prop_assert!(copies <= run.injected(Fault::Duplication));
        prop_assert!(corrupt <= run.injected(Fault::Corruption));
        for (fault, ppm) in [
            (Fault::Loss, link.loss_ppm),
            (Fault::Duplication, link.duplicate_ppm),
            (Fault::Corruption, link.corrupt_ppm),
        ] {
            prop_assert!(ppm > 0 || run.injected(fault) == 0, "{:?}", fault);
        }
        for fault in Fault::ALL {
            let (injected, effective) = run.wired.faults(*fault);
            prop_assert!(effective <= injected, "{:?}", fault);
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn calm_loses_and_adds_nothing_that_is_not_sure(
        link in link(),
        sends in prop::collection::vec(8u16..3_000, 0..40),
    ) {
        let unsure = |ppm| if ppm == 1_000_000 { 999_999 } else { ppm };
        let link = Link {
            loss_ppm: unsure(link.loss_ppm),
            duplicate_ppm: unsure(link.duplicate_ppm),
            corrupt_ppm: unsure(link.corrupt_ppm),
            capacity_packets: None,
            ..link
        };
        let plan: Vec<Step> = sends.iter().map(|len| Step::Send { from: 0, to: 1, len: *len }).collect();
        let run = Run::of(link, &plan, 1, Schedule::Calm);
        let sent: Vec<&Vec<u8>> = run.sent.iter().map(|(_, bytes)| bytes).collect();
        let arrived: Vec<&Vec<u8>> = run.arrived.iter().map(|(_, bytes)| bytes).collect();
        prop_assert_eq!(sent, arrived);
    }

    #[test]
    fn a_seed_is_one_run(
        link in link(),
        plan in prop::collection::vec(step(), 0..40),
        seed in any::<u64>(),
    ) {
        let [one, two] = [(); 2].map(|()| Run::of(link, &plan, seed, Schedule::Random));
        prop_assert_eq!(one.arrived, two.arrived);
        prop_assert_eq!(one.wired.choices.hash(), two.wired.choices.hash());
    }

    #[test]
    fn a_unix_stream_gives_what_it_took(
        verbs in prop::collection::vec((any::<bool>(), 0usize..60_000), 0..30),
    ) {
        let mut wired = Wired::calm(1);
        let (a, b) = wired.pair(HostId(0), Kind::Stream).unwrap();
        let (mut taken, mut given, mut next) = (Vec::new(), Vec::new(), 0u32);
        for (send, len) in verbs {
            if send {
                let bytes: Vec<u8> = (next..).take(len).map(|n| (n % 251) as u8).collect();
                match wired.send(a, &bytes) {
                    Ok(sent) => {
                        taken.extend_from_slice(&bytes[..sent]);
                        next += sent as u32;
                    }
                    Err(error) => prop_assert_eq!(error, Errno::EAGAIN),
                }
            } else {
                let mut buffer = vec![0; len];
                if let Ok(read) = verb!(wired.recv(b, &mut buffer)) {
                    given.extend_from_slice(&buffer[..read]);
                }
            }
        }
        while let Ok(bytes) = wired.recv(b) {
            given.extend_from_slice(&bytes);
        }
        prop_assert!(taken == given);
        prop_assert_eq!(wired.send(a, b"x"), Ok(1));
    }
}
