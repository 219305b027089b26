//! Names, records, and the faults of those who answer.

mod wired;

use sim_choice::Strategy;
use sim_net::{DnsError, DnsFaults, Fault, HostId, LinkError};
use std::net::IpAddr;
use wired::Wired;

fn resolve(wired: &mut Wired, name: &str) -> Result<Vec<IpAddr>, DnsError> {
    verb!(wired.resolve(HostId(0), name))
}

fn set(wired: &mut Wired, name: &str, addresses: &[IpAddr]) {
    verb!(wired.set_record(name, addresses));
}

fn ip(last: u8) -> IpAddr {
    [10, 0, 0, last].into()
}

#[test]
fn names_of_hosts_literals_and_localhost() {
    let mut wired = Wired::calm(2);
    let h1 = wired.addresses(HostId(1)).to_vec();
    let here: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap(), "::1".parse().unwrap()];
    let check = |wired: &mut Wired, name: &str, expected| {
        assert_eq!(resolve(wired, name), expected, "{name}");
    };
    check(&mut wired, "h1", Ok(h1.clone()));
    check(&mut wired, "H1", Ok(h1.clone()));
    check(&mut wired, "h1.", Ok(h1));
    check(&mut wired, "localhost", Ok(here.clone()));
    check(&mut wired, "a.LOCALHOST", Ok(here));
    check(&mut wired, "10.0.0.7", Ok(vec![ip(7)]));
    check(&mut wired, "fe80::1", Ok(vec!["fe80::1".parse().unwrap()]));
    check(&mut wired, "h2", Err(DnsError::NoName));
    check(&mut wired, "", Err(DnsError::NoName));
}

#[test]
fn a_record_goes_before_a_host_until_it_is_removed() {
    let mut wired = Wired::calm(2);
    let host = wired.addresses(HostId(1)).to_vec();
    set(&mut wired, "h1", &[ip(1), ip(2)]);
    assert_eq!(resolve(&mut wired, "h1"), Ok(vec![ip(1), ip(2)]));
    set(&mut wired, "h1", &[]);
    assert_eq!(resolve(&mut wired, "h1"), Err(DnsError::NoName));
    verb!(wired.remove_record("h1"));
    assert_eq!(resolve(&mut wired, "h1"), Ok(host));
    set(&mut wired, "Service.Example", &[ip(3)]);
    assert_eq!(resolve(&mut wired, "service.example."), Ok(vec![ip(3)]));
}

#[test]
fn several_addresses_come_in_any_order_but_as_given_when_calm() {
    let firsts = |strategy| {
        let mut wired = Wired::with(1, strategy, 7);
        set(&mut wired, "db", &[ip(1), ip(2), ip(3)]);
        let firsts: std::collections::BTreeSet<IpAddr> =
            (0..50).map(|_| resolve(&mut wired, "db").unwrap()[0]).collect();
        firsts.len()
    };
    assert_eq!((firsts(Strategy::Calm), firsts(Strategy::Random)), (1, 3));
}

/// How often of 1,000 times each answer was given.
fn answers(wired: &mut Wired, name: &str) -> [usize; 3] {
    let mut counts = [0; 3];
    for _ in 0..1_000 {
        counts[match resolve(wired, name) {
            Ok(_) => 0,
            Err(DnsError::Again) => 1,
            Err(DnsError::NoName) => 2,
        }] += 1;
    }
    counts
}

#[test]
fn canary_of_failing_names() {
    let faults = DnsFaults { again_ppm: 300_000, no_name_ppm: 0, stale_ns: 0 };
    let mut wired = Wired::random(1);
    assert_eq!(answers(&mut wired, "h0"), [1_000, 0, 0]);
    assert_eq!(wired.faults(Fault::DnsFailure), (0, 0));
    wired.set_dns_faults(faults).unwrap();
    let [good, again, none] = answers(&mut wired, "h0");
    assert!((250..350).contains(&again) && good + again == 1_000 && none == 0);
    assert_eq!(wired.faults(Fault::DnsFailure), (again as u64, again as u64));
    wired.set_dns_faults(DnsFaults { again_ppm: 0, no_name_ppm: 100_000, stale_ns: 0 }).unwrap();
    let [_, again, none] = answers(&mut wired, "h0");
    assert!((60..140).contains(&none) && again == 0);

    let mut calm = Wired::calm(1);
    calm.set_dns_faults(faults).unwrap();
    assert_eq!(answers(&mut calm, "h0"), [1_000, 0, 0]);
    let bad = DnsFaults { again_ppm: 1_000_001, ..faults };
    assert_eq!(calm.set_dns_faults(bad), Err(LinkError::Ratio(1_000_001)));
}

#[test]
fn a_failure_of_a_name_that_is_not_there_has_no_effect() {
    let mut wired = Wired::random(1);
    wired.set_dns_faults(DnsFaults { again_ppm: 1_000_000, ..DnsFaults::default() }).unwrap();
    assert_eq!(resolve(&mut wired, "nobody"), Err(DnsError::Again));
    assert_eq!(wired.faults(Fault::DnsFailure), (1, 0));
}

#[test]
fn canary_of_stale_answers() {
    let old_of_100 = |strategy, stale_ns, later_ns| {
        let mut wired = Wired::with(1, strategy, 7);
        wired.set_dns_faults(DnsFaults { stale_ns, ..DnsFaults::default() }).unwrap();
        set(&mut wired, "db", &[ip(1)]);
        wired.now_ns = 1_000_000;
        assert_eq!(resolve(&mut wired, "db"), Ok(vec![ip(1)]));
        set(&mut wired, "db", &[ip(2)]);
        wired.now_ns += later_ns;
        let old = (0..100).filter(|_| resolve(&mut wired, "db") == Ok(vec![ip(1)])).count();
        assert_eq!(wired.faults(Fault::DnsStale), (old as u64, old as u64));
        old
    };
    assert!((30..70).contains(&old_of_100(Strategy::Random, 1_000, 999)));
    assert_eq!(old_of_100(Strategy::Random, 1_000, 1_000), 0);
    assert_eq!(old_of_100(Strategy::Random, 0, 0), 0);
    assert_eq!(old_of_100(Strategy::Calm, 1_000, 0), 0);
}

#[test]
fn a_record_set_to_what_it_was_is_not_stale() {
    let mut wired = Wired::random(1);
    wired.set_dns_faults(DnsFaults { stale_ns: 1_000, ..DnsFaults::default() }).unwrap();
    set(&mut wired, "db", &[ip(1)]);
    set(&mut wired, "db", &[ip(1)]);
    assert_eq!(answers(&mut wired, "db"), [1_000, 0, 0]);
    assert_eq!(wired.faults(Fault::DnsStale), (0, 0));
}

#[test]
fn a_name_is_broken_until_it_is_mended() {
    let mut wired = Wired::calm(2);
    wired.break_name("h1", Some(DnsError::Again));
    assert_eq!(resolve(&mut wired, "H1"), Err(DnsError::Again));
    assert!(resolve(&mut wired, "h0").is_ok());
    wired.break_name("h1", None);
    assert!(resolve(&mut wired, "h1").is_ok());
    assert_eq!(DnsError::Again.to_string(), "Temporary failure in name resolution");
    assert_eq!((DnsError::Again.code(), DnsError::NoName.code()), (-3, -2));
}
