//! The filesystem of one node of a simulation, as a pure value: no task, no waker, no clock, no host file.
//!
//! A [`Disk`] is shaped like POSIX: inodes, folders, a page cache, a device. Its verbs are those of Linux, never wait,
//! and answer with a value or an [`Errno`]; how long the device takes is left in [`Cx::done_ns`].
//!
//! ```
//! use sim_choice::{Choices, Path};
//! use sim_fs::{Cx, Disk, Errno, Open};
//!
//! let (mut disk, mut choices) = (Disk::new(), Choices::new());
//! let mut cx = Cx::new(0, Path::MAIN, &mut choices);
//! let fd = disk.open(&mut cx, b"/greeting", Open::CREATE)?;
//! disk.write(&mut cx, fd, b"hello")?;
//! let mut bytes = [0; 8];
//! assert_eq!(disk.pread(&mut cx, fd, 1, &mut bytes), Ok(4));
//! assert_eq!(&bytes[..4], b"ello");
//! assert_eq!(disk.mkdir(&mut cx, b"/greeting/folder", 0o777), Err(Errno::ENOTDIR));
//!
//! disk.crash(&mut cx); // Calm: everything survives.
//! assert_eq!(disk.stat(&mut cx, b"/greeting")?.size, 5);
//! # Ok::<(), Errno>(())
//! ```
//!
//! # How it works
//!
//! ```text
//!   verbs ──▶ cached image ◀── what programs see
//!     │
//!     └─────▶ pending changes, a graph ── sync ──▶ durable image ── what the device has
//!                     │                                │
//!                     └────────── crash ───────────────┴──▶ a new disk
//! ```
//!
//! Written, synced and named are three things. Each verb makes changes that programs see at once and the device in
//! time; what is not synced survives a [crash](Disk::crash) or not, as the [rules](Rules) of the file system allow. [`Disk::crash_states`] goes through all of these states.
//!
//! | file | idea |
//! |---|---|
//! | `disk.rs` | the parent: all state, and how changes go in and out |
//! | `path.rs`, `user.rs` | from a path to an inode, and who may do what |
//! | `open.rs`, `data.rs`, `names.rs`, `meta.rs`, `lock.rs`, `sync.rs` | the verbs |
//! | `inode.rs`, `dir.rs`, `pages.rs` | an image of the disk |
//! | `pending.rs` | what the device does not have yet, and what needs what |
//! | `crash.rs`, `states.rs` | what a crash leaves, drawn and all of it |
//! | `faults.rs`, `device.rs` | what goes wrong, and how long it takes |
//! | `inspect.rs`, `content.rs` | the tree as text and as values |
//!
//! # Limits
//!
//! The page cache never evicts: what a faulty device lost is noticed after a restart, or by direct reads. Nothing is
//! written back by the passing of time, as no program may rely on it; only if very many changes are pending the oldest
//! become durable. Times and link counts follow the changes that survive. No devices, pipes, sockets, quotas, access
//! control lists, extended attributes, record locks (fcntl(2)) or maps (mmap(2)).

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod content;
mod crash;
mod cx;
mod data;
mod device;
mod dir;
mod disk;
mod faults;
mod inode;
mod inspect;
mod lock;
mod meta;
mod names;
mod open;
mod pages;
mod path;
mod pending;
mod states;
mod sync;
mod user;

pub use content::Content;
pub use crash::{Crash, Loss};
pub use cx::Cx;
pub use data::Seek;
pub use device::Device;
pub use disk::Disk;
pub use faults::{Fault, FaultCount, Faults, Verb};
pub use inode::Ino;
pub use lock::Flock;
pub use meta::{FileType, Stat, Volume};
pub use names::Entry;
pub use open::{Fd, Open};
pub use pages::{MAX_SIZE, PAGE, SECTOR};
pub use path::{NAME_MAX, PATH_MAX};
pub use pending::Rules;
pub use sim_errno::Errno;
pub use states::{Bound, States, Tears};
pub use user::{Access, User};

/// What a verb gives: a value, or the error that Linux would give.
pub type Result<T> = core::result::Result<T, Errno>;
