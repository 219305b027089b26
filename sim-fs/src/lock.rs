//! Advisory locks of whole files: flock(2). A lock belongs to the open file, and so to all numbers that `dup` made.

use crate::{Disk, Errno, Fd, Result, inode::Ino};
use alloc::vec::Vec;

/// What to do with a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flock {
    /// Share it with others that share it: `LOCK_SH`.
    Shared,
    /// Have it alone: `LOCK_EX`.
    Exclusive,
    /// Give it back: `LOCK_UN`.
    Unlock,
}

/// How an open file has the lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Held {
    Shared,
    Exclusive,
}

/// Inodes whose locks were given back, for those who wait.
#[derive(Clone, Default)]
pub(crate) struct Locks {
    given_back: Vec<Ino>,
}

impl Locks {
    pub(crate) fn changed(&mut self, ino: Ino) {
        self.given_back.push(ino);
    }
}

impl Disk {
    /// Takes, changes or gives back the lock of an open file, without waiting: flock(2) with `LOCK_NB`.
    ///
    /// As in Linux a lock that is changed is first given back: if the new one cannot be had, the old one is gone.
    ///
    /// # Errors
    ///
    /// `EAGAIN` if others have it: try again when [`take_unlocked`](Disk::take_unlocked) names the inode. `EBADF`.
    pub fn flock(&mut self, fd: Fd, what: Flock) -> Result<()> {
        let at = self.process.number(fd)?;
        let (ino, held) = (self.process.file(at).ino, self.process.file(at).lock);
        let wanted = match what {
            Flock::Unlock => None,
            Flock::Shared => Some(Held::Shared),
            Flock::Exclusive => Some(Held::Exclusive),
        };
        if wanted == held {
            return Ok(());
        }
        let in_the_way = self.process.files_of(ino).any(|(other, file)| {
            other != at
                && match (file.lock, wanted) {
                    (None, _) | (_, None) => false,
                    (Some(Held::Shared), Some(Held::Shared)) => false,
                    (Some(_), Some(_)) => true,
                }
        });
        self.process.file_mut(at).lock = wanted.filter(|_| !in_the_way);
        if held.is_some() {
            self.locks.changed(ino);
        }
        if in_the_way { Err(Errno::EAGAIN) } else { Ok(()) }
    }

    /// The inodes whose locks were given back or shared since the last call, in that order; one may come twice.
    pub fn take_unlocked(&mut self, into: &mut Vec<Ino>) {
        into.append(&mut self.locks.given_back);
    }
}
