//! The queue of timers: values to be had back at a time, unless cancelled before.
//!
//! Values lie in a slab; the queue orders small entries that name a slot and the serial number of its
//! value. To cancel is to empty the slot: the entry is dead, and dropped when it is met, or in one sweep
//! when the dead outnumber the living. So a loop of `timeout(1 hour, quick)` stays small.
//!
//! The queue is a radix heap (`radix.rs`). Its one weakness is that it cannot take a time before the
//! earliest that was looked at, and [`Timers::next`] looks ahead of the clock. Timers that are inserted in
//! between wait in a small binary heap. When that outgrows what is ahead, the radix heap is rewound to the
//! clock and takes them in.

use crate::radix::{Entry, Radix};
use alloc::{collections::BinaryHeap, vec::Vec};
use core::{cmp::Reverse, fmt};

/// So many dead entries are left alone, and so many early timers, however few others there are.
const FEW: usize = 32;

/// Timers by time, as nanoseconds since the start of the run; those of one time in order of insertion.
///
/// Inserting, cancelling and taking out cost constant time, spread over many calls. See the
/// [crate](crate) for an example.
pub struct Timers<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    queue: Radix,
    /// Timers before `queue.last()` that came when it was too late to queue them: earliest first, then first inserted first.
    early: BinaryHeap<Reverse<Early>>,
    /// When so many are early, see whether to rewind.
    early_limit: usize,
    /// The time of the timer that was taken out last: nothing is inserted before it.
    floor: u64,
    /// Timers inserted since this value was made, over all runs: the next serial number.
    inserted: u64,
    live: usize,
    /// Entries of `queue` and `early` whose timers were cancelled.
    dead: usize,
}

struct Slot<T> {
    /// Of the value that is or was here last; the low half of its number.
    serial: u32,
    /// Whose timer it is; in what alignment leaves.
    owner: u32,
    value: Option<T>,
}

/// Where an entry is.
#[derive(Clone, Copy)]
enum Place {
    Queue,
    Early,
}

/// The order of fields is the order of timers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Early {
    time: u64,
    number: u64,
    slot: u32,
}

impl Early {
    fn entry(self) -> Entry {
        Entry { time: self.time, slot: self.slot, serial: self.number as u32 }
    }
}

/// Names one timer. When that has fired or was cancelled the key is stale, and stays so: it is not reused
/// before four thousand million other timers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key {
    slot: u32,
    serial: u32,
}

/// Without numbers: they depend on earlier runs, and must not reach a trace.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

impl<T> Timers<T> {
    /// No timers, at time 0.
    #[must_use]
    pub fn new() -> Timers<T> {
        Timers {
            slots: Vec::new(),
            free: Vec::new(),
            queue: Radix::new(),
            early: BinaryHeap::new(),
            early_limit: FEW,
            floor: 0,
            inserted: 0,
            live: 0,
            dead: 0,
        }
    }

    /// Adds a timer that is due at `at`. If that is before the time of a timer already taken out, it is due
    /// at that time.
    ///
    /// # Panics
    ///
    /// If there are more than 2^32 timers at once.
    #[inline]
    pub fn insert(&mut self, at: u64, value: T) -> Key {
        self.insert_of(0, at, value)
    }

    /// As [`insert`](Timers::insert), of one of several owners, which [`retime`](Timers::retime) tells apart. The owner of
    /// all others is 0.
    ///
    /// # Panics
    ///
    /// If there are more than 2^32 timers at once.
    #[inline]
    pub fn insert_of(&mut self, owner: u32, at: u64, value: T) -> Key {
        let number = self.inserted;
        self.inserted += 1;
        let key = self.occupy(number as u32, owner, value);
        let time = at.max(self.floor);
        if time < self.queue.last() {
            self.insert_early(Early { time, number, slot: key.slot });
        } else {
            self.queue.push(Entry { time, slot: key.slot, serial: key.serial });
        }
        key
    }

    /// Takes a timer out before it fires: its value, or none if the key is stale.
    #[inline]
    pub fn cancel(&mut self, key: Key) -> Option<T> {
        let value = self.vacate(key.slot, key.serial)?;
        self.dead += 1;
        if self.dead > self.live.max(FEW) {
            self.sweep();
        }
        Some(value)
    }

    /// The value of a timer, or none if the key is stale.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.slot as usize)?;
        if slot.serial == key.serial { slot.value.as_mut() } else { None }
    }

    /// The values of all timers, in no order that means anything, but the same in each run.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.slots.iter().filter_map(|slot| slot.value.as_ref())
    }

    /// When the earliest timer is due; none if there are no timers.
    ///
    /// Needs `&mut`, as it puts the queue in order; it does not move the time before which nothing can be
    /// inserted.
    #[inline]
    #[expect(
        clippy::should_implement_trait,
        reason = "it answers when, and leaves the timer where it is"
    )]
    pub fn next(&mut self) -> Option<u64> {
        self.settle().map(|(entry, _)| entry.time)
    }

    /// Takes out the earliest timer that is due at or before `now`; none if there is none.
    ///
    /// Call it until it gives none. The clock may stand still between calls, but must not go back.
    #[inline]
    pub fn pop_due(&mut self, now: u64) -> Option<T> {
        let (Entry { time, slot, serial }, place) =
            self.settle().filter(|(entry, _)| entry.time <= now)?;
        match place {
            Place::Queue => self.queue.pop(),
            Place::Early => _ = self.early.pop(),
        }
        self.floor = time;
        self.vacate(slot, serial)
    }

    /// Moves the timers of `owner`, each to the time that `moved` gives for its own; keys stay as they are. Of those that
    /// are due at one time then, the one that was due first stays the first.
    ///
    /// It costs a move of each timer of all owners.
    ///
    /// ```
    /// let mut timers = sim_time::Timers::new();
    /// timers.insert_of(1, 10, "a");
    /// let b = timers.insert_of(2, 20, "b");
    /// timers.retime(2, |at| at / 4);
    /// assert_eq!(timers.pop_due(5), Some("b"));
    /// assert_eq!((timers.cancel(b), timers.next()), (None, Some(10)));
    /// ```
    pub fn retime(&mut self, owner: u32, mut moved: impl FnMut(u64) -> u64) {
        let mut entries = Vec::with_capacity(self.live);
        while let Some((entry, place)) = self.settle() {
            match place {
                Place::Queue => self.queue.pop(),
                Place::Early => _ = self.early.pop(),
            }
            entries.push(entry);
        }
        self.queue.clear();
        for entry in &mut entries {
            if self.slots[entry.slot as usize].owner == owner {
                entry.time = moved(entry.time).max(self.floor);
            }
            self.queue.push(*entry);
        }
    }

    /// How many timers there are; cancelled ones are not.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there are no timers.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Drops all timers and goes back to time 0, for the next run. Keys become stale, allocations are kept.
    pub fn clear(&mut self) {
        self.queue.clear();
        self.early.clear();
        self.early_limit = FEW;
        self.floor = 0;
        self.live = 0;
        self.dead = 0;
        self.free.clear();
        // Last, as a value's destructor may panic.
        self.slots.clear();
    }

    /// The earliest live entry and where it is, having dropped the dead ones before it.
    #[inline]
    fn settle(&mut self) -> Option<(Entry, Place)> {
        let (slots, dead) = (&self.slots, &mut self.dead);
        let queued =
            self.queue.settle(|entry| *dead == 0 || is_live(slots, entry) || bury(dead)).copied();
        if self.early.is_empty() {
            return queued.map(|entry| (entry, Place::Queue));
        }
        self.settle_early(queued)
    }

    #[inline(never)]
    fn settle_early(&mut self, queued: Option<Entry>) -> Option<(Entry, Place)> {
        while let Some(&Reverse(early)) = self.early.peek() {
            let entry = early.entry();
            if !is_live(&self.slots, &entry) {
                self.early.pop();
                self.dead -= 1;
                continue;
            }
            // Of two at one time the queued was inserted first: now the queue would not take that time.
            if queued.is_none_or(|queued| entry.time < queued.time) {
                return Some((entry, Place::Early));
            }
            break;
        }
        queued.map(|entry| (entry, Place::Queue))
    }

    #[cold]
    #[inline(never)]
    fn insert_early(&mut self, early: Early) {
        if self.early.is_empty() {
            self.early_limit = FEW;
        }
        self.early.push(Reverse(early));
        if self.early.len() < self.early_limit {
            return;
        }
        // To rewind costs a move of each timer ahead, so it must pay for as many insertions.
        let ahead = self.queue.ahead_of(self.floor);
        if self.early.len() < ahead {
            self.early_limit = ahead;
            return;
        }
        self.queue.rewind(self.floor);
        while let Some(Reverse(early)) = self.early.pop() {
            self.queue.push(early.entry());
        }
    }

    /// Drops all dead entries.
    #[cold]
    #[inline(never)]
    fn sweep(&mut self) {
        self.queue.retain(|entry| is_live(&self.slots, entry));
        self.early.retain(|&Reverse(early)| is_live(&self.slots, &early.entry()));
        self.dead = 0;
    }

    fn occupy(&mut self, serial: u32, owner: u32, value: T) -> Key {
        self.live += 1;
        let value = Some(value);
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Slot { serial, owner, value };
            return Key { slot, serial };
        }
        let slot = u32::try_from(self.slots.len()).expect("at most 2^32 timers");
        self.slots.push(Slot { serial, owner, value });
        Key { slot, serial }
    }

    #[inline]
    fn vacate(&mut self, slot: u32, serial: u32) -> Option<T> {
        let occupied = self.slots.get_mut(slot as usize).filter(|slot| slot.serial == serial)?;
        let value = occupied.value.take()?;
        self.free.push(slot);
        self.live -= 1;
        Some(value)
    }
}

impl<T> Default for Timers<T> {
    fn default() -> Timers<T> {
        Timers::new()
    }
}

#[inline]
fn is_live<T>(slots: &[Slot<T>], entry: &Entry) -> bool {
    let slot = &slots[entry.slot as usize];
    slot.serial == entry.serial && slot.value.is_some()
}

/// Counts an entry that is about to be dropped; it is not kept.
fn bury(dead: &mut usize) -> bool {
    *dead -= 1;
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts the entries one by one, and compares with what is kept as counts.
    fn entries(timers: &mut Timers<u64>) -> usize {
        let mut queued = 0;
        timers.queue.retain(|_| {
            queued += 1;
            true
        });
        let entries = queued + timers.early.len();
        assert_eq!(entries, timers.live + timers.dead);
        entries
    }

    #[test]
    fn the_dead_never_outnumber_the_living_by_more_than_a_few() {
        let mut timers = Timers::new();
        for i in 0..100 {
            timers.insert(1 << 20, i);
        }
        for i in 0..10_000 {
            let times = [i, i + (1 << 30), i % 7];
            let keys = times.map(|at| timers.insert(at, i));
            if i % 3 == 0 {
                timers.next();
            }
            for key in keys {
                assert_eq!(timers.cancel(key), Some(i));
            }
            assert!(entries(&mut timers) <= 2 * 100 + 1);
            assert!(timers.slots.len() <= 103);
        }
        assert_eq!(timers.len(), 100);
    }

    #[test]
    fn many_early_timers_are_taken_into_the_queue() {
        let mut timers = Timers::new();
        timers.insert(1 << 40, 0);
        assert_eq!(timers.next(), Some(1 << 40));
        for i in 1..1000 {
            timers.insert(1_000_000 - i, i);
            assert!(timers.early.len() < FEW);
        }
        assert_eq!(entries(&mut timers), 1000);
    }

    #[test]
    fn a_cleared_queue_keeps_its_allocations() {
        let mut timers = Timers::new();
        for i in 0..100 {
            timers.insert(i, i);
        }
        let before = timers.slots.capacity();
        timers.clear();
        assert_eq!((timers.slots.capacity(), timers.len(), timers.next()), (before, 0, None));
    }
}
