//! What a task wants of a socket, and what a socket is ready for: two small sets, as tokio's.

use std::{
    fmt,
    ops::{BitAnd, BitOr, BitOrAssign, Sub},
};

const READABLE: u8 = 1;
const WRITABLE: u8 = 2;
const READ_CLOSED: u8 = 4;
const WRITE_CLOSED: u8 = 8;
const PRIORITY: u8 = 16;
const ERROR: u8 = 32;

/// What somebody waits for a socket to be ready for: a set that is never empty.
///
/// ```
/// use sim::io::Interest;
///
/// let both = Interest::READABLE | Interest::WRITABLE;
/// assert!(both.is_readable() && both.is_writable());
/// assert_eq!(both.remove(Interest::READABLE), Some(Interest::WRITABLE));
/// assert_eq!(Interest::READABLE.remove(both), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// To read, or to accept.
    pub const READABLE: Interest = Interest(READABLE);
    /// To write.
    pub const WRITABLE: Interest = Interest(WRITABLE);
    /// For an error.
    pub const ERROR: Interest = Interest(ERROR);
    /// For urgent data, of which a simulation has none.
    pub const PRIORITY: Interest = Interest(PRIORITY);

    /// Whether reading is in it.
    #[must_use]
    pub const fn is_readable(self) -> bool {
        self.0 & READABLE != 0
    }

    /// Whether writing is in it.
    #[must_use]
    pub const fn is_writable(self) -> bool {
        self.0 & WRITABLE != 0
    }

    /// Whether errors are in it.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// Whether urgent data is in it.
    #[must_use]
    pub const fn is_priority(self) -> bool {
        self.0 & PRIORITY != 0
    }

    /// What is in this one or the other.
    #[must_use = "this returns the result of the operation, without modifying the original"]
    pub const fn add(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    /// What is in this one and not in the other; `None` if nothing is.
    #[must_use = "this returns the result of the operation, without modifying the original"]
    pub fn remove(self, other: Interest) -> Option<Interest> {
        let left = self.0 & !other.0;
        (left != 0).then_some(Interest(left))
    }

    /// All that answers it: who waits to read is also told of the end.
    pub(crate) const fn mask(self) -> Ready {
        let mut mask = self.0;
        if mask & (READABLE | PRIORITY) != 0 {
            mask |= READ_CLOSED;
        }
        if mask & WRITABLE != 0 {
            mask |= WRITE_CLOSED;
        }
        Ready(mask)
    }
}

impl BitOr for Interest {
    type Output = Interest;
    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        *self = self.add(other);
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (READABLE, "READABLE"),
            (WRITABLE, "WRITABLE"),
            (PRIORITY, "PRIORITY"),
            (ERROR, "ERROR"),
        ];
        let within: Vec<&str> =
            names.iter().filter(|(bit, _)| self.0 & bit != 0).map(|(_, name)| *name).collect();
        f.write_str(&within.join(" | "))
    }
}

/// What a socket is ready for: a set.
///
/// ```
/// use sim::io::Ready;
///
/// assert!(Ready::EMPTY.is_empty());
/// assert!(Ready::READ_CLOSED.is_readable()); // the end can be read
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const EMPTY: Ready = Ready(0);
    /// There is something to read or to accept.
    pub const READABLE: Ready = Ready(READABLE);
    /// There is room to write.
    pub const WRITABLE: Ready = Ready(WRITABLE);
    /// The peer sends no more.
    pub const READ_CLOSED: Ready = Ready(READ_CLOSED);
    /// Nothing can be sent any more.
    pub const WRITE_CLOSED: Ready = Ready(WRITE_CLOSED);
    /// There is urgent data.
    pub const PRIORITY: Ready = Ready(PRIORITY);
    /// There is an error to take.
    pub const ERROR: Ready = Ready(ERROR);
    /// Everything.
    pub const ALL: Ready =
        Ready(READABLE | WRITABLE | READ_CLOSED | WRITE_CLOSED | PRIORITY | ERROR);

    /// Whether nothing is in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether there is something to read, or the end.
    #[must_use]
    pub fn is_readable(self) -> bool {
        self.0 & (READABLE | READ_CLOSED) != 0
    }

    /// Whether there is room to write, or no use in waiting for it.
    #[must_use]
    pub fn is_writable(self) -> bool {
        self.0 & (WRITABLE | WRITE_CLOSED) != 0
    }

    /// Whether the peer sends no more.
    #[must_use]
    pub fn is_read_closed(self) -> bool {
        self.0 & READ_CLOSED != 0
    }

    /// Whether nothing can be sent any more.
    #[must_use]
    pub fn is_write_closed(self) -> bool {
        self.0 & WRITE_CLOSED != 0
    }

    /// Whether there is urgent data.
    #[must_use]
    pub fn is_priority(self) -> bool {
        self.0 & PRIORITY != 0
    }

    /// Whether there is an error to take.
    #[must_use]
    pub fn is_error(self) -> bool {
        self.0 & ERROR != 0
    }

    /// What is open and not done with: all but the ends, which stay.
    pub(crate) fn without_ends(self) -> Ready {
        Ready(self.0 & !(READ_CLOSED | WRITE_CLOSED))
    }
}

impl From<sim_net::Ready> for Ready {
    fn from(ready: sim_net::Ready) -> Ready {
        let pairs = [
            (sim_net::Ready::READABLE, READABLE),
            (sim_net::Ready::WRITABLE, WRITABLE),
            (sim_net::Ready::READ_CLOSED, READ_CLOSED),
            (sim_net::Ready::WRITE_CLOSED, WRITE_CLOSED),
            (sim_net::Ready::ERROR, ERROR),
        ];
        let bit = |(from, to): &(sim_net::Ready, u8)| if ready.has(*from) { *to } else { 0 };
        let set = pairs.iter().map(bit).fold(0, BitOr::bitor);
        // mio takes `EPOLLOUT` with `EPOLLERR` for the end of writing, also of datagrams that were refused.
        let ended = set & (WRITABLE | ERROR) == WRITABLE | ERROR;
        Ready(if ended { set | WRITE_CLOSED } else { set })
    }
}

impl BitOr for Ready {
    type Output = Ready;
    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl BitAnd for Ready {
    type Output = Ready;
    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl Sub for Ready {
    type Output = Ready;
    fn sub(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready")
            .field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_error", &self.is_error())
            .field("is_priority", &self.is_priority())
            .finish()
    }
}
