//! Names that resolve, as getaddrinfo(3) has it: hosts by their names, further records, stale answers and failures.
//!
//! Answers come at once: how long a resolver takes is not modelled.

use crate::{
    Cx, Fault, HostId, Network,
    link::{LinkError, befalls},
};
use alloc::{collections::BTreeMap, string::String, vec, vec::Vec};
use core::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};
use sim_choice::{Kind, Lane};

/// Why a name does not resolve: getaddrinfo(3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DnsError {
    /// The server did not answer: `EAI_AGAIN`.
    Again,
    /// There is no such name: `EAI_NONAME`.
    NoName,
}

impl DnsError {
    /// The number in glibc's netdb.h.
    #[must_use]
    pub fn code(self) -> i32 {
        match self {
            DnsError::Again => -3,
            DnsError::NoName => -2,
        }
    }
}

impl fmt::Display for DnsError {
    /// As gai_strerror(3).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DnsError::Again => "Temporary failure in name resolution",
            DnsError::NoName => "Name or service not known",
        })
    }
}

impl core::error::Error for DnsError {}

/// What befalls those who ask for names. Nothing, by default.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DnsFaults {
    /// How many of a million questions the server does not answer. To answer is calm.
    pub again_ppm: u32,
    /// How many of a million times a name is said not to be there that is.
    pub no_name_ppm: u32,
    /// So long after a change an answer may be as before it, in nanoseconds. The new one is calm.
    pub stale_ns: u64,
}

/// The records beside the hosts' names, and what befalls questions.
#[derive(Default)]
pub(crate) struct Dns {
    records: BTreeMap<String, Record>,
    faults: DnsFaults,
    broken: BTreeMap<String, DnsError>,
}

struct Record {
    /// None: the name is as it is without a record.
    addresses: Option<Vec<IpAddr>>,
    before: Option<Vec<IpAddr>>,
    changed_ns: u64,
}

impl Network {
    /// The addresses of that name, as the host sees them.
    ///
    /// An address is its own name, also in the old ways to write one (`127.1`, inet_aton(3)); `localhost` and what ends in it is the host itself (RFC 6761), IPv4 first,
    /// as everywhere here. Else a record of that name counts, else a host. Letters may be small or capital (RFC 4343), but for those of a
    /// host's name that has capitals.
    ///
    /// # Errors
    ///
    /// [`DnsError`]: there is no such name, or a fault says so.
    pub fn resolve(
        &mut self,
        cx: &mut Cx<'_>,
        host: HostId,
        name: &str,
    ) -> Result<Vec<IpAddr>, DnsError> {
        // Every host sees the same names.
        let _ = host;
        if let Ok(address) = name.parse() {
            return Ok(vec![address]);
        }
        if let Some(address) = old_address(name) {
            return Ok(vec![address.into()]);
        }
        let key = key(name);
        if key == "localhost" || key.ends_with(".localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let found = self.look_up(cx, name, &key);
        match self.dns_failure(cx, &key) {
            Some(error) => {
                self.faults.inject(Fault::DnsFailure);
                if found.is_some() {
                    self.faults.take_effect(Fault::DnsFailure);
                }
                Err(error)
            }
            None => found.ok_or(DnsError::NoName),
        }
    }

    fn dns_failure(&self, cx: &mut Cx<'_>, key: &str) -> Option<DnsError> {
        let faults = self.dns.faults;
        if let Some(error) = self.dns.broken.get(key) {
            return Some(*error);
        }
        match () {
            () if befalls(cx, faults.again_ppm) => Some(DnsError::Again),
            () if befalls(cx, faults.no_name_ppm) => Some(DnsError::NoName),
            () => None,
        }
    }

    fn look_up(&mut self, cx: &mut Cx<'_>, name: &str, key: &str) -> Option<Vec<IpAddr>> {
        let host = self.host(name).or_else(|| self.host(key));
        let of_host = host.map(|host| self.addresses(host).to_vec());
        let Some(record) = self.dns.records.get(key) else { return of_host };
        let (now, before) = (&record.addresses, &record.before);
        let fresh = cx.now_ns - record.changed_ns >= self.dns.faults.stale_ns;
        // 0: the answer of now.
        if !fresh && now != before && cx.choices.choose(Lane::Net, Kind::Fault, cx.who, 2) == 1 {
            let stale = before.clone().or(of_host).filter(|stale| !stale.is_empty());
            self.faults.inject(Fault::DnsStale);
            self.faults.take_effect(Fault::DnsStale);
            return stale;
        }
        let Some(mut addresses) = now.clone() else { return of_host };
        if addresses.is_empty() {
            return None;
        }
        // Servers turn their answers round, so that clients spread. 0: as given.
        let count = u32::try_from(addresses.len()).expect("fewer addresses than numbers");
        let first = cx.choices.choose(Lane::Net, Kind::Other, cx.who, count);
        addresses.rotate_left(first as usize);
        Some(addresses)
    }

    /// Gives a name those addresses, in place of what it had, also if it is a host's name. Without addresses the name is
    /// there no more.
    pub fn set_record(&mut self, cx: &Cx<'_>, name: &str, addresses: &[IpAddr]) {
        self.change_record(cx, name, Some(addresses.to_vec()));
    }

    /// Ends what [`set_record`](Network::set_record) began: the name is a host's, or nobody's.
    pub fn remove_record(&mut self, cx: &Cx<'_>, name: &str) {
        self.change_record(cx, name, None);
    }

    fn change_record(&mut self, cx: &Cx<'_>, name: &str, addresses: Option<Vec<IpAddr>>) {
        let record = self.dns.records.entry(key(name)).or_insert(Record {
            addresses: None,
            before: None,
            changed_ns: 0,
        });
        record.before = core::mem::replace(&mut record.addresses, addresses);
        record.changed_ns = cx.now_ns;
    }

    /// Sets what befalls those who ask for names.
    ///
    /// # Errors
    ///
    /// [`LinkError::Ratio`] if a ratio is more than 1,000,000 in a million.
    pub fn set_dns_faults(&mut self, faults: DnsFaults) -> Result<(), LinkError> {
        if let Some(ppm) =
            [faults.again_ppm, faults.no_name_ppm].into_iter().find(|p| *p > 1_000_000)
        {
            return Err(LinkError::Ratio(ppm));
        }
        self.dns.faults = faults;
        Ok(())
    }

    /// From now on that name gives that error; none: it resolves again.
    pub fn break_name(&mut self, name: &str, error: Option<DnsError>) {
        match error {
            Some(error) => _ = self.dns.broken.insert(key(name), error),
            None => _ = self.dns.broken.remove(&key(name)),
        }
    }
}

/// A name as it is compared: small letters, without the root's dot.
fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// An address of IPv4 as inet_aton(3) takes it: one to four numbers, decimal, octal or hexadecimal, of which the last fills
/// the bytes that are left.
fn old_address(text: &str) -> Option<Ipv4Addr> {
    let numbers: Vec<u32> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = numbers.split_last()?;
    if first.len() > 3 || first.iter().any(|byte| *byte > 255) {
        return None;
    }
    let left = 32 - 8 * first.len();
    if u64::from(*last) >> left != 0 {
        return None;
    }
    let high = first.iter().zip([24, 16, 8]).map(|(byte, shift)| byte << shift);
    Some(Ipv4Addr::from_bits(high.sum::<u32>() | last))
}

/// A number as strtoul(3) takes it, without a sign.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    if !digits.bytes().all(|digit| digit.is_ascii_alphanumeric()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}
