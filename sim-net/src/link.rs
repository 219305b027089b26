//! One direction between two hosts: how long packets take, and what is done to them on the way.
//!
//! All of it is integers, and each figure is there to be drawn by: what zero means is written beside each draw.

use crate::{Cx, HostId, Protocol, latency::Latency};
use core::fmt;
use sim_choice::{Kind, Lane};

/// How a link treats packets, in one direction. TCP sends again what is lost, so that to it loss is delay.
///
/// ```
/// use sim_net::{Latency, Link};
///
/// let satellite = Link {
///     latency: Latency::Constant(250_000_000),
///     loss_ppm: 10_000,
///     bandwidth_bytes_per_s: Some(1_000_000),
///     ..Link::default()
/// };
/// assert_eq!(satellite.duplicate_ppm, 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// How long a packet takes.
    pub latency: Latency,
    /// The most that it takes beyond that, in nanoseconds; drawn evenly, 0 is calm.
    pub jitter_ns: u64,
    /// How many of a million packets, or fragments of a datagram larger than the MTU, are lost: 0 to 1,000,000. It is
    /// decided when they arrive, so that a change also hits what is on its way.
    pub loss_ppm: u32,
    /// How many of a million datagrams arrive twice, the copy after a delay of its own.
    pub duplicate_ppm: u32,
    /// How many of a million packets have a bit turned. TCP's checksum finds it, so that to TCP the packet is lost.
    pub corrupt_ppm: u32,
    /// How many bytes pass in a second, headers included; what is sent faster queues. None: any number at once.
    pub bandwidth_bytes_per_s: Option<u64>,
    /// How many packets may be on their way; with one more, one of them is lost. None: any number.
    pub capacity_packets: Option<u32>,
    /// The size of the largest IP packet, in bytes; a larger datagram goes in fragments. At least 68 (RFC 791).
    pub mtu_bytes: u32,
}

impl Default for Link {
    /// 50 to 400 microseconds and now and then up to 50 milliseconds, as in FoundationDB's simulator; nothing is lost;
    /// the MTU is that of Ethernet.
    fn default() -> Link {
        Link {
            latency: Latency::DATACENTER,
            jitter_ns: 0,
            loss_ppm: 0,
            duplicate_ppm: 0,
            corrupt_ppm: 0,
            bandwidth_bytes_per_s: None,
            capacity_packets: None,
            mtu_bytes: 1500,
        }
    }
}

/// What a link, or a set of links, cannot be. It names what is wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LinkError {
    /// There is no host of that number.
    UnknownHost(HostId),
    /// The host is on both sides; what it sends to itself crosses no link.
    WithItself(HostId),
    /// One side has no hosts.
    Nobody,
    /// A ratio of more than 1,000,000 in a million.
    Ratio(u32),
    /// A bandwidth of 0, over which nothing would ever arrive; to cut a link is what partitions are for.
    ZeroBandwidth,
    /// A capacity of 0 packets.
    ZeroCapacity,
    /// An MTU below the 68 bytes that each link has to carry.
    Mtu(u32),
    /// A latency whose most is less than its least, or that is all tail.
    Latency(Latency),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LinkError::UnknownHost(host) => write!(f, "there is no host {}", host.0),
            LinkError::WithItself(host) => {
                write!(f, "host {} is on both sides, and no link leads from it to itself", host.0)
            }
            LinkError::Nobody => f.write_str("a side has no hosts"),
            LinkError::Ratio(ppm) => write!(f, "{ppm} of 1000000 is more than all"),
            LinkError::ZeroBandwidth => f.write_str("over 0 bytes a second nothing arrives"),
            LinkError::ZeroCapacity => f.write_str("where 0 packets fit nothing arrives"),
            LinkError::Mtu(bytes) => write!(f, "an MTU of {bytes} bytes is less than 68"),
            LinkError::Latency(latency) => write!(f, "{latency:?} has no values"),
        }
    }
}

impl core::error::Error for LinkError {}

impl Link {
    /// A link on which every packet takes so long, and nothing is lost.
    #[must_use]
    pub fn constant(latency_ns: u64) -> Link {
        Link { latency: Latency::Constant(latency_ns), ..Link::default() }
    }

    /// What is wrong with it.
    ///
    /// # Errors
    ///
    /// [`LinkError`], which names the figure.
    pub fn check(&self) -> Result<(), LinkError> {
        for ppm in [self.loss_ppm, self.duplicate_ppm, self.corrupt_ppm] {
            if ppm > MILLION {
                return Err(LinkError::Ratio(ppm));
            }
        }
        match () {
            () if self.bandwidth_bytes_per_s == Some(0) => Err(LinkError::ZeroBandwidth),
            () if self.capacity_packets == Some(0) => Err(LinkError::ZeroCapacity),
            () if self.mtu_bytes < 68 => Err(LinkError::Mtu(self.mtu_bytes)),
            () if !self.latency.is_sound() => Err(LinkError::Latency(self.latency)),
            () => Ok(()),
        }
    }

    /// How long a packet takes that is not queued.
    pub(crate) fn delay_ns(&self, cx: &mut Cx<'_>) -> u64 {
        let latency = self.latency.draw_ns(cx);
        if self.jitter_ns == 0 {
            return latency;
        }
        // 0: the least.
        latency.saturating_add(below(cx, Kind::Latency, self.jitter_ns.saturating_add(1)))
    }

    /// How long the link is busy with so many bytes.
    pub(crate) fn busy_ns(&self, bytes: usize) -> u64 {
        let Some(per_s) = self.bandwidth_bytes_per_s else { return 0 };
        let ns = (bytes as u128 * 1_000_000_000).div_ceil(u128::from(per_s));
        u64::try_from(ns).unwrap_or(u64::MAX)
    }

    /// Into how many pieces a datagram is cut (RFC 791: all but the last carry a multiple of 8 bytes). TCP cuts by itself.
    pub(crate) fn fragments(&self, protocol: Protocol, size: usize) -> u32 {
        let mtu = self.mtu_bytes as usize;
        if protocol != Protocol::Udp || size <= mtu {
            return 1;
        }
        let each = (mtu - IP_HEADER) / 8 * 8;
        u32::try_from((size - IP_HEADER).div_ceil(each)).unwrap_or(u32::MAX)
    }
}

/// The header of IPv4 without options; that of IPv6 is taken to be the same, as if links compressed it.
pub(crate) const IP_HEADER: usize = 20;

const MILLION: u32 = 1_000_000;

/// Whether something befalls a packet that befalls `ppm` of a million. 0: it does not. What is sure is no choice.
pub(crate) fn befalls(cx: &mut Cx<'_>, ppm: u32) -> bool {
    cx.choices.chance(Lane::Net, Kind::Fault, cx.who, ppm)
}

/// A number below the bound, evenly; in steps, where the bound is beyond what one draw gives.
pub(crate) fn below(cx: &mut Cx<'_>, kind: Kind, bound: u64) -> u64 {
    let step = bound.div_ceil(u64::from(u32::MAX)).max(1);
    let draws = u32::try_from(bound / step).expect("the step is chosen so");
    u64::from(cx.choices.choose(Lane::Net, kind, cx.who, draws)) * step
}
