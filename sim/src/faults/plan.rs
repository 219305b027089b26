//! Which faults a check has, and how hard they strike.

use super::FaultKind;
use std::time::Duration;

/// Which faults strike the nodes of a run and the links between them, and how hard; for [`Config::faults`](crate::Config::faults).
///
/// Begins with [`none`](Faults::none), [`moderate`](Faults::moderate) or [`swarm`](Faults::swarm); each setter changes
/// one kind. Nothing ever befalls the test itself, the node `main`, but that its links are as all others; and what a
/// machine sends to itself.
///
/// ```
/// use sim::{Config, Faults};
/// use std::time::Duration;
///
/// let faults = Faults::none()
///     .loss_ppm(10_000)
///     .crash(Duration::from_secs(10), Duration::from_secs(2));
/// let config = Config::new().faults(faults);
/// # let _ = config;
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Faults {
    /// Each run has some of the kinds, and these are the most that they are.
    pub(crate) swarm: bool,
    /// The kinds that were set one by one, as bits.
    pub(crate) named: u32,
    pub(crate) latency_ns: u64,
    pub(crate) loss_ppm: u32,
    pub(crate) duplicate_ppm: u32,
    pub(crate) reorder_ppm: u32,
    pub(crate) reorder_ns: u64,
    pub(crate) corrupt_ppm: u32,
    pub(crate) close_ppm: u32,
    pub(crate) partial_io: bool,
    pub(crate) clog: Strikes,
    pub(crate) swizzle: Strikes,
    pub(crate) partition: Strikes,
    pub(crate) splits: Vec<Split>,
    pub(crate) oneway: bool,
    pub(crate) crash: Strikes,
    pub(crate) pause: Strikes,
    pub(crate) skew_ns: u64,
    pub(crate) drift_ppm: u32,
    /// How far it jumps at most stands for how long.
    pub(crate) jump: Strikes,
    pub(crate) buggify: bool,
    pub(crate) budget: Option<u32>,
    pub(crate) mistake: Option<String>,
}

/// What strikes now and then.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Strikes {
    /// About how often it may; 0 is never.
    pub(crate) every_ns: u64,
    /// How long it lasts at most.
    pub(crate) most_ns: u64,
}

/// How a partition splits the nodes in two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Split {
    /// The size of the smaller part is drawn, then who is in it.
    Size,
    /// For each node it is drawn where it is.
    Cut,
    /// One node is alone.
    Isolate,
}

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLISECOND;

const fn strikes(every_ns: u64, most_ns: u64) -> Strikes {
    Strikes { every_ns, most_ns }
}

impl Faults {
    /// No faults. Setters add some.
    pub fn none() -> Faults {
        Faults {
            swarm: false,
            named: 0,
            latency_ns: 0,
            loss_ppm: 0,
            duplicate_ppm: 0,
            reorder_ppm: 0,
            reorder_ns: 100 * MILLISECOND,
            corrupt_ppm: 0,
            close_ppm: 0,
            partial_io: false,
            clog: Strikes::default(),
            swizzle: Strikes::default(),
            partition: Strikes::default(),
            splits: vec![Split::Isolate, Split::Size, Split::Cut],
            oneway: true,
            crash: Strikes::default(),
            pause: Strikes::default(),
            skew_ns: 0,
            drift_ppm: 0,
            jump: Strikes::default(),
            buggify: false,
            budget: None,
            mistake: None,
        }
    }

    /// All kinds in each run, such as a bad day in a datacenter has them:
    ///
    /// | kind | value |
    /// |---|---|
    /// | latency | 0 to 2 ms more |
    /// | loss, duplication, reordering, corruption | 1 %, 1 %, 2 %, 0.1 % |
    /// | close | at 1 of 10,000 reads and writes |
    /// | partial I/O, `buggify!` | on |
    /// | clog, swizzle, partition | every 10 s, 20 s, 20 s; up to 1 s, 2 s, 5 s |
    /// | crash, pause | every 20 s; up to 5 s, 1 s |
    /// | clocks | 500 ms off, 200 ppm drift, jumps of 1 s every 60 s |
    pub fn moderate() -> Faults {
        Faults {
            latency_ns: 2 * MILLISECOND,
            loss_ppm: 10_000,
            duplicate_ppm: 10_000,
            reorder_ppm: 20_000,
            corrupt_ppm: 1_000,
            close_ppm: 100,
            partial_io: true,
            clog: strikes(10 * SECOND, SECOND),
            swizzle: strikes(20 * SECOND, 2 * SECOND),
            partition: strikes(20 * SECOND, 5 * SECOND),
            crash: strikes(20 * SECOND, 5 * SECOND),
            pause: strikes(20 * SECOND, SECOND),
            skew_ns: 500 * MILLISECOND,
            drift_ppm: 200,
            jump: strikes(60 * SECOND, SECOND),
            buggify: true,
            ..Faults::none()
        }
    }

    /// Each run has some of the kinds, with strengths of its own, and some runs have none: *swarm testing* (Groce et al.,
    /// ISSTA 2012). A run with all faults at once hides what only shows when some are absent.
    ///
    /// The strengths go in four steps up to those that setters set, by default
    ///
    /// | kind | at most |
    /// |---|---|
    /// | latency | 100 ms more |
    /// | loss, duplication, reordering, corruption | 30 %, 50 %, 50 %, 5 % |
    /// | close | at 1 of 100 reads and writes |
    /// | clog, swizzle, partition, crash | every 250 ms, up to 10 s |
    /// | pause | every 250 ms, up to 5 s |
    /// | clocks | 10 s off, 1 % drift, jumps of 10 s every 250 ms |
    pub fn swarm() -> Faults {
        let often = strikes(250 * MILLISECOND, 10 * SECOND);
        Faults {
            swarm: true,
            latency_ns: 100 * MILLISECOND,
            loss_ppm: 300_000,
            duplicate_ppm: 500_000,
            reorder_ppm: 500_000,
            corrupt_ppm: 50_000,
            close_ppm: 10_000,
            partial_io: true,
            clog: often,
            swizzle: often,
            partition: often,
            crash: often,
            pause: strikes(250 * MILLISECOND, 5 * SECOND),
            skew_ns: 10 * SECOND,
            drift_ppm: 10_000,
            jump: often,
            buggify: true,
            ..Faults::none()
        }
    }

    /// The preset of that name.
    pub(crate) fn named(name: &str) -> Result<Faults, String> {
        match name {
            "none" => Ok(Faults::none()),
            "moderate" => Ok(Faults::moderate()),
            "swarm" => Ok(Faults::swarm()),
            _ => Err(format!("{name:?} is no set of faults; allowed are none, moderate and swarm")),
        }
    }

    fn set(mut self, kind: FaultKind, set: impl FnOnce(&mut Faults)) -> Faults {
        self.named |= 1 << kind as u32;
        set(&mut self);
        self
    }

    /// A ratio that is more than all is a mistake, which is told when the check starts.
    fn ratio(self, kind: FaultKind, ppm: u32, set: impl FnOnce(&mut Faults)) -> Faults {
        let mut faults = self.set(kind, set);
        if ppm > 1_000_000 {
            let message = format!("{kind}: {ppm} of 1000000 is more than all");
            faults.mistake.get_or_insert(message);
        }
        faults
    }

    /// Packets take up to so much longer.
    pub fn latency(self, most: Duration) -> Faults {
        self.set(FaultKind::Latency, |it| it.latency_ns = ns(most))
    }

    /// So many of a million packets are lost, 0 to 1,000,000. TCP sends them again.
    pub fn loss_ppm(self, ppm: u32) -> Faults {
        self.ratio(FaultKind::Loss, ppm, |it| it.loss_ppm = ppm)
    }

    /// So many of a million datagrams arrive twice, 0 to 1,000,000.
    pub fn duplicate_ppm(self, ppm: u32) -> Faults {
        self.ratio(FaultKind::Duplication, ppm, |it| it.duplicate_ppm = ppm)
    }

    /// So many of a million datagrams, 0 to 1,000,000, take up to `most` longer, so that others overtake them.
    pub fn reorder_ppm(self, ppm: u32, most: Duration) -> Faults {
        let set = |it: &mut Faults| (it.reorder_ppm, it.reorder_ns) = (ppm, ns(most));
        self.ratio(FaultKind::Reordering, ppm, set)
    }

    /// So many of a million packets have a bit turned, 0 to 1,000,000. To TCP they are lost.
    pub fn corrupt_ppm(self, ppm: u32) -> Faults {
        self.ratio(FaultKind::Corruption, ppm, |it| it.corrupt_ppm = ppm)
    }

    /// At so many of a million reads and writes the connection breaks off, 0 to 1,000,000, as in FoundationDB's
    /// simulator: in 30 % of the cases this end, the other or both see a reset; in 70 % nobody is told, and what is sent
    /// from here, from there or both is lost from then on.
    pub fn close_ppm(self, ppm: u32) -> Faults {
        self.ratio(FaultKind::Close, ppm, |it| it.close_ppm = ppm)
    }

    /// Whether half of the reads and writes of TCP take a part of what they could.
    pub fn partial_io(self, on: bool) -> Faults {
        self.set(FaultKind::PartialIo, |it| it.partial_io = on)
    }

    /// About that often all that goes to and from a node is held, for up to `most`, and then delivered. A zero `every` is
    /// never, here and below.
    pub fn clog(self, every: Duration, most: Duration) -> Faults {
        self.set(FaultKind::Clog, |it| it.clog = strikes(ns(every), ns(most)))
    }

    /// About that often each node is clogged with one half: at a time of its own in the first half of a while, which is up
    /// to `most`, until one in the second half. It loses nothing, and the budget does not bound it.
    pub fn swizzle(self, every: Duration, most: Duration) -> Faults {
        self.set(FaultKind::Swizzle, |it| it.swizzle = strikes(ns(every), ns(most)))
    }

    /// About that often links are cut, for up to `most`: [all splits](Faults::splits), symmetric and, unless
    /// [`oneway`](Faults::oneway) says no, asymmetric.
    pub fn partition(self, every: Duration, most: Duration) -> Faults {
        self.set(FaultKind::Partition, |it| it.partition = strikes(ns(every), ns(most)))
    }

    /// How partitions split the nodes. None at all is a mistake, which is told when the check starts.
    pub fn splits(mut self, splits: impl IntoIterator<Item = Split>) -> Faults {
        self.splits = splits.into_iter().collect();
        if self.splits.is_empty() {
            self.mistake.get_or_insert("splits: a partition splits the nodes somehow".into());
        }
        self
    }

    /// Whether partitions may be of one direction.
    pub fn oneway(mut self, may: bool) -> Faults {
        self.oneway = may;
        self
    }

    /// About that often a node crashes, and starts again after up to `most`.
    pub fn crash(self, every: Duration, most: Duration) -> Faults {
        self.set(FaultKind::Crash, |it| it.crash = strikes(ns(every), ns(most)))
    }

    /// About that often a node is paused, for up to `most`.
    pub fn pause(self, every: Duration, most: Duration) -> Faults {
        self.set(FaultKind::Pause, |it| it.pause = strikes(ns(every), ns(most)))
    }

    /// The wall clock of each node may be up to so much ahead or behind.
    pub fn clock_skew(self, most: Duration) -> Faults {
        self.set(FaultKind::ClockSkew, |it| it.skew_ns = ns(most))
    }

    /// The clocks of each node may go up to so many millionths too fast or too slow, 0 to 1,000,000.
    pub fn clock_drift_ppm(self, ppm: u32) -> Faults {
        self.ratio(FaultKind::ClockDrift, ppm, |it| it.drift_ppm = ppm)
    }

    /// About that often the wall clock of a node jumps, by up to `most`, in either direction.
    pub fn clock_jump(self, every: Duration, most: Duration) -> Faults {
        self.set(FaultKind::ClockJump, |it| it.jump = strikes(ns(every), ns(most)))
    }

    /// Whether [`buggify!`](crate::buggify) is ever true.
    pub fn buggify(self, on: bool) -> Faults {
        self.set(FaultKind::Buggify, |it| it.buggify = on)
    }

    /// How many nodes may be injured at once: crashed, paused, clogged or on the smaller side of a partition. By default a
    /// minority of those beside `main`, but one at least. With more a system that stands on majorities has every right to
    /// stop, and each alarm that it does is false.
    pub fn budget(mut self, nodes: u32) -> Faults {
        self.budget = Some(nodes);
        self
    }

    /// The kinds that can strike, as bits.
    pub(crate) fn kinds(&self) -> u32 {
        let on = [
            (FaultKind::Latency, self.latency_ns > 0),
            (FaultKind::Loss, self.loss_ppm > 0),
            (FaultKind::Duplication, self.duplicate_ppm > 0),
            (FaultKind::Reordering, self.reorder_ppm > 0),
            (FaultKind::Corruption, self.corrupt_ppm > 0),
            (FaultKind::PartialIo, self.partial_io),
            (FaultKind::Close, self.close_ppm > 0),
            (FaultKind::Clog, self.clog.is_on()),
            (FaultKind::Swizzle, self.swizzle.is_on()),
            (FaultKind::Partition, self.partition.is_on()),
            (FaultKind::Crash, self.crash.is_on()),
            (FaultKind::Pause, self.pause.is_on()),
            (FaultKind::ClockSkew, self.skew_ns > 0),
            (FaultKind::ClockDrift, self.drift_ppm > 0),
            (FaultKind::ClockJump, self.jump.is_on()),
            (FaultKind::Buggify, self.buggify),
        ];
        on.into_iter().filter(|kind| kind.1).map(|kind| 1 << kind.0 as u32).sum()
    }

    /// What strikes now and then.
    pub(crate) fn strikes(&mut self) -> [(FaultKind, &mut Strikes); 6] {
        [
            (FaultKind::Clog, &mut self.clog),
            (FaultKind::Swizzle, &mut self.swizzle),
            (FaultKind::Partition, &mut self.partition),
            (FaultKind::Crash, &mut self.crash),
            (FaultKind::Pause, &mut self.pause),
            (FaultKind::ClockJump, &mut self.jump),
        ]
    }

    pub(crate) fn storm(&self) -> sim_net::Storm {
        sim_net::Storm {
            latency_ns: self.latency_ns,
            loss_ppm: self.loss_ppm,
            duplicate_ppm: self.duplicate_ppm,
            reorder_ppm: self.reorder_ppm,
            reorder_ns: self.reorder_ns,
            corrupt_ppm: self.corrupt_ppm,
            close_ppm: self.close_ppm,
            partial_io: self.partial_io,
        }
    }
}

impl Default for Faults {
    fn default() -> Faults {
        Faults::none()
    }
}

impl Strikes {
    pub(crate) fn is_on(self) -> bool {
        self.every_ns > 0
    }
}

/// More than 584 years count as so many.
fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
