//! What TCP sends: RFC 9293, section 3.1.

use super::ConnectionId;
use alloc::{boxed::Box, vec::Vec};
use core::{fmt, ops::BitOr};

/// A segment on its way.
///
/// Numbers do not wrap: each connection's bytes count from a place of its own, so that what is left over from an
/// earlier connection never passes for part of a later one.
#[derive(Clone, Default)]
pub struct Segment {
    /// Which of its marks are set.
    pub flags: Flags,
    /// The number of its first byte, or of its `SYN`.
    pub seq: u64,
    /// The number of the byte that its sender expects next, if it has `ACK`.
    pub ack: u64,
    /// How many bytes from there its sender has room for.
    pub window: u32,
    /// The bytes of the stream that it carries.
    pub payload: Vec<u8>,
    /// The connection that it is from and for, where they are known: they save a search, and prove nothing.
    pub(crate) from: Option<ConnectionId>,
    pub(crate) to: Option<ConnectionId>,
}

/// The marks of a [`Segment`]: a set.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags(u8);

impl Flags {
    /// None.
    pub const NONE: Flags = Flags(0);
    /// It opens the connection.
    pub const SYN: Flags = Flags(1);
    /// It acknowledges.
    pub const ACK: Flags = Flags(2);
    /// Its sender sends no more.
    pub const FIN: Flags = Flags(4);
    /// There is no connection, or no more.
    pub const RST: Flags = Flags(8);

    /// Whether all of `other` is set.
    #[must_use]
    pub fn has(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }
}

impl BitOr for Flags {
    type Output = Flags;
    fn bitor(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all =
            [(Flags::SYN, "SYN"), (Flags::FIN, "FIN"), (Flags::RST, "RST"), (Flags::ACK, "ACK")];
        let mut first = true;
        for (_, name) in all.iter().filter(|(flag, _)| self.has(*flag)) {
            f.write_str(if core::mem::take(&mut first) { "" } else { "-" })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

/// `SYN-ACK 68719476736 ack 137438953473 window 65536, 0 bytes`
impl fmt::Debug for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} ", self.flags, self.seq)?;
        if self.flags.has(Flags::ACK) {
            write!(f, "ack {} ", self.ack)?;
        }
        write!(f, "window {}, {} bytes", self.window, self.payload.len())
    }
}

impl Segment {
    /// How many numbers it takes: its bytes, and one each for `SYN` and `FIN`.
    #[must_use]
    pub fn len(&self) -> u64 {
        let marks = u64::from(self.flags.has(Flags::SYN)) + u64::from(self.flags.has(Flags::FIN));
        self.payload.len() as u64 + marks
    }

    /// Whether it takes no number, as a mere acknowledgement.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number after its last.
    pub(crate) fn end(&self) -> u64 {
        self.seq + self.len()
    }

    /// The answer to a segment that belongs to no connection: RFC 9293, section 3.10.7.1. None to a reset.
    pub(crate) fn refusal(&self) -> Option<Box<Segment>> {
        if self.flags.has(Flags::RST) {
            return None;
        }
        let (flags, seq, ack) = match self.flags.has(Flags::ACK) {
            true => (Flags::RST, self.ack, 0),
            false => (Flags::RST | Flags::ACK, 0, self.end()),
        };
        Some(Box::new(Segment { flags, seq, ack, to: self.from, ..Segment::default() }))
    }
}

/// Segments that have arrived, to be sent again as others: they keep their allocations.
#[derive(Default)]
pub(crate) struct Spare {
    #[expect(clippy::vec_box, reason = "a segment travels in its box")]
    segments: Vec<Box<Segment>>,
}

/// So many are kept.
const SPARE: usize = 256;

impl Spare {
    /// One whose payload is empty, and the rest anything.
    #[inline]
    pub(crate) fn take(&mut self) -> Box<Segment> {
        self.segments.pop().unwrap_or_default()
    }

    #[inline]
    pub(crate) fn keep(&mut self, mut segment: Box<Segment>) {
        if self.segments.len() < SPARE {
            segment.payload.clear();
            self.segments.push(segment);
        }
    }
}
