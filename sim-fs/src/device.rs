//! How long the device takes: operations a second, bytes a second, syncs, stalls. It does one thing at a time.

use crate::{Cx, Disk};

/// How fast a disk is. The page cache is memory and takes no time: what does is reading what was not read since the
/// node started, direct I/O and syncs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Device {
    /// Operations a second; 0 is no limit.
    pub iops: u32,
    /// Bytes a second; 0 is no limit.
    pub bytes_per_second: u64,
    /// What a sync takes at least, in nanoseconds.
    pub sync_ns: u64,
    /// What it takes beyond that at most; drawn evenly, 0 is calm.
    pub sync_jitter_ns: u64,
    /// How many of a million syncs are far slower.
    pub tail_ppm: u32,
    /// What these take beyond that at most, in nanoseconds.
    pub tail_ns: u64,
}

impl Device {
    /// Takes no time.
    pub const INSTANT: Device = Device {
        iops: 0,
        bytes_per_second: 0,
        sync_ns: 0,
        sync_jitter_ns: 0,
        tail_ppm: 0,
        tail_ns: 0,
    };

    /// What FoundationDB's simulator has: 5,000 operations and 50 MB a second, syncs of 5 to 15 ms, rarely up to a
    /// second.
    pub const USUAL: Device = Device {
        iops: 5_000,
        bytes_per_second: 50_000_000,
        sync_ns: 5_000_000,
        sync_jitter_ns: 10_000_000,
        tail_ppm: 1_000,
        tail_ns: 985_000_000,
    };
}

/// The device's queue.
#[derive(Clone, Copy)]
pub(crate) struct Queue {
    pub(crate) device: Device,
    /// How many times slower it is for now.
    pub(crate) slowness: u32,
    busy_until_ns: u64,
    stalled_until_ns: u64,
}

impl Queue {
    pub(crate) fn new(device: Device) -> Queue {
        Queue { device, slowness: 1, busy_until_ns: 0, stalled_until_ns: 0 }
    }

    /// The device is new, or its node starts: nothing is under way.
    pub(crate) fn clear(&mut self) {
        self.busy_until_ns = 0;
    }

    pub(crate) fn stall(&mut self, until_ns: u64) {
        self.stalled_until_ns = self.stalled_until_ns.max(until_ns);
    }

    /// Reads or writes so many bytes; the operation is done later by that.
    pub(crate) fn transfer(&mut self, cx: &mut Cx<'_>, bytes: u64) {
        self.occupy(cx, bytes, 0);
    }

    /// Writes so many bytes and waits for them to be durable.
    pub(crate) fn sync(&mut self, cx: &mut Cx<'_>, bytes: u64) {
        let Device { sync_ns, sync_jitter_ns, tail_ppm, tail_ns, .. } = self.device;
        let mut flush_ns = sync_ns;
        if sync_jitter_ns > 0 {
            flush_ns += cx.delay(sync_jitter_ns);
        }
        if cx.strikes(tail_ppm) {
            flush_ns += cx.delay(tail_ns);
        }
        self.occupy(cx, bytes, flush_ns);
    }

    fn occupy(&mut self, cx: &mut Cx<'_>, bytes: u64, flush_ns: u64) {
        const SECOND: u64 = 1_000_000_000;
        let Device { iops, bytes_per_second, .. } = self.device;
        let start = cx.now_ns.max(self.busy_until_ns).max(self.stalled_until_ns);
        let each = SECOND.checked_div(iops.into()).unwrap_or(0);
        let moved = u128::from(bytes) * u128::from(SECOND);
        let moved = moved.checked_div(bytes_per_second.into()).unwrap_or(0);
        let cost = each + u64::try_from(moved).unwrap_or(u64::MAX / 4) + flush_ns;
        self.busy_until_ns = start + cost * u64::from(self.slowness);
        cx.done_ns = cx.done_ns.max(self.busy_until_ns);
    }
}

impl Disk {
    /// How fast the disk is from now on.
    pub fn set_device(&mut self, device: Device) {
        self.queue.device = device;
    }

    /// All that the device does takes so many times as long; 1 is as it was.
    pub fn slow(&mut self, times: u32) {
        self.queue.slowness = times.max(1);
    }

    /// The device does nothing until that time, in nanoseconds since the start of the run.
    pub fn stall(&mut self, until_ns: u64) {
        self.queue.stall(until_ns);
    }
}
