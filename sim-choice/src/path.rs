//! The spawn path of a task: which child of which child of the main task it is.
//!
//! A task's number depends on the schedule, its path hardly does, so the path is what a tape remembers.
//! It is kept as a 32-bit hash, which a record has room for and which a child's is computed from.

use alloc::string::String;
use core::{fmt, str::FromStr};

/// The hash of a spawn path. The same in every run, on every platform and in every version that reads
/// `sim tape 1`.
///
/// ```
/// use sim_choice::Path;
///
/// assert_eq!("main".parse(), Ok(Path::MAIN));
/// assert_eq!("main/0/3".parse(), Ok(Path::MAIN.child(0).child(3)));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path(pub u32);

impl Path {
    /// The main task, the root of all paths but those of nodes.
    pub const MAIN: Path = Path(0x6d61_696e);

    /// The first task of another tree: that of a node, by its name.
    ///
    /// ```
    /// use sim_choice::Path;
    ///
    /// assert_eq!("server/0".parse(), Ok(Path::root("server").child(0)));
    /// assert_eq!(Path::root("main"), Path::MAIN);
    /// ```
    #[must_use]
    pub const fn root(name: &str) -> Path {
        if let b"main" = name.as_bytes() {
            return Path::MAIN;
        }
        // FNV-1a (Fowler, Noll, Vo), in 32 bits.
        let (mut hash, mut at) = (0x811c_9dc5_u32, 0);
        while at < name.len() {
            hash = (hash ^ name.as_bytes()[at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        Path(scramble(hash))
    }

    /// The task that this one spawned as its `n`th, counting from 0.
    ///
    /// Siblings never share a path; other tasks do with a chance of 1 in 2^32.
    #[inline]
    #[must_use]
    pub const fn child(self, n: u32) -> Path {
        // The golden ratio spreads small numbers; both steps are bijections in `n`.
        Path(scramble(scramble(self.0.wrapping_add(1)) ^ n.wrapping_mul(0x9e37_79b1)))
    }
}

/// The 32-bit finalizer of MurmurHash3 (Appleby).
const fn scramble(word: u32) -> u32 {
    let word = (word ^ (word >> 16)).wrapping_mul(0x85eb_ca6b);
    let word = (word ^ (word >> 13)).wrapping_mul(0xc2b2_ae35);
    word ^ (word >> 16)
}

/// "main", or the hash, as in "#0012abcd": a hash cannot be turned back into a path.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Path::MAIN => f.write_str("main"),
            Path(hash) => write!(f, "#{hash:08x}"),
        }
    }
}

impl FromStr for Path {
    type Err = ParsePathError;

    fn from_str(text: &str) -> Result<Path, ParsePathError> {
        let error = || ParsePathError { operand: text.into() };
        if let Some(hash) = text.strip_prefix('#') {
            let digits = hash.len() == 8 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            return u32::from_str_radix(hash, 16)
                .ok()
                .filter(|_| digits)
                .map(Path)
                .ok_or_else(error);
        }
        let mut parts = text.split('/');
        let root = parts.next().filter(|root| is_name(root)).ok_or_else(error)?;
        parts
            .try_fold(Path::root(root), |path, part| Some(path.child(child_number(part)?)))
            .ok_or_else(error)
    }
}

/// Whether a tree may be called so: by a node's name, with `@2` for its second start.
fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    text.bytes().all(known) && text.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// One spelling for one number: no sign, no leading zero.
fn child_number(text: &str) -> Option<u32> {
    let plain = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| plain)
}

/// The text is no path.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ParsePathError {
    /// The text.
    pub operand: String,
}

impl fmt::Display for ParsePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operand = &self.operand;
        write!(
            f,
            "invalid path `{operand}`: a path is `main`, `main/0/3`, such a path of a node, or a hash of eight digits, `#0012abcd`"
        )
    }
}

impl core::error::Error for ParsePathError {}
