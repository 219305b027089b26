//! How links treat packets, set while the program runs.

use super::hosts::{ToHosts, control, expect_control, found};
use crate::{point::Site, world::World};
use sim_net::{HostId, Latency, Link};
use std::{panic::Location, rc::Rc, time::Duration};

/// Some links, whose figures can be set; made by [`link`] and [`default_link`].
///
/// Each setter takes effect at once, for what is sent from then on. All panic on figures that cannot be.
#[derive(Clone)]
pub struct Links {
    world: Rc<World>,
    /// In these directions; none: all that have no figures of their own.
    ways: Option<Vec<(HostId, HostId)>>,
    site: Site,
}

/// The links between both sides, in both directions.
///
/// # Panics
///
/// Outside a simulation; if a name or an address is nobody's, a side is empty, or a machine is on both.
///
/// ```no_run
/// # async fn test() {
/// use std::time::Duration;
///
/// sim::net::link("client", ["server1", "server2"])
///     .latency(Duration::from_millis(20)..=Duration::from_millis(30))
///     .loss_ppm(10_000);
/// # }
/// ```
#[track_caller]
pub fn link(a: impl ToHosts, b: impl ToHosts) -> Links {
    let site = Location::caller();
    let world = expect_control(site);
    let (a, b) = (found(&world, a), found(&world, b));
    let there = a.iter().flat_map(|a| b.iter().map(|b| (*a, *b)));
    let ways: Vec<(HostId, HostId)> = there.flat_map(|(a, b)| [(a, b), (b, a)]).collect();
    assert!(!ways.is_empty(), "there is no link between two sides of which one has no machine");
    for (from, to) in &ways {
        control(&world, |network, _| network.link(*from, *to));
    }
    Links { world, ways: Some(ways), site }
}

/// All links that have not been given figures of their own by [`link`].
///
/// # Panics
///
/// Outside a simulation.
///
/// ```
/// # sim::runtime::Runtime::new().unwrap().block_on(async {
/// use std::time::Duration;
///
/// sim::net::default_link().latency(Duration::from_millis(1)).jitter(Duration::from_micros(100));
/// # });
/// ```
#[track_caller]
pub fn default_link() -> Links {
    let site = Location::caller();
    Links { world: expect_control(site), ways: None, site }
}

impl Links {
    /// Only from the first side to the second.
    #[must_use]
    pub fn oneway(mut self) -> Links {
        // Each pair was put in with its way back right after it.
        if let Some(ways) = &mut self.ways {
            *ways = ways.iter().copied().step_by(2).collect();
        }
        self
    }

    /// Sets all figures at once.
    ///
    /// # Panics
    ///
    /// If a figure cannot be.
    #[track_caller]
    pub fn set(self, link: Link) -> Links {
        self.change(|figures| *figures = link)
    }

    /// How long a packet takes: a duration, a range of durations, or any [`Latency`].
    ///
    /// # Panics
    ///
    /// If the range has no values.
    #[track_caller]
    pub fn latency(self, latency: impl IntoLatency) -> Links {
        let latency = latency.into_latency();
        self.change(|link| link.latency = latency)
    }

    /// The most that a packet takes beyond its latency.
    #[track_caller]
    pub fn jitter(self, jitter: Duration) -> Links {
        self.change(|link| link.jitter_ns = ns(jitter))
    }

    /// How many of a million packets are lost, 0 to 1,000,000. TCP sends them again.
    ///
    /// # Panics
    ///
    /// If it is more than all.
    #[track_caller]
    pub fn loss_ppm(self, ppm: u32) -> Links {
        self.change(|link| link.loss_ppm = ppm)
    }

    /// How many of a million datagrams arrive twice, 0 to 1,000,000.
    ///
    /// # Panics
    ///
    /// If it is more than all.
    #[track_caller]
    pub fn duplicate_ppm(self, ppm: u32) -> Links {
        self.change(|link| link.duplicate_ppm = ppm)
    }

    /// How many of a million packets have a bit turned, 0 to 1,000,000. To TCP they are lost.
    ///
    /// # Panics
    ///
    /// If it is more than all.
    #[track_caller]
    pub fn corrupt_ppm(self, ppm: u32) -> Links {
        self.change(|link| link.corrupt_ppm = ppm)
    }

    /// How many bytes pass in a second.
    ///
    /// # Panics
    ///
    /// If it is 0, over which nothing would arrive: that is a [partition](super::partition).
    #[track_caller]
    pub fn bandwidth(self, bytes_per_second: u64) -> Links {
        self.change(|link| link.bandwidth_bytes_per_s = Some(bytes_per_second))
    }

    /// How many packets may be on their way; beyond that one is lost.
    ///
    /// # Panics
    ///
    /// If it is 0.
    #[track_caller]
    pub fn capacity(self, packets: u32) -> Links {
        self.change(|link| link.capacity_packets = Some(packets))
    }

    /// The size of the largest packet, in bytes.
    ///
    /// # Panics
    ///
    /// If it is less than 68, which every link has to carry (RFC 791).
    #[track_caller]
    pub fn mtu(self, bytes: u32) -> Links {
        self.change(|link| link.mtu_bytes = bytes)
    }

    /// As they were at first; those made by [`link`]: as all others.
    #[track_caller]
    pub fn reset(self) -> Links {
        match &self.ways {
            None => control(&self.world, |network, _| network.set_default_link(Link::default())),
            Some(ways) => ways.iter().for_each(|(from, to)| {
                control(&self.world, |network, _| network.set_link(*from, *to, None));
            }),
        }
        self
    }

    #[track_caller]
    fn change(self, change: impl Fn(&mut Link)) -> Links {
        match &self.ways {
            None => control(&self.world, |network, _| {
                let mut link = network.default_link();
                change(&mut link);
                network.set_default_link(link)
            }),
            Some(ways) => {
                for (from, to) in ways {
                    control(&self.world, |network, _| {
                        let mut link = network.link(*from, *to)?;
                        change(&mut link);
                        network.set_link(*from, *to, Some(link))
                    });
                }
            }
        }
        self
    }
}

impl std::fmt::Debug for Links {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Links").field("made_at", &self.site).finish_non_exhaustive()
    }
}

/// What says how long a packet takes.
pub trait IntoLatency {
    /// As the network has it.
    fn into_latency(self) -> Latency;
}

impl IntoLatency for Latency {
    fn into_latency(self) -> Latency {
        self
    }
}

impl IntoLatency for Duration {
    fn into_latency(self) -> Latency {
        Latency::Constant(ns(self))
    }
}

impl IntoLatency for std::ops::RangeInclusive<Duration> {
    fn into_latency(self) -> Latency {
        Latency::Uniform { min_ns: ns(*self.start()), max_ns: ns(*self.end()) }
    }
}

/// More than 584 years count as so many.
fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
